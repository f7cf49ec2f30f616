// Multiplication of points and the pairing check on alt_bn128 (EIP-196, EIP-197).
//
// Curve y² = x³ + 3 over Fp; its twist y² = x³ + 3/ξ over Fp2. The pairing is the optimal ate pairing;
// line functions in projective coordinates after Aranha et al., "Faster Explicit Formulas for Computing
// Pairings over Ordinary Curves"; final exponent after Fuentes-Castañeda et al., "Faster Hashing to G2".

#include "tower.h"

#define EXPORT(name) __attribute__((export_name(#name)))

#define PAIR_BYTES 192
#define BATCH_PAIRS 64  // whose Miller loops share their squarings

#define CURVE_PARAMETER 0x44e992b44a6909f1ull

typedef struct { Fp x, y; } G1;       // affine; (0, 0) is infinity
typedef struct { Fp2 x, y; } G2;      // affine; (0, 0) is infinity
typedef struct { Fp x, y, z; } Jacobian1;
typedef struct { Fp2 x, y, z; } Jacobian2;
typedef struct { Fp2 l0, l1, l2; } Line;

static const u64 ORDER[4] = {0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029};
static const u64 SIXTH_OF_MODULUS[4] = {0x34b017592414d4e1, 0xee9591c2e6bda1c2, 0xf40d60f3c0403964, 0x0810b7bdd032f006};

// Six times the curve's parameter plus two in signed digits, from the second highest downwards.
static const signed char ATE_LOOP[65] = {
    0, -1, 0, 1, 0, 0, 0, -1, 0, -1, 0, 0, 0, -1, 0, 1, 0, -1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 1, 0,
    0, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0, -1, 0, -1, 0, 0, 1, 0, 0, 0, -1, 0, 0, -1, 0, 1, 0, 1, 0, 0, 0,
};

static u8 exchange[BATCH_PAIRS * PAIR_BYTES];
static Fp12 product;       // of the Miller loops so far
static Fp2 frobenius[6];   // ξ^((p - 1) / 6) to the powers 0 to 5
static Fp2 twist_b;        // 3 / ξ
static Fp half;

// Where the host lays the input and finds the output.
EXPORT(exchange) u8 *exchange_address(void) { return exchange; }

static void prepare(void) {
    if (!fp_is_zero(half)) return;
    Fp three = fp_add(fp_add(FP_ONE, FP_ONE), FP_ONE);
    Fp2 xi = fp2_mul_xi(fp2_one()), gamma = fp2_one();
    for (int bit = 251; bit >= 0; bit--) {
        gamma = fp2_square(gamma);
        if (SIXTH_OF_MODULUS[bit >> 6] >> (bit & 63) & 1) gamma = fp2_mul(gamma, xi);
    }
    frobenius[0] = fp2_one();
    for (int i = 1; i < 6; i++) frobenius[i] = fp2_mul(frobenius[i - 1], gamma);
    twist_b = fp2_scale(fp2_inverse(xi), three);
    half = fp_inverse(fp_add(FP_ONE, FP_ONE));
}

// ---- points of the curve

static int g1_read(G1 *p, const u8 *from) {
    if (!fp_read(&p->x, from) || !fp_read(&p->y, from + 32)) return 0;
    if (fp_is_zero(p->x) && fp_is_zero(p->y)) return 1;
    Fp three = fp_add(fp_add(FP_ONE, FP_ONE), FP_ONE);
    return fp_equal(fp_square(p->y), fp_add(fp_mul(fp_square(p->x), p->x), three));
}

static Jacobian1 jacobian1_double(Jacobian1 p) {
    Fp a = fp_square(p.x), b = fp_square(p.y), c = fp_square(b);
    Fp d = fp_sub(fp_sub(fp_square(fp_add(p.x, b)), a), c);
    d = fp_add(d, d);
    Fp e = fp_add(fp_add(a, a), a), yz = fp_mul(p.y, p.z);
    Fp c2 = fp_add(c, c), c4 = fp_add(c2, c2);
    Jacobian1 r;
    r.x = fp_sub(fp_square(e), fp_add(d, d));
    r.y = fp_sub(fp_mul(e, fp_sub(d, r.x)), fp_add(c4, c4));
    r.z = fp_add(yz, yz);
    return r;
}

