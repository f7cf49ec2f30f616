"""Transactions that the core decodes itself come to the same as those that Python decodes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.evm_core.stage import CHAIN_ID, COINBASE, NAMESPACE, OTHER, SENDER, TARGET, Reader, account, funded
from vessel.container import (
    BlockStart,
    BlockState,
    Configuration,
    ContainerTransaction,
    Fork,
    Mode,
    Section,
    Status,
    TransactionBatch,
    TransactionResult,
)
from vessel.primitives.units import Coin, Gas, Hash32, Height
from vessel_evm import rlp
from vessel_evm.container import EvmContainer
from vessel_evm.engine.core import CoreBlock

GWEI = 10**9
LIMIT = Gas(30_000_000)
_versions = itertools.count(1_000_000)


def container(fork: str) -> EvmContainer:
    made = EvmContainer()
    made.configure(
        Configuration(
            parameters=msgspec.json.encode({"engine": "core"}),
            chain_id=CHAIN_ID,
            genesis_hash=Hash32(bytes(32)),
            instance="evm",
            namespace=NAMESPACE,
            forks=(Fork(name=fork, height=Height(0)),),
        )
    )
    return made


CONTAINERS = {fork: container(fork) for fork in ("berlin", "london", "prague", "osaka")}
ENTRIES = funded(
    account(TARGET, code=bytes.fromhex("5f3560015f54015f5560205fa100"), storage={0: 3}),
    account(OTHER, code=bytes.fromhex("60aa5f5260205ffd")),
)


def execute(
    fork: str, raws: Sequence[bytes], *, short: bool, base_fee: int = GWEI
) -> list[TransactionResult]:
    """Execute a block, the short way or by messages."""
    version = next(_versions)
    start = BlockStart(
        mode=Mode.BUILD,
        height=Height(5),
        time_ms=1_700_000_000_000,
        state_version=version,
        proposer=COINBASE,
        gas_limit=LIMIT,
        parent_section=Section(gas_limit=LIMIT, gas_used=Gas(LIMIT // 2), base_fee=Coin(base_fee)),
    )
    state = BlockState(Reader(ENTRIES), NAMESPACE)
    execution = CONTAINERS[fork].execute(start, state)
    execution.begin()
    if not short:
        execution._block.run_signed = _takes_none  # type: ignore[attr-defined]
    batch = TransactionBatch(
        first_index=3, transactions=tuple(ContainerTransaction(raw=raw, prepared=SENDER) for raw in raws)
    )
    return list(execution.transactions(batch))


def _takes_none(*_: object, **__: object) -> list[TransactionResult]:
    return []


def encode(kind: int, **given: Any) -> bytes:
    """Return a transaction with a signature of the right shape."""
    values: dict[str, Any] = {
        "chain": CHAIN_ID,
        "nonce": 0,
        "tip": GWEI,
        "cap": 3 * GWEI,
        "gas": 200_000,
        "to": TARGET,
        "value": 0,
        "data": bytes(31) + b"\x07",
        "access": [],
        "v": 27,
    } | given
    access = rlp.encode_list(
        [
            rlp.encode_list(
                [rlp.encode_bytes(address), rlp.encode_list([rlp.encode_bytes(key) for key in keys])]
            )
            for address, keys in values["access"]
        ]
    )
    fees = [values["tip"], values["cap"]] if kind == 2 else [values["cap"]]
    fields = [rlp.encode_integer(number) for number in (values["nonce"], *fees, values["gas"])]
    fields += [
        rlp.encode_bytes(values["to"]),
        rlp.encode_integer(values["value"]),
        rlp.encode_bytes(values["data"]),
    ]
    if kind:
        fields = [rlp.encode_integer(values["chain"]), *fields, access]
    fields += [
        rlp.encode_integer(1 if kind else values["v"]),
        rlp.encode_integer(5),
        rlp.encode_integer(2**255),
    ]
    return (bytes((kind,)) if kind else b"") + rlp.encode_list(fields)


VARIANTS: list[dict[str, Any]] = [
    {},
    {"kind": 0},
    {"kind": 0, "v": 28},
    {"kind": 0, "v": 35 + 2 * CHAIN_ID},
    {"kind": 0, "v": 36 + 2 * CHAIN_ID},
    {"kind": 0, "v": 37 + 2 * CHAIN_ID},
    {"kind": 0, "v": 29},
    {"kind": 1, "access": [(OTHER, [bytes(32), b"\1" * 32]), (TARGET, [])]},
    {"access": [(TARGET, [bytes(32)])]},
    {"access": [(TARGET, [bytes(31)])]},
    {"access": [(TARGET[:19], [])]},
    {"chain": CHAIN_ID + 1},
    {"nonce": 1},
    {"nonce": 2**64 - 1},
    {"cap": GWEI - 1, "tip": 0},
    {"cap": GWEI, "tip": 2 * GWEI},
    {"cap": 2**180, "tip": 1},
    {"cap": 2**255, "tip": 2**255, "gas": 21_000},
    {"gas": 21_000},
    {"gas": 20_999},
    {"gas": 21_500},
    {"gas": LIMIT},
    {"gas": LIMIT + 1},
    {"gas": 1 << 24},
    {"gas": (1 << 24) + 1},
    {"to": OTHER},
    {"to": b"", "data": bytes.fromhex("60fe5f5360015ff3")},
    {"to": b"", "data": bytes(49_153), "gas": 5_000_000},
    {"to": b"", "data": bytes.fromhex("5ffd")},
    {"to": b"\1" * 19},
    {"to": SENDER},
    {"value": 10**18},
    {"value": 10**25},
    {"value": 2**256 - 1},
    {"data": b"\1" * 30_000, "gas": 300_000},
    {"data": b"\1" * 30_000, "gas": 1_300_000},
]


@pytest.mark.parametrize("fork", CONTAINERS)
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_one_of_each_kind(variant: dict[str, Any], fork: str) -> None:
    given = {"kind": 2} | variant
    raws = [encode(**given), encode(2, nonce=1 if not variant.get("nonce") else 0)]
    short = execute(fork, raws, short=True)
    assert execute(fork, raws, short=False) == short


def test_regular_ones_take_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a regular transaction took the long way")

    monkeypatch.setattr(CoreBlock, "run_batch", fail)
    raws = [encode(kind, nonce=nonce) for nonce, kind in enumerate((0, 1, 2, 2))]
    raws.append(encode(2, nonce=4, to=b"", data=b"\x00"))
    raws.append(encode(2, nonce=5, to=OTHER))
    results = execute("osaka", raws, short=True)
    assert [result.status for result in results] == [Status.OK] * 5 + [Status.REVERTED]


def test_coin_burned_beyond_64_bits() -> None:
    raws = [encode(2, cap=10**16, tip=0, gas=50_000, nonce=nonce) for nonce in range(2)]
    short = execute("prague", raws, short=True, base_fee=10**15)
    assert execute("prague", raws, short=False, base_fee=10**15) == short
    assert short[0].burned > 2**64


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([variant for variant in VARIANTS if len(variant.get("data", b"")) < 100]),
    st.lists(
        st.tuples(st.integers(0, 220), st.integers(0, 255), st.sampled_from("xid")), min_size=1, max_size=3
    ),
)
def test_mutated_bytes(variant: dict[str, Any], changes: list[tuple[int, int, str]]) -> None:
    raw = bytearray(encode(**({"kind": 2} | variant)))
    for place, byte, how in changes:
        at = place % (len(raw) + 1)
        if how == "i":
            raw.insert(at, byte)
        elif at < len(raw):
            if how == "d":
                del raw[at]
            else:
                raw[at] = byte
    raws = [bytes(raw), encode(2)]
    assert execute("osaka", raws, short=False) == execute("osaka", raws, short=True)
