"""The blocks of one chain. For now the canonical branch and nothing beside it.

Competing branches on overlays and reorganisation come on top of this: state versions already branch.
"""

from __future__ import annotations

from collections.abc import Sequence

from vessel.consensus.interface import Consensus
from vessel.container.manifest import MAX_RECENT_IDS
from vessel.container.recent_ids import RecentIds
from vessel.database.chain_store import ChainStore
from vessel.errors import InvalidBlock, NotFound
from vessel.primitives.block import Block, ExecutedBlock
from vessel.primitives.header import Header
from vessel.primitives.units import Hash32


class BlockTree:
    """What is known of blocks. The chain's thread inserts; any thread reads."""

    def __init__(self, store: ChainStore, consensus: Consensus) -> None:
        """Take up where the store stands."""
        self._store = store
        self._consensus = consensus
        self._ids: list[bytes] = [] if store.is_empty else list(store.recent_ids(MAX_RECENT_IDS))
        self._ids.reverse()  # oldest first, as RecentIds wants it

    @property
    def head(self) -> ExecutedBlock:
        """The end of the best branch."""
        return self._store.head

    @property
    def finalized_height(self) -> int:
        """Up to here nothing will be undone any more."""
        return self._consensus.finalized_height(self.head.block.header)

    def recent_ids(self, limit: int) -> Sequence[bytes]:
        """Return the ids from the head backwards, at most `limit`."""
        return RecentIds(self._ids, limit=limit)

    def recent_ids_from(self, height: int, limit: int) -> Sequence[bytes]:
        """Return the ids from a canonical block backwards, at most `limit`; fewer where it is old."""
        ids, head = self._ids, self.head.block.header.height
        end = len(ids) - (head - height)
        return ids[max(0, end - limit) : max(0, end)][::-1]

    def check_place(self, block: Block) -> ExecutedBlock:
        """Return the parent of a block from elsewhere; InvalidBlock where it does not extend the head."""
        header, head = block.header, self.head
        if header.parent_id == head.block_id:
            if header.height != head.block.header.height + 1:
                raise InvalidBlock(
                    f"the block says height {header.height}; its parent has height {head.block.header.height}"
                )
            return head
        try:
            known = self._store.height_of(header.parent_id)
        except NotFound:
            raise InvalidBlock(
                f"the parent 0x{header.parent_id.hex()} of block {header.height} is not known; "
                f"the head is {head.block.header.height} 0x{head.block_id.hex()}",
                reason="UNKNOWN_PARENT",
            ) from None
        raise InvalidBlock(
            f"block {header.height} extends block {known}, not the head {head.block.header.height}: "
            "this node does not follow competing branches",
            reason="COMPETING_BRANCH",
        )

    def insert(self, executed: ExecutedBlock, version: int) -> None:
        """Commit a block on the head and the state it made."""
        self._store.append(executed, version)
        if len(self._ids) >= 2 * MAX_RECENT_IDS:
            self._ids = self._ids[-MAX_RECENT_IDS:]  # a new list: windows on the old one stay right
        self._ids.append(executed.block_id)

    def header(self, height: int) -> Header:
        """Return a canonical header."""
        return self._store.header(height)

    def block_id(self, height: int) -> Hash32:
        """Return a canonical block's id."""
        return self._store.block_id(height)
