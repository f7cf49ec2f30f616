"""The process dies around a commit, or the log on disk is torn: the head is whole, or the one before is.

A child commits blocks whose changes follow from their height, so that the state at any height is known.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vessel.database.chain_store import ChainStore
from vessel.database.key_value import default_engine
from vessel.primitives.hashing import SHA256

GENESIS = bytes(32)
ENGINES = sorted({default_engine(), "rocksdb"})

CHILD = '''
import os, signal, sys
from vessel.database.chain_store import ChainStore
from vessel.database.key_value import open_key_value
from vessel.primitives.block import Block, ExecutedBlock
from vessel.primitives.hashing import SHA256
from vessel.primitives.header import Header
from vessel.primitives.receipt import Receipt, Status
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_HASH

url, last, when, victim = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])

def changes(height):
    some = {b"%d" % (height * 7 + i): b"%d" % height for i in range(20)}
    some.update((b"%d" % (height * 5 + i), None) for i in range(3))
    return some

def die_around(store):
    """Kill this process with SIGKILL before or after the write of the block at `victim`."""
    write = store.write
    def deadly(batch, *, sync):
        if when == "before" and chain.state.head_height + 1 == victim:
            os.kill(os.getpid(), signal.SIGKILL)
        write(batch, sync=sync)
        if when == "after" and chain.state.head_height + 1 == victim:
            os.kill(os.getpid(), signal.SIGKILL)
    store.write = deadly

store = open_key_value(url)
chain = ChainStore.open(store, genesis_hash=bytes(32), hasher=SHA256)
die_around(store)
for height in range(chain.state.head_height + 1, last + 1):
    if when == "asked":
        sys.stdin.readline()
    version = chain.state.begin(chain.state.head_version)
    chain.state.apply(version, changes(height))
    raw = b"raw %d" % height
    header = Header(
        height=height,
        parent_id=ZERO_HASH if chain.is_empty else chain.head.block_id,
        time_ms=height,
        transactions_root=ZERO_HASH,
    )
    receipt = Receipt(container="c", transaction_id=SHA256(raw), sender=b"", status=Status.OK, gas_used=1)
    chain.append(
        ExecutedBlock(
            block_id=header.block_id(SHA256),
            block=Block(header=header, transactions=(Transaction(container="c", raw=raw),)),
            receipts=(receipt,),
        ),
        version,
    )
    print(height, chain.state.head_root.hex(), flush=True)
chain.close()
'''


def run_child(url: str, last: int, when: str = "never", victim: int = -1) -> tuple[int, dict[int, str]]:
    """Commit up to height `last`; return how the child ended and the roots it acknowledged."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, url, str(last), when, str(victim)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, {int(h): root for h, root in map(str.split, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def roots() -> dict[int, str]:
    """Return the state root of every height, from a run without faults."""
    ended, acknowledged = run_child("memory:", 30)
    assert ended == 0
    assert sorted(acknowledged) == list(range(31))
    return acknowledged


def check_whole(url: str, roots: dict[int, str]) -> int:
    """Reopen the chain, compare all of it with what it must be, and return its height."""
    with ChainStore.open(url, genesis_hash=GENESIS, hasher=SHA256) as chain:
        height = chain.state.head_height
        if height < 0:
            assert chain.is_empty
            return height
        assert chain.head.block.header.height == height
        assert chain.state.head_root.hex() == roots[height]
        for earlier in range(height + 1):
            block = chain.block(earlier)
            assert chain.block_by_id(block.block_id) == block
            assert chain.transaction("c", block.receipts[0].transaction_id) == (earlier, 0)
            root, _, _ = chain.state.prove(b"1", earlier)
            assert root.hex() == roots[earlier]
        assert len(chain.recent_ids(1000)) == height + 1
        return height


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("when", "victim", "survives"), [("before", 0, -1), ("before", 7, 6), ("after", 7, 7)]
)
def test_killed_around_the_write(
    engine: str, when: str, victim: int, survives: int, tmp_path: Path, roots: dict[int, str]
) -> None:
    url = f"{engine}:{tmp_path / 'chain'}"
    ended, acknowledged = run_child(url, 30, when, victim)
    assert ended == -signal.SIGKILL
    assert max(acknowledged, default=-1) == victim - 1
    assert check_whole(url, roots) == survives
    ended, more = run_child(url, 10)  # and the chain goes on from there, to the same roots
    assert ended == 0
    assert more == {height: roots[height] for height in range(survives + 1, 11)}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_killed_from_outside_at_any_moment(engine: str, tmp_path: Path, roots: dict[int, str]) -> None:
    url = f"{engine}:{tmp_path / 'chain'}"
    reached = -1
    for acknowledged in (2, 9, 17):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, url, "30", "asked", "-1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            # Three blocks more than are waited for: the kill falls somewhere into them.
            child.stdin.write("\n" * (acknowledged + 3 - reached))
            child.stdin.flush()
            height = reached
            while height < acknowledged:
                height = int(child.stdout.readline().split()[0])
            child.kill()
            # What was acknowledged before the kill took hold counts too.
            height = max([height, *(int(line.split()[0]) for line in child.stdout if line.endswith("\n"))])
        assert height > reached
        reached = check_whole(url, roots)
        assert reached in (height, height + 1)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("lost_bytes", [1, 100, 3000])
def test_a_torn_log_costs_whole_blocks_only(
    engine: str, lost_bytes: int, tmp_path: Path, roots: dict[int, str]
) -> None:
    directory = tmp_path / "chain"
    url = f"{engine}:{directory}"
    ended, _ = run_child(url, 30, "after", 12)
    assert ended == -signal.SIGKILL
    log = max(directory.glob("[0-9]*.log"))
    content = log.read_bytes()
    log.write_bytes(content[:-lost_bytes])
    survived = check_whole(url, roots)
    assert 0 <= survived < 12
    ended, more = run_child(url, 13)
    assert ended == 0
    assert more == {height: roots[height] for height in range(survived + 1, 14)}
