// What a transaction did, packed for the driver:
//   [outcome, gas used, gas refunded, output, [log, …], {key: value or nil, …}, burned, created or nil]
// The writes are full state keys in their order; burned is big-endian.
#pragma once
#include "transaction.c"

static u8 result_region[RESULT_BYTES];
static u32 result_size, result_count;

#define RESULT_HEAD_BYTES 5
#define RESULT_OVERHEAD_BYTES 512
#define ACCOUNT_WRITE_BYTES (2 + LEDGER_KEY_BYTES + 34 + 2 + RECORD_KEY_BYTES + 46)
#define SLOT_WRITE_BYTES (2 + SLOT_KEY_BYTES + 34)

static int compare_accounts(const void *a, const void *b) {
    const Account *x = a, *y = b;
    return compare_bytes(x->address.bytes, y->address.bytes, 20);
}

static int compare_codes(const void *a, const void *b) {
    const Code *x = a, *y = b;
    return compare_bytes(x->hash.bytes, y->hash.bytes, 32);
}

static int compare_slots(const void *a, const void *b) {
    const Slot *x = a, *y = b;
    if (x->account != y->account) return compare_accounts(x->account, y->account);
    if (x->incarnation != y->incarnation) return x->incarnation < y->incarnation ? -1 : 1;
    return equal(&x->key, &y->key) ? 0 : less(&x->key, &y->key) ? -1 : 1;
}

typedef int Compare(const void *, const void *);

static void sift_down(void **items, u32 root, u32 count, Compare *compare) {
    for (;;) {
        u32 child = 2 * root + 1;
        if (child >= count) return;
        if (child + 1 < count && compare(items[child], items[child + 1]) < 0) child++;
        if (compare(items[root], items[child]) >= 0) return;
        void *swapped = items[root];
        items[root] = items[child];
        items[child] = swapped;
        root = child;
    }
}

static void sort(void **items, u32 count, Compare *compare) {
    if (count <= 8) {  // by insertion: the usual case
        for (u32 i = 1; i < count; i++)
            for (u32 j = i; j > 0 && compare(items[j - 1], items[j]) > 0; j--) {
                void *swapped = items[j];
                items[j] = items[j - 1];
                items[j - 1] = swapped;
            }
        return;
    }
    for (u32 i = count / 2; i-- > 0;) sift_down(items, i, count, compare);
    for (u32 end = count - 1; end > 0; end--) {
        void *swapped = items[0];
        items[0] = items[end];
        items[end] = swapped;
        sift_down(items, 0, end, compare);
    }
}

static int record_changed(const Account *account) {
    // A change of incarnation comes with one of nonce or code.
    return account->nonce != account->nonce_before || account->code != account->code_before;
}

static Code *new_codes[CODES];

// The code that the state does not hold yet, each once.
static u32 collect_new_codes(void) {
    u32 count = 0;
    for (u32 i = 0; i < changed_account_count; i++) {
        const Account *account = changed_accounts[i];
        Code *code = account->code;
        if (!code || code == account->code_before || code->stored) continue;
        CHANGE(code->stored, 1);
        new_codes[count++] = code;
    }
    return count;
}

static u8 *pack_writes(u8 *at) {
    u32 new_code_count = collect_new_codes(), count = new_code_count, slots_written = 0;
    for (u32 i = 0; i < changed_slot_count; i++) {
        Slot *slot = changed_slots[i];
        if (!equal(&slot->value, &slot->before)) changed_slots[slots_written++] = slot;
    }
    count += slots_written;
    for (u32 i = 0; i < changed_account_count; i++) {
        const Account *account = changed_accounts[i];
        count += (u32)!equal(&account->balance, &account->balance_before) + (u32)record_changed(account);
    }
    sort((void **)changed_accounts, changed_account_count, compare_accounts);
    sort((void **)new_codes, new_code_count, compare_codes);
    sort((void **)changed_slots, slots_written, compare_slots);

    at = pack_map(at, count);
    for (u32 i = 0; i < changed_account_count; i++) {
        const Account *account = changed_accounts[i];
        if (equal(&account->balance, &account->balance_before)) continue;
        at = pack_ledger_key(at, account);
        at = pack_word(at, &account->balance);
    }
    for (u32 i = 0; i < changed_account_count; i++) {
        const Account *account = changed_accounts[i];
        if (!record_changed(account)) continue;
        at = pack_record_key(at, account);
        at = pack_record(at, account->nonce, account->incarnation, account->code);
    }
    for (u32 i = 0; i < new_code_count; i++) {
        at = pack_code_key(at, new_codes[i]);
        at = pack_bytes(at, new_codes[i]->bytes, new_codes[i]->size);
    }
    for (u32 i = 0; i < slots_written; i++) {
        at = pack_slot_key(at, changed_slots[i]);
        at = pack_word(at, &changed_slots[i]->value);
    }
    return at;
}

// Coin that there is no more: base fees, blob fees, and what went with destroyed contracts.
static U256 burned(void) {
    U256 sum = U256_ZERO;
    for (u32 i = 0; i < changed_account_count; i++) {
        sum = add(&sum, &changed_accounts[i]->balance_before);
        sum = subtract(&sum, &changed_accounts[i]->balance);
    }
    return sum;
}

static u64 room_needed(void) {
    u64 needed = RESULT_OVERHEAD_BYTES + (u64)return_data_size + log_size;
    needed += (u64)changed_account_count * ACCOUNT_WRITE_BYTES + (u64)changed_slot_count * SLOT_WRITE_BYTES;
    for (u32 i = 0; i < changed_account_count; i++)
        if (changed_accounts[i]->code) needed += changed_accounts[i]->code->size + 48;
    return needed;
}

// 0 where there is no room; nothing is packed then.
static int pack_result(void) {
    if (room_needed() > RESULT_BYTES - result_size) return 0;
    int succeeded = outermost_outcome == STOPPED;
    u8 *at = result_region + result_size;
    at = pack_array(at, 8);
    at = pack_integer(at, outermost_outcome);
    at = pack_integer(at, settlement.gas_used);
    at = pack_integer(at, settlement.gas_refunded);
    at = pack_bytes(at, return_data, return_data_size);
    at = pack_array(at, log_count);
    copy_bytes(at, log_region, log_size);
    at += log_size;
    U256 lost = burned();
    at = pack_writes(at);
    u8 bytes[32];
    u32 size = store_short(bytes, &lost);
    at = pack_bytes(at, bytes, size);
    if (succeeded && (input.header->flags & CREATES))
        at = pack_bytes(at, recipient->address.bytes, 20);
    else
        at = pack_nil(at);
    result_size = (u32)(at - result_region);
    result_count++;
    return 1;
}
