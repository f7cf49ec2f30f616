// Precompiled contracts. The core copies bytes itself (identity); for all others it stops, the driver
// runs them with native libraries, and the frame goes on with the answer.
#pragma once
#include "log.c"

#define IDENTITY 4
#define GAS_IDENTITY 15
#define GAS_IDENTITY_WORD 3

static struct {
    u32 number;
    const u8 *input;
    u32 input_size;
    i64 gas;
    // where to go on
    int is_outermost;
    enum Outcome outcome;
    u32 journal_mark;
    u32 output_offset, output_size;
} precompile;

// Take the answer of the precompile that was asked for: STOPPED with gas left and output, or a failure.
static void finish_precompile(enum Outcome outcome, i64 gas_left, const u8 *output, u32 size) {
    Frame *f = frame;
    int succeeded = outcome == STOPPED;
    precompile.outcome = outcome;
    return_data_size = 0;
    if (succeeded) {
        move_bytes(return_data, output, size);
        return_data_size = size;
    } else {
        undo_to(precompile.journal_mark);
        gas_left = 0;
    }
    if (precompile.is_outermost) {
        f->gas = gas_left;
        return;
    }
    f->gas += gas_left;
    u32 copied = size < precompile.output_size ? size : precompile.output_size;
    if (succeeded) copy_bytes(f->memory + precompile.output_offset, return_data, copied);
    *f->sp++ = u256((u64)succeeded);
}

// Start the precompile; PRECOMPILE where the driver has to run it.
static enum Outcome start_precompile(u32 number, const u8 *input, u32 size, i64 gas) {
    precompile.number = number;
    precompile.input = input;
    precompile.input_size = size;
    precompile.gas = gas;
    if (number != IDENTITY) return PRECOMPILE;
    i64 gas_left = gas - GAS_IDENTITY - (i64)GAS_IDENTITY_WORD * ((size + 31) / 32);
    finish_precompile(gas_left < 0 ? OUT_OF_GAS : STOPPED, gas_left, input, size);
    return RUNNING;
}

// What every transaction may touch as if it had been touched before.
static void mark_precompiles(void) {
    for (u32 number = 1; number <= P256_VERIFY; number++) {
        Address address = {{0}};
        address.bytes[18] = (u8)(number >> 8);
        address.bytes[19] = (u8)number;
        if (precompile_at(&address)) find_account(&address)->warm = ALWAYS;
    }
}
