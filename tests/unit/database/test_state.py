"""StateDatabase: the rules for versions, what fails and how, and what is never served wrongly."""

from __future__ import annotations

import pytest

from vessel.database import layout
from vessel.database.key_value import Batch, KeyValue, open_key_value
from vessel.database.memory import MemoryKeyValue
from vessel.database.reader import Range
from vessel.database.state import EMPTY_VERSION, StateDatabase
from vessel.database.value_cache import MISSING, ValueCache
from vessel.errors import HeightNotKept, InvalidRequest, StorageError, StoreCorrupt
from vessel.primitives.encoding import u64
from vessel.primitives.hashing import SHA256


class FullDisk(MemoryKeyValue):
    """A store that can be told to have no space left."""

    full = False
    writes = 0
    synced = 0

    def write(self, batch: Batch, *, sync: bool) -> None:
        if self.full:
            raise StorageError("no space left")
        self.writes += 1
        self.synced += sync
        super().write(batch, sync=sync)


@pytest.fixture
def store() -> FullDisk:
    return FullDisk()


@pytest.fixture
def state(store: FullDisk) -> StateDatabase:
    return StateDatabase(store, SHA256, kept_roots=4)


def commit(state: StateDatabase, changes: dict[bytes, bytes | None], batch: Batch | None = None) -> int:
    """Commit a block of changes over the head."""
    version = state.begin(state.head_version)
    state.apply(version, changes)
    state.commit(version, state.head_height + 1, batch or Batch())
    return version


def dump(store: KeyValue) -> list[tuple[bytes, bytes]]:
    """Return everything in a store."""
    return list(store.iterate())


def test_the_empty_state(state: StateDatabase) -> None:
    assert (state.head_version, state.head_height) == (EMPTY_VERSION, -1)
    assert state.reader(EMPTY_VERSION).multi_get([b"a"]) == [None]
    assert state.root(EMPTY_VERSION) == state.head_root
    with pytest.raises(HeightNotKept, match="there are none yet"):
        state.reader_at(0)


def test_one_synced_write_a_block(store: FullDisk, state: StateDatabase) -> None:
    commit(state, {b"a": b"1"})
    before = store.writes
    version = state.begin(state.head_version)
    state.apply(version, {b"a": b"2", b"b": b"3"})
    state.root(version)
    assert store.writes == before
    state.commit(version, 1, Batch([(b"\xf0mine", b"too")]))
    assert store.writes == before + 1
    assert store.synced == store.writes
    assert store.get(b"\xf0mine") == b"too"


def test_a_write_that_fails_changes_nothing_and_may_be_repeated(
    store: FullDisk, state: StateDatabase
) -> None:
    commit(state, {b"a": b"1"})
    version = state.begin(state.head_version)
    state.apply(version, {b"a": b"2"})
    content, head = dump(store), (state.head_version, state.head_height, state.head_root)
    store.full = True
    with pytest.raises(StorageError, match="no space left"):
        state.commit(version, 1, Batch())
    with pytest.raises(StorageError, match="no space left"):
        state.rollback(0, Batch())
    assert (state.head_version, state.head_height, state.head_root) == head
    assert dump(store) == content
    assert state.reader(state.head_version).multi_get([b"a"]) == [b"1"]
    store.full = False
    state.commit(version, 1, Batch())
    assert state.reader(version).multi_get([b"a"]) == [b"2"]


def test_what_was_built_on_is_final(state: StateDatabase) -> None:
    version = state.begin(state.head_version)
    state.apply(version, {b"a": b"1"})
    child = state.begin(version)
    with pytest.raises(InvalidRequest, match=r"is final, versions over it were begun; begin\("):
        state.apply(version, {b"a": b"2"})
    state.discard(child)
    state.apply(version, {b"a": b"2"})
    state.root(version)
    with pytest.raises(InvalidRequest, match="is final, its root was made"):
        state.apply(version, {b"a": b"3"})
    state.commit(version, 0, Batch())
    with pytest.raises(InvalidRequest, match="is committed and cannot change"):
        state.apply(version, {b"a": b"3"})


def test_only_the_next_height_over_the_head_is_committed(state: StateDatabase) -> None:
    commit(state, {b"a": b"1"})
    version = state.begin(state.head_version)
    child = state.begin(version)
    with pytest.raises(InvalidRequest, match="height 2 cannot be committed over height 0; expected 1"):
        state.commit(version, 2, Batch())
    with pytest.raises(InvalidRequest, match="commit its ancestors first"):
        state.commit(child, 1, Batch())
    state.commit(version, 1, Batch())
    state.commit(child, 2, Batch())


