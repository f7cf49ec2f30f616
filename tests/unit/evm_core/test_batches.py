"""Batches: what is assumed and turns out wrong, what is refused, and that all comes out as one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.evm_core.stage import (
    GWEI,
    OTHER,
    SENDER,
    SURROUNDINGS,
    TARGET,
    Reader,
    account,
    core,
    funded,
    message,
    open_block,
    same,
)
from vessel.container import BlockState, Status, encode_balance, ledger_key
from vessel_evm.engine.core import CoreBlock
from vessel_evm.engine.interface import EngineResult, Message


def one_by_one(entries: Mapping[bytes, bytes | None], messages: Sequence[Message]) -> list[EngineResult]:
    """Run each on what those before left, every time with nothing in the cache."""
    now = dict(entries)
    results = []
    for sent in messages:
        result = open_block(core(), now)[0].run(sent)
        now.update(result.writes)
        results.append(result)
    return results


def in_batches(
    entries: Mapping[bytes, bytes | None], messages: Sequence[Message], *, size: int = 1000
) -> tuple[list[EngineResult], Reader]:
    reader = Reader(entries)
    state = BlockState(reader, 1)
    block = core().open(SURROUNDINGS, state)
    results: list[EngineResult] = []
    while len(results) < len(messages):
        found = block.run_batch(messages[len(results) :][:size], 10**12)
        assert found, "a message was refused"
        for result in found:
            state.keep(result.writes)
        results += found
    return results, reader


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.integers(0, 12), st.integers(1, 12), max_size=12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=12),
    st.integers(1, 5),
)
def test_dependent_reads_come_out_as_one_by_one(
    storage: dict[int, int], steps: list[tuple[int, int]], size: int
) -> None:
    # slot[a] = slot[slot[slot[a]]] + b
    code = bytes.fromhex("5f35545454602035015f355500")
    entries = funded(account(TARGET, code=code, storage=storage))
    messages = [
        message(a.to_bytes(32, "big") + b.to_bytes(32, "big"), nonce=nonce)
        for nonce, (a, b) in enumerate(steps)
    ]
    expected = one_by_one(entries, messages)
    for batch_size in (len(steps), size):
        actual, _ = in_batches(entries, messages, size=batch_size)
        for ours, theirs in zip(actual, expected, strict=True):
            same(ours, theirs)


def test_fresh_slots_cost_no_crossing_each() -> None:
    code = bytes.fromhex("60015f355500")  # slot[input] = 1
    entries = funded(account(TARGET, code=code))
    messages = [message(key.to_bytes(32, "big"), nonce=key) for key in range(500)]
    results, reader = in_batches(entries, messages)
    assert all(result.status is Status.OK for result in results)
    assert reader.crossings <= 6


def test_slots_that_are_there_cost_one_setback() -> None:
    code = bytes.fromhex("5f35546001015f355500")  # slot[input] += 1
    entries = funded(account(TARGET, code=code, storage={key: key + 1 for key in range(300)}))
    messages = [message(key.to_bytes(32, "big"), nonce=key) for key in range(300)]
    results, reader = in_batches(entries, messages)
    assert [next(iter(r.writes.values())) is not None for r in results] == [True] * 300
    for ours, theirs in zip(results, one_by_one(entries, messages), strict=True):
        same(ours, theirs)
    assert reader.crossings <= 6


def test_new_contracts_where_coin_lies_already() -> None:
    factory = bytes.fromhex("5f5f5ff0505f5f5ff000")  # two creations without code
    entries = funded(account(TARGET, code=factory))
    first = one_by_one(entries, [message()])[0]
    created = sorted(key[3:] for key in first.writes if len(key) == 23 and key[3:] not in (SENDER, TARGET))
    for address in created:
        entries[ledger_key(address)] = encode_balance(9)  # type: ignore[arg-type]
    messages = [message(nonce=nonce) for nonce in range(3)]
    for ours, theirs in zip(in_batches(entries, messages)[0], one_by_one(entries, messages), strict=True):
        same(ours, theirs)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"nonce": 5}, "nonce"),
        ({"max_cost": 10**25}, "funds"),
        ({"sender": OTHER}, "a contract"),
        ({"gas_limit": 10**13, "max_cost": 0}, "room"),
    ],
)
def test_a_batch_ends_before_what_cannot_be_included(wrong: dict[str, int], why: str) -> None:
    entries = funded(
        account(TARGET, code=b"\x60\x01\x5f\x35\x55\x00"), account(OTHER, code=b"\x00", balance=10**20)
    )
    good = [message(key.to_bytes(32, "big"), nonce=key) for key in range(3)]
    bad = msgspec.structs.replace(message(nonce=3), **wrong)
    block, _ = open_block(core(), entries)
    assert len(block.run_batch([*good, bad, message(nonce=4)], 10**12)) == 3, why


def test_gas_of_the_block_ends_a_batch() -> None:
    block, _ = open_block(core(), funded())
    messages = [message(to=OTHER, gas=21_000, nonce=nonce) for nonce in range(5)]
    assert len(block.run_batch(messages, 21_000 * 3 + 20_999)) == 3


def test_coin_that_others_moved_between_two_batches_is_seen() -> None:
    block, state = open_block(core(), funded(account(TARGET, code=bytes.fromhex("47600055"))))
    for nonce, balance in enumerate((5, 77)):
        state.keep({ledger_key(TARGET): encode_balance(balance)})
        (result,) = block.run_batch([message(nonce=nonce)], 10**9)
        state.keep(result.writes)
        assert result.writes[next(key for key in result.writes if len(key) == 59)] == bytes((balance,))


def test_what_others_wrote_into_the_container_s_own_state_is_seen() -> None:
    block, state = open_block(
        core(), funded(account(TARGET, code=bytes.fromhex("5f54600155"), storage={0: 3}))
    )
    (first,) = block.run_batch([message()], 10**9)
    state.keep(first.writes)
    key = next(key for key in first.writes if len(key) == 59)
    assert first.writes[key] == b"\x03"
    state.keep({key[:-1] + b"\0": b"\x09"})
    (second,) = block.run_batch([message(nonce=1)], 10**9)
    assert second.writes[key] == b"\x09"


def test_the_cache_serves_the_next_version_and_no_other() -> None:
    engine = core("osaka")
    code = bytes.fromhex("5f546001015f5500")  # slot[0] += 1
    entries = funded(account(TARGET, code=code, storage={0: 41}))
    reader = Reader(entries)
    state = BlockState(reader, 1)
    block = engine.open(SURROUNDINGS, state)
    (result,) = block.run_batch([message()], 10**9)
    state.keep(result.writes)
    after = Reader({**entries, **result.writes})
    block.committed(after.version)

    (cached,) = engine.open(SURROUNDINGS, BlockState(after, 1)).run_batch([message(nonce=1)], 10**9)
    elsewhere = Reader({**entries, **result.writes})
    (fresh,) = engine.open(SURROUNDINGS, BlockState(elsewhere, 1)).run_batch([message(nonce=1)], 10**9)
    same(cached, fresh)
    assert after.crossings < elsewhere.crossings


def test_a_call_leaves_the_cache_as_it_was() -> None:
    code = bytes.fromhex("5f546001015f555f545f5260205ff3")
    block, _ = open_block(core(), funded(account(TARGET, code=code, storage={0: 41})))
    outputs = {block.run(message()).output for _ in range(3)}
    assert outputs == {(42).to_bytes(32, "big")}


def test_others_writes_after_the_last_batch_keep_the_cache_from_the_next_version() -> None:
    engine = core()
    entries = funded(account(TARGET, code=bytes.fromhex("5f546001555f5f55"), storage={0: 1}))
    state = BlockState(Reader(entries), 1)
    block = engine.open(SURROUNDINGS, state)
    assert isinstance(block, CoreBlock)
    (result,) = block.run_batch([message(price=GWEI)], 10**9)
    state.keep(result.writes)
    state.keep({b"\0\1s" + TARGET: b"x"})
    version = Reader({}).version
    block.committed(version)
    assert all(machine.cache_of != version for machine in engine._idle)
