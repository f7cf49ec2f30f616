"""Why an execution failed, from the bytes it returned: a message, a panic or a custom error."""

from __future__ import annotations

from vessel.cli.abi import SELECTOR_SIZE_BYTES, Abi, Function, Parameter
from vessel.cli.arguments import decode_values, to_text
from vessel.errors import InvalidRequest

_ERROR = bytes.fromhex("08c379a0")  # Error(string)
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)

# Solidity documentation, "Panic via assert and Error via require".
PANICS = {
    0x00: "a panic the compiler put in",
    0x01: "an assertion that does not hold",
    0x11: "arithmetic overflow or underflow",
    0x12: "division or modulo by zero",
    0x21: "a value that is not of the enum",
    0x22: "a byte array in storage that is wrongly encoded",
    0x31: "pop from an empty array",
    0x32: "an array index out of bounds",
    0x41: "too much memory asked for",
    0x51: "a call of an internal function that was never set",
}


def revert_reason(output: bytes, abi: Abi | None = None) -> str:
    """Return the reason in one line; empty revert data says so."""
    if not output:
        return "without a reason"
    selector, body = output[:SELECTOR_SIZE_BYTES], output[SELECTOR_SIZE_BYTES:]
    try:
        if selector == _ERROR:
            (message,) = decode_values([Parameter(type="string")], body, what="the revert")
            return str(message)
        if selector == _PANIC:
            (code,) = decode_values([Parameter(type="uint256")], body, what="the revert")
            number = int(str(code))
            return f"panic 0x{number:02x}: {PANICS.get(number, 'of no kind that Solidity knows')}"
        for error in abi.errors if abi is not None else ():
            if error.selector == selector:
                return _custom(error, body)
    except InvalidRequest:
        pass  # bytes that only look like it are shown as they are
    shown = output.hex() if len(output) <= 128 else f"{output[:128].hex()}… ({len(output)} bytes)"
    hint = "" if abi is not None else "; --abi ARTIFACT decodes custom errors"
    return f"revert data 0x{shown}{hint}"


def _custom(error: Function, body: bytes) -> str:
    values = decode_values(error.inputs, body, what=error.name)
    shown = (
        f"{parameter.name}={to_text(value)}" if parameter.name else to_text(value)
        for parameter, value in zip(error.inputs, values, strict=True)
    )
    return f"{error.name}({', '.join(shown)})"
