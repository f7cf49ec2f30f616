"""The host's rules for a write set, one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vessel.container.guard import MAX_KEY_SIZE_BYTES, MAX_VALUE_SIZE_BYTES, Guard
from vessel.database.namespace import encode_balance
from vessel.errors import ContainerMisbehaved
from vessel.primitives.address import reserved_address, reserved_prefix

OWN = b"\0\0" + reserved_address("mine", b"own\0\0\0\0\0")
OTHERS = b"\0\0" + reserved_address("theirs", b"other\0\0\0")
OPEN = b"\0\0" + b"\x11" * 20

BALANCES = {OWN: encode_balance(1_000), OTHERS: encode_balance(1_000), OPEN: encode_balance(1_000)}


def read(keys: Sequence[bytes]) -> list[bytes | None]:
    return [BALANCES.get(key) for key in keys]


def guard(*, owns_open_addresses: bool = False, reserved: bytes = reserved_prefix("mine")) -> Guard:
    return Guard(
        "mine",
        1,
        reserved_prefix=reserved,
        foreign_prefixes=(reserved_prefix("theirs"),),
        owns_open_addresses=owns_open_addresses,
    )


@pytest.mark.parametrize(
    ("writes", "burned"),
    [
        ({}, 0),
        ({b"\0\1key": b"value", b"\0\1other": None, b"\0\1": b""}, 0),
        ({b"\0\1".ljust(MAX_KEY_SIZE_BYTES, b"k"): b"v"}, 0),
        ({OWN: encode_balance(400), OTHERS: encode_balance(1_600)}, 0),
        ({OWN: None}, 1_000),
        ({OWN: encode_balance(500), OPEN: encode_balance(1_400)}, 100),
        ({OWN: encode_balance(1_000)}, 0),
    ],
    ids=["nothing", "own keys", "longest key", "gives", "burns all", "gives and burns", "rewrites"],
)
def test_allowed(writes: dict[bytes, bytes | None], burned: int) -> None:
    guard().check_writes(writes, burned, read)


@pytest.mark.parametrize(
    ("writes", "burned", "message"),
    [
        ({b"\0\2key": b"v"}, 0, "outside of its namespace 0x0001"),
        ({b"\xff\xffkey": None}, 0, "outside of its namespace"),
        ({b"\0": b"v"}, 0, "outside of its namespace"),
        ({b"": b"v"}, 0, "outside of its namespace"),
        ({b"\0\1" + b"k" * MAX_KEY_SIZE_BYTES: b"v"}, 0, "a key of 514 bytes; at most 512"),
        ({b"\0\1k": b"v" * (MAX_VALUE_SIZE_BYTES + 1)}, 0, "a value of 4194305 bytes"),
        ({OWN: encode_balance(1_001)}, 0, "changed the ledger by 1 while it burned 0"),
        ({OWN: encode_balance(999)}, 0, "by -1 while it burned 0; expected a change of 0"),
        ({OWN: encode_balance(999)}, 2, "expected a change of -2"),
        ({}, 1, "changed the ledger by 0 while it burned 1"),
        ({OWN: encode_balance(1_005)}, -5, "burned -5 coin"),
        ({OTHERS: encode_balance(0), OWN: encode_balance(2_000)}, 0, "debited 0x.*not its own"),
        ({OPEN: encode_balance(0), OWN: encode_balance(2_000)}, 0, "debited 0x1111.*not its own"),
        ({OWN[:-1]: b"\1"}, 0, "not a 20-byte address"),
        ({OWN + b"\0": b"\1"}, 0, "not a 20-byte address"),
        ({OWN: b""}, 1_000, "zero is the absence"),
        ({OWN: b"\0\1"}, 0, "malformed balance"),
    ],
)
def test_refused(writes: dict[bytes, bytes | None], burned: int, message: str) -> None:
    with pytest.raises(ContainerMisbehaved, match=f"container 'mine' .*{message}"):
        guard().check_writes(writes, burned, read)


def test_one_container_of_a_chain_may_own_what_nobody_has_reserved() -> None:
    owner = guard(owns_open_addresses=True)
    owner.check_writes({OPEN: None, OWN: encode_balance(2_000)}, 0, read)
    with pytest.raises(ContainerMisbehaved, match="not its own"):
        owner.check_writes({OTHERS: None, OWN: encode_balance(2_000)}, 0, read)


def test_an_empty_prefix_reserves_nothing() -> None:
    with pytest.raises(ContainerMisbehaved, match="not its own"):
        guard(reserved=b"").check_writes({OTHERS: None}, 1_000, read)


def test_gas() -> None:
    guard().check_gas(10, 10)
    with pytest.raises(ContainerMisbehaved, match="used 11 gas where 10 was available"):
        guard().check_gas(11, 10)
