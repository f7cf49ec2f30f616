"""Writes on top of a state, and reading through them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from vessel.database.reader import Range

Change = tuple[bytes, bytes | None]  # a state key and its value; None where it is absent


class Overlay:
    """What a version changes. Its owner may add to it until a reader has it; then never again.

    The keys are sorted when a range is first read, and stay so: adding makes an overlay anew.
    """

    __slots__ = ("_ascending", "changes", "shared")

    def __init__(self, changes: Mapping[bytes, bytes | None] | None = None) -> None:
        """Begin with `changes`."""
        self.changes: dict[bytes, bytes | None] = dict(changes or {})
        self.shared = False
        self._ascending: list[bytes] | None = None

    def extended(self, changes: Mapping[bytes, bytes | None]) -> Overlay:
        """Return the overlay with `changes` over it: the same one while nobody reads it, else a copy."""
        overlay = Overlay(self.changes) if self.shared else self
        overlay.changes.update(changes)
        overlay._ascending = None
        return overlay

    def between(self, start: bytes, stop: bytes) -> list[bytes]:
        """Return the changed keys from `start` to `stop` (excluded), ascending."""
        ascending = self._ascending
        if ascending is None:
            ascending = self._ascending = sorted(self.changes)
        return ascending[bisect_left(ascending, start) : bisect_left(ascending, stop)]


def changes_between(overlays: Iterable[Overlay], wanted: Range) -> list[Change]:
    """Return what overlays, the newest first, change in a range, in the order it asks for."""
    changes: dict[bytes, bytes | None] = {}
    for overlay in overlays:
        for key in overlay.between(wanted.start, wanted.stop):
            changes.setdefault(key, overlay.changes[key])
    return [(key, changes[key]) for key in sorted(changes, reverse=wanted.reverse)]


def merged(
    below: Iterable[tuple[bytes, bytes]], above: Iterable[Change], *, reverse: bool
) -> Iterator[tuple[bytes, bytes]]:
    """Yield `below` with `above` over it; both in the same order, no key twice in either."""
    changes = iter(above)
    change = next(changes, None)
    for entry in below:
        while change is not None and (change[0] > entry[0] if reverse else change[0] < entry[0]):
            if change[1] is not None:
                yield change[0], change[1]
            change = next(changes, None)
        if change is not None and change[0] == entry[0]:
            if change[1] is not None:
                yield change[0], change[1]
            change = next(changes, None)
        else:
            yield entry
    while change is not None:
        if change[1] is not None:
            yield change[0], change[1]
        change = next(changes, None)
