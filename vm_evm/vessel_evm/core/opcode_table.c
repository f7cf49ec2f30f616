// What is checked before an instruction runs: the part of its gas that does not depend on anything, and
// the height of the stack. Instructions whose whole price depends on operands have 0 here.
#pragma once
#include "opcode.h"
#include "storage.c"

typedef struct {
    i64 gas;
    u16 pops;   // words it needs
    u16 limit;  // most words that may be there
    u32 range;  // limit - pops: one comparison for both
} Instruction;

#define UNDEFINED 0xffff

static Instruction instructions[256];

static void define(u32 opcode, u32 gas, u32 pops, u32 pushes) {
    u32 limit = pushes > pops ? STACK_WORDS - (pushes - pops) : STACK_WORDS;
    instructions[opcode] = (Instruction){gas, (u16)pops, (u16)limit, limit - pops};
}

static void define_range(u32 first, u32 last, u32 gas, u32 pops, u32 pushes) {
    for (u32 opcode = first; opcode <= last; opcode++) define(opcode, gas, pops, pushes);
}

static void define_instructions(void) {
    for (u32 i = 0; i < 256; i++) instructions[i] = (Instruction){0, UNDEFINED, 0, 0};
    for (u32 i = 0; i < 256; i++) instructions[i].range = 0;

    define(STOP, 0, 0, 0);
    define(ADD, 3, 2, 1);
    define(MUL, 5, 2, 1);
    define(SUB, 3, 2, 1);
    define_range(DIV, SMOD, 5, 2, 1);
    define_range(ADDMOD, MULMOD, 8, 3, 1);
    define(EXP, 10, 2, 1);
    define(SIGNEXTEND, 5, 2, 1);
    define_range(LT, EQ, 3, 2, 1);
    define(ISZERO, 3, 1, 1);
    define_range(AND, XOR, 3, 2, 1);
    define(NOT, 3, 1, 1);
    define_range(BYTE, SAR, 3, 2, 1);
    if (rules[HAS_COUNT_ZEROS]) define(CLZ, 5, 1, 1);
    define(KECCAK256, 30, 2, 1);

    define(ADDRESS, 2, 0, 1);
    define(BALANCE, 0, 1, 1);
    define_range(ORIGIN, CALLVALUE, 2, 0, 1);
    define(CALLDATALOAD, 3, 1, 1);
    define(CALLDATASIZE, 2, 0, 1);
    define(CALLDATACOPY, 3, 3, 0);
    define(CODESIZE, 2, 0, 1);
    define(CODECOPY, 3, 3, 0);
    define(GASPRICE, 2, 0, 1);
    define(EXTCODESIZE, 0, 1, 1);
    define(EXTCODECOPY, 0, 4, 0);
    define(RETURNDATASIZE, 2, 0, 1);
    define(RETURNDATACOPY, 3, 3, 0);
    define(EXTCODEHASH, 0, 1, 1);
    define(BLOCKHASH, 20, 1, 1);
    define_range(COINBASE, CHAINID, 2, 0, 1);
    define(SELFBALANCE, 5, 0, 1);
    if (rules[HAS_BASE_FEE]) define(BASEFEE, 2, 0, 1);
    if (rules[HAS_BLOB_INSTRUCTIONS]) {
        define(BLOBHASH, 3, 1, 1);
        define(BLOBBASEFEE, 2, 0, 1);
    }

    define(POP, 2, 1, 0);
    define(MLOAD, 3, 1, 1);
    define_range(MSTORE, MSTORE8, 3, 2, 0);
    define(SLOAD, 0, 1, 1);
    define(SSTORE, 0, 2, 0);
    define(JUMP, 8, 1, 0);
    define(JUMPI, 10, 2, 0);
    define_range(PC, GAS, 2, 0, 1);
    define(JUMPDEST, 1, 0, 0);
    if (rules[HAS_TRANSIENT_STORAGE]) {
        define(TLOAD, 100, 1, 1);
        define(TSTORE, 100, 2, 0);
    }
    if (rules[HAS_MEMORY_COPY]) define(MCOPY, 3, 3, 0);
    if (rules[HAS_PUSH0]) define(PUSH0, 2, 0, 1);
    define_range(PUSH1, PUSH32, 3, 0, 1);
    for (u32 i = 0; i < 16; i++) {
        define(DUP1 + i, 3, i + 1, i + 2);
        define(SWAP1 + i, 3, i + 2, i + 2);
    }
    for (u32 i = 0; i <= 4; i++) define(LOG0 + i, 375, i + 2, 0);

    define(OP_CREATE, 32000, 3, 1);
    define(OP_CALL, 0, 7, 1);
    define(OP_CALLCODE, 0, 7, 1);
    define(RETURN, 0, 2, 0);
    define(OP_DELEGATECALL, 0, 6, 1);
    define(OP_CREATE2, 32000, 4, 1);
    define(OP_STATICCALL, 0, 6, 1);
    define(REVERT, 0, 2, 0);
    define(SELFDESTRUCT, GAS_SELF_DESTRUCT, 1, 0);
}

// Which of the checks failed, in the order in which they count.
NOINLINE enum Outcome why_not(u8 opcode, i64 gas, u32 height) {
    const Instruction *instruction = &instructions[opcode];
    if (instruction->pops == UNDEFINED) return INVALID_INSTRUCTION;
    if (gas < 0) return OUT_OF_GAS;
    if (opcode == SSTORE && gas <= GAS_CALL_STIPEND) return OUT_OF_GAS;  // EIP-2200: looked at first
    return height < instruction->pops ? STACK_UNDERFLOW : STACK_OVERFLOW;
}
