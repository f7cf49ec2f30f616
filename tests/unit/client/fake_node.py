"""A node that answers the gRPC API from canned data, in this process.

It keeps what it was asked and fails where a test says so. State and its proofs are real: a commitment
tree over the values a test put in.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from vessel.database.namespace import encode_balance, ledger_key
from vessel.database.proof import make_proof
from vessel.database.tree import empty_tree, entries_of, update
from vessel.errors import NotFound, VesselError
from vessel.primitives.address import parse_address
from vessel.primitives.encoding import integer
from vessel.primitives.hashing import SHA256
from vessel.primitives.header import Header
from vessel.primitives.merkle import list_root
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import Hash32, Height
from vessel_proto.dev.v1 import dev_pb2, dev_pb2_grpc
from vessel_proto.node.v1 import node_pb2, node_pb2_grpc

CHAIN_ID = 31337
BASE_FEE = 10**9
FIRST_ACCOUNT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
UNKNOWN = bytes(31) + b"\x01"


def status_of(error: VesselError, code: grpc.StatusCode = grpc.StatusCode.FAILED_PRECONDITION) -> Status:
    """Return an error as the node sends it."""
    detail = AnyMessage()
    detail.Pack(
        ErrorInfo(reason=error.reason, domain="vessel", metadata={"code": error.code, **error.details})
    )
    return Status(code=code.value[0], message=error.message, details=[detail])


class FakeNode(node_pb2_grpc.NodeServiceServicer, dev_pb2_grpc.DevServiceServicer):
    """The servicer and its server; `address` is where it listens."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.fails: dict[str, VesselError | Status | grpc.StatusCode] = {}  # by method
        self.refuses: dict[int, VesselError] = {}  # by place in a batch
        self.dev = True
        self.nonce: object = 7
        self.gas = 50_000
        self.commits = True
        self.receipt = node_pb2.Receipt(container="evm", status=node_pb2.STATUS_OK, gas_used=21_000)
        self.answer = node_pb2.CallResponse(status=node_pb2.STATUS_OK, gas_used=1, height=3)
        self.values = {ledger_key(parse_address(FIRST_ACCOUNT)): encode_balance(10**22) or b""}
        self.lies = False
        self._server = grpc.server(ThreadPoolExecutor(2))
        node_pb2_grpc.add_NodeServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        dev_pb2_grpc.add_DevServiceServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def close(self) -> None:
        """Stop serving and wait for it."""
        self._server.stop(None).wait()

    # ---- answers

    def GetServiceInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._take("GetServiceInfo", request, context)
        head = node_pb2.BlockSummary(height=3, id=self.block().id, time_ms=1_767_225_600_000)
        return node_pb2.GetServiceInfoResponse(
            software="vessel", version="0.1.0", chain_name="dev", chain_id=CHAIN_ID, genesis_hash=bytes(32),
            hash="sha256", consensus="instant", dev=self.dev, head=head, finalized_height=3,
        )  # fmt: skip

    def SubmitTransactions(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._take("SubmitTransactions", request, context)
        results = []
        for place, each in enumerate(request.transactions):
            if place in self.refuses:
                results.append(node_pb2.SubmissionResult(error=status_of(self.refuses[place])))
                continue
            accepted = node_pb2.AcceptedTransaction(id=SHA256(each.raw))
            if self.commits and request.wait_for == node_pb2.WAIT_FOR_COMMITTED:
                accepted.committed.CopyFrom(self._committed(each.container, each.raw))
            results.append(node_pb2.SubmissionResult(accepted=accepted))
        return node_pb2.SubmitTransactionsResponse(results=results)

    def GetTransaction(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._take("GetTransaction", request, context)
        if request.id == UNKNOWN:
            self._refuse(NotFound("there is no such transaction"), context, grpc.StatusCode.NOT_FOUND)
        if not self.commits:
            pending = node_pb2.PendingTransaction(container="evm", id=request.id, raw=b"\1", sender=bytes(20))
            return node_pb2.GetTransactionResponse(pending=pending)
        return node_pb2.GetTransactionResponse(committed=self._committed("evm", b"\1"))

    def GetBlock(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._take("GetBlock", request, context)
        if request.block.height > 3:
            self._refuse(NotFound("there is no such block"), context, grpc.StatusCode.NOT_FOUND)
        return node_pb2.GetBlockResponse(block=self.block())

    def Call(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._take("Call", request, context)
        return self.answer

    def EstimateGas(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._take("EstimateGas", request, context)
        return node_pb2.EstimateGasResponse(gas_limit=self.gas)

    def Query(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._take("Query", request, context)
        return node_pb2.QueryResponse(json=json.dumps({"nonce": self.nonce}).encode(), height=3)

    def GetState(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._take("GetState", request, context)
        tree, records = update(empty_tree(SHA256), entries_of(SHA256, self.values), _nothing, SHA256)
        assert records is not None
        entries = []
        for key in request.keys:
            entry = node_pb2.StateEntry(key=key, value=self.values.get(key))
            if request.with_proofs:
                entry.proof = make_proof(tree, key, _nothing, SHA256).to_bytes()
            if self.lies:
                entry.value = integer(5)
            entries.append(entry)
        return node_pb2.GetStateResponse(
            height=3, block_id=self.block().id, state_root=tree.root, entries=entries
        )

    def ListContainers(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._take("ListContainers", request, context)
        return node_pb2.ListContainersResponse(containers=[container()])

    def Mine(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._take("Mine", request, context)
        return dev_pb2.MineResponse(height=3 + request.blocks)

    # ---- parts

    def block(self) -> node_pb2.Block:
        """Return block 3, whose id and transactions root follow from its content."""
        transaction = Transaction(container="evm", raw=b"\1\2\3")
        section = node_pb2.Section(
            container="evm", gas_limit=30_000_000, gas_used=21_000, base_fee=integer(BASE_FEE)
        )
        message = node_pb2.Block(
            header=node_pb2.Header(
                version=1, height=3, parent_id=bytes(range(32)), time_ms=1_767_225_600_000,
                proposer=bytes(20), randomness=bytes(32),
                transactions_root=list_root(SHA256, [transaction.encode()]),
                sections=[section],
                parent_result=node_pb2.BlockResult(
                    state_root=b"\5" * 32, receipts_root=b"\6" * 32, gas_used=1
                ),
            ),
            transactions=[node_pb2.EnvelopedTransaction(container="evm", raw=transaction.raw, id=b"\7" * 32)],
            result=node_pb2.BlockResult(state_root=b"\3" * 32, receipts_root=b"\4" * 32, gas_used=21_000),
        )  # fmt: skip
        message.id = _block_id(message)
        return message

    def _committed(self, name: str, raw: bytes) -> node_pb2.TransactionInBlock:
        return node_pb2.TransactionInBlock(
            container=name, id=SHA256(raw), raw=raw, block_height=3, block_id=self.block().id,
            block_time_ms=1_767_225_600_000, index=0, receipt=self.receipt,
        )  # fmt: skip

    def _take(self, method: str, request: Any, context: grpc.ServicerContext) -> None:
        self.requests.append(request)
        failure = self.fails.get(method)
        if isinstance(failure, VesselError):
            self._refuse(failure, context, grpc.StatusCode.FAILED_PRECONDITION)
        elif isinstance(failure, Status):
            context.abort_with_status(rpc_status.to_status(failure))
        elif failure is not None:
            context.abort(failure, "as the test wants it")

    def _refuse(self, error: VesselError, context: grpc.ServicerContext, code: grpc.StatusCode) -> None:
        context.abort_with_status(rpc_status.to_status(status_of(error, code)))


def container() -> node_pb2.ContainerInfo:
    """Return a container in good health."""
    return node_pb2.ContainerInfo(
        name="evm", kind="evm", version="0.1.0", transport="grpc", namespace=1, gas_limit=30_000_000,
        capabilities=["estimate"], engine_digest=b"\xab", health=node_pb2.CONTAINER_HEALTH_SERVING,
        restarts=1, process_id=4242,
    )  # fmt: skip


def _block_id(message: node_pb2.Block) -> bytes:
    """Return the id, computed by hand from the fields: the converter is what tests compare with it."""
    from vessel.primitives.header import BlockResult
    from vessel.primitives.section import Section
    from vessel.primitives.units import Coin, Gas

    header = message.header
    return Header(
        height=Height(3),
        parent_id=Hash32(header.parent_id),
        time_ms=header.time_ms,
        transactions_root=Hash32(header.transactions_root),
        sections=(
            ("evm", Section(gas_limit=Gas(30_000_000), gas_used=Gas(21_000), base_fee=Coin(BASE_FEE))),
        ),
        parent_result=BlockResult(
            state_root=Hash32(b"\5" * 32), receipts_root=Hash32(b"\6" * 32), gas_used=Gas(1)
        ),
    ).block_id(SHA256)


def _nothing(path: bytes, expected: Hash32) -> bytes:
    raise AssertionError(f"the tree is in memory, nothing loads {path.hex()} {expected.hex()}")
