"""A reorganisation that is cut short anywhere: the old branch is whole, or the new one is; nothing is lost.

Blocks follow from a clock that ticks when asked, so every run of the story makes the same blocks.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from containers.toy_chain import Ticking, ToyChain, blocks_of, branch
from vessel.database.key_value import Batch, KeyValue, default_engine
from vessel.database.memory import MemoryKeyValue
from vessel.database.value_cache import ValueCache
from vessel.errors import StorageError, StoreLocked
from vessel.primitives.block import ExecutedBlock

ENGINES = sorted({default_engine(), "rocksdb"})
OWN = 6  # blocks of the chain
FORK = 3  # where the rival leaves it
RIVAL = 5  # its blocks: three beside the chain, the fourth takes over, the fifth extends
TAKES_OVER = 3


class Killed(BaseException):
    """The process is gone: nobody may catch it."""


class Cut:
    """A store that does as it is told at one of its writes, counted from when it is armed."""

    def __init__(self, store: KeyValue) -> None:
        """Stand in front of `store`."""
        self._store = store
        self.writes = 0
        self.victim = -1
        self.error: BaseException = Killed()
        self.after = False

    def __getattr__(self, name: str) -> Any:
        """Do everything else as the store does it."""
        return getattr(self._store, name)

    def write(self, batch: Batch, *, sync: bool) -> None:
        """Fail before or after the write whose turn it is."""
        self.writes += 1
        if self.writes == self.victim and not self.after:
            raise self.error
        self._store.write(batch, sync=sync)
        if self.writes == self.victim:
            raise self.error


def tell(chain: ToyChain) -> None:
    """Make the chain's own blocks, each with a transaction that is acknowledged."""
    for height in range(1, OWN + 1):
        chain.count(b"add own %d" % height)
        chain.mine()


def rivals(clock: Ticking, chain: ToyChain) -> list[ExecutedBlock]:
    """Return the blocks of the rival; its first holds one of the chain's own transactions as well."""
    return branch(clock, chain, FORK, RIVAL, b"add own 5", b"add rival 1")


def acknowledged(blocks: Sequence[ExecutedBlock]) -> list[bytes]:
    return [receipt.transaction_id for executed in blocks for receipt in executed.receipts]


class Story:
    """What happens, told once without faults."""

    def __init__(self) -> None:
        clock = Ticking()
        chain = ToyChain(clock)
        tell(chain)
        self.own = [chain.chain.store.block(height) for height in range(1, OWN + 1)]
        self.rivals = rivals(clock, chain)
        chain.take(self.rivals)
        assert chain.head == self.rivals[-1]
        self.root = chain.chain.store.state.head_root
        chain.close()

    def check(self, chain: ToyChain) -> int:
        """Check that a chain is whole, and return how many blocks of the rival are on it."""
        heads = [self.own[-1], *self.rivals[TAKES_OVER:]]
        assert chain.head in heads
        taken = 0 if chain.head == heads[0] else self.rivals.index(chain.head) + 1
        store, admission = chain.chain.store, chain.chain.admission
        expected = self.own[:FORK] + self.rivals[:taken] if taken else self.own
        assert [store.block(height) for height in range(1, chain.height + 1)] == expected
        fresh = ToyChain(Ticking())
        for block in blocks_of(chain):
            fresh.chain.import_block(block)
        for height in range(chain.height + 1):
            assert fresh.chain.store.state.stored_root(height) == store.state.stored_root(height)
        assert fresh.chain.store.state.head_root == store.state.head_root
        fresh.close()
        for transaction_id in acknowledged(self.own):
            waits = admission.pending("counter", transaction_id) is not None
            assert waits != (store.transaction("counter", transaction_id) is not None)
        return taken

    def finish(self, chain: ToyChain) -> None:
        """Let the story go to its end, from wherever it stands."""
        chain.take(self.rivals)
        assert self.check(chain) == RIVAL
        assert chain.chain.store.state.head_root == self.root
        chain.mine()
        assert chain.value("own") == sum(range(1, OWN + 1))  # each counted once, whatever it went through


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def prepared(store: KeyValue) -> tuple[ToyChain, Cut]:
    """Return a chain with its own blocks, and the hand on its store."""
    cut = Cut(store)
    chain = ToyChain(Ticking(), cut)
    tell(chain)
    cut.writes = 0
    return chain, cut


