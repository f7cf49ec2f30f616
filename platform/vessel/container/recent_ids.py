"""The ring of recent block ids: BLOCKHASH reads it, and TAPOS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

PAGE_IDS = 256


class RecentIds(Sequence[bytes]):
    """Block ids from the parent backwards: index 0 is the parent, 1 its parent.

    A window on a growing list that is shared and never changed in place, so handing one out copies
    nothing. Thread-safe for readers.
    """

    __slots__ = ("_end", "_ids", "_start")

    def __init__(self, oldest_first: list[bytes], *, limit: int) -> None:
        """See at most the last `limit` ids of a list that may grow behind this window."""
        self._ids = oldest_first
        self._end = len(oldest_first)
        self._start = max(0, self._end - limit)

    def __len__(self) -> int:
        """Return how many ids there are."""
        return self._end - self._start

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        """Return the id `index` blocks before the parent; IndexError beyond the ring."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"the ring holds {len(self)} ids")
        return self._ids[self._end - 1 - index]


class AskedIds(Sequence[bytes]):
    """The same ring, of which nothing is here until it is looked at. For one thread.

    A view hardly ever looks, and the ring may have 65,536 ids: so they come by the page.
    """

    __slots__ = ("_ask", "_count", "_pages")

    def __init__(self, count: int, ask: Callable[[int, int], Sequence[bytes]]) -> None:
        """See `count` ids; ask: returns `count` ids from `first` on."""
        self._count = count
        self._ask = ask
        self._pages: dict[int, Sequence[bytes]] = {}

    def __len__(self) -> int:
        """Return how many ids there are."""
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        """Return the id `index` blocks before the parent; IndexError beyond the ring."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._count))]
        if index < 0:
            index += self._count
        if not 0 <= index < self._count:
            raise IndexError(f"the ring holds {self._count} ids")
        page, place = divmod(index, PAGE_IDS)
        if page not in self._pages:
            first = page * PAGE_IDS
            self._pages[page] = self._ask(first, min(PAGE_IDS, self._count - first))
        return self._pages[page][place]
