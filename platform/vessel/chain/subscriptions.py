"""Subscriptions: what is past, read at the subscriber's pace, then what comes, from a bounded queue.

A subscription stands behind one block of one branch: the *tip*, whose id it knows. It takes the next block
only where that is the tip's child, and otherwise waits for the reorganisation that explains it, so that
neither a gap nor a repetition can come of the two sources or of a change of branch:

CATCHING   reads the store; of what is published it keeps reorganisations alone
JOINING    has seen the head: keeps all that is published, and reads the store once more for what was
           committed before that
LIVE       takes what is published; what it saw in the store already is passed over

The chain's thread only appends to the queue. A queue that is full is emptied, and its subscriber is told
so at its next turn.
"""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from vessel.chain.events import Change, Events, Reorganisation
from vessel.chain.matcher import Matcher
from vessel.chain.search import Search, size_of
from vessel.container.node_api import Item, Notice, Watermark, What
from vessel.database.block_reader import BlockReader
from vessel.database.chain_store import ChainStore
from vessel.errors import InvalidRequest, SubscriberTooSlow, VesselError
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.filter import Filter
from vessel.primitives.units import ZERO_HASH, Hash32, Height

MAX_SUBSCRIPTIONS = 1_000
MAX_QUEUED_BLOCKS = 256
MAX_NOTICE_ITEMS = 500
MAX_NOTICE_SIZE_BYTES = 1 << 20
QUIET_BLOCKS = 32  # so many blocks without an item, and a watermark is sent alone
MAX_READ_AT_ONCE = 10_000  # heights of one look into the store
MAX_READ_SIZE_BYTES = 4 << 20
_FOR_EVER = (1 << 64) - 1


class _Mode(enum.Enum):
    CATCHING = "catching"
    JOINING = "joining"
    LIVE = "live"


