"""Notices a plugin that says nothing: the time limit is on each silence, not on the whole of the work."""

from __future__ import annotations

import threading
import time
from typing import Protocol

_LOOKS_A_LIMIT = 8  # a silence is noticed at most this part of the limit late
_MAX_PAUSE_S = 1


class Awaited(Protocol):
    """Something that is waited for. waiting_since: by the monotonic clock; 0 while nobody waits."""

    waiting_since: float

    def give_up(self) -> None:
        """End the wait, from another thread."""
        ...


class SilenceWatch:
    """Looks now and then at all that is waited for, and gives up what has been silent for too long."""

    def __init__(self, limit_s: float) -> None:
        """Allow silences of `limit_s`; the thread is started with the first thing to watch."""
        self.limit_s = limit_s
        self._awaited: set[Awaited] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, awaited: Awaited) -> None:
        """Watch something."""
        with self._lock:
            self._awaited.add(awaited)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="silence", daemon=True)
                self._thread.start()

    def remove(self, awaited: Awaited) -> None:
        """Watch it no more."""
        with self._lock:
            self._awaited.discard(awaited)

    def close(self) -> None:
        """Watch nothing any more."""
        self._closed.set()

    def _look(self) -> None:
        pause_s = min(self.limit_s / _LOOKS_A_LIMIT, _MAX_PAUSE_S)  # nondeterminism: only ends waits
        while not self._closed.wait(pause_s):
            now = time.monotonic()  # nondeterminism: only ends waits
            with self._lock:
                waited = [a for a in self._awaited if a.waiting_since]  # nondeterminism: only ends waits
            silent = [a for a in waited if 0 < a.waiting_since < now - self.limit_s]
            for awaited in silent:
                awaited.give_up()