def test_the_way_to_the_new_branch_is_one_write_a_block(story: Story) -> None:
    chain, cut = prepared(MemoryKeyValue())
    for expected, executed in enumerate(story.rivals, 1):
        chain.take([executed])
        assert cut.writes == expected
    chain.close()


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("victim", range(1, RIVAL + 1))
def test_killed_before_and_after_every_write(story: Story, victim: int, after: bool) -> None:
    store = MemoryKeyValue()
    chain, cut = prepared(store)
    cut.victim, cut.after = victim, after
    with pytest.raises(Killed):
        chain.take(story.rivals)
    again = ToyChain(Ticking(), store)  # what the dead process had in memory is gone
    reached = victim if after else victim - 1
    assert story.check(again) == (reached if reached > TAKES_OVER else 0)
    story.finish(again)


@pytest.mark.slow
@pytest.mark.parametrize("victim", range(1, RIVAL + 1))
def test_no_space_at_any_write_costs_nothing_but_the_block(story: Story, victim: int) -> None:
    chain, cut = prepared(MemoryKeyValue())
    cut.victim, cut.error = victim, StorageError("no space left on device")
    with pytest.raises(StorageError, match="no space"):
        chain.take(story.rivals)
    story.check(chain)
    assert cut.writes == victim
    story.finish(chain)
    chain.close()


def test_no_space_while_a_block_of_ones_own_is_made() -> None:
    cut = Cut(MemoryKeyValue())
    chain = ToyChain(Ticking(), cut)
    (submitted,) = chain.count(b"add a 1")
    cut.victim, cut.error = cut.writes + 1, StorageError("no space left on device")
    with pytest.raises(StorageError, match="no space"):
        chain.mine()
    assert chain.height == 0
    assert not submitted.committed.done()
    (made,) = chain.mine()
    assert submitted.committed.result(timeout=0).executed == made
    chain.close()


# ---- in a process of its own

CHILD = """
import os, resource, signal, sys
sys.path.insert(0, sys.argv[1])
from containers.toy_chain import Ticking, ToyChain
from fault.test_reorganisation import FORK, rivals, tell
from vessel.errors import StorageError

url, when, victim = sys.argv[2], sys.argv[3], int(sys.argv[4])
clock = Ticking()
chain = ToyChain(clock, url)
tell(chain)
blocks = rivals(clock, chain)
store = chain.chain.store._store
write, count = store.write, 0

def deadly(batch, *, sync):
    global count
    count += 1
    if count == victim and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    if count == victim and when == "full":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    write(batch, sync=sync)
    if count == victim and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)

store.write = deadly
try:
    chain.take(blocks)
except StorageError as error:
    print(error.message, flush=True)
    os._exit(3)
"""


def run_child(url: str, when: str, victim: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(Path(__file__).parents[1]), url, when, str(victim)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("when", "taken"), [("before", 0), ("after", TAKES_OVER + 1)])
def test_killed_at_the_write_that_takes_over(
    engine: str, when: str, taken: int, tmp_path: Path, story: Story
) -> None:
    url = f"{engine}:{tmp_path / 'chain'}"
    done = run_child(url, when, TAKES_OVER + 1)
    assert done.returncode == -signal.SIGKILL, done.stderr
    chain = ToyChain(Ticking(), url)
    assert story.check(chain) == taken
    story.finish(chain)
    chain.close()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lost_bytes", [1, 200])
