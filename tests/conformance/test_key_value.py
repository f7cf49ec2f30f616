"""What every key-value engine does alike."""

from __future__ import annotations

import importlib.util
import itertools
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vessel.database.key_value import Batch, KeyValue, Snapshot, open_key_value
from vessel.errors import ConfigurationError, StorageError, StoreLocked

ON_DISK = [
    pytest.param(
        "leveldb",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("plyvel") is None, reason="plyvel has no wheel for this Python"
        ),
    ),
    "rocksdb",
]


@pytest.fixture(params=["memory", *ON_DISK])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Name an empty store of each engine."""
    engine: str = request.param
    return "memory:" if engine == "memory" else f"{engine}:{tmp_path / 'store'}"


@pytest.fixture(params=ON_DISK)
def disk_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Name an empty store of each engine that keeps something."""
    return f"{request.param}:{tmp_path / 'store'}"


@pytest.fixture
def store(url: str) -> Iterator[KeyValue]:
    """Open an empty store."""
    with open_key_value(url) as opened:
        yield opened


def fill(store: KeyValue, entries: dict[bytes, bytes | None]) -> None:
    """Write entries in one batch."""
    store.write(Batch(entries.items()), sync=False)


def test_empty_store_has_nothing(store: KeyValue) -> None:
    assert store.get(b"a") is None
    assert store.multi_get([]) == []
    assert store.multi_get([b"a", b""]) == [None, None]
    assert list(store.iterate()) == []
    assert list(store.iterate(reverse=True)) == []


def test_values_come_back_in_the_order_of_the_keys(store: KeyValue) -> None:
    fill(store, {b"b": b"2", b"a": b"1", b"empty": b"", b"": b"no key", b"\xff\xff": b"last"})
    wanted = [b"b", b"x", b"a", b"b", b"empty", b"", b"\xff\xff"]
    assert store.multi_get(wanted) == [b"2", None, b"1", b"2", b"", b"no key", b"last"]
    assert [store.get(key) for key in wanted] == store.multi_get(wanted)


def test_the_last_operation_of_a_batch_holds(store: KeyValue) -> None:
    fill(store, {b"c": b"0"})
    batch = Batch()
    batch.put(b"a", b"1")
    batch.delete(b"a")
    batch.delete(b"b")
    batch.put(b"b", b"2")
    batch.extend([(b"c", None), (b"d", b"3")])
    assert len(batch) == 6
    store.write(batch, sync=True)
    assert list(store.iterate()) == [(b"b", b"2"), (b"d", b"3")]


def test_every_range_in_both_directions(store: KeyValue) -> None:
    names = [bytes(pair) for pair in itertools.product(b"\x00ab\xff", repeat=2)]
    present = names[::2]
    fill(store, {name: name[::-1] for name in present})
    snapshot = store.snapshot()
    fill(store, dict.fromkeys(names, b"later"))
    for start in (b"", *names):
        for stop in (None, *names):
            expected = [
                (name, name[::-1]) for name in present if name >= start and (stop is None or name < stop)
            ]
            assert list(snapshot.iterate(start=start, stop=stop)) == expected
            assert list(snapshot.iterate(start=start, stop=stop, reverse=True)) == expected[::-1]
            bare = [(name, b"") for name, _ in expected]
            assert list(snapshot.iterate(start=start, stop=stop, keys_only=True)) == bare
            reverse = snapshot.iterate(start=start, stop=stop, reverse=True, keys_only=True)
            assert list(reverse) == bare[::-1]


def test_long_ranges_are_whole(store: KeyValue) -> None:
    entries: dict[bytes, bytes | None] = {i.to_bytes(4, "big"): b"%d" % i for i in range(3000)}
    fill(store, entries)
    expected = sorted(entries.items())
    assert list(store.iterate()) == expected
    assert list(store.iterate(reverse=True)) == expected[::-1]
    assert list(store.snapshot().iterate(start=b"\x00\x00\x01")) == expected[256:]


def test_a_snapshot_does_not_move(store: KeyValue) -> None:
    fill(store, {b"a": b"1", b"b": b"2"})
    snapshot = store.snapshot()
    fill(store, {b"a": b"changed", b"b": None, b"c": b"3"})
    assert snapshot.get(b"a") == b"1"
    assert snapshot.multi_get([b"a", b"b", b"c"]) == [b"1", b"2", None]
    assert list(snapshot.iterate()) == [(b"a", b"1"), (b"b", b"2")]
    assert list(snapshot.iterate(reverse=True)) == [(b"b", b"2"), (b"a", b"1")]
    assert list(store.iterate()) == [(b"a", b"changed"), (b"c", b"3")]


def test_an_iterator_keeps_the_state_of_its_call(store: KeyValue) -> None:
    fill(store, {b"%03d" % i: b"old" for i in range(100)})
    entries = store.iterate()
    fill(store, {b"%03d" % i: b"new" for i in range(200)})
    assert list(entries) == [(b"%03d" % i, b"old") for i in range(100)]


def test_two_iterators_of_one_snapshot_do_not_disturb_each_other(store: KeyValue) -> None:
    fill(store, {b"%03d" % i: b"" for i in range(100)})
    snapshot = store.snapshot()
    pairs = zip(snapshot.iterate(), snapshot.iterate(reverse=True), strict=True)
    assert [(int(a), int(b)) for (a, _), (b, _) in pairs] == [(i, 99 - i) for i in range(100)]


