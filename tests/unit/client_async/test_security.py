"""What a client does with a token and a certificate before it connects, and what it asks again."""

from __future__ import annotations

import json
from pathlib import Path

import grpc
import pytest

from unit.client.fake_node import FakeNode
from vessel.client import AsyncNodeClient, NodeClient, NodeUnreachable, read_token
from vessel.client.request import NODE, REPEATABLE, service_config
from vessel.errors import ConfigurationError
from vessel_proto.node.v1 import node_pb2

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize("kind", [NodeClient, AsyncNodeClient])
@pytest.mark.parametrize("address", ["node.example:4600", "192.0.2.1:4600", "localhost.example:4600"])
def test_a_token_does_not_leave_the_machine_in_the_clear(
    kind: type[NodeClient] | type[AsyncNodeClient], address: str
) -> None:
    with pytest.raises(ConfigurationError, match="--tls-ca FILE") as raised:
        kind(address, token=TOKEN)
    assert raised.value.reason == "TOKEN_IN_THE_CLEAR"


@pytest.mark.parametrize("address", ["127.0.0.1:1", "localhost:1", "[::1]:1", "unix:socket"])
def test_on_this_machine_it_may(address: str) -> None:
    NodeClient(address, token=TOKEN).close()


def test_a_file_of_certificates_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        NodeClient(tls=tmp_path / "absent")
    (tmp_path / "empty").touch()
    with pytest.raises(ConfigurationError, match="holds no certificate"):
        NodeClient(tls=tmp_path / "empty")


def test_a_token_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    assert read_token(path) == TOKEN
    path.write_text("\n")
    with pytest.raises(ConfigurationError, match="empty"):
        read_token(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_token(tmp_path / "absent")


def test_only_what_changes_nothing_is_asked_again() -> None:
    methods = node_pb2.DESCRIPTOR.services_by_name["NodeService"].methods
    assert {method.name for method in methods} - set(REPEATABLE) == {"SubmitTransactions", "Subscribe"}
    config = json.loads(service_config(3) or "")["methodConfig"][0]
    assert {name["method"] for name in config["name"]} == set(REPEATABLE)
    assert {name["service"] for name in config["name"]} == {NODE}
    assert service_config(1) is None


def test_a_read_is_asked_again_and_a_submission_is_not() -> None:
    node = FakeNode()
    node.fails = {"GetBlock": grpc.StatusCode.UNAVAILABLE, "SubmitTransactions": grpc.StatusCode.UNAVAILABLE}
    try:
        with NodeClient(node.address, attempts=2) as client:
            with pytest.raises(NodeUnreachable):
                client.block()
            assert len(node.requests) == 2
            with pytest.raises(NodeUnreachable):
                client.submit("evm", b"\1")
            assert len(node.requests) == 3
    finally:
        node.close()
