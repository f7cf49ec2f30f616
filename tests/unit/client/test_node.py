"""The client asks what it says it asks, and its errors are those of the platform."""

from __future__ import annotations

import json
import socket

import grpc
import pytest
from google.rpc.status_pb2 import Status

from unit.client.fake_node import BASE_FEE, UNKNOWN, FakeNode
from vessel.client import NodeClient, NodeTimeout, NodeUnreachable
from vessel.errors import (
    ContainerQuarantined,
    ContainerUnavailable,
    ExecutionReverted,
    HeightNotKept,
    InvalidRequest,
    NotFound,
    RejectedTransaction,
    VesselError,
)
from vessel.primitives.encoding import from_integer
from vessel_proto.node.v1 import node_pb2


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_service_info(client: NodeClient) -> None:
    info = client.service_info()
    assert (info.chain_name, info.chain_id, info.head.height) == ("dev", 31337, 3)


@pytest.mark.parametrize(
    ("at", "field"), [(3, "height"), (bytes(32), "id"), ("latest", "tag"), ("genesis", "tag")]
)
def test_block_by_height_id_or_tag(
    client: NodeClient, node: FakeNode, at: int | bytes | str, field: str
) -> None:
    block = client.block(at, read_mask=["header"])
    request = node.requests[-1]
    assert request.block.WhichOneof("reference") == field
    assert list(request.read_mask.paths) == ["header"]
    assert from_integer(block.header.sections[0].base_fee) == BASE_FEE


def test_submit_waits_for_the_block(client: NodeClient, node: FakeNode) -> None:
    accepted = client.submit("evm", b"\1", timeout_s=2.5)
    assert node.requests[-1].wait_for == node_pb2.WAIT_FOR_COMMITTED
    assert node.requests[-1].timeout_ms == 2500
    assert accepted.committed.block_height == 3


def test_submit_returns_once_accepted(client: NodeClient, node: FakeNode) -> None:
    accepted = client.submit("evm", b"\1", wait="accepted")
    assert node.requests[-1].wait_for == node_pb2.WAIT_FOR_ACCEPTED
    assert not accepted.HasField("committed")


def test_a_refused_item_of_a_batch_is_an_error_among_answers(client: NodeClient, node: FakeNode) -> None:
    node.refuses[1] = RejectedTransaction("nonce 1 is below 2", reason="NONCE_TOO_LOW", expected=2, actual=1)
    first, second = client.submit_many([("evm", b"\1"), ("evm", b"\2")])
    assert isinstance(first, node_pb2.AcceptedTransaction)
    assert isinstance(second, RejectedTransaction)
    assert (second.reason, second.message) == ("NONCE_TOO_LOW", "nonce 1 is below 2")
    assert second.details == {"expected": "2", "actual": "1"}


def test_submitting_one_raises_what_it_was_refused_with(client: NodeClient, node: FakeNode) -> None:
    node.refuses[0] = RejectedTransaction("too low", reason="NONCE_TOO_LOW")
    with pytest.raises(RejectedTransaction, match="too low"):
        client.submit("evm", b"\1")


def test_transaction(client: NodeClient) -> None:
    assert client.transaction(b"\2" * 32).committed.block_height == 3
    with pytest.raises(NotFound, match="no such transaction"):
        client.transaction(UNKNOWN)


def test_call_sends_every_field(client: NodeClient, node: FakeNode) -> None:
    client.call(
        "evm", to=b"\1" * 20, input=b"\2", sender=b"\3" * 20, value=256, gas_limit=9, options={"a": 1}, at=2
    )
    request = node.requests[-1]
    assert (request.to, request.input, request.sender) == (b"\1" * 20, b"\2", b"\3" * 20)
    assert (request.value, request.gas_limit, request.at.height) == (b"\1\0", 9, 2)
    assert json.loads(request.options_json) == {"a": 1}


def test_query_speaks_json(client: NodeClient, node: FakeNode) -> None:
    assert client.query("evm", "account", {"address": "0x00"}) == {"nonce": 7}
    assert json.loads(node.requests[-1].parameters_json) == {"address": "0x00"}


def test_estimate_containers_and_mine(client: NodeClient) -> None:
    assert client.estimate("evm", to=b"\1" * 20) == 50_000
    assert [each.name for each in client.containers()] == ["evm"]
    assert client.mine(2) == 5


def test_a_failed_estimate_is_an_outcome_with_its_revert_data(client: NodeClient, node: FakeNode) -> None:
    node.fails["EstimateGas"] = InvalidRequest("it reverts", reason="EXECUTION_REVERTED", output="0xabcd")
    with pytest.raises(ExecutionReverted) as raised:
        client.estimate("evm")
    assert (raised.value.output, raised.value.message) == (b"\xab\xcd", "it reverts")


@pytest.mark.parametrize(
    "error",
    [
        HeightNotKept("pruned", height=2),
        ContainerQuarantined("kept dying"),
        InvalidRequest("does not fit", reason="PROOF_MISMATCH", reason_text="why"),
        VesselError("a fault"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_of_the_node_come_back_as_they_were(
    client: NodeClient, node: FakeNode, error: VesselError
) -> None:
    node.fails["GetBlock"] = error
    with pytest.raises(type(error)) as raised:
        client.block()
    assert type(raised.value) is type(error)
    assert raised.value.message == error.message
    assert raised.value.reason == error.reason
    assert raised.value.details == error.details


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.NOT_FOUND, NotFound),
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequest),
        (grpc.StatusCode.UNIMPLEMENTED, InvalidRequest),
        (grpc.StatusCode.UNAVAILABLE, NodeUnreachable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, NodeTimeout),
        (grpc.StatusCode.INTERNAL, VesselError),
    ],
)
def test_a_status_without_details_still_has_a_type(
    client: NodeClient, node: FakeNode, code: grpc.StatusCode, kind: type[VesselError]
) -> None:
    node.fails["GetBlock"] = code
    with pytest.raises(VesselError) as raised:
        client.block()
    assert type(raised.value) is kind


def test_a_container_that_is_unavailable_is_not_a_node_that_is(client: NodeClient, node: FakeNode) -> None:
    node.fails["Call"] = ContainerUnavailable("being restarted")
    with pytest.raises(ContainerUnavailable):
        client.call("evm")


def test_a_code_of_a_newer_node_falls_back_to_the_grpc_code(client: NodeClient, node: FakeNode) -> None:
    node.fails["GetBlock"] = Status(code=grpc.StatusCode.NOT_FOUND.value[0], message="gone")
    with pytest.raises(NotFound, match="gone"):
        client.block()


def test_nobody_there_names_the_address_and_the_mend() -> None:
    address = f"127.0.0.1:{free_port()}"
    with NodeClient(address) as client, pytest.raises(NodeUnreachable) as raised:
        client.service_info()
    assert address in raised.value.message
    assert "vessel dev" in raised.value.message


def test_a_node_that_takes_the_call_and_says_nothing_runs_into_the_timeout() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with NodeClient(address, timeout_s=0.05) as client, pytest.raises(NodeUnreachable):
            client.service_info()
