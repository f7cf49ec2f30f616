// Keccak-256 with the padding of the original submission (Yellow Paper, appendix B), and a memo of
// recent short inputs: mappings hash the same few words again and again. Gas is charged all the same.
#pragma once
#include "types.h"

#define RATE_BYTES 136
#define MEMO_ENTRIES 8192  // direct-mapped
#define MEMO_INPUT_BYTES 64

static const u64 ROUND_CONSTANTS[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

INLINE u64 rotate(u64 lane, int bits) { return bits ? (lane << bits) | (lane >> (64 - bits)) : lane; }

// One row of the next state: five lanes of the old one without their columns' parity, rotated (theta, rho,
// pi), and mixed (chi).
#define ROW(to, from, out, a, ra, b, rb, c, rc, d, rd, e, re)                                     \
    {                                                                                             \
        u64 l0 = rotate(from[a] ^ parity[(a) % 5], ra), l1 = rotate(from[b] ^ parity[(b) % 5], rb), \
            l2 = rotate(from[c] ^ parity[(c) % 5], rc), l3 = rotate(from[d] ^ parity[(d) % 5], rd), \
            l4 = rotate(from[e] ^ parity[(e) % 5], re);                                           \
        to[out] = l0 ^ (~l1 & l2);                                                                \
        to[out + 1] = l1 ^ (~l2 & l3);                                                            \
        to[out + 2] = l2 ^ (~l3 & l4);                                                            \
        to[out + 3] = l3 ^ (~l4 & l0);                                                            \
        to[out + 4] = l4 ^ (~l0 & l1);                                                            \
    }

#define ROUND(to, from, constant)                                                                 \
    {                                                                                             \
        u64 c0 = from[0] ^ from[5] ^ from[10] ^ from[15] ^ from[20];                              \
        u64 c1 = from[1] ^ from[6] ^ from[11] ^ from[16] ^ from[21];                              \
        u64 c2 = from[2] ^ from[7] ^ from[12] ^ from[17] ^ from[22];                              \
        u64 c3 = from[3] ^ from[8] ^ from[13] ^ from[18] ^ from[23];                              \
        u64 c4 = from[4] ^ from[9] ^ from[14] ^ from[19] ^ from[24];                              \
        u64 parity[5] = {c4 ^ rotate(c1, 1), c0 ^ rotate(c2, 1), c1 ^ rotate(c3, 1),              \
                         c2 ^ rotate(c4, 1), c3 ^ rotate(c0, 1)};                                 \
        ROW(to, from, 0, 0, 0, 6, 44, 12, 43, 18, 21, 24, 14)                                     \
        ROW(to, from, 5, 3, 28, 9, 20, 10, 3, 16, 45, 22, 61)                                     \
        ROW(to, from, 10, 1, 1, 7, 6, 13, 25, 19, 8, 20, 18)                                      \
        ROW(to, from, 15, 4, 27, 5, 36, 11, 10, 17, 15, 23, 56)                                   \
        ROW(to, from, 20, 2, 62, 8, 55, 14, 39, 15, 41, 21, 2)                                    \
        to[0] ^= constant;                                                                        \
    }

NOINLINE void permute(u64 state[25]) {
    u64 s[25], t[25];
    for (int i = 0; i < 25; i++) s[i] = state[i];
    for (int round = 0; round < 24; round += 2) {
        ROUND(t, s, ROUND_CONSTANTS[round])
        ROUND(s, t, ROUND_CONSTANTS[round + 1])
    }
    for (int i = 0; i < 25; i++) state[i] = s[i];
}

static Hash keccak_plain(const u8 *input, u32 size) {
    u64 state[25] = {0};
    while (size >= RATE_BYTES) {
        for (int i = 0; i < RATE_BYTES / 8; i++) state[i] ^= load64(input + 8 * i);
        permute(state);
        input += RATE_BYTES;
        size -= RATE_BYTES;
    }
    u8 last[RATE_BYTES] = {0};
    copy_bytes(last, input, size);
    last[size] = 0x01;
    last[RATE_BYTES - 1] |= 0x80;
    for (int i = 0; i < RATE_BYTES / 8; i++) state[i] ^= load64(last + 8 * i);
    permute(state);
    Hash digest;
    copy_bytes(digest.bytes, state, 32);
    return digest;
}

typedef struct {
    u64 input[MEMO_INPUT_BYTES / 8];
    Hash digest;
    u32 size;  // 0: empty
} Memo;

static Memo memos[MEMO_ENTRIES];

NOINLINE Hash keccak(const u8 *input, u32 size) {
    if (size != 32 && size != 64) return keccak_plain(input, size);
    u64 words[MEMO_INPUT_BYTES / 8] = {0}, mix = size;
    for (u32 i = 0; i < size / 8; i++) {
        words[i] = load64(input + 8 * i);
        mix = (mix ^ words[i]) * 0x9e3779b97f4a7c15;
        mix ^= mix >> 29;
    }
    Memo *memo = &memos[(mix >> 32) % MEMO_ENTRIES];
    int same = memo->size == size;
    for (int i = 0; i < MEMO_INPUT_BYTES / 8; i++) same &= memo->input[i] == words[i];
    if (same) return memo->digest;
    memo->size = size;
    for (int i = 0; i < MEMO_INPUT_BYTES / 8; i++) memo->input[i] = words[i];
    memo->digest = keccak_plain(input, size);
    return memo->digest;
}
