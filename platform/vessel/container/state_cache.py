"""A plugin's cache of state, bound to the version whose values it holds.

A version is issued by the host and never reused, so what is cached for one is right for ever. The
cache holds one base version and, after an execution, the layer that leads from there to the version
it made. What comes next decides: a block on the made version merges the layer, a block on the base
drops it, anything else empties the cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from vessel.database.reader import Range, StateReader

_EVICTED_PART = 8  # of the entries, so that it does not come with every block
_ENTRY_OVERHEAD_BYTES = 150  # a dict slot and two bytes objects, roughly


class StateCache:
    """Values at one version. For one thread at a time."""

    def __init__(self, budget_bytes: int) -> None:
        """Keep about this much."""
        self._budget_bytes = budget_bytes
        self._base_version = 0
        self._base: dict[bytes, bytes | None] = {}
        self._counted = 0  # entries that are in the size
        self._size_bytes = 0
        self._made_version = 0
        self._layer: dict[bytes, bytes | None] = {}

    def move(self, from_version: int, to_version: int, writes: Mapping[bytes, bytes | None]) -> None:
        """Come to `to_version`: by the delta where the cache is at `from_version`, else by emptying."""
        if from_version != 0 and from_version == self._made_version:
            self._lay(self._layer)
        elif from_version == 0 or from_version != self._base_version:
            self._clear()
            writes = {}
        self._lay(writes)
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
        self.evict()

    def drop(self) -> None:
        """Forget the layer: the execution was given up."""
        self._made_version = 0
        self._layer = {}

    def evict(self) -> None:
        """Come back to the budget. Which entries go never changes a result."""
        self._count()
        if self._size_bytes <= self._budget_bytes:
            return
        for key in list(islice(self._base, 1 + len(self._base) // _EVICTED_PART)):  # the oldest
            self._size_bytes -= self._size([key])
            del self._base[key]
        self._counted = len(self._base)
        self.evict()

    def _count(self) -> None:
        # Entries stand in the order in which they came, so those that were not counted are the last.
        new = list(islice(reversed(self._base), len(self._base) - self._counted))
        self._size_bytes += self._size(new)
        self._counted = len(self._base)

    def _lay(self, writes: Mapping[bytes, bytes | None]) -> None:
        self._count()
        replaced = [key for key in writes if key in self._base]
        self._size_bytes -= self._size(replaced)
        self._base.update(writes)
        self._size_bytes += self._size(replaced)

    def _size(self, keys: list[bytes]) -> int:
        values = filter(None, map(self._base.__getitem__, keys))
        return sum(map(len, keys)) + sum(map(len, values)) + len(keys) * _ENTRY_OVERHEAD_BYTES

    def _clear(self) -> None:
        self._base.clear()
        self._counted = self._size_bytes = 0


class CachingReader:
    """A reader that asks the values known at its version first, and adds to them. For one thread."""

    def __init__(self, below: StateReader, known: dict[bytes, bytes | None]) -> None:
        """Read by `below` what `known` lacks."""
        self._below = below
        self._known = known

    @property
    def version(self) -> int:
        """The version that is read."""
        return self._below.version

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in the order of `keys`."""
        known = self._known
        lacking = [key for key in keys if key not in known]
        if lacking:
            known.update(zip(lacking, self._below.multi_get(lacking), strict=True))
        return [known[key] for key in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """Return the entries of a range; these are not cached."""
        return self._below.range(wanted)
