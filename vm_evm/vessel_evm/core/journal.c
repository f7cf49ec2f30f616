// The one undo list: of whatever changes, the bytes that were there. To take back everything since a
// mark is to put them back in reverse; nothing else in the core knows how to undo.
#pragma once
#include "limits.h"
#include "u256.h"

typedef struct {
    void *at;
    u32 size;  // 1, 4, 8 or 32
    U256 before;
} JournalEntry;

static JournalEntry journal[JOURNAL_ENTRIES];
static u32 journal_size;
static int region_full;  // set where any region overflows; the transaction is then given up

INLINE void save_bytes(void *at, u32 size) {
    if (UNLIKELY(journal_size == JOURNAL_ENTRIES)) {
        region_full = 1;
        return;
    }
    JournalEntry *entry = &journal[journal_size++];
    entry->at = at;
    entry->size = size;
    switch (size) {
        case 4: copy_bytes(&entry->before, at, 4); break;
        case 8: copy_bytes(&entry->before, at, 8); break;
        default: copy_bytes(&entry->before, at, 32); break;
    }
}

#define SAVE(field) save_bytes(&(field), sizeof(field))
#define CHANGE(field, value)   \
    do {                       \
        SAVE(field);           \
        (field) = (value);     \
    } while (0)

NOINLINE void undo_to(u32 mark) {
    while (journal_size > mark) {
        JournalEntry *entry = &journal[--journal_size];
        switch (entry->size) {
            case 4: copy_bytes(entry->at, &entry->before, 4); break;
            case 8: copy_bytes(entry->at, &entry->before, 8); break;
            default: copy_bytes(entry->at, &entry->before, 32); break;
        }
    }
}
