"""Whole nodes with the EVM, the client they are spoken to with, and signed Ethereum transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from e2e.ethereum import Wallet
from vessel.config import NodeConfig
from vessel.node import Node
from vessel_proto.dev.v1 import dev_pb2_grpc
from vessel_proto.node.v1 import node_pb2_grpc

Open = Callable[..., Node]


@pytest.fixture
def open_node(tmp_path: Path) -> Iterator[Open]:
    """Return a function that starts a node on a free port; all are closed at the end."""
    nodes: list[Node] = []

    def start(**settings: Any) -> Node:
        usual: dict[str, Any] = {
            "store": "memory:", "transport": "local", "grpc_address": "127.0.0.1:0", "mining": "manual",
        }  # fmt: skip
        node = Node.open(NodeConfig(**usual | settings))
        nodes.append(node)
        node.start()
        return node

    yield start
    for node in nodes:
        node.close()


@pytest.fixture
def wallet() -> Wallet:
    """The first account of the development genesis."""
    return Wallet(0)


class Stub:
    """The services of a node as a program in any language sees them."""

    def __init__(self, channel: grpc.Channel) -> None:
        """Speak over `channel`."""
        self.node: Any = node_pb2_grpc.NodeServiceStub(channel)  # type: ignore[no-untyped-call]
        self.dev: Any = dev_pb2_grpc.DevServiceStub(channel)  # type: ignore[no-untyped-call]
        self.channel = channel


@pytest.fixture
def connect() -> Iterator[Callable[[Node], Stub]]:
    """Return a function that connects to a node."""
    channels: list[grpc.Channel] = []

    def to(node: Node) -> Stub:
        channels.append(grpc.insecure_channel(node.grpc_address))
        return Stub(channels[-1])

    yield to
    for channel in channels:
        channel.close()
