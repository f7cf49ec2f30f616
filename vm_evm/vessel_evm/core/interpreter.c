// The interpreter: one loop over all frames. Each instruction is written as the execution specs write
// it, stack, gas, operation; the fixed part of the gas and the height of the stack are checked above
// the switch by the table, the program counter has moved on before it.
//
// An instruction that lacks a value has not happened: the program counter and the fixed gas are put
// back, LACKING is returned, and after the answer it runs again from its beginning.
#pragma once
#include "opcode_table.c"
#include "u256_division.c"

#ifdef TRACING
static int stepping;       // stop before every instruction
static int step_granted;   // the one at hand has been shown
#define STEP 103
#endif

#define TOP(n) sp[-1 - (n)]

#define SAVE_REGISTERS() (f->sp = sp, f->gas = gas, f->pc = pc)
#define LOAD_REGISTERS() (f = frame, sp = f->sp, gas = f->gas, pc = f->pc)

// An instruction that is a function of its own, for it may lack values or touch another frame.
#define APART(call)                                 \
    {                                               \
        SAVE_REGISTERS();                           \
        outcome = call;                             \
        if (UNLIKELY(outcome != RUNNING || region_full)) goto left; \
        sp = f->sp;                                 \
        gas = f->gas;                               \
        continue;                                   \
    }

#define BINARY(expression)                       \
    {                                            \
        const U256 *a = &TOP(0), *b = &TOP(1);   \
        U256 result = expression;                \
        TOP(1) = result;                         \
        sp--;                                    \
        continue;                                \
    }

#define COMPARE(expression)                      \
    {                                            \
        const U256 *a = &TOP(0), *b = &TOP(1);   \
        u64 result = (u64)(expression);          \
        TOP(1) = u256(result);                   \
        sp--;                                    \
        continue;                                \
    }

#define BITWISE(operator)                                                     \
    {                                                                         \
        for (int i = 0; i < 4; i++) TOP(1).limb[i] = TOP(0).limb[i] operator TOP(1).limb[i]; \
        sp--;                                                                 \
        continue;                                                             \
    }

#define TERNARY(expression)                                          \
    {                                                                \
        const U256 *a = &TOP(0), *b = &TOP(1), *c = &TOP(2);         \
        U256 result = expression;                                    \
        TOP(2) = result;                                             \
        sp -= 2;                                                     \
        continue;                                                    \
    }

#define PUSH_WORD(expression)      \
    {                              \
        U256 pushed = expression;  \
        *sp++ = pushed;            \
        continue;                  \
    }

#define HALT(how)        \
    {                    \
        outcome = how;   \
        goto halted;     \
    }

// The gas of an instruction beyond its fixed part.
#define CHARGE(amount)                          \
    {                                           \
        gas -= (i64)(amount);                   \
        if (UNLIKELY(gas < 0)) HALT(OUT_OF_GAS); \
    }

// Have memory up to offset + size, where offset is a word and size is at most 32.
#define REACH(offset, size)                                                                  \
    if (UNLIKELY(!fits_u64(offset) || (offset)->limb[0] > FRAME_MEMORY_BYTES)) HALT(OUT_OF_GAS); \
    if (UNLIKELY((offset)->limb[0] + (size) > f->memory_size) &&                             \
        !expand_memory(f, (offset)->limb[0] + (size), &gas))                                 \
        HALT(OUT_OF_GAS);

INLINE int can_jump(const Frame *f, const U256 *target) {
    if (!fits_u64(target) || target->limb[0] >= f->code_size) return 0;
    u32 at = (u32)target->limb[0];
    return (f->jump_destinations[at >> 5] >> (at & 31)) & 1;
}

INLINE U256 load_operand(const u8 *pc, int size) {  // of PUSH: size bytes
    U256 value = U256_ZERO;
    int limb = 0;
    for (; size >= 8; size -= 8, limb++) value.limb[limb] = __builtin_bswap64(load64(pc + size - 8));
    if (size) {
        u64 rest = 0;
        for (int i = 0; i < size; i++) rest = rest << 8 | pc[i];
        value.limb[limb] = rest;
    }
    return value;
}

// Run the frame on top and all that it opens until the outermost ends, or something is lacking.
static enum Outcome interpret(void) {
    Frame *f;
    U256 *sp;
    i64 gas;
    const u8 *pc;
    enum Outcome outcome;
    u8 opcode;

