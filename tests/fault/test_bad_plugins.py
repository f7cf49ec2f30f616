"""A plugin that breaks the rules, hangs, floods or keeps dying: what a whole chain makes of it.

It serves the rest. Nothing of what the plugin said is kept, a block of others that needs it waits, and
the same chain without the fault comes to the same root.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from containers.faulty_chain import FaultyChain
from containers.misbehaving import VICTIM
from containers.transports import TRANSPORTS
from vessel.container import ledger_key
from vessel.container.supervisor import _LOG_LINES_A_SECOND, _Allowance
from vessel.database.chain_store import ChainStore
from vessel.database.reader import Range, StateReader
from vessel.errors import ContainerMisbehaved, ContainerQuarantined, StorageError
from vessel.primitives.units import Address

RAW = (b"add a 1", b"add a 2")

Open = Callable[..., FaultyChain]


@pytest.fixture
def open_chain() -> Iterator[Open]:
    """Return a function that opens a chain; all are closed at the end."""
    chains: list[FaultyChain] = []

    def opened(**settings: Any) -> FaultyChain:
        chains.append(FaultyChain(**settings))
        return chains[-1]

    yield opened
    for chain in chains:
        chain.close()


def on_both(*values: object) -> list[Any]:
    """Return every value with every transport; where processes start, that takes a while."""
    return [
        pytest.param(transport, value, marks=[pytest.mark.slow] if transport == "grpc" else [])
        for value in values
        for transport in TRANSPORTS
    ]


def refusal(chain: FaultyChain) -> str:
    """Return why `toy` is out of service."""
    assert not chain.containers["toy"].in_service
    with pytest.raises(ContainerQuarantined) as caught:
        chain.containers["toy"].connection()
    return caught.value.message


# ---- rules


@pytest.mark.parametrize(
    ("transport", "case"),
    on_both(
        ("foreign_namespace", "outside of its namespace"),
        ("foreign_ledger", "not its own address"),
        ("make_coin", "changed the ledger by 1000 while it burned 0"),
        ("burn_too_little", "changed the ledger by -100 while it burned 99"),
        ("overspend", "gas where"),
    ),
)
def test_who_breaks_a_rule_is_out_and_the_rest_goes_on(
    open_chain: Open, transport: str, case: tuple[str, str]
) -> None:
    fault, message = case
    chain = open_chain(transport=transport, fault={"fault": fault, "at": "batch"})
    lost, kept = chain.submit("toy", *RAW), chain.submit("sound", *RAW)
    block = chain.mine()
    assert block is not None
    assert [receipt.container for receipt in block.receipts] == ["sound", "sound"]
    assert message in refusal(chain)
    assert all(isinstance(future.exception(), ContainerQuarantined) for future in lost)
    assert all(future.result().executed == block for future in kept)
    victim = ledger_key(Address(VICTIM))
    assert chain.reading.state([victim], at=block.block_id, with_proofs=False).entries[0].value == b"\x01\xf4"
    other = open_chain()
    other.chain.import_block(block.block)
    assert chain.roots == other.roots


@pytest.mark.parametrize(
    ("transport", "at"),
    [("local", "begin"), ("local", "end"), *on_both("batch")],
)
def test_who_always_fails_is_out_and_the_rest_goes_on(open_chain: Open, transport: str, at: str) -> None:
    chain = open_chain(transport=transport)
    chain.submit("sound", b"add before 1")
    chain.mine()
    # The genesis begins and ends blocks too, so the fault comes with a restart.
    store, faulty = chain.store, {"fault": "raise", "at": at}
    chain.close(keep_store=True)
    chain = open_chain(transport=transport, store=store, fault=faulty)
    lost, kept = chain.submit("toy", *RAW), chain.submit("sound", *RAW)
    block = chain.mine()
    assert block is not None
    assert [receipt.container for receipt in block.receipts] == ["sound", "sound"]
    assert all(isinstance(future.exception(), ContainerQuarantined) for future in lost)
    assert all(future.result().executed == block for future in kept)
    assert refusal(chain)


# ---- quarantine


@pytest.mark.parametrize(
    ("transport", "fault"),
    [("local", "raise"), pytest.param("grpc", "die", marks=pytest.mark.slow)],
)
def test_a_block_of_others_waits_until_the_plugin_is_mended(
    open_chain: Open, transport: str, fault: str
) -> None:
    healthy = open_chain()
    healthy.submit("toy", *RAW)
    needs_toy = healthy.mine()
    healthy.submit("sound", *RAW)
    after = healthy.mine()
    assert needs_toy is not None
    assert after is not None

    store = ChainStore.open(
        "memory:", genesis_hash=healthy.genesis.genesis_hash, hasher=healthy.genesis.hasher
    )
    broken = open_chain(transport=transport, store=store, fault={"fault": fault, "at": "batch"})
    for _ in range(2):  # it is not skipped, and not taken for invalid the second time either
        with pytest.raises(ContainerQuarantined):
            broken.chain.import_block(needs_toy.block)
    assert broken.height == 0
    broken.submit("sound", b"add mine 1")
    broken.close(keep_store=True)

    mended = open_chain(transport=transport, store=store)
    assert mended.chain.import_block(needs_toy.block) == needs_toy
    assert mended.chain.import_block(after.block) == after
    assert mended.roots == healthy.roots


# ---- hanging and flooding


@pytest.mark.slow
def test_a_plugin_that_hangs_is_replaced_and_the_block_comes_out_the_same(
    open_chain: Open, tmp_path: Path
) -> None:
    fault = {"fault": "hang", "at": "batch", "times": 1, "memory": str(tmp_path / "hangs")}
    chain = open_chain(transport="grpc", fault=fault, timeout_s=0.5)
    [first, second] = chain.submit("toy", *RAW)
    block = chain.mine()
    assert block is not None
    assert first.result().executed == second.result().executed == block
    assert chain.supervisors["toy"].restarts == 1
    assert open_chain().chain.import_block(block.block) == block


@pytest.mark.slow
def test_a_plugin_that_floods_with_questions(open_chain: Open) -> None:
    chain = open_chain(transport="grpc", fault={"fault": "ask_forever", "at": "batch"}, max_questions=100)
    chain.submit("toy", *RAW)
    chain.submit("sound", *RAW)
    block = chain.mine()
    assert block is not None
    assert [receipt.container for receipt in block.receipts] == ["sound", "sound"]
    assert "asked for state 101 times without results; at most 100" in refusal(chain)


@pytest.mark.slow
def test_a_question_whose_answer_is_too_large(open_chain: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    from vessel.container import codec

    chain = open_chain(transport="grpc", fault={"fault": "ask_too_much", "at": "batch"})
    chain.submit("sound", *(b"add a %d" % number for number in range(20)))
    chain.mine()
    monkeypatch.setattr(codec, "MAX_FRAGMENTED_SIZE_BYTES", 500)
    chain.submit("toy", *RAW)
    block = chain.mine()
    assert block is not None
    assert block.receipts == ()
    assert "bytes of state at once; at most 500: ask for less" in refusal(chain)


@pytest.mark.slow
def test_a_plugin_that_floods_its_log(open_chain: Open, caplog: pytest.LogCaptureFixture) -> None:
    chain = open_chain(transport="grpc", fault={"fault": "flood", "at": "batch"})
    futures = chain.submit("toy", *RAW)
    assert chain.mine() is not None
    assert all(future.result() for future in futures)
    lines = [record for record in caplog.records if record.message.startswith("line ")]
    assert len(lines) < 400 << 10  # of twice as many


def test_what_a_log_takes_in_a_second() -> None:
    now = 1.0
    allowance = _Allowance(lambda: now)
    taken = [allowance.take(10) for _ in range(_LOG_LINES_A_SECOND + 5)]
    assert taken.count((True, 0)) == _LOG_LINES_A_SECOND
    assert taken[-5:] == [(False, 0)] * 5
    now = 2.0
    assert allowance.take(10) == (True, 5)
    assert allowance.take(2 << 20) == (False, 0)
    assert allowance.take(1) == (False, 0)


# ---- reads that fail


class FailingReader:
    """State whose reads fail from one of them on."""

    def __init__(self, below: StateReader, countdown: list[int]) -> None:
        """Read by `below` as often as the countdown says, which readers share."""
        self._below = below
        self._countdown = countdown

    @property
    def version(self) -> int:
        """The version read."""
        return self._below.version

    def _spend(self) -> None:
        self._countdown[0] -= 1
        if self._countdown[0] < 0:
            raise StorageError("the disk is gone")

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Read, or fail."""
        self._spend()
        return self._below.multi_get(keys)

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """Read, or fail."""
        self._spend()
        return self._below.range(wanted)


