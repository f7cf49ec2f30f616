"""Where the EVM keeps what in the host's flat state.

In the container's own namespace:

    a ‖ address (20)                                -> nonce (8) ‖ incarnation (4) ‖ code hash (0 or 32)
    s ‖ address (20) ‖ incarnation (4) ‖ slot (32)  -> value, shortest big-endian; absent for zero
    c ‖ code hash (32)                              -> code

Balances are the host's ledger. An account without nonce, code and past has no record; with neither a
record nor a balance it does not exist (EIP-161). Destroying an account that had a record leaves its
next incarnation behind, so that slots of the old one are out of reach without being deleted one by one.
"""

from __future__ import annotations

import msgspec

from vessel.container import VesselError, namespace_prefix
from vessel.primitives.units import Hash32
from vessel_evm.keccak import EMPTY_CODE_HASH

SCHEMA_VERSION = 1


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What the record of an account holds; its balance is in the host's ledger."""

    nonce: int = 0
    incarnation: int = 0
    code_hash: Hash32 = EMPTY_CODE_HASH

    @property
    def has_code(self) -> bool:
        """Say whether it is a contract, or an account that delegates (EIP-7702)."""
        return self.code_hash != EMPTY_CODE_HASH

    def encode(self) -> bytes | None:
        """Return the stored form; None (absent) where there is nothing to say."""
        if self == NO_ACCOUNT:
            return None
        code_hash = self.code_hash if self.has_code else b""
        return self.nonce.to_bytes(8, "big") + self.incarnation.to_bytes(4, "big") + code_hash


NO_ACCOUNT = Account()


def decode_account(value: bytes | None) -> Account:
    """Return the account of a stored record."""
    if value is None:
        return NO_ACCOUNT
    if len(value) not in (12, 44):
        raise VesselError(f"an account record has 12 or 44 bytes, the state holds one of {len(value)}")
    return Account(
        nonce=int.from_bytes(value[:8], "big"),
        incarnation=int.from_bytes(value[8:12], "big"),
        code_hash=Hash32(value[12:]) if len(value) == 44 else EMPTY_CODE_HASH,
    )


def decode_slot(value: bytes | None) -> int:
    """Return the word of a stored slot."""
    return int.from_bytes(value, "big") if value else 0


def encode_slot(value: int) -> bytes | None:
    """Return the stored form of a word; None (absent) for zero."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big") if value else None


class Layout:
    """Full state keys of one container: its namespace in front of the keys above."""

    __slots__ = ("_account", "_code", "_slot")

    def __init__(self, namespace: int) -> None:
        """Take the number that the host gave the container."""
        prefix = namespace_prefix(namespace)
        self._account = prefix + b"a"
        self._slot = prefix + b"s"
        self._code = prefix + b"c"

    def account(self, address: bytes) -> bytes:
        """Return the key of an account's record."""
        return self._account + address

    def slot(self, address: bytes, incarnation: int, slot: int) -> bytes:
        """Return the key of a slot of storage."""
        return self._slot + address + incarnation.to_bytes(4, "big") + slot.to_bytes(32, "big")

    def code(self, code_hash: bytes) -> bytes:
        """Return the key of a contract's code."""
        return self._code + code_hash
