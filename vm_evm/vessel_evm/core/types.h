// The plain types that everything else is made of. The target is wasm32 without a C library; bulk
// memory instructions stand behind the copies.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;
typedef unsigned __int128 u128;

#define NULL ((void *)0)
#define EXPORT(name) __attribute__((export_name(#name), used))
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#define copy_bytes(to, from, size) __builtin_memcpy((to), (from), (size))
#define move_bytes(to, from, size) __builtin_memmove((to), (from), (size))
#define zero_bytes(at, size) __builtin_memset((at), 0, (size))

// 20 bytes, most significant first, as on the wire.
typedef struct {
    u8 bytes[20];
} Address;

// A Keccak-256 digest.
typedef struct {
    u8 bytes[32];
} Hash;

INLINE u64 load64(const u8 *at) {
    u64 value;
    copy_bytes(&value, at, 8);
    return value;
}

INLINE u32 load32(const u8 *at) {
    u32 value;
    copy_bytes(&value, at, 4);
    return value;
}

INLINE int same_address(const Address *a, const Address *b) {
    return load64(a->bytes) == load64(b->bytes) && load64(a->bytes + 8) == load64(b->bytes + 8) &&
           load32(a->bytes + 16) == load32(b->bytes + 16);
}

INLINE int same_hash(const Hash *a, const Hash *b) {
    return load64(a->bytes) == load64(b->bytes) && load64(a->bytes + 8) == load64(b->bytes + 8) &&
           load64(a->bytes + 16) == load64(b->bytes + 16) && load64(a->bytes + 24) == load64(b->bytes + 24);
}

static int compare_bytes(const u8 *a, const u8 *b, u32 size) {
    for (u32 i = 0; i < size; i++)
        if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
}
