"""Addresses of the native-coin ledger: 20 bytes, open or reserved.

An *open* address is the hash of a public key or of a contract's creation, as Ethereum makes them. A
*reserved* address belongs to one container for ever: twelve bytes that follow from the container's
name, then eight bytes of the container's choice (an Antelope name). The chance that an open address
falls into a container's reserved space is 2**-96 a try.
"""

from __future__ import annotations

import hashlib
import string

from vessel.errors import InvalidRequest
from vessel.primitives.units import ADDRESS_SIZE_BYTES, Address

RESERVED_PREFIX_SIZE_BYTES = 12


def reserved_prefix(container: str) -> bytes:
    """Return the twelve bytes with which the addresses of `container` begin."""
    return hashlib.sha256(b"vessel/reserved/" + container.encode()).digest()[:RESERVED_PREFIX_SIZE_BYTES]


def reserved_address(container: str, suffix: bytes) -> Address:
    """Return the address that stands for eight bytes of the container's choice."""
    if len(suffix) != ADDRESS_SIZE_BYTES - RESERVED_PREFIX_SIZE_BYTES:
        raise InvalidRequest(f"a reserved address ends in 8 bytes, not {len(suffix)}")
    return Address(reserved_prefix(container) + suffix)


def parse_address(value: str) -> Address:
    """Read `0x` and 40 hexadecimal digits; InvalidRequest says what was wrong."""
    digits = value.removeprefix("0x")
    if len(digits) != 2 * ADDRESS_SIZE_BYTES:
        raise InvalidRequest(
            f"{value!r} is not an address: expected 0x and 40 hexadecimal digits, got {len(digits)} digits"
        )
    if not all(digit in string.hexdigits for digit in digits):  # bytes.fromhex passes over spaces
        raise InvalidRequest(
            f"{value!r} is not an address: it has characters that are not hexadecimal digits"
        )
    return Address(bytes.fromhex(digits))
