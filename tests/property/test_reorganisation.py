"""Random reorganisations and reverts: the end is that of a fresh replay, and nothing is lost on the way.

One chain under test makes blocks, is offered competing branches of another node, goes back to snapshots,
and is closed and opened again. What it acknowledged as committed is on its chain or waits again.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from containers.toy_chain import Ticking, ToyChain, blocks_of
from vessel.database.key_value import default_engine
from vessel.database.reader import Range, StateReader
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import Hash32

EVERYTHING = Range(start=b"", stop=b"\xff" * 8)


class Life:
    """The chain under test, the node that competes with it, and what must hold."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.rng = random.Random(seed)
        self.clock = Ticking()
        self.chain = ToyChain(self.clock, url)
        self.rival = ToyChain(self.clock)
        self.acknowledged: set[bytes] = set()
        self.readers: list[tuple[StateReader, list[tuple[bytes, bytes]]]] = []
        self.snapshots: list[tuple[int, Hash32, bytes]] = []
        self.reorganisations = 0
        self.reverts = 0
        self.raws: list[bytes] = []

    def some(self, count: int) -> list[bytes]:
        """Return transactions that nobody has sent yet."""
        names = (b"a", b"b", b"c")
        made = [b"add %s 1 %d" % (self.rng.choice(names), len(self.raws) + i) for i in range(count)]
        self.raws += made
        return made

    def mine(self) -> None:
        """Make a block; what is in it is acknowledged to whoever sent it."""
        submitted = self.chain.count(*self.some(self.rng.randint(0, 4)))
        (made,) = self.chain.mine()
        for one in submitted:
            assert one.committed.result(timeout=0).executed == made
        self.acknowledged.update(receipt.transaction_id for receipt in made.receipts)

    def compete(self) -> None:
        """Offer a branch that leaves the chain some blocks ago, sometimes longer than the chain's own."""
        height = self.chain.height
        fork = max(0, height - self.rng.randint(1, 5))
        self.rival.follow(self.chain, fork)
        known = [t.raw for h in range(fork + 1, height + 1) for t in self.block(h).block.transactions]
        shared = self.rng.sample(known, min(len(known), self.rng.randint(0, 3)))
        self.rival.count(*dict.fromkeys(shared), *self.some(self.rng.randint(0, 2)))
        before = self.chain.head
        blocks = self.rival.mine(max(1, height - fork + self.rng.randint(-1, 2)))
        for executed in blocks:
            self.chain.take([executed])
            if self.rng.random() < 0.2:
                self.chain.take([executed])  # known already
            if self.rng.random() < 0.1:
                self.reopen()
            self.check_nothing_lost()
        longer = len(blocks) > height - fork
        assert (blocks[-1] if longer else before) == self.chain.head
        self.reorganisations += longer

    def revert(self) -> None:
        """Go back to a snapshot that is still on the chain."""
        store = self.chain.chain.store
        there = [s for s in self.snapshots if s[0] < self.chain.height and store.block_id(s[0]) == s[1]]
        if not there:
            return
        height, _, root = self.rng.choice(there[-5:])
        for executed in self.chain.revert(height):
            self.acknowledged.difference_update(receipt.transaction_id for receipt in executed.receipts)
        assert store.state.head_root == root
        self.reverts += 1

    def snapshot(self) -> None:
        """Remember where the chain stands, and what a reader of it reads."""
        state = self.chain.chain.store.state
        self.snapshots.append((self.chain.height, self.chain.head.block_id, state.head_root))
        reader = state.reader(state.head_version)
        self.readers.append((reader, reader.range(EVERYTHING)))
        old = state.reader_at(self.rng.randint(0, self.chain.height))
        self.readers.append((old, old.range(EVERYTHING)))

    def reopen(self) -> None:
        """Close the chain and open it again; snapshots are by height and id, readers end."""
        self.check_readers()
        self.chain.close()
        self.chain = ToyChain(self.clock, self.url)

    def block(self, height: int) -> ExecutedBlock:
        return self.chain.chain.store.block(height)

    def check_readers(self) -> None:
        for reader, entries in self.readers:
            assert reader.range(EVERYTHING) == entries
        self.readers.clear()

    def check_nothing_lost(self) -> None:
        store, admission = self.chain.chain.store, self.chain.chain.admission
        for transaction_id in self.acknowledged:
            waits = admission.pending("counter", transaction_id) is not None
            committed = store.transaction("counter", transaction_id) is not None
            assert waits != committed, transaction_id.hex()

    def check_against_a_replay(self) -> None:
        fresh = ToyChain(self.clock)
        for block in blocks_of(self.chain):
            fresh.chain.import_block(block)
        state, fresh_state = self.chain.chain.store.state, fresh.chain.store.state
        assert fresh.head == self.chain.head
        assert fresh_state.head_root == state.head_root
        for height in range(self.chain.height + 1):
            assert fresh_state.stored_root(height) == state.stored_root(height)
            expected = fresh_state.reader_at(height).range(EVERYTHING)
            assert expected == state.reader_at(height).range(EVERYTHING)
            assert fresh.chain.store.block(height) == self.block(height)
            assert fresh.chain.store.score(height) == self.chain.chain.store.score(height)
        fresh.close()


def live(life: Life, rounds: int) -> None:
    """Go through reorganisations and reverts, `rounds` of them together."""
    while life.reorganisations + life.reverts < rounds:
        for _ in range(life.rng.randint(0, 3)):
            life.mine()
        if life.rng.random() < 0.4:
            life.snapshot()
        if life.rng.random() < 0.25:
            life.revert()
        else:
            life.compete()
        if life.rng.random() < 0.05:
            life.reopen()
        life.check_nothing_lost()
    life.reopen()
    life.check_nothing_lost()
    life.check_against_a_replay()
    life.chain.mine()
    life.check_nothing_lost()
    life.chain.close()
    life.rival.close()


@pytest.mark.slow
def test_two_hundred_reorganisations_and_reverts(tmp_path: Path) -> None:
    life = Life(f"{default_engine()}:{tmp_path / 'chain'}", 1)
    live(life, 200)
    assert min(life.reorganisations, life.reverts) > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
def test_the_other_engine(seed: int, tmp_path: Path) -> None:
    live(Life(f"rocksdb:{tmp_path / 'chain'}", seed), 15)
