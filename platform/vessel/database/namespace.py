"""Who owns which part of the flat state: two bytes in front of every key."""

from __future__ import annotations

from vessel.primitives.encoding import from_integer, integer, u16
from vessel.primitives.units import Address

NAMESPACE_SIZE_BYTES = 2
LEDGER = 0  # native coin: address (20 bytes) -> balance, shortest big-endian; absent is zero
SYSTEM = 0xFFFF  # the host's own
FIRST_CONTAINER = 1  # containers are numbered from here in the order of the genesis

LEDGER_PREFIX = u16(LEDGER)


def namespace_prefix(namespace: int) -> bytes:
    """Return the two bytes in front of every key of a namespace."""
    return u16(namespace)


def ledger_key(address: Address) -> bytes:
    """Return the state key of an address's native-coin balance."""
    return LEDGER_PREFIX + address


def encode_balance(balance: int) -> bytes | None:
    """Return the stored form of a balance; None (absent) for zero."""
    return integer(balance) if balance else None


def decode_balance(value: bytes | None) -> int:
    """Return the balance of a stored value."""
    return from_integer(value) if value else 0
