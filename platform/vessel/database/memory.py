"""The engine `memory:`: a B+ tree that is never changed in place.

A write makes new leaves for what it touches, and new branches above them, and shares the rest; the
store is the latest root, a snapshot is a root that somebody kept. So snapshots cost nothing, readers
take no lock, and an old state is freed when its last reader lets go.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Self

from vessel.database.key_value import Batch, Snapshot
from vessel.errors import StorageError

_WIDTH = 64  # entries of a leaf or children of a branch at most
_FILL = 48  # of each part when one is split, so that the next insertion does not split again
_MERGE = 32  # two neighbours with no more than this together become one


class _Leaf:
    """Entries in key order; the lists are never changed once the leaf is made."""

    __slots__ = ("keys", "values")

    def __init__(self, keys: list[bytes], values: list[bytes]) -> None:
        self.keys = keys
        self.values = values


class _Branch:
    """Children, all of one level; keys[i] bounds child i from below (keys[0] bounds nothing)."""

    __slots__ = ("children", "keys")

    def __init__(self, keys: list[bytes], children: list[_Node]) -> None:
        self.keys = keys
        self.children = children


_Node = _Leaf | _Branch
_Writes = tuple[list[bytes], list[bytes | None]]  # keys ascending, and their new values


def _find(node: _Node, key: bytes) -> bytes | None:
    while isinstance(node, _Branch):
        node = node.children[max(bisect_right(node.keys, key) - 1, 0)]
    position = bisect_left(node.keys, key)
    if position < len(node.keys) and node.keys[position] == key:
        return node.values[position]
    return None


def _parts(size: int) -> Iterator[slice]:
    """Cut `size` items into runs of at most _WIDTH."""
    step = size if size <= _WIDTH else _FILL
    return (slice(begin, begin + step) for begin in range(0, size, step or 1))


def _write_leaf(leaf: _Leaf, writes: _Writes, begin: int, end: int) -> list[_Node]:
    keys, values = leaf.keys.copy(), leaf.values.copy()
    for i in range(begin, end):
        key, value = writes[0][i], writes[1][i]
        position = bisect_left(keys, key)
        present = position < len(keys) and keys[position] == key
        if value is None:
            if present:
                del keys[position], values[position]
        elif present:
            values[position] = value
        else:
            # Cheap however long the list is: behind `position` are only entries of the old leaf.
            keys.insert(position, key)
            values.insert(position, value)
    return [_Leaf(keys[part], values[part]) for part in _parts(len(keys))]


def _join(left: _Node, right: _Node) -> _Node | None:
    """Return two neighbours as one node where both are small."""
    if len(left.keys) + len(right.keys) > _MERGE:
        return None
    if isinstance(left, _Leaf) and isinstance(right, _Leaf):
        return _Leaf(left.keys + right.keys, left.values + right.values)
    if isinstance(left, _Branch) and isinstance(right, _Branch):
        return _Branch(left.keys + right.keys, left.children + right.children)
    return None


def _write(node: _Node, writes: _Writes, begin: int, end: int) -> list[_Node]:
    """Return what replaces `node` once the writes from `begin` to `end` are in it, perhaps nothing."""
    if isinstance(node, _Leaf):
        return _write_leaf(node, writes, begin, end)
    lows, old = node.keys, node.children
    keys: list[bytes] = []
    children: list[_Node] = []
    done = 0  # children of `old` that are dealt with
    joinable = False  # the last of `children` was touched
    while begin < end:
        child = max(bisect_right(lows, writes[0][begin]) - 1, 0)
        if child > done:
            keys += lows[done:child]
            children += old[done:child]
            joinable = False
        last = child + 1 == len(old)
        middle = end if last else bisect_left(writes[0], lows[child + 1], begin, end)
        for piece in _write(old[child], writes, begin, middle):
            joined = _join(children[-1], piece) if children else None
            if joined is None:
                keys.append(piece.keys[0])
                children.append(piece)
            else:
                children[-1] = joined
            joinable = True
        begin, done = middle, child + 1
    if done < len(old):
        if joinable and (joined := _join(children[-1], old[done])) is not None:
            children[-1] = joined
            done += 1
        keys += lows[done:]
        children += old[done:]
    return [_Branch(keys[part], children[part]) for part in _parts(len(children))]


def _written(root: _Node, batch: Batch) -> _Node:
    """Return the root of the tree with `batch` in it."""
    latest = dict(batch.operations)
    keys = sorted(latest)
    nodes = _write(root, (keys, [latest[key] for key in keys]), 0, len(keys))
    while len(nodes) > 1:
        nodes = [_Branch([n.keys[0] for n in nodes[part]], nodes[part]) for part in _parts(len(nodes))]
    top: _Node = nodes[0] if nodes else _Leaf([], [])
    while isinstance(top, _Branch) and len(top.children) == 1:
        top = top.children[0]
    return top


def _leaves(node: _Node, start: bytes, stop: bytes | None, reverse: bool) -> Iterator[_Leaf]:
    """Yield, in the order asked for, the leaves that may hold keys of the range."""
    if isinstance(node, _Leaf):
        yield node
        return
    first = max(bisect_right(node.keys, start) - 1, 0)
    end = len(node.keys) if stop is None else max(bisect_left(node.keys, stop), 1)
    wanted = range(first, end)
    for i in reversed(wanted) if reverse else wanted:
        yield from _leaves(node.children[i], start, stop, reverse)


def _entries(
    root: _Node, start: bytes, stop: bytes | None, reverse: bool, keys_only: bool
) -> Iterator[tuple[bytes, bytes]]:
    if stop is not None and stop <= start:
        return
    for leaf in _leaves(root, start, stop, reverse):
        first = bisect_left(leaf.keys, start)
        end = len(leaf.keys) if stop is None else bisect_left(leaf.keys, stop)
        wanted = range(first, end)
        for i in reversed(wanted) if reverse else wanted:
            yield leaf.keys[i], b"" if keys_only else leaf.values[i]


class MemorySnapshot:
    """A root that was kept."""

    __slots__ = ("_root", "_store")

    def __init__(self, store: MemoryKeyValue, root: _Node) -> None:
        """Keep `root` of `store`."""
        self._store = store
        self._root: _Node | None = root

    def _open_root(self) -> _Node:
        root = self._root
        if root is None or self._store.closed:
            raise StorageError("the snapshot or its store is closed", reason="STORE_CLOSED")
        return root

    def get(self, key: bytes) -> bytes | None:
        """See `Snapshot.get`."""
        return _find(self._open_root(), key)

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Snapshot.multi_get`."""
        root = self._open_root()
        return [_find(root, key) for key in keys]

    def iterate(
        self,
        *,
        start: bytes = b"",
        stop: bytes | None = None,
        reverse: bool = False,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Snapshot.iterate`."""
        return _entries(self._open_root(), start, stop, reverse, keys_only)

    def close(self) -> None:
        """See `Snapshot.close`."""
        self._root = None


class MemoryKeyValue:
    """The store: whatever root is the latest."""

    def __init__(self) -> None:
        """Begin empty."""
        self._root: _Node = _Leaf([], [])
        self._writing = threading.Lock()
        self.closed = False

    def snapshot(self) -> Snapshot:
        """See `KeyValue.snapshot`."""
        return self._latest()

    def _latest(self) -> MemorySnapshot:
        if self.closed:
            raise StorageError("the store memory: is closed", reason="STORE_CLOSED")
        return MemorySnapshot(self, self._root)

    def get(self, key: bytes) -> bytes | None:
        """See `Snapshot.get`."""
        return self._latest().get(key)

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `Snapshot.multi_get`."""
        return self._latest().multi_get(keys)

    def iterate(
        self,
        *,
        start: bytes = b"",
        stop: bytes | None = None,
        reverse: bool = False,
        keys_only: bool = False,
    ) -> Iterator[tuple[bytes, bytes]]:
        """See `Snapshot.iterate`."""
        return self._latest().iterate(start=start, stop=stop, reverse=reverse, keys_only=keys_only)

    def write(self, batch: Batch, *, sync: bool) -> None:
        """See `KeyValue.write`; `sync` has nothing to wait for."""
        with self._writing:
            if self.closed:
                raise StorageError("the store memory: is closed", reason="STORE_CLOSED")
            self._root = _written(self._root, batch)

    def close(self) -> None:
        """Drop everything."""
        with self._writing:
            self.closed = True
            self._root = _Leaf([], [])

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()
