"""A cache never shows a value of another version."""

from __future__ import annotations

from vessel.container.state_cache import StateCache

BUDGET_BYTES = 1 << 20


def cache_at(version: int, **values: bytes) -> StateCache:
    cache = StateCache(BUDGET_BYTES)
    cache.move(0, version, {})
    cache.at(version).update({key.encode(): value for key, value in values.items()})
    return cache


def test_the_delta_moves_it() -> None:
    cache = cache_at(5, a=b"1", b=b"2")
    cache.move(5, 6, {b"b": b"3", b"c": None})
    assert cache.at(6) == {b"a": b"1", b"b": b"3", b"c": None}


def test_a_block_on_what_it_made_takes_the_layer_in() -> None:
    cache = cache_at(5, a=b"1", b=b"2")
    cache.made(6, {b"a": b"9"})
    cache.move(6, 7, {b"b": b"4"})
    assert cache.at(7) == {b"a": b"9", b"b": b"4"}


def test_a_block_on_the_base_drops_the_layer() -> None:
    cache = cache_at(5, a=b"1")
    cache.made(6, {b"a": b"9"})
    cache.move(5, 5, {})
    assert cache.at(5) == {b"a": b"1"}
    cache.move(6, 6, {})  # the dropped layer is gone for good
    assert cache.at(6) == {}


def test_a_gap_empties_it() -> None:
    for before, after in ((4, 6), (0, 6), (0, 5)):
        cache = cache_at(5, a=b"1")
        cache.move(before, after, {b"b": b"2"})
        assert cache.at(after) == {}, "a delta on something else than the base says nothing"


def test_it_is_asked_for_by_version() -> None:
    assert cache_at(5, a=b"1").at(6) == {}


def test_dropping_forgets_the_layer() -> None:
    cache = cache_at(5, a=b"1")
    cache.made(6, {b"a": b"9"})
    cache.drop()
    cache.move(6, 6, {})
    assert cache.at(6) == {}


def test_the_budget_is_kept_oldest_first() -> None:
    cache = StateCache(BUDGET_BYTES)
    cache.move(0, 1, {})
    cache.at(1).update({b"%06d" % number: b"v" * 1_000 for number in range(5_000)})
    cache.made(2, {})
    kept = cache.at(1)
    assert sum(len(key) + len(value or b"") for key, value in kept.items()) <= BUDGET_BYTES
    assert list(kept)[-1] == b"004999"
    assert len(kept) > 500
