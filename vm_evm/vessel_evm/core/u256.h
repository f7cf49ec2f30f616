// 256-bit words: four limbs of 64 bits, least significant first. Yellow Paper, section 9.1.
#pragma once
#include "types.h"

typedef struct {
    u64 limb[4];
} U256;

#define U256_ZERO ((U256){{0, 0, 0, 0}})
#define U256_MAX ((U256){{~0ull, ~0ull, ~0ull, ~0ull}})

INLINE U256 u256(u64 value) { return (U256){{value, 0, 0, 0}}; }
INLINE int is_zero(const U256 *a) { return (a->limb[0] | a->limb[1] | a->limb[2] | a->limb[3]) == 0; }
INLINE int fits_u64(const U256 *a) { return (a->limb[1] | a->limb[2] | a->limb[3]) == 0; }
INLINE u64 saturate_u64(const U256 *a) { return fits_u64(a) ? a->limb[0] : ~0ull; }
INLINE int is_negative(const U256 *a) { return (i64)a->limb[3] < 0; }

INLINE int equal(const U256 *a, const U256 *b) {
    return ((a->limb[0] ^ b->limb[0]) | (a->limb[1] ^ b->limb[1]) | (a->limb[2] ^ b->limb[2]) |
            (a->limb[3] ^ b->limb[3])) == 0;
}

INLINE U256 add(const U256 *a, const U256 *b) {
    U256 sum;
    u128 t = (u128)a->limb[0] + b->limb[0];
    sum.limb[0] = (u64)t;
    t = (u128)a->limb[1] + b->limb[1] + (u64)(t >> 64);
    sum.limb[1] = (u64)t;
    t = (u128)a->limb[2] + b->limb[2] + (u64)(t >> 64);
    sum.limb[2] = (u64)t;
    sum.limb[3] = a->limb[3] + b->limb[3] + (u64)(t >> 64);
    return sum;
}

INLINE U256 subtract(const U256 *a, const U256 *b) {
    U256 difference;
    u128 t = (u128)a->limb[0] - b->limb[0];
    difference.limb[0] = (u64)t;
    t = (u128)a->limb[1] - b->limb[1] - ((u64)(t >> 64) & 1);
    difference.limb[1] = (u64)t;
    t = (u128)a->limb[2] - b->limb[2] - ((u64)(t >> 64) & 1);
    difference.limb[2] = (u64)t;
    difference.limb[3] = a->limb[3] - b->limb[3] - ((u64)(t >> 64) & 1);
    return difference;
}

INLINE int less(const U256 *a, const U256 *b) {
    u128 t = (u128)a->limb[0] - b->limb[0];
    t = (u128)a->limb[1] - b->limb[1] - ((u64)(t >> 64) & 1);
    t = (u128)a->limb[2] - b->limb[2] - ((u64)(t >> 64) & 1);
    t = (u128)a->limb[3] - b->limb[3] - ((u64)(t >> 64) & 1);
    return (int)((u64)(t >> 64) & 1);
}

INLINE int less_signed(const U256 *a, const U256 *b) {
    int negative = is_negative(a);
    return negative != is_negative(b) ? negative : less(a, b);
}

INLINE U256 negate(const U256 *a) {
    U256 zero = U256_ZERO;
    return subtract(&zero, a);
}

INLINE U256 complement(const U256 *a) {
    return (U256){{~a->limb[0], ~a->limb[1], ~a->limb[2], ~a->limb[3]}};
}

