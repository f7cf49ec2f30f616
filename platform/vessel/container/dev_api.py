"""What a development chain lets a tester do to it: the second face of a node, beside NodeApi."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from vessel.container.node_api import Submission
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import Height


class DevApi(Protocol):
    """Controls of a development chain. Call from the node's event loop; nothing blocks it."""

    async def mine(self, blocks: int, *, interval_ms: int = 0) -> ExecutedBlock:
        """Make blocks now, so far apart in time (0: as the clock says); return the last."""
        ...

    async def set_mining(self, mode: str, interval_ms: int) -> None:
        """Switch to "auto", "interval" or "manual"."""
        ...

    async def snapshot(self) -> tuple[int, Height]:
        """Remember where the chain stands; return the snapshot's number and height."""
        ...

    async def revert(self, snapshot: int) -> Height:
        """Go back to a snapshot, which is used up with all later ones; return the height."""
        ...

    async def set_next_block_time(self, time_ms: int) -> None:
        """Give the next block this time, from which the clock goes on."""
        ...

    async def increase_time(self, by_ms: int) -> int:
        """Move the clock forward; return how far it is ahead of the machine's."""
        ...

    async def set_balance(self, address: bytes, balance: int) -> tuple[Height, bytes]:
        """Set native coin; return height and id of the transaction that it becomes in the next block."""
        ...

    async def write_state(self, writes: Mapping[bytes, bytes | None]) -> tuple[Height, bytes]:
        """Set full state keys of any container; return height and id of the transaction it becomes."""
        ...

    async def impersonate(
        self, container: str, sender: bytes, raw: bytes, *, wait_s: float | None
    ) -> Submission:
        """Submit a transaction that its sender has not signed; wait_s as NodeApi.submit."""
        ...
