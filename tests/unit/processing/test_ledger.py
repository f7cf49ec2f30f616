"""The native coin's first and later writes."""

from __future__ import annotations

from vessel.primitives.units import Address, Coin
from vessel.processing.ledger import genesis_writes, ledger_part

A, B = Address(b"a" * 20), Address(b"b" * 20)


def test_a_genesis_funds_accounts_and_writes_nothing_for_zero() -> None:
    assert genesis_writes({A: Coin(256), B: Coin(0)}) == {b"\0\0" + A: b"\x01\x00"}


def test_the_ledgers_part_is_what_moves_coin() -> None:
    writes = {b"\0\0" + A: None, b"\0\1" + B: b"x", b"\0\2own": b"y"}
    assert ledger_part(writes) == {b"\0\0" + A: None}
