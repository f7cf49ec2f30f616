// A result in the words of the container (TransactionResult in vessel.container), with what receipts.py
// would add: the short way for transactions that came by signed.c.
#pragma once
#include "result.c"
#include "signed.c"

static int makes_receipts;
static u32 first_index;
static u64 cumulative_gas;

static u8 *pack_text(u8 *at, const char *text, u32 size) {  // at most 31 bytes
    *at++ = (u8)(0xa0 | size);
    copy_bytes(at, text, size);
    return at + size;
}

static u8 *append(u8 *at, const char *text, u32 size) {
    copy_bytes(at, text, size);
    return at + size;
}

// Of literals only: their size is known.
#define pack_name(at, name) pack_text(at, name, sizeof(name) - 1)
#define write_text(at, text) append(at, text, sizeof(text) - 1)

static const char DIGITS[] = "0123456789abcdef";

static u8 *write_data(u8 *at, const u8 *bytes, u32 size) {
    *at++ = '"';
    *at++ = '0';
    *at++ = 'x';
    for (u32 i = 0; i < size; i++) {
        *at++ = (u8)DIGITS[bytes[i] >> 4];
        *at++ = (u8)DIGITS[bytes[i] & 15];
    }
    *at++ = '"';
    return at;
}

static u8 *write_quantity(u8 *at, const U256 *value) {
    u32 digits = (bit_length(value) + 3) / 4;
    if (digits == 0) digits = 1;
    *at++ = '"';
    *at++ = '0';
    *at++ = 'x';
    while (digits-- > 0) *at++ = (u8)DIGITS[(value->limb[digits >> 4] >> (4 * (digits & 15))) & 15];
    *at++ = '"';
    return at;
}

static u8 *write_number(u8 *at, u64 value) {
    U256 word = u256(value);
    return write_quantity(at, &word);
}

static u8 *write_details(u8 *at, const Signed *from, const Address *created) {
    const Header *header = input.header;
    at = write_number(write_text(at, "{\"type\":"), from->type);
    at = write_text(at, ",\"to\":");
    at = header->flags & CREATES ? write_text(at, "null") : write_data(at, header->to.bytes, ADDRESS_BYTES);
    at = write_text(at, ",\"contractAddress\":");
    at = created ? write_data(at, created->bytes, ADDRESS_BYTES) : write_text(at, "null");
    at = write_quantity(write_text(at, ",\"effectiveGasPrice\":"), &input.gas_price);
    at = write_number(write_text(at, ",\"cumulativeGasUsed\":"), cumulative_gas);
    at = write_number(write_text(at, ",\"nonce\":"), header->nonce);
    at = write_quantity(write_text(at, ",\"value\":"), &input.value);
    *at++ = '}';
    return at;
}

// Addresses by which it is found, each once.
static u8 *pack_tags(u8 *at, const Address *created) {
    const Header *header = input.header;
    int calls = !(header->flags & CREATES) && !same_address(&header->to, &header->sender);
    at = pack_array(at, 1 + (u32)calls + (created != NULL));
    at = pack_bytes(at, header->sender.bytes, ADDRESS_BYTES);
    if (calls) at = pack_bytes(at, header->to.bytes, ADDRESS_BYTES);
    if (created) at = pack_bytes(at, created->bytes, ADDRESS_BYTES);
    return at;
}

static u32 status_of(enum Outcome outcome) {
    if (outcome == STOPPED || outcome == REVERTED) return outcome;
    return outcome < INVALID_INSTRUCTION ? 3 : 4;  // OUT_OF_GAS, TRAP
}

// 0 where there is no room. Where `message` is not empty the driver has something to add: the outcome and
// what was burned, in hexadecimal, wait there.
static int pack_receipt(const Signed *from) {
    if (room_needed() + 2 * RESULT_OVERHEAD_BYTES > RESULT_BYTES - result_size) return 0;
    int succeeded = outermost_outcome == STOPPED;
    const Address *created = succeeded && (input.header->flags & CREATES) ? &recipient->address : NULL;
    u8 *at = result_region + result_size, bytes[64], *end;
    cumulative_gas += settlement.gas_used;
    U256 lost = burned();
    int is_plain = succeeded && fits_u64(&lost);
    *at++ = 0xde;  // a map of up to 65,535
    *at++ = 0;
    *at++ = 13;
    at = pack_integer(pack_name(at, "index"), first_index + batch_position);
    at = pack_name(at, "included");
    *at++ = 0xc3;  // true
    at = pack_integer(pack_name(at, "status"), status_of(outermost_outcome));
    at = pack_integer(pack_name(at, "gas_used"), settlement.gas_used);
    at = pack_bytes(pack_name(at, "output"), return_data, created ? 0 : return_data_size);
    at = pack_array(pack_name(at, "logs"), log_count);
    copy_bytes(at, log_region, log_size);
    at += log_size;
    at = pack_writes(pack_name(at, "writes"));
    at = pack_integer(pack_name(at, "burned"), is_plain ? lost.limb[0] : 0);
    at = pack_tags(pack_name(at, "tags"), created);
    at = pack_name(at, "details");
    u8 *details = at;
    end = write_details(details + 5, from, created);
    pack_bytes_header(details, 256);  // the wide form, whatever the size
    pack_u32_be(details + 1, (u32)(end - details - 5));
    at = end;
    Hash id = keccak(from->raw, from->size);
    at = pack_bytes(pack_name(at, "id"), id.bytes, 32);
    at = pack_bytes(pack_name(at, "sender"), input.header->sender.bytes, ADDRESS_BYTES);
    at = pack_name(at, "message");
    if (is_plain) {
        *at++ = 0xa0;
    } else {
        bytes[0] = (u8)outermost_outcome;
        u32 size = 1 + store_short(bytes + 1, &lost);
        *at++ = 0xd9;
        *at++ = (u8)(2 * size);
        for (u32 i = 0; i < size; i++) {
            *at++ = (u8)DIGITS[bytes[i] >> 4];
            *at++ = (u8)DIGITS[bytes[i] & 15];
        }
    }
    result_size = (u32)(at - result_region);
    result_count++;
    return 1;
}
