"""ChainStore: blocks and their indexes beside the state, and stores that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from vessel.database import layout
from vessel.database.chain_store import ChainStore
from vessel.database.key_value import Batch, default_engine, open_key_value
from vessel.database.memory import MemoryKeyValue
from vessel.database.record import decode_record, encode_record
from vessel.errors import (
    GenesisMismatch,
    HeightNotKept,
    InvalidBlock,
    NotFound,
    SchemaMismatch,
    StorageError,
    StoreCorrupt,
)
from vessel.primitives.block import Block, ExecutedBlock, Seal
from vessel.primitives.encoding import u32
from vessel.primitives.hashing import BLAKE2B, SHA256
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.receipt import HookReceipt, Log, Receipt, Status
from vessel.primitives.section import Section
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_HASH, Coin, Gas, Hash32, Height

GENESIS = bytes(range(32))


def make_block(
    parent: ExecutedBlock | None, *, transactions: int = 2, state_root: Hash32 = ZERO_HASH
) -> ExecutedBlock:
    """Return a block over `parent` as an executor would hand it over."""
    height = 0 if parent is None else parent.block.header.height + 1
    header = Header(
        height=Height(height),
        parent_id=ZERO_HASH if parent is None else parent.block_id,
        time_ms=1000 + height,
        transactions_root=ZERO_HASH,
        sections=(("evm", Section(gas_limit=Gas(30_000_000), base_fee=Coin(10**30), extra=b"x")),),
    )
    raw = [b"raw %d %d" % (height, i) for i in range(transactions)]
    return ExecutedBlock(
        block_id=header.block_id(SHA256),
        block=Block(
            header=header,
            transactions=tuple(Transaction(container="evm", raw=data) for data in raw),
            seal=Seal(result=BlockResult(state_root=state_root)),
        ),
        receipts=tuple(
            Receipt(
                container="evm",
                transaction_id=SHA256(data),
                sender=b"s" * 20,
                status=Status.OK,
                gas_used=Gas(21_000),
                burned=Coin(10**24),
                logs=(Log(address=b"a" * 20, topics=(b"t" * 32,), data=b"d"),),
            )
            for data in raw
        ),
        hooks=(HookReceipt(container="evm", at_end=True),),
    )


def append(chain: ChainStore, changes: dict[bytes, bytes | None], *, transactions: int = 2) -> ExecutedBlock:
    """Append a block over the head that changes the state so."""
    version = chain.state.begin(chain.state.head_version)
    chain.state.apply(version, changes)
    block = make_block(
        None if chain.is_empty else chain.head,
        transactions=transactions,
        state_root=chain.state.root(version),
    )
    chain.append(block, version)
    return block


@pytest.fixture
def chain() -> ChainStore:
    return ChainStore.open("memory:", genesis_hash=GENESIS, hasher=SHA256)


def test_an_empty_chain(chain: ChainStore) -> None:
    assert chain.is_empty
    assert chain.recent_ids(3) == []
    assert chain.transaction("evm", b"id") is None
    with pytest.raises(NotFound, match="append the genesis block first"):
        _ = chain.head
    with pytest.raises(NotFound, match="no block with height 0; the chain has no block yet"):
        chain.block(0)


def test_blocks_are_found_by_height_id_and_transaction(chain: ChainStore) -> None:
    blocks = [append(chain, {b"k": b"%d" % i}) for i in range(5)]
    assert not chain.is_empty
    assert chain.head == blocks[-1]
    for height, block in enumerate(blocks):
        assert chain.block(height) == block
        assert chain.block_by_id(block.block_id) == block
        assert chain.header(height) == block.block.header
        assert chain.block_id(height) == block.block_id
        assert chain.height_of(block.block_id) == height
        for index, receipt in enumerate(block.receipts):
            assert chain.transaction("evm", receipt.transaction_id) == (height, index)
            assert chain.transaction("eos", receipt.transaction_id) is None
    assert chain.recent_ids(3) == [block.block_id for block in blocks[:1:-1]]
    assert len(chain.recent_ids(256)) == 5
    for height in (-1, 5):
        for read in (chain.block, chain.header, chain.block_id):
            with pytest.raises(NotFound, match=f"height {height}; heights 0 to 4 are here"):
                read(height)
    with pytest.raises(NotFound, match="no block with id 00"):
        chain.block_by_id(bytes(32))


def test_rollback_removes_blocks_indexes_and_state(chain: ChainStore) -> None:
    blocks = [append(chain, {b"k": b"%d" % i}) for i in range(5)]
    version = chain.rollback(1)
    assert chain.state.head_version == version
    assert chain.head == blocks[1]
    assert chain.state.reader(version).multi_get([b"k"]) == [b"1"]
    for block in blocks[2:]:
        with pytest.raises(NotFound):
            chain.block_by_id(block.block_id)
        assert chain.transaction("evm", block.receipts[0].transaction_id) is None
    assert chain.transaction("evm", blocks[1].receipts[1].transaction_id) == (1, 1)
    other = append(chain, {b"k": b"other"}, transactions=1)
    assert chain.recent_ids(3) == [other.block_id, blocks[1].block_id, blocks[0].block_id]
    for height in (-1, 3):
        with pytest.raises(HeightNotKept, match="heights 0 to 2 are kept"):
            chain.rollback(height)
    assert chain.head == other


def test_what_does_not_follow_is_refused_and_leaves_nothing(chain: ChainStore) -> None:
    first = append(chain, {b"k": b"0"})
    version = chain.state.begin(chain.state.head_version)
    with pytest.raises(InvalidBlock, match=r"block 0 .* does not follow the head; expected height 1 over"):
        chain.append(first, version)
    with pytest.raises(InvalidBlock, match="names state root 01"):
        chain.append(make_block(first, state_root=Hash32(b"\x01" * 32)), version)
    block = make_block(first)
    bare = ExecutedBlock(block_id=block.block_id, block=block.block)
    with pytest.raises(InvalidBlock, match="2 transactions and 0 receipts"):
        chain.append(bare, version)
    assert chain.head == first
    chain.append(block, version)
    assert chain.head == block


def test_a_chain_on_disk_is_there_after_reopening(tmp_path: Path) -> None:
    url = f"{default_engine()}:{tmp_path / 'chain'}"
    with ChainStore.open(url, genesis_hash=GENESIS, hasher=SHA256) as chain:
        blocks = [append(chain, {b"k": b"%d" % i}) for i in range(3)]
        root = chain.state.head_root
    with ChainStore.open(url, genesis_hash=GENESIS, hasher=SHA256, create=False) as chain:
        assert chain.head == blocks[-1]
        assert chain.state.head_root == root
        assert chain.state.reader_at(1).multi_get([b"k"]) == [b"1"]
        append(chain, {b"k": b"3"})
    with pytest.raises(StorageError, match="closed"):
        chain.block(0)


def test_another_genesis_is_refused_with_both(tmp_path: Path) -> None:
    url = f"{default_engine()}:{tmp_path / 'chain'}"
    ChainStore.open(url, genesis_hash=GENESIS, hasher=SHA256).close()
    other = bytes(32)
    with pytest.raises(GenesisMismatch, match=f"{GENESIS.hex()}.*{other.hex()}; use the genesis") as caught:
        ChainStore.open(url, genesis_hash=other, hasher=SHA256)
    assert caught.value.details == {"found": GENESIS.hex(), "expected": other.hex()}
    with pytest.raises(GenesisMismatch, match="hashes with sha256, the configuration says blake2b"):
        ChainStore.open(url, genesis_hash=GENESIS, hasher=BLAKE2B)
    ChainStore.open(url, genesis_hash=GENESIS, hasher=SHA256).close()  # refused, and not kept locked


@pytest.mark.parametrize(("found", "age"), [(0, "an older"), (layout.SCHEMA_VERSION + 1, "a newer")])
def test_another_schema_is_refused(found: int, age: str) -> None:
    store = open_key_value("memory:")
    store.write(Batch([(layout.META_SCHEMA, u32(found)), (layout.META_GENESIS, GENESIS)]), sync=True)
    with pytest.raises(SchemaMismatch, match=f"has layout {found}, .*written by {age} version; run that one"):
        ChainStore.open(store, genesis_hash=GENESIS, hasher=SHA256)


def test_a_store_of_something_else_is_refused_untouched(tmp_path: Path) -> None:
    url = f"{default_engine()}:{tmp_path / 'other'}"
    with open_key_value(url) as store:
        store.write(Batch([(b"somebody's", b"data")]), sync=True)
    with pytest.raises(SchemaMismatch, match="is not empty and was not written by Vessel"):
        ChainStore.open(url, genesis_hash=GENESIS, hasher=SHA256)
    with open_key_value(url) as store:
        assert list(store.iterate()) == [(b"somebody's", b"data")]


def test_damaged_blocks_are_told(chain: ChainStore) -> None:
    store = MemoryKeyValue()
    chain = ChainStore.open(store, genesis_hash=GENESIS, hasher=SHA256)
    append(chain, {})
    store.write(Batch([(layout.block_key(0), b"\x00\xc1")]), sync=True)
    with pytest.raises(StoreCorrupt, match=r"stored of block 0 cannot be read.*restore a backup"):
        chain.block(0)


@pytest.mark.parametrize("amount", [0, 1, (1 << 64) - 1, 1 << 64, 10**40])
def test_records_hold_amounts_of_any_size(amount: int) -> None:
    receipt = Receipt(
        container="evm",
        transaction_id=b"\x01",
        sender=b"\xff",
        status=Status.TRAP,
        gas_used=Gas(1),
        burned=Coin(amount),
    )
    assert decode_record(encode_record(receipt), Receipt, "it") == receipt


@pytest.mark.parametrize("damaged", [b"", b"\x00", b"\x02\x90", b"\x01\xc7\x01\x07\x01", b"\x01\xff\xff"])
def test_damaged_records_are_corrupt(damaged: bytes) -> None:
    with pytest.raises(StoreCorrupt, match="what is stored of it cannot be read"):
        decode_record(damaged, Receipt, "it")