class Subscription:
    """One subscriber. `poll` and `catch_up` are its own, one at a time; the rest is any thread's."""

    def __init__(
        self, store: ChainStore, matcher: Matcher, *, wake: Callable[[], None], max_queued: int
    ) -> None:
        """Prepare; `begin` finds the place. wake: called when there is something to poll for."""
        self._store = store
        self._matcher = matcher
        self._wake = wake
        self._max_queued = max_queued
        self._lock = threading.Lock()
        self._queue: deque[Change] = deque()
        self._failure: VesselError | None = None
        self._dropped = False
        self._mode = _Mode.CATCHING
        self._waiting: bool = False
        self._next = Height(0)
        self._first = Height(0)  # below it nothing is taken back
        self._tip: Hash32 | None = None  # None: nothing was delivered, any block may come first
        self._last = _FOR_EVER if matcher.wanted.to_height is None else matcher.wanted.to_height
        self._quiet = 0

    def begin(self, after: Watermark | None) -> list[Notice]:
        """Find the place to begin; return the notice that says it, and what was removed since `after`.

        It hears already. InvalidRequest as `NodeApi.subscribe`.
        """
        first = self._matcher.wanted.from_height
        with self._store.reader() as reader:
            if after is None:
                self._next = self._first = Height(reader.head_height + 1) if first is None else first
                self._tip = reader.block_id(self._next - 1)
                return [Notice(watermark=self.watermark)]
            self._next = after.next_height
            self._first = Height(0) if first is None else min(first, self._next)
            self._tip = after.block_id if after.block_id != ZERO_HASH else None
            removed = _removed_since(reader, after)
        return [Notice(watermark=self.watermark), *(self._undo(removed) if removed else ())]

    @property
    def watermark(self) -> Watermark:
        """How far it has come."""
        return Watermark(next_height=self._next, block_id=self._tip or ZERO_HASH)

    @property
    def ended(self) -> bool:
        """Whether the last height of the filter was delivered."""
        return self._next > self._last

    @property
    def waits(self) -> bool:
        """Whether there is nothing to do until it is woken."""
        with self._lock:
            if self._failure is not None or self._dropped or self.ended:
                return False
            return not self._queue and (self._waiting or self._mode is _Mode.LIVE)

    # ---- the chain's side

    def hear(self, change: Change) -> None:
        """Take note of what was published."""
        reorganised = isinstance(change, Reorganisation)
        with self._lock:
            self._waiting = False
            if not self._dropped and (reorganised or self._mode is not _Mode.CATCHING):
                self._queue.append(change)
                if len(self._queue) > self._max_queued:
                    self._dropped = True
                    self._queue.clear()
        self._wake()

    def end(self, failure: VesselError) -> None:
        """Let `poll` raise `failure`."""
        with self._lock:
            if self._failure is None:
                self._failure = failure
        self._wake()

    # ---- the subscriber's side

    def poll(self) -> list[Notice] | None:
        """Return what has come, without waiting; None where `catch_up` has to read the store first."""
        self._check()
        notices: list[Notice] = []
        while self._mode is _Mode.LIVE and not self.ended:
            change = self._take()
            if change is None:
                return notices
            if isinstance(change, Reorganisation):
                notices += self._undo(change.removed)
                blocks: Sequence[ExecutedBlock] = change.added
            else:
                blocks = (change,)
            for executed in blocks:
                if not self._next <= executed.block.header.height <= self._last:
                    continue  # seen in the store before it was published, or beyond the end
                if not self._follows(executed):
                    self._look_again()
                    break
                notices += self._deliver(executed, self._matcher.items(executed))
        return notices if notices or self.ended else None

    def catch_up(self) -> list[Notice]:
        """Return the next part of what is past; it may block on the store."""
        self._check()
        notices: list[Notice] = []
        if self._mode is _Mode.CATCHING:
            with self._lock:
                changes = list(self._queue)
                self._queue.clear()
                self._waiting = True  # until something is published, or this turn finds work
            for change in changes:
                if isinstance(change, Reorganisation):
                    notices += self._undo(change.removed)
        with self._store.reader() as reader:
            if self._tip is not None and reader.block_id(self._next - 1) != self._tip:
                if self._mode is _Mode.JOINING:
                    notices.append(self._go_live())  # the reorganisation is in the queue, or will be
                return notices
            last = min(reader.head_height, self._last, self._next + MAX_READ_AT_ONCE - 1)
            if self._next <= last:
                if self._mode is _Mode.JOINING and last - self._next >= self._max_queued // 2:
                    self._look_again()  # too far behind to let a queue grow
                notices += self._read(reader, last)
            elif self._mode is _Mode.CATCHING:
                with self._lock:
                    self._mode = _Mode.JOINING
            else:
                notices.append(self._go_live())
        with self._lock:
            self._waiting = False
        return notices

    def _check(self) -> None:
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._dropped:
                raise SubscriberTooSlow(
                    f"more than {self._max_queued} blocks came while the subscriber took nothing, and it was "
                    f"dropped; subscribe again from height {self._next}, with a narrower filter or a faster "
                    "reader",
                    resume_height=self._next,
                    limit=self._max_queued,
                )

    def _take(self) -> Change | None:
        with self._lock:
            return self._queue.popleft() if self._queue else None

    def _go_live(self) -> Notice:
        with self._lock:
            self._mode = _Mode.LIVE
        return Notice(watermark=self.watermark, live=True)

    def _look_again(self) -> None:
        """Go back to the store: what was published does not follow the tip."""
        with self._lock:
            self._mode = _Mode.CATCHING
            self._queue = deque(change for change in self._queue if isinstance(change, Reorganisation))

    def _follows(self, executed: ExecutedBlock) -> bool:
        header = executed.block.header
        return header.height == self._next and self._tip in (None, header.parent_id)

    # ---- notices

    def _read(self, reader: BlockReader, last: int) -> list[Notice]:
        """Deliver from the store up to `last`, or to where there is enough for one turn."""
        notices: list[Notice] = []
        size_bytes = 0
        for found in reader.find(self._matcher.groups, self._next, last):
            if not found.match:
                continue
            self._next = Height(found.height)
            self._tip = reader.block_id(found.height - 1)
            executed = reader.block(found.height)
            delivered = self._deliver(executed, self._matcher.items(executed, found.receipts))
            notices += delivered
            size_bytes += sum(size_of(item) for notice in delivered for item in notice.items)
            if size_bytes >= MAX_READ_SIZE_BYTES:
                return notices
        self._next = Height(last + 1)
        self._tip = reader.block_id(last)
        if not notices or notices[-1].watermark != self.watermark:
            self._quiet = 0
            notices.append(Notice(watermark=self.watermark))
        return notices

    def _deliver(self, executed: ExecutedBlock, items: Iterable[Item]) -> list[Notice]:
        """Step over a block and return what there is to say about it."""
        before = self.watermark
        self._next = Height(executed.block.header.height + 1)
        self._tip = executed.block_id
        parts = _parts(items)
        if parts:
            self._quiet = 0
            return [
                *(Notice(items=part, watermark=before) for part in parts[:-1]),
                Notice(items=parts[-1], watermark=self.watermark),
            ]
        self._quiet += 1
        if self._quiet < QUIET_BLOCKS and not self.ended:
            return []
        self._quiet = 0
        return [Notice(watermark=self.watermark)]

    def _undo(self, removed: Sequence[ExecutedBlock]) -> list[Notice]:
        """Step back over blocks that left the chain, from the newest downwards."""
        if self._tip is None or all(executed.block_id != self._tip for executed in removed):
            return []  # it had not come so far, or has seen the new branch already
        notices: list[Notice] = []
        for executed in removed:
            header = executed.block.header
            if header.height >= self._next:
                continue
            if header.height < self._first:
                self._tip = None
                break
            before = self.watermark
            self._next, self._tip = header.height, header.parent_id
            parts = _parts(self._matcher.items(executed))
            for number, part in enumerate(parts, 1):
                mark = self.watermark if number == len(parts) else before
                notices.append(Notice(items=part, removed=True, watermark=mark))
        if not notices or notices[-1].watermark != self.watermark:
            notices.append(Notice(watermark=self.watermark))
        return notices


