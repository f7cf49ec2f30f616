// Frames: one for each call or creation at work, in an array of the core's own. There is no native
// recursion: a call opens the next frame and the interpreter goes on there.
//
// Three regions are stacks beside the array: the words, the memories and the logs. A frame's part
// begins where its caller's ends, and a caller stands still while what it called runs, so input can be
// passed as a pointer into the caller's memory.
#pragma once
#include "block.c"
#include "gas.h"
#include "outcome.h"
#include "request.c"
#include "rules.c"

enum FrameKind { FRAME_CALL, FRAME_CREATE };

typedef struct {
    // where it is
    const u8 *code;
    const u8 *pc;
    const u32 *jump_destinations;
    u32 code_size;
    U256 *stack;  // of this frame; grows upwards
    U256 *sp;     // behind the top word
    i64 gas;
    // memory: size is a multiple of 32
    u8 *memory;
    u32 memory_size;
    u64 memory_cost;
    // what it was called with
    enum FrameKind kind;
    u32 is_static;
    Account *self;
    U256 caller;
    U256 value;
    const u8 *input;
    u32 input_size;
    // what happens when it ends
    u32 journal_mark;
    u32 log_mark, log_count_mark;
    i64 refund_mark;
    u32 output_offset, output_size;  // in the caller's memory
    Account *created;
} Frame;

static Frame frames[CALL_DEPTH + 1];
static Frame *frame;  // the one at work
static U256 stack_region[(CALL_DEPTH + 1) * (STACK_WORDS + 1)];
static i64 refund_counter;

// What the last call left: RETURNDATASIZE, RETURNDATACOPY. One for all, since a caller cannot look at
// its own while another runs.
static u8 return_data[FRAME_MEMORY_BYTES];
static u32 return_data_size;

// ---- memories: from the end of the static data to the end of linear memory, which grows

extern u8 __heap_base;
#define PAGE_BYTES 65536u

// 0 where the region ends, which is a rule. A host that has no memory is a fault: the core traps.
static int reserve_memory(const u8 *end) {
    u64 needed = (u64)(__SIZE_TYPE__)end;
    if (needed > (u64)(__SIZE_TYPE__)&__heap_base + MEMORY_REGION_BYTES) return 0;
    u64 present = (u64)__builtin_wasm_memory_size(0) * PAGE_BYTES;
    if (needed <= present) return 1;
    u64 pages = (needed - present + PAGE_BYTES - 1) / PAGE_BYTES;
    pages += pages < 64 ? 64 : 0;
    if (__builtin_wasm_memory_grow(0, (__SIZE_TYPE__)pages) == (__SIZE_TYPE__)-1) __builtin_trap();
    return 1;
}

// Gas for a memory of so many bytes, a multiple of 32 (Yellow Paper, equation 326).
INLINE u64 memory_cost(u64 size) {
    u64 words = size / 32;
    return GAS_MEMORY_WORD * words + words * words / MEMORY_QUADRATIC_DIVISOR;
}

// Make sure of memory up to `end`; charge *gas. 0 where there is not enough gas.
NOINLINE int expand_memory(Frame *f, u64 end, i64 *gas) {
    u64 size = (end + 31) & ~31ull;
    if (size > FRAME_MEMORY_BYTES) return 0;
    u64 cost = memory_cost(size);
    *gas -= (i64)(cost - f->memory_cost);
    if (*gas < 0 || !reserve_memory(f->memory + size)) return 0;
    zero_bytes(f->memory + f->memory_size, size - f->memory_size);
    f->memory_size = (u32)size;
    f->memory_cost = cost;
    return 1;
}

// A part of memory named by two words, charged for but not yet there: 0 where it cannot be paid for.
typedef struct {
    u32 offset, size;
} Part;

INLINE int read_part(const U256 *offset, const U256 *size, Part *part) {
    part->offset = part->size = 0;
    if (is_zero(size)) return 1;
    if (!fits_u64(offset) || !fits_u64(size)) return 0;
    if (offset->limb[0] > FRAME_MEMORY_BYTES || size->limb[0] > FRAME_MEMORY_BYTES) return 0;
    part->offset = (u32)offset->limb[0];
    part->size = (u32)size->limb[0];
    return 1;
}

INLINE int reach(Frame *f, u64 end, i64 *gas) { return end <= f->memory_size || expand_memory(f, end, gas); }

INLINE int reach_part(Frame *f, const Part *part, i64 *gas) {
    return part->size == 0 || reach(f, (u64)part->offset + part->size, gas);
}

// What reaching to `end` would cost.
INLINE u64 expansion_cost(const Frame *f, u64 end) {
    u64 size = (end + 31) & ~31ull;
    return size <= f->memory_size ? 0 : memory_cost(size) - f->memory_cost;
}
INLINE u64 part_end(const Part *part) { return part->size ? (u64)part->offset + part->size : 0; }