INLINE U256 multiply(const U256 *a, const U256 *b) {
    const u64 *x = a->limb, *y = b->limb;
    U256 product;
    u128 t = (u128)x[0] * y[0];
    product.limb[0] = (u64)t;
    // Column 1: x0*y1 + x1*y0 + carry needs more than 128 bits, so it is added in two steps.
    u128 p01 = (u128)x[0] * y[1] + (u64)(t >> 64);
    u128 p10 = (u128)x[1] * y[0] + (u64)p01;
    product.limb[1] = (u64)p10;
    u128 carry = (u128)(u64)(p01 >> 64) + (u64)(p10 >> 64);
    u128 p02 = (u128)x[0] * y[2] + (u64)carry;
    u128 p11 = (u128)x[1] * y[1] + (u64)p02;
    u128 p20 = (u128)x[2] * y[0] + (u64)p11;
    product.limb[2] = (u64)p20;
    product.limb[3] = x[0] * y[3] + x[1] * y[2] + x[2] * y[1] + x[3] * y[0] + (u64)(carry >> 64) +
                      (u64)(p02 >> 64) + (u64)(p11 >> 64) + (u64)(p20 >> 64);
    return product;
}

INLINE u32 bit_length(const U256 *a) {
    for (int i = 3; i >= 0; i--)
        if (a->limb[i]) return 64u * (u32)i + 64u - (u32)__builtin_clzll(a->limb[i]);
    return 0;
}

INLINE U256 shift_left(const U256 *a, u32 bits) {  // bits < 256
    U256 shifted = U256_ZERO;
    u32 limbs = bits >> 6, rest = bits & 63;
    for (u32 i = limbs; i < 4; i++) {
        u64 value = a->limb[i - limbs] << rest;
        if (rest && i > limbs) value |= a->limb[i - limbs - 1] >> (64 - rest);
        shifted.limb[i] = value;
    }
    return shifted;
}

INLINE U256 shift_right(const U256 *a, u32 bits) {  // bits < 256
    U256 shifted = U256_ZERO;
    u32 limbs = bits >> 6, rest = bits & 63;
    for (u32 i = 0; i + limbs < 4; i++) {
        u64 value = a->limb[i + limbs] >> rest;
        if (rest && i + limbs < 3) value |= a->limb[i + limbs + 1] << (64 - rest);
        shifted.limb[i] = value;
    }
    return shifted;
}

INLINE U256 load_word(const u8 *bytes) {  // 32 bytes, most significant first
    return (U256){{__builtin_bswap64(load64(bytes + 24)), __builtin_bswap64(load64(bytes + 16)),
                   __builtin_bswap64(load64(bytes + 8)), __builtin_bswap64(load64(bytes))}};
}

INLINE void store_word(u8 *bytes, const U256 *a) {
    for (int i = 0; i < 4; i++) {
        u64 value = __builtin_bswap64(a->limb[3 - i]);
        copy_bytes(bytes + 8 * i, &value, 8);
    }
}

INLINE U256 load_little_endian(const u8 *bytes) {
    U256 value;
    copy_bytes(&value, bytes, 32);
    return value;
}

// At most 32 bytes, most significant first.
static U256 load_short(const u8 *bytes, u32 size) {
    u8 padded[32] = {0};
    for (u32 i = 0; i < size; i++) padded[32 - size + i] = bytes[i];
    return load_word(padded);
}

// The shortest form, most significant byte first; returns its size, 0 for zero.
static u32 store_short(u8 *bytes, const U256 *a) {
    u8 padded[32];
    store_word(padded, a);
    u32 size = (bit_length(a) + 7) / 8;
    for (u32 i = 0; i < size; i++) bytes[i] = padded[32 - size + i];
    return size;
}

INLINE U256 word_of_address(const Address *address) {
    const u8 *bytes = address->bytes;
    return (U256){{__builtin_bswap64(load64(bytes + 12)), __builtin_bswap64(load64(bytes + 4)),
                   (u64)__builtin_bswap32(load32(bytes)), 0}};
}

INLINE Address address_of_word(const U256 *word) {
    Address address;
    u32 top = __builtin_bswap32((u32)word->limb[2]);
    u64 middle = __builtin_bswap64(word->limb[1]), low = __builtin_bswap64(word->limb[0]);
    copy_bytes(address.bytes, &top, 4);
    copy_bytes(address.bytes + 4, &middle, 8);
    copy_bytes(address.bytes + 12, &low, 8);
    return address;
}

INLINE U256 word_of_hash(const Hash *hash) { return load_word(hash->bytes); }
