"""Blocks, what became of them and the search index, as they stood at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Self

import msgspec

from vessel.database import search_index
from vessel.database.key_value import Snapshot
from vessel.database.layout import META_HEAD, block_key, id_key, receipts_key, side_key
from vessel.database.record import decode_record
from vessel.database.search_index import Found, Term
from vessel.database.side_block import decode_side_block
from vessel.errors import NotFound
from vessel.primitives.block import Block, ExecutedBlock
from vessel.primitives.header import Header
from vessel.primitives.receipt import HookReceipt, Receipt
from vessel.primitives.units import Hash32


class StoredReceipts(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What is stored beside a block."""

    receipts: tuple[Receipt, ...] = ()
    hooks: tuple[HookReceipt, ...] = ()


class StoredHeader(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The front of a stored block; the rest is not decoded."""

    header: Header


class BlockReader:
    """One branch as a snapshot holds it: what is appended or rolled back meanwhile does not show.

    One thread at a time. Close it, or use it as a context manager.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        """Read `snapshot`, which is closed with it."""
        self._snapshot = snapshot
        record = snapshot.get(META_HEAD)
        self.head_height = -1 if record is None else int.from_bytes(record[8:16], "big")

    def find(self, groups: Sequence[Sequence[Term]], first: int, last: int) -> Iterator[Found]:
        """Search the index: see `search_index.find`."""
        return search_index.find(self._snapshot, groups, first, last)

    def block_id(self, height: int) -> Hash32 | None:
        """Return the id of the block at a height; None where there is none."""
        record = self._snapshot.get(id_key(height)) if height >= 0 else None
        return None if record is None else Hash32(record)

    def header(self, height: int) -> Header:
        """Return a header, without decoding the transactions behind it; NotFound where there is none."""
        return decode_record(self._record(block_key(height), height), StoredHeader, f"block {height}").header

    def receipts(self, height: int) -> StoredReceipts:
        """Return what became of a block; NotFound where there is none."""
        record = self._record(receipts_key(height), height)
        return decode_record(record, StoredReceipts, f"the receipts of block {height}")

    def block(self, height: int) -> ExecutedBlock:
        """Return a block with what became of it; NotFound where there is none."""
        outcome = self.receipts(height)
        return ExecutedBlock(
            block_id=Hash32(self._record(id_key(height), height)),
            block=decode_record(self._record(block_key(height), height), Block, f"block {height}"),
            receipts=outcome.receipts,
            hooks=outcome.hooks,
        )

    def side(self, block_id: bytes) -> ExecutedBlock | None:
        """Return a block that is kept beside the branch; None where there is none with that id."""
        record = self._snapshot.get(side_key(block_id))
        return None if record is None else decode_side_block(record, block_id).executed

    def _record(self, key: bytes, height: int) -> bytes:
        record = self._snapshot.get(key)
        if record is None:
            raise NotFound(
                f"there is no block with height {height}; the head is {self.head_height}",
                head_height=self.head_height,
            )
        return record

    def close(self) -> None:
        """Let the snapshot go."""
        self._snapshot.close()

    def __enter__(self) -> Self:
        """Return the reader itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
