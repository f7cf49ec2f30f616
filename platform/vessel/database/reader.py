"""Reading state: the one interface that everything above the database reads through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Keys from `start` (included) to `stop` (excluded), in key order or from the end.

    Both bounds are full state keys. limit: entries at most; 0 is all of them.
    """

    start: bytes
    stop: bytes
    reverse: bool = False
    limit: int = 0


class StateReader(Protocol):
    """State at one version: it never changes under its reader, whatever is committed meanwhile.

    State keys are `namespace (2 bytes, big-endian) ‖ key`. Safe to use from any thread.
    """

    @property
    def version(self) -> int:
        """The state version that is read; no other state ever has the same number."""
        ...

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in the order of `keys`; None where a key is absent."""
        ...

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """Return the entries of the range in the order asked for."""
        ...
