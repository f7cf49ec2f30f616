// Accounts and slots as the transaction at hand sees them: a cache of the host's state and the place
// where changes are made. Entries never move while a transaction runs, so pointers to them hold.
#pragma once
#include "code.c"

typedef struct Account {
    Address address;
    // What is known. An entry of another epoch is only a place to keep the marks below.
    u32 record_epoch;   // nonce, incarnation, code
    u32 balance_epoch;  // balance: others may move coin between two batches
    u32 incarnation;
    u64 nonce;
    Code *code;  // NULL: none
    U256 balance;
    // Marks hold a transaction's number: they need no clearing.
    u32 warm;       // accessed (EIP-2929)
    u32 created;    // by CREATE, CREATE2 or a creating transaction
    u32 destroyed;  // by SELFDESTRUCT, when the transaction ends
    u32 changed;    // … and what was there before is kept here:
    u64 nonce_before;
    Code *code_before;
    U256 balance_before;
    struct Account *next;
} Account;

typedef struct Slot {
    U256 key;
    U256 value;
    U256 before;  // of the transaction, where it has changed
    U256 transient;
    Account *account;
    u32 incarnation;
    u32 epoch;      // of value
    u32 warm;       // marks, as above
    u32 changed;
    u32 transient_in;
    struct Slot *next;
} Slot;

static Account accounts[ACCOUNTS];
static u32 account_count;
static Account *account_chains[ACCOUNT_CHAINS];

static Slot slots[SLOTS];
static u32 slot_count;
static Slot *slot_chains[SLOT_CHAINS];

static u32 balance_epoch = 1;
static u32 transaction_number = 1;

// What the transaction has changed, in the order of the first change.
static Account *changed_accounts[ACCOUNTS];
static u32 changed_account_count;
static Slot *changed_slots[SLOTS];
static u32 changed_slot_count;

INLINE Account **account_chain(const Address *address) {
    const u8 *bytes = address->bytes;
    return &account_chains[spread(load64(bytes), load64(bytes + 8), load32(bytes + 16)) % ACCOUNT_CHAINS];
}

INLINE Slot **slot_chain(const Account *account, u32 incarnation, const U256 *key) {
    u32 place = (u32)(account - accounts);
    return &slot_chains[spread(key->limb[0] ^ place, key->limb[1] ^ key->limb[2], key->limb[3] + incarnation) %
                        SLOT_CHAINS];
}

static Account *find_account(const Address *address) {
    Account **chain = account_chain(address);
    for (Account *account = *chain; account; account = account->next)
        if (same_address(&account->address, address)) return account;
    if (account_count == ACCOUNTS) {
        region_full = 1;
        return &accounts[0];
    }
    Account *account = &accounts[account_count++];
    *account = (Account){.address = *address, .next = *chain};
    *chain = account;
    return account;
}

static Slot *find_slot(Account *account, const U256 *key) {
    Slot **chain = slot_chain(account, account->incarnation, key);
    for (Slot *slot = *chain; slot; slot = slot->next)
        if (slot->account == account && equal(&slot->key, key) && slot->incarnation == account->incarnation)
            return slot;
    if (slot_count == SLOTS) {
        region_full = 1;
        return &slots[0];
    }
    Slot *slot = &slots[slot_count++];
    *slot = (Slot){.key = *key, .account = account, .incarnation = account->incarnation, .next = *chain};
    *chain = slot;
    return slot;
}

// ---- changes; every one is journalled

static void note_change(Account *account) {
    if (account->changed == transaction_number) return;
    account->changed = transaction_number;
    account->nonce_before = account->nonce;
    account->code_before = account->code;
    account->balance_before = account->balance;
    changed_accounts[changed_account_count++] = account;
}

static void set_balance(Account *account, const U256 *balance) {
    note_change(account);
    CHANGE(account->balance, *balance);
}

static void credit(Account *account, const U256 *amount) {
    U256 sum = add(&account->balance, amount);
    set_balance(account, &sum);
}

static void debit(Account *account, const U256 *amount) {  // the caller has checked that it is there
    U256 rest = subtract(&account->balance, amount);
    set_balance(account, &rest);
}

static void set_nonce(Account *account, u64 nonce) {
    note_change(account);
    CHANGE(account->nonce, nonce);
}

static void set_code(Account *account, Code *code) {
    note_change(account);
    CHANGE(account->code, code);
}

static void set_slot(Slot *slot, const U256 *value) {
    if (slot->changed != transaction_number) {
        slot->changed = transaction_number;
        slot->before = slot->value;
        changed_slots[changed_slot_count++] = slot;
    }
    CHANGE(slot->value, *value);
}

INLINE const U256 *value_before(const Slot *slot) {
    return slot->changed == transaction_number ? &slot->before : &slot->value;
}

static void set_transient(Slot *slot, const U256 *value) {
    if (slot->transient_in != transaction_number) {
        CHANGE(slot->transient_in, transaction_number);
        slot->transient = U256_ZERO;
    }
    CHANGE(slot->transient, *value);
}

INLINE U256 get_transient(const Slot *slot) {
    return slot->transient_in == transaction_number ? slot->transient : U256_ZERO;
}

// ---- questions

INLINE int has_code_or_nonce(const Account *account) { return account->nonce != 0 || account->code != NULL; }

// EIP-161: an account is dead where it has neither nonce, code nor coin.
INLINE int is_alive(const Account *account) {
    return has_code_or_nonce(account) || !is_zero(&account->balance);
}

// ---- the access sets (EIP-2929)

// Precompiles carry the mark ALWAYS, which no transaction's number reaches.
#define ALWAYS 0xffffffffu
INLINE int account_is_warm(const Account *account) { return account->warm >= transaction_number; }
INLINE int slot_is_warm(const Slot *slot) { return slot->warm == transaction_number; }

INLINE void warm_account(Account *account) {
    if (!account_is_warm(account)) CHANGE(account->warm, transaction_number);
}

INLINE void warm_slot(Slot *slot) {
    if (!slot_is_warm(slot)) CHANGE(slot->warm, transaction_number);
}

// ---- the cache

static void forget_everything(u64 seed) {
    // Only the chains that are in use are touched: most often there are few.
    for (u32 i = 0; i < account_count; i++) *account_chain(&accounts[i].address) = NULL;
    for (u32 i = 0; i < slot_count; i++)
        *slot_chain(slots[i].account, slots[i].incarnation, &slots[i].key) = NULL;
    for (u32 i = 0; i < code_count; i++) *code_chain(&codes[i].hash) = NULL;
    account_count = slot_count = code_count = code_region_used = 0;
    hash_seed = seed | 1;
    cache_epoch++;
    balance_epoch++;
}
