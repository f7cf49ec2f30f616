"""Proofs that somebody has been at: none of them may say what is not so."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from vessel.database.proof import Proof, make_proof, verify, verify_absence, verify_inclusion
from vessel.database.tree import Dirty, Tree, empty_tree, entries_of, key_hash, record_hash, update
from vessel.errors import InvalidRequest, StoreCorrupt
from vessel.primitives.hashing import BLAKE2B, SHA256, Hasher
from vessel.primitives.units import Hash32

MODEL = {b"key %d" % i: b"value %d" % i for i in range(300)}


def nothing_stored(path: bytes, expected: Hash32) -> bytes:
    raise StoreCorrupt(path.hex())


def build(model: dict[bytes, bytes], hasher: Hasher = SHA256) -> tuple[Tree, Dirty]:
    return update(empty_tree(hasher), entries_of(hasher, model), nothing_stored, hasher)


TREE, RECORDS = build(MODEL)


def prove(key: bytes, tree: Tree = TREE, records: Dirty = RECORDS) -> Proof:
    def load(path: bytes, expected: Hash32) -> bytes:
        record = records[path]
        assert record is not None
        return record

    return make_proof(tree, key, load, SHA256)


PRESENT, ABSENT = b"key 7", b"no such key"
PROOF, ABSENCE = prove(PRESENT), prove(ABSENT)


def test_both_kinds_of_absence() -> None:
    """Absence is a bucket without the key, or a node without a child for it."""
    ends = {len(prove(b"absent %d" % i).end) % 64 for i in range(300)}
    assert ends == {0, 2} or ends == {0, 34} or ends == {0, 2, 34}
    for i in range(300):
        key = b"absent %d" % i
        assert verify(prove(key), TREE.root, key, SHA256) is None


def test_the_empty_tree_proves_absence() -> None:
    empty = empty_tree(SHA256)
    proof = Proof(above=(), end=b"")
    assert verify_absence(proof, empty.root, b"any", SHA256)
    assert Proof.from_bytes(proof.to_bytes()) == proof
    assert not verify_absence(proof, TREE.root, b"any", SHA256)


def test_a_proof_is_for_one_hash_function() -> None:
    assert not verify_inclusion(PROOF, TREE.root, PRESENT, MODEL[PRESENT], BLAKE2B)


def test_a_mismatch_says_what_was_expected() -> None:
    other = Hash32(bytes(32))
    with pytest.raises(
        InvalidRequest, match=f"leads to root {TREE.root.hex()}, expected {other.hex()}"
    ) as caught:
        verify(PROOF, other, PRESENT, SHA256)
    assert caught.value.reason == "PROOF_MISMATCH"


def _deeper(proof: Proof) -> Proof:
    return dataclasses.replace(proof, above=(*proof.above, proof.above[-1]))


def _shallower(proof: Proof) -> Proof:
    return dataclasses.replace(proof, above=proof.above[:-1])


def _headless(proof: Proof) -> Proof:
    return dataclasses.replace(proof, above=proof.above[1:])


def _turned(proof: Proof) -> Proof:
    return dataclasses.replace(proof, above=proof.above[::-1])


def _swapped_siblings(proof: Proof) -> Proof:
    bitmap, hashes = proof.above[0]
    swapped = hashes[32:64] + hashes[:32] + hashes[64:]
    return dataclasses.replace(proof, above=((bitmap, swapped), *proof.above[1:]))


def _other_bitmap(proof: Proof) -> Proof:
    bitmap, hashes = proof.above[0]
    return dataclasses.replace(proof, above=((bitmap ^ 3, hashes), *proof.above[1:]))


def _empty_end(proof: Proof) -> Proof:
    return dataclasses.replace(proof, end=b"")


def _end_without_the_key(proof: Proof) -> Proof:
    hashed = key_hash(SHA256, PRESENT)
    entries = [proof.end[i : i + 64] for i in range(0, len(proof.end), 64)]
    return dataclasses.replace(proof, end=b"".join(e for e in entries if not e.startswith(hashed)))


def _end_as_node(proof: Proof) -> Proof:
    return dataclasses.replace(proof, end=record_hash(SHA256, proof.end) + b"\x00\x00")


def _end_of_another(_: Proof) -> Proof:
    return dataclasses.replace(PROOF, end=prove(b"key 8").end)


@pytest.mark.parametrize(
    "tamper",
    [
        _deeper,
        _shallower,
        _headless,
        _turned,
        _swapped_siblings,
        _other_bitmap,
        _empty_end,
        _end_without_the_key,
        _end_as_node,
        _end_of_another,
    ],
)
@pytest.mark.parametrize(("key", "value"), [(PRESENT, MODEL[PRESENT]), (ABSENT, b"")])
def test_tampered_proofs_prove_nothing(tamper: Callable[[Proof], Proof], key: bytes, value: bytes) -> None:
    original = PROOF if key == PRESENT else ABSENCE
    tampered = tamper(original)
    if tampered == original:
        return
    assert not verify_absence(tampered, TREE.root, key, SHA256)
    assert not verify_inclusion(tampered, TREE.root, key, value, SHA256)


def test_a_proof_of_another_key_proves_nothing_false() -> None:
    for key in MODEL:
        assert not verify_absence(PROOF, TREE.root, key, SHA256)
        assert not verify_inclusion(PROOF, TREE.root, key, b"lie", SHA256)


def test_an_inner_node_cannot_pass_as_a_bucket() -> None:
    """A value hash chosen by an attacker must not be readable as a subtree: the tags keep them apart."""
    node = RECORDS[b"\x00"]
    assert node is not None
    padded = node + bytes(-len(node) % 64)
    assert not verify_absence(Proof(above=(), end=padded), TREE.root, ABSENT, SHA256)


@pytest.mark.parametrize("data", [PROOF.to_bytes(), ABSENCE.to_bytes()])
def test_no_prefix_of_a_proof_is_one(data: bytes) -> None:
    for size in range(len(data)):
        with pytest.raises(InvalidRequest, match="not a state proof"):
            Proof.from_bytes(data[:size])
    with pytest.raises(InvalidRequest, match="1 bytes too many"):
        Proof.from_bytes(data + b"\x00")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x40", "64 levels, expected at most 63"),
        (b"\x01\x00\x00", "a node without children"),
        (b"\x00\x01\x00\x00", "a node without children"),
        (b"\x00\x02", "ends in 2"),
        (b"\x00\x00\x11" + bytes(64 * 17), "17 entries, expected at most 16"),
        (b"\x01\x00\x01\x00\x00", "an empty bucket below the root"),
        (b"\x00\x00\x02" + bytes(128), "do not ascend"),
    ],
)
def test_bytes_that_nobody_writes_are_malformed(data: bytes, what: str) -> None:
    with pytest.raises(InvalidRequest, match=what) as caught:
        Proof.from_bytes(data)
    assert caught.value.reason == "PROOF_MALFORMED"


def test_proofs_are_compact() -> None:
    """A level costs its siblings, not the hash on the way."""
    assert len(PROOF.to_bytes()) == 3 + sum(2 + len(h) for _, h in PROOF.above) + len(PROOF.end)
    assert all(len(h) == 32 * (bitmap.bit_count() - 1) for bitmap, h in PROOF.above)
