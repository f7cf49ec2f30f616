"""The cache of reads and what leads it: one version at a time, whatever comes in whatever order."""

from __future__ import annotations

from vessel.container.read_cache import CachedReader, ReadCache
from vessel.container.read_delta import MAX_DELTA_ENTRIES, ReadDelta
from vessel.database.reader import Range

OWN, LEDGER, OTHERS = b"\0\1own", b"\0\0" + b"a" * 20, b"\0\2theirs"


class Below:
    """State at one version, all of whose values say which."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.asked: list[bytes] = []

    def multi_get(self, keys: list[bytes]) -> list[bytes | None]:
        self.asked += keys
        return [b"at %d" % self.version for _ in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        return []


def read(cache: ReadCache, version: int) -> tuple[list[bytes | None], list[bytes]]:
    """Return what a question at a version sees of two keys, and what it had to ask for."""
    below = Below(version)
    return CachedReader(below, cache).multi_get([b"a", b"b"]), below.asked  # type: ignore[arg-type]


def test_it_serves_its_own_version_only() -> None:
    cache = ReadCache(1 << 20)
    cache.move(0, 5, {})
    assert read(cache, 5) == ([b"at 5", b"at 5"], [b"a", b"b"])
    assert read(cache, 5) == ([b"at 5", b"at 5"], [])
    assert read(cache, 4) == ([b"at 4", b"at 4"], [b"a", b"b"])
    assert read(cache, 6) == ([b"at 6", b"at 6"], [b"a", b"b"])
    assert read(cache, 5) == ([b"at 5", b"at 5"], [])


def test_it_moves_on_under_a_question() -> None:
    cache = ReadCache(1 << 20)
    cache.move(0, 5, {})

    class Slow(Below):
        def multi_get(self, keys: list[bytes]) -> list[bytes | None]:
            cache.move(5, 6, {b"b": b"new"})  # while the host looks
            return super().multi_get(keys)

    slow = CachedReader(Slow(5), cache)  # type: ignore[arg-type]
    assert slow.multi_get([b"a", b"b"]) == [b"at 5", b"at 5"]
    assert read(cache, 6) == ([b"at 6", b"new"], [b"a"])


def test_a_delta_that_comes_late_is_past() -> None:
    cache = ReadCache(1 << 20)
    cache.move(0, 7, {})
    read(cache, 7)
    cache.move(5, 6, {b"a": b"old"})
    assert read(cache, 7) == ([b"at 7", b"at 7"], [])
    assert read(cache, 6)[1] == [b"a", b"b"]


def test_a_gap_empties_it() -> None:
    cache = ReadCache(1 << 20)
    cache.move(0, 5, {})
    read(cache, 5)
    cache.move(6, 7, {b"a": b"told"})
    assert read(cache, 7)[1] == [b"a", b"b"]


def test_the_budget_holds() -> None:
    cache = ReadCache(0)
    cache.move(0, 5, {})
    assert read(cache, 5)[1] == read(cache, 5)[1] == [b"a", b"b"]


# ---- what leads it


def delta_at(version: int) -> ReadDelta:
    delta = ReadDelta(1)
    delta.to(version)
    return delta


def test_the_first_question_begins_it() -> None:
    assert ReadDelta(1).to(5) == (0, 5, {})


def test_blocks_add_up_to_what_the_container_reads() -> None:
    delta = delta_at(5)
    delta.committed(5, 6, {OWN: b"1", LEDGER: b"\1", OTHERS: b"x"})
    delta.committed(6, 7, {OWN: None})
    assert delta.to(7) == (5, 7, {OWN: None, LEDGER: b"\1"})
    assert delta.to(7) == (0, 0, {})


def test_a_question_elsewhere_moves_nothing() -> None:
    delta = delta_at(5)
    delta.committed(5, 6, {OWN: b"1"})
    assert delta.to(5) == delta.to(4) == (0, 0, {})
    assert delta.to(6) == (5, 6, {OWN: b"1"})


def test_a_jump_begins_anew() -> None:
    delta = delta_at(5)
    delta.committed(8, 9, {OWN: b"1"})
    assert delta.to(9) == (0, 9, {})


def test_too_much_begins_anew() -> None:
    delta = delta_at(5)
    delta.committed(5, 6, {OWN + b"%d" % n: b"1" for n in range(MAX_DELTA_ENTRIES + 1)})
    assert delta.to(6) == (0, 6, {})
