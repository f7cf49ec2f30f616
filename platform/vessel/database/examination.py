"""Is a chain's store what it says it is: for `vessel doctor`, and for tests that damage one.

Nothing is repaired: what a store lost is in a backup, or in the blocks of another node. Quick, it looks
at the head, the last blocks and a sample of the state; deep, at every block, every record of the tree
and every value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from vessel.database.block_reader import StoredReceipts
from vessel.database.chain_store import ChainStore
from vessel.database.key_value import KeyValue, Snapshot
from vessel.database.layout import (
    FLAT,
    META_HEAD,
    TREE,
    block_key,
    flat_key,
    height_key,
    id_key,
    receipts_key,
    root_key,
    tree_key,
)
from vessel.database.proof import verify
from vessel.database.record import decode_record
from vessel.database.tree import (
    ENTRY_SIZE_BYTES,
    empty_tree,
    is_node,
    key_hash,
    path_of,
    record_bitmap,
    value_hash,
    verified,
)
from vessel.errors import StoreCorrupt, VesselError
from vessel.primitives.block import Block, receipts_root, transactions_root
from vessel.primitives.encoding import u64
from vessel.primitives.hashing import Hasher
from vessel.primitives.header import BlockResult
from vessel.primitives.units import HASH_SIZE_BYTES, ZERO_HASH, Hash32

FAULTS_MAX = 20  # of one kind; more say nothing new
RECENT_BLOCKS = 64
SAMPLED_VALUES = 256
_RUN_VALUES = 8  # of the sample, next to each other
_NAMESPACES = 256
_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was looked at, and what was found wrong. height: of the head, -1 in a store without blocks."""

    height: int
    blocks: int
    values: int
    records: int
    faults: tuple[str, ...]
    unused_records: int = 0


def is_empty(store: KeyValue) -> bool:
    """Tell whether nothing at all is in a store."""
    return next(store.iterate(keys_only=True), None) is None


def examine(store: KeyValue, *, genesis_hash: bytes, hasher: Hasher, deep: bool = False) -> Examination:
    """Examine the store of a chain; errors as ChainStore.open, and then the store is closed."""
    chain = ChainStore.open(store, genesis_hash=genesis_hash, hasher=hasher, create=False)
    head = chain.state.head_height
    if head < 0:
        return Examination(height=-1, blocks=0, values=0, records=0, faults=())
    faults: list[str] = []
    snapshot = store.snapshot()
    try:
        first = 0 if deep else max(0, head - RECENT_BLOCKS + 1)
        for height in range(first, head + 1):
            if len(faults) >= FAULTS_MAX:
                break
            faults += _block_faults(snapshot, height, hasher, is_head=height == head)
        records = unused = 0
        if deep:
            values, records, unused, more = _whole_state(snapshot, chain.state.head_root, hasher)
        else:
            values, more = _sampled_state(chain, snapshot, hasher)
        faults += more
    finally:
        snapshot.close()
    return Examination(
        height=head,
        blocks=head + 1 - first,
        values=values,
        records=records,
        unused_records=unused,
        faults=tuple(faults[:FAULTS_MAX]),
    )


