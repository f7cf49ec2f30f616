"""The commitment tree: the state root, and what has to be stored to make the next one.

A canonical radix tree of sixteen branches over hashed keys; its shape follows from the set of keys
alone, never from the order in which they came or went.

    hashed key      H(0x03 ‖ state key)
    value hash      H(0x02 ‖ value)
    bucket          a subtree of at most 16 entries: their `hashed key ‖ value hash`, by key
    node            a larger one: the hashes of the present children by nibble ‖ which are present
                    (2 bytes big-endian, bit n for nibble n)
    hash            H(0x00 ‖ bucket), H(0x01 ‖ node); the empty tree is the empty bucket

Nodes are stored by path under the exact bytes that are hashed, and only for the latest committed
version. Versions branch, so a tree in memory is never changed: an update copies what it touches and
shares the rest. Nodes down to CACHED_DEPTH stay in memory once loaded; what is below is loaded by
path each time, through whatever the caller keeps in front of the store.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vessel.errors import StoreCorrupt
from vessel.primitives.hashing import Hasher
from vessel.primitives.units import Hash32

BUCKET_TAG = b"\x00"
NODE_TAG = b"\x01"
VALUE_TAG = b"\x02"
KEY_TAG = b"\x03"

BUCKET_ENTRIES_MAX = 16
ENTRY_SIZE_BYTES = 64
CACHED_DEPTH = 4  # nodes at most this deep stay in memory: 69,905 of them, some 60 MB, at the very most

_DEPTHS = [bytes((depth,)) for depth in range(65)]
_HIGH_NIBBLE = [bytes((byte & 0xF0,)) for byte in range(256)]
_BYTES = [bytes((byte,)) for byte in range(256)]
_NODE_ENTRIES_MIN = BUCKET_ENTRIES_MAX + 1

Entry = tuple[bytes, bytes | None]  # hashed key; value hash, or None where the key goes
Dirty = dict[bytes, bytes | None]  # path -> new record, or None where there is none any more


class Load(Protocol):
    """Where records come from: the store, and in front of it versions that are not committed."""

    def __call__(self, path: bytes, expected: Hash32) -> bytes:
        """Return the record at `path`, whose hash is `expected`; StoreCorrupt if it is not there."""
        ...


class Node:
    """A node in memory. Nothing in it changes but `children`, a cache of what `record` names.

    record: the bytes that the hash covers. children: by place among the present ones, None where not
    in memory (buckets never are); empty below CACHED_DEPTH. entries_min: the subtree has at least so
    many entries, which saves looking at siblings after most deletions.
    """

    __slots__ = ("bitmap", "children", "entries_min", "record")

    def __init__(
        self, record: bytes, bitmap: int, children: list[Node | None], entries_min: int = _NODE_ENTRIES_MIN
    ) -> None:
        """Bind the parts; `children` is empty or has a place for each bit of `bitmap`."""
        self.record = record
        self.bitmap = bitmap
        self.children = children
        self.entries_min = entries_min


Subtree = Node | bytes  # a node, or the record of a bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """One version of the tree: its root's hash, and the top of it in memory."""

    root: Hash32
    top: Subtree


def key_hash(hasher: Hasher, key: bytes) -> Hash32:
    """Return the place of a state key in the tree."""
    return hasher(KEY_TAG + key)


def value_hash(hasher: Hasher, value: bytes) -> Hash32:
    """Return what the tree holds of a value."""
    return hasher(VALUE_TAG + value)


def is_node(record: bytes) -> bool:
    """Tell a node's record from a bucket's, by their lengths."""
    return bool(len(record) % ENTRY_SIZE_BYTES)


def record_hash(hasher: Hasher, record: bytes) -> Hash32:
    """Return the hash of a node or bucket."""
    return hasher((NODE_TAG if is_node(record) else BUCKET_TAG) + record)


def record_bitmap(record: bytes) -> int:
    """Return which children a node's record has."""
    return record[-2] << 8 | record[-1]