@pytest.mark.parametrize(("transport", "fault"), on_both({}, {"fault": "swallow"}))
def test_a_read_that_fails_is_no_outcome(
    open_chain: Open, monkeypatch: pytest.MonkeyPatch, transport: str, fault: Mapping[str, object]
) -> None:
    chain = open_chain(transport=transport, fault=fault)
    futures = chain.submit("toy", *RAW) + chain.submit("sound", *RAW)
    state = chain.store.state
    sound_reader = state.reader
    reads = 0
    while True:
        countdown = [reads]
        with monkeypatch.context() as patch:
            patch.setattr(
                state, "reader", lambda version, left=countdown: FailingReader(sound_reader(version), left)
            )
            with contextlib.suppress(StorageError):
                block = chain.mine()
                break
        assert chain.height == 0
        assert not any(future.done() for future in futures)
        reads += 1
    assert reads > 1
    assert block is not None
    assert all(future.result().executed == block for future in futures)
    assert [receipt.output for receipt in block.receipts] == [b"1", b"3", b"1", b"3"]
    assert all(container.in_service for container in chain.containers.values())
    assert open_chain().chain.import_block(block.block) == block


@pytest.mark.parametrize(("transport", "fault"), on_both({}))
def test_a_read_that_fails_in_a_question_is_reported(
    open_chain: Open, monkeypatch: pytest.MonkeyPatch, transport: str, fault: Mapping[str, object]
) -> None:
    chain = open_chain(transport=transport, fault=fault)
    chain.submit("toy", b"add a 5")
    chain.mine()
    state = chain.store.state
    state_at = state.state_at

    def failing(height: int) -> tuple[StateReader, object]:
        reader, root = state_at(height)
        return FailingReader(reader, [0]), root

    with monkeypatch.context() as patch:
        patch.setattr(state, "state_at", failing)
        with pytest.raises(StorageError, match="the disk is gone"):
            chain.value("toy", "b")  # what a plugin knows it does not ask for
    assert (chain.value("toy", "a"), chain.value("toy", "b")) == (5, 0)


@pytest.mark.slow
def test_a_reader_that_floods_is_replaced_and_the_blocks_go_on(open_chain: Open) -> None:
    chain = open_chain(transport="grpc", readers=1, max_questions=0)
    readers = chain.containers["toy"].hosting.readers
    assert readers is not None
    assert readers.wait_until_up(20)
    [pid] = readers.pids()
    with pytest.raises(ContainerMisbehaved, match="asked for state 1 times"):
        chain.value("toy", "a")
    assert readers.wait_until_up(20)
    assert readers.pids() != [pid]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert chain.supervisors["toy"].restarts == 0
