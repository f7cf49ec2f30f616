"""The DevApi of this process: every control runs in the chain's own thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

from vessel.api.local_node import LocalNode
from vessel.chain.dev_controls import DevControls
from vessel.chain.producer import Producer
from vessel.container.node_api import Submission
from vessel.errors import RejectedTransaction
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import Height

T = TypeVar("T")


class LocalDev:
    """Answers DevApi."""

    def __init__(self, controls: DevControls, producer: Producer, node: LocalNode) -> None:
        """Serve `controls`."""
        self._controls = controls
        self._producer = producer
        self._node = node

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._producer.call(work))

    async def mine(self, blocks: int, *, interval_ms: int = 0) -> ExecutedBlock:
        """Make blocks now."""
        return await self._run(lambda: self._controls.mine(blocks, interval_ms=interval_ms))

    async def set_mining(self, mode: str, interval_ms: int) -> None:
        """Switch the way blocks are made."""
        await self._run(lambda: self._controls.set_mining(mode, interval_ms))

    async def snapshot(self) -> tuple[int, Height]:
        """Remember where the chain stands."""
        return await self._run(self._controls.snapshot)

    async def revert(self, snapshot: int) -> Height:
        """Go back."""
        return await self._run(lambda: self._controls.revert(snapshot))

    async def set_next_block_time(self, time_ms: int) -> None:
        """Give the next block this time."""
        await self._run(lambda: self._controls.set_next_block_time(time_ms))

    async def increase_time(self, by_ms: int) -> int:
        """Move the clock forward."""
        return await self._run(lambda: self._controls.increase_time(by_ms))

    async def set_balance(self, address: bytes, balance: int) -> tuple[Height, bytes]:
        """Set native coin."""
        return await self._run(lambda: self._controls.set_balance(address, balance))

    async def write_state(self, writes: Mapping[bytes, bytes | None]) -> tuple[Height, bytes]:
        """Set state."""
        return await self._run(lambda: self._controls.write_state(writes))

    async def impersonate(
        self, container: str, sender: bytes, raw: bytes, *, wait_s: float | None
    ) -> Submission:
        """Submit a transaction that its sender has not signed."""
        try:
            submitted = await self._run(lambda: self._controls.impersonate(container, sender, raw))
        except RejectedTransaction as error:
            return Submission(error=error)
        if wait_s is None:
            return Submission(id=submitted.id)
        return await self._node.when_committed(submitted, wait_s)
