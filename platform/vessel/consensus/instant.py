"""Instant consensus: one node writes every block, on each transaction, on an interval, or by hand."""

from __future__ import annotations

from typing import Literal

import msgspec

from vessel.consensus.interface import Preparation, Turn
from vessel.errors import GenesisError, InvalidBlock, InvalidRequest
from vessel.primitives.block import Block, Seal
from vessel.primitives.hashing import Hasher
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.units import ZERO_ADDRESS, Address, Hash32, Height

Mode = Literal["auto", "interval", "manual"]

_RANDOMNESS_TAG = b"vessel/instant/randomness/"


class InstantParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[consensus]` table of a genesis with `engine = "instant"`.

    final: whether what is committed is final at once. Without it a longer branch from elsewhere wins.
    """

    mode: Mode = "auto"
    interval_ms: int = 0
    proposer: Address = ZERO_ADDRESS
    final: bool = True


class Instant:
    """A chain of one producer. Randomness follows from the parent's id: for development only."""

    name = "instant"

    def __init__(self, parameters: InstantParameters, hasher: Hasher) -> None:
        """Check the parameters; GenesisError says what does not fit."""
        if (parameters.mode == "interval") != (parameters.interval_ms > 0) or parameters.interval_ms < 0:
            raise GenesisError(
                f'[consensus] mode = "{parameters.mode}" with interval_ms = {parameters.interval_ms}: '
                'mode "interval" needs interval_ms above 0, the others need it absent'
            )
        self._parameters = parameters
        self._hasher = hasher

    def switch(self, mode: str, interval_ms: int) -> None:
        """Make blocks in another mode from now on; InvalidRequest where there is none such."""
        try:
            changed = msgspec.convert(
                {**msgspec.structs.asdict(self._parameters), "mode": mode, "interval_ms": interval_ms},
                InstantParameters,
            )
            self._parameters = Instant(changed, self._hasher)._parameters
        except (msgspec.ValidationError, GenesisError) as error:
            raise InvalidRequest(f"mining mode {mode!r} with interval {interval_ms} ms: {error}") from error

    def next_turn(self, parent: Header, *, now_ms: int, pending: bool) -> Turn | None:
        """Return at once when a transaction waits (auto), at the next tick (interval), else never."""
        mode, proposer = self._parameters.mode, self._parameters.proposer
        if mode == "interval":
            return Turn(at_ms=parent.time_ms + self._parameters.interval_ms, proposer=proposer)
        if mode == "auto" and pending:
            return Turn(at_ms=now_ms, proposer=proposer, even_empty=False)
        return None

    def turn_by_hand(self, parent: Header, *, now_ms: int) -> Turn | None:
        """Return a turn for now, whatever the mode."""
        return Turn(at_ms=now_ms, proposer=self._parameters.proposer)

    def prepare(self, parent: Header, parent_id: Hash32, turn: Turn, *, now_ms: int) -> Preparation:
        """Return a time above the parent's, and randomness that follows from the parent."""
        return Preparation(
            time_ms=max(now_ms, parent.time_ms + 1),
            proposer=turn.proposer,
            randomness=self._randomness(parent_id),
        )

    def verify(self, header: Header, parent: Header, parent_id: Hash32) -> None:
        """Check time, proposer and randomness."""
        if header.time_ms <= parent.time_ms:
            raise InvalidBlock(
                f"block {header.height} has time {header.time_ms} ms; its parent has {parent.time_ms} ms, "
                "time must rise"
            )
        if header.proposer != self._parameters.proposer:
            raise InvalidBlock(
                f"block {header.height} is proposed by 0x{header.proposer.hex()}; "
                f"expected 0x{self._parameters.proposer.hex()}"
            )
        if header.randomness != self._randomness(parent_id) or header.consensus:
            raise InvalidBlock(f"block {header.height} has randomness that does not follow from its parent")

    def seal(self, header: Header, block_id: Hash32, result: BlockResult) -> Seal:
        """Return the result; there is nothing to sign."""
        return Seal(result=result)

    def verify_seal(self, block: Block, block_id: Hash32, result: BlockResult) -> None:
        """Check the result that the seal states, and that nothing else is in it."""
        if block.seal.signature:
            raise InvalidBlock(
                f"the seal of block {block.header.height} 0x{block_id.hex()} has a signature of "
                f"{len(block.seal.signature)} bytes; with instant consensus nobody signs",
                reason="SEAL",
            )
        if block.seal.result != result:
            stated = block.seal.result
            raise InvalidBlock(
                f"block {block.header.height} 0x{block_id.hex()} states the state root "
                f"0x{stated.state_root.hex()} and the receipts root 0x{stated.receipts_root.hex()}; "
                f"executing it gives 0x{result.state_root.hex()} and 0x{result.receipts_root.hex()}"
            )

    def score(self, parent_score: int, header: Header) -> int:
        """Return one more a block."""
        return parent_score + 1

    def finalized_height(self, head: Header) -> Height:
        """Return the head: its one producer does not contradict itself. The genesis where it may."""
        return head.height if self._parameters.final else Height(0)

    def _randomness(self, parent_id: Hash32) -> Hash32:
        return self._hasher(_RANDOMNESS_TAG + parent_id)
