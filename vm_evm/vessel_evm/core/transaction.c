// One transaction, in stages that can each be left for want of a value and entered again: within a
// stage everything is looked up first, and nothing is changed before all of it is known.
// Yellow Paper, section 6.2; EIP-1559, EIP-2930, EIP-3651, EIP-4844, EIP-7702.
#pragma once
#include "input.c"

enum Stage { LOOK_UP, RESOLVE, EXECUTE, AWAIT_PRECOMPILE, SETTLE };

static enum Stage stage;
static Account *sender, *recipient, *coinbase;
static enum Outcome outermost_outcome;

enum Verdict { GOES_ON, LACKS, REFUSED_NOW };

static int lacks_access_list(void) {
    int lacks = 0;
    const u8 *at = input.access_list;
    for (u32 i = 0; i < input.header->access_count; i++) {
        const InputAccess *access = (const InputAccess *)at;
        Account *account = find_account(&access->address);
        at += sizeof(InputAccess);
        if (lacks_account(account))
            lacks = 1;
        else
            for (u32 j = 0; j < access->slot_count; j++) {
                U256 key = load_word(at + 32 * j);
                Slot *slot = find_slot(account, &key);
                if (slot->epoch != cache_epoch) lacks |= request(WANTS_SLOT, slot);
            }
        at += 32 * access->slot_count;
    }
    return lacks;
}

// Everything that can be foreseen, asked for together.
static int lacks_anything_foreseen(void) {
    const Header *header = input.header;
    sender = find_account(&header->sender);
    coinbase = find_account(&block.coinbase_address);
    if (header->flags & SYSTEM_CALL) {
        recipient = find_account(&header->to);
        return lacks_account_and_code(recipient);
    }
    int lacks = lacks_account(sender) | lacks_account(coinbase) | lacks_access_list();
    if (!(header->flags & CREATES)) {
        recipient = find_account(&header->to);
        lacks |= lacks_account_and_code(recipient);
    } else if (sender->record_epoch == cache_epoch) {
        Address address = address_by_nonce(&header->sender, sender->nonce);
        recipient = find_account(&address);
        lacks |= lacks_account(recipient);
    }
    for (u32 i = 0; i < header->authorization_count; i++) {
        Account *authority = find_account(&input.authorizations[i].authority);
        lacks |= lacks_account(authority) || lacks_code(authority->code);
    }
    return lacks || lacks_code(sender->code);
}

// Whether the transaction can be included in this block after those before it. The driver's own checks
// find out why not, and say it in words.
static int can_be_included(u64 gas_available) {
    const Header *header = input.header;
    U256 max_cost = load_little_endian(header->max_cost);
    if (header->gas_limit > gas_available || sender->nonce != header->nonce) return 0;
    if (less(&sender->balance, &max_cost)) return 0;
    return !sender->code || delegate_of(sender->code) != NULL;  // EIP-3607
}

static void warm_what_is_named(void) {
    warm_account(sender);
    warm_account(recipient);
    if (rules[WARMS_COINBASE]) warm_account(coinbase);
    const u8 *at = input.access_list;
    for (u32 i = 0; i < input.header->access_count; i++) {
        const InputAccess *access = (const InputAccess *)at;
        Account *account = find_account(&access->address);
        warm_account(account);
        at += sizeof(InputAccess);
        for (u32 j = 0; j < access->slot_count; j++, at += 32) {
            U256 key = load_word(at);
            warm_slot(find_slot(account, &key));
        }
    }
}

// EIP-7702. A refusal of one authorization is no refusal of the transaction.
static void set_delegations(void) {
    for (u32 i = 0; i < input.header->authorization_count; i++) {
        const InputAuthorization *authorization = &input.authorizations[i];
        Account *authority = find_account(&authorization->authority);
        warm_account(authority);
        if (authority->code && !delegate_of(authority->code)) continue;
        if (authority->nonce != authorization->nonce) continue;
        if (is_alive(authority)) refund_counter += REFUND_AUTHORITY;
        static const Address nobody;
        if (same_address(&authorization->delegate, &nobody)) {
            set_code(authority, NULL);
        } else {
            u8 designator[DELEGATION_BYTES] = {0xef, 0x01, 0x00};
            copy_bytes(designator + 3, &authorization->delegate, 20);
            set_code(authority, make_code(designator, DELEGATION_BYTES));
        }
        set_nonce(authority, authority->nonce + 1);
    }
}

static U256 times(const U256 *price, u64 gas) {
    U256 amount = u256(gas);
    return multiply(price, &amount);
}

static void pay_in_advance(void) {
    refund_counter = 0;
    log_size = log_count = 0;
    if (input.header->flags & SYSTEM_CALL) return;
    warm_what_is_named();
    set_nonce(sender, sender->nonce + 1);
    U256 gas_fee = times(&input.gas_price, input.header->gas_limit);
    debit(sender, &gas_fee);
    debit(sender, &input.blob_fee);
    set_delegations();
}

