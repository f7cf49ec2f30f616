"""Competing branches: which is best, how the chain moves, what is refused, what is kept and told."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from containers.toy_chain import Ticking, ToyChain, branch, toy_genesis
from vessel.chain.events import Reorganisation
from vessel.chain.reading import Reading
from vessel.consensus.instant import Instant, InstantParameters
from vessel.container.node_api import Tag
from vessel.database.memory import MemoryKeyValue
from vessel.errors import ConfigurationError, HeightNotKept, InvalidBlock, NotFound, StorageError
from vessel.primitives.block import Block, ExecutedBlock
from vessel.primitives.header import Header
from vessel.primitives.receipt import Receipt
from vessel.primitives.units import Hash32, Height


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def chain(clock: Ticking) -> Iterator[ToyChain]:
    opened = ToyChain(clock)
    yield opened
    opened.close()


class ByGas(Instant):
    """The branch on which the most was done wins, however short it is."""

    def score(self, parent_score: int, header: Header) -> int:
        """Return one more a block, and ten for each unit of gas."""
        return parent_score + 1 + 10 * sum(section.gas_used for _, section in header.sections)


def refused(chain: ToyChain, block: Block) -> str:
    """Return why a block is refused; the chain stays as it is."""
    head, root = chain.head, chain.chain.store.state.head_root
    with pytest.raises(InvalidBlock) as caught:
        chain.chain.import_block(block)
    assert (head, root) == (chain.head, chain.chain.store.state.head_root)
    return caught.value.reason


def raws(chain: ToyChain) -> list[bytes]:
    """Return what waits, in the order of arrival."""
    waiting = chain.chain.admission._mempool.of("counter")
    return [pending.transaction.raw for pending in sorted(waiting, key=lambda pending: pending.arrival)]


# ---- which branch


def test_the_longer_branch_wins_and_equals_leave_things_as_they_are(chain: ToyChain, clock: Ticking) -> None:
    blocks = branch(clock, chain, 0, 3)
    own = chain.mine(2)
    for executed in blocks[:2]:
        assert chain.chain.import_block(executed.block) == executed
        assert chain.head == own[-1]
    chain.take(blocks[2:])
    assert chain.head == blocks[2]
    store = chain.chain.store
    assert [store.block(height) for height in (1, 2, 3)] == blocks
    assert list(chain.chain.tree.recent_ids(2)) == [blocks[2].block_id, blocks[1].block_id]
    assert chain.chain.tree.find(own[0].block_id) == own[0]
    assert not chain.chain.tree.is_canonical(own[0])


def test_the_score_decides_not_the_length(clock: Ticking) -> None:
    genesis = toy_genesis()
    consensus = ByGas(InstantParameters(mode="manual", final=False), genesis.hasher)
    one, other = (ToyChain(clock, consensus=consensus) for _ in range(2))
    long = one.mine(3)
    other.count(b"add a 1")
    (short,) = other.mine()
    one.take([short])
    assert one.head == short
    assert one.height == 1
    for height in (2, 3):
        with pytest.raises(NotFound):
            one.chain.store.block(height)
        with pytest.raises(HeightNotKept):
            one.chain.store.state.reader_at(height)
    assert one.chain.store.state.head_root == other.chain.store.state.head_root
    other.take(long)
    assert other.head == short
    for each in (one, other):
        each.close()


def test_there_and_back_executes_nothing_twice(chain: ToyChain, clock: Ticking) -> None:
    chain.count(b"add a 1")
    own = chain.mine(2)
    root = chain.chain.store.state.head_root
    blocks = branch(clock, chain, 0, 3, b"add a 5")
    chain.take(blocks)
    assert chain.value("a") == 5
    back = branch_over(clock, own, 2)
    executions = chain.chain._executions
    chain.take(back)
    assert chain.chain._executions == executions + 2  # the two new ones, no other
    assert chain.head == back[-1]
    assert chain.chain.store.state.stored_root(2) == root
    assert chain.value("a") == 1


def branch_over(clock: Ticking, blocks: list[ExecutedBlock], length: int) -> list[ExecutedBlock]:
    """Return blocks of another node over the end of a branch."""
    maker = ToyChain(clock)
    maker.take(blocks)
    made = maker.mine(length)
    maker.close()
    return made


def test_branches_of_branches(chain: ToyChain, clock: Ticking) -> None:
    trunk = chain.mine(3)
    first = branch(clock, chain, 1, 2, b"add a 1")
    chain.take(first)
    twig = branch_over(clock, [trunk[0], first[0]], 4)
    chain.take(twig)
    assert chain.head == twig[-1]
    store = chain.chain.store
    assert [store.block(height) for height in range(1, 7)] == [trunk[0], first[0], *twig]


def test_a_side_branch_survives_a_restart(clock: Ticking) -> None:
    store = MemoryKeyValue()
    chain = ToyChain(clock, store)
    blocks = branch(clock, chain, 0, 4, b"add a 9")
    own = chain.mine(3)
    chain.take(blocks[:3])
    again = ToyChain(clock, store)
    assert again.head == own[-1]
    again.take(blocks[3:])
    assert again.head == blocks[3]
    assert again.value("a") == 9
    assert ToyChain(clock, store).chain.tree.score == again.chain.tree.score == 5
    again.close()


def test_states_of_side_branches_in_memory_are_bounded(
    chain: ToyChain, clock: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vessel.blocktree.tree.MAX_LIVE_SIDE_VERSIONS", 3)
    branches = [branch(clock, chain, 0, 8, b"add a %d" % i) for i in range(3)]
    chain.mine(7)
    for step in range(7):
        for blocks in branches:
            chain.take([blocks[step]])
    chain.take(branches[0][7:])
    assert chain.head == branches[0][7]
    assert chain.value("a") == 0
    assert len(chain.chain.tree._live) <= 10
    chain.take(branches[1][7:])
    assert chain.head == branches[0][7]


# ---- what is refused


def test_unknown_parents_wrong_heights_and_known_blocks(chain: ToyChain, clock: Ticking) -> None:
    blocks = branch(clock, chain, 0, 3)
    assert refused(chain, blocks[1].block) == "UNKNOWN_PARENT"
    chain.take(blocks)
    wrong = msgspec.structs.replace(blocks[1].block.header, height=Height(7))
    assert refused(chain, msgspec.structs.replace(blocks[1].block, header=wrong)) == "HEIGHT"
    writes = chain.chain._executions
    for executed in blocks:
        assert chain.chain.import_block(executed.block) == executed
    assert chain.chain._executions == writes


def test_an_invalid_side_block_is_remembered_with_what_builds_on_it(chain: ToyChain, clock: Ticking) -> None:
    chain.mine(2)
    (good,) = branch(clock, chain, 0, 1, b"add a 1")
    name, section = good.block.header.sections[0]
    sections = ((name, msgspec.structs.replace(section, gas_used=99)), *good.block.header.sections[1:])
    header = msgspec.structs.replace(good.block.header, sections=sections)
    bad = msgspec.structs.replace(good.block, header=header)
    assert refused(chain, bad) == "SECTIONS"
    executions = chain.chain._executions
    assert refused(chain, bad) == "KNOWN_INVALID"
    assert chain.chain._executions == executions
    hasher = chain.chain.genesis.hasher
    for height in (2, 3):
        header = msgspec.structs.replace(header, height=Height(height), parent_id=header.block_id(hasher))
        on_it = msgspec.structs.replace(bad, header=header)
        assert refused(chain, on_it) == "INVALID_PARENT"
        assert refused(chain, on_it) == "KNOWN_INVALID"
    chain.take([good])  # the good one has another id


def test_a_wrong_seal_or_list_does_not_make_the_true_block_invalid(chain: ToyChain, clock: Ticking) -> None:
    """Neither is covered by the id: whoever sends such a block first must not keep the true one out."""
    chain.mine()
    blocks = branch(clock, chain, 0, 2, b"add a 1")
    block = blocks[0].block
    result = msgspec.structs.replace(block.seal.result, state_root=Hash32(b"\x01" * 32))
    seal = msgspec.structs.replace(block.seal, result=result)
    refused(chain, msgspec.structs.replace(block, seal=seal))
    assert refused(chain, msgspec.structs.replace(block, transactions=())) == "TRANSACTIONS_ROOT"
    chain.take(blocks)
    assert chain.head == blocks[1]


def test_nothing_final_is_undone(clock: Ticking) -> None:
    chain, other = ToyChain(clock, final=True), ToyChain(clock, final=True)
    chain.mine(2)
    rival = other.mine(3)
    assert refused(chain, rival[0].block) == "BELOW_FINALITY"
    assert refused(chain, rival[0].block) == "BELOW_FINALITY"  # not invalid, only too late
    assert chain.chain.tree.finalized_height == 2
    for each in (chain, other):
        each.close()


def test_a_branch_that_leaves_too_far_below_is_refused(clock: Ticking) -> None:
    chain = ToyChain(clock, max_side_branch=3)
    deep, fair = branch(clock, chain, 0, 1), []
    chain.mine(2)
    fair = branch(clock, chain, 1, 4)
    chain.mine(2)
    assert refused(chain, deep[0].block) == "BRANCH_TOO_DEEP"
    chain.take(fair[:3])
    chain.mine(1)
    assert refused(chain, fair[3].block) == "BRANCH_TOO_DEEP"
    chain.close()


# ---- what is told and what waits again


def test_transactions_of_the_branch_that_was_left_wait_again(chain: ToyChain, clock: Ticking) -> None:
    chain.count(b"add a 1", b"add b 1")
    chain.mine()
    chain.count(b"add c 1")
    chain.mine()
    (waiting,) = chain.count(b"add d 1")
    blocks = branch(clock, chain, 0, 3, b"add b 1", b"add d 1")
    chain.take(blocks)
    assert raws(chain) == [b"add a 1", b"add c 1"]
    assert waiting.committed.result(timeout=0).executed == blocks[0]
    (made,) = chain.mine()
    assert [transaction.raw for transaction in made.block.transactions] == [b"add a 1", b"add c 1"]


def test_what_was_left_waits_again_after_a_restart(clock: Ticking) -> None:
    store = MemoryKeyValue()
    chain = ToyChain(clock, store)
    chain.count(b"add a 1")
    chain.mine()
    chain.take(branch(clock, chain, 0, 2))
    again = ToyChain(clock, store)
    assert raws(again) == [b"add a 1"]
    again.mine()
    assert raws(ToyChain(clock, store)) == []
    again.close()


def test_listeners_hear_of_both_sides(chain: ToyChain, clock: Ticking) -> None:
    blocks = branch(clock, chain, 0, 3)
    changes: list[ExecutedBlock | Reorganisation] = []
    added: list[ExecutedBlock] = []
    chain.chain.events.subscribe_changes(changes.append)
    chain.chain.events.subscribe(added.append)
    own = chain.mine(2)
    chain.take(blocks)
    expected = Reorganisation(removed=(own[1], own[0]), added=tuple(blocks))
    assert changes == [*own, expected]
    assert added == [*own, *blocks]


def test_indexes_follow_the_branch(chain: ToyChain, clock: Ticking) -> None:
    chain.count(b"add a 1")
    own = chain.mine()
    (receipt,) = own[0].receipts
    blocks = branch(clock, chain, 0, 2, b"add z 1")
    chain.take(blocks)
    store = chain.chain.store
    assert store.transaction("counter", receipt.transaction_id) is None
    theirs: Receipt = blocks[0].receipts[0]
    assert store.transaction("counter", theirs.transaction_id) == (1, 0)
    with pytest.raises(NotFound):
        store.block_by_id(own[0].block_id)


# ---- reading


def test_reading_a_side_branch_by_id(chain: ToyChain, clock: Ticking) -> None:
    own = chain.mine(2)
    chain.take(branch(clock, chain, 0, 3))
    reading = Reading(chain.chain)
    assert reading.block(own[0].block_id) == own[0]
    with pytest.raises(HeightNotKept, match=r"block 1 0x.* is on a side branch") as caught:
        reading.state([b"x"], at=own[0].block_id, with_proofs=False)
    assert caught.value.reason == "SIDE_BRANCH"
    with pytest.raises(HeightNotKept):
        reading.query("counter", "value", b'{"name": "a"}', at=own[1].block_id)
    with pytest.raises(NotFound, match="no block with id 00"):
        reading.block(Hash32(bytes(32)))


def test_every_height_is_read_as_it_was(chain: ToyChain) -> None:
    for amount in (1, 2, 3):
        chain.count(b"add a %d" % amount)
        chain.mine()
    reading = Reading(chain.chain)
    for height, expected in enumerate((b"0", b"1", b"3", b"6")):
        for at in (Height(height), chain.chain.store.block_id(height)):
            result, answered = reading.query("counter", "value", b'{"name": "a"}', at=at)
            assert (result.json, answered) == (b'{"value": %s}' % expected, height)
    result, _ = reading.query("counter", "value", b'{"name": "a"}', at=Tag.FINALIZED)
    assert result.json == b'{"value": 0}'


# ---- pruning


def test_old_states_are_pruned_and_the_rest_is_read(clock: Ticking) -> None:
    store = MemoryKeyValue()
    chain = ToyChain(clock, store, keep_heights=5, max_side_branch=3)
    for amount in range(1, 31):
        chain.count(b"add a 1 %d" % amount)
        chain.mine()
    state = chain.chain.store.state
    assert state.first_height == 26
    reading = Reading(chain.chain)
    for height in range(26, 31):
        result, _ = reading.query("counter", "value", b'{"name": "a"}', at=Height(height))
        assert result.json == b'{"value": %d}' % height
        root, _, _ = state.prove(b"x", height)
        assert root == chain.chain.store.block(height).block.seal.result.state_root
    for what in (lambda: state.reader_at(25), lambda: state.prove(b"x", 25), lambda: state.stored_root(25)):
        with pytest.raises(HeightNotKept, match="heights 26 to 30 are kept"):
            what()
    assert len(chain.chain.store.block(3).receipts) == 1  # blocks and receipts stay
    assert ToyChain(clock, store, keep_heights=5, max_side_branch=3).chain.store.state.first_height == 26
    chain.take(branch(clock, chain, 28, 3))
    assert chain.height == 31
    chain.close()


def test_an_archive_keeps_everything_and_turning_to_pruning_catches_up(clock: Ticking) -> None:
    store = MemoryKeyValue()
    archive = ToyChain(clock, store)
    archive.mine(60)
    assert archive.chain.store.state.first_height == 0
    pruned = ToyChain(clock, store, keep_heights=10, max_side_branch=5)
    heights = []
    for _ in range(5):
        pruned.mine()
        heights.append(pruned.chain.store.state.first_height)
    assert heights == [16, 32, 48, 55, 56]  # a few a block, so that no block waits


def test_a_failure_to_prune_costs_no_block(clock: Ticking, caplog: pytest.LogCaptureFixture) -> None:
    chain = ToyChain(clock, keep_heights=5, max_side_branch=3)

    def full(below: int) -> None:
        raise StorageError("no space left on device")

    chain.chain.store.prune = full  # type: ignore[method-assign]
    chain.mine(10)
    assert chain.height == 10
    assert "could not be pruned" in caplog.text
    chain.close()


def test_side_blocks_go_with_the_states(clock: Ticking) -> None:
    chain = ToyChain(clock, keep_heights=5, max_side_branch=3)
    (side,) = branch(clock, chain, 0, 1)
    chain.mine(2)
    chain.take([side])
    assert chain.chain.tree.find(side.block_id) == side
    chain.mine(10)
    assert chain.chain.tree.find(side.block_id) is None
    assert refused(chain, side.block) == "BRANCH_TOO_DEEP"
    chain.close()


def test_too_little_kept_is_refused(clock: Ticking) -> None:
    with pytest.raises(ConfigurationError, match="set keep_heights to more, or to 0"):
        ToyChain(clock, keep_heights=5, max_side_branch=5)
