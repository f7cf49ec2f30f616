// The compression function F of BLAKE2b (RFC 7693, section 3.2) with any number of rounds (EIP-152).

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

static const u64 IV[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const u8 SIGMA[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

#define ROTATE(x, n) ((x) >> (n) | (x) << (64 - (n)))

static inline __attribute__((always_inline)) void mix(u64 *v, int a, int b, int c, int d, u64 x, u64 y) {
    v[a] += v[b] + x;
    v[d] = ROTATE(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = ROTATE(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = ROTATE(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = ROTATE(v[b] ^ v[c], 63);
}

extern u8 *exchange_address(void);

// exchange: h (64) ‖ m (128) ‖ t (16), all little-endian -> h (64).
__attribute__((export_name("blake2f"))) void blake2f(u32 rounds, int is_final) {
    u64 h[8], m[16], t[2], v[16];
    u8 *data = exchange_address();
    __builtin_memcpy(h, data, 64);
    __builtin_memcpy(m, data + 64, 128);
    __builtin_memcpy(t, data + 192, 16);
    for (int i = 0; i < 8; i++) v[i] = h[i], v[i + 8] = IV[i];
    v[12] ^= t[0];
    v[13] ^= t[1];
    if (is_final) v[14] = ~v[14];
    for (u32 round = 0, row = 0; round < rounds; round++) {
        const u8 *s = SIGMA[row];
        mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
        mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
        mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
        mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
        mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
        mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
        mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
        mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
        if (++row == 10) row = 0;
    }
    for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
    __builtin_memcpy(data, h, 64);
}
