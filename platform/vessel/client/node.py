"""A connection to one node: its gRPC API as plain, typed calls.

Synchronous and safe to use from several threads. Every call has a timeout and fails with an error of
`vessel.errors`: what the node raised, or NodeUnreachable and NodeTimeout for what lies between.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self, TypeVar

import grpc

from vessel.client.failure import error_from_call, error_from_status
from vessel.client.reference import BlockAt, block_reference
from vessel.config import DEFAULT_GRPC_ADDRESS
from vessel.errors import ExecutionError, VesselError
from vessel.primitives.encoding import integer
from vessel_proto.dev.v1 import dev_pb2, dev_pb2_grpc
from vessel_proto.node.v1 import node_pb2, node_pb2_grpc

Wait = Literal["accepted", "committed"]
SubmissionOutcome = node_pb2.AcceptedTransaction | VesselError | ExecutionError
_Answer = TypeVar("_Answer")

DEFAULT_TIMEOUT_S = 10.0
COMMIT_TIMEOUT_S = 30.0
EXECUTION_TIMEOUT_S = 60.0  # of calls and estimates: a block's worth of gas may take this long
MINE_TIMEOUT_S = 120.0
_MAX_MESSAGE_SIZE_BYTES = 256 << 20
_OPTIONS = (
    ("grpc.max_receive_message_length", _MAX_MESSAGE_SIZE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_SIZE_BYTES),
    ("grpc.enable_http_proxy", 0),  # a node is not a web site
)
_WAITS = {"accepted": node_pb2.WAIT_FOR_ACCEPTED, "committed": node_pb2.WAIT_FOR_COMMITTED}


class NodeClient:
    """The node at `address` (host:port). Close it, or use it as a context manager."""

    def __init__(self, address: str = DEFAULT_GRPC_ADDRESS, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Keep the address; the connection is made by the first call."""
        self.address = address
        self.timeout_s = timeout_s
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._node = node_pb2_grpc.NodeServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._dev = dev_pb2_grpc.DevServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; again is harmless."""
        self._channel.close()

    # ---- the chain

    def service_info(self) -> node_pb2.GetServiceInfoResponse:
        """Return who answers: chain, software, head."""
        return self._ask("GetServiceInfo", node_pb2.GetServiceInfoRequest(), node_pb2.GetServiceInfoResponse)

    def block(self, at: BlockAt = "latest", *, read_mask: Sequence[str] = ()) -> node_pb2.Block:
        """Return a block; NotFound where there is none.

        read_mask: paths of Block (id, header, transactions, receipts, result); empty: all but receipts.
        """
        request = node_pb2.GetBlockRequest(block=block_reference(at))
        if read_mask:
            request.read_mask.paths.extend(read_mask)
        return self._ask("GetBlock", request, node_pb2.GetBlockResponse).block

    def containers(self) -> list[node_pb2.ContainerInfo]:
        """Return the containers of the chain with their health."""
        request = node_pb2.ListContainersRequest()
        return list(self._ask("ListContainers", request, node_pb2.ListContainersResponse).containers)

    # ---- transactions

    def submit(
        self, container: str, raw: bytes, *, wait: Wait = "committed", timeout_s: float = COMMIT_TIMEOUT_S
    ) -> node_pb2.AcceptedTransaction:
        """Submit one signed transaction; raise what the node refused it with."""
        (outcome,) = self.submit_many([(container, raw)], wait=wait, timeout_s=timeout_s)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def submit_many(
        self,
        transactions: Iterable[tuple[str, bytes]],
        *,
        wait: Wait = "committed",
        timeout_s: float = COMMIT_TIMEOUT_S,
    ) -> list[SubmissionOutcome]:
        """Submit pairs of container and raw bytes; return, in their order, acceptances and errors.

        timeout_s: how long the node may wait for blocks when `wait` is "committed".
        """
        request = node_pb2.SubmitTransactionsRequest(
            transactions=[
                node_pb2.SubmittedTransaction(container=container, raw=raw) for container, raw in transactions
            ],
            wait_for=_WAITS[wait],
            timeout_ms=int(timeout_s * 1000),
        )
        patience_s = self.timeout_s + (timeout_s if wait == "committed" else 0.0)
        answer = self._ask(
            "SubmitTransactions", request, node_pb2.SubmitTransactionsResponse, timeout_s=patience_s
        )
        return [
            error_from_status(result.error) if result.WhichOneof("outcome") == "error" else result.accepted
            for result in answer.results
        ]

    def transaction(self, identity: bytes, *, container: str = "") -> node_pb2.GetTransactionResponse:
        """Return a transaction, committed or pending; NotFound where the node knows none of that id."""
        request = node_pb2.GetTransactionRequest(container=container, id=identity)
        return self._ask("GetTransaction", request, node_pb2.GetTransactionResponse)

    # ---- calls and queries

    def call(
        self,
        container: str,
        *,
        to: bytes = b"",
        input: bytes = b"",
        sender: bytes = b"",
        value: int = 0,
        gas_limit: int = 0,
        options: object = None,
        at: BlockAt = "latest",
    ) -> node_pb2.CallResponse:
        """Run a call in a container and keep nothing; a revert is an answer, not an error."""
        request = _call_request(container, to, input, sender, value, gas_limit, options, at)
        return self._ask("Call", request, node_pb2.CallResponse, timeout_s=EXECUTION_TIMEOUT_S)

    def estimate(
        self,
        container: str,
        *,
        to: bytes = b"",
        input: bytes = b"",
        sender: bytes = b"",
        value: int = 0,
        options: object = None,
        at: BlockAt = "latest",
    ) -> int:
        """Return the least gas limit with which a call succeeds; ExecutionReverted where none does."""
        call = _call_request(container, to, input, sender, value, 0, options, at)
        request = node_pb2.EstimateGasRequest(call=call)
        answer = self._ask(
            "EstimateGas", request, node_pb2.EstimateGasResponse, timeout_s=EXECUTION_TIMEOUT_S
        )
        return answer.gas_limit

    def query(
        self, container: str, method: str, parameters: object = None, *, at: BlockAt = "latest"
    ) -> Any:  # JSON as the container answers it
        """Ask a container what only it knows; parameters and answer are JSON values."""
        request = node_pb2.QueryRequest(
            container=container,
            at=block_reference(at),
            method=method,
            parameters_json=json.dumps({} if parameters is None else parameters).encode(),
        )
        answer = self._ask("Query", request, node_pb2.QueryResponse)
        return json.loads(answer.json) if answer.json else None

    def state(
        self, keys: Sequence[bytes], *, with_proofs: bool = False, at: BlockAt = "latest"
    ) -> node_pb2.GetStateResponse:
        """Return the raw values of full state keys (namespace, two bytes, then key), with proofs if asked."""
        request = node_pb2.GetStateRequest(keys=list(keys), at=block_reference(at), with_proofs=with_proofs)
        return self._ask("GetState", request, node_pb2.GetStateResponse)

    # ---- development chains

    def mine(self, blocks: int = 1) -> int:
        """Make blocks now; return the height of the last. Only on a development chain."""
        request = dev_pb2.MineRequest(blocks=blocks)
        return self._ask(
            "Mine", request, dev_pb2.MineResponse, service=self._dev, timeout_s=MINE_TIMEOUT_S
        ).height

    def _ask(
        self,
        method: str,
        request: object,
        answer: type[_Answer],
        *,
        service: Any = None,
        timeout_s: float | None = None,
    ) -> _Answer:
        patience_s = self.timeout_s if timeout_s is None else timeout_s
        call = getattr(self._node if service is None else service, method)
        try:
            response: _Answer = call(request, timeout=patience_s)
        except grpc.RpcError as error:
            raise error_from_call(error, address=self.address, method=method, timeout_s=patience_s) from error
        return response


def _call_request(
    container: str,
    to: bytes,
    input: bytes,
    sender: bytes,
    value: int,
    gas_limit: int,
    options: object,
    at: BlockAt,
) -> node_pb2.CallRequest:
    return node_pb2.CallRequest(
        container=container,
        at=block_reference(at),
        sender=sender,
        to=to,
        value=integer(value),
        input=input,
        gas_limit=gas_limit,
        options_json=b"" if options is None else json.dumps(options).encode(),
    )
