"""State in versions: the committed branch on disk, a tree of uncommitted versions over it in memory.

Versions are begun over the head, over another one, or over any committed height that is kept: so
competing branches are executed beside the head, and `reorganise` moves to one of them in one write.
One thread (the chain's) begins, applies, commits, reorganises and rolls back. Any thread may ask for a
reader or a proof; what it gets holds a snapshot of its own and is not disturbed by what is committed
meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
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
from vessel.database.view import HeadView, PastView, VersionReader, View
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
    """A version that is not committed. Only StateDatabase changes it, under its lock.

    over: the height of its parent where that is committed, None where the parent is another of these.
    kept: whether it outlives the commit of a rival.
    """

    number: int
    parent: int
    over: int | None
    kept: bool = False
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
        """Return a reader of a committed or live version, with what has been applied to it so far.

        StorageError (reason VERSION_NOT_LIVE) where the version is neither.
        """
        with self._lock:
            chain, height = self._lineage(version)
            overlays = tuple(own.overlay for own in chain)
            for overlay in overlays:
                overlay.shared = True
            return VersionReader(self._view_at(self._head, height), version, overlays)

    def reader_at(self, height: int) -> StateReader:
        """Return a reader of the state after the block at `height`; HeightNotKept says which are kept."""
        return self.state_at(height)[0]

    def state_at(self, height: int) -> tuple[StateReader, Hash32]:
        """Return the same with the state's root, which tells whether it is the state that is meant."""
        view = self._head
        if height == view.height and height >= 0:
            return VersionReader(view, view.version, ()), view.tree.root
        self._check_kept(view, height, self._first_height, "state")
        root, version = self._committed(view, height)
        return VersionReader(PastView(view, height), version, ()), root

    def stored_root(self, height: int) -> Hash32:
        """Return the state root after the block at a kept height."""
        view = self._head
        self._check_kept(view, height, self._first_height, "state root")
        return self._committed(view, height)[0]

    def version_at(self, height: int) -> int:
        """Return the version that the block at a kept height made."""
        view = self._head
        self._check_kept(view, height, self._first_height, "state")
        return self._committed(view, height)[1]

    def changes_of(self, version: int) -> Mapping[bytes, bytes | None]:
        """Return what a live version changes; not to be changed by whoever asks."""
        with self._lock:
            own = self._version(version)
            own.overlay.shared = True
            return own.overlay.changes

    def changes_at(self, height: int) -> dict[bytes, bytes | None]:
        """Return what the block at a height changed; the state before it must be kept."""
        view = self._head
        self._check_kept(view, height, self._first_height + 1, "change")
        return history.changes_at(view.snapshot, height)

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
        """Issue a version over `parent`, committed or live; its number is never issued again."""
        with self._lock:
            return self._begun(parent, None)

    def revive(self, parent: int, changes: Mapping[bytes, bytes | None], number: int) -> int:
        """Bring a version back that was made over `parent` by `changes`; return its number.

        number: what it was when it was made. It is the same state, so it gets the same number, unless
        `parent` has a later one by now. It is kept as by `keep`.
        """
        with self._lock:
            made = self._begun(parent, number if parent < number < self._next else None)
            self.apply(made, changes)
            self._versions[made].kept = True
            return made

    def keep(self, version: int) -> None:
        """Let a live version outlive its rivals; `discard`, or undoing what it stands on, ends it."""
        with self._lock:
            self._version(version).kept = True

    def is_live(self, version: int) -> bool:
        """Tell whether a version is uncommitted and can be built on."""
        return version in self._versions

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
        """Return the state root of a committed or live version; computed the first time."""
        view = self._head
        if version == view.version:
            return view.tree.root
        with self._lock:
            chain, height = self._lineage(version)
        if not chain:
            return self._committed(view, height)[0]
        pending = [own for own in chain if own.tree is None]
        bottom, bottom_dirty = self._tree_at(view, height) if pending else (view.tree, {})
        for own in reversed(pending):
            at = chain.index(own)
            ancestors = chain[at + 1 :]
            below = ancestors[0].tree if ancestors else bottom
            if below is None:
                raise AssertionError("roots are made from the bottom up")
            load = _layered([*(ancestor.dirty for ancestor in ancestors), bottom_dirty], view.load)
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

        Versions that neither descend from it nor are kept are dead from here on. InvalidRequest where it
        is not a child of the head or `height` is not the next one; after a StorageError nothing has
        changed.
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
        reserved = self._reserve_more(writes)
        writes.extend(batch)
        self._store.write(writes, sync=True)
        with self._lock:
            self._reserved = reserved
            self._cache.advance(version, own.overlay.changes)
            self._head = self._viewed(version, height, own.tree)
            self._settle({version: height}, height)

    def reorganise(self, branch: Sequence[int], batch: Batch) -> None:
        """Undo to the height that `branch` stands on and make its versions the heights from there on.

        branch: live versions, each over the one before, the first over a committed height. `batch` is
        written with all of it at once; after a StorageError nothing has changed. Versions on what was
        undone die. HeightNotKept where the way back is not kept.
        """
        view = self._head
        chain, fork = self._lineage(branch[-1])
        chain.reverse()
        if [own.number for own in chain] != list(branch):
            raise InvalidRequest(
                f"state versions {list(branch)} are no branch over a committed height; expected "
                f"{[own.number for own in chain]}"
            )
        self._check_kept(view, fork, self._first_height, "state")
        self.root(branch[-1])
        tree = chain[-1].tree
        if tree is None:
            raise AssertionError("root() makes the tree")
        writes = Batch(history.operations_to_forget(view.snapshot, fork, view.height))
        last = fork + len(chain)
        writes.extend((root_key(height), None) for height in range(last + 1, view.height + 1))
        values = history.undo(view.snapshot, fork, view.height)  # state at the height that is reached
        dirty = dict(self._tree_at(view, fork)[1])
        for height, own in enumerate(chain, fork + 1):
            keys = sorted(own.overlay.changes)
            unknown = [key for key in keys if key not in values]
            known = dict(zip(unknown, view.values(unknown), strict=True))
            previous: list[Change] = []
            for key in keys:
                old = values[key] if key in values else known[key]
                if own.overlay.changes[key] != old:
                    previous.append((key, old))
            values.update(own.overlay.changes)
            dirty.update(own.dirty)
            writes.extend(history.operations_for(height, previous))
            if own.tree is None:
                raise AssertionError("root() makes the trees below as well")
            self._write_head(writes, own.number, height, own.tree.root)
        writes.extend((flat_key(key), values[key]) for key in sorted(values))
        writes.extend(tree_operations(dirty))
        reserved = self._reserve_more(writes)
        writes.extend(batch)
        self._store.write(writes, sync=True)
        with self._lock:
            self._reserved = reserved
            self._cache.advance(branch[-1], values)
            self._head = self._viewed(branch[-1], last, tree)
            self._old_trees.clear()
            self._settle({own.number: height for height, own in enumerate(chain, fork + 1)}, fork)

    def prune(self, below: int, batch: Batch) -> None:
        """Forget the states of all heights below `below`, and write `batch` with it at once.

        Harmless where they are forgotten already. Not synced: what is lost with the machine's power is
        forgotten again. Readers that are open keep what they see.
        """
        view = self._head
        below = min(below, view.height)
        if below <= self._first_height:
            return
        writes = Batch(history.operations_to_prune(view.snapshot, self._first_height, below))
        writes.put(META_HISTORY, u64(below))
        writes.extend(batch)
        self._store.write(writes, sync=False)
        with self._lock:
            self._first_height = below
            self._settle({}, view.height)

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

    def _begun(self, parent: int, number: int | None) -> int:
        below = self._versions.get(parent)
        over = None if below is not None else self._height_of(parent)
        if number is None or number in self._versions:
            number = self._issue()
        if below is not None:
            below.children += 1
        self._versions[number] = _Version(number=number, parent=parent, over=over)
        return number

    def _reserve_more(self, writes: Batch) -> int:
        """Return below which number versions may be issued once `writes` is on disk."""
        if self._reserved - self._next >= _VERSIONS_LEFT_MIN:
            return self._reserved
        reserved = self._reserved + _VERSIONS_RESERVED
        writes.put(META_VERSIONS, u64(reserved))
        return reserved

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
        self._height_of(number)
        raise InvalidRequest(
            f"state version {number} is committed and cannot change; begin({number}) for one over it",
            version=number,
        )

    def _height_of(self, number: int) -> int:
        """Return the height at which a version was committed; StorageError where none that is kept was."""
        view = self._head
        if number == view.version:
            return view.height
        low, high = self._first_height, view.height - 1
        while low <= high:  # along a branch, versions rise with the height
            middle = (low + high) // 2
            found = self._committed(view, middle)[1]
            if found == number:
                return middle
            low, high = (middle + 1, high) if found < number else (low, middle - 1)
        raise StorageError(
            f"state version {number} is not live: discarded, or on a branch that was left, or superseded; "
            f"the head is version {self._head.version} at height {self._head.height}",
            reason="VERSION_NOT_LIVE",
            version=number,
            head=view.version,
        )

    def _lineage(self, number: int) -> tuple[list[_Version], int]:
        """Return a version and its uncommitted ancestors, the newest first, and the height below them."""
        chain: list[_Version] = []
        while (own := self._versions.get(number)) is not None:
            chain.append(own)
            if own.over is not None:
                return chain, own.over
            number = own.parent
        return chain, self._height_of(number)

    def _view_at(self, view: HeadView, height: int) -> View:
        return view if height == view.height else PastView(view, height)

    def _tree_at(self, view: HeadView, height: int) -> tuple[Tree, Dirty]:
        """Return the tree at a height, and the records in which it differs from what is stored."""
        if height == view.height:
            return view.tree, {}
        old = self._old_tree(view, height)
        return old.tree, old.dirty

    def _settle(self, committed: Mapping[int, int], standing: int) -> None:
        """Take note of versions that are committed now, by height, and of the height that stood before.

        What was over them is over committed heights now; what was over heights that were undone dies.
        """
        for number in committed:
            del self._versions[number]
        for own in self._versions.values():
            if own.over is None and own.parent in committed:
                own.over = committed[own.parent]
            elif own.over is not None and own.over > standing:
                own.kept, own.over = False, NO_HEIGHT
        self._bury()

    def _bury(self) -> None:
        """Forget the versions that stand on nothing, and those over old heights that nobody keeps."""
        head = self._head
        for number in sorted(self._versions):  # parents have lower numbers than their children
            own = self._versions[number]
            if own.over is None:
                alive = own.parent in self._versions
            else:
                alive = own.parent == head.version or (own.kept and own.over >= self._first_height)
            if not alive:
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
