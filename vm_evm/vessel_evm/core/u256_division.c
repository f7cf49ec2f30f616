// Division of long numbers: schoolbook with 64-bit limbs (Knuth, The Art of Computer Programming,
// volume 2, 4.3.1, algorithm D), each digit by a multiplication with the reciprocal of the divisor's
// top limb (Möller and Granlund, "Improved division by invariant integers", algorithms 2 and 4).
#pragma once
#include "u256.h"

// 128 by 64 bits with a 32-bit digit twice; high < divisor, divisor has its top bit set.
static u64 divide_128(u64 high, u64 low, u64 divisor) {
    u64 d1 = divisor >> 32, d0 = (u32)divisor, digits[2], rest = high;
    for (int i = 0; i < 2; i++) {
        u64 next = i ? (u32)low : low >> 32;
        u64 digit = rest / d1, remainder = rest % d1;
        while (digit >> 32 || digit * d0 > ((remainder << 32) | next)) {
            digit--;
            remainder += d1;
            if (remainder >> 32) break;
        }
        rest = ((rest << 32) | next) - digit * divisor;
        digits[i] = digit;
    }
    return (digits[0] << 32) | digits[1];
}

// floor((2^128 - 1) / divisor) - 2^64 for a divisor whose top bit is set.
INLINE u64 reciprocal(u64 divisor) { return divide_128(~divisor, ~0ull, divisor); }

// high:low / divisor with high < divisor; the remainder goes to *rest.
INLINE u64 divide_by_reciprocal(u64 high, u64 low, u64 divisor, u64 inverse, u64 *rest) {
    u128 quotient = (u128)inverse * high + (((u128)high << 64) | low);
    u64 digit = (u64)(quotient >> 64) + 1;
    u64 remainder = low - digit * divisor;
    if (remainder > (u64)quotient) {
        digit--;
        remainder += divisor;
    }
    if (UNLIKELY(remainder >= divisor)) {
        digit++;
        remainder -= divisor;
    }
    *rest = remainder;
    return digit;
}

// number (size limbs, at most 8) / divisor (at most 4 limbs, not zero). Quotient: size limbs, or NULL;
// remainder: 4 limbs.
static void divide_long(const u64 *number, int size, const u64 *divisor, u64 *quotient, u64 *remainder) {
    int n = 4;
    while (divisor[n - 1] == 0) n--;
    while (size && number[size - 1] == 0) {
        size--;
        if (quotient) quotient[size] = 0;
    }
    for (int i = 0; i < 4; i++) remainder[i] = 0;
    if (size < n) {
        for (int i = 0; i < size; i++) {
            remainder[i] = number[i];
            if (quotient) quotient[i] = 0;
        }
        return;
    }
    // Both are shifted so that the divisor's top bit is set; u has one limb more than the number.
    int shift = __builtin_clzll(divisor[n - 1]);
    u64 v[4], u[9];
    for (int i = n - 1; i >= 0; i--)
        v[i] = shift ? (divisor[i] << shift) | (i ? divisor[i - 1] >> (64 - shift) : 0) : divisor[i];
    u[size] = shift ? number[size - 1] >> (64 - shift) : 0;
    for (int i = size - 1; i >= 0; i--)
        u[i] = shift ? (number[i] << shift) | (i ? number[i - 1] >> (64 - shift) : 0) : number[i];
    u64 top = v[n - 1], inverse = reciprocal(top);
    if (n == 1) {
        u64 rest = u[size];
        for (int j = size - 1; j >= 0; j--) {
            u64 digit = divide_by_reciprocal(rest, u[j], top, inverse, &rest);
            if (quotient) quotient[j] = digit;
        }
        remainder[0] = rest >> shift;
        return;
    }
    u64 second = v[n - 2];
    if (quotient)
        for (int j = size - n + 1; j < size; j++) quotient[j] = 0;
    for (int j = size - n; j >= 0; j--) {
        u64 digit, rest;
        int rest_overflows = 0;
        if (u[j + n] >= top) {
            // The digit is the largest there is, or one or two less.
            digit = ~0ull;
            rest = u[j + n - 1] + top;
            rest_overflows = rest < top;
        } else {
            digit = divide_by_reciprocal(u[j + n], u[j + n - 1], top, inverse, &rest);
        }
        while (!rest_overflows && (u128)digit * second > (((u128)rest << 64) | u[j + n - 2])) {
            digit--;
            rest += top;
            rest_overflows = rest < top;
        }
        u64 carry = 0, borrow = 0;
        for (int i = 0; i < n; i++) {
            u128 product = (u128)digit * v[i] + carry;
            carry = (u64)(product >> 64);
            u128 t = (u128)u[i + j] - (u64)product - borrow;
            u[i + j] = (u64)t;
            borrow = (u64)(t >> 64) & 1;
        }
        u128 t = (u128)u[j + n] - carry - borrow;
        u[j + n] = (u64)t;
        if ((u64)(t >> 64) & 1) {  // one too many
            digit--;
            u64 c = 0;
            for (int i = 0; i < n; i++) {
                u128 sum = (u128)u[i + j] + v[i] + c;
                u[i + j] = (u64)sum;
                c = (u64)(sum >> 64);
            }
            u[j + n] += c;
        }
        if (quotient) quotient[j] = digit;
    }
    for (int i = 0; i < n; i++)
        remainder[i] = shift ? (u[i] >> shift) | (i + 1 < n ? u[i + 1] << (64 - shift) : 0) : u[i];
}

