"""State in versions against plain dictionaries: readers, history, rollback, proofs, reopening."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vessel.database.key_value import Batch, KeyValue, default_engine, open_key_value
from vessel.database.proof import verify
from vessel.database.reader import Range, StateReader
from vessel.database.state import StateDatabase
from vessel.database.tree import empty_tree, entries_of, update, value_hash
from vessel.errors import HeightNotKept, StorageError, StoreCorrupt
from vessel.primitives.hashing import SHA256
from vessel.primitives.units import Hash32

Model = dict[bytes, bytes]
KEPT_ROOTS = 6


def nothing_stored(path: bytes, expected: Hash32) -> bytes:
    """Serve as the store of a tree that is built in one go."""
    raise StoreCorrupt(path.hex())


def root_of(model: Model) -> Hash32:
    """Return the root of a state, built afresh."""
    return update(empty_tree(SHA256), entries_of(SHA256, model), nothing_stored, SHA256)[0].root


def changed(model: Model, changes: dict[bytes, bytes | None]) -> Model:
    """Return a state with changes in it."""
    return {key: value for key, value in {**model, **changes}.items() if value is not None}


class Run:
    """One random life of a state, and what it must be."""

    def __init__(self, store: KeyValue, rng: random.Random) -> None:
        self.rng = rng
        self.state = StateDatabase(store, SHA256, kept_roots=KEPT_ROOTS)
        self.names = sorted({bytes(rng.choices(b"\x00\x01\xffab", k=rng.randint(1, 4))) for _ in range(60)})
        self.models: list[Model] = []  # by height
        self.issued: set[int] = set()
        self.kept: list[tuple[StateReader, Model]] = []

    @property
    def head(self) -> Model:
        return self.models[-1] if self.models else {}

    def some_changes(self) -> dict[bytes, bytes | None]:
        chosen = self.rng.sample(self.names, self.rng.randint(0, 20))
        return {name: None if self.rng.random() < 0.4 else self.rng.randbytes(1) for name in chosen}

    def begin(self, parent: int) -> int:
        version = self.state.begin(parent)
        assert version not in self.issued
        self.issued.add(version)
        return version

    def check(self, reader: StateReader, model: Model) -> None:
        """Compare all keys, and some ranges in both directions with and without a limit."""
        assert reader.multi_get(self.names) == [model.get(name) for name in self.names]
        start, stop = sorted(self.rng.sample([b"", *self.names, b"\xff" * 9], 2))
        for reverse in (False, True):
            expected = sorted((e for e in model.items() if start <= e[0] < stop), reverse=reverse)
            for limit in (0, 3):
                wanted = Range(start=start, stop=stop, reverse=reverse, limit=limit)
                assert reader.range(wanted) == expected[: limit or None]

    def block(self) -> None:
        """Commit a version beside others; the ones that are left behind die."""
        state, parent = self.state, self.head
        version, rival = self.begin(state.head_version), self.begin(state.head_version)
        changes = self.some_changes()
        for name in changes:  # in pieces, with readers in between
            state.apply(version, {name: changes[name]})
            if self.rng.random() < 0.2:
                state.reader(version)
        model = changed(parent, changes)
        state.apply(rival, {b"rival": b"1"})
        over_rival = self.begin(rival)
        assert state.root(over_rival) == root_of({**parent, b"rival": b"1"})
        child = self.begin(version)
        more = self.some_changes()
        state.apply(child, more)
        self.check(state.reader(version), model)
        self.check(state.reader(child), changed(model, more))
        if self.rng.random() < 0.5:
            assert state.root(child) == root_of(changed(model, more))
        self.kept += [
            (state.reader(state.head_version), parent),
            (state.reader(version), model),
            (state.reader(child), changed(model, more)),
        ]
        assert state.root(version) == root_of(model)
        state.commit(version, len(self.models), Batch())
        self.models.append(model)
        assert (state.head_version, state.head_root) == (version, root_of(model))
        for dead in (rival, over_rival):
            with pytest.raises(StorageError, match="is not live"):
                state.reader(dead)
        self.check(state.reader(child), changed(model, more))
        assert state.root(child) == root_of(changed(model, more))

    def look_back(self) -> None:
        """Read and prove at earlier heights."""
        for height in self.rng.sample(range(len(self.models)), min(3, len(self.models))):
            self.check(self.state.reader_at(height), self.models[height])
            assert self.state.stored_root(height) == root_of(self.models[height])
            name = self.rng.choice(self.names)
            if height <= len(self.models) - 1 - KEPT_ROOTS:
                with pytest.raises(HeightNotKept, match="no proof for height"):
                    self.state.prove(name, height)
                continue
            root, value, proof = self.state.prove(name, height)
            assert (root, value) == (root_of(self.models[height]), self.models[height].get(name))
            said = verify(proof, root, name, SHA256)
            assert said == (None if value is None else value_hash(SHA256, value))

    def rollback(self) -> None:
        """Undo to some height."""
        height = self.rng.randrange(len(self.models))
        version = self.state.rollback(height, Batch())
        assert version not in self.issued
        self.issued.add(version)
        self.models = self.models[: height + 1]
        assert (self.state.head_version, self.state.head_height) == (version, height)
        assert self.state.head_root == root_of(self.head)
        self.check(self.state.reader(version), self.head)
        with pytest.raises(HeightNotKept):
            self.state.reader_at(height + 1)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1 << 32))
def test_a_life_in_memory(seed: int) -> None:
    rng = random.Random(seed)
    run = Run(open_key_value("memory:"), rng)
    for _ in range(25):
        run.block()
        run.look_back()
        if rng.random() < 0.15:
            run.rollback()
    for reader, model in run.kept:
        run.check(reader, model)


@pytest.mark.slow
@pytest.mark.parametrize("engine", sorted({default_engine(), "rocksdb"}))
@pytest.mark.parametrize("seed", range(3))
def test_a_life_on_disk_with_restarts(engine: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    url = f"{engine}:{tmp_path / 'store'}"
    store = open_key_value(url)
    run = Run(store, rng)
    for _ in range(25):
        run.block()
        run.look_back()
        if rng.random() < 0.15:
            run.rollback()
        if rng.random() < 0.2:
            for reader, model in run.kept:
                run.check(reader, model)
            run.kept.clear()
            store.close()
            store = open_key_value(url, create=False)
            run.state = StateDatabase(store, SHA256, kept_roots=KEPT_ROOTS)
            run.check(run.state.reader(run.state.head_version), run.head)
    store.close()
