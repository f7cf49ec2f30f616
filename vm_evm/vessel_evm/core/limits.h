// How much of everything there is room for. The regions are address space, not memory: a page that
// was never touched costs nothing.
//
// A transaction that starts with an empty cache and still fills one of the regions runs out of gas.
// So the sizes are rules of the chain, as the gas schedule is; what each would cost is beside it.
#pragma once
#include "types.h"

#define CALL_DEPTH 1024  // frames below the outermost

#define STACK_WORDS 1024
#define FRAME_MEMORY_BYTES (64u << 20)  // 8.2e9 gas
#define MEMORY_REGION_BYTES (2u << 30)   // of all open frames; 1e9 gas and 1024 frames deep
#define ACCOUNTS (1u << 18)             // 6e8 gas (cold access)
#define SLOTS (1u << 20)                // 1e8 gas (TSTORE)
#define CODES (1u << 17)
#define ACCOUNT_CHAINS (1u << 15)
#define SLOT_CHAINS (1u << 17)
#define CODE_CHAINS (1u << 13)
#define CODE_BYTES (256u << 20)
#define JOURNAL_ENTRIES (2u << 20)  // 1e8 gas (TSTORE, TLOAD)
#define LOG_BYTES (64u << 20)       // 5e8 gas
#define RESULT_BYTES (160u << 20)
#define RESULT_FLUSH_BYTES (24u << 20)  // a batch is cut here
#define INPUT_BYTES (48u << 20)
#define ANSWER_BYTES (48u << 20)
#define REQUESTS (1u << 14)
#define ASSUMPTIONS 8192
#define BATCH 8192  // transactions
