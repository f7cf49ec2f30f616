"""How the core says that a frame ended, as a Status and in words. The numbers are those of core/outcome.h."""

from __future__ import annotations

from typing import Final

import msgspec

from vessel.container import Status, TransactionResult
from vessel.primitives.units import Coin
from vessel_evm.revert import describe_revert

STOPPED: Final = 1
OUT_OF_GAS: Final = 3
PRECOMPILE_FAILED: Final = 22

_OUTCOMES: Final[dict[int, tuple[Status, str]]] = {
    STOPPED: (Status.OK, ""),
    2: (Status.REVERTED, "reverted"),
    OUT_OF_GAS: (Status.OUT_OF_GAS, "out of gas"),
    4: (Status.OUT_OF_GAS, "out of gas: the new contract is above the size limit (EIP-170)"),
    5: (Status.OUT_OF_GAS, "out of gas: the init code is above the size limit (EIP-3860)"),
    6: (Status.OUT_OF_GAS, "out of gas: it touches more than there is room for in a transaction"),
    16: (Status.TRAP, "invalid instruction"),
    17: (Status.TRAP, "stack underflow"),
    18: (Status.TRAP, "stack overflow"),
    19: (Status.TRAP, "jump to where no JUMPDEST is"),
    20: (Status.TRAP, "a write where only reading is allowed"),
    21: (Status.TRAP, "RETURNDATACOPY beyond the end of the data"),
    PRECOMPILE_FAILED: (Status.TRAP, "the precompile refused its input"),
    23: (Status.TRAP, "the address of the new contract is taken (EIP-684)"),
    24: (Status.TRAP, "the code of the new contract begins with the reserved byte 0xEF (EIP-3541)"),
}


def describe_outcome(outcome: int) -> tuple[Status, str]:
    """Return the status of an outcome, and for people what happened; empty where all went well."""
    return _OUTCOMES[outcome]


def complete(result: TransactionResult) -> TransactionResult:
    """Return a result of core/receipt.c with its message, and with what it burned where that is large.

    The core leaves both in `message`, in hexadecimal: the outcome in a byte, then the coin burned.
    """
    left = bytes.fromhex(result.message)
    status, fault = describe_outcome(left[0])
    return msgspec.structs.replace(
        result,
        burned=Coin(int.from_bytes(left[1:], "big")),
        message=describe_revert(result.output) if status is Status.REVERTED else fault,
    )
