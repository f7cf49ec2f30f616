"""The reading side: blocks by what they are called, old states, proofs."""

from __future__ import annotations

import json

import pytest

from unit.chain.conftest import Clock, ToyChain
from vessel.chain.reading import Reading
from vessel.container.messages import BlockStart, Call
from vessel.container.node_api import CommittedTransaction, Tag, WaitingTransaction
from vessel.database.proof import Proof, verify_absence, verify_inclusion
from vessel.errors import HeightNotKept, NotFound, UnknownContainer
from vessel.primitives.hashing import SHA256
from vessel.primitives.units import ZERO_ADDRESS, Hash32, Height


@pytest.fixture
def grown(toy: ToyChain, clock: Clock) -> ToyChain:
    """A chain on which `x` of the counter is the height of the block."""
    for number in range(1, 5):
        clock.now_ms += 1000
        toy.submit("counter", b"add x 1 %d" % number)
        toy.mine()
    return toy


def test_blocks_go_by_height_id_and_tag(grown: ToyChain) -> None:
    reading, store = Reading(grown.chain), grown.chain.store
    for height in range(5):
        block = store.block(height)
        assert block == reading.block(Height(height)) == reading.block(block.block_id)
    assert reading.block(Tag.LATEST).block.header.height == 4
    assert reading.block(Tag.FINALIZED).block.header.height == 4
    assert reading.block(Tag.GENESIS).block.header.height == 0
    with pytest.raises(NotFound, match="no block with height 5; heights 0 to 4 are here"):
        reading.block(Height(5))
    with pytest.raises(NotFound, match="no block with id 7878"):
        reading.block(Hash32(b"x" * 32))


@pytest.mark.parametrize("height", range(5))
def test_queries_are_answered_as_of_any_block(grown: ToyChain, height: int) -> None:
    answer, at = Reading(grown.chain).query("counter", "value", b'{"name": "x"}', at=Height(height))
    assert ({"value": height}, height) == (json.loads(answer.json), at)


@pytest.mark.parametrize("height", range(5))
def test_proofs_hold_against_the_blocks_own_root(grown: ToyChain, height: int) -> None:
    there, absent = b"\0\1value/x", b"\0\1value/nobody"
    answer = Reading(grown.chain).state([there, absent], at=Height(height), with_proofs=True)
    root = grown.chain.store.block(height).block.seal.result.state_root
    assert root == answer.state_root
    value, nothing = answer.entries
    assert nothing.value is None
    assert verify_absence(Proof.from_bytes(nothing.proof), root, absent, SHA256)
    if height:
        assert b"%d" % height == value.value
        assert verify_inclusion(Proof.from_bytes(value.proof), root, there, b"%d" % height, SHA256)
        assert not verify_inclusion(Proof.from_bytes(value.proof), root, there, b"77", SHA256)
        child = {4: None}.get(height, grown.chain.store.header(min(height + 1, 4)).parent_result)
        assert child is None or child.state_root == root
    else:
        assert value.value is None
        assert verify_absence(Proof.from_bytes(value.proof), root, there, SHA256)


def test_without_proofs_the_values_are_the_same(grown: ToyChain) -> None:
    answer = Reading(grown.chain).state([b"\0\1value/x"], at=Height(2), with_proofs=False)
    assert [(entry.value, entry.proof) for entry in answer.entries] == [(b"2", b"")]


def test_state_that_never_was_is_not_found(grown: ToyChain) -> None:
    with pytest.raises((NotFound, HeightNotKept)):
        Reading(grown.chain).state([b"\0\1x"], at=Height(9), with_proofs=True)


def test_transactions_are_found_in_blocks_and_while_they_wait(grown: ToyChain) -> None:
    reading = Reading(grown.chain)
    (waiting,) = grown.submit("counter", b"add y 1")
    for container in ("counter", ""):
        found = reading.transaction(container, waiting.id)
        assert isinstance(found, WaitingTransaction)
        assert ("counter", waiting.id, b"add y 1") == (found.container, found.id, found.raw)
    made = grown.mine()
    for container in ("counter", ""):
        committed = reading.transaction(container, waiting.id)
        assert isinstance(committed, CommittedTransaction)
        assert (made, 0) == (committed.executed, committed.index)
    with pytest.raises(NotFound, match="no transaction 0x00 is known in container 'east'"):
        reading.transaction("east", b"\0")
    with pytest.raises(NotFound, match=r"no transaction 0x00 is known$"):
        reading.transaction("", b"\0")


def test_a_container_that_is_not_there(grown: ToyChain) -> None:
    reading = Reading(grown.chain)
    message = "no container 'vm'; it has: counter, east, west"
    with pytest.raises(UnknownContainer, match=message) as caught:
        reading.query("vm", "x", b"", at=Tag.LATEST)
    assert caught.value.details == {"container": "vm"}
    with pytest.raises(UnknownContainer, match=message):
        reading.call("vm", Call(to=b"", sender=ZERO_ADDRESS), at=Tag.LATEST, estimate=False)


def test_a_view_is_set_in_the_block_that_comes_after(grown: ToyChain, clock: Clock) -> None:
    starts: list[BlockStart] = []
    east = grown.chain.containers["east"]
    connection = east.connection()
    view = connection.view
    connection.view = lambda request, reader: starts.append(request.start) or view(request, reader)  # type: ignore[method-assign,func-returns-value]
    reading, store = Reading(grown.chain), grown.chain.store
    for height in (2, 4):
        reading.query("east", "summary", b"{}", at=Height(height))
    clock.now_ms = 0  # even then
    reading.query("east", "summary", b"{}", at=Tag.LATEST)
    old, newest, early = starts
    assert (3, store.header(3).time_ms) == (old.height, old.time_ms)
    assert (store.block_id(2), [store.block_id(h) for h in (2, 1, 0)]) == (
        old.parent_id,
        list(old.recent_ids),
    )
    assert (5, store.header(4).time_ms + 1) == (newest.height, newest.time_ms)
    assert store.header(4).time_ms + 1 == early.time_ms
    assert store.header(2).section("east") == old.parent_section
