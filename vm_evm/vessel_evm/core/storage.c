// Instructions that look at accounts and slots: SLOAD, SSTORE, TLOAD, TSTORE, BALANCE, EXTCODE….
// Gas by EIP-2929 and EIP-2200 with the numbers of EIP-3529.
#pragma once
#include "create.c"

static enum Outcome op_sload(Frame *f) {
    // STACK
    U256 *top = &f->sp[-1];
    if (UNLIKELY(lacks_record(f->self))) return LACKING;
    Slot *slot = find_slot(f->self, top);
    if (UNLIKELY(lacks_slot(slot))) return LACKING;

    // GAS
    f->gas -= slot_is_warm(slot) ? GAS_WARM_ACCESS : GAS_COLD_SLOAD;
    if (f->gas < 0) return OUT_OF_GAS;

    // OPERATION
    warm_slot(slot);
    *top = slot->value;
    return RUNNING;
}

static enum Outcome op_sstore(Frame *f) {
    // STACK
    const U256 *sp = f->sp, *value = &sp[-2];
    if (f->gas <= GAS_CALL_STIPEND) return OUT_OF_GAS;
    if (UNLIKELY(lacks_record(f->self))) return LACKING;
    Slot *slot = find_slot(f->self, &sp[-1]);
    if (UNLIKELY(lacks_slot(slot))) return LACKING;

    // GAS
    const U256 *current = &slot->value;
    U256 before = *value_before(slot);
    i64 gas = f->gas;
    if (!slot_is_warm(slot)) gas -= GAS_COLD_SLOAD;
    int changes = !equal(current, value);
    if (changes && equal(&before, current))
        gas -= is_zero(&before) ? GAS_STORAGE_SET : GAS_STORAGE_UPDATE - GAS_COLD_SLOAD;
    else
        gas -= GAS_WARM_ACCESS;
    if (gas < 0) return OUT_OF_GAS;
    if (f->is_static) return WRITE_PROTECTION;
    if (changes) {
        if (!is_zero(&before)) {
            if (is_zero(value)) refund_counter += rules[REFUND_STORAGE_CLEAR];
            if (is_zero(current)) refund_counter -= rules[REFUND_STORAGE_CLEAR];
        }
        if (equal(&before, value))
            refund_counter += is_zero(&before) ? REFUND_STORAGE_SET : REFUND_STORAGE_UPDATE;
    }

    // OPERATION
    warm_slot(slot);
    if (changes) set_slot(slot, value);
    f->gas = gas;
    f->sp -= 2;
    return RUNNING;
}

static enum Outcome op_tload(Frame *f) {
    U256 *top = &f->sp[-1];
    if (lacks_record(f->self)) return LACKING;
    *top = get_transient(find_slot(f->self, top));
    return RUNNING;
}

static enum Outcome op_tstore(Frame *f) {
    const U256 *sp = f->sp;
    if (f->is_static) return WRITE_PROTECTION;
    if (lacks_record(f->self)) return LACKING;
    set_transient(find_slot(f->self, &sp[-1]), &sp[-2]);
    f->sp -= 2;
    return RUNNING;
}

// Charge for the access to an account, and count it as accessed.
static int pay_access(Account *account, i64 *gas) {
    *gas -= account_is_warm(account) ? GAS_WARM_ACCESS : GAS_COLD_ACCOUNT;
    if (*gas < 0) return 0;
    warm_account(account);
    return 1;
}

static enum Outcome op_balance(Frame *f) {
    U256 *top = &f->sp[-1];
    Address address = address_of_word(top);
    Account *account = find_account(&address);
    if (lacks_balance(account)) return LACKING;
    if (!pay_access(account, &f->gas)) return OUT_OF_GAS;
    *top = account->balance;
    return RUNNING;
}

static enum Outcome op_self_balance(Frame *f) {
    if (lacks_balance(f->self)) return LACKING;
    *f->sp++ = f->self->balance;
    return RUNNING;
}

