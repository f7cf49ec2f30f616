// The packed form of what comes out and goes in: MessagePack, of which maps, arrays, strings of bytes,
// unsigned integers and nil are used. https://github.com/msgpack/msgpack/blob/master/spec.md
#pragma once
#include "types.h"

INLINE u8 *pack_u32_be(u8 *at, u32 value) {
    value = __builtin_bswap32(value);
    copy_bytes(at, &value, 4);
    return at + 4;
}

INLINE u8 *pack_array(u8 *at, u32 count) {
    if (count < 16) {
        *at = (u8)(0x90 | count);
        return at + 1;
    }
    *at = 0xdd;
    return pack_u32_be(at + 1, count);
}

INLINE u8 *pack_map(u8 *at, u32 count) {
    if (count < 16) {
        *at = (u8)(0x80 | count);
        return at + 1;
    }
    *at = 0xdf;
    return pack_u32_be(at + 1, count);
}

INLINE u8 *pack_nil(u8 *at) {
    *at = 0xc0;
    return at + 1;
}

INLINE u8 *pack_integer(u8 *at, u64 value) {
    if (value < 128) {
        *at = (u8)value;
        return at + 1;
    }
    *at = 0xcf;
    value = __builtin_bswap64(value);
    copy_bytes(at + 1, &value, 8);
    return at + 9;
}

INLINE u8 *pack_bytes_header(u8 *at, u32 size) {
    if (size < 256) {
        at[0] = 0xc4;
        at[1] = (u8)size;
        return at + 2;
    }
    *at = 0xc6;
    return pack_u32_be(at + 1, size);
}

static u8 *pack_bytes(u8 *at, const u8 *bytes, u32 size) {
    at = pack_bytes_header(at, size);
    move_bytes(at, bytes, size);
    return at + size;
}

// Read a string of bytes (*bytes, *size) or nil (*bytes is NULL); return what comes behind.
static const u8 *unpack_bytes(const u8 *at, const u8 **bytes, u32 *size) {
    u8 kind = *at++;
    *size = 0;
    *bytes = NULL;
    if (kind == 0xc0) return at;
    u32 width = kind == 0xc4 ? 1 : kind == 0xc5 ? 2 : 4;
    for (u32 i = 0; i < width; i++) *size = *size << 8 | *at++;
    *bytes = at;
    return at + *size;
}
