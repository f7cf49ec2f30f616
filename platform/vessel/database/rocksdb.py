"""The engine `rocksdb:PATH`, by rocksdict.

Two things of rocksdict 0.3.29 shape this file. The iterators of its Snapshot read the latest state,
not the snapshot's, while an iterator once made does keep the state it was made on: so a snapshot
here is rocksdict's (for single keys) and one such cursor (for ranges), shared under a lock and sought
anew for every chunk. And a lower bound in its ReadOptions acts as an upper one: bounds are kept here.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import rocksdict

from vessel.database.gate import Gate
from vessel.database.key_value import Batch, Snapshot
from vessel.errors import ConfigurationError, StorageError, StoreCorrupt, StoreLocked, VesselError

_WRITE_BUFFER_SIZE_BYTES = 32 << 20
_CACHE_SIZE_BYTES = 128 << 20
_BLOOM_BITS_PER_KEY = 10
_CHUNK_MAX = 512
_ABSENT = "key not found"


def _failure(path: Path, error: Exception) -> StorageError:
    """Return our error for one of rocksdict's, which has but a single class and a text."""
    text = str(error)
    if text.startswith("Corruption"):
        return StoreCorrupt(
            f"RocksDB finds its files in {path} damaged: {text}; restore a backup, or replay the chain",
            path=path,
        )
    return StorageError(f"RocksDB in {path} failed: {text}; check space and permissions", path=path)


class _Inside:
    """A call into rocksdict: not while the store closes, and with our errors."""

    __slots__ = ("_gate", "_path")

    def __init__(self, path: Path) -> None:
        self._path = path
        self._gate = Gate(f"the store rocksdb:{path}")

    def __enter__(self) -> None:
        self._gate.__enter__()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._gate.__exit__()
        if isinstance(error, Exception) and not isinstance(error, VesselError):
            raise _failure(self._path, error) from error

    def close(self) -> bool:
        return self._gate.close()


def _open(path: Path, create: bool) -> Any:
    table = rocksdict.BlockBasedOptions()
    table.set_block_cache(rocksdict.Cache(_CACHE_SIZE_BYTES))
    table.set_bloom_filter(_BLOOM_BITS_PER_KEY, False)
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(create)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(_WRITE_BUFFER_SIZE_BYTES)
    options.set_compression_type(rocksdict.DBCompressionType.none())
    options.set_keep_log_file_num(2)
    try:
        return rocksdict.Rdict(str(path), options)
    except Exception as error:
        text = str(error)
        if "lock" in text.lower() and "LOCK" in text:
            raise StoreLocked(
                f"the store in {path} is open in another process, or already in this one; stop that node, "
                "or give this one a directory of its own",
                path=path,
            ) from error
        if text.startswith("Corruption"):
            raise _failure(path, error) from error
        raise ConfigurationError(f"cannot open the store in {path}: {text}", path=path) from error


