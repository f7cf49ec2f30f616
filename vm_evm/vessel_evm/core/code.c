// Contract code by its hash, with its jump destinations. Never stale: the hash says what it is.
#pragma once
#include "journal.c"
#include "keccak.c"

#define CODE_PADDING 36  // zero bytes behind the code: STOP, and room for a PUSH32 that is cut off
#define DELEGATION_BYTES 23

typedef struct Code {
    Hash hash;
    const u8 *bytes;  // NULL: not in memory
    const u32 *jump_destinations;
    u32 size;
    u32 stored_epoch;  // equal to cache_epoch: it is known whether the state holds it, and …
    u32 stored;        // … whether it does
    struct Code *next;
} Code;

static Code codes[CODES];
static u32 code_count;
static Code *code_chains[CODE_CHAINS];
static u8 code_region[CODE_BYTES];
static u32 code_region_used;

static u32 cache_epoch = 1;  // records, slots and `stored` of another epoch are unknown
static u64 hash_seed = 0x9e3779b97f4a7c15;

// Spread what senders choose over a table. The seed comes from the block, so that nobody can aim.
INLINE u32 spread(u64 a, u64 b, u64 c) {
    u128 x = (u128)(a ^ hash_seed) * (b ^ 0xa0761d6478bd642f);
    u64 y = (u64)x ^ (u64)(x >> 64);
    x = (u128)(y ^ c) * (hash_seed ^ 0xe7037ed1a0b428db);
    return (u32)(x >> 64) ^ (u32)x;
}

INLINE Code **code_chain(const Hash *hash) {
    return &code_chains[spread(load64(hash->bytes), load64(hash->bytes + 8), 3) % CODE_CHAINS];
}

static Code *code_of_hash(const Hash *hash) {
    Code **chain = code_chain(hash);
    for (Code *code = *chain; code; code = code->next)
        if (same_hash(&code->hash, hash)) return code;
    if (code_count == CODES) {
        region_full = 1;
        return &codes[0];
    }
    Code *code = &codes[code_count++];
    *code = (Code){.hash = *hash, .next = *chain};
    *chain = code;
    return code;
}

// Mark each JUMPDEST that is not the operand of a PUSH (Yellow Paper, section 9.4.3).
static void find_jump_destinations(const u8 *bytes, u32 size, u32 *destinations) {
    zero_bytes(destinations, (size + 31) / 32 * 4);
    for (u32 at = 0; at < size; at++) {
        u8 instruction = bytes[at];
        if (instruction == 0x5b)
            destinations[at >> 5] |= 1u << (at & 31);
        else if (instruction >= 0x60 && instruction <= 0x7f)
            at += instruction - 0x5fu;
    }
}

INLINE u32 code_footprint(u32 size) { return ((size + CODE_PADDING + 31) & ~31u) + (size + 31) / 32 * 4; }

// Lay code and its jump destinations at `at`, which has code_footprint(size) bytes.
static void lay_code(u8 *at, const u8 *bytes, u32 size, const u8 **laid, const u32 **destinations) {
    u32 *map = (u32 *)(at + ((size + CODE_PADDING + 31) & ~31u));
    move_bytes(at, bytes, size);
    zero_bytes(at + size, CODE_PADDING);
    find_jump_destinations(at, size, map);
    *laid = at;
    *destinations = map;
}

static void load_code(Code *code, const u8 *bytes, u32 size) {
    if (code->bytes) return;
    u32 footprint = (code_footprint(size) + 31) & ~31u;
    if (footprint > CODE_BYTES - code_region_used) {
        region_full = 1;
        footprint = code_region_used = 0;  // the transaction is given up; until then anything will do
    }
    lay_code(code_region + code_region_used, bytes, size, &code->bytes, &code->jump_destinations);
    code->size = size;
    code_region_used += footprint;
}

// Code that a creation or a delegation leaves behind.
static Code *make_code(const u8 *bytes, u32 size) {
    Hash hash = keccak(bytes, size);
    Code *code = code_of_hash(&hash);
    load_code(code, bytes, size);
    return code;
}

static const Hash EMPTY_CODE_HASH = {{0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c, 0x92, 0x7e, 0x7d,
                                      0xb2, 0xdc, 0xc7, 0x03, 0xc0, 0xe5, 0x00, 0xb6, 0x53, 0xca, 0x82,
                                      0x27, 0x3b, 0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70}};

// The account whose code a delegation names (EIP-7702), or NULL. The code must be in memory.
INLINE const Address *delegate_of(const Code *code) {
    if (!code || code->size != DELEGATION_BYTES) return NULL;
    if (code->bytes[0] != 0xef || code->bytes[1] != 0x01 || code->bytes[2] != 0x00) return NULL;
    return (const Address *)(code->bytes + 3);
}