// q is affine and not infinity.
static Jacobian1 jacobian1_add(Jacobian1 p, G1 q) {
    if (fp_is_zero(p.z)) return (Jacobian1){q.x, q.y, FP_ONE};
    Fp zz = fp_square(p.z);
    Fp h = fp_sub(fp_mul(q.x, zz), p.x), r = fp_sub(fp_mul(fp_mul(q.y, p.z), zz), p.y);
    if (fp_is_zero(h)) return fp_is_zero(r) ? jacobian1_double(p) : (Jacobian1){FP_ONE, FP_ONE, FP_ZERO};
    Fp hh = fp_square(h), hhh = fp_mul(hh, h), v = fp_mul(p.x, hh);
    Jacobian1 sum;
    sum.x = fp_sub(fp_sub(fp_square(r), hhh), fp_add(v, v));
    sum.y = fp_sub(fp_mul(r, fp_sub(v, sum.x)), fp_mul(p.y, hhh));
    sum.z = fp_mul(p.z, h);
    return sum;
}

// exchange: point (64) ‖ scalar (32) -> point (64). 0 where the point is none.
EXPORT(alt_bn128_multiply) int alt_bn128_multiply(void) {
    G1 p;
    if (!g1_read(&p, exchange)) return 0;
    Jacobian1 r = {FP_ONE, FP_ONE, FP_ZERO};
    if (!fp_is_zero(p.x) || !fp_is_zero(p.y))
        for (int bit = 0; bit < 256; bit++) {
            if (!fp_is_zero(r.z)) r = jacobian1_double(r);
            if (exchange[64 + bit / 8] >> (7 - bit % 8) & 1) r = jacobian1_add(r, p);
        }
    Fp inverse = fp_inverse(r.z), square = fp_square(inverse);  // infinity: all become zero
    fp_write(exchange, fp_mul(r.x, square));
    fp_write(exchange + 32, fp_mul(r.y, fp_mul(square, inverse)));
    return 1;
}

// ---- points of the twist

static Jacobian2 jacobian2_double(Jacobian2 p) {
    Fp2 a = fp2_square(p.x), b = fp2_square(p.y), c = fp2_square(b);
    Fp2 d = fp2_double(fp2_sub(fp2_sub(fp2_square(fp2_add(p.x, b)), a), c));
    Fp2 e = fp2_triple(a), yz = fp2_mul(p.y, p.z);
    Jacobian2 r;
    r.x = fp2_sub(fp2_square(e), fp2_double(d));
    r.y = fp2_sub(fp2_mul(e, fp2_sub(d, r.x)), fp2_double(fp2_double(fp2_double(c))));
    r.z = fp2_double(yz);
    return r;
}

static Jacobian2 jacobian2_add(Jacobian2 p, G2 q) {
    if (fp2_is_zero(p.z)) return (Jacobian2){q.x, q.y, fp2_one()};
    Fp2 zz = fp2_square(p.z);
    Fp2 h = fp2_sub(fp2_mul(q.x, zz), p.x), r = fp2_sub(fp2_mul(fp2_mul(q.y, p.z), zz), p.y);
    if (fp2_is_zero(h)) return fp2_is_zero(r) ? jacobian2_double(p) : (Jacobian2){fp2_one(), fp2_one(), fp2_zero()};
    Fp2 hh = fp2_square(h), hhh = fp2_mul(hh, h), v = fp2_mul(p.x, hh);
    Jacobian2 sum;
    sum.x = fp2_sub(fp2_sub(fp2_square(r), hhh), fp2_double(v));
    sum.y = fp2_sub(fp2_mul(r, fp2_sub(v, sum.x)), fp2_mul(p.y, hhh));
    sum.z = fp2_mul(p.z, h);
    return sum;
}

