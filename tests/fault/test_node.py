"""Whole nodes under kill -9: nothing that was acknowledged is lost, and a replay comes to the same roots."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.ethereum import GWEI, Wallet, call_data, init_code, replay
from vessel.chain.admission import Submitted
from vessel.config import NodeConfig
from vessel.node import Node
from vessel.primitives.block import ExecutedBlock

WAIT_S = 60

# Takes a store, a transport and a file of raw transactions; says which plugin it has, then the id of
# each transaction once that is acknowledged as committed.
CHILD = """
import sys
from vessel.config import NodeConfig
from vessel.node import Node

store, transport, path = sys.argv[1:]
raws = [bytes.fromhex(line) for line in open(path)]
config = NodeConfig(store=store, transport=transport, grpc_address="127.0.0.1:0", mining="auto")
with Node.open(config) as node:
    print(node.chain.containers["evm"].hosting.pid, flush=True)
    for start in range(0, len(raws), 3):
        for answer in node.chain.admission.submit("evm", raws[start : start + 3]):
            answer.committed.result()
            print(answer.id.hex(), flush=True)
    print("all", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def open_node() -> Iterator[Callable[..., Node]]:
    """Return a function that starts a node; all are closed at the end."""
    nodes: list[Node] = []

    def start(store: str = "memory:", **settings: Any) -> Node:
        usual: dict[str, Any] = {"transport": "local", "grpc_address": "127.0.0.1:0", "mining": "manual"}
        nodes.append(Node.open(NodeConfig(store=store, **usual | settings)))
        nodes[-1].start()
        return nodes[-1]

    yield start
    for node in nodes:
        node.close()


def stream(wallet: Wallet, count: int) -> list[bytes]:
    """Return transactions of one sender: a counter, and calls and payments after it."""
    raws = [wallet.sign(None, init_code("counter/Counter"), fee=100 * GWEI)]
    counter = wallet.created(wallet.nonce - 1)
    while len(raws) < count:
        raws.append(wallet.sign(counter, call_data("increment()"), gas=100_000, fee=100 * GWEI))
        raws.append(wallet.sign(Wallet(1).sender, value=1, gas=21_000, fee=100 * GWEI))
    return raws[:count]


def kill(pid: int) -> None:
    """End a process as a power cut would; harmless where it is gone already."""
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def blocks_of(node: Node) -> list[ExecutedBlock]:
    """Return every block of a node."""
    return [node.chain.store.block(h) for h in range(node.chain.head.block.header.height + 1)]


def assert_replays(blocks: list[ExecutedBlock], fresh: Node, root: bytes) -> None:
    """Replay blocks where nothing was ever killed, and compare everything."""
    assert blocks[0] == fresh.chain.head
    for executed in blocks[1:]:
        assert executed == replay(fresh, executed)
    assert root == fresh.chain.store.state.head_root


@pytest.mark.slow
def test_a_plugin_killed_again_and_again_costs_nothing(
    open_node: Callable[..., Node], tmp_path: Path
) -> None:
    node = open_node(f"leveldb:{tmp_path / 'chain'}", transport="grpc", mining="auto")
    hosting = node.chain.containers["evm"].hosting
    killed: set[int] = set()

    def kill_the_plugin() -> None:
        killed.add(hosting.pid)
        kill(hosting.pid)

    def on_block(executed: ExecutedBlock) -> None:
        if executed.block.header.height % 4 == 1:  # in the chain's thread, between commit and next block
            kill_the_plugin()

    node.chain.events.subscribe(on_block)
    raws = stream(Wallet(0), 40)
    waiting: list[Submitted] = []
    for number, raw in enumerate(raws):
        (answer,) = node.chain.admission.submit("evm", [raw])
        assert isinstance(answer, Submitted), answer
        waiting.append(answer)
        if number % 7 == 3:  # from another thread, wherever the block at hand may be
            kill_the_plugin()
            answer.committed.result(WAIT_S)  # so that there is another to be killed next time
    places = [submitted.committed.result(WAIT_S) for submitted in waiting]
    killed.discard(0)
    assert len(killed) >= 4
    assert hosting.restarts >= len(killed) - 1  # the last one may not have been missed yet
    assert [place.executed.receipts[place.index].status.name for place in places] == ["OK"] * 40
    for submitted, place in zip(waiting, places, strict=True):
        assert (place.executed.block.header.height, place.index) == node.chain.store.transaction(
            "evm", submitted.id
        )
    assert node.chain.containers["evm"].in_service
    node.producer.call(lambda: None).result(WAIT_S)
    assert_replays(blocks_of(node), open_node(), node.chain.store.state.head_root)


def killed_amid(
    store: str, transport: str, raws: list[bytes], path: Path, after: int
) -> tuple[int, list[bytes]]:
    """Run a node, kill it after so many acknowledgements; return its plugin and what it acknowledged."""
    path.write_text("\n".join(raw.hex() for raw in raws))
    command = [sys.executable, "-c", CHILD, store, transport, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        plugin = int(child.stdout.readline())
        acknowledged: list[bytes] = []
        for line in child.stdout:  # what was said before the end counts, too
            acknowledged.append(bytes.fromhex(line))
            if len(acknowledged) == after:
                child.kill()
        assert child.wait(WAIT_S) == -signal.SIGKILL
    return plugin, acknowledged


def wait_for_the_end(pid: int) -> bool:
    """Tell whether a process ends in time, whoever's child it is."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], WAIT_S)[0])
    finally:
        os.close(descriptor)


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "rounds"), [("leveldb", (4, 11, 7)), ("rocksdb", (8,))])
def test_a_node_killed_amid_blocks_keeps_what_it_acknowledged(
    open_node: Callable[..., Node], tmp_path: Path, engine: str, rounds: tuple[int, ...]
) -> None:
    store, wallet = f"{engine}:{tmp_path / 'chain'}", Wallet(0)
    everything: list[bytes] = []
    for after in rounds:
        _, acknowledged = killed_amid(store, "local", stream(wallet, 60), tmp_path / "raws", after)
        assert len(acknowledged) >= after
        everything += acknowledged
        again = open_node(store)
        for transaction_id in everything:
            assert again.chain.store.transaction("evm", transaction_id) is not None
        blocks, root = blocks_of(again), again.chain.store.state.head_root
        assert root == blocks[-1].block.seal.result.state_root
        assert_replays(blocks, open_node(), root)
        wallet.nonce = sum(len(executed.receipts) for executed in blocks)
        again.close()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux to wait for a process of another")
def test_a_plugin_dies_with_its_host(open_node: Callable[..., Node], tmp_path: Path) -> None:
    store = f"leveldb:{tmp_path / 'chain'}"
    plugin, acknowledged = killed_amid(store, "grpc", stream(Wallet(0), 60), tmp_path / "raws", 5)
    assert plugin > 0
    assert wait_for_the_end(plugin)
    again = open_node(store, transport="grpc")
    for transaction_id in acknowledged:
        assert again.chain.store.transaction("evm", transaction_id) is not None
    assert_replays(blocks_of(again), open_node(), again.chain.store.state.head_root)
