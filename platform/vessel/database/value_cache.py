"""Recently read values of the head version: bounded, and never another version's."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from vessel.database.overlay import Change


class Missing(Enum):
    """What the cache says of a key that it does not hold (None is an absent key, which it may hold)."""

    MISSING = 0


MISSING = Missing.MISSING
_ENTRY_SIZE_BYTES = 200  # of Python's objects and the dictionary, a key and value


class ValueCache:
    """Values of one version at a time; who reads another version gets and leaves nothing.

    Two generations: what was not read again while the younger one filled up is forgotten at once.
    """

    def __init__(self, version: int, *, size_bytes: int) -> None:
        """Begin empty at `version`; keep `size_bytes` of keys and values at most, about."""
        self._lock = threading.Lock()
        self._version = version
        self._generation_size_bytes = size_bytes // 2
        self._young: dict[bytes, bytes | None] = {}
        self._old: dict[bytes, bytes | None] = {}
        self._young_size_bytes = 0

    def get(self, version: int, keys: Sequence[bytes]) -> list[bytes | Missing | None]:
        """Return what is held of `keys` at `version`, in their order."""
        with self._lock:
            if version != self._version:
                return [MISSING] * len(keys)
            found: list[bytes | Missing | None] = []
            for key in keys:
                value = self._young.get(key, MISSING)
                if value is MISSING and (value := self._old.get(key, MISSING)) is not MISSING:
                    self._put(key, value)
                found.append(value)
            return found

    def fill(self, version: int, entries: Iterable[Change]) -> None:
        """Keep what was read at `version`, if that still is the version held."""
        with self._lock:
            if version == self._version:
                for key, value in entries:
                    self._put(key, value)

    def advance(self, version: int, changes: Mapping[bytes, bytes | None]) -> None:
        """Hold `version` from now on, which differs from the one before in `changes`."""
        with self._lock:
            self._version = version
            for key, value in changes.items():
                self._old.pop(key, None)
                self._put(key, value)

    def _put(self, key: bytes, value: bytes | None) -> None:
        self._young[key] = value
        self._young_size_bytes += len(key) + len(value or b"") + _ENTRY_SIZE_BYTES
        if self._young_size_bytes > self._generation_size_bytes:
            self._old, self._young, self._young_size_bytes = self._young, {}, 0