// The imaginary part of a coordinate comes first. A point must also be of the subgroup.
static int g2_read(G2 *q, const u8 *from) {
    if (!fp_read(&q->x.c1, from) || !fp_read(&q->x.c0, from + 32)) return 0;
    if (!fp_read(&q->y.c1, from + 64) || !fp_read(&q->y.c0, from + 96)) return 0;
    if (fp2_is_zero(q->x) && fp2_is_zero(q->y)) return 1;
    if (!fp2_equal(fp2_square(q->y), fp2_add(fp2_mul(fp2_square(q->x), q->x), twist_b))) return 0;
    Jacobian2 r = {fp2_one(), fp2_one(), fp2_zero()};
    for (int bit = 253; bit >= 0; bit--) {
        r = jacobian2_double(r);
        if (ORDER[bit >> 6] >> (bit & 63) & 1) r = jacobian2_add(r, *q);
    }
    return fp2_is_zero(r.z);
}

// ---- the pairing

static Line line_double(Jacobian2 *r) {  // here projective, not Jacobian
    Fp2 a = fp2_scale(fp2_mul(r->x, r->y), half), b = fp2_square(r->y), c = fp2_square(r->z);
    Fp2 e = fp2_mul(twist_b, fp2_triple(c)), f = fp2_triple(e), g = fp2_scale(fp2_add(b, f), half);
    Fp2 h = fp2_sub(fp2_square(fp2_add(r->y, r->z)), fp2_add(b, c)), j = fp2_square(r->x);
    Line line = {fp2_neg(h), fp2_triple(j), fp2_sub(e, b)};
    r->x = fp2_mul(a, fp2_sub(b, f));
    r->y = fp2_sub(fp2_square(g), fp2_triple(fp2_square(e)));
    r->z = fp2_mul(b, h);
    return line;
}

static Line line_add(Jacobian2 *r, G2 q) {
    Fp2 theta = fp2_sub(r->y, fp2_mul(q.y, r->z)), lambda = fp2_sub(r->x, fp2_mul(q.x, r->z));
    Fp2 c = fp2_square(theta), d = fp2_square(lambda), e = fp2_mul(lambda, d);
    Fp2 f = fp2_mul(r->z, c), g = fp2_mul(r->x, d), h = fp2_sub(fp2_add(e, f), fp2_double(g));
    Line line = {lambda, fp2_neg(theta), fp2_sub(fp2_mul(theta, q.x), fp2_mul(lambda, q.y))};
    r->x = fp2_mul(lambda, h);
    r->y = fp2_sub(fp2_mul(theta, fp2_sub(g, h)), fp2_mul(e, r->y));
    r->z = fp2_mul(r->z, e);
    return line;
}

static Fp12 line_evaluate(Fp12 f, Line line, G1 p) {
    return fp12_mul_line(f, fp2_scale(line.l0, p.y), fp2_scale(line.l1, p.x), line.l2);
}

static G2 g2_frobenius(G2 q) {
    return (G2){fp2_mul(fp2_conjugate(q.x), frobenius[2]), fp2_mul(fp2_conjugate(q.y), frobenius[3])};
}

static Fp12 miller_loop(const G1 *ps, const G2 *qs, int count) {
    static Jacobian2 rs[BATCH_PAIRS];
    Fp12 f = fp12_one();
    for (int i = 0; i < count; i++) rs[i] = (Jacobian2){qs[i].x, qs[i].y, fp2_one()};
    for (int step = 0; step < 65; step++) {
        if (step) f = fp12_square(f);
        for (int i = 0; i < count; i++) {
            f = line_evaluate(f, line_double(&rs[i]), ps[i]);
            if (!ATE_LOOP[step]) continue;
            G2 q = qs[i];
            if (ATE_LOOP[step] < 0) q.y = fp2_neg(q.y);
            f = line_evaluate(f, line_add(&rs[i], q), ps[i]);
        }
    }
    for (int i = 0; i < count; i++) {
        G2 once = g2_frobenius(qs[i]), twice = g2_frobenius(once);
        twice.y = fp2_neg(twice.y);
        f = line_evaluate(f, line_add(&rs[i], once), ps[i]);
        f = line_evaluate(f, line_add(&rs[i], twice), ps[i]);
    }
    return f;
}

