"""Subscriptions to a whole node, over gRPC: handed over, dropped, taken back, resumed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from e2e.conftest import Open
from vessel.chain.subscriptions import MAX_QUEUED_BLOCKS
from vessel.client import AsyncNodeClient, NodeClient, NodeUnreachable
from vessel.client.request import Ask, as_sent
from vessel.container.node_api import Notice, What
from vessel.errors import InvalidRequest, SubscriberTooSlow
from vessel.node import Node
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.filter import Filter
from vessel.primitives.units import Height
from vessel_proto.node.v1 import node_pb2 as pb

GENESIS = """
[chain]
name = "counting"
id = 7
time = 2026-01-01T00:00:00Z
dev = true
[consensus]
engine = "instant"
[containers.counter]
kind = "containers.counter:CounterContainer"
"""
ALL = Filter(from_height=Height(0))
TIMEOUT_S = 60.0


@pytest.fixture
def node(open_node: Open, tmp_path: Path) -> Node:
    """A node with a counter, on which blocks cost next to nothing."""
    path = tmp_path / "genesis.toml"
    path.write_text(GENESIS)
    return open_node(genesis=path)


@pytest.fixture
def client(node: Node) -> Iterator[NodeClient]:
    """A client of that node."""
    with NodeClient(node.grpc_address) as connected:
        yield connected


def count(client: NodeClient, name: str, note: int) -> None:
    """Make a block that adds one to a counter."""
    client.submit("counter", b"add %s 1 %d" % (name.encode(), note), wait="accepted")
    client.mine()


def items(stream: Iterator[pb.SubscribeResponse]) -> pb.SubscribeResponse:
    """Return the next message that is not only a watermark."""
    return next(each for each in stream if each.blocks or each.receipts or each.logs)


@pytest.mark.slow
def test_the_three_kinds_past_and_coming(client: NodeClient) -> None:
    count(client, "a", 1)
    wanted = Filter(from_height=Height(1), topics=((b"added",), (b"a",)), addresses=(b"counter",))
    streams = {
        "blocks": client.subscribe("blocks", wanted, timeout_s=TIMEOUT_S),
        "receipts": client.subscribe("receipts", wanted, timeout_s=TIMEOUT_S),
        "logs": client.subscribe("logs", wanted, timeout_s=TIMEOUT_S),
    }
    begin = pb.Watermark(next_height=1, block_id=client.block(0).id)
    for stream in streams.values():
        assert next(stream) == pb.SubscribeResponse(watermark=begin)
    for height in (1, 3):
        block = client.block(height)
        messages = {what: items(stream) for what, stream in streams.items()}
        assert [each.id for each in messages["blocks"].blocks] == [block.id]
        assert [each.id for each in messages["receipts"].receipts] == [block.transactions[0].id]
        (log,) = messages["logs"].logs
        assert (log.block_id, log.transaction_id) == (block.id, block.transactions[0].id)
        for message in messages.values():
            assert message.watermark == pb.Watermark(next_height=height + 1, block_id=block.id)
            assert not message.removed
        if height == 1:
            count(client, "b", 2)  # which the filter does not take
            count(client, "a", 3)


@pytest.mark.slow
def test_what_a_revert_takes_back_comes_again_as_removed(client: NodeClient) -> None:
    stream = client.subscribe("logs", Filter(), timeout_s=TIMEOUT_S)
    begin = next(stream).watermark
    snapshot = client.snapshot()
    count(client, "a", 1)
    first = items(stream)
    client.revert(snapshot)
    taken_back = items(stream)
    assert taken_back == pb.SubscribeResponse(logs=first.logs, removed=True, watermark=begin)
    count(client, "b", 2)
    second = items(stream)
    assert not second.removed
    assert second.watermark.next_height == first.watermark.next_height
    assert second.watermark.block_id != first.watermark.block_id
    with pytest.raises(InvalidRequest, match="is not on the chain") as caught:
        next(client.subscribe("logs", after=first.watermark, timeout_s=TIMEOUT_S))
    assert caught.value.reason == "WATERMARK_REPLACED"


@pytest.mark.slow
def test_a_watermark_resumes_without_a_gap(client: NodeClient) -> None:
    client.mine(3)
    stream = client.subscribe("blocks", ALL, read_mask=["header"], timeout_s=TIMEOUT_S)
    heights = [items(stream).blocks[0].header.height for _ in range(2)]
    mark = items(stream).watermark
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    client.mine(2)
    again = client.subscribe("blocks", after=mark, timeout_s=TIMEOUT_S)
    assert next(again).watermark == mark
    assert [*heights, *(items(again).blocks[0].header.height for _ in range(3))] == [0, 1, 3, 4, 5]


@pytest.mark.slow
def test_a_subscription_ends_with_its_range_and_refuses_what_does_not_fit(client: NodeClient) -> None:
    client.mine(2)
    wanted = Filter(from_height=Height(1), to_height=Height(2))
    messages = list(client.subscribe("blocks", wanted, timeout_s=TIMEOUT_S))
    assert [each.header.height for message in messages for each in message.blocks] == [1, 2]
    with pytest.raises(InvalidRequest, match="what to subscribe to: blocks, receipts or logs"):
        list(client.stream(Ask(method="Subscribe", message=pb.SubscribeRequest(), read=as_sent)))
    mark = pb.Watermark(next_height=1, block_id=b"short")
    with pytest.raises(InvalidRequest, match="block_id has 5 bytes; expected 32"):
        list(client.subscribe("blocks", after=mark))


@pytest.mark.slow
def test_production_beside_subscribers_leaves_no_gap(node: Node, client: NodeClient) -> None:
    """Readers that begin at different times, while blocks are made, all come to hold the same chain."""
    last = 150

    async def read(first: int) -> list[tuple[int, bytes]]:
        wanted = Filter(from_height=Height(first), to_height=Height(last))
        async with AsyncNodeClient(node.grpc_address) as connected:
            stream = connected.subscribe("blocks", wanted, read_mask=["id", "header"])
            return [(b.header.height, b.id) async for message in stream for b in message.blocks]

    async def read_all() -> list[list[tuple[int, bytes]]]:
        return await asyncio.gather(*(read(first) for first in (0, 1, 60, 120)))

    producing = threading.Thread(target=lambda: [client.mine() for _ in range(last)])
    producing.start()
    held = asyncio.run(read_all())
    producing.join()
    chain = [(height, client.block(height).id) for height in range(last + 1)]
    assert held == [chain[first:] for first in (0, 1, 60, 120)]


@pytest.mark.slow
def test_a_slow_subscriber_is_told_and_dropped_and_others_go_on(node: Node) -> None:
    """Over the node's own API, where a reader that does nothing stands for a connection that is full."""
    api = node.api

    async def story() -> tuple[list[int], str]:
        loop = asyncio.get_running_loop()
        slow = api.subscribe(What.BLOCKS, Filter())
        quick = api.subscribe(What.BLOCKS, Filter())
        for subscriber in (slow, quick):
            while not (await anext(subscriber)).live:
                pass
        first = asyncio.ensure_future(anext(slow))
        seen: list[int] = []
        for _ in range(MAX_QUEUED_BLOCKS + 2):
            await loop.run_in_executor(None, lambda: node.producer.call(_mine(node)).result())
            seen += heights(await anext(quick))
        taken = heights(await first)
        await quick.aclose()
        with pytest.raises(SubscriberTooSlow) as caught:
            await read_into(taken, slow)
        assert caught.value.details["resume_height"] == str(taken[-1] + 1)
        return seen, caught.value.message

    seen, message = asyncio.run(story())
    assert seen == list(range(1, MAX_QUEUED_BLOCKS + 3))
    assert f"more than {MAX_QUEUED_BLOCKS} blocks came" in message