def path_of(key: bytes, depth: int) -> bytes:
    """Return the path of the subtree at `depth` in which a hashed key is: depth ‖ nibbles, packed."""
    half = depth >> 1
    if depth & 1:
        return _DEPTHS[depth] + key[:half] + _HIGH_NIBBLE[key[half]]
    return _DEPTHS[depth] + key[:half]


def nibble(key: bytes, depth: int) -> int:
    """Return which of the sixteen branches a hashed key takes at `depth`."""
    byte = key[depth >> 1]
    return byte & 15 if depth & 1 else byte >> 4


def parse(record: bytes, depth: int) -> Subtree:
    """Return the subtree of a record at `depth`."""
    if not len(record) % ENTRY_SIZE_BYTES:
        return record
    bitmap = record[-2] << 8 | record[-1]
    return Node(record, bitmap, [None] * bitmap.bit_count() if depth < CACHED_DEPTH else [])


def verified(hasher: Hasher, path: bytes, record: bytes | None, expected: Hash32) -> bytes:
    """Return a record that came from disk, once its hash is what its parent says."""
    if record is None:
        raise StoreCorrupt(
            f"the state tree has no record at path {path.hex()}, expected one with hash {expected.hex()}; "
            "restore a backup, or replay the chain",
            path=path.hex(),
        )
    found = hasher((NODE_TAG if len(record) % ENTRY_SIZE_BYTES else BUCKET_TAG) + record)
    if found != expected:
        raise StoreCorrupt(
            f"the state tree's record at path {path.hex()} has hash {found.hex()}, "
            f"expected {expected.hex()}; restore a backup, or replay the chain",
            path=path.hex(),
        )
    return record


def empty_tree(hasher: Hasher) -> Tree:
    """Return the tree without entries."""
    return Tree(root=record_hash(hasher, b""), top=b"")


def load_tree(root: Hash32, load: Load, hasher: Hasher) -> Tree:
    """Return the stored tree whose root is `root`, with only its top loaded."""
    empty = empty_tree(hasher)
    if root == empty.root:
        return empty
    return Tree(root=root, top=parse(load(path_of(b"", 0), root), 0))


def entries_of(hasher: Hasher, changes: Mapping[bytes, bytes | None]) -> list[Entry]:
    """Return what changed values (None: deleted) change in the tree, by hashed key."""
    return sorted(
        (hasher(KEY_TAG + key), None if value is None else hasher(VALUE_TAG + value))
        for key, value in changes.items()
    )


def update(tree: Tree, entries: Sequence[Entry], load: Load, hasher: Hasher) -> tuple[Tree, Dirty]:
    """Return the tree with `entries` (ascending, no key twice) in it, and the records that differ.

    Nothing is written and `tree` stays what it is. Deleting what is absent, and setting a value to
    what it is, leave no trace in the records.
    """
    if not entries:
        return tree, {}
    change = _Change(entries, load, hasher)
    top, root, _ = change.descend(tree.top, tree.root, path_of(b"", 0), 0, len(entries), 0)
    if top is None:
        change.dirty[path_of(b"", 0)] = None
        return empty_tree(hasher), change.dirty
    return Tree(root=root, top=top), change.dirty


