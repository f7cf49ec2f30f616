// The gas schedule as it is in every fork here (Yellow Paper, appendix G, as of EIP-2929). What
// changed from fork to fork is in rules.c.
#pragma once

#define GAS_COLD_SLOAD 2100
#define GAS_COLD_ACCOUNT 2600
#define GAS_WARM_ACCESS 100

#define GAS_STORAGE_SET 20000
#define GAS_STORAGE_UPDATE 5000
#define GAS_CALL_STIPEND 2300  // SSTORE must leave more than this (EIP-2200)

#define GAS_CALL_VALUE 9000
#define GAS_NEW_ACCOUNT 25000
#define GAS_SELF_DESTRUCT 5000

#define GAS_MEMORY_WORD 3
#define MEMORY_QUADRATIC_DIVISOR 512
#define GAS_COPY_WORD 3
#define GAS_KECCAK_WORD 6
#define GAS_EXP_BYTE 50
#define GAS_LOG_TOPIC 375
#define GAS_LOG_BYTE 8
#define GAS_INIT_CODE_WORD 2
#define GAS_CODE_DEPOSIT_BYTE 200

#define REFUND_STORAGE_SET 19900     // back to zero in the transaction that set it: 20000 - 100
#define REFUND_STORAGE_UPDATE 2800   // back to what it was: 5000 - 2100 - 100
#define REFUND_AUTHORITY 12500       // an authority that was there already (EIP-7702)
