"""The canonical encoding of everything whose hash is consensus.

Fixed-width big-endian integers and length-prefixed byte strings, nothing optional, nothing
reordered: two different values never share an encoding, and an implementation in any language is
a dozen lines. What is only stored (never hashed) uses msgpack instead.
"""

from __future__ import annotations

from collections.abc import Iterable

from vessel.errors import InvalidRequest

U16_MAX = (1 << 16) - 1
U64_MAX = (1 << 64) - 1


def u16(value: int) -> bytes:
    """Two bytes, big-endian."""
    return value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    """Four bytes, big-endian."""
    return value.to_bytes(4, "big")


def u64(value: int) -> bytes:
    """Eight bytes, big-endian."""
    return value.to_bytes(8, "big")


def blob(data: bytes) -> bytes:
    """Return `data` behind its length in four bytes."""
    return len(data).to_bytes(4, "big") + data


def text(value: str) -> bytes:
    """Return `value` in UTF-8 as a blob."""
    return blob(value.encode())


def listing(items: Iterable[bytes]) -> bytes:
    """Return already encoded items behind their count in four bytes."""
    encoded = list(items)
    return u32(len(encoded)) + b"".join(encoded)


def integer(value: int) -> bytes:
    """Return a non-negative integer as the shortest big-endian bytes; zero is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def from_integer(data: bytes) -> int:
    """Return the integer of `integer`; InvalidRequest where it has leading zeros."""
    if data[:1] == b"\0":
        raise InvalidRequest(f"0x{data.hex()} is not a shortest big-endian integer: it has leading zeros")
    return int.from_bytes(data, "big")