static enum Outcome op_external_code_size(Frame *f) {
    U256 *top = &f->sp[-1];
    Address address = address_of_word(top);
    Account *account = find_account(&address);
    if (lacks_record(account) || lacks_code(account->code)) return LACKING;
    if (!pay_access(account, &f->gas)) return OUT_OF_GAS;
    *top = u256(account->code ? account->code->size : 0);
    return RUNNING;
}

static enum Outcome op_external_code_hash(Frame *f) {  // EIP-1052: zero for what does not exist
    U256 *top = &f->sp[-1];
    Address address = address_of_word(top);
    Account *account = find_account(&address);
    if (lacks_account(account)) return LACKING;
    if (!pay_access(account, &f->gas)) return OUT_OF_GAS;
    if (!is_alive(account))
        *top = U256_ZERO;
    else
        *top = word_of_hash(account->code ? &account->code->hash : &EMPTY_CODE_HASH);
    return RUNNING;
}

// Copy a slice of bytes into memory, with zeros where the source ends.
static void copy_padded(u8 *to, u32 size, const u8 *source, u32 source_size, const U256 *offset) {
    u32 start = fits_u64(offset) && offset->limb[0] < source_size ? (u32)offset->limb[0] : source_size;
    u32 present = source_size - start < size ? source_size - start : size;
    copy_bytes(to, source + start, present);
    zero_bytes(to + present, size - present);
}

// CALLDATACOPY, CODECOPY and the second half of EXTCODECOPY; sp: behind memory offset, offset, size.
static enum Outcome copy_to_memory(Frame *f, const U256 *sp, const u8 *source, u32 source_size, i64 gas) {
    Part part;
    if (!read_part(&sp[-1], &sp[-3], &part)) return OUT_OF_GAS;
    gas -= (i64)GAS_COPY_WORD * ((part.size + 31) / 32);
    if (gas < 0 || !reach_part(f, &part, &gas)) return OUT_OF_GAS;
    copy_padded(f->memory + part.offset, part.size, source, source_size, &sp[-2]);
    f->gas = gas;
    return RUNNING;
}

static enum Outcome op_external_code_copy(Frame *f) {
    Address address = address_of_word(&f->sp[-1]);
    Account *account = find_account(&address);
    if (lacks_record(account) || lacks_code(account->code)) return LACKING;
    i64 gas = f->gas;
    if (!pay_access(account, &gas)) return OUT_OF_GAS;
    const Code *code = account->code;
    enum Outcome outcome = copy_to_memory(f, f->sp - 1, code ? code->bytes : NULL, code ? code->size : 0, gas);
    f->sp -= 4;
    return outcome;
}

static enum Outcome op_return_data_copy(Frame *f) {
    const U256 *sp = f->sp;
    // EIP-211: reading beyond the end is a fault, with a size of zero too.
    u64 start = saturate_u64(&sp[-2]), size = saturate_u64(&sp[-3]);
    if (start > return_data_size || size > return_data_size - start) return RETURN_DATA_BOUNDS;
    Part part;
    i64 gas = f->gas;
    if (!read_part(&sp[-1], &sp[-3], &part)) return OUT_OF_GAS;
    gas -= (i64)GAS_COPY_WORD * ((part.size + 31) / 32);
    if (gas < 0 || !reach_part(f, &part, &gas)) return OUT_OF_GAS;
    copy_bytes(f->memory + part.offset, return_data + start, part.size);
    f->gas = gas;
    f->sp -= 3;
    return RUNNING;
}

static enum Outcome op_memory_copy(Frame *f) {  // EIP-5656
    const U256 *sp = f->sp;
    Part to, from;
    i64 gas = f->gas;
    if (!read_part(&sp[-1], &sp[-3], &to) || !read_part(&sp[-2], &sp[-3], &from)) return OUT_OF_GAS;
    gas -= (i64)GAS_COPY_WORD * ((to.size + 31) / 32);
    u64 end = part_end(&to) > part_end(&from) ? part_end(&to) : part_end(&from);
    if (gas < 0 || !reach(f, end, &gas)) return OUT_OF_GAS;
    move_bytes(f->memory + to.offset, f->memory + from.offset, to.size);
    f->gas = gas;
    f->sp -= 3;
    return RUNNING;
}
