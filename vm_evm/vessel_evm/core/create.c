// Creation and destruction of contracts: CREATE, CREATE2, SELFDESTRUCT (Yellow Paper, section 7;
// EIP-1014, EIP-3860, EIP-6780, EIP-7610 as far as the flat state can tell).
#pragma once
#include "call.c"

// keccak(rlp([sender, nonce]))[12:]
static Address address_by_nonce(const Address *sender, u64 nonce) {
    u8 encoded[32];
    u32 digits = nonce ? (71 - (u32)__builtin_clzll(nonce)) / 8 : 0, size = 2;
    encoded[1] = 0x80 + 20;
    copy_bytes(encoded + size, sender, 20);
    size += 20;
    if (nonce >= 0x80 || nonce == 0) encoded[size++] = (u8)(0x80 + digits);
    for (u32 i = digits; i-- > 0;) encoded[size++] = (u8)(nonce >> (8 * i));
    encoded[0] = (u8)(0xc0 + size - 1);
    Hash hash = keccak(encoded, size);
    Address address;
    copy_bytes(&address, hash.bytes + 12, 20);
    return address;
}

// keccak(0xff ‖ sender ‖ salt ‖ keccak(init code))[12:]
static Address address_by_salt(const Address *sender, const U256 *salt, const u8 *init_code, u32 size) {
    u8 encoded[85];
    Hash hash = keccak(init_code, size);
    encoded[0] = 0xff;
    copy_bytes(encoded + 1, sender, 20);
    store_word(encoded + 21, salt);
    copy_bytes(encoded + 53, &hash, 32);
    hash = keccak(encoded, 85);
    Address address;
    copy_bytes(&address, hash.bytes + 12, 20);
    return address;
}

// Begin the life of a contract in the frame on top; its init code is laid at `at`.
static enum Outcome start_creation(Frame *f, u8 *at, const u8 *init_code, u32 size, Account *created) {
    if (!reserve_memory(at + code_footprint(size))) return REGION_FULL;
    lay_code(at, init_code, size, &f->code, &f->jump_destinations);
    f->pc = f->code;
    f->code_size = size;
    f->memory = at + ((code_footprint(size) + 31) & ~31u);
    f->kind = FRAME_CREATE;
    f->self = f->created = created;
    f->input = f->code;
    f->input_size = 0;
    f->is_static = 0;
    CHANGE(created->created, transaction_number);
    set_nonce(created, 1);
    return FRAME_OPENED;
}

static enum Outcome op_create(Frame *f, int is_create2) {
    // STACK
    const U256 *sp = f->sp;
    U256 value = sp[-1];
    Part init_code;
    if (!read_part(&sp[-2], &sp[-3], &init_code)) return OUT_OF_GAS;

    // GAS. The memory is paid for first and stays: the address of CREATE2 depends on it, and what is
    // at that address may be lacking.
    if (rules[LIMITS_INIT_CODE] && init_code.size > 2 * code_size_limit) return INIT_CODE_TOO_LARGE;
    if (!reach_part(f, &init_code, &f->gas)) return OUT_OF_GAS;
    u64 words = (init_code.size + 31) / 32, cost = 0;
    if (rules[LIMITS_INIT_CODE]) cost += GAS_INIT_CODE_WORD * words;
    if (is_create2) cost += GAS_KECCAK_WORD * words;
    if ((u64)f->gas < cost) return OUT_OF_GAS;
    if (f->is_static) return WRITE_PROTECTION;
    const u8 *code = f->memory + init_code.offset;
    if (lacks_account(f->self)) return LACKING;
    Address address = is_create2 ? address_by_salt(&f->self->address, &sp[-4], code, init_code.size)
                                 : address_by_nonce(&f->self->address, f->self->nonce);
    Account *created = find_account(&address);
    if (lacks_new_account(created)) return LACKING;
    u64 gas = (u64)f->gas - cost, child_gas = gas - gas / 64;

    // OPERATION
    f->sp -= is_create2 ? 4 : 3;
    f->gas = (i64)(gas - child_gas);
    return_data_size = 0;
    if (less(&f->self->balance, &value) || f->self->nonce == ~0ull || f == &frames[CALL_DEPTH]) {
        f->gas = (i64)gas;
        *f->sp++ = U256_ZERO;
        return RUNNING;
    }
    warm_account(created);
    set_nonce(f->self, f->self->nonce + 1);
    if (has_code_or_nonce(created)) {
        *f->sp++ = U256_ZERO;
        return RUNNING;
    }
    Frame *child = push_frame(f->memory + f->memory_size);
    child->gas = (i64)child_gas;
    child->caller = word_of_address(&f->self->address);
    child->value = value;
    enum Outcome outcome = start_creation(child, child->memory, code, init_code.size, created);
    debit(f->self, &value);
    credit(created, &value);
    return outcome;
}

static enum Outcome op_self_destruct(Frame *f) {
    // STACK
    Address address = address_of_word(&f->sp[-1]);
    Account *self = f->self, *beneficiary = find_account(&address);
    if (lacks_account(self) | lacks_account(beneficiary)) return LACKING;

    // GAS
    i64 gas = f->gas;
    if (!account_is_warm(beneficiary)) gas -= GAS_COLD_ACCOUNT;
    if (!is_alive(beneficiary) && !is_zero(&self->balance)) gas -= GAS_NEW_ACCOUNT;
    if (gas < 0) return OUT_OF_GAS;

    // OPERATION
    if (f->is_static) return WRITE_PROTECTION;
    warm_account(beneficiary);
    int destroys = !rules[KEEPS_OLD_CONTRACTS] || self->created == transaction_number;
    if (destroys && self->destroyed != transaction_number) refund_counter += rules[REFUND_SELF_DESTRUCT];
    U256 balance = self->balance;
    debit(self, &balance);
    credit(beneficiary, &balance);
    if (destroys) {
        // Coin that it left to itself is gone.
        set_balance(self, &U256_ZERO);
        CHANGE(self->destroyed, transaction_number);
    }
    f->gas = gas;
    f->sp--;
    return_data_size = 0;
    return STOPPED;
}
