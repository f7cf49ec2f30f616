"""An ordered key-value store: all that the database layer asks of an engine.

Keys and values are byte strings; keys are ordered as unsigned bytes. One thread writes, any number
read. The engine is chosen by URL:

    memory:           nothing on disk; gone with the process
    leveldb:PATH      plyvel; where it has wheels (CPython up to 3.12 on x86-64 Linux and macOS)
    rocksdb:PATH      rocksdict; everywhere
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self

from vessel.errors import ConfigurationError

Operation = tuple[bytes, bytes | None]  # a key and its new value; None deletes it


class Batch:
    """Writes that become visible together or not at all; the last one for a key holds."""

    __slots__ = ("operations",)

    def __init__(self, operations: Iterable[Operation] = ()) -> None:
        """Begin with `operations`, in their order."""
        self.operations: list[Operation] = list(operations)

    def put(self, key: bytes, value: bytes) -> None:
        """Set `key` to `value`."""
        self.operations.append((key, value))

    def delete(self, key: bytes) -> None:
        """Remove `key`; nothing happens where it is absent."""
        self.operations.append((key, None))

    def extend(self, operations: Iterable[Operation]) -> None:
        """Append the operations of another batch, or any pairs of key and value."""
        self.operations.extend(operations)

    def __len__(self) -> int:
        """Return the number of operations."""
        return len(self.operations)

    def __iter__(self) -> Iterator[Operation]:
        """Yield the operations in their order."""
        return iter(self.operations)


class Snapshot(Protocol):
    """The store as it was at one moment. Safe to use from any thread.

    Released by `close` or when nobody refers to it any more; every method raises StorageError once
    it or its store is closed.
    """

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, or None."""
        ...

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in the order of `keys`; None where a key is absent."""
        ...

    def iterate(
        self,
        *,
        start: bytes = b"",
        stop: bytes | None = None,
        reverse: bool = False,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries with start <= key < stop in key order, or from the end if `reverse`.

        stop: None is the end of the store. keys_only: the values come as b"". What is yielded is the
        store at the time of the call, whatever is written meanwhile. The iterator itself belongs to
        one thread.
        """
        ...

    def close(self) -> None:
        """Release it; again is harmless."""
        ...


class KeyValue(Snapshot, Protocol):
    """An open store. Reads see the latest write; `write` belongs to one thread at a time."""

    def snapshot(self) -> Snapshot:
        """Return a consistent view of the store as it is now, at a cost that does not depend on its size."""
        ...

    def write(self, batch: Batch, *, sync: bool) -> None:
        """Apply `batch` as one: after a crash all of it is there, or nothing.

        sync: return only when it would survive loss of power. StorageError where the engine cannot
        (no space left); the store then holds what it held before.
        """
        ...

    def __enter__(self) -> Self:
        """Return the store itself."""
        ...

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        ...


def default_engine() -> str:
    """Return the engine for a store on disk on this machine: leveldb where plyvel is, else rocksdb."""
    return "leveldb" if importlib.util.find_spec("plyvel") is not None else "rocksdb"


def open_key_value(url: str, *, create: bool = True) -> KeyValue:
    """Open the store that `url` names.

    create: make the directory and an empty store where there is none. ConfigurationError where the
    URL, the path or the engine cannot be used on this machine; StoreLocked where another process, or
    this one, has the store open; StoreCorrupt where the engine finds its files damaged.
    """
    scheme, colon, path = url.partition(":")
    opener = _OPENERS.get(scheme) if colon else None
    if opener is None:
        raise ConfigurationError(
            f"unknown storage {url!r}: expected memory:, leveldb:PATH or rocksdb:PATH", url=url
        )
    return opener(path, create)


def _open_memory(path: str, create: bool) -> KeyValue:
    from vessel.database.memory import MemoryKeyValue

    if path:
        raise ConfigurationError(
            f"storage memory: keeps nothing on disk and takes no path, got {path!r}; "
            f"use {default_engine()}:{path} to keep the chain",
            path=path,
        )
    if not create:
        raise ConfigurationError(
            f"storage memory: is always empty, there is no store to open; use {default_engine()}:PATH"
        )
    return MemoryKeyValue()


def _open_leveldb(path: str, create: bool) -> KeyValue:
    try:
        from vessel.database.leveldb import LevelDbKeyValue
    except ModuleNotFoundError as error:
        if error.name != "plyvel":
            raise
        raise ConfigurationError(
            f"storage leveldb:{path} needs plyvel, which is not installed and has no wheel for every "
            f"Python and platform; use rocksdb:{path} for a new chain, or open this one with CPython 3.11 "
            "or 3.12 on x86-64",
            path=path,
        ) from None
    return LevelDbKeyValue(_directory("leveldb", path, create), create=create)


def _open_rocksdb(path: str, create: bool) -> KeyValue:
    try:
        from vessel.database.rocksdb import RocksDbKeyValue
    except ModuleNotFoundError as error:
        if error.name != "rocksdict":
            raise
        raise ConfigurationError(
            f"storage rocksdb:{path} needs rocksdict, which is not installed; pip install rocksdict",
            path=path,
        ) from None
    return RocksDbKeyValue(_directory("rocksdb", path, create), create=create)


_OPENERS: dict[str, Callable[[str, bool], KeyValue]] = {
    "memory": _open_memory,
    "leveldb": _open_leveldb,
    "rocksdb": _open_rocksdb,
}


def _directory(engine: str, path: str, create: bool) -> Path:
    """Return the store's directory, made if wanted; refuse one that cannot be this engine's.

    RocksDB takes a LevelDB directory for one of its own and converts it, so the check is ours: only
    RocksDB writes a file IDENTITY.
    """
    if not path:
        raise ConfigurationError(f"storage {engine}: needs a directory, as in {engine}:./data")
    directory = Path(path)
    if directory.exists() and not directory.is_dir():
        raise ConfigurationError(
            f"storage {engine}:{path} is a file, expected a directory; name another path", path=path
        )
    if (directory / "CURRENT").exists():
        found = "rocksdb" if (directory / "IDENTITY").exists() else "leveldb"
        if found != engine:
            raise ConfigurationError(
                f"the store in {path} was made by {found}, not by {engine}; use {found}:{path}, "
                "or another directory for a new store",
                path=path,
                found=found,
                expected=engine,
            )
    elif not create:
        raise ConfigurationError(
            f"there is no {engine} store in {path}; check the path, or create the chain first", path=path
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"cannot make the directory {path} for storage {engine}: {error.strerror}; "
            "name a path that this user may write",
            path=path,
        ) from error
    return directory
