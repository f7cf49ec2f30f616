"""Revert data for people: the two error shapes of Solidity, and the selector of any other."""

from __future__ import annotations

_ERROR_STRING = bytes.fromhex("08c379a0")  # Error(string)
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)
_MAX_SHOWN = 1024  # characters of a reason, bytes of anything else

# https://docs.soliditylang.org/en/latest/control-structures.html#panic-via-assert-and-error-via-require
_PANICS = {
    0x00: "generic compiler panic",
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division or modulo by zero",
    0x21: "value outside of an enum",
    0x22: "wrongly encoded storage byte array",
    0x31: "pop of an empty array",
    0x32: "array index out of bounds",
    0x41: "too much memory allocated, or an array too large",
    0x51: "call of an uninitialised internal function",
}


def describe_revert(output: bytes) -> str:
    """Return what revert data says, for people; programs read the data itself."""
    if not output:
        return "reverted without a reason"
    selector, body = output[:4], output[4:]
    if selector == _ERROR_STRING:
        reason = _string(body)
        if reason is not None:
            return f"reverted: {reason[:_MAX_SHOWN]}"
    if selector == _PANIC and len(body) == 32:
        code = int.from_bytes(body, "big")
        return f"reverted: panic 0x{code:02x} ({_PANICS.get(code, 'unknown code')})"
    if len(selector) == 4:
        shown = body[:_MAX_SHOWN].hex() + ("…" if len(body) > _MAX_SHOWN else "")
        return f"reverted with custom error 0x{selector.hex()}" + (f", arguments 0x{shown}" if body else "")
    return f"reverted with data 0x{output.hex()}"


def _string(body: bytes) -> str | None:
    """Return the one string of an ABI-encoded argument list; None where it is none."""
    offset = int.from_bytes(body[:32], "big")
    if len(body) < 64 or offset + 32 > len(body):
        return None
    size = int.from_bytes(body[offset : offset + 32], "big")
    text = body[offset + 32 : offset + 32 + size]
    return text.decode("utf-8", "replace") if len(text) == size else None
