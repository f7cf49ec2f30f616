// The extensions of the field: Fp2 = Fp[i] / (i² + 1), Fp6 = Fp2[v] / (v³ - ξ), Fp12 = Fp6[w] / (w² - v)
// with ξ = 9 + i. Formulas: Devegili et al., "Multiplication and Squaring on Pairing-Friendly Fields";
// squaring in the cyclotomic subgroup: Granger and Scott, "Faster Squaring in the Cyclotomic Subgroup".
#pragma once

#include "field.h"

typedef struct { Fp c0, c1; } Fp2;
typedef struct { Fp2 c0, c1, c2; } Fp6;
typedef struct { Fp6 c0, c1; } Fp12;

// ---- Fp2

INLINE Fp2 fp2_zero(void) { return (Fp2){FP_ZERO, FP_ZERO}; }
INLINE Fp2 fp2_one(void) { return (Fp2){FP_ONE, FP_ZERO}; }
INLINE int fp2_is_zero(Fp2 a) { return fp_is_zero(a.c0) && fp_is_zero(a.c1); }
INLINE int fp2_equal(Fp2 a, Fp2 b) { return fp_equal(a.c0, b.c0) && fp_equal(a.c1, b.c1); }
INLINE Fp2 fp2_add(Fp2 a, Fp2 b) { return (Fp2){fp_add(a.c0, b.c0), fp_add(a.c1, b.c1)}; }
INLINE Fp2 fp2_sub(Fp2 a, Fp2 b) { return (Fp2){fp_sub(a.c0, b.c0), fp_sub(a.c1, b.c1)}; }
INLINE Fp2 fp2_double(Fp2 a) { return fp2_add(a, a); }
INLINE Fp2 fp2_triple(Fp2 a) { return fp2_add(fp2_double(a), a); }
INLINE Fp2 fp2_neg(Fp2 a) { return (Fp2){fp_neg(a.c0), fp_neg(a.c1)}; }
INLINE Fp2 fp2_conjugate(Fp2 a) { return (Fp2){a.c0, fp_neg(a.c1)}; }
INLINE Fp2 fp2_scale(Fp2 a, Fp k) { return (Fp2){fp_mul(a.c0, k), fp_mul(a.c1, k)}; }

static Fp2 fp2_mul(Fp2 a, Fp2 b) {
    Fp low = fp_mul(a.c0, b.c0), high = fp_mul(a.c1, b.c1);
    Fp both = fp_mul(fp_add(a.c0, a.c1), fp_add(b.c0, b.c1));
    return (Fp2){fp_sub(low, high), fp_sub(fp_sub(both, low), high)};
}

static Fp2 fp2_square(Fp2 a) {
    Fp product = fp_mul(a.c0, a.c1);
    return (Fp2){fp_mul(fp_add(a.c0, a.c1), fp_sub(a.c0, a.c1)), fp_add(product, product)};
}

static Fp2 fp2_inverse(Fp2 a) {
    Fp norm = fp_inverse(fp_add(fp_square(a.c0), fp_square(a.c1)));
    return (Fp2){fp_mul(a.c0, norm), fp_neg(fp_mul(a.c1, norm))};
}

// Times ξ = 9 + i.
static Fp2 fp2_mul_xi(Fp2 a) {
    Fp2 eight = fp2_double(fp2_double(fp2_double(a))), nine = fp2_add(eight, a);
    return (Fp2){fp_sub(nine.c0, a.c1), fp_add(nine.c1, a.c0)};
}

// ---- Fp6

INLINE Fp6 fp6_zero(void) { return (Fp6){fp2_zero(), fp2_zero(), fp2_zero()}; }
INLINE Fp6 fp6_one(void) { return (Fp6){fp2_one(), fp2_zero(), fp2_zero()}; }
INLINE Fp6 fp6_add(Fp6 a, Fp6 b) { return (Fp6){fp2_add(a.c0, b.c0), fp2_add(a.c1, b.c1), fp2_add(a.c2, b.c2)}; }
INLINE Fp6 fp6_sub(Fp6 a, Fp6 b) { return (Fp6){fp2_sub(a.c0, b.c0), fp2_sub(a.c1, b.c1), fp2_sub(a.c2, b.c2)}; }
INLINE Fp6 fp6_neg(Fp6 a) { return (Fp6){fp2_neg(a.c0), fp2_neg(a.c1), fp2_neg(a.c2)}; }
INLINE Fp6 fp6_scale(Fp6 a, Fp2 k) { return (Fp6){fp2_mul(a.c0, k), fp2_mul(a.c1, k), fp2_mul(a.c2, k)}; }
INLINE Fp6 fp6_mul_v(Fp6 a) { return (Fp6){fp2_mul_xi(a.c2), a.c0, a.c1}; }

static Fp6 fp6_mul(Fp6 a, Fp6 b) {
    Fp2 t0 = fp2_mul(a.c0, b.c0), t1 = fp2_mul(a.c1, b.c1), t2 = fp2_mul(a.c2, b.c2);
    Fp2 x = fp2_sub(fp2_sub(fp2_mul(fp2_add(a.c1, a.c2), fp2_add(b.c1, b.c2)), t1), t2);
    Fp2 y = fp2_sub(fp2_sub(fp2_mul(fp2_add(a.c0, a.c1), fp2_add(b.c0, b.c1)), t0), t1);
    Fp2 z = fp2_sub(fp2_sub(fp2_mul(fp2_add(a.c0, a.c2), fp2_add(b.c0, b.c2)), t0), t2);
    return (Fp6){fp2_add(t0, fp2_mul_xi(x)), fp2_add(y, fp2_mul_xi(t2)), fp2_add(z, t1)};
}