// The outermost frame. Its value is transferred inside of it, so that a failure takes it back.
static enum Outcome open_outermost(void) {
    Frame *f = frame = frames;
    u8 *memory = &__heap_base + (-(__SIZE_TYPE__)&__heap_base & 31);
    f->stack = f->sp = stack_region;
    f->memory = memory;
    f->memory_size = 0;
    f->memory_cost = 0;
    f->gas = (i64)(input.header->gas_limit - input.header->intrinsic_gas);
    f->kind = FRAME_CALL;
    f->is_static = 0;
    f->self = recipient;
    f->caller = environment.origin;
    f->value = input.value;
    f->input = input.data;
    f->input_size = input.header->data_size;
    f->journal_mark = journal_size;
    f->log_mark = log_size;
    f->log_count_mark = log_count;
    f->refund_mark = refund_counter;
    f->output_size = 0;
    f->created = NULL;
    return_data_size = 0;
    run_code(f, NULL);
    if (input.header->flags & CREATES) {
        if (has_code_or_nonce(recipient)) {
            f->gas = 0;
            return ADDRESS_TAKEN;
        }
        start_creation(f, memory, input.data, input.header->data_size, recipient);
    }
    if (!is_zero(&input.value)) {
        debit(sender, &input.value);
        credit(recipient, &input.value);
    }
    if (input.header->flags & CREATES) return FRAME_OPENED;
    u32 number = precompile_at(&recipient->address);
    if (number) {
        precompile.is_outermost = 1;
        precompile.journal_mark = f->journal_mark;
        return start_precompile(number, input.data, input.header->data_size, f->gas);
    }
    const Address *named = rules[HAS_DELEGATIONS] ? delegate_of(recipient->code) : NULL;
    if (named) {
        Account *delegate = find_account(named);
        warm_account(delegate);
        run_code(f, delegate->code);
    } else {
        run_code(f, recipient->code);
    }
    return FRAME_OPENED;
}

// Account for the gas (Yellow Paper, equations 73 to 78), and destroy what destroyed itself.
static struct {
    u64 gas_used, gas_refunded;
} settlement;

static void settle(void) {
    const Header *header = input.header;
    u64 spent = header->gas_limit - (u64)frames[0].gas, refund = (u64)refund_counter;
    if (refund > spent / rules[REFUND_QUOTIENT]) refund = spent / rules[REFUND_QUOTIENT];
    u64 used = spent - refund;
    if (used < header->floor_gas) used = header->floor_gas;
    settlement.gas_used = used;
    settlement.gas_refunded = refund;
    if (!(header->flags & SYSTEM_CALL)) {
        U256 back = times(&input.gas_price, header->gas_limit - used), tip = input.gas_price;
        credit(sender, &back);
        if (less(&block.base_fee, &tip))
            tip = subtract(&tip, &block.base_fee);
        else
            tip = U256_ZERO;
        tip = times(&tip, used);
        if (!is_zero(&tip)) credit(coinbase, &tip);
    }
    for (u32 i = 0; i < changed_account_count; i++) {
        Account *account = changed_accounts[i];
        if (account->destroyed != transaction_number) continue;
        // What had a record may have slots: its next incarnation must not see them.
        int had_state = account->nonce_before != 0 || account->code_before != NULL;
        set_balance(account, &U256_ZERO);
        set_nonce(account, 0);
        set_code(account, NULL);
        if (had_state) CHANGE(account->incarnation, account->incarnation + 1);
    }
    for (u32 i = 0; i < changed_slot_count; i++) {
        Slot *slot = changed_slots[i];
        if (slot->account->destroyed == transaction_number) CHANGE(slot->value, slot->before);
    }
}

// Whether the state holds the code that the transaction leaves must be known: it is written once only.
static int lacks_knowledge_of_new_code(void) {
    int lacks = 0;
    for (u32 i = 0; i < changed_account_count; i++) {
        Code *code = changed_accounts[i]->code;
        if (code && code != changed_accounts[i]->code_before) lacks |= lacks_knowledge_of(code);
    }
    return lacks;
}

static void begin_transaction(const u8 *at) {
    transaction_number++;
    changed_account_count = changed_slot_count = 0;
    read_input(at);
    stage = LOOK_UP;
}

// Give the transaction up where a region is full although the cache was empty: a rule, see limits.h.
static void run_out_of_room(void) {
    region_full = 0;
    undo_to(frames[0].journal_mark);
    log_size = frames[0].log_mark;
    log_count = frames[0].log_count_mark;
    refund_counter = frames[0].refund_mark;
    frame = frames;
    frames[0].gas = 0;
    return_data_size = 0;
    outermost_outcome = REGION_FULL;
    stage = SETTLE;
}

// Work until the transaction has ended (STOPPED: it is to be packed), or cannot go on.
static enum Outcome run_transaction(u64 gas_available, enum Verdict *verdict) {
    *verdict = GOES_ON;
    if (stage == LOOK_UP) {
        if (lacks_anything_foreseen()) return LACKING;
        if ((input.header->flags & CHECKED) && !can_be_included(gas_available)) {
            *verdict = REFUSED_NOW;
            return LACKING;
        }
        pay_in_advance();
        stage = RESOLVE;
    }
    if (stage == RESOLVE) {
        // The authorizations may have changed whose code it is.
        if (!(input.header->flags & CREATES) && lacks_account_and_code(recipient)) return LACKING;
        outermost_outcome = open_outermost();
        if (region_full) return REGION_FULL;
        stage = outermost_outcome == FRAME_OPENED    ? EXECUTE
                : outermost_outcome == ADDRESS_TAKEN ? SETTLE
                                                     : AWAIT_PRECOMPILE;
        if (outermost_outcome == PRECOMPILE) return PRECOMPILE;
    }
    if (stage == EXECUTE) {
        enum Outcome outcome = interpret();
        if (outcome >= LACKING || outcome == REGION_FULL) return outcome;
        outermost_outcome = outcome;
        stage = SETTLE;
    }
    if (stage == AWAIT_PRECOMPILE) {
        outermost_outcome = precompile.outcome;
        stage = SETTLE;
    }
    if (lacks_knowledge_of_new_code()) return LACKING;
    settle();
    return region_full ? REGION_FULL : STOPPED;
}