class _Change:
    """One update under way: its entries, and the records it has made so far."""

    __slots__ = ("dirty", "hasher", "keys", "load", "values")

    def __init__(self, entries: Sequence[Entry], load: Load, hasher: Hasher) -> None:
        self.keys = [key for key, _ in entries]
        self.values = [value for _, value in entries]
        self.load = load
        self.hasher = hasher
        self.dirty: Dirty = {}

    def descend(
        self, subtree: Subtree, root: Hash32, path: bytes, begin: int, end: int, depth: int
    ) -> tuple[Subtree | None, Hash32, int]:
        """Put the entries from `begin` to `end` into the subtree at `path`.

        Returns what takes its place (None: nothing is left), its hash (of no meaning then), and by
        how many entries it grew.
        """
        if isinstance(subtree, Node):
            return self._into_node(subtree, root, path, begin, end, depth)
        return self._into_bucket(subtree, root, path, begin, end, depth)

    def _into_bucket(
        self, bucket: bytes, root: Hash32, path: bytes, begin: int, end: int, depth: int
    ) -> tuple[Subtree | None, Hash32, int]:
        record = bucket
        fresh: list[bytes] = []
        for i in range(begin, end):
            key, value = self.keys[i], self.values[i]
            at = record.find(key)
            while at > 0 and at % ENTRY_SIZE_BYTES:  # found in a value hash, or across two entries
                at = record.find(key, at + 1)
            if at >= 0:
                if value is None:
                    record = record[:at] + record[at + ENTRY_SIZE_BYTES :]
                else:
                    record = record[: at + 32] + value + record[at + ENTRY_SIZE_BYTES :]
            elif value is not None:
                fresh.append(key + value)
        if fresh:
            fresh += [record[i : i + ENTRY_SIZE_BYTES] for i in range(0, len(record), ENTRY_SIZE_BYTES)]
            fresh.sort()
            made, root = self._build(fresh, 0, len(fresh), depth)
            return made, root, len(fresh) - len(bucket) // ENTRY_SIZE_BYTES
        if record == bucket:
            return bucket, root, 0
        grown = (len(record) - len(bucket)) // ENTRY_SIZE_BYTES
        if not record:
            return None, root, grown
        self.dirty[path] = record
        return record, self.hasher(BUCKET_TAG + record), grown

    def _into_node(
        self, node: Node, root: Hash32, path: bytes, begin: int, end: int, depth: int
    ) -> tuple[Subtree | None, Hash32, int]:
        keys, values = self.keys, self.values
        bitmap = node.bitmap
        record = bytearray(node.record)
        children = node.children.copy()
        cached = depth < CACHED_DEPTH  # whether the children may stay in memory
        half, odd = depth >> 1, depth & 1
        below = depth + 1
        grown = 0
        while begin < end:
            # The nibble and the child's path, as by nibble() and path_of(), which cost a call each here.
            key = keys[begin]
            byte = key[half]
            if odd:
                branch = byte & 15
                child_path = _DEPTHS[below] + key[: half + 1]
            else:
                branch = byte >> 4
                child_path = _DEPTHS[below] + key[:half] + _HIGH_NIBBLE[byte]
            middle = begin + 1
            if middle < end:
                byte = keys[middle][half]
                if (byte & 15 if odd else byte >> 4) == branch:
                    middle = _branch_end(keys, middle, end, depth, branch)
            bit = 1 << branch
            place = (bitmap & (bit - 1)).bit_count()
            at = place * 32
            made: Subtree | None
            if bitmap & bit:
                old_hash: Hash32 = bytes(record[at : at + 32])  # type: ignore[assignment]  # a call saved
                child: Subtree | None = children[place] if cached else None
                if child is None:
                    child = self.load(child_path, old_hash)
                    if len(child) % ENTRY_SIZE_BYTES:
                        child = parse(child, below)
                made, new_hash, more = self.descend(child, old_hash, child_path, begin, middle, below)
                grown += more
                if made is None:
                    self.dirty[child_path] = None
                    del record[at : at + 32]
                    bitmap ^= bit
                    if cached:
                        del children[place]
                else:
                    record[at : at + 32] = new_hash
                    if cached:
                        children[place] = made if isinstance(made, Node) else None
            else:
                fresh = [keys[i] + value for i in range(begin, middle) if (value := values[i]) is not None]
                if fresh:
                    made, new_hash = self._build(fresh, 0, len(fresh), below)
                    grown += len(fresh)
                    record[at:at] = new_hash
                    bitmap |= bit
                    if cached:
                        children.insert(place, made if isinstance(made, Node) else None)
            begin = middle
        if bitmap != node.bitmap:
            record[-2:] = bitmap.to_bytes(2, "big")
        if record == node.record:
            return node, root, 0
        entries_min = node.entries_min + grown
        changed = Node(bytes(record), bitmap, children, max(entries_min, _NODE_ENTRIES_MIN))
        if entries_min < _NODE_ENTRIES_MIN and (bucket := self._collapsed(changed, path, depth)) is not None:
            if not bucket:
                return None, root, grown
            self.dirty[path] = bucket
            return bucket, self.hasher(BUCKET_TAG + bucket), grown
        self.dirty[path] = changed.record
        return changed, self.hasher(NODE_TAG + changed.record), grown

    def _collapsed(self, node: Node, path: bytes, depth: int) -> bytes | None:
        """Return the entries of a node that has too few to be one; None where it has enough.

        Looks at the children, of which those that this update has changed are in `dirty`. Counts them
        all where it can, so that the next deletions below a node in memory need not look.
        """
        below = depth + 1
        front = path[1:]
        buckets: list[bytes] = []
        paths: list[bytes] = []
        count = 0
        place = 0
        for branch in range(16):
            if not node.bitmap >> branch & 1:
                continue
            child_path = _child_path(front, depth, branch)
            child: Subtree | None = node.children[place] if node.children else None
            if child is None:
                record = self.dirty.get(child_path)
                if record is None:
                    record = self.load(child_path, Hash32(node.record[place * 32 : place * 32 + 32]))
                child = parse(record, below)
                if isinstance(child, Node) and node.children:
                    node.children[place] = child
            if isinstance(child, Node):
                node.entries_min = count + child.entries_min + node.bitmap.bit_count() - place - 1
                return None
            buckets.append(child)
            paths.append(child_path)
            count += len(child) // ENTRY_SIZE_BYTES
            place += 1
        if count > BUCKET_ENTRIES_MAX:
            node.entries_min = count
            return None
        for child_path in paths:
            self.dirty[child_path] = None
        return b"".join(buckets)

    def _build(self, entries: list[bytes], begin: int, end: int, depth: int) -> tuple[Subtree, Hash32]:
        """Make the subtree of the entries (`hashed key ‖ value hash`, ascending) from `begin` to `end`."""
        first = entries[begin]
        if end - begin <= BUCKET_ENTRIES_MAX:
            record = b"".join(entries[begin:end])
            self.dirty[path_of(first, depth)] = record
            return record, self.hasher(BUCKET_TAG + record)
        count = end - begin
        cached = depth < CACHED_DEPTH
        hashes: list[bytes] = []
        children: list[Node | None] = []
        bitmap = 0
        while begin < end:
            branch = nibble(entries[begin], depth)
            middle = _branch_end(entries, begin, end, depth, branch)
            made, root = self._build(entries, begin, middle, depth + 1)
            hashes.append(root)
            if cached:
                children.append(made if isinstance(made, Node) else None)
            bitmap |= 1 << branch
            begin = middle
        hashes.append(bitmap.to_bytes(2, "big"))
        record = b"".join(hashes)
        self.dirty[path_of(first, depth)] = record
        return Node(record, bitmap, children, count), self.hasher(NODE_TAG + record)


def _branch_end(keys: list[bytes], begin: int, end: int, depth: int, branch: int) -> int:
    """Return where the ascending keys from `begin` on, all of one subtree, leave a branch of it."""
    if branch == 15:
        return end
    key = keys[begin]
    half = depth >> 1
    edge = _BYTES[(key[half] & 0xF0) + branch + 1 if depth & 1 else (branch + 1) << 4]
    return bisect_left(keys, key[:half] + edge, begin, end)


def _child_path(front: bytes, depth: int, branch: int) -> bytes:
    """Return the path of a child, from the packed nibbles of its parent at `depth`."""
    if depth & 1:
        return _DEPTHS[depth + 1] + front[:-1] + _BYTES[front[-1] | branch]
    return _DEPTHS[depth + 1] + front + _BYTES[branch << 4]
