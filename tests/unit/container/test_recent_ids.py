"""The ring of block ids."""

from __future__ import annotations

import pytest

from vessel.container import RecentIds
from vessel.container.recent_ids import AskedIds


def test_the_parent_comes_first() -> None:
    assert list(RecentIds([b"1", b"2", b"3"], limit=2)) == [b"3", b"2"]


def test_it_may_be_shorter_than_its_limit() -> None:
    ids = RecentIds([b"1"], limit=256)
    assert (len(ids), ids[0], ids[-1]) == (1, b"1", b"1")


def test_it_does_not_grow_behind_its_reader() -> None:
    grown = [b"1", b"2"]
    ids = RecentIds(grown, limit=8)
    grown.append(b"3")
    assert list(ids) == [b"2", b"1"]


def test_slices_are_the_newest_first() -> None:
    ids = RecentIds([b"1", b"2", b"3", b"4"], limit=3)
    assert ids[:2] == [b"4", b"3"]
    assert ids[1:] == [b"3", b"2"]


@pytest.mark.parametrize("index", [2, -3, 100])
def test_beyond_the_ring(index: int) -> None:
    with pytest.raises(IndexError, match="holds 2"):
        RecentIds([b"1", b"2", b"3"], limit=2)[index]


def test_no_ids_wanted() -> None:
    assert list(RecentIds([b"1"], limit=0)) == []


def test_what_is_asked_for_comes_by_the_page_and_once() -> None:
    ids = [b"%d" % number for number in range(600)]
    asked: list[tuple[int, int]] = []

    def ask(first: int, count: int) -> list[bytes]:
        asked.append((first, count))
        return ids[first : first + count]

    ring = AskedIds(len(ids), ask)
    assert (len(ring), asked) == (600, [])
    assert [ring[index] for index in (0, 255, 1)] == [ids[index] for index in (0, 255, 1)]
    assert asked == [(0, 256)]
    assert ring[-1] == ids[599]
    assert asked == [(0, 256), (512, 88)]
    assert list(ring) == ids == list(ring[:])
    assert len(asked) == 3
    for beyond in (600, -601):
        with pytest.raises(IndexError, match="600 ids"):
            ring[beyond]
    assert len(AskedIds(0, ask)) == 0
