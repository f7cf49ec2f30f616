"""The native coin: one ledger for all containers, kept by the host."""

from __future__ import annotations

from collections.abc import Mapping

from vessel.container.messages import Writes
from vessel.database.namespace import LEDGER_PREFIX, encode_balance, ledger_key
from vessel.primitives.units import Address, Coin


def genesis_writes(accounts: Mapping[Address, Coin]) -> dict[bytes, bytes | None]:
    """Return the writes that fund the accounts of a genesis: the only coin ever made."""
    return {ledger_key(a): encode_balance(balance) for a, balance in accounts.items() if balance}


def ledger_part(writes: Writes) -> dict[bytes, bytes | None]:
    """Return those of the writes that move coin: what every other container must be told."""
    return {key: value for key, value in writes.items() if key.startswith(LEDGER_PREFIX)}
