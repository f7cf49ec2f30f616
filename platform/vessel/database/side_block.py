"""Blocks beside the canonical branch, as they are stored: whole, with the state changes they made.

So a reorganisation executes nothing: every block of the branch it moves to was executed when it came,
and what it changed is at hand. A block that leaves the canonical branch is stored the same way.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from vessel.database.key_value import Operation, Snapshot
from vessel.database.layout import SIDE_AT, side_at_key, side_key
from vessel.database.overlay import Change
from vessel.database.record import decode_record, encode_record
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import HASH_SIZE_BYTES, Hash32, Height

_HEIGHT_SIZE_BYTES = 8


class SideBlock(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An executed block that is not on the canonical branch.

    version: the state version it made. score: of its branch up to it. changes: what it made of state
    keys. left: it was on the canonical branch once, so its transactions were told to be committed.
    """

    executed: ExecutedBlock
    version: int
    score: int
    changes: tuple[Change, ...] = ()
    left: bool = False

    @property
    def height(self) -> Height:
        """Of the block."""
        return self.executed.block.header.height

    @property
    def parent_id(self) -> Hash32:
        """Of the block."""
        return self.executed.block.header.parent_id


class SidePlace(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a side block stands in the tree: all that is needed to find the way."""

    parent_id: Hash32
    height: Height
    score: int
    left: bool = False


def operations_for(side: SideBlock) -> list[Operation]:
    """Return the writes that store a side block."""
    block_id = side.executed.block_id
    place = SidePlace(parent_id=side.parent_id, height=side.height, score=side.score, left=side.left)
    return [
        (side_key(block_id), encode_record(side)),
        (side_at_key(side.height, block_id), encode_record(place)),
    ]


def operations_to_forget(height: int, block_id: bytes) -> list[Operation]:
    """Return the writes that remove a side block."""
    return [(side_key(block_id), None), (side_at_key(height, block_id), None)]


def decode_side_block(record: bytes, block_id: bytes) -> SideBlock:
    """Return a stored side block; StoreCorrupt where it cannot be read."""
    return decode_record(record, SideBlock, f"side block {block_id.hex()}")


def places(snapshot: Snapshot, first: int, below: int | None = None) -> Iterator[tuple[Hash32, SidePlace]]:
    """Yield the places of the side blocks from height `first` on, below `below`, parents first."""
    stop = SIDE_AT + b"\xff" * 9 if below is None else side_at_key(max(below, 0))
    for key, record in snapshot.iterate(start=side_at_key(max(first, 0)), stop=stop):
        block_id = Hash32(key[len(SIDE_AT) + _HEIGHT_SIZE_BYTES :])
        if len(block_id) == HASH_SIZE_BYTES:
            yield block_id, decode_record(record, SidePlace, f"the place of side block {block_id.hex()}")
