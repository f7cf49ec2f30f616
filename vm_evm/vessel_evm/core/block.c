// What contracts can learn of the block and of the transaction they run in, as words ready to push.
#pragma once
#include "limits.h"
#include "u256.h"

#define RECENT_IDS 256
#define BLOB_HASHES 64

static struct {
    U256 coinbase, timestamp, number, randomness, gas_limit, chain_id, base_fee, blob_base_fee;
    Address coinbase_address;
    u32 recent_count;
    U256 recent_ids[RECENT_IDS];  // from the parent backwards
} block;

static struct {
    U256 origin, gas_price;
    u32 blob_count;
    const u8 *blob_hashes;
} environment;

// BLOCKHASH: the last 256 blocks that there are, zero beyond.
static U256 recent_id(const U256 *number) {
    if (!fits_u64(number) || number->limb[0] >= block.number.limb[0]) return U256_ZERO;
    u64 back = block.number.limb[0] - 1 - number->limb[0];
    return back < block.recent_count ? block.recent_ids[back] : U256_ZERO;
}

static U256 blob_hash(const U256 *index) {
    if (!fits_u64(index) || index->limb[0] >= environment.blob_count) return U256_ZERO;
    return load_word(environment.blob_hashes + 32 * index->limb[0]);
}
