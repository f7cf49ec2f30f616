"""State versions over any height against plain dictionaries: competing branches, reorganisations, pruning."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from property.test_state_history import Model, changed, root_of
from vessel.database.key_value import Batch, KeyValue, default_engine, open_key_value
from vessel.database.proof import verify
from vessel.database.reader import Range, StateReader
from vessel.database.state import StateDatabase
from vessel.database.tree import value_hash
from vessel.errors import HeightNotKept, InvalidRequest, StorageError
from vessel.primitives.hashing import SHA256

KEPT_ROOTS = 5
Changes = dict[bytes, bytes | None]


class Branches:
    """A state, the branches beside its head, and what each must be."""

    def __init__(self, store: KeyValue, rng: random.Random) -> None:
        self.rng = rng
        self.store = store
        self.state = StateDatabase(store, SHA256, kept_roots=KEPT_ROOTS)
        self.names = sorted({bytes(rng.choices(b"\x00\x01\xffab", k=rng.randint(1, 4))) for _ in range(60)})
        self.models: list[Model] = []  # by height
        self.canonical: list[tuple[int, Changes]] = []  # by height: version, and what it changed
        # By version: the parent's version, what it changed, its model, the height below its branch.
        self.side: dict[int, tuple[int, Changes, Model, int]] = {}
        self.readers: list[tuple[StateReader, Model]] = []
        self.issued: set[int] = set()
        self.commit({})

    def some_changes(self) -> Changes:
        chosen = self.rng.sample(self.names, self.rng.randint(0, 25))
        return {name: None if self.rng.random() < 0.4 else self.rng.randbytes(1) for name in chosen}

    def begin(self, parent: int, changes: Changes) -> int:
        version = self.state.begin(parent)
        assert version not in self.issued
        self.issued.add(version)
        self.state.apply(version, changes)
        return version

    def check(self, reader: StateReader, model: Model) -> None:
        assert reader.multi_get(self.names) == [model.get(name) for name in self.names]
        start, stop = sorted(self.rng.sample([b"", *self.names, b"\xff" * 9], 2))
        for reverse in (False, True):
            expected = sorted((e for e in model.items() if start <= e[0] < stop), reverse=reverse)
            assert reader.range(Range(start=start, stop=stop, reverse=reverse)) == expected

    def commit(self, changes: Changes) -> None:
        version = self.begin(self.state.head_version, changes)
        self.state.commit(version, len(self.models), Batch())
        self.models.append(changed(self.models[-1] if self.models else {}, changes))
        self.canonical.append((version, changes))

    def grow(self) -> None:
        """Put a version over a height, or over another version, and look at it."""
        if self.side and self.rng.random() < 0.6:
            parent = self.rng.choice(list(self.side))
            _, _, below, fork = self.side[parent]
        else:
            fork = self.rng.randint(max(self.state.first_height, len(self.models) - 6), len(self.models) - 1)
            parent, below = self.state.version_at(fork), self.models[fork]
        changes = self.some_changes()
        version = self.begin(parent, changes)
        model = changed(below, changes)
        self.state.keep(version)
        self.check(self.state.reader(version), model)
        assert self.state.root(version) == root_of(model)
        assert self.state.changes_of(version) == changes
        self.side[version] = (parent, changes, model, fork)
        self.readers.append((self.state.reader(version), model))

    def reorganise(self) -> None:
        """Move to one of the branches; what is left can be brought back from what it changed."""
        if not self.side:
            return
        tip = self.rng.choice(list(self.side))
        branch = [tip]
        while branch[0] in self.side and self.side[branch[0]][0] in self.side:
            branch.insert(0, self.side[branch[0]][0])
        fork = self.side[tip][3]
        for height in range(fork + 1, len(self.models)):
            undone = self.state.changes_at(height)
            assert changed(self.models[height - 1], undone) == self.models[height]
        left = self.canonical[fork + 1 :]
        head = self.models[-1]
        self.state.reorganise(branch, Batch())
        moved = [self.side.pop(version) for version in branch]
        self.models[fork + 1 :] = [model for _, _, model, _ in moved]
        self.canonical[fork + 1 :] = [
            (version, changes) for version, (_, changes, _, _) in zip(branch, moved, strict=True)
        ]
        self.settle(fork, dict(zip(branch, range(fork + 1, fork + 1 + len(branch)), strict=True)))
        self.check_head()
        parent = self.state.version_at(fork)
        for version, changes in left:  # under their old numbers: they are the same states
            assert self.state.revive(parent, changes, version) == version
            parent = version
        if left:
            assert self.state.root(left[-1][0]) == root_of(head)
            self.check(self.state.reader(left[-1][0]), head)
            self.state.discard(left[0][0])
            assert not self.state.is_live(left[-1][0])

    def settle(self, fork: int, committed: dict[int, int]) -> None:
        """Forget the versions over what was undone; tell which height those over `committed` stand on."""
        for version in sorted(self.side):
            parent, changes, model, over = self.side[version]
            if parent in committed:
                self.side[version] = (parent, changes, model, committed[parent])
            elif parent in self.side:
                self.side[version] = (parent, changes, model, self.side[parent][3])
            elif over > fork or parent not in {self.state.version_at(over)}:
                del self.side[version]
                with pytest.raises(StorageError, match="is not live"):
                    self.state.reader(version)

    def advance(self) -> None:
        """Commit over the head: the kept branches live on."""
        self.commit(self.some_changes())
        self.check_head()
        for version, (_, _, model, _) in self.side.items():
            self.check(self.state.reader(version), model)

    def prune(self) -> None:
        below = self.rng.randint(max(0, len(self.models) - 12), max(0, len(self.models) - 7))
        if below <= self.state.first_height:
            return
        self.state.prune(below, Batch())
        for version in sorted(self.side):
            if self.side[version][3] < below:
                del self.side[version]
                assert not self.state.is_live(version)
        with pytest.raises(HeightNotKept, match=f"heights {below} to {len(self.models) - 1} are kept"):
            self.state.reader_at(below - 1)
        assert self.state.first_height == below

    def check_head(self) -> None:
        state = self.state
        assert (state.head_height, state.head_root) == (len(self.models) - 1, root_of(self.models[-1]))
        assert state.head_version == self.canonical[-1][0]
        self.check(state.reader(state.head_version), self.models[-1])
        for height in range(state.first_height, len(self.models)):
            self.check(state.reader_at(height), self.models[height])
            assert state.version_at(height) == self.canonical[height][0]
            assert state.stored_root(height) == root_of(self.models[height])
            self.check(state.reader(state.version_at(height)), self.models[height])
        height = self.rng.randint(
            max(state.first_height, len(self.models) - KEPT_ROOTS), len(self.models) - 1
        )
        name = self.rng.choice(self.names)
        root, value, proof = state.prove(name, height)
        assert root == root_of(self.models[height])
        expected = None if value is None else value_hash(SHA256, value)
        assert verify(proof, root, name, SHA256) == expected

    def check_readers(self) -> None:
        for reader, model in self.readers:
            self.check(reader, model)
        self.readers.clear()


def live(branches: Branches, steps: int) -> None:
    actions = [branches.grow] * 4 + [branches.advance] * 2 + [branches.reorganise] + [branches.prune]
    for _ in range(steps):
        branches.rng.choice(actions)()
    branches.check_head()
    branches.check_readers()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_in_memory(seed: int) -> None:
    live(Branches(open_key_value("memory:"), random.Random(seed)), 60)


@pytest.mark.slow
@pytest.mark.parametrize("engine", sorted({default_engine(), "rocksdb"}))
def test_on_disk_with_restarts(engine: str, tmp_path: Path) -> None:
    url = f"{engine}:{tmp_path / 'store'}"
    branches = Branches(open_key_value(url), random.Random(7))
    for _ in range(6):
        live(branches, 12)
        branches.store.close()
        branches.store = open_key_value(url, create=False)
        branches.state = StateDatabase(branches.store, SHA256, kept_roots=KEPT_ROOTS)
        branches.side.clear()
        branches.check_head()
    branches.store.close()


def test_what_is_no_branch_is_refused_and_nothing_changes() -> None:
    state = StateDatabase(open_key_value("memory:"), SHA256)
    genesis = state.begin(state.head_version)
    state.commit(genesis, 0, Batch())
    first, second = state.begin(genesis), state.begin(genesis)
    over = state.begin(first)
    for wrong in ([over], [second, over], [over, first]):
        with pytest.raises(InvalidRequest, match="are no branch over a committed height"):
            state.reorganise(wrong, Batch())
    with pytest.raises(StorageError, match="is not live"):
        state.reorganise([999], Batch())
    assert state.head_version == genesis


def test_a_failed_write_changes_nothing() -> None:
    store = open_key_value("memory:")
    state = StateDatabase(store, SHA256)
    state.commit(state.begin(state.head_version), 0, Batch())
    genesis = state.head_version
    own, rival = state.begin(genesis), state.begin(genesis)
    state.apply(own, {b"k": b"own"})
    state.apply(rival, {b"k": b"rival"})
    state.keep(rival)
    state.commit(own, 1, Batch())
    write = store.write

    def full(batch: Batch, *, sync: bool) -> None:
        raise StorageError("no space left on device")

    store.write = full  # type: ignore[method-assign]
    with pytest.raises(StorageError, match="no space"):
        state.reorganise([rival], Batch())
    assert (state.head_version, state.reader(own).multi_get([b"k"])) == (own, [b"own"])
    store.write = write  # type: ignore[method-assign]
    state.reorganise([rival], Batch())
    assert (state.head_version, state.reader(rival).multi_get([b"k"])) == (rival, [b"rival"])
    assert StateDatabase(store, SHA256).head_root == state.head_root
