// Logs of the transaction, packed as they will be handed out: [address, [topic, …], data].
#pragma once
#include "frame.c"

static u8 log_region[LOG_BYTES];
static u32 log_size, log_count;

// LOG0 to LOG4. Yellow Paper, section 9.4.2.
static enum Outcome op_log(Frame *f, u32 topics) {
    // STACK
    const U256 *sp = f->sp;
    Part data;
    if (!read_part(&sp[-1], &sp[-2], &data)) return OUT_OF_GAS;

    // GAS
    i64 gas = f->gas - (i64)GAS_LOG_BYTE * data.size - GAS_LOG_TOPIC * topics;
    if (gas < 0 || !reach_part(f, &data, &gas)) return OUT_OF_GAS;

    // OPERATION
    if (f->is_static) return WRITE_PROTECTION;
    if (log_size + data.size + 256 > LOG_BYTES) {
        region_full = 1;
        return REGION_FULL;
    }
    u8 *at = log_region + log_size;
    at = pack_array(at, 3);
    at = pack_bytes(at, f->self->address.bytes, 20);
    at = pack_array(at, topics);
    for (u32 i = 0; i < topics; i++) {
        at = pack_bytes_header(at, 32);
        store_word(at, &sp[-3 - (int)i]);
        at += 32;
    }
    at = pack_bytes(at, f->memory + data.offset, data.size);
    log_size = (u32)(at - log_region);
    log_count++;
    f->gas = gas;
    f->sp -= 2 + topics;
    return RUNNING;
}
