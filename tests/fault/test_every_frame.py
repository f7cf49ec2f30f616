"""The plugin is killed at every frame of a block: the block comes out the same, and nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from containers.faulty_chain import FaultyChain
from vessel.chain.admission import Place
from vessel.container.remote import Stream
from vessel.primitives.block import ExecutedBlock


class Reaper:
    """Kills a container's plugin at one of the moments at which something is sent or received."""

    def __init__(self, chain: FaultyChain) -> None:
        """Be ready to kill plugins of `chain`."""
        self._chain = chain
        self._victim = -1
        self._moment = 0
        self.moments: list[str] = []

    def arm(self, victim: int) -> None:
        """Count moments from here on, and kill at the one of that number."""
        self._victim, self._moment, self.moments = victim, 0, []

    @property
    def struck(self) -> bool:
        """Whether the number was reached."""
        return self._moment > self._victim >= 0

    def moment(self, container: str, what: str) -> None:
        """Kill, if it is time."""
        self.moments.append(f"{container} {what}")
        if self._moment == self._victim:
            process = self._chain.supervisors[container]._process
            assert process is not None
            os.kill(process.pid, signal.SIGKILL)
            process._process.wait()
        self._moment += 1


@pytest.fixture
def chain() -> Iterator[FaultyChain]:
    """Both containers in processes."""
    made = FaultyChain(transport="grpc")
    yield made
    made.close()


@pytest.fixture
def other() -> Iterator[FaultyChain]:
    """The same chain in this process, which takes in what the first one makes, or the other way round."""
    made = FaultyChain()
    yield made
    made.close()


@pytest.fixture
def reaper(chain: FaultyChain, monkeypatch: pytest.MonkeyPatch) -> Reaper:
    """What stands at both ends of every stream that executes blocks."""
    reaper = Reaper(chain)
    send, receive = Stream.send, Stream._next

    def watched_send(stream: Stream, frame: Any) -> None:
        kind = frame.WhichOneof("frame")
        if kind in ("validate", "view"):
            stream.is_question = True  # type: ignore[attr-defined]
        watched = not hasattr(stream, "is_question")
        if kind == "start":  # before any other, something has been sent or received: that is the same moment
            reaper.moment(stream._name, f"before {kind} is sent")
        send(stream, frame)
        if watched:
            stream.flush()  # so that every frame travels alone, and may be the last to arrive
            reaper.moment(stream._name, f"after {kind} is sent")

    def watched_receive(stream: Stream) -> Any:
        frame = receive(stream)
        if not hasattr(stream, "is_question"):
            reaper.moment(stream._name, f"after {frame.WhichOneof('frame')} is received")
        return frame

    monkeypatch.setattr(Stream, "send", watched_send)
    monkeypatch.setattr(Stream, "_next", watched_receive)
    return reaper


def transactions(number: int) -> tuple[bytes, bytes]:
    """Return two of a counter that belong together, unlike those of every other number."""
    return b"add a %d n%d" % (number + 1, number), b"add b 2 n%d" % number


def submit(chain: FaultyChain, number: int, *, both: bool) -> list[Future[Place]]:
    """Submit for one block: for one container, which then is alone in it, or for both in turn."""
    waiting = chain.submit("toy", *transactions(number))
    return waiting + (chain.submit("sound", *transactions(number)) if both else [])


def places(futures: list[Future[Place]]) -> set[int]:
    """Return the heights at which acknowledged transactions are."""
    assert all(future.done() for future in futures)
    return {future.result().executed.block.header.height for future in futures}


@pytest.mark.slow
@pytest.mark.parametrize("both", [False, True], ids=["alone", "with another"])
def test_a_block_that_is_built(chain: FaultyChain, other: FaultyChain, reaper: Reaper, both: bool) -> None:
    victim = 0
    while True:
        waiting = submit(chain, victim, both=both)
        reaper.arm(victim)
        block = chain.mine()
        assert block is not None
        assert places(waiting) == {chain.height}
        # Importing executes it again, without any fault, and compares section, receipts and root.
        assert other.chain.import_block(block.block) == block
        if not reaper.struck:
            break
        victim += 1
    kinds = {moment.rpartition(" ")[0].partition(" ")[2] for moment in reaper.moments}
    assert kinds >= {"before start is", "after batch is", "after results is", "after block is"}
    assert chain.roots == other.roots
    assert chain.value("toy", "a") == sum(range(1, victim + 2))


@pytest.mark.slow
def test_a_block_that_is_replayed(chain: FaultyChain, other: FaultyChain, reaper: Reaper) -> None:
    victim = 0
    while True:
        submit(other, victim, both=False)
        made = other.mine()
        assert made is not None
        reaper.arm(victim)
        taken: ExecutedBlock = chain.chain.import_block(made.block)
        assert taken == made
        if not reaper.struck:
            break
        victim += 1
    assert chain.roots == other.roots
    assert chain.supervisors["toy"].restarts > 5