def test_dead_versions_say_so_and_their_readers_live_on(state: StateDatabase) -> None:
    first, second = state.begin(state.head_version), state.begin(state.head_version)
    state.apply(second, {b"a": b"2"})
    reader = state.reader(second)
    state.commit(first, 0, Batch())
    for dead in (second, EMPTY_VERSION, 12345):
        with pytest.raises(
            StorageError, match=rf"{dead} is not live.*head is version {first} at height 0"
        ) as caught:
            state.reader(dead)
        assert caught.value.reason == "VERSION_NOT_LIVE"
        with pytest.raises(StorageError, match="is not live"):
            state.root(dead)
        with pytest.raises(StorageError, match="is not live"):
            state.begin(dead)
        state.discard(dead)
    assert reader.multi_get([b"a"]) == [b"2"]
    assert reader.version == second


def test_discarding_takes_what_is_over_it(state: StateDatabase) -> None:
    version = state.begin(state.head_version)
    child = state.begin(version)
    state.discard(version)
    with pytest.raises(StorageError, match="is not live"):
        state.reader(child)


def test_a_reader_does_not_see_what_is_applied_later(state: StateDatabase) -> None:
    version = state.begin(state.head_version)
    state.apply(version, {b"a": b"1"})
    reader = state.reader(version)
    everything = Range(start=b"", stop=b"z")
    assert reader.range(everything) == [(b"a", b"1")]
    state.apply(version, {b"a": b"2", b"b": b"1"})
    assert reader.multi_get([b"a", b"b"]) == [b"1", None]
    assert reader.range(everything) == [(b"a", b"1")]
    assert state.reader(version).range(everything) == [(b"a", b"2"), (b"b", b"1")]


def test_a_closed_reader_refuses(state: StateDatabase) -> None:
    commit(state, {b"a": b"1"})
    commit(state, {b"a": b"2"})
    for reader in (state.reader(state.head_version), state.reader_at(0)):
        reader.close()  # type: ignore[attr-defined]
        with pytest.raises(StorageError, match="is closed; ask for another"):
            reader.multi_get([b"a"])


def test_version_numbers_survive_a_crash(store: FullDisk) -> None:
    seen: set[int] = set()
    for _ in range(5):
        state = StateDatabase(store, SHA256)  # the one before it is gone without a word
        for _ in range(1500):
            version = state.begin(state.head_version)
            assert version not in seen
            seen.add(version)
        state.commit(version, state.head_height + 1, Batch())
        assert StateDatabase(store, SHA256).head_version == version


def test_unchanged_values_leave_no_history(store: FullDisk, state: StateDatabase) -> None:
    commit(state, {b"a": b"1", b"b": b"1"})
    root = state.head_root
    commit(state, {b"a": b"1", b"b": b"2", b"never": None})
    history = [key for key, _ in store.iterate(start=layout.HISTORY, stop=layout.CHANGED)]
    assert history == [layout.history_key(b"b", 1)]
    commit(state, {b"b": b"1"})
    assert state.head_root == root


def test_a_long_history_is_jumped_over_and_still_right(state: StateDatabase) -> None:
    for height in range(60):
        commit(state, {b"busy": b"%d" % height, b"quiet%d" % (height % 7): b"%d" % height})
    everything = Range(start=b"", stop=b"z")
    backward = Range(start=b"", stop=b"z", reverse=True)
    for height in (0, 1, 30, 58, 59):
        quiet = {b"quiet%d" % (h % 7): b"%d" % h for h in range(height + 1)}
        expected = sorted({**quiet, b"busy": b"%d" % height}.items())
        reader = state.reader_at(height)
        assert reader.range(everything) == expected
        assert reader.range(backward) == expected[::-1]
        assert reader.multi_get([b"busy", b"other"]) == [b"%d" % height, None]


def test_heights_that_are_not_kept_are_told_with_those_that_are(state: StateDatabase) -> None:
    for height in range(8):
        commit(state, {b"a": b"%d" % height})
    with pytest.raises(HeightNotKept, match="no state for height 8: heights 0 to 7 are kept"):
        state.reader_at(8)
    with pytest.raises(HeightNotKept, match="no state for height -1"):
        state.rollback(-1, Batch())
    with pytest.raises(HeightNotKept, match="no proof for height 3: heights 4 to 7 are kept"):
        state.prove(b"a", 3)
    root, value, _ = state.prove(b"a", 4)
    assert (root, value) == (state.stored_root(4), b"4")


