"""State in versions: a committed head on disk, a tree of uncommitted versions over it in memory.

One thread (the chain's) begins, applies, commits and rolls back. Any thread may ask for a reader or a
proof; what it gets holds a snapshot of its own and is not disturbed by what is committed meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from vessel.database import history
from vessel.database.key_value import Batch, KeyValue
from vessel.database.layout import (
    META_HEAD,
    META_HISTORY,
    META_VERSIONS,
    flat_key,
    root_key,
    tree_operations,
)
from vessel.database.overlay import Change, Overlay
from vessel.database.proof import Proof, make_proof
from vessel.database.reader import StateReader
from vessel.database.tree import Dirty, Load, Tree, empty_tree, entries_of, load_tree, update
from vessel.database.value_cache import ValueCache
from vessel.database.view import HeadView, HeightReader, VersionReader
from vessel.errors import HeightNotKept, InvalidRequest, StorageError, StoreCorrupt
from vessel.primitives.encoding import u64
from vessel.primitives.hashing import Hasher
from vessel.primitives.units import HASH_SIZE_BYTES, Hash32

EMPTY_VERSION = 0  # the state before the genesis
NO_HEIGHT = -1  # of the state before the genesis

_VERSIONS_RESERVED = 4096
_VERSIONS_LEFT_MIN = 1024  # a commit reserves more when fewer are left
_OLD_TREES_MAX = 8


@dataclass(slots=True, kw_only=True)
class _Version:
    """A version that is not committed. Only StateDatabase changes it, under its lock."""

    number: int
    parent: int
    overlay: Overlay = field(default_factory=Overlay)
    children: int = 0
    tree: Tree | None = None  # set by root(); from then on the overlay is final
    dirty: Dirty = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OldTree:
    """The tree of an earlier height, made for proofs: what differs from the head's, and the values."""

    tree: Tree
    dirty: Dirty
    values: dict[bytes, bytes | None]


