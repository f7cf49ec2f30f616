"""The commitment tree: its vectors, its memory, and records that are not what they should be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from vessel.database.tree import (
    CACHED_DEPTH,
    KEY_TAG,
    Node,
    Tree,
    empty_tree,
    entries_of,
    load_tree,
    update,
    verified,
)
from vessel.errors import StoreCorrupt
from vessel.primitives.hashing import SHA256, Hasher, hasher_by_name
from vessel.primitives.units import Hash32

VECTORS = json.loads((Path(__file__).parent / "state_tree_vectors.json").read_text())


def place(data: bytes) -> bytes:
    """Hash, but put keys at their own bytes."""
    return data[1:].ljust(32, b"\0") if data[:1] == KEY_TAG else hashlib.sha256(data).digest()


PLACED = Hasher("placed", place)


class Store:
    """Records of one tree, and how often they were asked for."""

    def __init__(self, hasher: Hasher) -> None:
        self.hasher = hasher
        self.records: dict[bytes, bytes] = {}
        self.loads = 0

    def load(self, path: bytes, expected: Hash32) -> bytes:
        self.loads += 1
        return verified(self.hasher, path, self.records.get(path), expected)

    def update(self, tree: Tree, changes: dict[bytes, bytes | None]) -> Tree:
        tree, dirty = update(tree, entries_of(self.hasher, changes), self.load, self.hasher)
        for path, record in dirty.items():
            if record is None:
                self.records.pop(path, None)
            else:
                self.records[path] = record
        return tree


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_vectors(vector: dict[str, object]) -> None:
    hasher = hasher_by_name(str(vector["hash"]))
    entries = vector["entries"]
    assert isinstance(entries, dict)
    changes: dict[bytes, bytes | None] = {bytes.fromhex(k): bytes.fromhex(v) for k, v in entries.items()}
    assert Store(hasher).update(empty_tree(hasher), changes).root.hex() == vector["root"]


def test_the_empty_tree_is_the_empty_bucket() -> None:
    assert empty_tree(SHA256).root == hashlib.sha256(b"\x00").digest()
    store = Store(SHA256)
    tree = store.update(empty_tree(SHA256), {b"a": b"1"})
    assert store.update(tree, {b"a": None}) == empty_tree(SHA256)
    assert store.records == {}
    assert load_tree(empty_tree(SHA256).root, store.load, SHA256) == empty_tree(SHA256)


@pytest.mark.parametrize("reopened", [False, True])
def test_a_node_that_shrinks_below_a_child_that_shrinks_collapses(reopened: bool) -> None:
    """Symptom: the estimate of a subtree's size was one too high and a node outlived its entries."""
    names = [b"\x00" + bytes((i * 13,)) for i in range(18)]
    changes: dict[bytes, bytes | None] = {name: name for name in [*names, b"\x10"]}
    store = Store(PLACED)
    tree = store.update(empty_tree(PLACED), changes)
    if reopened:  # from here on the sizes of subtrees are estimates
        tree = load_tree(tree.root, store.load, PLACED)
    for gone in (names[:1], names[1:3]):
        tree = store.update(tree, dict.fromkeys(gone, None))
    assert list(store.records) == [b"\x00"]
    assert len(store.records[b"\x00"]) == 16 * 64
    kept = {name: value for name, value in changes.items() if name not in names[:3]}
    assert tree.root == Store(PLACED).update(empty_tree(PLACED), kept).root


def test_deletions_below_a_counted_node_do_not_look_at_its_siblings() -> None:
    names = [bytes((i << 4, i)) for i in range(16)] * 1 + [bytes((i << 4, 100 + i)) for i in range(16)]
    store = Store(PLACED)
    tree = load_tree(store.update(empty_tree(PLACED), {n: n for n in names}).root, store.load, PLACED)
    tree = store.update(tree, {names[0]: None})
    store.loads = 0
    for name in names[1:10]:
        tree = store.update(tree, {name: None})
    assert store.loads == 9


def test_only_the_upper_levels_stay_in_memory() -> None:
    names = [b"\xaa" * 6 + bytes((i,)) for i in range(64)]
    store = Store(PLACED)
    tree = store.update(empty_tree(PLACED), {n: n for n in names})
    top, depth = tree.top, 0
    while isinstance(top, Node) and top.children:
        assert len(top.children) == top.bitmap.bit_count()
        child = top.children[0]
        assert child is not None
        top, depth = child, depth + 1
    assert depth == CACHED_DEPTH


@pytest.mark.parametrize("path", ["00", "0110", "0220", "03ab10"])
def test_a_damaged_record_is_noticed_before_it_is_used(path: str) -> None:
    names = [bytes((0xAB, i, j)) for i in range(16, 20) for j in range(17)] + [
        b"\x10" + bytes((i,)) for i in range(17)
    ]
    store = Store(PLACED)
    root = store.update(empty_tree(PLACED), {n: n for n in names}).root
    at = bytes.fromhex(path)
    if at not in store.records:
        at = sorted(store.records)[int(path[:2], 16)]
    good = store.records[at]
    changes: dict[bytes, bytes | None] = dict.fromkeys(names, b"new")
    for bad in (good[:-1] + bytes((good[-1] ^ 1,)), good[:-64], good + bytes(64), b"", None):
        store.records[at] = good
        if bad is None:
            del store.records[at]
        else:
            store.records[at] = bad
        with pytest.raises(StoreCorrupt, match=f"path {at.hex()}.*expected.*restore a backup"):
            store.update(load_tree(root, store.load, PLACED), changes)
