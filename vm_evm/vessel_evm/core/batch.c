// A batch of transactions in one crossing.
//
// While everything is known, or assumed (request.c), transaction follows transaction. Before results
// are given out the assumptions are checked: those that hold are facts from then on; at the first that
// does not, the journal takes everything back to the start of the transaction that made it. They are
// checked after a few transactions first, for what all of them touch, then after more and more of them.
// After a few setbacks the rest of the batch runs without assumptions, so the work is at most a small
// multiple of that of one pass.
#pragma once
#include "receipt.c"

enum BatchStatus {
    DONE = 0,
    NEED = 1,          // see request_bytes
    NEED_PRECOMPILE = 2,  // see precompile
    REFUSED = 3,       // the next transaction cannot be included
    CUT = 4,           // the results so far are to be taken; the rest is to be handed in again
    FULL = 5,          // as CUT, and the cache is to be emptied
    AT_STEP = 6        // tracing: an instruction is about to run
};

#define MAX_SETBACKS 3
#define FIRST_WINDOW 8  // transactions until assumptions are checked
#define WINDOW_GROWTH 8

typedef struct {
    u32 journal_mark;
    u32 result_mark;
    u64 gas_available;
    u64 cumulative_gas;
} Start;

static Start starts[BATCH];
static const u8 *places[BATCH];  // of the transactions in the input region
static u32 batch_size;
static int in_transaction;
static int keeps;  // changes stay for the next transaction; otherwise each is taken back
static int room_is_rule;
static u32 setbacks;
static u32 window;
static u64 gas_available;
static u32 needed_bytes;

static enum BatchStatus need(void) {
    needed_bytes = pack_requests();
    return NEED;
}

static void go_back_to(u32 position) {
    undo_to(starts[position].journal_mark);
    result_size = starts[position].result_mark;
    result_count = position;
    gas_available = starts[position].gas_available;
    cumulative_gas = starts[position].cumulative_gas;
    batch_position = position;
    in_transaction = 0;
    region_full = 0;
}

static void start_next(void) {
    // Without open assumptions nothing before this transaction can be taken back any more.
    if (assumption_count == 0) journal_size = 0;
    starts[batch_position] = (Start){journal_size, result_size, gas_available, cumulative_gas};
    may_assume = keeps && setbacks < MAX_SETBACKS && !room_is_rule && journal_size < JOURNAL_ENTRIES / 2;
    begin_transaction(places[batch_position]);
    in_transaction = 1;
}

// A region is full. With assumptions open they are checked first, and then all is tried again.
static enum BatchStatus overflow(void) {
    if (assumption_count) {
        setbacks = MAX_SETBACKS;
        go_back_to(assumptions[0].transaction);
        request_count = 0;
        return need();
    }
    go_back_to(batch_position);
    return FULL;
}

static enum BatchStatus advance(void) {
    for (;;) {
        if (!in_transaction) {
            int is_end = batch_position == batch_size || result_size > RESULT_FLUSH_BYTES;
            if (assumption_count && (is_end || batch_position - assumptions[0].transaction >= window)) {
                window *= WINDOW_GROWTH;
                return need();
            }
            if (is_end) return batch_position == batch_size ? DONE : CUT;
            start_next();
        }
        enum Verdict verdict;
        enum Outcome outcome = run_transaction(gas_available, &verdict);
        if (verdict == REFUSED_NOW) {
            if (assumption_count) return need();
            in_transaction = 0;
            return REFUSED;
        }
        if (region_full || outcome == REGION_FULL) {
            if (!room_is_rule || assumption_count) return overflow();
            run_out_of_room();
            continue;
        }
        switch (outcome) {
            case LACKING: return need();
            case PRECOMPILE: return NEED_PRECOMPILE;
            case STOPPED: break;
            default: return AT_STEP;
        }
        if (makes_receipts ? !pack_receipt(&signed_transactions[batch_position]) : !pack_result())
            return overflow();
        gas_available -= settlement.gas_used;
        if (!keeps) undo_to(0);
        in_transaction = 0;
        room_is_rule = 0;
        batch_position++;
    }
}

// Check the assumptions against the first answers; returns the answers behind them.
static const u8 *check_assumptions(const u8 *at) {
    u32 first_wrong = ~0u;
    const u8 *value, *answers = at;
    u32 size;
    for (u32 i = 0; i < assumption_count; i++) {
        at = unpack_bytes(at, &value, &size);
        if (value && assumptions[i].transaction < first_wrong) first_wrong = assumptions[i].transaction;
    }
    if (first_wrong != ~0u) {
        if (first_wrong < batch_position + (u32)in_transaction) go_back_to(first_wrong);
        setbacks++;
        for (u32 i = 0; i < assumption_count; i++) {
            answers = unpack_bytes(answers, &value, &size);
            if (value) install(&assumptions[i].wanted, value, size);
        }
    }
    assumption_count = 0;
    return at;
}

static void take_answers(const u8 *at) {
    u8 kind = *at++;  // an array of as many as were asked for: fix, 16 or 32 bits
    at += kind == 0xdc ? 2 : kind == 0xdd ? 4 : 0;
    at = check_assumptions(at);
    for (u32 i = 0; i < request_count; i++) {
        const u8 *value;
        u32 size;
        at = unpack_bytes(at, &value, &size);
        install(&requests[i], value, size);
    }
    request_count = 0;
}
