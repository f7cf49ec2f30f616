// The keys of the host's flat state and the values behind them: vessel_evm/layout.py, in C.
#pragma once
#include "account.c"
#include "messagepack.c"

static u8 name_space[2];  // of the container; the ledger's is 0

#define RECORD_KEY_BYTES 23
#define LEDGER_KEY_BYTES 22
#define SLOT_KEY_BYTES 59
#define CODE_KEY_BYTES 35

INLINE u8 *start_key(u8 *at, u32 size, u8 kind) {
    at = pack_bytes_header(at, size);
    copy_bytes(at, name_space, 2);
    at[2] = kind;
    return at + 3;
}

static u8 *pack_record_key(u8 *at, const Account *account) {
    at = start_key(at, RECORD_KEY_BYTES, 'a');
    copy_bytes(at, &account->address, 20);
    return at + 20;
}

static u8 *pack_ledger_key(u8 *at, const Account *account) {
    at = pack_bytes_header(at, LEDGER_KEY_BYTES);
    at[0] = at[1] = 0;
    copy_bytes(at + 2, &account->address, 20);
    return at + 22;
}

static u8 *pack_slot_key(u8 *at, const Slot *slot) {
    at = start_key(at, SLOT_KEY_BYTES, 's');
    copy_bytes(at, &slot->account->address, 20);
    pack_u32_be(at + 20, slot->incarnation);
    store_word(at + 24, &slot->key);
    return at + 56;
}

static u8 *pack_code_key(u8 *at, const Code *code) {
    at = start_key(at, CODE_KEY_BYTES, 'c');
    copy_bytes(at, &code->hash, 32);
    return at + 32;
}

static u64 load_big_endian(const u8 *at, u32 size) {
    u64 value = 0;
    for (u32 i = 0; i < size; i++) value = value << 8 | at[i];
    return value;
}

// nonce (8) ‖ incarnation (4) ‖ code hash (0 or 32)
static void unpack_record(Account *account, const u8 *value, u32 size) {
    account->nonce = value ? load_big_endian(value, 8) : 0;
    account->incarnation = value ? (u32)load_big_endian(value + 8, 4) : 0;
    account->code = NULL;
    if (size == 44) {
        Hash hash;
        copy_bytes(&hash, value + 12, 32);
        account->code = code_of_hash(&hash);
    }
    account->record_epoch = cache_epoch;
}

static u8 *pack_record(u8 *at, u64 nonce, u32 incarnation, const Code *code) {
    if (!nonce && !incarnation && !code) return pack_nil(at);
    at = pack_bytes_header(at, code ? 44 : 12);
    for (int i = 0; i < 8; i++) *at++ = (u8)(nonce >> (56 - 8 * i));
    at = pack_u32_be(at, incarnation);
    if (!code) return at;
    copy_bytes(at, &code->hash, 32);
    return at + 32;
}

// A balance or a word: shortest big-endian, absent for zero.
static u8 *pack_word(u8 *at, const U256 *value) {
    if (is_zero(value)) return pack_nil(at);
    u8 bytes[32];
    u32 size = store_short(bytes, value);
    return pack_bytes(at, bytes, size);
}
