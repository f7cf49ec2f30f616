"""The blocks of one chain: the canonical branch, and those that compete with it.

A branch is as good as its consensus score. Every block is executed when it comes, on the state of its
parent; one that does not make the best branch is stored beside it. When a branch beside the canonical
one becomes the best, `ChainStore.reorganise` moves there in one write. Blocks at or below the finalized
height are never undone, nor those more than `max_side_branch` heights below the head.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vessel.consensus.interface import Consensus
from vessel.container.manifest import MAX_RECENT_IDS
from vessel.container.recent_ids import RecentIds
from vessel.database.chain_store import ChainStore
from vessel.database.side_block import SideBlock, SidePlace
from vessel.errors import InvalidBlock, NotFound, StorageError
from vessel.primitives.block import Block, ExecutedBlock
from vessel.primitives.header import Header
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_HASH, Hash32, Height

MAX_SIDE_BRANCH = 128
MAX_LIVE_SIDE_VERSIONS = 64
MAX_REMEMBERED_INVALID = 4096


class Parent(msgspec.Struct, frozen=True, kw_only=True):
    """What a new block stands on: the block, the state it made, the score of its branch.

    fork: the highest canonical height on its branch; its own height where it is canonical.
    """

    executed: ExecutedBlock
    version: int
    score: int
    fork: Height


class Inserted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an inserted block.

    canonical: whether it is the head now. removed: what left the canonical branch for it, the lowest
    first. added: what came to the canonical branch, the lowest first, this block the last.
    """

    canonical: bool
    removed: tuple[ExecutedBlock, ...] = ()
    added: tuple[ExecutedBlock, ...] = ()


