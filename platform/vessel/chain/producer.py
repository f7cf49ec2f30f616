"""The chain's own thread: waits for a turn and makes blocks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from vessel.chain.chain import Chain
from vessel.container.deep_threads import start_deep_thread
from vessel.errors import VesselError
from vessel.primitives.block import ExecutedBlock

T = TypeVar("T")

RETRY_PAUSE_S = 1.0
MAX_PAUSE_S = 60.0  # then the clock is looked at again: somebody may have set it

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
                if self._closed:
                    raise _shutting_down()
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
                future.set_exception(error)

        with self._chain.changed:
            if self._closed:
                future.set_exception(_shutting_down())
                return future
            self._requests.append(run)
            self._chain.changed.notify_all()
        return future

    def check_open(self) -> None:
        """Raise where the node is going away: what takes long asks between its steps."""
        if self._closed:
            raise _shutting_down()

    def mine(self, blocks: int) -> list[ExecutedBlock]:
        """Make blocks now, whatever consensus waits for; in the chain's thread."""
        made = []
        for _ in range(blocks):
            self.check_open()
            made.append(self._chain.produce_by_hand())
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
                        pause_s = None if turn is None else min((turn.at_ms - now_ms) / 1000, MAX_PAUSE_S)
                        chain.changed.wait(pause_s)
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
        """End after the block at hand; what was asked for and not begun is refused."""
        with self._chain.changed:
            self._closed = True
            requests, self._requests = self._requests, []
            self._chain.changed.notify_all()
        for request in requests:
            request()
        if self._thread is not None:
            self._thread.join()


def _shutting_down() -> VesselError:
    return VesselError("the node is shutting down", reason="SHUTTING_DOWN")