// Times b0 + b1·v.
static Fp6 fp6_mul_sparse(Fp6 a, Fp2 b0, Fp2 b1) {
    Fp2 t0 = fp2_mul(a.c0, b0), t1 = fp2_mul(a.c1, b1);
    Fp2 x = fp2_sub(fp2_mul(fp2_add(a.c1, a.c2), b1), t1);
    Fp2 y = fp2_sub(fp2_sub(fp2_mul(fp2_add(a.c0, a.c1), fp2_add(b0, b1)), t0), t1);
    Fp2 z = fp2_sub(fp2_mul(fp2_add(a.c0, a.c2), b0), t0);
    return (Fp6){fp2_add(t0, fp2_mul_xi(x)), y, fp2_add(z, t1)};
}

static Fp6 fp6_inverse(Fp6 a) {
    Fp2 x = fp2_sub(fp2_square(a.c0), fp2_mul_xi(fp2_mul(a.c1, a.c2)));
    Fp2 y = fp2_sub(fp2_mul_xi(fp2_square(a.c2)), fp2_mul(a.c0, a.c1));
    Fp2 z = fp2_sub(fp2_square(a.c1), fp2_mul(a.c0, a.c2));
    Fp2 cross = fp2_mul_xi(fp2_add(fp2_mul(a.c1, z), fp2_mul(a.c2, y)));
    Fp2 norm = fp2_inverse(fp2_add(fp2_mul(a.c0, x), cross));
    return fp6_scale((Fp6){x, y, z}, norm);
}

// ---- Fp12

INLINE Fp12 fp12_one(void) { return (Fp12){fp6_one(), fp6_zero()}; }
INLINE Fp12 fp12_conjugate(Fp12 a) { return (Fp12){a.c0, fp6_neg(a.c1)}; }

static int fp12_is_one(const Fp12 *a) {
    return fp2_equal(a->c0.c0, fp2_one()) && fp2_is_zero(a->c0.c1) && fp2_is_zero(a->c0.c2) &&
           fp2_is_zero(a->c1.c0) && fp2_is_zero(a->c1.c1) && fp2_is_zero(a->c1.c2);
}

static Fp12 fp12_mul(Fp12 a, Fp12 b) {
    Fp6 low = fp6_mul(a.c0, b.c0), high = fp6_mul(a.c1, b.c1);
    Fp6 both = fp6_mul(fp6_add(a.c0, a.c1), fp6_add(b.c0, b.c1));
    return (Fp12){fp6_add(low, fp6_mul_v(high)), fp6_sub(fp6_sub(both, low), high)};
}

static Fp12 fp12_square(Fp12 a) {
    Fp6 product = fp6_mul(a.c0, a.c1);
    Fp6 whole = fp6_mul(fp6_add(a.c0, a.c1), fp6_add(a.c0, fp6_mul_v(a.c1)));
    return (Fp12){fp6_sub(fp6_sub(whole, product), fp6_mul_v(product)), fp6_add(product, product)};
}

static Fp12 fp12_inverse(Fp12 a) {
    Fp6 norm = fp6_inverse(fp6_sub(fp6_mul(a.c0, a.c0), fp6_mul_v(fp6_mul(a.c1, a.c1))));
    return (Fp12){fp6_mul(a.c0, norm), fp6_neg(fp6_mul(a.c1, norm))};
}

// Times l0 + (l1 + l2·v)·w: what a line of the Miller loop looks like.
static Fp12 fp12_mul_line(Fp12 a, Fp2 l0, Fp2 l1, Fp2 l2) {
    Fp6 low = fp6_scale(a.c0, l0), high = fp6_mul_sparse(a.c1, l1, l2);
    Fp6 both = fp6_mul_sparse(fp6_add(a.c0, a.c1), fp2_add(l0, l1), l2);
    return (Fp12){fp6_add(low, fp6_mul_v(high)), fp6_sub(fp6_sub(both, low), high)};
}

// The square of x + y·s with s² = ξ, as it appears three times in a cyclotomic square.
INLINE void fp4_square(Fp2 x, Fp2 y, Fp2 *r0, Fp2 *r1) {
    Fp2 product = fp2_mul(x, y);
    Fp2 whole = fp2_mul(fp2_add(x, y), fp2_add(x, fp2_mul_xi(y)));
    *r0 = fp2_sub(fp2_sub(whole, product), fp2_mul_xi(product));
    *r1 = fp2_double(product);
}

// The square of an element whose norm over Fp6 is one and that has passed the easy final exponent.
static Fp12 fp12_cyclotomic_square(Fp12 a) {
    Fp2 t0, t1, t2, t3, t4, t5;
    fp4_square(a.c0.c0, a.c1.c1, &t0, &t1);
    fp4_square(a.c1.c0, a.c0.c2, &t2, &t3);
    fp4_square(a.c0.c1, a.c1.c2, &t4, &t5);
    t5 = fp2_mul_xi(t5);
    Fp12 r;
    r.c0.c0 = fp2_sub(fp2_triple(t0), fp2_double(a.c0.c0));
    r.c1.c1 = fp2_add(fp2_triple(t1), fp2_double(a.c1.c1));
    r.c1.c0 = fp2_add(fp2_triple(t5), fp2_double(a.c1.c0));
    r.c0.c2 = fp2_sub(fp2_triple(t4), fp2_double(a.c0.c2));
    r.c0.c1 = fp2_sub(fp2_triple(t2), fp2_double(a.c0.c1));
    r.c1.c2 = fp2_add(fp2_triple(t3), fp2_double(a.c1.c2));
    return r;
}
