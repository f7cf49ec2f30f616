"""The head as it was at one moment, and the readers of it and of what is on top of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

from vessel.database.history import entries_at, values_at
from vessel.database.key_value import Snapshot
from vessel.database.layout import flat_key, tree_key
from vessel.database.overlay import Overlay, changes_between, merged
from vessel.database.reader import Range
from vessel.database.tree import Tree, verified
from vessel.database.value_cache import MISSING, ValueCache
from vessel.errors import StorageError
from vessel.primitives.hashing import Hasher
from vessel.primitives.units import Hash32

_FLAT_SIZE_BYTES = len(flat_key(b""))


class View(Protocol):
    """A committed state that never changes: what overlays are laid on."""

    def values(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in the order of `keys`."""
        ...

    def entries(self, wanted: Range) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries of a range; its limit is left to the caller."""
        ...


class HeadView:
    """A committed version, whole: its numbers, a snapshot of the store, its tree. Never changes.

    Many readers share one; the snapshot is released when the last of them is gone.
    """

    __slots__ = ("_cache", "_hasher", "height", "snapshot", "tree", "version")

    def __init__(
        self,
        *,
        version: int,
        height: int,
        snapshot: Snapshot,
        tree: Tree,
        cache: ValueCache,
        hasher: Hasher,
    ) -> None:
        """Bind what was committed together; `height` is -1 before the genesis."""
        self.version = version
        self.height = height
        self.snapshot = snapshot
        self.tree = tree
        self._cache = cache
        self._hasher = hasher

    def load(self, path: bytes, expected: Hash32) -> bytes:
        """Return a stored record of the tree; see `tree.Load`."""
        return verified(self._hasher, path, self.snapshot.get(tree_key(path)), expected)

    def values(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in the order of `keys`."""
        found = self._cache.get(self.version, keys)
        wanted = [key for key, value in zip(keys, found, strict=True) if value is MISSING]
        if not wanted:
            return [None if value is MISSING else value for value in found]
        read = self.snapshot.multi_get([flat_key(key) for key in wanted])
        self._cache.fill(self.version, zip(wanted, read, strict=True))
        fresh = iter(read)
        return [next(fresh) if value is MISSING else value for value in found]

    def entries(self, wanted: Range) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries of a range; its limit is left to the caller."""
        flat = self.snapshot.iterate(
            start=flat_key(wanted.start), stop=flat_key(wanted.stop), reverse=wanted.reverse
        )
        return ((key[_FLAT_SIZE_BYTES:], value) for key, value in flat)


class PastView:
    """The state after the block at an earlier height, as the history of a later head tells it."""

    __slots__ = ("_head", "_height")

    def __init__(self, head: HeadView, height: int) -> None:
        """Look back from `head`, on whose branch `height` is."""
        self._head = head
        self._height = height

    def values(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in the order of `keys`."""
        return values_at(self._head.snapshot, self._height, keys)

    def entries(self, wanted: Range) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries of a range; its limit is left to the caller."""
        return entries_at(self._head.snapshot, self._height, wanted)


class VersionReader:
    """Reads a version: a committed state, and the overlays over it, the newest first."""

    __slots__ = ("_held", "_number", "_overlays")

    def __init__(self, view: View, number: int, overlays: tuple[Overlay, ...]) -> None:
        """Read version `number`; the overlays must not change any more."""
        self._held: View | None = view
        self._number = number
        self._overlays = overlays

    @property
    def version(self) -> int:
        """The state version that is read."""
        return self._number

    def _view(self) -> View:
        view = self._held
        if view is None:
            raise StorageError(
                f"the reader of state version {self._number} is closed; ask for another",
                reason="READER_CLOSED",
            )
        return view

    def close(self) -> None:
        """Let go of the snapshot before garbage collection does; again is harmless."""
        self._held = None

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `StateReader.multi_get`."""
        view = self._view()
        if not self._overlays:
            return view.values(keys)
        values: list[bytes | None] = []
        below: list[int] = []
        for i, key in enumerate(keys):
            for overlay in self._overlays:
                value = overlay.changes.get(key, MISSING)
                if value is not MISSING:
                    values.append(value)
                    break
            else:
                below.append(i)
                values.append(None)
        if below:
            for i, read in zip(below, view.values([keys[i] for i in below]), strict=True):
                values[i] = read
        return values

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """See `StateReader.range`."""
        entries = self._view().entries(wanted)
        changes = changes_between(self._overlays, wanted)
        if changes:
            entries = merged(entries, changes, reverse=wanted.reverse)
        return list(islice(entries, wanted.limit or None))
