"""One chain on disk: its blocks and what they came to, beside its state, in one store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from vessel.database import search_index, side_block
from vessel.database.block_reader import BlockReader, StoredHeader, StoredReceipts
from vessel.database.key_value import Batch, KeyValue, Operation, open_key_value
from vessel.database.layout import (
    META_GENESIS,
    META_HASHER,
    META_SCHEMA,
    SCHEMA_VERSION,
    block_key,
    decode_place,
    encode_place,
    height_key,
    id_key,
    receipts_key,
    score_key,
    side_key,
    transaction_key,
)
from vessel.database.record import decode_record, encode_record
from vessel.database.side_block import SideBlock, SidePlace, decode_side_block
from vessel.database.state import StateDatabase
from vessel.errors import GenesisMismatch, InvalidBlock, NotFound, SchemaMismatch, StoreCorrupt
from vessel.primitives.block import Block, ExecutedBlock
from vessel.primitives.encoding import from_integer, integer, u32, u64
from vessel.primitives.hashing import Hasher
from vessel.primitives.header import Header
from vessel.primitives.units import ZERO_HASH, Hash32, Height


class ChainStore:
    """Owns the key-value store of one chain, and its StateDatabase.

    The chain's thread appends and rolls back; any thread reads. A block is visible whole, with its
    receipts, indexes and state, or not at all, also after a crash.
    """

    def __init__(self, store: KeyValue, state: StateDatabase) -> None:
        """Use `open`, which checks what the store holds."""
        self._store = store
        self.state = state
        self._head: ExecutedBlock | None = None
        if state.head_height >= 0:
            try:
                self._head = self.block(state.head_height)
            except NotFound as error:
                raise StoreCorrupt(
                    f"the store says that its head is block {state.head_height}, and does not have that "
                    "block; restore a backup, or replay the chain",
                    height=state.head_height,
                ) from error

    @classmethod
    def open(
        cls,
        url_or_store: str | KeyValue,
        *,
        genesis_hash: bytes,
        hasher: Hasher,
        kept_roots: int = 128,
        create: bool = True,
    ) -> Self:
        """Open the chain whose genesis hashes to `genesis_hash`, or begin it in an empty store.

        SchemaMismatch where the store was written by another version of the layout or is not a chain's
        at all, GenesisMismatch where it holds another chain; the store is left as it was, and closed.
        """
        store = open_key_value(url_or_store, create=create) if isinstance(url_or_store, str) else url_or_store
        try:
            _claim(store, genesis_hash, hasher)
            return cls(store, StateDatabase(store, hasher, kept_roots=kept_roots))
        except BaseException:
            store.close()
            raise

    @property
    def is_empty(self) -> bool:
        """Whether there is no block yet, not even the genesis."""
        return self._head is None

    @property
    def head(self) -> ExecutedBlock:
        """The block that was appended last; NotFound in an empty store."""
        head = self._head
        if head is None:
            raise NotFound("the store has no block yet; append the genesis block first")
        return head

    def append(self, executed: ExecutedBlock, version: int, score: int = 0) -> None:
        """Commit a block, what became of it, and the state `version` it made: one synced write.

        score: of the branch up to this block, by the chain's consensus. InvalidBlock where it does not
        follow the head or its seal names another state root; otherwise as StateDatabase.commit.
        """
        header = executed.block.header
        parent_id = ZERO_HASH if self._head is None else self._head.block_id
        if header.height != self.state.head_height + 1 or header.parent_id != parent_id:
            raise InvalidBlock(
                f"block {header.height} over parent {header.parent_id.hex()} does not follow the head; "
                f"expected height {self.state.head_height + 1} over {parent_id.hex()}",
                height=header.height,
            )
        if len(executed.receipts) != len(executed.block.transactions):
            raise InvalidBlock(
                f"block {header.height} has {len(executed.block.transactions)} transactions "
                f"and {len(executed.receipts)} receipts; expected one for each",
                height=header.height,
            )
        sealed = executed.block.seal.result.state_root
        if sealed != ZERO_HASH and sealed != self.state.root(version):
            raise InvalidBlock(
                f"the seal of block {header.height} names state root {sealed.hex()}, executing it came to "
                f"{self.state.root(version).hex()}",
                height=header.height,
            )
        self.state.commit(version, header.height, Batch(_operations(executed, score)))
        self._head = executed

    def rollback(self, height: int) -> int:
        """Remove the blocks after `height` and undo their state; return the new head's state version.

        Errors as StateDatabase.rollback. One synced write.
        """
        batch = Batch()
        for later in range(max(height, -1) + 1, self.state.head_height + 1):
            batch.extend(self._operations_to_forget(self.block(later)))
        kept = self.block(height) if 0 <= height <= self.state.head_height else None
        version = self.state.rollback(height, batch)
        self._head = kept
        return version

    def _operations_to_forget(self, executed: ExecutedBlock) -> list[Operation]:
        """Return the writes that take a block off the canonical branch."""
        height = executed.block.header.height
        keys = [block_key(height), receipts_key(height), id_key(height), score_key(height)]
        keys.append(height_key(executed.block_id))
        keys += [
            transaction_key(receipt.container, receipt.transaction_id)
            for receipt in executed.receipts
            if self._place(receipt.container, receipt.transaction_id, height)
        ]
        return [(key, None) for key in keys] + list(search_index.operations_to_forget(executed))

    def _place(self, container: str, transaction_id: bytes, height: int) -> bool:
        """Tell whether the index places a transaction in the block at `height`."""
        place = self.transaction(container, transaction_id)
        return place is not None and place[0] == height

    # ---- blocks beside the canonical branch

    def reorganise(self, branch: Sequence[SideBlock], versions: Sequence[int]) -> list[ExecutedBlock]:
        """Move to another branch in one synced write; return the blocks that left, the lowest first.

        branch: from the fork upwards, whether stored or not. versions: their live state versions. What
        left is stored as side blocks, what came is not stored as such any more. Errors as
        StateDatabase.reorganise; nothing has changed then.
        """
        fork = branch[0].height - 1
        left = [self.block(height) for height in range(fork + 1, self.state.head_height + 1)]
        batch = Batch()
        for executed in left:
            height = executed.block.header.height
            side = SideBlock(
                executed=executed,
                version=self.state.version_at(height),
                score=self.score(height) or 0,
                changes=tuple(sorted(self.state.changes_at(height).items())),
                left=True,
            )
            batch.extend(self._operations_to_forget(executed))
            batch.extend(side_block.operations_for(side))
        for side in branch:
            batch.extend(side_block.operations_to_forget(side.height, side.executed.block_id))
            batch.extend(_operations(side.executed, side.score))
        self.state.reorganise(versions, batch)
        self._head = branch[-1].executed
        return left

    def put_side(self, side: SideBlock) -> None:
        """Store a block beside the canonical branch: one synced write."""
        self._store.write(Batch(side_block.operations_for(side)), sync=True)

    def side(self, block_id: bytes) -> SideBlock:
        """Return a stored side block; NotFound where there is none with that id."""
        record = self._store.get(side_key(block_id))
        if record is None:
            raise self._no_block(f"id {block_id.hex()} beside the chain")
        return decode_side_block(record, block_id)

    def side_places(self, first: int) -> list[tuple[Hash32, SidePlace]]:
        """Return where the side blocks from height `first` on stand, parents first."""
        return list(side_block.places(self._store, first))

    def score(self, height: int) -> int | None:
        """Return the score of the canonical branch up to a height; None where none was stored."""
        record = self._store.get(score_key(height)) if height >= 0 else None
        return None if record is None else from_integer(record)

    def prune(self, below: int) -> None:
        """Forget the states below a height, and the side blocks up to it; blocks and receipts stay."""
        batch = Batch()
        for block_id, place in side_block.places(self._store, 0, below + 1):
            batch.extend(side_block.operations_to_forget(place.height, block_id))
        self.state.prune(below, batch)

    # ---- reading

    def block(self, height: int) -> ExecutedBlock:
        """Return the block at `height` with its receipts; NotFound says which heights there are."""
        block, outcome, block_id = self._store.multi_get(
            (block_key(height), receipts_key(height), id_key(height)) if height >= 0 else ()
        ) or (None, None, None)
        if block is None or outcome is None or block_id is None:
            raise self._no_block(f"height {height}")
        decoded = decode_record(outcome, StoredReceipts, f"the receipts of block {height}")
        return ExecutedBlock(
            block_id=Hash32(block_id),
            block=decode_record(block, Block, f"block {height}"),
            receipts=decoded.receipts,
            hooks=decoded.hooks,
        )

    def block_by_id(self, block_id: bytes) -> ExecutedBlock:
        """Return the block with an id, with its receipts; NotFound where this chain has none."""
        return self.block(self.height_of(block_id))

    def height_of(self, block_id: bytes) -> Height:
        """Return the height of the block with an id; NotFound where this chain has none."""
        record = self._store.get(height_key(block_id))
        if record is None:
            raise self._no_block(f"id {block_id.hex()}")
        return Height(int.from_bytes(record, "big"))

    def header(self, height: int) -> Header:
        """Return the header at `height`; NotFound as `block`."""
        record = self._store.get(block_key(height)) if height >= 0 else None
        if record is None:
            raise self._no_block(f"height {height}")
        return decode_record(record, StoredHeader, f"block {height}").header

    def block_id(self, height: int) -> Hash32:
        """Return the id of the block at `height`; NotFound as `block`."""
        record = self._store.get(id_key(height)) if height >= 0 else None
        if record is None:
            raise self._no_block(f"height {height}")
        return Hash32(record)

    def recent_ids(self, count: int) -> list[Hash32]:
        """Return the ids of the last `count` blocks at most, the head's first."""
        newest = self._store.iterate(start=id_key(0), stop=id_key((1 << 64) - 1), reverse=True)
        return [Hash32(block_id) for _, (_, block_id) in zip(range(count), newest, strict=False)]

    def transaction(self, container: str, transaction_id: bytes) -> tuple[int, int] | None:
        """Return height and place in its block of a transaction; None where no block has it."""
        record = self._store.get(transaction_key(container, transaction_id))
        return None if record is None else decode_place(record)

    def reader(self) -> BlockReader:
        """Return the blocks and the search index as they stand now; close it after use."""
        return BlockReader(self._store.snapshot())

    def close(self) -> None:
        """Close the store; readers end with it."""
        self._store.close()

    def __enter__(self) -> Self:
        """Return the chain's store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _no_block(self, what: str) -> NotFound:
        last = self.state.head_height
        there = f"heights 0 to {last} are here" if last >= 0 else "the chain has no block yet"
        return NotFound(f"there is no block with {what}; {there}", head_height=last)


def _operations(executed: ExecutedBlock, score: int) -> list[Operation]:
    """Return the writes that put a block on the canonical branch."""
    height = executed.block.header.height
    outcome = StoredReceipts(receipts=executed.receipts, hooks=executed.hooks)
    operations: list[Operation] = [
        (block_key(height), encode_record(executed.block)),
        (receipts_key(height), encode_record(outcome)),
        (id_key(height), executed.block_id),
        (score_key(height), integer(score)),
        (height_key(executed.block_id), u64(height)),
    ]
    for index, receipt in enumerate(executed.receipts):
        place = encode_place(height, index)
        operations.append((transaction_key(receipt.container, receipt.transaction_id), place))
    operations += search_index.operations(executed)
    return operations


def _claim(store: KeyValue, genesis_hash: bytes, hasher: Hasher) -> None:
    """Make sure that the store holds this chain in this layout, or nothing, and then mark it."""
    schema, genesis, hash_name = store.multi_get((META_SCHEMA, META_GENESIS, META_HASHER))
    if schema is None:
        if next(store.iterate(keys_only=True), None) is not None:
            raise SchemaMismatch(
                "the store is not empty and was not written by Vessel; name an empty directory for the chain",
                expected=SCHEMA_VERSION,
            )
        marks = [(META_SCHEMA, u32(SCHEMA_VERSION)), (META_GENESIS, genesis_hash)]
        marks.append((META_HASHER, hasher.name.encode()))
        store.write(Batch(marks), sync=True)
        return
    found = int.from_bytes(schema, "big")
    if found != SCHEMA_VERSION:
        age = "newer" if found > SCHEMA_VERSION else "older"
        raise SchemaMismatch(
            f"the store has layout {found}, this version of Vessel reads layout {SCHEMA_VERSION}: it was "
            f"written by a{'n' if age == 'older' else ''} {age} version; run that one, or name an empty "
            "directory and sync or replay the chain into it",
            found=found,
            expected=SCHEMA_VERSION,
        )
    if genesis != genesis_hash:
        raise GenesisMismatch(
            f"the store holds the chain with genesis {(genesis or b'').hex()}, the configuration's genesis "
            f"is {genesis_hash.hex()}; use the genesis that the store was made with, or another directory",
            found=(genesis or b"").hex(),
            expected=genesis_hash.hex(),
        )
    if hash_name != hasher.name.encode():
        raise GenesisMismatch(
            f"the store's chain hashes with {(hash_name or b'').decode()}, the configuration says "
            f"{hasher.name}; use the genesis that the store was made with, or name another directory",
            found=(hash_name or b"").decode(),
            expected=hasher.name,
        )
