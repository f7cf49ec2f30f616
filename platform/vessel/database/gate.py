"""Keeps a store from being closed under the threads that are reading it."""

from __future__ import annotations

import threading

from vessel.errors import StorageError


class Gate:
    """Any number of threads inside at a time, until it closes for good.

    Use as a context manager around a call into an engine that would crash when closed under it.
    """

    __slots__ = ("_closed", "_empty", "_inside", "_lock", "_name")

    def __init__(self, name: str) -> None:
        """Open the gate of the thing that messages call `name`."""
        self._name = name
        self._lock = threading.Lock()
        self._empty = threading.Condition(self._lock)
        self._inside = 0
        self._closed = False

    def __enter__(self) -> None:
        """Go in; StorageError once closed."""
        with self._lock:
            if self._closed:
                raise StorageError(f"{self._name} is closed", reason="STORE_CLOSED")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        """Go out."""
        with self._lock:
            self._inside -= 1
            if self._closed and not self._inside:
                self._empty.notify_all()

    def close(self) -> bool:
        """Let nobody in any more and wait until all are out; False where it was closed already."""
        with self._empty:
            if self._closed:
                return False
            self._closed = True
            self._empty.wait_for(lambda: not self._inside)
            return True
