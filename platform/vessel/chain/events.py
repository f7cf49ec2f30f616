"""Tells whoever listens of every committed block."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from vessel.primitives.block import ExecutedBlock

Listener = Callable[[ExecutedBlock], None]

_log = logging.getLogger("vessel.events")


class Events:
    """Listeners are called in the chain's thread, after the commit, and must not wait for anything."""

    def __init__(self) -> None:
        """Begin with nobody listening."""
        self._listeners: dict[int, Listener] = {}
        self._next = 0
        self._lock = threading.Lock()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every block from now on; the returned function ends it."""
        with self._lock:
            self._next += 1
            number = self._next
            self._listeners[number] = listener

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(number, None)

        return unsubscribe

    def publish(self, executed: ExecutedBlock) -> None:
        """Tell everybody; one that fails is taken off and nobody else notices."""
        with self._lock:
            listeners = list(self._listeners.items())
        for number, listener in listeners:
            try:
                listener(executed)
            except Exception:  # noqa: BLE001 - the chain goes on whatever a listener does
                _log.exception("a listener failed and is taken off")
                with self._lock:
                    self._listeners.pop(number, None)