def _block_faults(store: Snapshot, height: int, hasher: Hasher, *, is_head: bool) -> list[str]:
    """Return what is wrong with one block: content, indexes, roots, and the link to its parent."""
    record, outcome, block_id = store.multi_get((block_key(height), receipts_key(height), id_key(height)))
    lacking = [
        what for what, found in (("block", record), ("receipts", outcome), ("id", block_id)) if found is None
    ]
    if record is None or outcome is None or block_id is None:
        return [f"block {height}: its {' and '.join(lacking)} are not there"]
    try:
        block = decode_record(record, Block, f"block {height}")
        became = decode_record(outcome, StoredReceipts, f"the receipts of block {height}")
    except StoreCorrupt as error:
        return [error.message]
    faults = []
    header, result = block.header, block.seal.result
    if header.block_id(hasher) != block_id:
        faults.append(f"block {height}: it hashes to {header.block_id(hasher).hex()}, not to its id")
    if transactions_root(hasher, block.transactions) != header.transactions_root:
        faults.append(f"block {height}: its transactions do not hash to the root in its header")
    if len(became.receipts) != len(block.transactions):
        faults.append(
            f"block {height}: {len(block.transactions)} transactions, {len(became.receipts)} receipts"
        )
    if store.get(height_key(Hash32(block_id))) != u64(height):
        faults.append(f"block {height}: the index does not lead from its id to it")
    if height and header.parent_id != store.get(id_key(height - 1)):
        faults.append(f"block {height}: its parent is not block {height - 1}")
    if result != BlockResult():
        if receipts_root(hasher, became.receipts, became.hooks) != result.receipts_root:
            faults.append(f"block {height}: its receipts do not hash to the root in its seal")
        stored = store.get(root_key(height))
        if stored is not None and result.state_root not in (ZERO_HASH, stored[:HASH_SIZE_BYTES]):
            faults.append(f"block {height}: its seal names another state root than is stored for it")
    if is_head and store.get(root_key(height)) is None:
        faults.append(f"block {height}: there is no state root for the head")
    head = store.get(META_HEAD) or b""
    if is_head and (store.get(root_key(height)) or b"")[:HASH_SIZE_BYTES] != head[16:]:
        faults.append(f"block {height}: the head's state root is not the one that is stored for its height")
    return faults


