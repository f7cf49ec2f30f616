"""What a plugin keeps of the state for questions: values at one version, shared by all threads.

A question may be at any version, and several are under way at once. Each looks here only while the
cache stands at its own version, and adds only then: so the cache moves on under a question without a
word, and shows nothing of one version to a question at another.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from vessel.container.state_cache import StateCache
from vessel.database.reader import Range, StateReader


class ReadCache:
    """Values at one version. Thread-safe."""

    def __init__(self, budget_bytes: int) -> None:
        """Keep about this much."""
        self._lock = threading.Lock()
        self._budget_bytes = budget_bytes
        self._cache = StateCache(budget_bytes)
        self._version = 0

    def move(self, from_version: int, to_version: int, writes: Mapping[bytes, bytes | None]) -> None:
        """Come to `to_version`: by the delta where the cache is at `from_version`, else by emptying.

        Deltas come on several streams, so an old one may come late: it is past, and changes nothing.
        """
        with self._lock:
            if to_version == self._version or (from_version and to_version < self._version):
                return
            self._cache.move(from_version, to_version, writes)
            self._version = to_version

    def known(self, version: int, keys: Sequence[bytes]) -> dict[bytes, bytes | None]:
        """Return those of the values that are known at `version`."""
        with self._lock:
            if version != self._version:
                return {}
            values = self._cache.at(version)
            return {key: values[key] for key in keys if key in values}

    def learn(self, version: int, found: Mapping[bytes, bytes | None]) -> None:
        """Keep values that were read at `version`."""
        with self._lock:
            if version == self._version:
                self._cache.at(version).update(found)
                self._cache.evict()


class CachedReader:
    """A reader at one version that asks the cache first."""

    def __init__(self, below: StateReader, cache: ReadCache) -> None:
        """Read by `below` what `cache` does not know."""
        self._below = below
        self._cache = cache

    @property
    def version(self) -> int:
        """The version that is read."""
        return self._below.version

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in the order of `keys`."""
        known = self._cache.known(self.version, keys)
        lacking = [key for key in keys if key not in known]
        if lacking:
            found = dict(zip(lacking, self._below.multi_get(lacking), strict=True))
            self._cache.learn(self.version, found)
            known |= found
        return [known[key] for key in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """Return the entries of a range; these are not cached."""
        return self._below.range(wanted)
