"""The commitment tree against its definition, written down once more without any cleverness."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vessel.database.proof import Proof, make_proof, verify, verify_absence, verify_inclusion
from vessel.database.tree import (
    KEY_TAG,
    Dirty,
    Tree,
    empty_tree,
    entries_of,
    key_hash,
    load_tree,
    update,
    value_hash,
    verified,
)
from vessel.errors import InvalidRequest
from vessel.primitives.hashing import BLAKE2B, SHA256, Hasher
from vessel.primitives.units import Hash32


def place(data: bytes) -> bytes:
    """Hash, but put keys where a test wants them: at their own bytes."""
    return data[1:].ljust(32, b"\0") if data[:1] == KEY_TAG else hashlib.sha256(data).digest()


PLACED = Hasher("placed", place)
HASHERS = st.sampled_from([SHA256, PLACED, BLAKE2B])
SEEDS = st.integers(0, 1 << 32)
Changes = dict[bytes, bytes | None]
Model = dict[bytes, bytes]


def defined_root(hasher: Hasher, entries: dict[bytes, bytes], depth: int = 0) -> bytes:
    """Return the root of hashed keys and value hashes, straight from the definition."""
    if len(entries) <= 16:
        return hasher(b"\x00" + b"".join(key + value for key, value in sorted(entries.items())))
    children: list[dict[bytes, bytes]] = [{} for _ in range(16)]
    for key, value in entries.items():
        children[int(key.hex()[depth], 16)][key] = value
    present = sum(1 << nibble for nibble in range(16) if children[nibble])
    hashes = [defined_root(hasher, child, depth + 1) for child in children if child]
    return hasher(b"\x01" + b"".join(hashes) + present.to_bytes(2, "big"))


def model_root(hasher: Hasher, model: Model) -> bytes:
    """Return the root that a state must have."""
    return defined_root(
        hasher, {hasher(b"\x03" + key): hasher(b"\x02" + value) for key, value in model.items()}
    )


class Records:
    """A store of records that trees are loaded from, as strict as the real one."""

    def __init__(self, hasher: Hasher) -> None:
        self.hasher = hasher
        self.records: dict[bytes, bytes] = {}

    def load(self, path: bytes, expected: Hash32) -> bytes:
        return verified(self.hasher, path, self.records.get(path), expected)

    def write(self, dirty: Dirty) -> None:
        for path, record in dirty.items():
            if record is None:
                self.records.pop(path, None)
            else:
                self.records[path] = record


def some_key(rng: random.Random, crowd: int) -> bytes:
    """Return a key; placed as it is, `crowd` of them share long prefixes of several lengths."""
    return b"\xab" * rng.choice((0, 0, 1, 2, 3, 9, 30)) + rng.randrange(crowd).to_bytes(2, "big")


def some_changes(rng: random.Random, model: Model, crowd: int) -> Changes:
    """Return inserts, updates and deletes, now more of the one, now of the other."""
    deleted = rng.choice((0.0, 0.1, 0.6, 1.0))
    changes: Changes = {}
    for _ in range(rng.choice((1, 3, 30, 200))):
        key = rng.choice(sorted(model)) if model and rng.random() < 0.5 else some_key(rng, crowd)
        changes[key] = None if rng.random() < deleted else rng.randbytes(rng.randrange(3))
    return changes


def changed(model: Model, changes: Changes) -> Model:
    """Return the model with changes in it."""
    merged = {**model, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def built(hasher: Hasher, model: Model) -> tuple[Tree, Dirty]:
    """Return the tree of a state made in one go, and all of its records."""
    return update(empty_tree(hasher), entries_of(hasher, model), Records(hasher).load, hasher)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=SEEDS, hasher=HASHERS, crowd=st.sampled_from([20, 60, 1000]))
def test_root_and_records_follow_from_the_set_of_keys_alone(seed: int, hasher: Hasher, crowd: int) -> None:
    rng = random.Random(seed)
    store, model, tree = Records(hasher), dict[bytes, bytes](), empty_tree(hasher)
    for _ in range(10):
        changes = some_changes(rng, model, crowd)
        model = changed(model, changes)
        tree, dirty = update(tree, entries_of(hasher, changes), store.load, hasher)
        store.write(dirty)
        assert tree.root == model_root(hasher, model)
        fresh, records = built(hasher, model)
        assert fresh.root == tree.root
        assert store.records == records
        if rng.random() < 0.4:
            tree = load_tree(tree.root, store.load, hasher)


@pytest.mark.slow
@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=SEEDS, hasher=HASHERS)
def test_the_order_and_the_batches_of_insertion_do_not_matter(seed: int, hasher: Hasher) -> None:
    rng = random.Random(seed)
    model = {some_key(rng, 200): rng.randbytes(2) for _ in range(rng.randrange(120))}
    extra = [some_key(rng, 200) for _ in range(rng.randrange(120))]
    store, tree = Records(hasher), empty_tree(hasher)
    keys = list({**model, **dict.fromkeys(extra)})
    rng.shuffle(keys)
    steps: list[Changes] = [{key: model.get(key, b"gone later")} for key in keys]
    steps += [{key: None} for key in extra if key not in model]
    for changes in steps:
        tree, dirty = update(tree, entries_of(hasher, changes), store.load, hasher)
        store.write(dirty)
    assert tree.root == built(hasher, model)[0].root
    assert store.records == {path: record for path, record in built(hasher, model)[1].items() if record}


@pytest.mark.slow
@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=SEEDS, hasher=HASHERS)
def test_what_changes_nothing_leaves_no_record(seed: int, hasher: Hasher) -> None:
    rng = random.Random(seed)
    model = {some_key(rng, 100): rng.randbytes(2) for _ in range(rng.randrange(100))}
    tree, records = built(hasher, model)
    store = Records(hasher)
    store.write(records)
    same: Changes = {key: model[key] for key in rng.sample(sorted(model), len(model) // 2)}
    same.update((b"never" + rng.randbytes(2), None) for _ in range(20))
    assert update(tree, entries_of(hasher, same), store.load, hasher) == (tree, {})


@pytest.mark.slow
@settings(max_examples=80, deadline=None, derandomize=True)
@given(seed=SEEDS, hasher=HASHERS)
def test_branches_do_not_disturb_each_other(seed: int, hasher: Hasher) -> None:
    rng = random.Random(seed)
    base = {some_key(rng, 60): rng.randbytes(2) for _ in range(150)}
    trunk, records = built(hasher, base)
    store = Records(hasher)
    store.write(records)
    trunk = load_tree(trunk.root, store.load, hasher)
    changes = [some_changes(rng, base, 60) for _ in range(3)]
    branches = [update(trunk, entries_of(hasher, change), store.load, hasher) for change in changes]
    for change, (tree, _) in zip(changes, branches, strict=True):
        assert tree.root == model_root(hasher, changed(base, change))
    assert trunk.root == model_root(hasher, base)

    # A branch grows while it is not stored, on records that only it has; then it is.
    model = changed(base, changes[0])
    tip, dirty = branches[0]

    def load(path: bytes, expected: Hash32) -> bytes:
        record = dirty.get(path)
        return record if record is not None else store.load(path, expected)

    more = some_changes(rng, model, 60)
    grown, grown_dirty = update(tip, entries_of(hasher, more), load, hasher)
    assert grown.root == model_root(hasher, changed(model, more))
    store.write(dirty)
    again, again_dirty = update(tip, entries_of(hasher, more), store.load, hasher)
    assert (again.root, again_dirty) == (grown.root, grown_dirty)


@pytest.mark.slow
@settings(max_examples=80, deadline=None, derandomize=True)
@given(seed=SEEDS, hasher=HASHERS)
def test_proofs_hold_for_their_key_and_root_and_no_other(seed: int, hasher: Hasher) -> None:
    rng = random.Random(seed)
    model = {some_key(rng, 100): rng.randbytes(2) for _ in range(rng.choice((0, 1, 16, 17, 150)))}
    tree, records = built(hasher, model)
    store = Records(hasher)
    store.write(records)
    tree = load_tree(tree.root, store.load, hasher)
    other, _ = built(hasher, {**model, some_key(rng, 100): b"something else"})
    wanted = rng.sample(sorted(model), min(len(model), 8)) + [some_key(rng, 100) for _ in range(8)]
    for key in wanted:
        proof = make_proof(tree, key, store.load, hasher)
        assert Proof.from_bytes(proof.to_bytes()) == proof
        value = model.get(key)
        if value is None:
            assert verify(proof, tree.root, key, hasher) is None
            assert verify_absence(proof, tree.root, key, hasher)
            assert not verify_inclusion(proof, tree.root, key, b"", hasher)
        else:
            assert verify(proof, tree.root, key, hasher) == value_hash(hasher, value)
            assert verify_inclusion(proof, tree.root, key, value, hasher)
            assert not verify_inclusion(proof, tree.root, key, value + b"x", hasher)
            assert not verify_absence(proof, tree.root, key, hasher)
        assert not verify_absence(proof, other.root, key, hasher)
        assert not verify_inclusion(proof, other.root, key, value or b"", hasher)
        # A proof speaks for every key that ends in the same place, and says the truth of each.
        for stranger in wanted:
            said = model.get(stranger)
            assert not verify_absence(proof, tree.root, stranger, hasher) or said is None
            assert not verify_inclusion(proof, tree.root, stranger, b"lie", hasher)


@pytest.mark.slow
@settings(max_examples=80, deadline=None, derandomize=True)
@given(seed=SEEDS, hasher=HASHERS)
def test_no_tampered_proof_says_what_is_not_so(seed: int, hasher: Hasher) -> None:
    rng = random.Random(seed)
    model = {some_key(rng, 100): rng.randbytes(2) for _ in range(rng.choice((1, 16, 40, 150)))}
    tree, records = built(hasher, model)
    store = Records(hasher)
    store.write(records)
    present, absent = rng.choice(sorted(model)), b"absent" + rng.randbytes(2)
    for key in (present, absent):
        data = make_proof(tree, key, store.load, hasher).to_bytes()
        for _ in range(40):
            at = rng.randrange(len(data))
            tampered = rng.choice(
                (
                    data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :],
                    data[:at],
                    data + bytes(1),
                    data[:at] + data[at + 1 :],
                    data[:1] + data[33:],
                )
            )
            if tampered == data:
                continue
            try:
                proof = Proof.from_bytes(tampered)
            except InvalidRequest:
                continue
            assert not verify_inclusion(proof, tree.root, key, model.get(key, b""), hasher)
            assert not verify_absence(proof, tree.root, key, hasher)


def test_hashed_keys_that_occur_in_value_hashes_confuse_nothing() -> None:
    """Look for a key among entries at entry boundaries only."""
    zeros, value = bytes(32), hashlib.sha256(b"\x02value").digest()
    model = {value: b"value", value[1:] + b"\x00": b"value", zeros: b"other"}
    store, tree = Records(PLACED), empty_tree(PLACED)
    for key in model:
        tree, dirty = update(tree, entries_of(PLACED, {key: model[key]}), store.load, PLACED)
        store.write(dirty)
    assert tree.root == model_root(PLACED, model)
    for key in (b"\x00" + value[:31], value):
        model.pop(key, None)
        tree, dirty = update(tree, entries_of(PLACED, {key: None}), store.load, PLACED)
        assert tree.root == model_root(PLACED, model)
    assert key_hash(PLACED, zeros) == zeros
