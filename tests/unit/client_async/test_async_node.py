"""The asynchronous client against a node that answers from canned data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import grpc
import pytest

from unit.client.fake_node import UNKNOWN, FakeNode
from vessel.client import AsyncNodeClient, NodeTimeout, NodeUnreachable
from vessel.errors import (
    ContainerUnavailable,
    ExecutionReverted,
    InvalidRequest,
    NotFound,
    RejectedTransaction,
)
from vessel_proto.node.v1 import node_pb2

T = TypeVar("T")


@pytest.fixture
def node() -> Iterator[FakeNode]:
    fake = FakeNode()
    yield fake
    fake.close()


def with_client(node: FakeNode, work: Callable[[AsyncNodeClient], Awaitable[T]]) -> T:
    """Do some work with a client of a node, in a loop of its own."""

    async def run() -> T:
        async with AsyncNodeClient(node.address, attempts=1) as client:
            return await work(client)

    return asyncio.run(run())


def test_what_it_asks_is_what_it_gets(node: FakeNode) -> None:
    async def work(client: AsyncNodeClient) -> None:
        assert (await client.service_info()).chain_id == 31337
        assert (await client.block(3, read_mask=["header"])).header.height == 3
        assert [each.name for each in await client.containers()] == ["evm"]
        assert (await client.transaction(b"\2" * 32)).committed.block_height == 3
        assert (await client.submit("evm", b"\1")).committed.block_height == 3
        assert (await client.call("evm", to=b"\1" * 20)).height == 3
        assert await client.estimate("evm") == 50_000
        assert await client.query("evm", "account", {"address": "0x00"}) == {"nonce": 7}
        assert (await client.state([b"\0\0key"])).height == 3
        assert await client.mine(2) == 5

    with_client(node, work)
    assert node.requests[1].read_mask.paths == ["header"]


def test_many_at_a_time(node: FakeNode) -> None:
    async def work(client: AsyncNodeClient) -> list[node_pb2.Block]:
        return await asyncio.gather(*(client.block(height) for height in (1, 2, 3)))

    assert len(with_client(node, work)) == 3


@pytest.mark.parametrize(
    ("method", "failure", "kind"),
    [
        ("GetBlock", NotFound("gone"), NotFound),
        ("GetBlock", grpc.StatusCode.UNAVAILABLE, NodeUnreachable),
        ("GetBlock", grpc.StatusCode.DEADLINE_EXCEEDED, NodeTimeout),
        ("GetBlock", ContainerUnavailable("restarting"), ContainerUnavailable),
    ],
)
def test_errors_are_those_of_the_platform(
    node: FakeNode, method: str, failure: NotFound | grpc.StatusCode, kind: type[Exception]
) -> None:
    node.fails[method] = failure
    with pytest.raises(kind):
        with_client(node, lambda client: client.block())


def test_a_failed_estimate_is_an_outcome(node: FakeNode) -> None:
    node.fails["EstimateGas"] = InvalidRequest("it reverts", reason="EXECUTION_REVERTED", output="0xabcd")
    with pytest.raises(ExecutionReverted) as raised:
        with_client(node, lambda client: client.estimate("evm"))
    assert raised.value.output == b"\xab\xcd"


def test_refusals(node: FakeNode) -> None:
    node.refuses[0] = RejectedTransaction("too low", reason="NONCE_TOO_LOW")
    with pytest.raises(RejectedTransaction, match="too low"):
        with_client(node, lambda client: client.submit("evm", b"\1"))
    with pytest.raises(NotFound):
        with_client(node, lambda client: client.transaction(UNKNOWN))
