// Signed transactions as they are in a block, of the types 0, 1 and 2, turned into the form of input.c.
//
// This is the short way for what is regular. Whatever is not in its canonical form, is refused by a rule,
// or is of another type is left to the driver, which knows the reason and the words; so a transaction is
// taken here only where vessel_evm/transaction.py and admission.py would take it, too.
#pragma once
#include "input.c"

#define MAX_TRANSACTION_BYTES 131072
#define DECODED_BYTES (24u << 20)
#define ADDRESS_BYTES 20

#define GAS_TRANSACTION 21000
#define GAS_CREATION 32000
#define GAS_DATA_TOKEN 4
#define GAS_FLOOR_TOKEN 10
#define GAS_ACCESS_ADDRESS 2400
#define GAS_ACCESS_SLOT 1900

static u8 decoded_region[DECODED_BYTES];
static u32 decoded_size;

// What a receipt says of the transaction beyond its result.
typedef struct {
    const u8 *raw;
    u32 size;
    u32 type;
} Signed;

static Signed signed_transactions[BATCH];

typedef struct {
    const u8 *at;
    u32 size;
    int is_list;
} Item;

// Read the next item of a list, strictly (Yellow Paper, appendix B); 0 where there is none.
static int next_item(const u8 **at, const u8 *end, Item *item) {
    const u8 *p = *at;
    if (p >= end) return 0;
    u8 head = *p++;
    item->is_list = head >= 0xc0;
    u32 offset = item->is_list ? 0xc0 : 0x80;
    if (head < 0x80) {
        item->at = p - 1;
        item->size = 1;
    } else if (head - offset <= 55) {
        item->at = p;
        item->size = head - offset;
        if (item->size > (u32)(end - p)) return 0;
        if (!item->is_list && item->size == 1 && *p < 0x80) return 0;
    } else {
        u32 width = head - offset - 55, size = 0;
        if (width > 3 || width > (u32)(end - p) || *p == 0) return 0;
        while (width--) size = size << 8 | *p++;
        if (size <= 55 || size > (u32)(end - p)) return 0;
        item->at = p;
        item->size = size;
    }
    *at = item->at + item->size;
    return 1;
}

static int read_word(const Item *item, U256 *word) {
    if (item->is_list || item->size > 32 || (item->size && item->at[0] == 0)) return 0;
    *word = load_short(item->at, item->size);
    return 1;
}

static int read_u64(const Item *item, u64 *value) {
    if (item->is_list || item->size > 8 || (item->size && item->at[0] == 0)) return 0;
    *value = load_big_endian(item->at, item->size);
    return 1;
}

// Lay the access list behind the header; returns its end, or NULL.
static u8 *read_access_list(const Item *list, u8 *to, Header *header, u64 *gas) {
    const u8 *at = list->at, *end = at + list->size;
    if (!list->is_list) return NULL;
    Item entry, address, slots, slot;
    while (at < end) {
        if (!next_item(&at, end, &entry) || !entry.is_list) return NULL;
        const u8 *inner = entry.at, *inner_end = inner + entry.size;
        if (!next_item(&inner, inner_end, &address) || address.is_list || address.size != ADDRESS_BYTES) return NULL;
        if (!next_item(&inner, inner_end, &slots) || !slots.is_list || inner != inner_end) return NULL;
        InputAccess *access = (InputAccess *)to;
        copy_bytes(&access->address, address.at, ADDRESS_BYTES);
        access->slot_count = 0;
        to += sizeof(InputAccess);
        const u8 *key = slots.at, *keys_end = key + slots.size;
        while (key < keys_end) {
            if (!next_item(&key, keys_end, &slot) || slot.is_list || slot.size != 32) return NULL;
            copy_bytes(to, slot.at, 32);
            to += 32;
            access->slot_count++;
        }
        header->access_count++;
        *gas += GAS_ACCESS_ADDRESS + (u64)GAS_ACCESS_SLOT * access->slot_count;
    }
    return to;
}

// The recovery bit and, in an old transaction, the chain it is for.
static int is_for_this_chain(u32 type, const Item *items) {
    U256 word;
    u64 v;
    if (type != 0) return read_word(&items[0], &word) && equal(&word, &block.chain_id);
    if (!read_u64(&items[6], &v)) return 0;
    if (v == 27 || v == 28) return 1;
    return v >= 35 && fits_u64(&block.chain_id) && (v - 35) / 2 == block.chain_id.limb[0];
}

