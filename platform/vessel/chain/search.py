"""Lists of blocks, receipts and logs by a filter, page by page. Any thread.

A page is bounded by its items, by their size and by the work it takes; what is left over begins at the
height and item that its token names. A token holds for the request it came from and for the branch it
was issued on.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from hashlib import blake2b

import msgspec

from vessel.chain.matcher import Matcher
from vessel.container.node_api import CommittedTransaction, Item, Page, PlacedLog, What
from vessel.database.block_reader import BlockReader
from vessel.database.chain_store import ChainStore
from vessel.database.search_index import Found
from vessel.errors import InvalidRequest
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.filter import Filter
from vessel.primitives.receipt import HookReceipt, Receipt
from vessel.primitives.units import Hash32

DEFAULT_PAGE_SIZES = {What.BLOCKS: 100, What.RECEIPTS: 1_000, What.LOGS: 1_000}
MAX_PAGE_SIZE = 10_000
MAX_PAGE_SIZE_BYTES = 8 << 20  # the item that goes beyond it is the page's last
MAX_RANGE = 1_000_000
MAX_BLOCKS_READ = 10_000  # that the index pointed at and of which the filter then took nothing
MAX_MARKS = 200  # about 200,000 steps through the index without a match

_TOKEN = struct.Struct(">QQI8s8s")  # last height, next height, next item, digest of the request, branch
_FINGERPRINT_SIZE_BYTES = 8


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page begins: an item of a block; and where the list ends."""

    height: int
    item: int
    last: int


class Search:
    """Lists of one chain."""

    def __init__(self, store: ChainStore, containers: Sequence[str]) -> None:
        """Search `store`. containers: the names of the chain's."""
        self._store = store
        self._containers = tuple(containers)

    def matcher(self, what: What, wanted: Filter) -> Matcher:
        """Return a filter made ready for this chain."""
        return Matcher(what, wanted, self._containers)

    def page(self, what: What, wanted: Filter, *, page_size: int, page_token: bytes) -> Page[Item]:
        """Return a page of what the filter takes; errors as `NodeApi.list_logs`."""
        limit = page_size or DEFAULT_PAGE_SIZES[what]
        if not 1 <= limit <= MAX_PAGE_SIZE:
            raise InvalidRequest(
                f"page_size = {page_size}: expected 1 to {MAX_PAGE_SIZE}, or 0; ask for the rest with the "
                "next_page_token of each page",
                reason="PAGE_TOO_LARGE",
                limit=MAX_PAGE_SIZE,
            )
        matcher = self.matcher(what, wanted)
        request = blake2b(
            msgspec.msgpack.encode((what.value, wanted)), digest_size=_FINGERPRINT_SIZE_BYTES
        ).digest()
        with self._store.reader() as reader:
            begin = _begin(reader, wanted) if not page_token else _resumed(reader, page_token, request)
            items: list[Item] = []
            size_bytes = marks = idle = 0
            for found in reader.find(matcher.groups, begin.height, begin.last):
                if not found.match:
                    marks += 1
                elif idle < MAX_BLOCKS_READ:
                    idle += 1
                    for place, item in enumerate(_items(matcher, reader, found)):
                        if found.height == begin.height and place < begin.item:
                            continue
                        if len(items) == limit or size_bytes >= MAX_PAGE_SIZE_BYTES:
                            token = _token(reader, found.height, place, begin.last, request)
                            return Page(items=tuple(items), next_token=token)
                        idle = 0
                        items.append(item)
                        size_bytes += size_of(item)
                    continue
                if marks >= MAX_MARKS or found.match:
                    token = _token(reader, found.height, 0, begin.last, request)
                    return Page(items=tuple(items), next_token=token)
            return Page(items=tuple(items))


def _items(matcher: Matcher, reader: BlockReader, found: Found) -> Iterator[Item]:
    """Yield what is taken of a block; logs without reading its transactions."""
    if matcher.what is not What.LOGS:
        yield from matcher.items(reader.block(found.height), found.receipts)
        return
    stored = reader.receipts(found.height)
    outcomes: tuple[Receipt | HookReceipt, ...] = (*stored.receipts, *stored.hooks)
    block_id = reader.block_id(found.height) or Hash32(b"")
    yield from matcher.logs(reader.header(found.height), block_id, outcomes, found.receipts)


def _begin(reader: BlockReader, wanted: Filter) -> _Place:
    first = wanted.from_height or 0
    last = reader.head_height if wanted.to_height is None else min(wanted.to_height, reader.head_height)
    if last - first + 1 > MAX_RANGE:
        raise InvalidRequest(
            f"heights {first} to {last} are {last - first + 1} blocks; at most {MAX_RANGE} in one list: "
            f"set to_height to {first + MAX_RANGE - 1} and go on from there, or subscribe from a height, "
            "which has no such limit",
            reason="RANGE_TOO_LARGE",
            limit=MAX_RANGE,
            to_height=first + MAX_RANGE - 1,
        )
    return _Place(height=first, item=0, last=last)


def _token(reader: BlockReader, height: int, item: int, last: int, request: bytes) -> bytes:
    return _TOKEN.pack(last, height, item, request, _branch(reader, height, item))


def _branch(reader: BlockReader, height: int, item: int) -> bytes:
    """Return the front of the id of the last block of which something was returned."""
    seen = reader.block_id(height if item else height - 1) or b""
    return seen[:_FINGERPRINT_SIZE_BYTES].ljust(_FINGERPRINT_SIZE_BYTES, b"\0")


def _resumed(reader: BlockReader, token: bytes, request: bytes) -> _Place:
    try:
        last, height, item, issued_for, branch = _TOKEN.unpack(token)
    except struct.error:
        raise InvalidRequest(
            f"the page token has {len(token)} bytes, this node's have {_TOKEN.size}; send next_page_token as "
            "it came, or none to begin",
            reason="PAGE_TOKEN",
        ) from None
    if issued_for != request:
        raise InvalidRequest(
            "the page token is of another request; send it with the filter of the page it came with",
            reason="PAGE_TOKEN",
        )
    if _branch(reader, height, item) != branch:
        raise InvalidRequest(
            "a reorganisation replaced blocks that earlier pages were made of; begin again without a token",
            reason="PAGE_TOKEN_STALE",
        )
    return _Place(height=height, item=item, last=min(last, reader.head_height))


def size_of(item: Item) -> int:
    """Return about how many bytes an item takes on the wire."""
    if isinstance(item, PlacedLog):
        return 120 + _log_size(item.log.data, item.log.topics)
    if isinstance(item, CommittedTransaction):
        executed, index = item.executed, item.index
        return len(executed.block.transactions[index].raw) + _receipt_size(executed.receipts[index])
    return _block_size(item)


def _block_size(executed: ExecutedBlock) -> int:
    transactions = sum(100 + len(transaction.raw) for transaction in executed.block.transactions)
    receipts = sum(map(_receipt_size, executed.receipts)) + sum(map(_receipt_size, executed.hooks))
    return 1_000 + transactions + receipts


def _receipt_size(receipt: Receipt | HookReceipt) -> int:
    size_bytes = 100 + sum(_log_size(log.data, log.topics) for log in receipt.logs)
    if isinstance(receipt, Receipt):
        size_bytes += len(receipt.output) + len(receipt.details) + sum(map(len, receipt.tags))
    return size_bytes


def _log_size(data: bytes, topics: tuple[bytes, ...]) -> int:
    return 40 + len(data) + sum(len(topic) + 2 for topic in topics)
