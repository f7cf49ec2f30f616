"""Lists and subscriptions of both clients: pages become one iterator, streams come as they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Literal, Protocol, TypeVar

from vessel.client.request import Ask, as_sent
from vessel.primitives.filter import Filter
from vessel_proto.node.v1 import node_pb2 as pb

Watched = Literal["blocks", "receipts", "logs"]
T = TypeVar("T")

LIST_TIMEOUT_S = 60.0  # of a page: a filter that meets little may take the node a while
EVERYTHING = Filter()


class _Asking(Protocol):
    """What a synchronous client brings along."""

    def run(self, ask: Ask[T]) -> T: ...

    def stream(self, ask: Ask[T], *, timeout_s: float | None = None) -> Iterator[T]: ...


class _AsyncAsking(Protocol):
    """What an asynchronous client brings along."""

    async def run(self, ask: Ask[T]) -> T: ...

    def stream(self, ask: Ask[T], *, timeout_s: float | None = None) -> AsyncIterator[T]: ...


class SearchCalls:
    """The part of NodeClient that searches. Iterators ask for pages as they are read."""

    def blocks(
        self: _Asking, wanted: Filter = EVERYTHING, *, read_mask: Sequence[str] = (), page_size: int = 0
    ) -> Iterator[pb.Block]:
        """Yield the blocks that a filter takes, oldest first. read_mask: as `block`."""
        return _paged(self, lambda token: blocks_page(wanted, read_mask, page_size, token), _blocks)

    def receipts(
        self: _Asking, wanted: Filter = EVERYTHING, *, page_size: int = 0
    ) -> Iterator[pb.TransactionInBlock]:
        """Yield the transactions that a filter takes, with their receipts, oldest first."""
        return _paged(self, lambda token: receipts_page(wanted, page_size, token), _receipts)

    def logs(self: _Asking, wanted: Filter = EVERYTHING, *, page_size: int = 0) -> Iterator[pb.LogInBlock]:
        """Yield the logs that a filter takes, oldest first."""
        return _paged(self, lambda token: logs_page(wanted, page_size, token), _logs)

    def subscribe(
        self: _Asking,
        what: Watched,
        wanted: Filter = EVERYTHING,
        *,
        after: pb.Watermark | None = None,
        read_mask: Sequence[str] = (),
        timeout_s: float | None = None,
    ) -> Iterator[pb.SubscribeResponse]:
        """Yield what a filter takes, from its `from_height` on, or from the next block, and as it comes.

        The first message comes at once and says where the stream begins. after: the watermark of a
        message, to go on behind it. read_mask: of blocks. timeout_s: of the whole stream; None: none.
        SubscriberTooSlow where messages were not read in time once it was `live`: subscribe again, with
        the last watermark.
        Close the iterator to end the subscription.
        """
        return self.stream(subscription(what, wanted, after, read_mask), timeout_s=timeout_s)


class AsyncSearchCalls:
    """The part of AsyncNodeClient that searches: see SearchCalls."""

    def blocks(
        self: _AsyncAsking, wanted: Filter = EVERYTHING, *, read_mask: Sequence[str] = (), page_size: int = 0
    ) -> AsyncIterator[pb.Block]:
        """Yield the blocks that a filter takes, oldest first. read_mask: as `block`."""
        return _paged_async(self, lambda token: blocks_page(wanted, read_mask, page_size, token), _blocks)

    def receipts(
        self: _AsyncAsking, wanted: Filter = EVERYTHING, *, page_size: int = 0
    ) -> AsyncIterator[pb.TransactionInBlock]:
        """Yield the transactions that a filter takes, with their receipts, oldest first."""
        return _paged_async(self, lambda token: receipts_page(wanted, page_size, token), _receipts)

    def logs(
        self: _AsyncAsking, wanted: Filter = EVERYTHING, *, page_size: int = 0
    ) -> AsyncIterator[pb.LogInBlock]:
        """Yield the logs that a filter takes, oldest first."""
        return _paged_async(self, lambda token: logs_page(wanted, page_size, token), _logs)

    def subscribe(
        self: _AsyncAsking,
        what: Watched,
        wanted: Filter = EVERYTHING,
        *,
        after: pb.Watermark | None = None,
        read_mask: Sequence[str] = (),
        timeout_s: float | None = None,
    ) -> AsyncIterator[pb.SubscribeResponse]:
        """Yield what a filter takes, past and coming: see SearchCalls."""
        return self.stream(subscription(what, wanted, after, read_mask), timeout_s=timeout_s)


# ---- requests


def filter_message(wanted: Filter) -> pb.Filter:
    """Return a filter as it is sent."""
    message = pb.Filter(
        container=wanted.container,
        addresses=wanted.addresses,
        topics=[pb.TopicAlternatives(topics=place) for place in wanted.topics],
        tags=wanted.tags,
        senders=wanted.senders,
        statuses=[each.value for each in wanted.statuses],  # type: ignore[misc]  # the numbers are the same
    )
    if wanted.from_height is not None:
        message.from_height = wanted.from_height
    if wanted.to_height is not None:
        message.to_height = wanted.to_height
    return message


def blocks_page(
    wanted: Filter, read_mask: Sequence[str], page_size: int, token: bytes
) -> Ask[pb.ListBlocksResponse]:
    """Ask for a page of blocks."""
    message = pb.ListBlocksRequest(filter=filter_message(wanted), page_size=page_size, page_token=token)
    if read_mask:
        message.read_mask.paths.extend(read_mask)
    return Ask(method="ListBlocks", message=message, read=as_sent, timeout_s=LIST_TIMEOUT_S)


def receipts_page(wanted: Filter, page_size: int, token: bytes) -> Ask[pb.ListReceiptsResponse]:
    """Ask for a page of transactions with their receipts."""
    message = pb.ListReceiptsRequest(filter=filter_message(wanted), page_size=page_size, page_token=token)
    return Ask(method="ListReceipts", message=message, read=as_sent, timeout_s=LIST_TIMEOUT_S)


def logs_page(wanted: Filter, page_size: int, token: bytes) -> Ask[pb.ListLogsResponse]:
    """Ask for a page of logs."""
    message = pb.ListLogsRequest(filter=filter_message(wanted), page_size=page_size, page_token=token)
    return Ask(method="ListLogs", message=message, read=as_sent, timeout_s=LIST_TIMEOUT_S)


def subscription(
    what: Watched, wanted: Filter, after: pb.Watermark | None, read_mask: Sequence[str]
) -> Ask[pb.SubscribeResponse]:
    """Ask for a stream."""
    message = pb.SubscribeRequest(filter=filter_message(wanted), after=after)
    getattr(message, what).SetInParent()
    if read_mask and what == "blocks":
        message.blocks.read_mask.paths.extend(read_mask)
    return Ask(method="Subscribe", message=message, read=as_sent)


# ---- pages


def _blocks(page: pb.ListBlocksResponse) -> Sequence[pb.Block]:
    return page.blocks


def _receipts(page: pb.ListReceiptsResponse) -> Sequence[pb.TransactionInBlock]:
    return page.receipts


def _logs(page: pb.ListLogsResponse) -> Sequence[pb.LogInBlock]:
    return page.logs


def _paged(
    client: _Asking, ask: Callable[[bytes], Ask[Any]], items: Callable[[Any], Sequence[T]]
) -> Iterator[T]:
    token = b""
    while True:
        page = client.run(ask(token))
        yield from items(page)
        token = page.next_page_token
        if not token:
            return


async def _paged_async(
    client: _AsyncAsking, ask: Callable[[bytes], Ask[Any]], items: Callable[[Any], Sequence[T]]
) -> AsyncIterator[T]:
    token = b""
    while True:
        page = await client.run(ask(token))
        for item in items(page):
            yield item
        token = page.next_page_token
        if not token:
            return