static int read_fees(u32 type, const Item *items, Header *header, const U256 *value, U256 *max_cost) {
    U256 cap, tip;
    if (!read_word(&items[type == 2 ? 3 : type == 1 ? 2 : 1], &cap)) return 0;
    if (!read_word(&items[type == 2 ? 2 : type == 1 ? 2 : 1], &tip)) return 0;
    if (bit_length(&cap) > 180 || bit_length(value) > 254) return 0;  // no sum here can overflow
    if (less(&cap, &tip) || less(&cap, &block.base_fee)) return 0;
    U256 price = add(&block.base_fee, &tip), gas = u256(header->gas_limit);
    if (less(&cap, &price)) price = cap;
    copy_bytes(header->gas_price, &price, 32);
    *max_cost = multiply(&cap, &gas);
    *max_cost = add(max_cost, value);
    return 1;
}

// Decode one; 0 where it is left to the driver.
static int decode_signed(const Address *from, const u8 *raw, u32 size, Signed *signed_transaction) {
    static const u8 counts[] = {9, 11, 12};
    if (size == 0 || size > MAX_TRANSACTION_BYTES) return 0;
    u32 type = raw[0] >= 0xc0 ? 0 : raw[0];
    if (type > 2 || (type == 0 && raw[0] < 0xc0) || (type == 2 && !rules[HAS_BASE_FEE])) return 0;
    if ((u64)decoded_size + sizeof(Header) + 2 * size > DECODED_BYTES) return 0;
    const u8 *at = raw + (type != 0), *end = raw + size;
    Item list, items[12];
    if (!next_item(&at, end, &list) || !list.is_list || at != end) return 0;
    at = list.at;
    for (u32 i = 0; i < counts[type]; i++)
        if (!next_item(&at, end, &items[i])) return 0;
    if (at != end || !is_for_this_chain(type, items)) return 0;
    U256 ignored, value;
    for (u32 i = counts[type] - 3u; i < counts[type]; i++)
        if (!read_word(&items[i], &ignored)) return 0;

    // Behind the chain id and the fees: gas, to, value, data, access list.
    const Item *common = items + (type == 2 ? 4 : type == 1 ? 3 : 2), *data = common + 3;
    Header *header = (Header *)(decoded_region + decoded_size);
    zero_bytes(header, sizeof(Header));
    u64 nonce, gas_limit;
    if (!read_u64(&items[type != 0], &nonce) || nonce == ~0ull) return 0;
    if (!read_u64(&common[0], &gas_limit) || !read_word(&common[2], &value) || data->is_list) return 0;
    if (common[1].is_list || (common[1].size != 0 && common[1].size != ADDRESS_BYTES)) return 0;
    header->nonce = nonce;
    header->gas_limit = gas_limit;
    header->flags = CHECKED | (common[1].size ? 0 : CREATES);
    header->sender = *from;
    copy_bytes(&header->to, common[1].at, common[1].size);
    copy_bytes(header->value, &value, 32);
    U256 max_cost;
    if (!read_fees(type, items, header, &value, &max_cost)) return 0;
    copy_bytes(header->max_cost, &max_cost, 32);

    u64 tokens = 0, gas = GAS_TRANSACTION;
    for (u32 i = 0; i < data->size; i++) tokens += data->at[i] ? 4 : 1;
    gas += GAS_DATA_TOKEN * tokens;
    if (header->flags & CREATES) {
        if (rules[LIMITS_INIT_CODE] && data->size > 2 * code_size_limit) return 0;
        gas += GAS_CREATION;
        if (rules[LIMITS_INIT_CODE]) gas += (u64)GAS_INIT_CODE_WORD * ((data->size + 31) / 32);
    }
    u8 *to = (u8 *)(header + 1);
    if (type != 0 && !(to = read_access_list(&common[4], to, header, &gas))) return 0;
    header->intrinsic_gas = gas;
    header->floor_gas = rules[HAS_DATA_FLOOR] ? GAS_TRANSACTION + GAS_FLOOR_TOKEN * tokens : 0;
    if (header->gas_limit < gas || header->gas_limit < header->floor_gas) return 0;
    if (header->gas_limit > saturate_u64(&block.gas_limit) || header->gas_limit >> 62) return 0;
    if (rules[TRANSACTION_GAS_CAP] && header->gas_limit > rules[TRANSACTION_GAS_CAP]) return 0;

    header->data_size = data->size;
    copy_bytes(to, data->at, data->size);
    header->size = (u32)(to + data->size - (u8 *)header);
    decoded_size += header->size;
    *signed_transaction = (Signed){raw, size, type};
    return 1;
}
