// How a frame can end. The numbers cross into Python (engine/core_outcome.py).
#pragma once

enum Outcome {
    RUNNING = 0,
    STOPPED = 1,  // to its end: STOP, RETURN, SELFDESTRUCT
    REVERTED = 2,
    OUT_OF_GAS = 3,
    CODE_TOO_LARGE = 4,  // EIP-170; counts as out of gas
    INIT_CODE_TOO_LARGE = 5,
    REGION_FULL = 6,
    // Everything from here on is a trap.
    INVALID_INSTRUCTION = 16,
    STACK_UNDERFLOW = 17,
    STACK_OVERFLOW = 18,
    INVALID_JUMP = 19,
    WRITE_PROTECTION = 20,
    RETURN_DATA_BOUNDS = 21,
    PRECOMPILE_FAILED = 22,
    ADDRESS_TAKEN = 23,
    RESERVED_CODE = 24,  // EIP-3541
    // Not ends: the frame will go on.
    LACKING = 100,      // values: see request.c
    PRECOMPILE = 101,   // the driver is to run one
    FRAME_OPENED = 102  // another frame is on top
};
