"""A store that was damaged is found out, and what is damaged is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unit.doctor.conftest import HEAD, opened
from vessel.database.examination import Examination, examine
from vessel.database.key_value import Batch, KeyValue
from vessel.database.layout import (
    FLAT,
    META_HEAD,
    META_SCHEMA,
    TREE,
    block_key,
    height_key,
    id_key,
    receipts_key,
    root_key,
    tree_key,
)
from vessel.errors import GenesisMismatch, SchemaMismatch, StoreCorrupt, VesselError
from vessel.primitives.encoding import u32
from vessel.processing.genesis import load_genesis

pytestmark = pytest.mark.slow  # the first makes a chain

Damage = Callable[[KeyValue], Batch]


def look(chain: Path, genesis: Path, *, deep: bool = False) -> Examination:
    """Examine a chain's store."""
    known = load_genesis(genesis)
    with opened(chain) as store:
        return examine(store, genesis_hash=known.genesis_hash, hasher=known.hasher, deep=deep)


def damage(chain: Path, make: Damage) -> None:
    """Write what a fault would have written."""
    with opened(chain) as store:
        store.write(make(store), sync=True)


def last_value(store: KeyValue) -> tuple[bytes, bytes]:
    """Return the last flat entry."""
    return next(store.iterate(start=FLAT, stop=TREE, reverse=True))


def deepest(store: KeyValue) -> bytes:
    """Return the place of a bucket."""
    return max(key for key, _ in store.iterate(start=TREE, stop=bytes((TREE[0] + 1,)), keys_only=True))


@pytest.mark.parametrize("deep", [False, True])
def test_a_store_in_which_all_is_well(chain: Path, genesis: Path, deep: bool) -> None:
    found = look(chain, genesis, deep=deep)
    assert (found.faults, found.height, found.blocks, found.unused_records) == ((), HEAD, HEAD + 1, 0)
    assert found.values >= (300 if deep else 100)
    assert not deep or found.records > 1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda store: Batch([(block_key(2), None)]), "block 2: its block are not there"),
        (lambda store: Batch([(receipts_key(2), None), (id_key(2), None)]), "receipts and id are not there"),
        (lambda store: Batch([(block_key(2), b"\0garbage")]), "block 2 cannot be read"),
        (lambda store: Batch([(block_key(2), store.get(block_key(1)))]), "block 2: it hashes to"),
        (lambda store: Batch([(height_key(store.get(id_key(2)) or b""), None)]), "does not lead from its id"),
        (lambda store: Batch([(id_key(1), bytes(32))]), "block 2: its parent is not block 1"),
        (lambda store: Batch([(root_key(HEAD), bytes(40))]), "names another state root"),
    ],
    ids=["block", "receipts", "garbage", "other block", "index", "parent", "root"],
)
def test_blocks(chain: Path, genesis: Path, make: Damage, said: str) -> None:
    damage(chain, make)
    assert said in "\n".join(look(chain, genesis).faults)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda store: Batch([(last_value(store)[0], b"\x01another")]),
            "is not the one that the state tree has",
        ),
        (lambda store: Batch([(last_value(store)[0], None)]), "values are not the"),
        (lambda store: Batch([(FLAT + b"\xff\xffstranger", b"x")]), "values are not the"),
        (lambda store: Batch([(deepest(store), None)]), "has no record at path"),
        (lambda store: Batch([(deepest(store), bytes(64))]), "has hash"),
    ],
    ids=["value changed", "value gone", "value from nowhere", "record gone", "record changed"],
)
def test_state_deep(chain: Path, genesis: Path, make: Damage, said: str) -> None:
    damage(chain, make)
    assert said in "\n".join(look(chain, genesis, deep=True).faults)


def test_a_sample_finds_what_is_damaged_throughout(chain: Path, genesis: Path) -> None:
    damage(chain, lambda store: Batch((key, b"\x07") for key, _ in store.iterate(start=FLAT, stop=TREE)))
    assert "is not the one that the state tree has" in "\n".join(look(chain, genesis).faults)


def test_records_that_belong_to_nothing_are_no_harm(chain: Path, genesis: Path) -> None:
    damage(chain, lambda store: Batch([(tree_key(bytes((60,)) + bytes(30)), bytes(64))]))
    found = look(chain, genesis, deep=True)
    assert (found.faults, found.unused_records) == ((), 1)


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (lambda store: Batch([(META_SCHEMA, u32(99))]), SchemaMismatch, "written by a newer version"),
        (lambda store: Batch([(META_SCHEMA, None)]), SchemaMismatch, "not written by Vessel"),
        (lambda store: Batch([(tree_key(b"\0"), None)]), StoreCorrupt, "has no record at path"),
        (lambda store: Batch([(block_key(HEAD), None)]), StoreCorrupt, "does not have that block"),
        (
            lambda store: Batch([(META_HEAD, (store.get(META_HEAD) or b"")[:16] + bytes(32))]),
            StoreCorrupt,
            "restore a backup",
        ),
    ],
    ids=["schema", "foreign", "root record", "head block", "head"],
)
def test_what_does_not_even_open(
    chain: Path, genesis: Path, make: Damage, kind: type[VesselError], said: str
) -> None:
    damage(chain, make)
    with pytest.raises(kind, match=said):
        look(chain, genesis)


def test_another_genesis(chain: Path, genesis: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(genesis.read_text().replace("id = 77", "id = 78"))
    with pytest.raises(GenesisMismatch):
        look(chain, other)