def test_many_snapshots_of_different_moments(store: KeyValue) -> None:
    rng = random.Random(7)
    model: dict[bytes, bytes] = {}
    kept: list[tuple[Snapshot, dict[bytes, bytes]]] = []
    for step in range(60):
        changes: dict[bytes, bytes | None] = {}
        for _ in range(rng.randrange(30)):
            changes[b"%d" % rng.randrange(200)] = None if rng.random() < 0.4 else b"%d" % step
        fill(store, changes)
        merged = {**model, **changes}
        model = {key: value for key, value in merged.items() if value is not None}
        kept.append((store.snapshot(), model))
    for snapshot, expected in kept:
        assert list(snapshot.iterate()) == sorted(expected.items())


def test_closed_things_refuse(store: KeyValue) -> None:
    fill(store, {b"a": b"1"})
    closed, open_snapshot = store.snapshot(), store.snapshot()
    closed.close()
    closed.close()
    with pytest.raises(StorageError, match="closed"):
        closed.get(b"a")
    with pytest.raises(StorageError, match="closed"):
        closed.iterate()
    entries = store.iterate()
    store.close()
    store.close()
    for one in (store, open_snapshot):
        with pytest.raises(StorageError, match="closed"):
            one.get(b"a")
        with pytest.raises(StorageError, match="closed"):
            one.multi_get([b"a"])
        with pytest.raises(StorageError, match="closed"):
            list(one.iterate())
    with pytest.raises(StorageError, match="closed"):
        store.write(Batch([(b"a", b"2")]), sync=True)
    with pytest.raises(StorageError, match="closed"):
        store.snapshot()
    del entries


@pytest.mark.slow
def test_readers_in_threads_see_whole_batches(store: KeyValue) -> None:
    names = [b"%02d" % i for i in range(20)]
    fill(store, dict.fromkeys(names, b"0"))
    failures: list[object] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                snapshot = store.snapshot()
                values = set(snapshot.multi_get(names))
                ranged = {value for _, value in snapshot.iterate()}
                if len(values) != 1 or values != ranged:
                    failures.append((values, ranged))
        except StorageError as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(300):
        fill(store, dict.fromkeys(names, b"%d" % i))
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.slow
def test_closing_under_readers_is_an_error_for_them_and_no_crash(store: KeyValue) -> None:
    fill(store, {b"%04d" % i: b"x" * 100 for i in range(500)})
    snapshot = store.snapshot()
    begun = threading.Barrier(5)
    refused: list[str] = []

    def read(one: Snapshot) -> None:
        begun.wait()
        try:
            while True:
                one.multi_get([b"%04d" % i for i in range(500)])
                list(one.iterate())
        except StorageError as error:
            refused.append(error.reason)

    threads = [threading.Thread(target=read, args=(one,)) for one in (store, store, snapshot, snapshot)]
    for thread in threads:
        thread.start()
    begun.wait()
    store.close()
    for thread in threads:
        thread.join()
    assert refused == ["STORE_CLOSED"] * 4


def test_a_store_on_disk_keeps_what_was_written(disk_url: str) -> None:
    with open_key_value(disk_url) as store:
        fill(store, {b"a": b"1", b"b": b"2"})
        store.write(Batch([(b"b", None)]), sync=True)
        snapshot = store.snapshot()  # still referred to when the store is closed: must not keep it locked
        entries = snapshot.iterate()
    with open_key_value(disk_url, create=False) as store:
        assert list(store.iterate()) == [(b"a", b"1")]
    del snapshot, entries


def test_a_store_opens_once(disk_url: str) -> None:
    with open_key_value(disk_url), pytest.raises(StoreLocked, match="is open in another process"):
        open_key_value(disk_url)
    open_key_value(disk_url).close()


def test_a_missing_store_is_not_made_unless_wanted(disk_url: str, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"there is no (leveldb|rocksdb) store in .*create the chain"
    ):
        open_key_value(disk_url, create=False)
    assert not (tmp_path / "store").exists()


def test_directories_on_the_way_are_made(disk_url: str) -> None:
    with open_key_value(f"{disk_url}/of/a/chain") as store:
        assert store.get(b"a") is None


def test_a_file_is_no_store(disk_url: str, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("not a directory")
    with pytest.raises(ConfigurationError, match="is a file, expected a directory"):
        open_key_value(disk_url)


def test_the_store_of_the_other_engine_is_refused(disk_url: str) -> None:
    other = {"leveldb": "rocksdb", "rocksdb": "leveldb"}
    engine, _, path = disk_url.partition(":")
    open_key_value(disk_url).close()
    with pytest.raises(ConfigurationError, match=f"made by {engine}, not by {other[engine]}; use {engine}:"):
        open_key_value(f"{other[engine]}:{path}")
    open_key_value(disk_url, create=False).close()


def test_an_engine_needs_a_path(disk_url: str) -> None:
    with pytest.raises(ConfigurationError, match="needs a directory"):
        open_key_value(disk_url.partition(":")[0] + ":")
