// The prime field of alt_bn128 (EIP-196): four limbs of 64 bits, least significant first, in Montgomery
// form (times 2^256), always reduced.
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned __int128 u128;

#define INLINE static inline __attribute__((always_inline))

typedef struct { u64 limb[4]; } Fp;

static const Fp FP_MODULUS = {{0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029}};
static const Fp FP_ZERO = {{0, 0, 0, 0}};
static const Fp FP_ONE = {{0xd35d438dc58f0d9d, 0x0a78eb28f5c70b3d, 0x666ea36f7879462c, 0x0e0a77c19a07df2f}};
static const Fp FP_SQUARED_RADIX = {{0xf32cfc5b538afa89, 0xb5e71911d44501fb, 0x47ab1eff0a417ff6, 0x06d89f71cab8351f}};
#define FP_NEGATED_INVERSE 0x87d20782e4866389ull  // -1 / modulus, to 2^64

INLINE int fp_is_zero(Fp a) { return !(a.limb[0] | a.limb[1] | a.limb[2] | a.limb[3]); }

INLINE int fp_equal(Fp a, Fp b) {
    return !((a.limb[0] ^ b.limb[0]) | (a.limb[1] ^ b.limb[1]) | (a.limb[2] ^ b.limb[2]) | (a.limb[3] ^ b.limb[3]));
}

// a - b as plain integers; the borrow is returned beside it.
INLINE Fp limbs_sub(Fp a, Fp b, u64 *borrow) {
    Fp r;
    u64 carry = 0;
    for (int i = 0; i < 4; i++) {
        u128 d = (u128)a.limb[i] - b.limb[i] - carry;
        r.limb[i] = (u64)d;
        carry = (u64)(d >> 64) & 1;
    }
    *borrow = carry;
    return r;
}

INLINE Fp limbs_add(Fp a, Fp b) {
    Fp r;
    u128 carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += (u128)a.limb[i] + b.limb[i];
        r.limb[i] = (u64)carry;
        carry >>= 64;
    }
    return r;
}

// Take the modulus off once where that is possible.
INLINE Fp fp_reduce(Fp a) {
    u64 borrow;
    Fp r = limbs_sub(a, FP_MODULUS, &borrow);
    u64 keep = -borrow;
    for (int i = 0; i < 4; i++) r.limb[i] = (a.limb[i] & keep) | (r.limb[i] & ~keep);
    return r;
}

INLINE Fp fp_add(Fp a, Fp b) { return fp_reduce(limbs_add(a, b)); }

INLINE Fp fp_sub(Fp a, Fp b) {
    u64 borrow;
    Fp r = limbs_sub(a, b, &borrow), back = FP_MODULUS;
    for (int i = 0; i < 4; i++) back.limb[i] &= -borrow;
    return limbs_add(r, back);
}

INLINE Fp fp_neg(Fp a) { return fp_sub(FP_ZERO, a); }

// Montgomery multiplication, word by word. The modulus leaves two bits free, so no carry leaves the top.
static Fp fp_mul(Fp a, Fp b) {
    u64 t0 = 0, t1 = 0, t2 = 0, t3 = 0;
    for (int i = 0; i < 4; i++) {
        u64 x = a.limb[i];
        u128 s = (u128)x * b.limb[0] + t0;
        u64 m = (u64)s * FP_NEGATED_INVERSE;
        u128 q = (u128)m * FP_MODULUS.limb[0] + (u64)s;
        s = (u128)x * b.limb[1] + t1 + (u64)(s >> 64);
        q = (u128)m * FP_MODULUS.limb[1] + (u64)s + (u64)(q >> 64);
        t0 = (u64)q;
        s = (u128)x * b.limb[2] + t2 + (u64)(s >> 64);
        q = (u128)m * FP_MODULUS.limb[2] + (u64)s + (u64)(q >> 64);
        t1 = (u64)q;
        s = (u128)x * b.limb[3] + t3 + (u64)(s >> 64);
        q = (u128)m * FP_MODULUS.limb[3] + (u64)s + (u64)(q >> 64);
        t2 = (u64)q;
        t3 = (u64)(s >> 64) + (u64)(q >> 64);
    }
    Fp r = {{t0, t1, t2, t3}};
    return fp_reduce(r);
}

INLINE Fp fp_square(Fp a) { return fp_mul(a, a); }

// a to the power of the modulus minus two, which is 1 / a; 0 for 0.
static Fp fp_inverse(Fp a) {
    Fp r = FP_ONE;
    for (int bit = 253; bit >= 0; bit--) {
        u64 limb = FP_MODULUS.limb[bit >> 6] - (bit < 64 ? 2 : 0);
        r = fp_square(r);
        if (limb >> (bit & 63) & 1) r = fp_mul(r, a);
    }
    return r;
}

INLINE u64 load_word(const u8 *from) {
    u64 word;
    __builtin_memcpy(&word, from, 8);
    return __builtin_bswap64(word);
}

// Read 32 bytes, big-endian; 0 where they are no element, because not below the modulus.
static int fp_read(Fp *r, const u8 *from) {
    Fp plain;
    u64 borrow;
    for (int i = 0; i < 4; i++) plain.limb[i] = load_word(from + 24 - 8 * i);
    limbs_sub(plain, FP_MODULUS, &borrow);
    *r = fp_mul(plain, FP_SQUARED_RADIX);
    return (int)borrow;
}

static void fp_write(u8 *to, Fp a) {
    Fp one = {{1, 0, 0, 0}}, plain = fp_mul(a, one);
    for (int i = 0; i < 4; i++) {
        u64 word = __builtin_bswap64(plain.limb[i]);
        __builtin_memcpy(to + 24 - 8 * i, &word, 8);
    }
}