static Fp12 fp12_frobenius(Fp12 a) {
    Fp12 r;
    r.c0.c0 = fp2_conjugate(a.c0.c0);
    r.c1.c0 = fp2_mul(fp2_conjugate(a.c1.c0), frobenius[1]);
    r.c0.c1 = fp2_mul(fp2_conjugate(a.c0.c1), frobenius[2]);
    r.c1.c1 = fp2_mul(fp2_conjugate(a.c1.c1), frobenius[3]);
    r.c0.c2 = fp2_mul(fp2_conjugate(a.c0.c2), frobenius[4]);
    r.c1.c2 = fp2_mul(fp2_conjugate(a.c1.c2), frobenius[5]);
    return r;
}

// To the power of minus the curve's parameter; a is of the cyclotomic subgroup, where 1 / a is its conjugate.
static Fp12 power_negative(Fp12 a) {
    Fp12 r = a;
    for (int bit = 61; bit >= 0; bit--) {
        r = fp12_cyclotomic_square(r);
        if (CURVE_PARAMETER >> bit & 1) r = fp12_mul(r, a);
    }
    return fp12_conjugate(r);
}

static Fp12 final_exponentiation(Fp12 f) {
    Fp12 r = fp12_mul(fp12_conjugate(f), fp12_inverse(f));
    r = fp12_mul(fp12_frobenius(fp12_frobenius(r)), r);
    Fp12 y0 = power_negative(r), y1 = fp12_cyclotomic_square(y0), y2 = fp12_cyclotomic_square(y1);
    Fp12 y3 = fp12_mul(y2, y1), y4 = power_negative(y3);
    Fp12 y6 = fp12_conjugate(power_negative(fp12_cyclotomic_square(y4)));
    Fp12 y8 = fp12_mul(fp12_mul(y6, y4), fp12_conjugate(y3)), y9 = fp12_mul(y8, y1);
    Fp12 y11 = fp12_mul(fp12_mul(y8, y4), r), y13 = fp12_mul(fp12_frobenius(y9), y11);
    Fp12 y14 = fp12_mul(fp12_frobenius(fp12_frobenius(y8)), y13);
    Fp12 y15 = fp12_mul(fp12_conjugate(r), y9);
    return fp12_mul(fp12_frobenius(fp12_frobenius(fp12_frobenius(y15))), y14);
}

// Begin a product of pairings.
EXPORT(alt_bn128_pairing_begin) void alt_bn128_pairing_begin(void) {
    prepare();
    product = fp12_one();
}

// exchange: count pairs, at most BATCH_PAIRS, each of G1 (64) ‖ G2 (128). 0 where a point is none.
EXPORT(alt_bn128_pairing_add) int alt_bn128_pairing_add(int count) {
    static G1 ps[BATCH_PAIRS];
    static G2 qs[BATCH_PAIRS];
    int used = 0;
    for (int i = 0; i < count; i++) {
        const u8 *pair = exchange + i * PAIR_BYTES;
        if (!g1_read(&ps[used], pair) || !g2_read(&qs[used], pair + 64)) return 0;
        int infinite = (fp_is_zero(ps[used].x) && fp_is_zero(ps[used].y)) ||
                       (fp2_is_zero(qs[used].x) && fp2_is_zero(qs[used].y));
        if (!infinite) used++;
    }
    if (used) product = fp12_mul(product, miller_loop(ps, qs, used));
    return 1;
}

// Say whether the product of all pairings since the beginning is one.
EXPORT(alt_bn128_pairing_end) int alt_bn128_pairing_end(void) {
    Fp12 result = final_exponentiation(product);
    return fp12_is_one(&result);
}
