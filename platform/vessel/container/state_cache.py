"""A plugin's cache of state, bound to the version whose values it holds.

A version is issued by the host and never reused, so what is cached for one is right for ever. The
cache holds one base version and, after an execution, the layer that leads from there to the version
it made. What comes next decides: a block on the made version merges the layer, a block on the base
drops it, anything else empties the cache.
"""

from __future__ import annotations

from collections.abc import Mapping

_ENTRY_OVERHEAD_BYTES = 150  # a dict slot and two bytes objects, roughly
_FIRST_COUNT = 1024  # entries


class StateCache:
    """Values at one version. For one thread at a time."""

    def __init__(self, budget_bytes: int) -> None:
        """Keep about this much."""
        self._budget_bytes = budget_bytes
        self._base_version = 0
        self._base: dict[bytes, bytes | None] = {}
        self._count_at = _FIRST_COUNT
        self._made_version = 0
        self._layer: dict[bytes, bytes | None] = {}

    def move(self, from_version: int, to_version: int, writes: Mapping[bytes, bytes | None]) -> None:
        """Come to `to_version`: by the delta where the cache is at `from_version`, else by emptying."""
        if from_version != 0 and from_version == self._made_version:
            self._base.update(self._layer)
        elif from_version == 0 or from_version != self._base_version:
            self._base.clear()
            writes = {}
        self._base.update(writes)
        self._base_version = to_version
        self._made_version = 0
        self._layer = {}

    def at(self, version: int) -> dict[bytes, bytes | None]:
        """Return the values known at `version`, to be read and added to; nothing of another version."""
        if version != self._base_version:
            self.move(0, version, {})
        return self._base

    def made(self, version: int, writes: dict[bytes, bytes | None]) -> None:
        """Remember what an execution on the base version wrote, and which version that made."""
        self._made_version = version
        self._layer = writes
        self._evict()

    def drop(self) -> None:
        """Forget the layer: the execution was given up."""
        self._made_version = 0
        self._layer = {}

    def _evict(self) -> None:
        if len(self._base) < self._count_at:
            return  # counting takes as long as the cache is large: now and then will do
        size_bytes = sum(len(k) + len(v or b"") + _ENTRY_OVERHEAD_BYTES for k, v in self._base.items())
        for key in list(self._base):  # oldest first; which entries go never changes a result
            if size_bytes <= self._budget_bytes:
                break
            size_bytes -= len(key) + len(self._base.pop(key) or b"") + _ENTRY_OVERHEAD_BYTES
        self._count_at = len(self._base) + max(_FIRST_COUNT, len(self._base) // 8)