def heights(notice: Notice) -> list[int]:
    """Return the heights of a notice's blocks."""
    return [item.block.header.height for item in notice.items if isinstance(item, ExecutedBlock)]


async def read_into(taken: list[int], notices: AsyncIterator[Notice]) -> None:
    """Append the heights of all blocks to come."""
    async for notice in notices:
        taken += heights(notice)


def _mine(node: Node) -> Callable[[], object]:
    return lambda: node.chain.produce_by_hand()


@pytest.mark.slow
def test_over_grpc_too_a_reader_that_stops_reading_is_told(client: NodeClient) -> None:
    """What was sent before stays readable; then comes the refusal, with the height to go on from."""
    stream = client.subscribe("blocks", Filter(), timeout_s=TIMEOUT_S)
    while not next(stream).live:
        pass
    note = b"x" * 100_000  # so that little fits into the buffers on the way
    for number in range(MAX_QUEUED_BLOCKS + 150):
        client.submit("counter", b"add a 1 %d%s" % (number, note), wait="accepted")
        client.mine()
    marks: list[int] = []
    with pytest.raises(SubscriberTooSlow) as caught:
        marks.extend(message.watermark.next_height for message in stream)
    read = marks[-1]
    assert int(caught.value.details["resume_height"]) == read
    (block,) = next(
        each for each in client.subscribe("blocks", Filter(from_height=Height(read))) if each.blocks
    ).blocks
    assert block.header.height == read


@pytest.mark.slow
def test_a_node_that_stops_says_so(node: Node, client: NodeClient) -> None:
    stream = client.subscribe("blocks", Filter(), timeout_s=TIMEOUT_S)
    next(stream)
    node.close()
    with pytest.raises(NodeUnreachable, match="shutting down"):
        list(stream)