class _Cursor:
    """One native iterator, hence one state; `entries` may run in many threads at a time."""

    __slots__ = ("__weakref__", "_inside", "_lock", "_native")

    def __init__(self, inside: _Inside, native: Any) -> None:
        self._inside = inside
        self._native = native
        self._lock = threading.Lock()

    def entries(
        self, start: bytes, stop: bytes | None, reverse: bool, keys_only: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        size = 1  # many callers want only the first entry
        last: bytes | None = None
        while True:
            chunk = self._chunk(start, stop, reverse, keys_only, last, size)
            yield from chunk
            if len(chunk) < size:
                return
            last = chunk[-1][0]
            size = min(size * 8, _CHUNK_MAX)

    def _chunk(
        self,
        start: bytes,
        stop: bytes | None,
        reverse: bool,
        keys_only: bool,
        last: bytes | None,
        size: int,
    ) -> list[tuple[bytes, bytes]]:
        """Return the next entries behind `last`, at most `size`."""
        chunk: list[tuple[bytes, bytes]] = []
        with self._lock, self._inside:
            native = self._native
            if native is None:
                raise StorageError("the snapshot or its store is closed", reason="STORE_CLOSED")
            edge = last if last is not None else (stop if reverse else start)
            if edge is None:
                native.seek_to_last()
            elif reverse:
                native.seek_for_prev(edge)
                if native.valid() and native.key() == edge:  # both edges are excluded from behind
                    native.prev()
            else:
                native.seek(edge)
                if last is not None and native.valid() and native.key() == last:
                    native.next()
            advance = native.prev if reverse else native.next
            while len(chunk) < size and native.valid():
                key: bytes = native.key()
                if key < start or (stop is not None and key >= stop):
                    return chunk
                chunk.append((key, b"" if keys_only else native.value()))
                advance()
            native.status()
        return chunk

    def close(self) -> None:
        with self._lock:
            self._native = None


class RocksDbSnapshot:
    """rocksdict's snapshot and a cursor of the same moment."""

    def __init__(self, inside: _Inside, native: Any, cursor: _Cursor) -> None:
        """Hold both until `close`."""
        self._inside = inside
        self._native = native
        self._cursor = cursor

    def _open_native(self) -> Any:
        native = self._native
        if native is None:
            raise StorageError("the snapshot or its store is closed", reason="STORE_CLOSED")
        return native

    def get(self, key: bytes) -> bytes | None:
        """See `Snapshot.get`."""
        return self.multi_get((key,))[0]

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Snapshot.multi_get`."""
        native = self._open_native()
        values: list[bytes | None] = []
        with self._inside:
            for key in keys:
                try:
                    values.append(native[key])
                except Exception as error:
                    if str(error) != _ABSENT:
                        raise
                    values.append(None)
        return values

    def iterate(
        self,
        *,
        start: bytes = b"",
        stop: bytes | None = None,
        reverse: bool = False,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Snapshot.iterate`."""
        self._open_native()
        return self._cursor.entries(start, stop, reverse, keys_only)

    def close(self) -> None:
        """See `Snapshot.close`."""
        self._native = None
        self._cursor.close()


class RocksDbKeyValue:
    """A RocksDB database in a directory."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Open it; errors as `open_key_value`."""
        self._inside = _Inside(path)
        self._writing = threading.Lock()
        # Natives keep the files locked while they live, so closing has to find them all.
        self._cursors: weakref.WeakSet[_Cursor] = weakref.WeakSet()
        self._snapshots: weakref.WeakSet[RocksDbSnapshot] = weakref.WeakSet()
        self._native = _open(path, create)
        self._sync = rocksdict.WriteOptions()
        self._sync.sync = True
        self._lazy = rocksdict.WriteOptions()

    def get(self, key: bytes) -> bytes | None:
        """See `Snapshot.get`."""
        with self._inside:
            value: bytes | None = self._native.get(key)
            return value

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Snapshot.multi_get`."""
        with self._inside:
            values: list[bytes | None] = self._native.get(list(keys)) if keys else []
            return values

    def iterate(
        self,
        *,
        start: bytes = b"",
        stop: bytes | None = None,
        reverse: bool = False,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Snapshot.iterate`."""
        with self._writing, self._inside:
            cursor = self._cursor()
        return cursor.entries(start, stop, reverse, keys_only)

    def _cursor(self) -> _Cursor:
        cursor = _Cursor(self._inside, self._native.iter())
        self._cursors.add(cursor)
        return cursor

    def snapshot(self) -> Snapshot:
        """See `KeyValue.snapshot`."""
        with self._writing, self._inside:  # no write may come between the two halves
            snapshot = RocksDbSnapshot(self._inside, self._native.snapshot(), self._cursor())
            self._snapshots.add(snapshot)
            return snapshot

    def write(self, batch: Batch, *, sync: bool) -> None:
        """See `KeyValue.write`."""
        native = rocksdict.WriteBatch(raw_mode=True)
        for key, value in batch.operations:
            if value is None:
                native.delete(key)
            else:
                native.put(key, value)
        with self._writing, self._inside:
            self._native.write(native, self._sync if sync else self._lazy)

    def close(self) -> None:
        """Close it, and every snapshot and iterator with it."""
        if not self._inside.close():
            return
        for snapshot in list(self._snapshots):
            snapshot.close()
        for cursor in list(self._cursors):
            cursor.close()
        self._native.close()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()