def test_a_torn_last_write_is_as_if_it_had_not_been(
    engine: str, lost_bytes: int, tmp_path: Path, story: Story
) -> None:
    directory = tmp_path / "chain"
    done = run_child(f"{engine}:{directory}", "after", TAKES_OVER + 1)
    assert done.returncode == -signal.SIGKILL, done.stderr
    log = max(directory.glob("[0-9]*.log"))
    log.write_bytes(log.read_bytes()[:-lost_bytes])
    chain = ToyChain(Ticking(), f"{engine}:{directory}")
    assert story.check(chain) == 0
    story.finish(chain)
    chain.close()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system limits no file sizes")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_disk_that_takes_no_more(engine: str, tmp_path: Path, story: Story) -> None:
    url = f"{engine}:{tmp_path / 'chain'}"
    done = run_child(url, "full", TAKES_OVER + 1)
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert "check space" in done.stdout
    chain = ToyChain(Ticking(), url)  # there is space again
    assert story.check(chain) in (0, TAKES_OVER + 1)
    story.finish(chain)
    chain.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_two_nodes_on_one_store(engine: str, tmp_path: Path) -> None:
    url = f"{engine}:{tmp_path / 'chain'}"
    first = ToyChain(Ticking(), url)
    with pytest.raises(StoreLocked, match="stop that node, or give this one a directory of its own"):
        ToyChain(Ticking(), url)
    first.mine()
    assert first.height == 1
    first.close()
    second = ToyChain(Ticking(), url)
    assert second.height == 1
    second.close()


# ---- caches


@pytest.fixture
def swap() -> Iterator[tuple[ToyChain, list[ExecutedBlock]]]:
    """A chain in whose caches `a` is 1 at height 1, and a branch on which it is 50 there."""
    clock = Ticking()
    chain = ToyChain(clock)
    blocks = branch(clock, chain, 0, 2, b"add a 50")
    chain.count(b"add a 1")
    chain.mine(2)
    assert chain.value("a") == 1
    yield chain, [*blocks, *branch_on(clock, blocks)]
    chain.close()


def branch_on(clock: Ticking, blocks: list[ExecutedBlock]) -> list[ExecutedBlock]:
    """Return one more block over a branch."""
    maker = ToyChain(clock)
    maker.take(blocks)
    made = maker.mine()
    maker.close()
    return made


def test_the_values_of_one_branch_are_not_served_to_another(
    swap: tuple[ToyChain, list[ExecutedBlock]],
) -> None:
    chain, blocks = swap
    chain.take(blocks)
    assert chain.height == 3
    assert chain.value("a") == 50
    chain.count(b"add a 7")
    (made,) = chain.mine()  # what left the chain, `add a 1`, waits again, and is in it too
    assert [receipt.output for receipt in made.receipts] == [b"51", b"58"]


def test_a_cache_by_height_would_be_found_out(
    swap: tuple[ToyChain, list[ExecutedBlock]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above: with a cache that follows heights, the wrong value comes out."""
    chain, blocks = swap

    def advance(cache: ValueCache, version: int, changes: Mapping[bytes, bytes | None]) -> None:
        cache._version = version  # as if the height were all that counts

    monkeypatch.setattr(ValueCache, "advance", advance)
    chain.take(blocks)
    assert chain.value("a") == 1


@pytest.mark.slow
def test_a_plugins_cache_follows_the_branch() -> None:
    clock = Ticking()
    chain = ToyChain(clock, transport="grpc")
    blocks = branch(clock, chain, 0, 2, b"add a 50")
    chain.count(b"add a 1")
    (first,) = chain.mine()
    assert first.receipts[0].output == b"1"
    chain.take(blocks)
    chain.count(b"add a 7 x")
    (made,) = chain.mine()
    assert [receipt.output for receipt in made.receipts] == [b"51", b"58"]
    fresh = ToyChain(clock)
    fresh.take([chain.chain.store.block(height) for height in range(1, chain.height + 1)])
    assert fresh.chain.store.state.head_root == chain.chain.store.state.head_root
    fresh.close()
    chain.close()
