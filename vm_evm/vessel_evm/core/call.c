// Message calls: CALL, CALLCODE, DELEGATECALL, STATICCALL (Yellow Paper, section 8; EIP-150, EIP-2929,
// EIP-7702), and the end of every frame.
#pragma once
#include "precompile.c"

enum CallKind { CALL, CALLCODE, DELEGATECALL, STATICCALL };

static u32 code_size_limit;  // bytes; init code may have twice as much

// Put a new frame on top. Its memory begins at `memory`, which is a multiple of 32.
static Frame *push_frame(u8 *memory) {
    Frame *f = ++frame;
    f->stack = f->sp = (f - 1)->sp;
    f->memory = memory;
    f->memory_size = 0;
    f->memory_cost = 0;
    f->journal_mark = journal_size;
    f->log_mark = log_size;
    f->log_count_mark = log_count;
    f->refund_mark = refund_counter;
    f->created = NULL;
    return_data_size = 0;
    return f;
}

static void run_code(Frame *f, const Code *code) {
    static const u8 nothing[CODE_PADDING];
    f->code = f->pc = code ? code->bytes : nothing;
    f->jump_destinations = code ? code->jump_destinations : NULL;
    f->code_size = code ? code->size : 0;
}

static enum Outcome op_call(Frame *f, enum CallKind kind) {
    // STACK
    int has_value = kind == CALL || kind == CALLCODE;
    const U256 *sp = f->sp, *rest = has_value ? &sp[-3] : &sp[-2];
    U256 value = has_value ? sp[-3] : U256_ZERO;
    int pays = !is_zero(&value);
    Address address = address_of_word(&sp[-2]);
    Part input, output;
    if (!read_part(&rest[-1], &rest[-2], &input) || !read_part(&rest[-3], &rest[-4], &output))
        return OUT_OF_GAS;

    // What must be known before anything happens.
    u32 number = precompile_at(&address);
    Account *target = find_account(&address), *delegate = NULL;
    if (pays && (lacks_balance(f->self) | (kind == CALL ? lacks_account(target) : 0))) return LACKING;
    if (!number) {
        if (lacks_record(target) || lacks_code(target->code)) return LACKING;
        const Address *named = rules[HAS_DELEGATIONS] ? delegate_of(target->code) : NULL;
        if (named) {
            delegate = find_account(named);
            if (lacks_record(delegate) || lacks_code(delegate->code)) return LACKING;
        }
    }

    // GAS
    u64 end = part_end(&input) > part_end(&output) ? part_end(&input) : part_end(&output);
    u64 extra = expansion_cost(f, end);
    extra += account_is_warm(target) ? GAS_WARM_ACCESS : GAS_COLD_ACCOUNT;
    if (delegate)
        extra += delegate == target || account_is_warm(delegate) ? GAS_WARM_ACCESS : GAS_COLD_ACCOUNT;
    if (pays) extra += GAS_CALL_VALUE;
    if (pays && kind == CALL && !is_alive(target)) extra += GAS_NEW_ACCOUNT;
    if ((u64)f->gas < extra) return OUT_OF_GAS;
    u64 gas = (u64)f->gas - extra, most = gas - gas / 64, asked = saturate_u64(&sp[-1]);
    u64 child_gas = asked < most ? asked : most;
    gas -= child_gas;
    if (pays) child_gas += GAS_CALL_STIPEND;
    if (pays && kind == CALL && f->is_static) return WRITE_PROTECTION;
    i64 paid = (i64)(~0ull >> 1);  // it is in `extra`
    if (!reach(f, end, &paid)) return OUT_OF_GAS;

    // OPERATION
    warm_account(target);
    if (delegate) warm_account(delegate);
    f->sp -= has_value ? 7 : 6;
    f->gas = (i64)gas;
    return_data_size = 0;
    if ((pays && less(&f->self->balance, &value)) || f == &frames[CALL_DEPTH]) {
        f->gas += (i64)child_gas;
        *f->sp++ = U256_ZERO;
        return RUNNING;
    }
    u32 mark = journal_size;
    if (pays && kind == CALL) {
        debit(f->self, &value);
        credit(target, &value);
    }
    if (number) {
        precompile.is_outermost = 0;
        precompile.journal_mark = mark;
        precompile.output_offset = output.offset;
        precompile.output_size = output.size;
        return start_precompile(number, f->memory + input.offset, input.size, (i64)child_gas);
    }
    Frame *child = push_frame(f->memory + f->memory_size);
    child->journal_mark = mark;
    run_code(child, delegate ? delegate->code : target->code);
    child->kind = FRAME_CALL;
    child->gas = (i64)child_gas;
    child->is_static = f->is_static || kind == STATICCALL;
    child->self = kind == CALL || kind == STATICCALL ? target : f->self;
    child->caller = kind == DELEGATECALL ? f->caller : word_of_address(&f->self->address);
    child->value = kind == DELEGATECALL ? f->value : value;
    child->input = f->memory + input.offset;
    child->input_size = input.size;
    child->output_offset = output.offset;
    child->output_size = output.size;
    return FRAME_OPENED;
}

// What a creation leaves as code (EIP-170, EIP-3541), paid for from what gas it has left.
static enum Outcome deposit_code(Frame *f) {
    u32 size = return_data_size;
    if (size > code_size_limit) return CODE_TOO_LARGE;
    if (size && return_data[0] == 0xef && rules[REJECTS_EF_CODE]) return RESERVED_CODE;
    i64 cost = (i64)GAS_CODE_DEPOSIT_BYTE * size;
    if (f->gas < cost) return OUT_OF_GAS;
    f->gas -= cost;
    if (size) set_code(f->created, make_code(return_data, size));
    return STOPPED;
}

// End the frame on top. What it returned lies in return_data. The outcome of the outermost frame is
// handed on; any other becomes a word on its caller's stack, and RUNNING.
static enum Outcome leave_frame(enum Outcome outcome) {
    Frame *f = frame;
    if (outcome == STOPPED && f->kind == FRAME_CREATE) outcome = deposit_code(f);
    if (outcome != STOPPED) {
        undo_to(f->journal_mark);
        log_size = f->log_mark;
        log_count = f->log_count_mark;
        refund_counter = f->refund_mark;
    }
    if (outcome != STOPPED && outcome != REVERTED) {
        f->gas = 0;
        return_data_size = 0;
    }
    if (f == frames) return outcome;
    Frame *caller = --frame;
    caller->gas += f->gas;
    if (f->kind == FRAME_CREATE) {
        if (outcome == STOPPED) return_data_size = 0;
        *caller->sp++ = outcome == STOPPED ? word_of_address(&f->created->address) : U256_ZERO;
    } else {
        u32 copied = return_data_size < f->output_size ? return_data_size : f->output_size;
        copy_bytes(caller->memory + f->output_offset, return_data, copied);
        *caller->sp++ = u256(outcome == STOPPED);
    }
    return RUNNING;
}