class BlockTree:
    """What is known of blocks. The chain's thread inserts; any thread reads."""

    def __init__(
        self, store: ChainStore, consensus: Consensus, *, max_side_branch: int = MAX_SIDE_BRANCH
    ) -> None:
        """Take up where the store stands. max_side_branch: how far below the head a branch may begin."""
        self._store = store
        self._consensus = consensus
        self._max_side_branch = max_side_branch
        self._invalid: dict[Hash32, str] = {}  # which rule a block breaks; the oldest first
        self._live: dict[Hash32, int] = {}  # side blocks whose state is in memory, and its version
        self._side: dict[Hash32, SidePlace] = {}
        self._score = 0
        if not store.is_empty:
            self._score = self._stored_score(store.head.block.header.height)
            self._side = dict(store.side_places(self._first_fork + 1))
        self._window = self._new_window()

    # ---- what stands

    @property
    def head(self) -> ExecutedBlock:
        """The end of the best branch."""
        return self._store.head

    @property
    def score(self) -> int:
        """The score of the best branch."""
        return self._score

    @property
    def finalized_height(self) -> int:
        """Up to here nothing will be undone any more."""
        return self._consensus.finalized_height(self.head.block.header)

    @property
    def _first_fork(self) -> int:
        """The lowest height on which a branch may still compete."""
        head = self.head.block.header
        return max(0, self._consensus.finalized_height(head), head.height - self._max_side_branch)

    def header(self, height: int) -> Header:
        """Return a canonical header."""
        return self._store.header(height)

    def block_id(self, height: int) -> Hash32:
        """Return a canonical block's id."""
        return self._store.block_id(height)

    def find(self, block_id: bytes) -> ExecutedBlock | None:
        """Return a block of any branch by its id; None where it is not known."""
        try:
            return self._store.block_by_id(block_id)
        except NotFound:
            pass
        try:
            return self._store.side(block_id).executed
        except NotFound:
            return None

    def is_canonical(self, executed: ExecutedBlock) -> bool:
        """Tell whether a block is on the best branch."""
        try:
            return self.block_id(executed.block.header.height) == executed.block_id
        except NotFound:
            return False

    def left_transactions(self) -> list[Transaction]:
        """Return the transactions of blocks that were canonical once and may come back, in their order.

        They were told to be committed. Those that are in canonical blocks again are among them.
        """
        return [
            transaction
            for block_id, place in self._side.items()
            if place.left
            for transaction in self._store.side(block_id).executed.block.transactions
        ]

    # ---- ids for BLOCKHASH

    def recent_ids(self, limit: int) -> Sequence[bytes]:
        """Return the ids from the head backwards, at most `limit`."""
        return RecentIds(self._window[1], limit=limit)

    def recent_ids_from(self, height: int, limit: int) -> Sequence[bytes]:
        """Return the ids from a canonical block backwards, at most `limit`; fewer where it is old."""
        first, ids = self._window
        end = height - first + 1
        found = ids[max(0, end - limit) : max(0, end)][::-1]
        if end == len(ids) + 1 and limit:  # just committed: visible as the head, not yet in the window
            found = [self.block_id(height), *ids[max(0, end - limit) :][::-1]]
        return found

    def recent_ids_on(self, parent: Parent, limit: int) -> Sequence[bytes]:
        """Return the ids from the parent of a new block backwards, on whatever branch it is."""
        if parent.executed.block_id == self.head.block_id:
            return self.recent_ids(limit)
        ids: list[bytes] = []
        block_id = parent.executed.block_id
        while (place := self._side.get(block_id)) is not None and len(ids) < limit:
            ids.append(block_id)
            block_id = place.parent_id
        return [*ids, *self.recent_ids_from(parent.fork, limit - len(ids))]

    # ---- taking blocks in

    def check_known_invalid(self, block: Block, block_id: Hash32) -> None:
        """InvalidBlock where a block with this id broke a rule before."""
        why = self._invalid.get(block_id)
        if why is not None:
            raise InvalidBlock(
                f"block {block.header.height} 0x{block_id.hex()} is known to be invalid: {why}",
                reason="KNOWN_INVALID",
                height=block.header.height,
            )

    def remember_invalid(self, block_id: Hash32, why: str) -> None:
        """Refuse a block at once from now on. Only for faults of what its id covers: never of its seal."""
        self._invalid[block_id] = why
        if len(self._invalid) > MAX_REMEMBERED_INVALID:
            del self._invalid[next(iter(self._invalid))]

    def parent_of(self, block: Block) -> Parent:
        """Return what a block stands on, ready to execute it; InvalidBlock where it has no place.

        Reasons: UNKNOWN_PARENT, HEIGHT, BELOW_FINALITY, BRANCH_TOO_DEEP.
        """
        header, head = block.header, self.head
        if header.parent_id in self._invalid:
            raise InvalidBlock(
                f"the parent of block {header.height} is invalid: {self._invalid[header.parent_id]}",
                reason="INVALID_PARENT",
                height=header.height,
            )
        place = self._side.get(header.parent_id)
        if place is not None:
            height = place.height
        else:
            try:
                height = self._store.height_of(header.parent_id)
            except NotFound:
                raise InvalidBlock(
                    f"the parent 0x{header.parent_id.hex()} of block {header.height} is not known; the head "
                    f"is {head.block.header.height} 0x{head.block_id.hex()}. Send those between first",
                    reason="UNKNOWN_PARENT",
                    height=header.height,
                ) from None
        if header.height != height + 1:
            raise InvalidBlock(
                f"the block says height {header.height}; its parent has height {height}",
                reason="HEIGHT",
                height=header.height,
            )
        fork = self._fork_of(header.parent_id)
        self._check_fork(header, fork)
        if place is None:
            executed = head if header.parent_id == head.block_id else self._store.block(height)
            version = self._store.state.version_at(height)
            score = self._score if executed is head else self._stored_score(height)
            return Parent(executed=executed, version=version, score=score, fork=Height(height))
        executed = self._store.side(header.parent_id).executed
        version = self._live_version(header.parent_id)
        return Parent(executed=executed, version=version, score=place.score, fork=fork)

    def insert(self, executed: ExecutedBlock, version: int, parent: Parent | None) -> Inserted:
        """Take an executed block in: one synced write, whatever comes of it.

        parent: None for the genesis block. After a StorageError nothing has changed.
        """
        score = self._consensus.score(0 if parent is None else parent.score, executed.block.header)
        if parent is None or (parent.executed.block_id == self.head.block_id and score > self._score):
            self._store.append(executed, version, score)
            self._score = score
            self._lengthen(executed.block_id)
            self._forget_old()
            return Inserted(canonical=True, added=(executed,))
        side = SideBlock(
            executed=executed,
            version=version,
            score=score,
            changes=tuple(sorted(self._store.state.changes_of(version).items())),
        )
        if score <= self._score:
            self._store.put_side(side)
            self._store.state.keep(version)
            self._side[executed.block_id] = SidePlace(
                parent_id=side.parent_id, height=side.height, score=score
            )
            self._note_live(executed.block_id, version)
            return Inserted(canonical=False)
        return self._reorganise(side, version)

    def _reorganise(self, tip: SideBlock, version: int) -> Inserted:
        branch, versions = [tip], [version]
        while branch[0].parent_id in self._side:
            versions.insert(0, self._live_version(branch[0].parent_id))
            branch.insert(0, self._store.side(branch[0].parent_id))
        scores = {height: self._stored_score(height) for height in self._heights_above(branch[0])}
        removed = self._store.reorganise(branch, versions)
        for side in branch:
            self._side.pop(side.executed.block_id, None)
            self._live.pop(side.executed.block_id, None)
        for executed in removed:
            header = executed.block.header
            self._side[executed.block_id] = SidePlace(
                parent_id=header.parent_id, height=header.height, score=scores[header.height], left=True
            )
        self._score = tip.score
        self._window = self._new_window()
        self._forget_old()
        added = tuple(side.executed for side in branch)
        return Inserted(canonical=True, removed=tuple(removed), added=added)

    def rollback(self, height: int) -> list[ExecutedBlock]:
        """Undo the blocks above a height and forget them; return them, the lowest first.

        For development chains: it asks nobody about finality. Errors as ChainStore.rollback.
        """
        head = self.head.block.header.height
        removed = [self._store.block(undone) for undone in range(max(height, -1) + 1, head + 1)]
        self._store.rollback(height)
        self._live.clear()
        self._score = self._stored_score(self.head.block.header.height)
        self._side = dict(self._store.side_places(self._first_fork + 1))
        self._window = self._new_window()
        return removed

    # ---- inside

    def _fork_of(self, block_id: Hash32) -> Height:
        """Return the highest canonical height on the branch that ends in a known block."""
        while (place := self._side.get(block_id)) is not None:
            block_id = place.parent_id
        try:
            return self._store.height_of(block_id)
        except NotFound:
            raise InvalidBlock(
                f"the branch stands on block 0x{block_id.hex()}, which is not kept any more",
                reason="BRANCH_TOO_DEEP",
            ) from None

    def _check_fork(self, header: Header, fork: int) -> None:
        head = self.head.block.header.height
        if fork >= head:
            return
        finalized = self.finalized_height
        if fork < finalized:
            raise InvalidBlock(
                f"block {header.height} is on a branch that leaves the chain after block {fork}; up to block "
                f"{finalized} the chain is final",
                reason="BELOW_FINALITY",
                height=header.height,
                finalized_height=finalized,
            )
        lowest = max(head - self._max_side_branch, self._store.state.first_height)
        if fork < lowest:
            raise InvalidBlock(
                f"block {header.height} is on a branch that leaves the chain after block {fork}; this node "
                f"follows branches from block {lowest} on",
                reason="BRANCH_TOO_DEEP",
                height=header.height,
                lowest_fork=lowest,
            )

    def _live_version(self, block_id: Hash32) -> int:
        """Return the state version of a side block, brought back into memory where it has to be."""
        state = self._store.state
        lacking: list[SideBlock] = []
        while True:
            version = self._live.get(block_id)
            if version is not None and state.is_live(version):
                break
            if block_id not in self._side:
                version = state.version_at(self._store.height_of(block_id))
                break
            side = self._store.side(block_id)
            lacking.append(side)
            block_id = side.parent_id
        for side in reversed(lacking):
            version = state.revive(version, dict(side.changes), side.version)
            stated = side.executed.block.seal.result.state_root
            if stated not in (ZERO_HASH, state.root(version)):
                raise StorageError(
                    f"the changes stored of side block {side.executed.block_id.hex()} do not lead to its "
                    f"state root {stated.hex()}; replay the chain into another directory",
                    reason="SIDE_BLOCK_CORRUPT",
                )
            self._note_live(side.executed.block_id, version)
        return version

    def _note_live(self, block_id: Hash32, version: int) -> None:
        """Keep a bounded number of side states in memory; the others come back from disk when wanted."""
        self._live[block_id] = version
        parents = set()
        while (place := self._side.get(block_id)) is not None:
            parents.add(block_id)
            block_id = place.parent_id
        for other in [other for other in self._live if other not in parents]:
            if len(self._live) <= MAX_LIVE_SIDE_VERSIONS:
                break
            self._store.state.discard(self._live.pop(other))

    def _forget_old(self) -> None:
        """Let go of side blocks that cannot come back any more; on disk they stay until pruned."""
        if not self._side:
            return
        first = self._first_fork
        for block_id in [i for i, place in self._side.items() if place.height <= first]:
            del self._side[block_id]
            version = self._live.pop(block_id, None)
            if version is not None:
                self._store.state.discard(version)

    def _heights_above(self, lowest: SideBlock) -> range:
        return range(lowest.height, self.head.block.header.height + 1)

    def _stored_score(self, height: int) -> int:
        """Return the score of the canonical branch up to a height, worked out where it is not stored."""
        known, score = height, self._store.score(height)
        while score is None and known > 0:
            known -= 1
            score = self._store.score(known)
        if score is None:
            score = self._consensus.score(0, self._store.header(0))
        for later in range(known + 1, height + 1):
            score = self._consensus.score(score, self._store.header(later))
        return score

    def _new_window(self) -> tuple[int, list[bytes]]:
        # The height of the first id, and the ids, oldest first, as RecentIds wants it: one value, so that
        # any thread reads both at once.
        if self._store.is_empty:
            return 0, []
        ids: list[bytes] = list(self._store.recent_ids(MAX_RECENT_IDS))
        ids.reverse()
        return self.head.block.header.height - len(ids) + 1, ids

    def _lengthen(self, block_id: Hash32) -> None:
        first, ids = self._window
        if len(ids) >= 2 * MAX_RECENT_IDS:
            first += len(ids) - MAX_RECENT_IDS
            ids = ids[-MAX_RECENT_IDS:]  # a new list: windows on the old one stay right
            self._window = (first, ids)
        ids.append(block_id)