    LOAD_REGISTERS();
    for (;;) {
#ifdef TRACING
        if (stepping && !step_granted) {
            SAVE_REGISTERS();
            return STEP;
        }
        step_granted = 0;
#endif
        opcode = *pc++;
        const Instruction *instruction = &instructions[opcode];
        gas -= instruction->gas;
        u32 height = (u32)(sp - f->stack);
        if (UNLIKELY(gas < 0 || height - instruction->pops > instruction->range))
            HALT(why_not(opcode, gas, height));

        switch (opcode) {
            // ---- arithmetic
            case STOP:
                return_data_size = 0;
                HALT(STOPPED)
            case ADD: BINARY(add(a, b))
            case MUL: BINARY(multiply(a, b))
            case SUB: BINARY(subtract(a, b))
            case DIV: BINARY(divide(a, b))
            case SDIV: BINARY(divide_signed(a, b))
            case MOD: BINARY(modulo(a, b))
            case SMOD: BINARY(modulo_signed(a, b))
            case ADDMOD: TERNARY(add_modulo(a, b, c))
            case MULMOD: TERNARY(multiply_modulo(a, b, c))
            case EXP:
                CHARGE(GAS_EXP_BYTE * ((bit_length(&TOP(1)) + 7) / 8))
                BINARY(power(a, b))
            case SIGNEXTEND: BINARY(sign_extend(a, b))

            // ---- comparison and bits
            case LT: COMPARE(less(a, b))
            case GT: COMPARE(less(b, a))
            case SLT: COMPARE(less_signed(a, b))
            case SGT: COMPARE(less_signed(b, a))
            case EQ: COMPARE(equal(a, b))
            case ISZERO:
                TOP(0) = u256((u64)is_zero(&TOP(0)));
                continue;
            case AND: BITWISE(&)
            case OR: BITWISE(|)
            case XOR: BITWISE(^)
            case NOT:
                TOP(0) = complement(&TOP(0));
                continue;
            case BYTE: {
                u64 at = saturate_u64(&TOP(0));
                u64 byte = at < 32 ? (TOP(1).limb[3 - (at >> 3)] >> (56 - 8 * (at & 7))) & 0xff : 0;
                TOP(1) = u256(byte);
                sp--;
                continue;
            }
            case SHL: BINARY(saturate_u64(a) < 256 ? shift_left(b, (u32)a->limb[0]) : U256_ZERO)
            case SHR: BINARY(saturate_u64(a) < 256 ? shift_right(b, (u32)a->limb[0]) : U256_ZERO)
            case SAR: BINARY(shift_right_signed(b, a))
            case CLZ:
                TOP(0) = u256(256 - bit_length(&TOP(0)));
                continue;

            case KECCAK256: {
                Part part;
                if (!read_part(&TOP(0), &TOP(1), &part)) HALT(OUT_OF_GAS);
                CHARGE(GAS_KECCAK_WORD * ((part.size + 31) / 32))
                if (!reach_part(f, &part, &gas)) HALT(OUT_OF_GAS);
                Hash hash = keccak(f->memory + part.offset, part.size);
                TOP(1) = word_of_hash(&hash);
                sp--;
                continue;
            }

            // ---- the frame and what is around it
            case ADDRESS: PUSH_WORD(word_of_address(&f->self->address))
            case BALANCE: APART(op_balance(f))
            case ORIGIN: PUSH_WORD(environment.origin)
            case CALLER: PUSH_WORD(f->caller)
            case CALLVALUE: PUSH_WORD(f->value)
            case CALLDATALOAD: {
                U256 *offset = &TOP(0);
                if (fits_u64(offset) && offset->limb[0] + 32 <= f->input_size && offset->limb[0] < ~31ull) {
                    *offset = load_word(f->input + offset->limb[0]);
                } else {
                    u8 word[32];
                    copy_padded(word, 32, f->input, f->input_size, offset);
                    *offset = load_word(word);
                }
                continue;
            }
            case CALLDATASIZE: PUSH_WORD(u256(f->input_size))
            case CALLDATACOPY:
                SAVE_REGISTERS();
                outcome = copy_to_memory(f, sp, f->input, f->input_size, gas);
                if (outcome != RUNNING) goto halted;
                gas = f->gas;
                sp -= 3;
                continue;
            case CODESIZE: PUSH_WORD(u256(f->code_size))
            case CODECOPY:
                SAVE_REGISTERS();
                outcome = copy_to_memory(f, sp, f->code, f->code_size, gas);
                if (outcome != RUNNING) goto halted;
                gas = f->gas;
                sp -= 3;
                continue;
            case GASPRICE: PUSH_WORD(environment.gas_price)
            case EXTCODESIZE: APART(op_external_code_size(f))
            case EXTCODECOPY: APART(op_external_code_copy(f))
            case RETURNDATASIZE: PUSH_WORD(u256(return_data_size))
            case RETURNDATACOPY: APART(op_return_data_copy(f))
            case EXTCODEHASH: APART(op_external_code_hash(f))

            // ---- the block
            case BLOCKHASH:
                TOP(0) = recent_id(&TOP(0));
                continue;
            case COINBASE: PUSH_WORD(block.coinbase)
            case TIMESTAMP: PUSH_WORD(block.timestamp)
            case NUMBER: PUSH_WORD(block.number)
            case PREVRANDAO: PUSH_WORD(block.randomness)
            case GASLIMIT: PUSH_WORD(block.gas_limit)
            case CHAINID: PUSH_WORD(block.chain_id)
            case SELFBALANCE: APART(op_self_balance(f))
            case BASEFEE: PUSH_WORD(block.base_fee)
            case BLOBHASH:
                TOP(0) = blob_hash(&TOP(0));
                continue;
            case BLOBBASEFEE: PUSH_WORD(block.blob_base_fee)

            // ---- stack, memory, storage, jumps
            case POP:
                sp--;
                continue;
            case MLOAD: {
                U256 *offset = &TOP(0);
                REACH(offset, 32)
                *offset = load_word(f->memory + (u32)offset->limb[0]);
                continue;
            }
            case MSTORE: {
                const U256 *offset = &TOP(0);
                REACH(offset, 32)
                store_word(f->memory + (u32)offset->limb[0], &TOP(1));
                sp -= 2;
                continue;
            }
            case MSTORE8: {
                const U256 *offset = &TOP(0);
                REACH(offset, 1)
                f->memory[(u32)offset->limb[0]] = (u8)TOP(1).limb[0];
                sp -= 2;
                continue;
            }
            case SLOAD: APART(op_sload(f))
            case SSTORE: APART(op_sstore(f))
            case JUMP:
                if (!can_jump(f, &TOP(0))) HALT(INVALID_JUMP);
                pc = f->code + (u32)TOP(0).limb[0];
                sp--;
                continue;
            case JUMPI:
                if (!is_zero(&TOP(1))) {
                    if (!can_jump(f, &TOP(0))) HALT(INVALID_JUMP);
                    pc = f->code + (u32)TOP(0).limb[0];
                }
                sp -= 2;
                continue;
            case PC: PUSH_WORD(u256((u64)(pc - 1 - f->code)))
            case MSIZE: PUSH_WORD(u256(f->memory_size))
            case GAS: PUSH_WORD(u256((u64)gas))
            case JUMPDEST: continue;
            case TLOAD: APART(op_tload(f))
            case TSTORE: APART(op_tstore(f))
            case MCOPY: APART(op_memory_copy(f))

            case PUSH0: PUSH_WORD(U256_ZERO)
            case PUSH1: PUSH_WORD(u256(*pc++))
            case PUSH2: {
                u64 operand = (u64)pc[0] << 8 | pc[1];
                pc += 2;
                PUSH_WORD(u256(operand))
            }
            case PUSH4: {
                u64 operand = __builtin_bswap32(load32(pc));
                pc += 4;
                PUSH_WORD(u256(operand))
            }
            case PUSH20: {
                Address operand;
                copy_bytes(&operand, pc, 20);
                pc += 20;
                PUSH_WORD(word_of_address(&operand))
            }
            case PUSH32: {
                const u8 *operand = pc;
                pc += 32;
                PUSH_WORD(load_word(operand))
            }
            case PUSH3: case PUSH4 + 1 ... PUSH20 - 1: case PUSH20 + 1 ... PUSH32 - 1: {
                int size = opcode - PUSH1 + 1;
                U256 operand = load_operand(pc, size);
                pc += size;
                PUSH_WORD(operand)
            }
            case DUP1 ... DUP16: PUSH_WORD(TOP(opcode - DUP1))
            case SWAP1 ... SWAP16: {
                U256 *other = &TOP(opcode - SWAP1 + 1), swapped = TOP(0);
                TOP(0) = *other;
                *other = swapped;
                continue;
            }
            case LOG0 ... LOG4: APART(op_log(f, opcode - LOG0))

            // ---- other frames, and the end of this one
            case OP_CREATE: APART(op_create(f, 0))
            case OP_CREATE2: APART(op_create(f, 1))
            case OP_CALL: APART(op_call(f, CALL))
            case OP_CALLCODE: APART(op_call(f, CALLCODE))
            case OP_DELEGATECALL: APART(op_call(f, DELEGATECALL))
            case OP_STATICCALL: APART(op_call(f, STATICCALL))
            case RETURN:
            case REVERT: {
                Part part;
                if (!read_part(&TOP(0), &TOP(1), &part) || !reach_part(f, &part, &gas)) HALT(OUT_OF_GAS);
                copy_bytes(return_data, f->memory + part.offset, part.size);
                return_data_size = part.size;
                HALT(opcode == RETURN ? STOPPED : REVERTED)
            }
            case SELFDESTRUCT: APART(op_self_destruct(f))
            default: HALT(INVALID_INSTRUCTION)
        }

    left:  // an instruction apart did something else than to go on
        if (UNLIKELY(region_full)) return REGION_FULL;
        if (outcome == FRAME_OPENED) {
            LOAD_REGISTERS();
            continue;
        }
        if (outcome == LACKING) {
            f->pc = pc - 1;
            f->gas += instructions[opcode].gas;
#ifdef TRACING
            step_granted = 1;
#endif
            return LACKING;
        }
        if (outcome == PRECOMPILE) return PRECOMPILE;
        gas = f->gas;

    halted:
        SAVE_REGISTERS();
        int outermost = f == frames;
        outcome = leave_frame(outcome);
        if (outermost || UNLIKELY(region_full)) return region_full ? REGION_FULL : outcome;
        LOAD_REGISTERS();
    }
}
