"""EVM code by hand: an assembler of a few lines and the contracts that the tests deploy."""

from __future__ import annotations

_NAMED = {
    "STOP": 0x00,
    "ADD": 0x01,
    "SUB": 0x03,
    "EQ": 0x14,
    "ISZERO": 0x15,
    "KECCAK256": 0x20,
    "ADDRESS": 0x30,
    "BALANCE": 0x31,
    "ORIGIN": 0x32,
    "CALLER": 0x33,
    "CALLVALUE": 0x34,
    "CALLDATALOAD": 0x35,
    "CALLDATASIZE": 0x36,
    "CALLDATACOPY": 0x37,
    "CODESIZE": 0x38,
    "CODECOPY": 0x39,
    "GASPRICE": 0x3A,
    "BLOCKHASH": 0x40,
    "COINBASE": 0x41,
    "TIMESTAMP": 0x42,
    "NUMBER": 0x43,
    "PREVRANDAO": 0x44,
    "GASLIMIT": 0x45,
    "CHAINID": 0x46,
    "SELFBALANCE": 0x47,
    "BASEFEE": 0x48,
    "POP": 0x50,
    "MLOAD": 0x51,
    "MSTORE": 0x52,
    "SLOAD": 0x54,
    "SSTORE": 0x55,
    "JUMP": 0x56,
    "JUMPI": 0x57,
    "GAS": 0x5A,
    "JUMPDEST": 0x5B,
    "TLOAD": 0x5C,
    "TSTORE": 0x5D,
    "PUSH0": 0x5F,
    "DUP1": 0x80,
    "LOG0": 0xA0,
    "LOG1": 0xA1,
    "LOG2": 0xA2,
    "CREATE": 0xF0,
    "CALL": 0xF1,
    "RETURN": 0xF3,
    "CREATE2": 0xF5,
    "STATICCALL": 0xFA,
    "REVERT": 0xFD,
    "INVALID": 0xFE,
    "SELFDESTRUCT": 0xFF,
}


def asm(*parts: str | int | bytes) -> bytes:
    """Return code: names are instructions (several in a string), integers and bytes are pushed."""
    code = b""
    for part in parts:
        if isinstance(part, str):
            code += bytes(_NAMED[name] for name in part.split())
            continue
        value = (
            part if isinstance(part, bytes) else part.to_bytes(max(1, (part.bit_length() + 7) // 8), "big")
        )
        code += bytes((0x5F + len(value),)) + value
    return code


def deploy(runtime: bytes, *, before: bytes = b"") -> bytes:
    """Return init code that runs `before` and leaves `runtime` behind."""
    # The copy's source offset is pushed in two bytes, so that the size of the prologue is known.
    prologue = len(before) + 3 + 3 + 2 + 1 + 3 + 2 + 1
    size = len(runtime).to_bytes(2, "big")
    code = before + asm(size, prologue.to_bytes(2, "big"), 0, "CODECOPY", size, 0, "RETURN")
    assert len(code) == prologue
    return code + runtime


def return_word(*parts: str | int | bytes) -> bytes:
    """Return code that answers with the word that `parts` leave on the stack."""
    return asm(*parts, 0, "MSTORE", 32, 0, "RETURN")


def revert_with(data: bytes) -> bytes:
    """Return code that reverts with `data`."""
    code = b""
    for offset in range(0, len(data), 32):
        code += asm(data[offset : offset + 32].ljust(32, b"\0"), offset, "MSTORE")
    return code + asm(len(data), 0, "REVERT")


COUNTER = asm(0, "SLOAD", 1, "ADD", 0, "SSTORE", "STOP")  # adds one to slot 0
STORE_INPUT = asm(0, "CALLDATALOAD", 0, "SSTORE", "STOP")  # slot 0 becomes the first word of the input
EMITTER = asm(0xCAFE, 0, "MSTORE", 7, 9, 32, 0, "LOG2", "STOP")  # topics 9 and 7, data 0xCAFE
BURN_GAS = asm("JUMPDEST", 0, "JUMP")  # loops for ever
# Calls itself with all gas that is left until that or the depth runs out.
RECURSE = asm(0, 0, 0, 0, 0, "ADDRESS GAS CALL", "STOP")
