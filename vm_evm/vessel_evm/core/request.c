// What the core lacks: it collects requests, returns NEED, and is given the answers in their order.
//
// Within a batch what is not known may be *assumed* to be absent where that is likely (a slot, the account
// at a new contract's address, a new contract's code), so that a whole batch can run before anything is
// asked. Assumptions are checked before a result is given out; where one was wrong, everything from the
// transaction that made it on is done again (see batch.c).
#pragma once
#include "state_key.c"

enum RequestKind { WANTS_RECORD = 1, WANTS_BALANCE, WANTS_SLOT, WANTS_CODE };

typedef struct {
    enum RequestKind kind;
    void *entry;
} Request;

typedef struct {
    Request wanted;
    u32 transaction;  // its place in the batch
} Assumption;

static Request requests[REQUESTS];
static u32 request_count;
static Assumption assumptions[ASSUMPTIONS];
static u32 assumption_count;
static int may_assume;
static u32 batch_position;  // of the transaction at hand
static u8 request_bytes[(REQUESTS + ASSUMPTIONS) * (SLOT_KEY_BYTES + 2) + 16];

static int request(enum RequestKind kind, void *entry) {
    if (request_count < REQUESTS) requests[request_count++] = (Request){kind, entry};
    return 1;
}

// Each asks for what is not known, and says whether that was so.

INLINE int lacks_balance(Account *account) {
    return account->balance_epoch == balance_epoch ? 0 : request(WANTS_BALANCE, account);
}

INLINE int lacks_record(Account *account) {
    return account->record_epoch == cache_epoch ? 0 : request(WANTS_RECORD, account);
}

static int lacks_account(Account *account) {
    int lacks = lacks_record(account);
    return lacks_balance(account) | lacks;
}

INLINE int lacks_code(Code *code) { return !code || code->bytes ? 0 : request(WANTS_CODE, code); }

static void install(const Request *wanted, const u8 *value, u32 size);

// Take it as absent for now, where that is allowed; otherwise ask.
NOINLINE int assume_or_request(enum RequestKind kind, void *entry) {
    if (!may_assume || assumption_count == ASSUMPTIONS) return request(kind, entry);
    Request wanted = {kind, entry};
    assumptions[assumption_count++] = (Assumption){wanted, batch_position};
    install(&wanted, NULL, 0);
    return 0;
}

INLINE int lacks_slot(Slot *slot) {
    return slot->epoch == cache_epoch ? 0 : assume_or_request(WANTS_SLOT, slot);
}

// An account that is most likely nobody's.
static int lacks_new_account(Account *account) {
    int lacks = account->record_epoch == cache_epoch ? 0 : assume_or_request(WANTS_RECORD, account);
    if (account->balance_epoch != balance_epoch) lacks |= assume_or_request(WANTS_BALANCE, account);
    return lacks;
}

// Whether the state holds code that a transaction made.
static int lacks_knowledge_of(Code *code) {
    return code->stored_epoch == cache_epoch ? 0 : assume_or_request(WANTS_CODE, code);
}

// The account, its code, and where that is a delegation, the code it points to.
static int lacks_account_and_code(Account *account) {
    if (lacks_account(account)) return 1;
    if (lacks_code(account->code)) return 1;
    const Address *delegate = delegate_of(account->code);
    if (!delegate) return 0;
    Account *target = find_account(delegate);
    return lacks_record(target) || lacks_code(target->code);
}

static u8 *pack_request(u8 *at, const Request *wanted) {
    switch (wanted->kind) {
        case WANTS_RECORD: return pack_record_key(at, wanted->entry);
        case WANTS_BALANCE: return pack_ledger_key(at, wanted->entry);
        case WANTS_SLOT: return pack_slot_key(at, wanted->entry);
        default: return pack_code_key(at, wanted->entry);
    }
}

// An array of keys: first the assumptions, then the requests. Returns its size in bytes.
static u32 pack_requests(void) {
    u8 *at = pack_array(request_bytes, assumption_count + request_count);
    for (u32 i = 0; i < assumption_count; i++) at = pack_request(at, &assumptions[i].wanted);
    for (u32 i = 0; i < request_count; i++) at = pack_request(at, &requests[i]);
    return (u32)(at - request_bytes);
}

static void install(const Request *wanted, const u8 *value, u32 size) {
    switch (wanted->kind) {
        case WANTS_RECORD: unpack_record(wanted->entry, value, size); break;
        case WANTS_BALANCE: {
            Account *account = wanted->entry;
            account->balance = load_short(value, size);
            account->balance_epoch = balance_epoch;
            break;
        }
        case WANTS_SLOT: {
            Slot *slot = wanted->entry;
            slot->value = load_short(value, size);
            slot->epoch = cache_epoch;
            break;
        }
        case WANTS_CODE: {
            Code *code = wanted->entry;
            code->stored_epoch = cache_epoch;
            code->stored = value != NULL;
            if (value) load_code(code, value, size);
            break;
        }
    }
}
