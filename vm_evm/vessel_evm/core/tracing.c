// The tracing build only (-DTRACING): the core stops before every instruction and shows where it is.
// engine/core_trace.py makes of it what tracers want; the plain build has nothing of this.
#pragma once
#include "batch.c"

static struct {
    u32 depth;      // 0: the outermost frame
    u32 pc;
    u32 opcode;
    u32 code_size;  // 0: a call to an account without code
    u32 stack_at, stack_words;
    u32 memory_at, memory_size;
    u32 input_at, input_size;
    u32 return_data_at, return_data_size;
    u32 is_creation, is_static;
    u32 code_at;
    u32 reserved;
    i64 gas;
    i64 caller_gas;  // what the caller has kept for itself
    u64 refund;
    U256 caller;
    U256 value;
    Address self;
} step_report;

static u32 offset_of(const void *at) { return (u32)(__SIZE_TYPE__)at; }

static void report_step(void) {
    const Frame *f = frame;
    step_report.depth = (u32)(f - frames);
    step_report.pc = (u32)(f->pc - f->code);
    step_report.opcode = *f->pc;
    step_report.code_size = f->code_size;
    step_report.code_at = offset_of(f->code);
    step_report.stack_at = offset_of(f->stack);
    step_report.stack_words = (u32)(f->sp - f->stack);
    step_report.memory_at = offset_of(f->memory);
    step_report.memory_size = f->memory_size;
    step_report.input_at = offset_of(f->input);
    step_report.input_size = f->input_size;
    step_report.return_data_at = offset_of(return_data);
    step_report.return_data_size = return_data_size;
    step_report.is_creation = f->kind == FRAME_CREATE;
    step_report.is_static = f->is_static;
    step_report.gas = f->gas;
    step_report.caller_gas = f == frames ? 0 : (f - 1)->gas;
    step_report.refund = (u64)refund_counter;
    step_report.caller = f->caller;
    step_report.value = f->value;
    step_report.self = f->self->address;
}

EXPORT(step_at) void *step_at(void) { return &step_report; }

EXPORT(set_stepping) u32 set_stepping(u32 on) {
    stepping = (int)on;
    step_granted = 0;
    return 0;
}
