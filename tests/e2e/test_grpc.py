"""A node as a program in any language sees it: node/v1 and dev/v1."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import field_mask_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from e2e.conftest import Open, Stub
from e2e.ethereum import Wallet, call_data, init_code, mine, submit, token_story
from vessel.database.namespace import ledger_key
from vessel.database.proof import Proof, verify_absence, verify_inclusion
from vessel.node import Node
from vessel.primitives.encoding import from_integer
from vessel.primitives.hashing import SHA256
from vessel.primitives.units import Address, Hash32
from vessel_proto.dev.v1 import dev_pb2
from vessel_proto.node.v1 import node_pb2 as pb

Connect = Callable[[Node], Stub]


@pytest.fixture
def node(open_node: Open, wallet: Wallet) -> Node:
    """A node with the token's story on it, three blocks of it."""
    opened = open_node()
    for raws in token_story(wallet):
        submit(opened, *raws)
        mine(opened)
    return opened


@pytest.fixture
def stub(node: Node, connect: Connect) -> Stub:
    """A connection to that node."""
    return connect(node)


def failure(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str, error_details_pb2.ErrorInfo]:
    """Return code, message and ErrorInfo of a call that fails."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(details)
    assert error.code().value[0] == status.code
    assert error.details() == status.message
    return error.code(), status.message, info(status)


def info(status: status_pb2.Status) -> error_details_pb2.ErrorInfo:
    """Return the ErrorInfo of a status."""
    read = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(read)
    assert read.domain == "vessel"
    return read


def submission(*raws: bytes, container: str = "evm", **more: Any) -> pb.SubmitTransactionsRequest:
    """Return a request that submits."""
    transactions = [pb.SubmittedTransaction(container=container, raw=raw) for raw in raws]
    return pb.SubmitTransactionsRequest(transactions=transactions, **more)


# ---- reading


def test_who_answers(node: Node, stub: Stub) -> None:
    answer = stub.node.GetServiceInfo(pb.GetServiceInfoRequest())
    assert (
        answer.software, answer.chain_name, answer.chain_id, answer.hash, answer.consensus, answer.dev,
    ) == ("vessel", "dev", 31337, "sha256", "instant", True)  # fmt: skip
    assert (node.genesis_hash, 3, 3) == (answer.genesis_hash, answer.head.height, answer.finalized_height)
    assert (node.chain.head.block_id, 0) == (answer.head.id, answer.pending_transactions)


def test_blocks_by_height_id_and_tag(node: Node, stub: Stub) -> None:
    for height in range(4):
        expected = node.chain.store.block(height)
        by_height = stub.node.GetBlock(pb.GetBlockRequest(block=pb.BlockReference(height=height))).block
        by_id = stub.node.GetBlock(pb.GetBlockRequest(block=pb.BlockReference(id=expected.block_id))).block
        assert by_height == by_id
        assert (expected.block_id, expected.block.header.parent_id) == (by_id.id, by_id.header.parent_id)
        assert expected.block.seal.result.state_root == by_id.result.state_root
        assert [t.raw for t in expected.block.transactions] == [t.raw for t in by_id.transactions]
        assert [r.transaction_id for r in expected.receipts] == [t.id for t in by_id.transactions]
        assert not by_id.receipts
    heights = [
        stub.node.GetBlock(pb.GetBlockRequest(block=pb.BlockReference(tag=tag))).block.header.height
        for tag in (pb.BLOCK_TAG_LATEST, pb.BLOCK_TAG_FINALIZED, pb.BLOCK_TAG_GENESIS)
    ]
    assert heights == [3, 3, 0]
    assert stub.node.GetBlock(pb.GetBlockRequest()).block.header.height == 3


@pytest.mark.parametrize("part", ["id", "header", "transactions", "receipts", "result"])
def test_a_mask_names_the_parts_that_are_sent(stub: Stub, part: str) -> None:
    mask = field_mask_pb2.FieldMask(paths=[part])
    block = stub.node.GetBlock(pb.GetBlockRequest(read_mask=mask)).block
    assert [part] == [field.name for field, _ in block.ListFields()]


def test_a_transaction_with_its_receipt(node: Node, stub: Stub) -> None:
    block = node.chain.store.block(2)
    for index, receipt in enumerate(block.receipts):
        for container in ("evm", ""):
            request = pb.GetTransactionRequest(container=container, id=receipt.transaction_id)
            found = stub.node.GetTransaction(request).committed
            assert (2, index, block.block_id) == (found.block_height, found.index, found.block_id)
            assert receipt.status.value == found.receipt.status
            assert (receipt.gas_used, receipt.output) == (found.receipt.gas_used, found.receipt.output)
            assert receipt.burned == from_integer(found.receipt.burned)
            assert len(receipt.logs) == len(found.receipt.logs)
    details = json.loads(stub.node.GetTransaction(
        pb.GetTransactionRequest(id=node.chain.store.block(1).receipts[0].transaction_id)
    ).committed.receipt.details_json)  # fmt: skip
    assert "0x" + Wallet(0).created(0).hex() in json.dumps(details).lower()


def test_calls_and_estimates(stub: Stub, wallet: Wallet) -> None:
    token = wallet.created(0)
    balance = pb.CallRequest(
        container="evm", to=token, input=call_data("balanceOf(address)", Wallet(1).address)
    )
    answer = stub.node.Call(balance)
    assert (answer.status, int.from_bytes(answer.output, "big"), answer.height) == (pb.STATUS_OK, 5, 3)
    balance.at.height = 1
    before = stub.node.Call(balance)
    assert (int.from_bytes(before.output, "big"), before.height) == (0, 1)
    transfer = pb.CallRequest(
        container="evm", to=token, sender=wallet.sender,
        input=call_data("transfer(address,uint256)", Wallet(2).address, 1),
    )  # fmt: skip
    estimate = stub.node.EstimateGas(pb.EstimateGasRequest(call=transfer)).gas_limit
    assert 21_000 < estimate < 100_000
    transfer.gas_limit = estimate
    assert stub.node.Call(transfer).status == pb.STATUS_OK


def test_an_estimate_of_what_cannot_succeed_says_why(stub: Stub, wallet: Wallet) -> None:
    request = pb.EstimateGasRequest(call=pb.CallRequest(
        container="evm", to=wallet.created(0), sender=wallet.sender,
        input=call_data("transfer(address,uint256)", Wallet(2).address, 10**30),
    ))  # fmt: skip
    code, _, detail = failure(lambda: stub.node.EstimateGas(request))
    assert (code, detail.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "EXECUTION_REVERTED")
    assert detail.metadata["status"] == "REVERTED"
    revert = stub.node.Call(request.call)
    assert revert.status == pb.STATUS_REVERTED
    assert "0x" + revert.output.hex() == detail.metadata["output"]


def test_queries(stub: Stub, wallet: Wallet) -> None:
    request = pb.QueryRequest(
        container="evm", method="nonce", parameters_json=json.dumps({"address": wallet.address}).encode()
    )
    answer = stub.node.Query(request)
    assert (int(json.loads(answer.json)["nonce"], 16), answer.height) == (8, 3)
    request.at.tag = pb.BLOCK_TAG_GENESIS
    assert int(json.loads(stub.node.Query(request).json)["nonce"], 16) == 0
    request.method = "horoscope"
    code, message, _ = failure(lambda: stub.node.Query(request))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "horoscope" in message


def test_state_with_proofs(node: Node, stub: Stub, wallet: Wallet) -> None:
    there, absent = ledger_key(Address(wallet.sender)), ledger_key(Address(b"n" * 20))
    for height in range(4):
        answer = stub.node.GetState(
            pb.GetStateRequest(keys=[there, absent], at=pb.BlockReference(height=height), with_proofs=True)
        )
        assert node.chain.store.block_id(height) == answer.block_id
        root = Hash32(answer.state_root)
        if height < 3:
            child = stub.node.GetBlock(pb.GetBlockRequest(block=pb.BlockReference(height=height + 1))).block
            assert child.header.parent_result.state_root == root
        value, nothing = answer.entries
        assert not nothing.HasField("value")
        assert verify_inclusion(Proof.from_bytes(value.proof), root, there, value.value, SHA256)
        assert verify_absence(Proof.from_bytes(nothing.proof), root, absent, SHA256)


def test_containers(stub: Stub) -> None:
    (evm,) = stub.node.ListContainers(pb.ListContainersRequest()).containers
    assert (
        evm.name, evm.kind, evm.transport, evm.namespace, evm.gas_limit, evm.process_id,
    ) == ("evm", "evm", "local", 1, 30_000_000, 0)  # fmt: skip
    assert evm.health == pb.CONTAINER_HEALTH_SERVING


# ---- submitting


def test_a_batch_of_good_and_bad(stub: Stub, node: Node, wallet: Wallet) -> None:
    other = Wallet(1)
    good = other.sign(wallet.sender, value=1, gas=21_000)
    raws = [
        good,
        b"nonsense",
        wallet.sign(other.sender, nonce=0),
        other.sign(wallet.sender, value=10**30, nonce=1),
        good,
        other.sign(wallet.sender, nonce=1, chain_id=1),
    ]
    request = submission(*raws)
    request.transactions.append(pb.SubmittedTransaction(container="alien", raw=b"x"))
    request.transactions.append(pb.SubmittedTransaction(container="evm", raw=b""))
    results = stub.node.SubmitTransactions(request).results
    outcomes = [result.WhichOneof("outcome") for result in results]
    assert outcomes == ["accepted"] + ["error"] * 7
    reasons = [info(result.error).reason for result in results[1:]]
    assert reasons[1:5] == ["NONCE_TOO_LOW", "INSUFFICIENT_FUNDS", "ALREADY_KNOWN", "WRONG_CHAIN"]
    assert reasons[5:] == ["UNKNOWN_CONTAINER", "SIZE"]
    assert {"code": "REJECTED_TRANSACTION"}.items() <= dict(info(results[2].error).metadata).items()
    pending = stub.node.GetTransaction(pb.GetTransactionRequest(id=results[0].accepted.id)).pending
    assert (good, other.sender) == (pending.raw, pending.sender)
    assert stub.node.GetServiceInfo(pb.GetServiceInfoRequest()).pending_transactions == 1
    mine(node)
    place = stub.node.GetTransaction(pb.GetTransactionRequest(id=results[0].accepted.id)).committed
    assert (place.block_height, place.index) == (4, 0)


@pytest.mark.slow
def test_waiting_for_a_block(open_node: Open, connect: Connect, wallet: Wallet) -> None:
    stub = connect(open_node(mining="auto"))
    raws = [wallet.sign(Wallet(1).sender, value=1, gas=21_000) for _ in range(3)]
    results = stub.node.SubmitTransactions(submission(*raws, wait_for=pb.WAIT_FOR_COMMITTED)).results
    for result in results:
        assert result.accepted.committed.receipt.status == pb.STATUS_OK
        assert result.accepted.id == result.accepted.committed.id


def test_waiting_ends_with_the_time(stub: Stub, wallet: Wallet, node: Node) -> None:
    raw = wallet.sign(Wallet(1).sender, value=1, gas=21_000)
    request = submission(raw, wait_for=pb.WAIT_FOR_COMMITTED, timeout_ms=20)
    (result,) = stub.node.SubmitTransactions(request).results
    assert grpc.StatusCode.DEADLINE_EXCEEDED.value[0] == result.error.code
    detail = info(result.error)
    assert detail.reason == "NOT_COMMITTED_YET"
    assert [detail.metadata["id"]] == [r.transaction_id.hex() for r in mine(node).receipts]


def test_one_containers_wait_does_not_hold_up_another(stub: Stub, wallet: Wallet, node: Node) -> None:
    """All of a mixed batch is admitted before anything of it is waited for."""
    first, second = (wallet.sign(Wallet(1).sender, value=1, gas=21_000) for _ in range(2))
    request = submission(first, wait_for=pb.WAIT_FOR_COMMITTED, timeout_ms=20_000)
    request.transactions.append(pb.SubmittedTransaction(container="alien", raw=b"x"))
    request.transactions.append(pb.SubmittedTransaction(container="evm", raw=second))
    admitted = threading.Event()
    submit_them = node.chain.admission.submit

    def watched(container: str, raws: list[bytes]) -> Any:
        answers = submit_them(container, raws)
        if len(raws) == 2:
            admitted.set()
        return answers

    node.chain.admission.submit = watched  # type: ignore[method-assign,assignment]
    answer = stub.node.SubmitTransactions.future(request)
    assert admitted.wait(20)
    assert len(mine(node).receipts) == 2
    outcomes = [result.WhichOneof("outcome") for result in answer.result(20).results]
    assert outcomes == ["accepted", "error", "accepted"]


# ---- errors


@pytest.mark.parametrize(
    ("method", "request_", "code", "reason"),
    [
        ("GetBlock", pb.GetBlockRequest(block=pb.BlockReference(height=99)), "NOT_FOUND", "NOT_FOUND"),
        ("GetBlock", pb.GetBlockRequest(block=pb.BlockReference(height=2**64 - 1)), "NOT_FOUND", "NOT_FOUND"),
        ("GetBlock", pb.GetBlockRequest(block=pb.BlockReference(id=b"x" * 32)), "NOT_FOUND", "NOT_FOUND"),
        (
            "GetBlock",
            pb.GetBlockRequest(block=pb.BlockReference(id=b"x")),
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
        ),
        (
            "GetBlock",
            pb.GetBlockRequest(read_mask=field_mask_pb2.FieldMask(paths=["nonsense" * 1000])),
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
        ),
        ("GetTransaction", pb.GetTransactionRequest(id=b"x"), "NOT_FOUND", "NOT_FOUND"),
        ("GetTransaction", pb.GetTransactionRequest(), "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ("Call", pb.CallRequest(container="alien"), "NOT_FOUND", "UNKNOWN_CONTAINER"),
        ("Call", pb.CallRequest(container="evm", sender=b"x"), "INVALID_ARGUMENT", "INVALID_REQUEST"),
        ("Call", pb.CallRequest(container="evm", value=b"\0\1"), "INVALID_ARGUMENT", "INVALID_REQUEST"),
        (
            "GetState",
            pb.GetStateRequest(keys=[b"k"] * 10_001),
            "INVALID_ARGUMENT",
            "INVALID_REQUEST",
        ),
        ("SubmitTransactions", pb.SubmitTransactionsRequest(), "INVALID_ARGUMENT", "INVALID_REQUEST"),
    ],
)  # fmt: skip
def test_errors_carry_a_code_a_reason_and_a_message(
    stub: Stub, method: str, request_: Any, code: str, reason: str
) -> None:
    found, message, detail = failure(lambda: getattr(stub.node, method)(request_))
    assert (code, reason) == (found.name, detail.reason)
    assert message


def test_mining_by_hand(stub: Stub) -> None:
    assert stub.dev.Mine(dev_pb2.MineRequest()).height == 4
    assert stub.dev.Mine(dev_pb2.MineRequest(blocks=5)).height == 9
    code, message, _ = failure(lambda: stub.dev.Mine(dev_pb2.MineRequest(blocks=10_001)))
    assert (code, "1 to 10000" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def test_health_and_reflection(stub: Stub) -> None:
    health: Any = health_pb2_grpc.HealthStub(stub.channel)
    for service in ("", "vessel.node.v1.NodeService", "vessel.dev.v1.DevService"):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(stub.channel)
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    (listed,) = reflection.ServerReflectionInfo(asked)
    services = {service.name for service in listed.list_services_response.service}
    assert {"vessel.node.v1.NodeService", "vessel.dev.v1.DevService", "grpc.health.v1.Health"} <= services


def test_what_is_no_development_chain_serves_no_development_controls(
    open_node: Open, connect: Connect, tmp_path: Path
) -> None:
    genesis = tmp_path / "genesis.toml"
    genesis.write_text(
        '[chain]\nname = "real"\nid = 5\ntime = 2026-01-01T00:00:00Z\n'
        '[consensus]\nengine = "instant"\nmode = "manual"\n[containers.evm]\naddresses = "open"\n'
    )
    stub = connect(open_node(genesis=genesis, mining=None))
    with pytest.raises(grpc.RpcError) as caught:
        stub.dev.Mine(dev_pb2.MineRequest())
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED  # type: ignore[attr-defined]
    assert not stub.node.GetServiceInfo(pb.GetServiceInfoRequest()).dev


def test_too_much_init_code_is_refused_with_the_numbers(stub: Stub, wallet: Wallet) -> None:
    code = init_code("counter/Counter") + bytes(50_000)
    (result,) = stub.node.SubmitTransactions(submission(wallet.sign(None, code, gas=5_000_000))).results
    assert info(result.error).reason == "INIT_CODE_TOO_LARGE"
    assert "49152" in result.error.message