def test_versions_at_heights_are_those_that_were_committed(state: StateDatabase) -> None:
    versions = [commit(state, {b"a": b"%d" % height}) for height in range(4)]
    assert [state.reader_at(height).version for height in range(4)] == versions
    fresh = state.rollback(2, Batch())
    assert state.reader_at(2).version == fresh
    assert state.reader_at(1).version == versions[1]


def test_rollback_to_the_head_changes_only_the_number(state: StateDatabase) -> None:
    old = commit(state, {b"a": b"1"})
    root = state.head_root
    assert state.rollback(0, Batch()) > old
    assert (state.head_root, state.head_height) == (root, 0)


def test_rollback_leaves_the_store_as_it_was(store: FullDisk, state: StateDatabase) -> None:
    for height in range(4):
        commit(state, {b"a": b"%d" % height, b"only%d" % height: b"x", b"only%d" % (height - 1): None})

    def content() -> list[tuple[bytes, bytes]]:
        numbers = (layout.META, layout.root_key(3)[:1])  # those hold version numbers
        return [(key, value) for key, value in dump(store) if key[:1] not in numbers]

    before = content()
    commit(state, {b"a": b"4", **{b"more%d" % i: b"x" for i in range(100)}})
    commit(state, {b"a": None, b"only3": None})
    state.rollback(3, Batch())
    assert content() == before


def test_undo_that_does_not_lead_to_the_stored_root_is_refused(store: FullDisk, state: StateDatabase) -> None:
    commit(state, {b"a": b"1"})
    commit(state, {b"a": b"2"})
    store.write(Batch([(layout.history_key(b"a", 1), layout.encode_previous(b"forged"))]), sync=True)
    state = StateDatabase(store, SHA256)
    content = dump(store)
    with pytest.raises(StoreCorrupt, match=r"leads to state root .* expected"):
        state.rollback(0, Batch())
    with pytest.raises(StoreCorrupt, match=r"leads to state root .* expected"):
        state.prove(b"a", 0)
    assert dump(store) == content
    assert state.head_height == 1


@pytest.mark.parametrize("lost", [layout.changed_key(1), layout.history_key(b"a", 1), layout.root_key(0)])
def test_lost_records_are_noticed(store: FullDisk, state: StateDatabase, lost: bytes) -> None:
    commit(state, {b"a": b"1"})
    commit(state, {b"a": b"2"})
    store.write(Batch([(lost, None)]), sync=True)
    with pytest.raises(StoreCorrupt, match="restore a backup, or replay the chain"):
        StateDatabase(store, SHA256).rollback(0, Batch())


def test_a_store_whose_tree_is_not_its_root_does_not_open(store: FullDisk, state: StateDatabase) -> None:
    commit(state, {b"a": b"1"})
    head = store.get(layout.META_HEAD)
    assert head is not None
    store.write(Batch([(layout.META_HEAD, head[:16] + bytes(32))]), sync=True)
    with pytest.raises(StoreCorrupt, match="the state tree's record at path 00 has hash"):
        StateDatabase(store, SHA256)


def test_the_cache_serves_one_version_only() -> None:
    cache = ValueCache(1, size_bytes=1 << 20)
    cache.fill(1, [(b"a", b"1"), (b"b", None)])
    assert cache.get(1, [b"a", b"b", b"c"]) == [b"1", None, MISSING]
    cache.advance(2, {b"a": b"2"})
    cache.fill(1, [(b"b", b"late"), (b"c", b"late")])  # a reader of version 1 that was still reading
    assert cache.get(1, [b"a"]) == [MISSING]
    assert cache.get(2, [b"a", b"b", b"c"]) == [b"2", None, MISSING]


def test_the_cache_is_bounded_and_forgets_no_change() -> None:
    cache = ValueCache(1, size_bytes=10_000)
    cache.fill(1, [(b"%d" % i, b"old") for i in range(1000)])
    known = [value for value in cache.get(1, [b"%d" % i for i in range(1000)]) if value is not MISSING]
    assert 0 < len(known) < 50
    cache.advance(2, {b"%d" % i: b"new" for i in range(1000)})
    assert set(cache.get(2, [b"%d" % i for i in range(1000)])) == {b"new", MISSING}


def test_heads_of_another_open_store_are_told_apart() -> None:
    with open_key_value("memory:") as one, open_key_value("memory:") as other:
        roots = []
        for store in (one, other):
            state = StateDatabase(store, SHA256)
            commit(state, {b"a": b"1", b"b": None})
            roots.append((state.head_root, store.get(layout.root_key(0))))
        assert roots[0] == roots[1]
        assert roots[0][1] == roots[0][0] + u64(1)
