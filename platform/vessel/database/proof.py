"""Proofs that a state key has a value, or has none, for whoever holds a state root and nothing else.

A proof is the way from the root down to where the key is or would be. Its bytes, all lengths
following from what comes before:

    depth (1)                                       nodes above the end, 0 to 63
    depth × [present (2) ‖ hashes]                  from the root: the children, without the one on the way
    end (1)                                         0: a bucket, 1: a node without a child for the key
    bucket: entries (1) ‖ entries × 64              hashed key ‖ value hash, ascending
    node:   present (2) ‖ hashes                    all of its children

A hash on the way is left out because the verifier computes it from below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from vessel.database.tree import (
    BUCKET_ENTRIES_MAX,
    BUCKET_TAG,
    ENTRY_SIZE_BYTES,
    NODE_TAG,
    Load,
    Node,
    Tree,
    is_node,
    key_hash,
    nibble,
    parse,
    path_of,
    record_bitmap,
    value_hash,
)
from vessel.errors import InvalidRequest
from vessel.primitives.hashing import Hasher
from vessel.primitives.units import HASH_SIZE_BYTES, Hash32

_DEPTH_MAX = 63
_ENDS_IN_BUCKET = 0
_ENDS_IN_NODE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The way to one key.

    above: from the root down, for each node which children it has and their hashes without the one
    on the way. end: the record on which the way ends: a bucket, or a node without a child there.
    """

    above: tuple[tuple[int, bytes], ...]
    end: bytes

    def to_bytes(self) -> bytes:
        """Return the proof's one and only encoding."""
        parts = [bytes((len(self.above),))]
        for bitmap, hashes in self.above:
            parts += (bitmap.to_bytes(2, "big"), hashes)
        if is_node(self.end):
            parts += (bytes((_ENDS_IN_NODE,)), self.end[-2:], self.end[:-2])
        else:
            parts += (bytes((_ENDS_IN_BUCKET, len(self.end) // ENTRY_SIZE_BYTES)), self.end)
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Proof:
        """Read `to_bytes`; InvalidRequest for anything that it cannot have written."""
        source = _Source(data)
        depth = source.number(1)
        if depth > _DEPTH_MAX:
            raise _malformed(f"{depth} levels, expected at most {_DEPTH_MAX}")
        above: list[tuple[int, bytes]] = []
        for _ in range(depth):
            bitmap = source.number(2)
            if not bitmap:
                raise _malformed("a node without children")
            above.append((bitmap, source.take((bitmap.bit_count() - 1) * HASH_SIZE_BYTES)))
        kind = source.number(1)
        if kind == _ENDS_IN_NODE:
            bitmap = source.number(2)
            if not bitmap:
                raise _malformed("a node without children")
            end = source.take(bitmap.bit_count() * HASH_SIZE_BYTES) + bitmap.to_bytes(2, "big")
        elif kind == _ENDS_IN_BUCKET:
            entries = source.number(1)
            if entries > BUCKET_ENTRIES_MAX:
                raise _malformed(f"a bucket of {entries} entries, expected at most {BUCKET_ENTRIES_MAX}")
            if not entries and depth:
                raise _malformed("an empty bucket below the root")
            end = source.take(entries * ENTRY_SIZE_BYTES)
            keys = [key for key, _ in _entries(end)]
            if any(left >= right for left, right in pairwise(keys)):
                raise _malformed("the keys of the bucket do not ascend")
        else:
            raise _malformed(f"it ends in {kind}, expected 0 (bucket) or 1 (node)")
        source.finish()
        return cls(above=tuple(above), end=end)


class _Source:
    """Bytes that are taken from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise _malformed(f"it ends after {len(self._data)} bytes, expected {end} at least")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def finish(self) -> None:
        if self._at != len(self._data):
            raise _malformed(f"{len(self._data) - self._at} bytes too many")


def _malformed(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"not a state proof: {what}; pass the bytes as the node returned them", reason="PROOF_MALFORMED"
    )


def _mismatch(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"the proof does not fit: {what}; check that proof, key and root are of one chain and height",
        reason="PROOF_MISMATCH",
    )


def _entries(bucket: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the hashed keys of a bucket with their value hashes."""
    for at in range(0, len(bucket), ENTRY_SIZE_BYTES):
        yield bucket[at : at + HASH_SIZE_BYTES], bucket[at + HASH_SIZE_BYTES : at + ENTRY_SIZE_BYTES]


def make_proof(tree: Tree, key: bytes, load: Load, hasher: Hasher) -> Proof:
    """Return the way to a state key in `tree`, whether it is there or not."""
    hashed = key_hash(hasher, key)
    above: list[tuple[int, bytes]] = []
    subtree = tree.top
    while isinstance(subtree, Node):
        depth = len(above)
        bit = 1 << nibble(hashed, depth)
        if not subtree.bitmap & bit:
            return Proof(above=tuple(above), end=subtree.record)
        place = (subtree.bitmap & (bit - 1)).bit_count()
        at = place * HASH_SIZE_BYTES
        hashes = subtree.record[:-2]
        above.append((subtree.bitmap, hashes[:at] + hashes[at + HASH_SIZE_BYTES :]))
        child = subtree.children[place] if subtree.children else None
        if child is not None:
            subtree = child
        else:
            expected = Hash32(hashes[at : at + HASH_SIZE_BYTES])
            subtree = parse(load(path_of(hashed, depth + 1), expected), depth + 1)
    return Proof(above=tuple(above), end=subtree)


def verify(proof: Proof, root: Hash32, key: bytes, hasher: Hasher) -> Hash32 | None:
    """Return the hash of the value that a state key has under `root`; None where it has none.

    InvalidRequest (reason PROOF_MISMATCH) where the proof says nothing of this key under this root.
    """
    hashed = key_hash(hasher, key)
    depth = len(proof.above)
    found: Hash32 | None = None
    if is_node(proof.end):
        if record_bitmap(proof.end) >> nibble(hashed, depth) & 1:
            raise _mismatch("it ends on a node that goes on")
        digest = hasher(NODE_TAG + proof.end)
    else:
        for entry, value in _entries(proof.end):
            if entry == hashed:
                found = Hash32(value)
        digest = hasher(BUCKET_TAG + proof.end)
    while depth:
        depth -= 1
        bitmap, hashes = proof.above[depth]
        bit = 1 << nibble(hashed, depth)
        if not bitmap & bit:
            raise _mismatch("it is the way to another key")
        at = (bitmap & (bit - 1)).bit_count() * HASH_SIZE_BYTES
        digest = hasher(NODE_TAG + hashes[:at] + digest + hashes[at:] + bitmap.to_bytes(2, "big"))
    if digest != root:
        raise _mismatch(f"it leads to root {digest.hex()}, expected {root.hex()}")
    return found


def verify_inclusion(proof: Proof, root: Hash32, key: bytes, value: bytes, hasher: Hasher) -> bool:
    """Tell whether `proof` shows that a state key has `value` under `root`."""
    try:
        return verify(proof, root, key, hasher) == value_hash(hasher, value)
    except InvalidRequest:
        return False


def verify_absence(proof: Proof, root: Hash32, key: bytes, hasher: Hasher) -> bool:
    """Tell whether `proof` shows that a state key has no value under `root`."""
    try:
        return verify(proof, root, key, hasher) is None
    except InvalidRequest:
        return False
