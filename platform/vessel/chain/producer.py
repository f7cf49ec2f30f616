"""The chain's own thread: waits for a turn and makes blocks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from vessel.chain.chain import Chain
from vessel.container.deep_threads import start_deep_thread
from vessel.errors import InvalidRequest, VesselError
from vessel.primitives.block import ExecutedBlock

T = TypeVar("T")

RETRY_PAUSE_S = 1.0

_log = logging.getLogger("vessel.producer")


class Producer:
    """Makes blocks when consensus says so, and whatever else must run in the chain's thread."""

    def __init__(self, chain: Chain) -> None:
        """Prepare; `start` begins."""
        self._chain = chain
        self._requests: list[Callable[[], None]] = []
        self._closed = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to make blocks."""
        self._thread = start_deep_thread(self._run, name="chain")

    def call(self, work: Callable[[], T]) -> Future[T]:
        """Run `work` in the chain's thread, between blocks."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
                future.set_exception(error)

        with self._chain.changed:
            if self._closed:
                future.set_exception(VesselError("the node is shutting down", reason="SHUTTING_DOWN"))
                return future
            self._requests.append(run)
            self._chain.changed.notify_all()
        return future

    def mine(self, blocks: int) -> list[ExecutedBlock]:
        """Make blocks now, whatever consensus waits for; in the chain's thread."""
        made = []
        for _ in range(blocks):
            parent = self._chain.head.block.header
            turn = self._chain.consensus.turn_by_hand(parent, now_ms=self._chain.clock())
            if turn is None:
                raise InvalidRequest(
                    f"the consensus {self._chain.consensus.name} does not make blocks by hand",
                    reason="NOT_BY_HAND",
                )
            block = self._chain.produce(turn, even_empty=True)
            assert block is not None
            made.append(block)
        return made

    def _run(self) -> None:
        chain = self._chain
        while True:
            with chain.changed:
                if self._closed:
                    return
                requests, self._requests = self._requests, []
                turn = None
                if not requests:
                    now_ms = chain.clock()
                    turn = chain.consensus.next_turn(
                        chain.head.block.header,
                        now_ms=now_ms,
                        pending=chain.admission.has_ready(chain.serving()),
                    )
                    if turn is None or turn.at_ms > now_ms:
                        chain.changed.wait(None if turn is None else (turn.at_ms - now_ms) / 1000)
                        continue
            for request in requests:
                request()
            if turn is not None:
                try:
                    chain.produce(turn, even_empty=turn.even_empty)
                except Exception:  # noqa: BLE001 - the thread must outlive any one block
                    _log.exception("no block could be made; trying again in %g s", RETRY_PAUSE_S)
                    with chain.changed:
                        if not self._closed:
                            chain.changed.wait(RETRY_PAUSE_S)

    def close(self) -> None:
        """End after the block at hand."""
        with self._chain.changed:
            self._closed = True
            requests, self._requests = self._requests, []
            self._chain.changed.notify_all()
        for request in requests:
            request()
        if self._thread is not None:
            self._thread.join()
