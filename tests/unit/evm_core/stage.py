"""A stage for engines without a container: accounts in a flat state, and messages that run on it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from vessel.container import BlockState, Configuration, Fork, Range, encode_balance, ledger_key
from vessel.errors import StorageError
from vessel.primitives.units import Address, Coin, Gas, Hash32, Height
from vessel_evm.configuration import EvmConfiguration, read_configuration
from vessel_evm.engine.core import CoreEngine
from vessel_evm.engine.interface import Engine, EngineBlock, EngineResult, Message, Surroundings
from vessel_evm.engine.reference import ReferenceEngine
from vessel_evm.intrinsic_gas import intrinsic_gas
from vessel_evm.keccak import keccak
from vessel_evm.layout import Account, Layout, encode_slot

NAMESPACE = 1
CHAIN_ID = 1337
LAYOUT = Layout(NAMESPACE)
SENDER = Address(b"\x5e" * 20)
TARGET = Address(b"\x7a" * 20)
OTHER = Address(b"\x07" * 20)
COINBASE = Address(b"\xc0" * 20)
GWEI = 10**9

_versions = itertools.count(1)


class Reader:
    """A StateReader over a dict, one version in all tests; fails from crossing `fault_at` on, if ever."""

    def __init__(self, entries: Mapping[bytes, bytes | None], *, fault_at: int | None = None) -> None:
        self.entries = dict(entries)
        self.version = next(_versions)
        self.fault_at = fault_at
        self.crossings = 0

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        self.crossings += 1
        if self.fault_at is not None and self.crossings >= self.fault_at:
            raise StorageError("the disk is gone")
        return [self.entries.get(key) for key in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        raise AssertionError(f"the EVM reads no ranges, asked for {wanted}")


def account(
    address: Address,
    *,
    code: bytes = b"",
    balance: int = 0,
    nonce: int = 0,
    storage: Mapping[int, int] | None = None,
) -> dict[bytes, bytes | None]:
    """Return the entries of an account."""
    record = Account(nonce=nonce or (1 if code else 0), code_hash=keccak(code))
    entries = {LAYOUT.account(address): record.encode(), ledger_key(address): encode_balance(balance)}
    if code:
        entries[LAYOUT.code(record.code_hash)] = code
    for slot, word in (storage or {}).items():
        entries[LAYOUT.slot(address, 0, slot)] = encode_slot(word)
    return {key: value for key, value in entries.items() if value is not None}


def configuration(fork: str = "prague", engine: str = "core", **parameters: Any) -> EvmConfiguration:
    """Return the configuration of a chain with one fork."""
    return read_configuration(
        Configuration(
            parameters=msgspec.json.encode({"engine": engine, **parameters}),
            chain_id=CHAIN_ID,
            genesis_hash=Hash32(bytes(32)),
            instance="evm",
            namespace=NAMESPACE,
            forks=(Fork(name=fork, height=Height(0)),),
        )
    )


_engines: dict[tuple[str, bool | None], CoreEngine] = {}


def core(fork: str = "prague", *, raw: bool | None = None) -> CoreEngine:
    """Return the core with the rules of a fork."""
    if (fork, raw) not in _engines:
        _engines[fork, raw] = CoreEngine(configuration(fork), raw=raw)
    return _engines[fork, raw]


def reference() -> Engine:
    """Return the reference engine (Prague)."""
    return ReferenceEngine(configuration(engine="reference"))


SURROUNDINGS = Surroundings(
    chain_id=CHAIN_ID,
    height=Height(7),
    timestamp_s=1_700_000_000,
    coinbase=COINBASE,
    randomness=Hash32(bytes(range(32))),
    gas_limit=Gas(30_000_000),
    base_fee=Coin(GWEI),
    recent_ids=[keccak(bytes((back,))) for back in range(7)],
)


def message(
    data: bytes = b"",
    *,
    to: bytes = TARGET,
    gas: int = 1_000_000,
    value: int = 0,
    nonce: int = 0,
    sender: Address = SENDER,
    price: int = 2 * GWEI,
    **more: Any,
) -> Message:
    """Return a message with its intrinsic gas worked out."""
    needed, floor = intrinsic_gas(
        creates=not to,
        data=data,
        access_list=more.get("access_list", ()),
        authorizations=len(more.get("authorizations", ())),
    )
    return Message(
        sender=sender,
        to=to,
        value=Coin(value),
        data=data,
        gas_limit=Gas(gas),
        gas_price=Coin(price),
        intrinsic_gas=needed,
        floor_gas=floor,
        nonce=nonce,
        max_cost=Coin(gas * price + value),
        **more,
    )


def funded(*parts: Mapping[bytes, bytes | None]) -> dict[bytes, bytes | None]:
    """Return a state with a rich sender and these parts."""
    entries: dict[bytes, bytes | None] = dict(account(SENDER, balance=10**24))
    for part in parts:
        entries.update(part)
    return entries


def open_block(engine: Engine, entries: Mapping[bytes, bytes | None]) -> tuple[EngineBlock, BlockState]:
    """Open a block on a state."""
    state = BlockState(Reader(entries), NAMESPACE)
    return engine.open(SURROUNDINGS, state), state


def run(
    code: bytes, data: bytes = b"", *, engine: Engine | None = None, others: Any = None, **more: Any
) -> EngineResult:
    """Run code at TARGET once."""
    storage = more.pop("storage", None)
    entries = funded(
        account(TARGET, code=code, balance=more.pop("balance", 0), storage=storage), others or {}
    )
    return open_block(engine or core(), entries)[0].run(message(data, **more))


def same(ours: EngineResult, theirs: EngineResult) -> None:
    """Compare in everything but the words for people."""
    assert msgspec.structs.replace(ours, fault="") == msgspec.structs.replace(theirs, fault="")
    assert list(ours.writes) == sorted(ours.writes)


def push(value: int) -> bytes:
    """Return the shortest PUSH of a number."""
    width = max(1, (value.bit_length() + 7) // 8)
    return bytes((0x5F + width,)) + value.to_bytes(width, "big")


RETURN_TOP = bytes.fromhex("5f5260205ff3")  # MSTORE at 0, RETURN 32 bytes
