"""What a consensus engine decides, and nothing of how blocks are executed or stored.

Shaped so that instant mining, proof of work (seal takes long), proof of stake and supernode proof of
stake (turns by time, randomness, seals by signature, finality behind the head) all fit.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from vessel.primitives.block import Block, Seal
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.units import Address, Hash32, Height


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """From `at_ms` (milliseconds since the Unix epoch) on this node may write the next block.

    even_empty: whether a block without transactions is worth writing.
    """

    at_ms: int
    proposer: Address
    even_empty: bool = True


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """What consensus puts into a header before the block is executed."""

    time_ms: int
    proposer: Address
    randomness: Hash32
    consensus: bytes = b""


class Consensus(Protocol):
    """One engine for one chain. Clocks are read by the caller and passed in: `now_ms`.

    `verify`, `verify_seal` and `score` are deterministic. The chain's thread calls everything.
    """

    @property
    def name(self) -> str:
        """The engine's name in a genesis."""
        ...

    def next_turn(self, parent: Header, *, now_ms: int, pending: bool) -> Turn | None:
        """Return when this node may write the next block; None: not before something changes.

        pending: whether transactions wait.
        """
        ...

    def turn_by_hand(self, parent: Header, *, now_ms: int) -> Turn | None:
        """Return a turn for now because a person asks; None where consensus does not allow it."""
        ...

    def prepare(self, parent: Header, parent_id: Hash32, turn: Turn, *, now_ms: int) -> Preparation:
        """Return what the header of the next block takes from consensus."""
        ...

    def verify(self, header: Header, parent: Header, parent_id: Hash32) -> None:
        """Check a header against its parent; InvalidBlock says which rule it breaks."""
        ...

    def seal(self, header: Header, block_id: Hash32, result: BlockResult) -> Seal:
        """Return the seal of a block that was executed; may take as long as work takes."""
        ...

    def verify_seal(self, block: Block, block_id: Hash32, result: BlockResult) -> None:
        """Check a seal against what executing the block came to; InvalidBlock says what is wrong."""
        ...

    def score(self, parent_score: int, header: Header) -> int:
        """Return the score of the chain that ends in this header; the highest is the best."""
        ...

    def finalized_height(self, head: Header) -> Height:
        """Return the height up to which nothing will be undone any more."""
        ...