// What the EVM says of division by zero: zero.
NOINLINE U256 divide(const U256 *a, const U256 *b) {
    U256 quotient = U256_ZERO, remainder;
    if (is_zero(b)) return quotient;
    if (fits_u64(a) && fits_u64(b)) return u256(a->limb[0] / b->limb[0]);
    divide_long(a->limb, 4, b->limb, quotient.limb, remainder.limb);
    return quotient;
}

NOINLINE U256 modulo(const U256 *a, const U256 *b) {
    U256 remainder = U256_ZERO;
    if (is_zero(b)) return remainder;
    if (fits_u64(a) && fits_u64(b)) return u256(a->limb[0] % b->limb[0]);
    divide_long(a->limb, 4, b->limb, NULL, remainder.limb);
    return remainder;
}

NOINLINE U256 divide_signed(const U256 *a, const U256 *b) {  // towards zero
    U256 x = is_negative(a) ? negate(a) : *a, y = is_negative(b) ? negate(b) : *b;
    U256 quotient = divide(&x, &y);
    return is_negative(a) != is_negative(b) ? negate(&quotient) : quotient;
}

NOINLINE U256 modulo_signed(const U256 *a, const U256 *b) {  // has the sign of a
    U256 x = is_negative(a) ? negate(a) : *a, y = is_negative(b) ? negate(b) : *b;
    U256 remainder = modulo(&x, &y);
    return is_negative(a) ? negate(&remainder) : remainder;
}

NOINLINE U256 add_modulo(const U256 *a, const U256 *b, const U256 *m) {
    U256 remainder = U256_ZERO;
    if (is_zero(m)) return remainder;
    U256 sum = add(a, b);
    u64 number[5] = {sum.limb[0], sum.limb[1], sum.limb[2], sum.limb[3], (u64)less(&sum, a)};
    divide_long(number, 5, m->limb, NULL, remainder.limb);
    return remainder;
}

NOINLINE U256 multiply_modulo(const U256 *a, const U256 *b, const U256 *m) {
    U256 remainder = U256_ZERO;
    if (is_zero(m)) return remainder;
    u64 product[8] = {0};
    for (int i = 0; i < 4; i++) {
        u64 carry = 0;
        for (int j = 0; j < 4; j++) {
            u128 t = (u128)a->limb[i] * b->limb[j] + product[i + j] + carry;
            product[i + j] = (u64)t;
            carry = (u64)(t >> 64);
        }
        product[i + 4] = carry;
    }
    divide_long(product, 8, m->limb, NULL, remainder.limb);
    return remainder;
}

NOINLINE U256 power(const U256 *base, const U256 *exponent) {  // modulo 2^256, by squaring
    U256 result = u256(1);
    for (int bit = (int)bit_length(exponent) - 1; bit >= 0; bit--) {
        result = multiply(&result, &result);
        if ((exponent->limb[bit >> 6] >> (bit & 63)) & 1) result = multiply(&result, base);
    }
    return result;
}

NOINLINE U256 sign_extend(const U256 *byte, const U256 *value) {
    if (!fits_u64(byte) || byte->limb[0] > 30) return *value;
    u32 unused = 248 - 8 * (u32)byte->limb[0];  // bits above the one that is the sign
    U256 shifted = shift_left(value, unused);
    int negative = is_negative(&shifted);
    U256 extended = shift_right(&shifted, unused);
    if (negative) {
        U256 all = U256_MAX, low = shift_right(&all, unused), high = complement(&low);
        for (int i = 0; i < 4; i++) extended.limb[i] |= high.limb[i];
    }
    return extended;
}

NOINLINE U256 shift_right_signed(const U256 *value, const U256 *bits) {
    int negative = is_negative(value);
    if (!fits_u64(bits) || bits->limb[0] > 255) return negative ? U256_MAX : U256_ZERO;
    U256 shifted = shift_right(value, (u32)bits->limb[0]);
    if (negative) {
        U256 all = U256_MAX, low = shift_right(&all, (u32)bits->limb[0]), high = complement(&low);
        for (int i = 0; i < 4; i++) shifted.limb[i] |= high.limb[i];
    }
    return shifted;
}
