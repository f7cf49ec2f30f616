"""Readers: no question waits for a block, no block for a question, and a reader that dies is replaced."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from containers.faulty_chain import FaultyChain
from vessel.container.readers import Readers
from vessel.errors import ContainerUnavailable

WAIT_S = 30


class Pipes:
    """The two pipes by which the container's fault `wait` says that it waits, and is told to go on."""

    def __init__(self, folder: Path) -> None:
        """Make them."""
        self.memory = str(folder / "wait")
        self._begun, self._end = Path(f"{self.memory}.begun"), Path(f"{self.memory}.end")
        os.mkfifo(self._begun)
        os.mkfifo(self._end)

    def wait_until_it_waits(self) -> None:
        """Return when the container has come to the place."""
        self._begun.read_bytes()

    def let_go(self) -> None:
        """Let the container go on."""
        self._end.write_bytes(b"go")


@pytest.fixture
def pipes(tmp_path: Path) -> Pipes:
    """Pipes for one test."""
    return Pipes(tmp_path)


@pytest.fixture
def chains() -> Iterator[list[FaultyChain]]:
    """What is closed when the test is over."""
    opened: list[FaultyChain] = []
    yield opened
    for chain in opened:
        chain.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Where a test does something beside itself."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


def open_chain(
    chains: list[FaultyChain], *, readers: int = 1, fault: Any = None
) -> tuple[FaultyChain, Readers]:
    """Return a chain all of whose readers of `toy` are up."""
    chain = FaultyChain(transport="grpc", readers=readers, fault=fault)
    chains.append(chain)
    kept = chain.containers["toy"].hosting.readers
    assert kept is not None
    assert kept.wait_until_up(WAIT_S)
    return chain, kept


@pytest.mark.slow
def test_a_question_does_not_wait_for_a_block(
    chains: list[FaultyChain], threads: ThreadPoolExecutor, pipes: Pipes
) -> None:
    fault = {"fault": "wait", "at": "batch", "memory": pipes.memory}
    chain, _ = open_chain(chains, fault=fault)
    [waiting] = chain.submit("toy", b"add a 5")
    mining = threads.submit(chain.mine)
    pipes.wait_until_it_waits()
    assert chain.value("toy", "a") == 0
    chain.submit("toy", b"add a 6")  # nor does admission
    assert not mining.done()
    pipes.let_go()
    assert mining.result(WAIT_S) is waiting.result(WAIT_S).executed
    assert chain.value("toy", "a") == 5


@pytest.mark.slow
def test_a_block_does_not_wait_for_a_question(
    chains: list[FaultyChain], threads: ThreadPoolExecutor, pipes: Pipes
) -> None:
    fault = {"fault": "wait", "at": "view", "memory": pipes.memory}
    chain, _ = open_chain(chains, fault=fault)
    asking = threads.submit(chain.value, "toy", "a")
    pipes.wait_until_it_waits()
    for number in range(3):
        [waiting] = chain.submit("toy", b"add a 5 n%d" % number)
        assert chain.mine() is waiting.result(WAIT_S).executed
    assert not asking.done()
    pipes.let_go()
    assert asking.result(WAIT_S) == 0  # as of when it was asked


@pytest.mark.slow
def test_a_dead_reader_is_replaced_and_nobody_notices(chains: list[FaultyChain]) -> None:
    chain, readers = open_chain(chains, readers=2)
    chain.submit("toy", b"add a 5")
    chain.mine()
    before = readers.pids()
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert [chain.value("toy", "a") for _ in range(4)] == [5] * 4
    assert readers.wait_until_up(WAIT_S)
    assert set(readers.pids()).isdisjoint(before)
    assert chain.value("toy", "a") == 5
    assert chain.supervisors["toy"].restarts == 0


@pytest.mark.slow
def test_where_no_reader_comes_up_the_plugin_answers(chains: list[FaultyChain]) -> None:
    chain = FaultyChain(transport="grpc", readers=1)
    chains.append(chain)
    readers = chain.containers["toy"].hosting.readers
    assert readers is not None
    reader = readers._readers[0].supervisor
    reader._command = ("/nowhere/plugin",)
    assert chain.value("toy", "a") == 0
    keeper = readers._readers[0].keeper
    assert keeper is not None
    keeper.join(WAIT_S)  # it has given up
    assert not keeper.is_alive()
    chain.submit("toy", b"add a 5")
    chain.mine()
    assert chain.value("toy", "a") == 5


@pytest.mark.slow
def test_a_question_that_kills_is_not_asked_for_ever(chains: list[FaultyChain]) -> None:
    chain, _ = open_chain(chains, readers=3, fault={"fault": "die", "at": "view"})
    with pytest.raises(ContainerUnavailable):
        chain.value("toy", "a")
    assert chain.supervisors["toy"].restarts == 0
    [waiting] = chain.submit("toy", b"add a 5")
    assert chain.mine() is waiting.result(WAIT_S).executed


@pytest.mark.slow
def test_questions_see_one_version_each_while_blocks_are_made(
    chains: list[FaultyChain], threads: ThreadPoolExecutor
) -> None:
    chain, _ = open_chain(chains, readers=2)
    done = threading.Event()

    def ask() -> int:
        asked = 0
        while not done.is_set() or asked < 50:
            height = asked % (chain.height + 1)
            result, _ = chain.reading.query("toy", "value", b'{"name": "a"}', at=chain.store.block_id(height))
            assert result.json == b'{"value": %d}' % height
            asked += 1
        return asked

    asking = [threads.submit(ask) for _ in range(3)]
    for number in range(25):
        chain.submit("toy", b"add a 1 n%d" % number)
        chain.mine()
        assert chain.value("toy", "a") == number + 1
    done.set()
    assert all(future.result(WAIT_S) >= 50 for future in asking)
