// What a fork changes. Each row is one fork on top of those before it; `choose_fork` applies them in
// order, so a rule holds from its row on until a later one says otherwise.
#pragma once
#include "types.h"

enum Fork { BERLIN, LONDON, PARIS, SHANGHAI, CANCUN, PRAGUE, OSAKA, FORKS };

enum Rule {
    REFUND_QUOTIENT,        // at most gas used over this is refunded
    REFUND_STORAGE_CLEAR,   // for a slot that becomes zero
    REFUND_SELF_DESTRUCT,
    HAS_BASE_FEE,           // BASEFEE (EIP-3198)
    REJECTS_EF_CODE,        // EIP-3541
    WARMS_COINBASE,         // EIP-3651
    HAS_PUSH0,              // EIP-3855
    LIMITS_INIT_CODE,       // EIP-3860
    HAS_TRANSIENT_STORAGE,  // EIP-1153
    HAS_MEMORY_COPY,        // EIP-5656
    HAS_BLOB_INSTRUCTIONS,  // EIP-4844, EIP-7516
    KEEPS_OLD_CONTRACTS,    // SELFDESTRUCT destroys what the transaction itself created only (EIP-6780)
    HAS_DELEGATIONS,        // EIP-7702
    HAS_COUNT_ZEROS,        // CLZ (EIP-7939)
    LAST_PRECOMPILE,        // 1 to this …
    HAS_P256_VERIFY,        // … and 0x100 (EIP-7951)
    HAS_DATA_FLOOR,         // input has a least price (EIP-7623)
    TRANSACTION_GAS_CAP,    // EIP-7825
    RULES
};

#define P256_VERIFY 0x100

typedef struct {
    enum Rule rule;
    u32 value;
} Change;

#define MAX_CHANGES 8

static const Change CHANGES[FORKS][MAX_CHANGES] = {
    [BERLIN] = {{REFUND_QUOTIENT, 2},
                {REFUND_STORAGE_CLEAR, 15000},
                {REFUND_SELF_DESTRUCT, 24000},
                {LAST_PRECOMPILE, 9}},
    [LONDON] = {{REFUND_QUOTIENT, 5},  // EIP-3529
                {REFUND_STORAGE_CLEAR, 4800},
                {REFUND_SELF_DESTRUCT, 0},
                {HAS_BASE_FEE, 1},
                {REJECTS_EF_CODE, 1}},
    [PARIS] = {{REFUND_QUOTIENT, 5}},  // DIFFICULTY becomes PREVRANDAO: the same place, the caller's word
    [SHANGHAI] = {{WARMS_COINBASE, 1}, {HAS_PUSH0, 1}, {LIMITS_INIT_CODE, 1}},
    [CANCUN] = {{HAS_TRANSIENT_STORAGE, 1},
                {HAS_MEMORY_COPY, 1},
                {HAS_BLOB_INSTRUCTIONS, 1},
                {KEEPS_OLD_CONTRACTS, 1},
                {LAST_PRECOMPILE, 10}},
    [PRAGUE] = {{HAS_DELEGATIONS, 1}, {LAST_PRECOMPILE, 17}, {HAS_DATA_FLOOR, 1}},
    [OSAKA] = {{HAS_COUNT_ZEROS, 1}, {HAS_P256_VERIFY, 1}, {TRANSACTION_GAS_CAP, 1u << 24}},
};

static u32 rules[RULES];

static void choose_fork(enum Fork fork) {
    for (int rule = 0; rule < RULES; rule++) rules[rule] = 0;
    for (int row = 0; row <= (int)fork; row++)
        for (int i = 0; i < MAX_CHANGES; i++)
            if (CHANGES[row][i].value || CHANGES[row][i].rule) rules[CHANGES[row][i].rule] = CHANGES[row][i].value;
}

// The number of the precompile at an address, or 0.
INLINE u32 precompile_at(const Address *address) {
    const u8 *bytes = address->bytes;
    if (load64(bytes) | load64(bytes + 8) | bytes[16] | bytes[17]) return 0;
    u32 number = (u32)bytes[18] << 8 | bytes[19];
    if (number <= rules[LAST_PRECOMPILE]) return number;
    return number == P256_VERIFY && rules[HAS_P256_VERIFY] ? number : 0;
}