class Subscriptions:
    """All subscriptions of one chain. Any thread."""

    def __init__(
        self, store: ChainStore, events: Events, search: Search, *, max_queued: int = MAX_QUEUED_BLOCKS
    ) -> None:
        """Serve a chain. max_queued: blocks that may wait for a subscriber before it is dropped."""
        self._store = store
        self._events = events
        self._search = search
        self._max_queued = max_queued
        self._lock = threading.Lock()
        self._open: dict[Subscription, Callable[[], None]] = {}
        self._closed = False

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def open(self, what: What, wanted: Filter, *, wake: Callable[[], None]) -> Subscription:
        """Return a subscription that hears from now on; `begin` it, and `close` it in the end."""
        subscription = Subscription(
            self._store, self._search.matcher(what, wanted), wake=wake, max_queued=self._max_queued
        )
        with self._lock:
            if self._closed:
                raise _shutting_down()
            if len(self._open) >= MAX_SUBSCRIPTIONS:
                raise InvalidRequest(
                    f"the node serves {MAX_SUBSCRIPTIONS} subscriptions, as many as it takes; try again "
                    "later, or list by pages",
                    reason="TOO_MANY_SUBSCRIBERS",
                    limit=MAX_SUBSCRIPTIONS,
                )
            self._open[subscription] = self._events.subscribe_changes(subscription.hear)
        return subscription

    def close(self, subscription: Subscription) -> None:
        """Hear no more; again is harmless."""
        with self._lock:
            unsubscribe = self._open.pop(subscription, None)
        if unsubscribe is not None:
            unsubscribe()

    def end_all(self) -> None:
        """Tell everybody that the node is going away, and open no more."""
        with self._lock:
            self._closed = True
            subscriptions = list(self._open)
        for subscription in subscriptions:
            subscription.end(_shutting_down())


def _removed_since(reader: BlockReader, after: Watermark) -> list[ExecutedBlock]:
    """Return the blocks from a watermark's down to where the chain is, as far as they are kept."""
    removed: list[ExecutedBlock] = []
    block_id, height = after.block_id, after.next_height - 1
    while block_id != ZERO_HASH and reader.block_id(height) != block_id:
        side = reader.side(block_id)
        if side is None or side.block.header.height != height:
            raise InvalidRequest(
                f"block {after.next_height - 1} 0x{after.block_id.hex()} of the watermark is not on the "
                f"chain, and block {height} on the way to it is not kept: drop what you hold of heights that "
                "were replaced, and subscribe from the lowest of them with from_height",
                reason="WATERMARK_REPLACED",
                height=height,
            )
        removed.append(side)
        block_id, height = side.block.header.parent_id, height - 1
    return removed


def _parts(items: Iterable[Item]) -> list[tuple[Item, ...]]:
    """Cut the items of a block into what fits a notice."""
    parts: list[tuple[Item, ...]] = []
    part: list[Item] = []
    size_bytes = 0
    for item in items:
        if len(part) >= MAX_NOTICE_ITEMS or size_bytes >= MAX_NOTICE_SIZE_BYTES:
            parts.append(tuple(part))
            part, size_bytes = [], 0
        part.append(item)
        size_bytes += size_of(item)
    return [*parts, tuple(part)] if part else parts


def _shutting_down() -> VesselError:
    return VesselError("the node is shutting down", reason="SHUTTING_DOWN")
