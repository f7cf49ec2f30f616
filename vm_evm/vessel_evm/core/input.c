// Transactions as the driver hands them in: one after another in the input region, every field at a
// fixed place, numbers little-endian. engine/core_input.py writes this form.
#pragma once
#include "interpreter.c"

enum InputFlag {
    CREATES = 1,
    SYSTEM_CALL = 2,  // no fees, no nonce, nothing warm (EIP-4788, EIP-2935, …)
    CHECKED = 4,      // check nonce, funds, sender and room in the block first
};

// size  field
typedef struct __attribute__((packed)) {
    u32 size;  // of all, lists and data included
    u32 flags;
    Address sender;
    Address to;
    u8 value[32];
    u8 gas_price[32];
    u8 blob_fee[32];  // for all blobs; burned
    u8 max_cost[32];  // what the sender must have (EIP-1559, EIP-4844)
    u64 gas_limit;
    u64 intrinsic_gas;
    u64 floor_gas;
    u64 nonce;
    u32 data_size;
    u32 access_count;
    u32 authorization_count;
    u32 blob_count;
    // then: blob hashes, authorizations, access list, data
} Header;

typedef struct __attribute__((packed)) {
    Address authority;  // recovered by the driver; only what is valid without state gets here
    Address delegate;
    u64 nonce;
} InputAuthorization;

typedef struct __attribute__((packed)) {
    Address address;
    u32 slot_count;
    // then: the slots, 32 bytes each
} InputAccess;

static u8 input_region[INPUT_BYTES];

// The transaction at hand, its parts found.
static struct {
    const Header *header;
    const InputAuthorization *authorizations;
    const u8 *access_list;
    const u8 *data;
    U256 value, gas_price, blob_fee;
} input;

static void read_input(const u8 *at) {
    const Header *header = (const Header *)at;
    at += sizeof(Header);
    environment.blob_hashes = at;
    environment.blob_count = header->blob_count;
    at += 32 * header->blob_count;
    input.authorizations = (const InputAuthorization *)at;
    at += sizeof(InputAuthorization) * header->authorization_count;
    input.access_list = at;
    input.data = (const u8 *)header + header->size - header->data_size;
    input.header = header;
    input.value = load_little_endian(header->value);
    input.gas_price = load_little_endian(header->gas_price);
    input.blob_fee = load_little_endian(header->blob_fee);
    environment.gas_price = input.gas_price;
    environment.origin = word_of_address(&header->sender);
}
