"""The clock of a development chain: the machine's, moved forward or held at a person's word."""

from __future__ import annotations

import threading
from collections.abc import Callable

from vessel.errors import InvalidRequest

LATEST_MS = 253_402_300_799_999  # the end of the year 9999: time cannot go back from there


def _check_year(time_ms: int) -> None:
    if time_ms > LATEST_MS:
        raise InvalidRequest(
            f"the chain's clock would stand at {time_ms} ms; expected at most {LATEST_MS}, the end of the "
            "year 9999: milliseconds are meant",
            reason="TIME_TOO_LATE",
            limit=LATEST_MS,
        )


class DevClock:
    """Milliseconds since the Unix epoch, with an offset that tests set. Thread-safe.

    What it says ends up in the headers of blocks, and from there a chain replays: the clock itself is
    never consensus.
    """

    def __init__(self, machine: Callable[[], int]) -> None:
        """Begin in step with the machine's clock."""
        self._machine = machine
        self._offset_ms = 0
        self._next_ms: int | None = None
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Return the time of a block that would be made now."""
        with self._lock:
            return self._machine() + self._offset_ms if self._next_ms is None else self._next_ms

    @property
    def offset_ms(self) -> int:
        """How far it is ahead of the machine's."""
        return self._offset_ms

    def increase(self, by_ms: int) -> int:
        """Move it forward for good, and return the whole offset."""
        _check_year(self() + by_ms)
        with self._lock:
            if self._next_ms is not None:
                self._next_ms += by_ms
            self._offset_ms += by_ms
            return self._offset_ms

    def set_next(self, time_ms: int, *, after_ms: int) -> None:
        """Give the next block this time, from which the clock then goes on.

        InvalidRequest where it is not above `after_ms`, the head's.
        """
        if time_ms <= after_ms:
            raise InvalidRequest(
                f"the next block cannot have time {time_ms} ms: the head has {after_ms} ms, "
                "and time must rise",
                reason="TIME_NOT_RISING",
                needed=after_ms + 1,
                offered=time_ms,
            )
        _check_year(time_ms)
        with self._lock:
            self._next_ms = time_ms

    def block_made(self) -> None:
        """Go on from the time that the block was given."""
        with self._lock:
            if self._next_ms is not None:
                self._offset_ms = self._next_ms - self._machine()
                self._next_ms = None

    def state(self) -> tuple[int, int | None]:
        """Return what `restore` takes back."""
        with self._lock:
            return self._offset_ms, self._next_ms

    def restore(self, state: tuple[int, int | None]) -> None:
        """Go back to what `state` said."""
        with self._lock:
            self._offset_ms, self._next_ms = state
