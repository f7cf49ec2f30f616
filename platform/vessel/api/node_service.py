"""node/v1 over a NodeApi: messages in, messages out, nothing decided here."""

from __future__ import annotations

import asyncio
from typing import Any

from vessel.api import convert
from vessel.api.answered import Context, answered
from vessel.api.search_rpcs import SearchRpcs
from vessel.api.status import to_status
from vessel.container.messages import ViewResult
from vessel.container.node_api import CommittedTransaction, NodeApi
from vessel.errors import InvalidRequest, VesselError
from vessel.primitives.receipt import Status
from vessel_proto.node.v1 import node_pb2 as pb
from vessel_proto.node.v1 import node_pb2_grpc as rpc

MAX_SUBMITTED = 10_000
MAX_STATE_KEYS = 10_000
DEFAULT_WAIT_S = 30.0
MAX_WAIT_S = 600.0


class NodeService(SearchRpcs, rpc.NodeServiceServicer):
    """node/v1."""

    def __init__(self, node: NodeApi, version: str) -> None:
        """Serve `node`; version: of the software."""
        super().__init__(node)
        self._version = version

    @answered
    async def GetServiceInfo(self, request: Any, context: Context) -> pb.GetServiceInfoResponse:
        """Say who answers."""
        info = await self._node.info()
        return pb.GetServiceInfoResponse(
            software="vessel",
            version=self._version,
            chain_name=info.name,
            chain_id=info.chain_id,
            genesis_hash=info.genesis_hash,
            hash=info.hash_name,
            consensus=info.consensus,
            dev=info.dev,
            head=convert.summary(info.head),
            finalized_height=info.finalized_height,
            pending_transactions=info.pending_transactions,
        )

    @answered
    async def SubmitTransactions(
        self, request: pb.SubmitTransactionsRequest, context: Context
    ) -> pb.SubmitTransactionsResponse:
        """Submit a batch; those for one container are admitted together."""
        sent = request.transactions
        if not 1 <= len(sent) <= MAX_SUBMITTED:
            raise InvalidRequest(f"{len(sent)} transactions in one request; expected 1 to {MAX_SUBMITTED}")
        wait_s = None
        if request.wait_for == pb.WAIT_FOR_COMMITTED:
            wait_s = min(request.timeout_ms / 1000 or DEFAULT_WAIT_S, MAX_WAIT_S)
        # All at once, each container's in their order: nobody's wait delays another's admission.
        places: dict[str, list[int]] = {}
        for place, transaction in enumerate(sent):
            places.setdefault(transaction.container, []).append(place)
        answers = await asyncio.gather(
            *(self._submit(name, [sent[p].raw for p in own], wait_s) for name, own in places.items())
        )
        results: dict[int, pb.SubmissionResult] = {}
        for own, answer in zip(places.values(), answers, strict=True):
            results.update(zip(own, answer, strict=True))
        return pb.SubmitTransactionsResponse(results=[results[place] for place in range(len(sent))])

    async def _submit(
        self, container: str, raws: list[bytes], wait_s: float | None
    ) -> list[pb.SubmissionResult]:
        try:
            submissions = await self._node.submit(container, raws, wait_s=wait_s)
        except VesselError as error:
            return [pb.SubmissionResult(error=to_status(error)) for _ in raws]
        results = []
        for submission in submissions:
            if submission.error is not None:
                results.append(pb.SubmissionResult(error=to_status(submission.error)))
                continue
            accepted = pb.AcceptedTransaction(id=submission.id)
            if submission.committed is not None:
                accepted.committed.CopyFrom(convert.placed(submission.committed))
            results.append(pb.SubmissionResult(accepted=accepted))
        return results

    @answered
    async def GetTransaction(
        self, request: pb.GetTransactionRequest, context: Context
    ) -> pb.GetTransactionResponse:
        """Find a transaction."""
        if not request.id:
            raise InvalidRequest("id is empty; expected the transaction's id")
        found = await self._node.transaction(request.container, request.id)
        if isinstance(found, CommittedTransaction):
            return pb.GetTransactionResponse(committed=convert.placed(found))
        return pb.GetTransactionResponse(
            pending=pb.PendingTransaction(
                container=found.container, id=found.id, raw=found.raw, sender=found.sender
            )
        )

    @answered
    async def GetBlock(self, request: pb.GetBlockRequest, context: Context) -> pb.GetBlockResponse:
        """Return a block, or the parts of it that the mask names."""
        parts = convert.block_parts(request.read_mask) if request.HasField("read_mask") else None
        executed = await self._node.block(convert.reference(request.block))
        return pb.GetBlockResponse(block=convert.block(executed, parts))

    @answered
    async def Call(self, request: pb.CallRequest, context: Context) -> pb.CallResponse:
        """Run a call and keep nothing."""
        result, height = await self._node.call(
            request.container, convert.call(request), at=convert.reference(request.at)
        )
        return pb.CallResponse(
            status=convert.status(result.status),
            output=result.output,
            gas_used=result.gas_used,
            logs=map(convert.log, result.logs),
            message=result.message,
            height=height,
        )

    @answered
    async def EstimateGas(self, request: pb.EstimateGasRequest, context: Context) -> pb.EstimateGasResponse:
        """Return the least gas limit with which a call succeeds."""
        call = request.call
        result, _ = await self._node.estimate(
            call.container, convert.call(call), at=convert.reference(call.at)
        )
        if result.status is not Status.OK:
            raise _failed(result)
        return pb.EstimateGasResponse(gas_limit=result.gas_used)

    @answered
    async def Query(self, request: pb.QueryRequest, context: Context) -> pb.QueryResponse:
        """Ask a container what only it knows."""
        result, height = await self._node.query(
            request.container,
            request.method,
            request.parameters_json,
            at=convert.reference(request.at),
        )
        if result.status is not Status.OK:
            raise InvalidRequest(result.message or "the container refused the query", reason=result.reason)
        return pb.QueryResponse(json=result.json, height=height)

    @answered
    async def GetState(self, request: pb.GetStateRequest, context: Context) -> pb.GetStateResponse:
        """Read raw state, with proofs if asked."""
        if len(request.keys) > MAX_STATE_KEYS:
            raise InvalidRequest(f"{len(request.keys)} keys in one request; at most {MAX_STATE_KEYS}")
        answer = await self._node.state(
            list(request.keys), at=convert.reference(request.at), with_proofs=request.with_proofs
        )
        return pb.GetStateResponse(
            height=answer.executed.block.header.height,
            block_id=answer.executed.block_id,
            state_root=answer.state_root,
            entries=[pb.StateEntry(key=e.key, value=e.value, proof=e.proof) for e in answer.entries],
        )

    @answered
    async def ListContainers(self, request: Any, context: Context) -> pb.ListContainersResponse:
        """Say which containers there are and how they do."""
        return pb.ListContainersResponse(
            containers=[convert.container(status) for status in await self._node.containers()]
        )


def _failed(result: ViewResult) -> VesselError:
    error = InvalidRequest(
        result.message or f"the call fails: {result.status.name}",
        reason="EXECUTION_REVERTED" if result.status is Status.REVERTED else "EXECUTION_FAILED",
        status=result.status.name,
        output="0x" + result.output.hex(),
    )
    return error
