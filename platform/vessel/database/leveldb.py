"""The engine `leveldb:PATH`, by plyvel.

plyvel deletes the database under whoever is inside it when it is closed, hence the gate around every
call. Its iterators are read in chunks, so that the gate is not held while a caller thinks. A reverse
iterator of plyvel 1.5.1 with a lower bound yields nothing where the bound is the only key of the range,
so the lower bound of those is kept here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Self

import plyvel

from vessel.database.gate import Gate
from vessel.database.key_value import Batch, Snapshot
from vessel.errors import ConfigurationError, StorageError, StoreCorrupt, StoreLocked

_WRITE_BUFFER_SIZE_BYTES = 32 << 20
_CACHE_SIZE_BYTES = 128 << 20
_BLOOM_BITS_PER_KEY = 10
_CHUNK_MAX = 512


def _failure(path: Path, error: Exception) -> StorageError:
    """Return our error for one of plyvel's."""
    if isinstance(error, plyvel.CorruptionError):
        return StoreCorrupt(
            f"LevelDB finds its files in {path} damaged: {error}; restore a backup, or replay the chain",
            path=path,
        )
    return StorageError(f"LevelDB in {path} failed: {error}; check space and permissions", path=path)


def _open(path: Path, create: bool) -> Any:
    try:
        return plyvel.DB(
            str(path),
            create_if_missing=create,
            write_buffer_size=_WRITE_BUFFER_SIZE_BYTES,
            lru_cache_size=_CACHE_SIZE_BYTES,
            bloom_filter_bits=_BLOOM_BITS_PER_KEY,
            compression=None,  # hashes and packed values do not shrink
        )
    except plyvel.CorruptionError as error:
        raise _failure(path, error) from error
    except plyvel.Error as error:
        if isinstance(error, plyvel.IOError) and "lock " in str(error):
            raise StoreLocked(
                f"the store in {path} is open in another process, or already in this one; stop that node, "
                "or give this one a directory of its own",
                path=path,
            ) from error
        raise ConfigurationError(f"cannot open the store in {path}: {error}", path=path) from error


class LevelDbSnapshot:
    """Reads through a plyvel handle: a snapshot, or the database itself."""

    def __init__(self, path: Path, gate: Gate, native: Any) -> None:
        """Read `native` as long as `gate` is open."""
        self._path = path
        self._gate = gate
        self._native = native

    def _open_native(self) -> Any:
        # A local reference, so that `close` in another thread cannot free what a read is using.
        native = self._native
        if native is None:
            raise StorageError("the snapshot is closed", reason="STORE_CLOSED")
        return native

    def get(self, key: bytes) -> bytes | None:
        """See `Snapshot.get`."""
        native = self._open_native()
        try:
            with self._gate:
                value: bytes | None = native.get(key)
                return value
        except plyvel.Error as error:
            raise _failure(self._path, error) from error

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Snapshot.multi_get`."""
        get = self._open_native().get
        try:
            with self._gate:
                return [get(key) for key in keys]
        except plyvel.Error as error:
            raise _failure(self._path, error) from error

    def iterate(
        self,
        *,
        start: bytes = b"",
        stop: bytes | None = None,
        reverse: bool = False,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Snapshot.iterate`."""
        if stop is not None and stop <= start:
            return iter(())
        native = self._open_native()
        with self._gate:
            if reverse:
                found = native.iterator(stop=stop, reverse=True, include_value=not keys_only)
            else:
                found = native.iterator(start=start, stop=stop, include_value=not keys_only)
        entries: Iterator[tuple[bytes, bytes]] = ((key, b"") for key in found) if keys_only else found
        if reverse:
            entries = takewhile(lambda entry: entry[0] >= start, entries)
        return self._chunks(entries)

    def _chunks(self, entries: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
        size = 1  # many callers want only the first entry
        while True:
            try:
                with self._gate:
                    chunk = list(islice(entries, size))
            except plyvel.Error as error:
                raise _failure(self._path, error) from error
            yield from chunk
            if len(chunk) < size:
                return
            size = min(size * 8, _CHUNK_MAX)

    def close(self) -> None:
        """See `Snapshot.close`; plyvel frees its part when the last read that uses it is done."""
        self._native = None


class LevelDbKeyValue(LevelDbSnapshot):
    """A LevelDB database in a directory."""

    def __init__(self, path: Path, *, create: bool) -> None:
        """Open it; errors as `open_key_value`."""
        super().__init__(path, Gate(f"the store leveldb:{path}"), _open(path, create))

    def snapshot(self) -> Snapshot:
        """See `KeyValue.snapshot`."""
        with self._gate:
            return LevelDbSnapshot(self._path, self._gate, self._native.snapshot())

    def write(self, batch: Batch, *, sync: bool) -> None:
        """See `KeyValue.write`."""
        try:
            with self._gate:
                native = self._native.write_batch(sync=sync)
                put, delete = native.put, native.delete
                for key, value in batch.operations:
                    if value is None:
                        delete(key)
                    else:
                        put(key, value)
                native.write()
        except plyvel.Error as error:
            raise _failure(self._path, error) from error

    def close(self) -> None:
        """Wait for reads that are under way, then close; snapshots end with it."""
        if self._gate.close():
            self._native.close()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()
