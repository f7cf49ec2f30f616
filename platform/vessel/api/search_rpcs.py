"""The rpcs of node/v1 that list and subscribe, over a NodeApi."""

from __future__ import annotations

from contextlib import aclosing

from vessel.api import convert
from vessel.api.answered import Context, answered
from vessel.container.node_api import CommittedTransaction, NodeApi, Notice, PlacedLog, Watermark, What
from vessel.errors import InvalidRequest
from vessel.primitives.filter import Filter
from vessel.primitives.receipt import Status
from vessel.primitives.units import HASH_SIZE_BYTES, ZERO_HASH, Hash32, Height
from vessel_proto.node.v1 import node_pb2 as pb


class SearchRpcs:
    """A part of NodeService."""

    def __init__(self, node: NodeApi) -> None:
        """Serve `node`."""
        self._node = node

    @answered
    async def ListBlocks(self, request: pb.ListBlocksRequest, context: Context) -> pb.ListBlocksResponse:
        """Return a page of blocks, or of the parts of them that the mask names."""
        parts = convert.block_parts(request.read_mask) if request.HasField("read_mask") else None
        page = await self._node.list_blocks(
            wanted(request.filter), page_size=request.page_size, page_token=request.page_token
        )
        blocks = [convert.block(executed, parts) for executed in page.items]
        return pb.ListBlocksResponse(blocks=blocks, next_page_token=page.next_token)

    @answered
    async def ListReceipts(
        self, request: pb.ListReceiptsRequest, context: Context
    ) -> pb.ListReceiptsResponse:
        """Return a page of transactions with their receipts."""
        page = await self._node.list_receipts(
            wanted(request.filter), page_size=request.page_size, page_token=request.page_token
        )
        receipts = map(convert.placed, page.items)
        return pb.ListReceiptsResponse(receipts=receipts, next_page_token=page.next_token)

    @answered
    async def ListLogs(self, request: pb.ListLogsRequest, context: Context) -> pb.ListLogsResponse:
        """Return a page of logs."""
        page = await self._node.list_logs(
            wanted(request.filter), page_size=request.page_size, page_token=request.page_token
        )
        return pb.ListLogsResponse(logs=map(placed_log, page.items), next_page_token=page.next_token)

    @answered
    async def Subscribe(self, request: pb.SubscribeRequest, context: Context) -> None:
        """Stream what the filter takes until the caller goes away, or cannot keep up."""
        kind = request.WhichOneof("what")
        if kind is None:
            raise InvalidRequest("the request does not say what to subscribe to: blocks, receipts or logs")
        parts = None
        if request.blocks.HasField("read_mask"):
            parts = convert.block_parts(request.blocks.read_mask)
        after = watermark(request.after) if request.HasField("after") else None
        notices = self._node.subscribe(What(kind), wanted(request.filter), after=after)
        async with aclosing(notices):
            async for notice in notices:
                await context.write(_response(notice, parts))


def wanted(message: pb.Filter) -> Filter:
    """Read a filter; InvalidRequest says which field does not fit."""
    try:
        statuses = tuple(Status(each) for each in message.statuses)
    except ValueError:
        names = ", ".join(f"{each.value} ({each.name})" for each in Status)
        raise InvalidRequest(f"the filter names a status that is not known; there are {names}") from None
    return Filter(
        container=message.container,
        addresses=tuple(message.addresses),
        topics=tuple(tuple(place.topics) for place in message.topics),
        tags=tuple(message.tags),
        senders=tuple(message.senders),
        statuses=statuses,
        from_height=Height(message.from_height) if message.HasField("from_height") else None,
        to_height=Height(message.to_height) if message.HasField("to_height") else None,
    )


def watermark(message: pb.Watermark) -> Watermark:
    """Read how far a stream had come."""
    if len(message.block_id) not in (0, HASH_SIZE_BYTES):
        raise InvalidRequest(
            f"the watermark's block_id has {len(message.block_id)} bytes; expected {HASH_SIZE_BYTES}, or none"
        )
    return Watermark(next_height=Height(message.next_height), block_id=Hash32(message.block_id or ZERO_HASH))


def placed_log(value: PlacedLog) -> pb.LogInBlock:
    """Return a log with its place."""
    message = pb.LogInBlock(
        container=value.container,
        log=convert.log(value.log),
        block_height=value.height,
        block_id=value.block_id,
        block_time_ms=value.time_ms,
        transaction_id=value.transaction_id,
        index=value.index,
    )
    if value.transaction_index is not None:
        message.transaction_index = value.transaction_index
    return message


def _response(notice: Notice, parts: frozenset[str] | None) -> pb.SubscribeResponse:
    message = pb.SubscribeResponse(removed=notice.removed, live=notice.live)
    message.watermark.next_height = notice.watermark.next_height
    if notice.watermark.block_id != ZERO_HASH:
        message.watermark.block_id = notice.watermark.block_id
    for item in notice.items:
        if isinstance(item, PlacedLog):
            message.logs.append(placed_log(item))
        elif isinstance(item, CommittedTransaction):
            message.receipts.append(convert.placed(item))
        else:
            message.blocks.append(convert.block(item, parts))
    return message
