// The EVM as a WebAssembly module: one translation unit, no imports. The driver (engine/core*.py)
// writes into the regions whose addresses it is told here, calls `run` or `resume`, and reads.
#include "batch.c"

static u8 answer_region[ANSWER_BYTES];

EXPORT(input_at) u8 *input_at(void) { return input_region; }
EXPORT(input_capacity) u32 input_capacity(void) { return INPUT_BYTES; }
EXPORT(batch_capacity) u32 batch_capacity(void) { return BATCH; }
EXPORT(answer_at) u8 *answer_at(void) { return answer_region; }
EXPORT(answer_capacity) u32 answer_capacity(void) { return ANSWER_BYTES; }
EXPORT(request_at) u8 *request_at(void) { return request_bytes; }
EXPORT(result_at) u8 *result_at(void) { return result_region; }

#ifdef TRACING
#include "tracing.c"
#endif

// What the driver reads after each crossing, side by side.
static struct {
    u32 needed_bytes;
    u32 result_bytes, result_count;
    u32 accounts, slots, codes, code_bytes;
    u32 precompile_number, precompile_input, precompile_input_size;
    u64 precompile_gas;
} report;

EXPORT(report_at) void *report_at(void) { return &report; }

static u32 reported(enum BatchStatus status) {
    // The results are one array; the room for its head is kept free in front of them.
    result_region[0] = 0xdd;
    pack_u32_be(result_region + 1, result_count);
    report.needed_bytes = needed_bytes;
    report.result_bytes = result_size;
    report.result_count = result_count;
    report.accounts = account_count;
    report.slots = slot_count;
    report.codes = code_count;
    report.code_bytes = code_region_used;
    report.precompile_number = precompile.number;
    report.precompile_input = (u32)(__SIZE_TYPE__)precompile.input;
    report.precompile_input_size = precompile.input_size;
    report.precompile_gas = (u64)precompile.gas;
#ifdef TRACING
    if (status == AT_STEP) report_step();
#endif
    return status;
}

// Fix what holds for the life of the instance.
EXPORT(configure) u32 configure(u32 fork, u32 name_space_number, u32 code_limit) {
    if (fork >= FORKS) return 1;
    choose_fork((enum Fork)fork);
    define_instructions();
    name_space[0] = (u8)(name_space_number >> 8);
    name_space[1] = (u8)name_space_number;
    code_size_limit = code_limit;
    return 0;
}

// Empty the cache; the seed spreads the tables.
EXPORT(forget) u32 forget(u64 seed) {
    forget_everything(seed);
    mark_precompiles();
    return 0;
}

// Balances are others' too: what is known of them is forgotten between two batches.
EXPORT(forget_balances) u32 forget_balances(void) { return ++balance_epoch; }

// Take the block from the input region: coinbase (20), then words of 32 bytes, most significant first:
// timestamp, number, randomness, gas limit, chain id, base fee, blob base fee, recent ids.
EXPORT(set_block) u32 set_block(u32 recent_count) {
    const u8 *at = input_region;
    copy_bytes(&block.coinbase_address, at, 20);
    block.coinbase = word_of_address(&block.coinbase_address);
    at += 20;
    U256 *words[] = {&block.timestamp, &block.number,   &block.randomness,   &block.gas_limit,
                     &block.chain_id,  &block.base_fee, &block.blob_base_fee};
    for (int i = 0; i < 7; i++, at += 32) *words[i] = load_word(at);
    block.recent_count = recent_count < RECENT_IDS ? recent_count : RECENT_IDS;
    for (u32 i = 0; i < block.recent_count; i++, at += 32) block.recent_ids[i] = load_word(at);
    return 0;
}

static u32 begin_batch(u32 count, u64 gas, u32 keep, u32 rule) {
    batch_size = count;
    batch_position = 0;
    in_transaction = 0;
    keeps = (int)keep;
    room_is_rule = (int)rule;
    setbacks = 0;
    window = FIRST_WINDOW;
    gas_available = gas;
    request_count = assumption_count = 0;
    result_size = RESULT_HEAD_BYTES;
    result_count = 0;
    journal_size = 0;
    region_full = 0;
    needed_bytes = 0;
    return reported(advance());
}

// Run the batch in the input region.
//   keep  changes stay for the transactions after; otherwise each is taken back when it has ended
//   rule  the cache is empty: a region that overflows is the transaction's end (limits.h)
EXPORT(run) u32 run(u32 count, u64 gas, u32 keep, u32 rule) {
    const u8 *at = input_region;
    for (u32 i = 0; i < count; i++) {
        places[i] = at;
        at += load32(at);
    }
    makes_receipts = 0;
    return begin_batch(count, gas, keep, rule);
}

// Run signed transactions in the input region, each behind its size (4, little-endian) and its sender, as
// far as they are regular; what comes back are receipts.
EXPORT(run_signed) u32 run_signed(u32 count, u64 gas, u32 index, u64 gas_before) {
    const u8 *at = input_region;
    u32 taken = 0;
    for (decoded_size = 0; taken < count; taken++) {
        u32 size = load32(at);
        const u8 *place = decoded_region + decoded_size;
        if (!decode_signed((const Address *)(at + 4), at + 24, size, &signed_transactions[taken])) break;
        places[taken] = place;
        at += 24 + size;
    }
    makes_receipts = 1;
    first_index = index;
    cumulative_gas = gas_before;
    return begin_batch(taken, gas, 1, 0);
}

// Go on with the answers in the answer region.
EXPORT(resume) u32 resume(void) {
    take_answers(answer_region);
    return reported(advance());
}

// Go on with a precompile's answer: its output is in the answer region.
EXPORT(resume_precompile) u32 resume_precompile(u32 outcome, u64 gas_left, u32 size) {
    finish_precompile((enum Outcome)outcome, (i64)gas_left, answer_region, size);
    return reported(advance());
}

#ifdef TRACING
// Let the instruction run that was shown, and go on to the next.
EXPORT(step) u32 step(void) {
    step_granted = 1;
    return reported(advance());
}
#endif