class StateDatabase:
    """The state of one chain on a key-value store, which it shares with the chain's other tables."""

    def __init__(
        self,
        store: KeyValue,
        hasher: Hasher,
        *,
        kept_roots: int = 128,
        cache_size_bytes: int = 64 << 20,
    ) -> None:
        """Take up the head that `store` holds, or begin with the empty state.

        kept_roots: for how many of the last heights `prove` works. StoreCorrupt where the stored tree
        does not belong to the stored root.
        """
        self._store = store
        self._hasher = hasher
        self._kept_roots = kept_roots
        self._lock = threading.RLock()
        self._versions: dict[int, _Version] = {}
        self._old_trees: dict[tuple[int, int], _OldTree] = {}
        self._first_height = int.from_bytes(store.get(META_HISTORY) or b"", "big")
        self._next = self._reserved = int.from_bytes(
            store.get(META_VERSIONS) or u64(EMPTY_VERSION + 1), "big"
        )
        version, height, root = EMPTY_VERSION, NO_HEIGHT, empty_tree(hasher).root
        record = store.get(META_HEAD)
        if record is not None:
            version, height = int.from_bytes(record[:8], "big"), int.from_bytes(record[8:16], "big")
            root = Hash32(record[16:])
        self._cache = ValueCache(version, size_bytes=cache_size_bytes)
        top = self._viewed(version, height, Tree(root=root, top=b""))
        self._head = self._viewed(version, height, load_tree(root, top.load, hasher))

    # -- the head -------------------------------------------------------------------------------

    @property
    def head_version(self) -> int:
        """The version that was committed last."""
        return self._head.version

    @property
    def head_height(self) -> int:
        """The height that was committed last; -1 before the genesis."""
        return self._head.height

    @property
    def head_root(self) -> Hash32:
        """The state root of the head."""
        return self._head.tree.root

    @property
    def first_height(self) -> int:
        """The lowest height whose state can be read."""
        return self._first_height

    # -- reading, from any thread ---------------------------------------------------------------

    def reader(self, version: int) -> StateReader:
        """Return a reader of the head or of a live version, with what has been applied to it so far.

        StorageError (reason VERSION_NOT_LIVE) where the version is neither.
        """
        with self._lock:
            overlays = tuple(ancestor.overlay for ancestor in self._chain(version))
            for overlay in overlays:
                overlay.shared = True
            return VersionReader(self._head, version, overlays)

    def reader_at(self, height: int) -> StateReader:
        """Return a reader of the state after the block at `height`; HeightNotKept says which are kept."""
        view = self._head
        if height == view.height and height >= 0:
            return VersionReader(view, view.version, ())
        self._check_kept(view, height, self._first_height, "state")
        _, version = self._committed(view, height)
        return HeightReader(view, version, height)

    def stored_root(self, height: int) -> Hash32:
        """Return the state root after the block at a kept height."""
        view = self._head
        self._check_kept(view, height, self._first_height, "state root")
        return self._committed(view, height)[0]

    def prove(self, key: bytes, height: int | None = None) -> tuple[Hash32, bytes | None, Proof]:
        """Return the state root of a height, the value of `key` there (None: absent), and the proof.

        height: None is the head. HeightNotKept beyond the last `kept_roots` heights.
        """
        view = self._head
        if height is None or height == view.height:
            proof = make_proof(view.tree, key, view.load, self._hasher)
            return view.tree.root, view.values([key])[0], proof
        first = max(self._first_height, view.height - self._kept_roots + 1)
        self._check_kept(view, height, first, "proof")
        old = self._old_tree(view, height)
        proof = make_proof(old.tree, key, _layered([old.dirty], view.load), self._hasher)
        value = old.values[key] if key in old.values else view.values([key])[0]
        return old.tree.root, value, proof

    # -- making versions, in the chain's thread -------------------------------------------------

    def begin(self, parent: int) -> int:
        """Issue a version over `parent`, which is the head or live; its number is never issued again."""
        with self._lock:
            if parent != self._head.version:
                self._version(parent).children += 1
            number = self._issue()
            self._versions[number] = _Version(number=number, parent=parent)
            return number

    def apply(self, version: int, changes: Mapping[bytes, bytes | None]) -> None:
        """Put values (None: deleted) into a version.

        InvalidRequest once it has a root or a version over it: what others build on does not change.
        """
        with self._lock:
            own = self._version(version)
            if own.tree is not None or own.children:
                why = "its root was made" if own.tree is not None else "versions over it were begun"
                raise InvalidRequest(
                    f"state version {version} is final, {why}; begin({version}) and apply there",
                    version=version,
                )
            own.overlay = own.overlay.extended(changes)

    def root(self, version: int) -> Hash32:
        """Return the state root of the head or of a live version; computed the first time."""
        if version == self._head.version:
            return self._head.tree.root
        with self._lock:
            chain = list(self._chain(version))
        view = self._head
        pending = [own for own in chain if own.tree is None]
        for own in reversed(pending):
            at = chain.index(own)
            ancestors = chain[at + 1 :]
            below = ancestors[0].tree if ancestors else view.tree
            if below is None:
                raise AssertionError("roots are made from the head up")
            load = _layered([ancestor.dirty for ancestor in ancestors], view.load)
            own.overlay.shared = True
            tree, dirty = update(below, entries_of(self._hasher, own.overlay.changes), load, self._hasher)
            own.dirty = dirty
            own.tree = tree
        tip = chain[0].tree
        if tip is None:
            raise AssertionError("the tip's root was made last")
        return tip.root

    def commit(self, version: int, height: int, batch: Batch) -> None:
        """Make `version`, over the head, the new head at `height`, and write `batch` with it, at once.

        Versions that do not descend from it are dead from here on. InvalidRequest where it is not a
        child of the head or `height` is not the next one; after a StorageError nothing has changed.
        """
        own = self._version(version)
        view = self._head
        if own.parent != view.version:
            raise InvalidRequest(
                f"state version {version} is over version {own.parent}, not over the head {view.version}; "
                "commit its ancestors first",
                version=version,
            )
        if height != view.height + 1:
            raise InvalidRequest(
                f"height {height} cannot be committed over height {view.height}; expected {view.height + 1}",
                height=height,
            )
        self.root(version)
        if own.tree is None:
            raise AssertionError("root() makes the tree")
        keys = sorted(own.overlay.changes)
        previous: list[Change] = []
        writes = Batch()
        for key, old in zip(keys, view.values(keys), strict=True):
            new = own.overlay.changes[key]
            if new != old:
                previous.append((key, old))
                writes.operations.append((flat_key(key), new))
        writes.extend(tree_operations(own.dirty))
        if view.height >= 0:  # nothing can be undone to before the genesis
            writes.extend(history.operations_for(height, previous))
        self._write_head(writes, version, height, own.tree.root)
        reserved = self._reserved
        if reserved - self._next < _VERSIONS_LEFT_MIN:
            reserved += _VERSIONS_RESERVED
            writes.put(META_VERSIONS, u64(reserved))
        writes.extend(batch)
        self._store.write(writes, sync=True)
        with self._lock:
            self._reserved = reserved
            self._cache.advance(version, own.overlay.changes)
            self._head = self._viewed(version, height, own.tree)
            del self._versions[version]
            self._bury()

    def discard(self, version: int) -> None:
        """Drop an uncommitted version and all over it; harmless where it is dead already."""
        with self._lock:
            own = self._versions.pop(version, None)
            if own is not None:
                parent = self._versions.get(own.parent)
                if parent is not None:
                    parent.children -= 1
                self._bury()

    def rollback(self, height: int, batch: Batch) -> int:
        """Undo the blocks after `height`, write `batch` with it at once; return the new head version.

        All uncommitted versions die. HeightNotKept where the way back is not kept; StoreCorrupt, and
        nothing written, where undoing does not lead to the root that was stored for that height.
        """
        view = self._head
        self._check_kept(view, height, self._first_height, "state")
        values = history.undo(view.snapshot, height, view.height)
        tree, dirty = self._restored(view, height, values)
        version = self.begin(view.version)  # a number that is reserved for sure
        writes = Batch((flat_key(key), values[key]) for key in sorted(values))
        writes.extend(tree_operations(dirty))
        writes.extend(history.operations_to_forget(view.snapshot, height, view.height))
        for later in range(height + 1, view.height + 1):
            writes.delete(root_key(later))
        self._write_head(writes, version, height, tree.root)
        writes.extend(batch)
        try:
            self._store.write(writes, sync=True)
        except BaseException:
            self.discard(version)
            raise
        with self._lock:
            self._cache.advance(version, values)
            self._head = self._viewed(version, height, tree)
            self._versions.clear()
            self._old_trees.clear()
        return version

    # -- inside ---------------------------------------------------------------------------------

    def _viewed(self, version: int, height: int, tree: Tree) -> HeadView:
        return HeadView(
            version=version,
            height=height,
            snapshot=self._store.snapshot(),
            tree=tree,
            cache=self._cache,
            hasher=self._hasher,
        )

    def _write_head(self, writes: Batch, version: int, height: int, root: Hash32) -> None:
        writes.put(root_key(height), root + u64(version))
        writes.put(META_HEAD, u64(version) + u64(height) + root)

    def _issue(self) -> int:
        """Return a fresh version number, below what is on disk as possibly issued."""
        if self._next == self._reserved:
            self._store.write(Batch([(META_VERSIONS, u64(self._reserved + _VERSIONS_RESERVED))]), sync=True)
            self._reserved += _VERSIONS_RESERVED
        number = self._next
        self._next += 1
        return number

    def _version(self, number: int) -> _Version:
        """Return a live version that is not committed."""
        own = self._versions.get(number)
        if own is not None:
            return own
        if number == self._head.version:
            raise InvalidRequest(
                f"state version {number} is committed and cannot change; begin({number}) for one over it",
                version=number,
            )
        raise StorageError(
            f"state version {number} is not live: discarded, or on a branch that was left, or superseded; "
            f"the head is version {self._head.version} at height {self._head.height}",
            reason="VERSION_NOT_LIVE",
            version=number,
            head=self._head.version,
        )

    def _chain(self, number: int) -> Iterator[_Version]:
        """Yield a live version and its uncommitted ancestors, the newest first; nothing for the head."""
        while number != self._head.version:
            own = self._version(number)
            yield own
            number = own.parent

    def _bury(self) -> None:
        """Forget the versions that no longer descend from the head."""
        live = {self._head.version}
        for number in sorted(self._versions):  # parents have lower numbers than their children
            if self._versions[number].parent in live:
                live.add(number)
            else:
                del self._versions[number]

    def _check_kept(self, view: HeadView, height: int, first: int, what: str) -> None:
        if not first <= height <= view.height:
            kept = (
                f"heights {first} to {view.height} are kept" if view.height >= first else "there are none yet"
            )
            raise HeightNotKept(
                f"no {what} for height {height}: {kept}", height=height, first=first, last=view.height
            )

    def _committed(self, view: HeadView, height: int) -> tuple[Hash32, int]:
        """Return the root and the version number that were committed at a height."""
        record = view.snapshot.get(root_key(height))
        if record is None:
            raise StoreCorrupt(
                f"the store has no state root for height {height}; restore a backup, or replay the chain",
                height=height,
            )
        return Hash32(record[:HASH_SIZE_BYTES]), int.from_bytes(record[HASH_SIZE_BYTES:], "big")

    def _restored(
        self, view: HeadView, height: int, values: Mapping[bytes, bytes | None]
    ) -> tuple[Tree, Dirty]:
        """Return the tree of an earlier height and the records in which it differs from the head's."""
        tree, dirty = update(view.tree, entries_of(self._hasher, values), view.load, self._hasher)
        stored, _ = self._committed(view, height)
        if tree.root != stored:
            raise StoreCorrupt(
                f"undoing the blocks after height {height} leads to state root {tree.root.hex()}, expected "
                f"{stored.hex()}; restore a backup, or replay the chain",
                height=height,
            )
        return tree, dirty

    def _old_tree(self, view: HeadView, height: int) -> _OldTree:
        place = (view.version, height)
        with self._lock:
            old = self._old_trees.get(place)
        if old is None:
            values = history.undo(view.snapshot, height, view.height)
            tree, dirty = self._restored(view, height, values)
            old = _OldTree(tree=tree, dirty=dirty, values=values)
            with self._lock:
                if view is self._head:
                    for other in [other for other in self._old_trees if other[0] != view.version]:
                        del self._old_trees[other]
                    while len(self._old_trees) >= _OLD_TREES_MAX:
                        del self._old_trees[next(iter(self._old_trees))]
                    self._old_trees[place] = old
        return old


def _layered(layers: list[Dirty], load: Load) -> Load:
    """Return a `Load` that looks into the records of uncommitted versions, the newest first, then below."""
    layers = [layer for layer in layers if layer]
    if not layers:
        return load

    def load_layered(path: bytes, expected: Hash32) -> bytes:
        for layer in layers:
            record = layer.get(path)
            if record is not None:
                return record
        return load(path, expected)

    return load_layered
