"""The gRPC server: who is let in, what long errors carry, and where development controls are."""

from __future__ import annotations

import socket

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from unit.api_exposure.serving import CERTIFICATE, KEY, TOKEN, EmptyNode, local, serving
from vessel.api import exposure
from vessel.client import NodeClient, NodeUnreachable, Unauthenticated
from vessel.errors import ConfigurationError, ExecutionReverted, InvalidRequest

WITH_TOKEN = {"T": TOKEN}
OTHER = "another-token-of-the-same-kind"


@pytest.mark.parametrize("token", [None, OTHER])
def test_without_the_token_nobody_gets_in(token: str | None) -> None:
    with (
        serving(local(http_address=None, token_variable="T"), environment=WITH_TOKEN) as (server, _),
        NodeClient(server.address, token=token) as client,
    ):
        with pytest.raises(Unauthenticated, match="--token-file"):
            client.service_info()
        with pytest.raises(Unauthenticated):
            client.mine()


def test_with_the_token() -> None:
    with (
        serving(local(http_address=None, token_variable="T"), environment=WITH_TOKEN) as (server, _),
        NodeClient(server.address, token=TOKEN) as client,
    ):
        assert client.service_info().chain_name == "test"


def test_health_answers_without_the_token_and_reflection_does_not() -> None:
    with (
        serving(local(http_address=None, token_variable="T"), environment=WITH_TOKEN) as (server, _),
        grpc.insecure_channel(server.address) as channel,
    ):
        health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        requests = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        with pytest.raises(grpc.RpcError) as raised:
            list(reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(requests))
        assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_by_tls() -> None:
    with serving(local(http_address=None, tls_certificate=CERTIFICATE, tls_key=KEY)) as (server, _):
        with NodeClient(server.address, tls=CERTIFICATE) as client:
            assert client.service_info().chain_name == "test"
        for tls, mend in ((True, "certificate that is not trusted here"), (False, "--tls-ca")):
            client = NodeClient(server.address, tls=tls, attempts=1)
            with client, pytest.raises(NodeUnreachable, match=mend):
                client.service_info()


def test_what_a_contract_returned_comes_back_whole() -> None:
    node = EmptyNode()
    node.revert = bytes(range(256)) * 32
    with (
        serving(local(http_address=None), node) as (server, _),
        NodeClient(server.address) as client,
        pytest.raises(ExecutionReverted) as raised,
    ):
        client.estimate("evm")
    assert raised.value.output == node.revert


def test_more_than_8_kib_of_it_is_cut_but_can_be_read() -> None:
    node = EmptyNode()
    node.revert = bytes(range(256)) * 64
    with (
        serving(local(http_address=None), node) as (server, _),
        NodeClient(server.address) as client,
        pytest.raises(ExecutionReverted) as raised,
    ):
        client.estimate("evm")
    assert raised.value.output == node.revert[:8192]


def test_development_controls_stay_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "is_loopback", lambda address: not address.startswith("127.0.0.2"))
    beyond = local(http_address=None, grpc_address="127.0.0.2:0", insecure_expose=True)
    with (
        serving(beyond) as (server, _),
        NodeClient(server.address) as client,
        pytest.raises(InvalidRequest) as raised,
    ):
        client.mine()
    assert raised.value.reason == "NOT_SERVED"


@pytest.mark.parametrize("field", ["grpc_address", "http_address"])
def test_a_port_that_is_taken_names_the_holder_and_the_mend(field: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ConfigurationError) as raised, serving(local(**{field: address})):
            pass
    assert raised.value.reason == "ADDRESS_IN_USE"
    assert address in raised.value.message
    assert ("--grpc" if field == "grpc_address" else "--http") in raised.value.message


def test_an_address_of_another_machine() -> None:
    with (
        pytest.raises(ConfigurationError) as raised,
        serving(local(grpc_address="192.0.2.1:1", insecure_expose=True)),
    ):
        pass
    assert raised.value.reason == "ADDRESS_NOT_USABLE"
