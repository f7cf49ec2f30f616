"""dev/v1 over a DevApi: messages in, messages out, nothing decided here."""

from __future__ import annotations

from typing import Any

from vessel.api.answered import Context, answered
from vessel.api.node_service import DEFAULT_WAIT_S, MAX_WAIT_S
from vessel.container.dev_api import DevApi
from vessel.errors import InvalidRequest
from vessel.primitives.encoding import from_integer
from vessel_proto.dev.v1 import dev_pb2 as pb
from vessel_proto.dev.v1 import dev_pb2_grpc as rpc


class DevService(rpc.DevServiceServicer):
    """dev/v1; on development chains and nowhere else."""

    def __init__(self, dev: DevApi) -> None:
        """Serve `dev`."""
        self._dev = dev

    @answered
    async def Mine(self, request: pb.MineRequest, context: Context) -> pb.MineResponse:
        """Make blocks now."""
        executed = await self._dev.mine(request.blocks or 1, interval_ms=request.interval_ms)
        return pb.MineResponse(height=executed.block.header.height)

    @answered
    async def SetMining(self, request: pb.SetMiningRequest, context: Context) -> pb.SetMiningResponse:
        """Switch the way blocks are made."""
        await self._dev.set_mining(request.mode, request.interval_ms)
        return pb.SetMiningResponse()

    @answered
    async def Snapshot(self, request: Any, context: Context) -> pb.SnapshotResponse:
        """Remember where the chain stands."""
        snapshot, height = await self._dev.snapshot()
        return pb.SnapshotResponse(snapshot=snapshot, height=height)

    @answered
    async def Revert(self, request: pb.RevertRequest, context: Context) -> pb.RevertResponse:
        """Go back."""
        return pb.RevertResponse(height=await self._dev.revert(request.snapshot))

    @answered
    async def SetNextBlockTime(
        self, request: pb.SetNextBlockTimeRequest, context: Context
    ) -> pb.SetNextBlockTimeResponse:
        """Give the next block this time."""
        await self._dev.set_next_block_time(request.time_ms)
        return pb.SetNextBlockTimeResponse()

    @answered
    async def IncreaseTime(
        self, request: pb.IncreaseTimeRequest, context: Context
    ) -> pb.IncreaseTimeResponse:
        """Move the clock forward."""
        return pb.IncreaseTimeResponse(offset_ms=await self._dev.increase_time(request.by_ms))

    @answered
    async def SetBalance(self, request: pb.SetBalanceRequest, context: Context) -> pb.DevResponse:
        """Set native coin."""
        height, transaction_id = await self._dev.set_balance(request.address, from_integer(request.balance))
        return pb.DevResponse(height=height, transaction_id=transaction_id)

    @answered
    async def WriteState(self, request: pb.WriteStateRequest, context: Context) -> pb.DevResponse:
        """Set state."""
        writes = {w.key: w.value if w.HasField("value") else None for w in request.writes}
        if len(writes) != len(request.writes):
            raise InvalidRequest("a key is written twice in one request")
        height, transaction_id = await self._dev.write_state(writes)
        return pb.DevResponse(height=height, transaction_id=transaction_id)

    @answered
    async def Impersonate(self, request: pb.ImpersonateRequest, context: Context) -> pb.ImpersonateResponse:
        """Submit a transaction that its sender has not signed."""
        wait_s = min(request.timeout_ms / 1000 or DEFAULT_WAIT_S, MAX_WAIT_S) if request.wait else None
        submission = await self._dev.impersonate(
            request.container, request.sender, request.raw, wait_s=wait_s
        )
        if submission.error is not None:
            raise submission.error
        committed = submission.committed
        return pb.ImpersonateResponse(
            id=submission.id, height=committed.executed.block.header.height if committed else 0
        )
