"""A chain of made-up blocks: no container, only a store, what is published, and a model of both."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from vessel.chain.events import Change, Events, Reorganisation
from vessel.chain.search import Search
from vessel.chain.subscriptions import MAX_QUEUED_BLOCKS, Subscription, Subscriptions
from vessel.container.node_api import Item, What
from vessel.database.block_reader import BlockReader
from vessel.database.chain_store import ChainStore
from vessel.database.key_value import KeyValue, open_key_value
from vessel.database.side_block import SideBlock
from vessel.primitives.block import Block, ExecutedBlock, transactions_root
from vessel.primitives.filter import Filter
from vessel.primitives.hashing import SHA256
from vessel.primitives.header import Header
from vessel.primitives.receipt import HookReceipt, Log, Receipt, Status
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_HASH, Gas, Height

CONTAINERS = ("evm", "eos")


def receipt(
    container: str = "evm",
    *,
    sender: bytes = b"sender",
    status: Status = Status.OK,
    logs: Sequence[Log] = (),
    tags: Sequence[bytes] = (),
) -> Receipt:
    """Return a receipt; the chain gives it an id."""
    return Receipt(
        container=container,
        transaction_id=b"",
        sender=sender,
        status=status,
        gas_used=Gas(1),
        logs=tuple(logs),
        tags=tuple(tags),
    )


def log(address: bytes = b"contract", *topics: bytes, data: bytes = b"") -> Log:
    """Return a log."""
    return Log(address=address, topics=topics, data=data)


class World:
    """A chain that a test writes by hand. What is committed is published only when the test says so."""

    def __init__(
        self,
        store: KeyValue | None = None,
        *,
        max_queued: int = MAX_QUEUED_BLOCKS,
        keeps_sides: bool = False,
    ) -> None:
        """Begin with an empty genesis block. keeps_sides: of blocks that leave the chain."""
        self.store = ChainStore.open(
            store or open_key_value("memory:"), genesis_hash=b"\1" * 32, hasher=SHA256
        )
        self.events = Events()
        self.search = Search(self.store, CONTAINERS)
        self.subscriptions = Subscriptions(self.store, self.events, self.search, max_queued=max_queued)
        self.blocks: list[ExecutedBlock] = []
        self.unpublished: deque[Change] = deque()
        self._made = 0
        self.keeps_sides = keeps_sides
        self.in_between: list[Callable[[], None]] = []  # done, one each, behind the next looks at the store
        self._look = self.store.reader
        self.store.reader = self._reader  # type: ignore[method-assign]
        self.commit()
        self.publish()

    @property
    def height(self) -> int:
        """Of the head."""
        return len(self.blocks) - 1

    # ---- writing

    def commit(self, *receipts: Receipt, hooks: Sequence[HookReceipt] = ()) -> ExecutedBlock:
        """Append a block; it is published later."""
        executed = self._append(receipts, hooks)
        self.unpublished.append(executed)
        return executed

    def add(self, *receipts: Receipt, hooks: Sequence[HookReceipt] = ()) -> ExecutedBlock:
        """Append a block and publish it."""
        executed = self.commit(*receipts, hooks=hooks)
        self.publish()
        return executed

    def reorganise(self, removed: int, added: Sequence[Sequence[Receipt]]) -> None:
        """Replace the newest blocks; published later."""
        left = tuple(reversed(self.blocks[len(self.blocks) - removed :]))
        self.store.rollback(self.height - removed)
        del self.blocks[len(self.blocks) - removed :]
        if self.keeps_sides:
            for each in left:
                self.store.put_side(SideBlock(executed=each, version=0, score=0, left=True))
        joined = tuple(self._append(receipts, ()) for receipts in added)
        self.unpublished.append(Reorganisation(removed=left, added=joined))

    def publish(self, count: int | None = None) -> None:
        """Publish the oldest changes that were not; all of them unless a number is given."""
        for _ in range(len(self.unpublished) if count is None else min(count, len(self.unpublished))):
            self.events.publish(self.unpublished.popleft())

    def _append(self, receipts: Sequence[Receipt], hooks: Sequence[HookReceipt]) -> ExecutedBlock:
        height = len(self.blocks)
        parent_id = self.blocks[-1].block_id if self.blocks else ZERO_HASH
        self._made += 1  # two blocks of one place differ, as those of two branches do
        transactions = tuple(
            Transaction(container=each.container, raw=b"%d/%d" % (self._made, index))
            for index, each in enumerate(receipts)
        )
        header = Header(
            height=Height(height),
            parent_id=parent_id,
            time_ms=1_000 * height + self._made,
            transactions_root=transactions_root(SHA256, transactions),
        )
        executed = ExecutedBlock(
            block_id=header.block_id(SHA256),
            block=Block(header=header, transactions=transactions),
            receipts=tuple(
                Receipt(
                    container=each.container,
                    transaction_id=SHA256(transaction.raw),
                    sender=each.sender,
                    status=each.status,
                    gas_used=each.gas_used,
                    logs=each.logs,
                    tags=each.tags,
                )
                for each, transaction in zip(receipts, transactions, strict=True)
            ),
            hooks=tuple(hooks),
        )
        version = self.store.state.begin(self.store.state.head_version)
        self.store.append(executed, version)
        self.blocks.append(executed)
        return executed

    # ---- reading

    def _reader(self) -> BlockReader:
        reader = self._look()
        if self.in_between:
            self.in_between.pop(0)()
        return reader

    def all_pages(self, what: What, wanted: Filter, *, page_size: int = 0) -> list[Item]:
        """Return all pages of a list."""
        items: list[Item] = []
        token = b""
        while True:
            page = self.search.page(what, wanted, page_size=page_size, page_token=token)
            items += page.items
            token = page.next_token
            if not token:
                return items

    def subscribe(self, what: What, wanted: Filter) -> tuple[Subscription, list[int]]:
        """Return a subscription that has not begun, and a list that grows by each time it is woken."""
        woken: list[int] = []
        return self.subscriptions.open(what, wanted, wake=lambda: woken.append(1)), woken
