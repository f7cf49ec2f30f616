"""The chain's own thread: when it makes blocks, and how it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from unit.chain.conftest import GENESIS_MS, Clock, ScriptedChain
from vessel.chain.chain import Chain
from vessel.chain.producer import Producer
from vessel.errors import InvalidRequest, StorageError, VesselError
from vessel.primitives.block import ExecutedBlock

WAIT_S = 20

Start = Callable[[ScriptedChain], Producer]


@pytest.fixture
def started() -> Iterator[Start]:
    """Return a function that starts a producer; all are closed at the end."""
    producers: list[Producer] = []

    def start(scripted: ScriptedChain) -> Producer:
        producers.append(Producer(scripted.chain))
        producers[-1].start()
        return producers[-1]

    yield start
    for producer in producers:
        producer.close()


def next_block(chain: Chain) -> Future[ExecutedBlock]:
    """Return what will hold the next block."""
    future: Future[ExecutedBlock] = Future()
    end = chain.events.subscribe(lambda executed: (end(), future.set_result(executed)))  # type: ignore[func-returns-value]
    return future


def test_auto_makes_a_block_for_every_submission(clock: Clock, started: Start) -> None:
    scripted = ScriptedChain(clock, mode="auto")
    started(scripted)
    for number in range(5):
        (submitted,) = scripted.submit("plain", b"%d" % number)
        assert number + 1 == submitted.committed.result(WAIT_S).executed.block.header.height
    assert scripted.chain.head.block.header.height == 5


def test_auto_neither_spins_nor_stalls_over_what_fits_nowhere(clock: Clock, started: Start) -> None:
    scripted = ScriptedChain(clock, mode="auto")
    scripted.plain.script.answers[b"big"] = {"included": False, "fits": False}
    scripted.plain.script.answers[b"bad"] = {"included": False, "reason": "BAD"}
    scripted.plain.script.checks[b"gap"] = {"sender": b"s", "sequence": 5}
    producer = started(scripted)
    big, bad, gap = scripted.submit("plain", b"big", b"bad", b"gap")
    for submitted in (big, bad):
        assert submitted.committed.exception(WAIT_S) is not None
    producer.call(lambda: None).result(WAIT_S)  # it has come round
    tries = len(scripted.plain.script.named("open"))
    producer.call(lambda: None).result(WAIT_S)
    assert tries == len(scripted.plain.script.named("open")) <= 2
    assert not gap.committed.done()
    assert scripted.chain.head.block.header.height == 0


def test_auto_waits_while_only_a_quarantined_container_has_something(clock: Clock, started: Start) -> None:
    scripted = ScriptedChain(clock, mode="auto")
    scripted.submit("plain", b"a")
    scripted.plain.hosted.quarantine("broken")
    producer = started(scripted)
    producer.call(lambda: None).result(WAIT_S)
    (good,) = scripted.submit("hooked", b"h")
    assert good.committed.result(WAIT_S).executed.block.header.height == 1


def test_an_interval_ticks_by_the_clock(clock: Clock, started: Start) -> None:
    clock.now_ms = GENESIS_MS
    scripted = ScriptedChain(clock, mode='interval"\ninterval_ms = 60_000\n#"')
    producer = started(scripted)
    producer.call(lambda: None).result(WAIT_S)
    assert scripted.chain.head.block.header.height == 0
    heard = next_block(scripted.chain)
    clock.now_ms += 60_000
    scripted.chain.wake()
    assert heard.result(WAIT_S).block.header.time_ms == GENESIS_MS + 60_000


def test_a_genesis_in_a_far_future_does_not_end_the_thread(clock: Clock, started: Start) -> None:
    clock.now_ms = 0
    scripted = ScriptedChain(clock, mode='interval"\ninterval_ms = 9_000_000_000_000_000\n#"')
    producer = started(scripted)
    producer.call(lambda: None).result(WAIT_S)
    producer.call(lambda: None).result(WAIT_S)


def test_manual_waits_for_a_person(scripted: ScriptedChain, started: Start) -> None:
    producer = started(scripted)
    (submitted,) = scripted.submit("plain", b"a")
    producer.call(lambda: None).result(WAIT_S)
    assert not submitted.committed.done()
    made = producer.call(lambda: producer.mine(3)).result(WAIT_S)
    assert [executed.block.header.height for executed in made] == [1, 2, 3]
    assert submitted.committed.result(0).index == 0


def test_a_request_that_fails_is_the_callers_and_the_thread_goes_on(
    scripted: ScriptedChain, started: Start
) -> None:
    producer = started(scripted)

    def fail() -> None:
        raise InvalidRequest("no")

    with pytest.raises(InvalidRequest, match="no"):
        producer.call(fail).result(WAIT_S)
    assert len(producer.call(lambda: producer.mine(1)).result(WAIT_S)) == 1


def test_a_block_that_cannot_be_made_is_tried_again(
    clock: Clock, started: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vessel.chain.producer.RETRY_PAUSE_S", 0.01)
    scripted = ScriptedChain(clock, mode="auto")
    append, failures = scripted.chain.store.append, [StorageError("no space left")]

    def fails_once(executed: ExecutedBlock, version: int, score: int) -> None:
        if failures:
            raise failures.pop()
        append(executed, version, score)

    scripted.chain.store.append = fails_once  # type: ignore[method-assign]
    with caplog.at_level(logging.CRITICAL):
        started(scripted)
        (first,) = scripted.submit("plain", b"a")
        (second,) = scripted.submit("plain", b"b")  # wakes it from its pause
        assert first.committed.result(WAIT_S).executed.block.header.height == 1
        assert second.committed.result(WAIT_S)


def test_a_closed_producer_refuses_and_runs_nothing_in_the_closers_thread(scripted: ScriptedChain) -> None:
    producer = Producer(scripted.chain)
    waiting = producer.call(threading.get_ident)
    producer.close()
    for future in (waiting, producer.call(threading.get_ident)):
        error = future.exception(timeout=0)
        assert isinstance(error, VesselError)
        assert error.reason == "SHUTTING_DOWN"


def test_closing_ends_a_long_run_of_blocks_after_the_one_at_hand(scripted: ScriptedChain) -> None:
    producer = Producer(scripted.chain)
    producer.start()
    heard = next_block(scripted.chain)
    mined = producer.call(lambda: producer.mine(1_000_000))
    heard.result(WAIT_S)
    producer.close()
    error = mined.exception(timeout=0)
    assert isinstance(error, VesselError)
    assert error.reason == "SHUTTING_DOWN"
    assert scripted.chain.head.block.header.height < 1_000_000


def test_a_request_that_was_cancelled_is_not_run(scripted: ScriptedChain, started: Start) -> None:
    producer = Producer(scripted.chain)
    ran: list[int] = []
    future = producer.call(lambda: ran.append(1))
    assert future.cancel()
    producer.start()
    producer.call(lambda: None).result(WAIT_S)
    producer.close()
    assert ran == []
