"""Tells whoever listens of every committed block, and of blocks that left the chain again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import msgspec

from vessel.primitives.block import ExecutedBlock

_log = logging.getLogger("vessel.events")


class Reorganisation(msgspec.Struct, frozen=True, kw_only=True):
    """The chain left one branch for another, or only went back (nothing added).

    removed: from the old head downwards, at least one. added: from the fork upwards; the first of them
    has the same parent as the last of `removed`. Both are the blocks as they were committed.
    """

    removed: tuple[ExecutedBlock, ...]
    added: tuple[ExecutedBlock, ...] = ()


Change = ExecutedBlock | Reorganisation
Listener = Callable[[ExecutedBlock], None]
ChangeListener = Callable[[Change], None]


class Events:
    """Listeners are called in the chain's thread, after the commit, and must not wait for anything."""

    def __init__(self) -> None:
        """Begin with nobody listening."""
        self._listeners: dict[int, ChangeListener] = {}
        self._next = 0
        self._lock = threading.Lock()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every block that joins the chain from now on; the returned function ends it.

        Of a reorganisation it sees the blocks that were added. Use `subscribe_changes` to see both sides.
        """

        def hear(change: Change) -> None:
            for executed in change.added if isinstance(change, Reorganisation) else (change,):
                listener(executed)

        return self.subscribe_changes(hear)

    def subscribe_changes(self, listener: ChangeListener) -> Callable[[], None]:
        """Call `listener` for every block and every reorganisation from now on, in their order."""
        with self._lock:
            self._next += 1
            number = self._next
            self._listeners[number] = listener

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(number, None)

        return unsubscribe

    def publish(self, change: Change) -> None:
        """Tell everybody; one that fails is taken off and nobody else notices."""
        with self._lock:
            listeners = list(self._listeners.items())
        for number, listener in listeners:
            try:
                listener(change)
            except Exception:  # noqa: BLE001 - the chain goes on whatever a listener does
                _log.exception("a listener failed and is taken off")
                with self._lock:
                    self._listeners.pop(number, None)