def _sampled_state(chain: ChainStore, store: Snapshot, hasher: Hasher) -> tuple[int, list[str]]:
    """Prove a sample of the values against the root; return how many, and what does not fit."""
    chosen: dict[bytes, None] = {}
    namespaces = list(_namespaces(store))
    runs = max(1, SAMPLED_VALUES // _RUN_VALUES // max(1, len(namespaces)))
    for namespace in namespaces:
        for start in _starts(store, namespace, chain.state.head_height, runs):
            entries = store.iterate(start=start, stop=TREE, keys_only=True)
            for _, (key, _) in zip(range(_RUN_VALUES), entries, strict=False):
                chosen[key[len(FLAT) :]] = None
    faults: list[str] = []
    for key in chosen:
        if len(faults) >= FAULTS_MAX:
            break
        fault = _value_fault(chain, store, key, hasher)
        if fault:
            faults.append(fault)
    return len(chosen), faults


def _starts(store: Snapshot, namespace: bytes, height: int, runs: int) -> Iterator[bytes]:
    """Yield where the runs of a sample begin: elsewhere at every height, the same for everybody.

    Keys lie in clusters: the places are spread between the first and the last, from where these differ.
    """
    begin, end = FLAT + namespace, FLAT + namespace + b"\xff" * 64
    first = next((key for key, _ in store.iterate(start=begin, stop=end, keys_only=True)), begin)
    last = next((key for key, _ in store.iterate(start=begin, stop=end, reverse=True, keys_only=True)), begin)
    yield first
    common = first[
        : next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    ]
    low, high = (int.from_bytes(key[len(common) :][:8].ljust(8, b"\0"), "big") for key in (first, last))
    for run in range(1, runs):
        offset = int.from_bytes(sha256(u64(height) + u64(run)).digest()[:8], "big") % (high - low + 1)
        yield common + (low + offset).to_bytes(8, "big")


def _namespaces(store: Snapshot) -> Iterator[bytes]:
    """Yield the namespaces (2 bytes) that have values."""
    start: bytes | None = FLAT
    for _ in range(_NAMESPACES):
        key = next((key for key, _ in store.iterate(start=start or b"", stop=TREE, keys_only=True)), None)
        if key is None or start is None:
            return
        namespace = key[len(FLAT) : len(FLAT) + 2]
        yield namespace
        after = int.from_bytes(namespace, "big") + 1
        start = None if after > 0xFFFF else FLAT + after.to_bytes(2, "big")


def _value_fault(chain: ChainStore, store: Snapshot, key: bytes, hasher: Hasher) -> str:
    stored = store.get(flat_key(key))
    try:
        root, _, proof = chain.state.prove(key)
        proven = verify(proof, root, key, hasher)
    except VesselError as error:
        return f"the value of {key.hex()} cannot be proven: {error.message}"
    if proven is None:
        return f"the value of {key.hex()} is not in the state tree"
    if stored is None or proven != value_hash(hasher, stored):
        return f"the value of {key.hex()} is not the one that the state tree has"
    return ""


def _whole_state(store: Snapshot, root: Hash32, hasher: Hasher) -> tuple[int, int, int, list[str]]:
    """Compare all values with the whole tree; return values, records, unused records, and faults.

    Both sides are summed up entry by entry, in whatever order they come, so neither is held in memory.
    """
    faults: list[str] = []
    in_tree = records = 0
    sum_of_tree = 0
    for entries, fault in _walk(store, root, hasher):
        records += 1
        if fault:
            faults.append(fault)
            if len(faults) >= FAULTS_MAX:
                return 0, records, 0, faults
        in_tree += len(entries)
        sum_of_tree = (sum_of_tree + sum(map(_weight, entries))) % _MODULUS
    values = sum_of_values = 0
    for key, value in store.iterate(start=FLAT, stop=TREE):
        values += 1
        entry = key_hash(hasher, key[len(FLAT) :]) + value_hash(hasher, value)
        sum_of_values = (sum_of_values + _weight(entry)) % _MODULUS
    if not faults and (values != in_tree or sum_of_values != sum_of_tree):
        faults.append(
            f"the {values} values are not the {in_tree} entries of the state tree"
            + (": a value was changed" if values == in_tree else "")
        )
        faults += _named(store, root, hasher)
    stored = sum(1 for _ in store.iterate(start=TREE, stop=bytes((TREE[0] + 1,)), keys_only=True))
    return values, records, max(0, stored - records), faults


def _weight(entry: bytes) -> int:
    return int.from_bytes(sha256(entry).digest(), "big")


def _walk(store: Snapshot, root: Hash32, hasher: Hasher) -> Iterator[tuple[list[bytes], str]]:
    """Yield, for every record of the tree, the entries it holds itself, and what is wrong with it."""
    if root == empty_tree(hasher).root:
        return
    waiting: list[tuple[bytes, int, Hash32]] = [(bytes(32), 0, root)]
    while waiting:
        prefix, depth, expected = waiting.pop()
        path = path_of(prefix, depth)
        try:
            record = verified(hasher, path, store.get(tree_key(path)), expected)
        except StoreCorrupt as error:
            yield [], error.message
            continue
        if not is_node(record):
            yield [record[at : at + ENTRY_SIZE_BYTES] for at in range(0, len(record), ENTRY_SIZE_BYTES)], ""
            continue
        bitmap, place = record_bitmap(record), 0
        for branch in range(16):
            if bitmap >> branch & 1:
                child = bytearray(prefix)
                child[depth >> 1] |= branch if depth & 1 else branch << 4
                at = place * HASH_SIZE_BYTES
                waiting.append((bytes(child), depth + 1, Hash32(record[at : at + HASH_SIZE_BYTES])))
                place += 1
        yield [], ""


def _named(store: Snapshot, root: Hash32, hasher: Hasher) -> list[str]:
    """Return the first keys whose value is not the tree's: only once it is known that there are some."""
    expected: dict[bytes, bytes] = {}
    for entries, _ in _walk(store, root, hasher):
        expected.update((entry[:HASH_SIZE_BYTES], entry[HASH_SIZE_BYTES:]) for entry in entries)
    found: list[str] = []
    for key, value in store.iterate(start=FLAT, stop=TREE):
        if len(found) >= FAULTS_MAX:
            break
        if expected.pop(key_hash(hasher, key[len(FLAT) :]), None) != value_hash(hasher, value):
            found.append(f"the value of {key[len(FLAT) :].hex()} is not the one that the state tree has")
    return found
