"""Transactions that wait: ordered by bid, and within a sender by sequence number.

A container without sequence numbers makes every transaction its own queue. Replacement needs the same
sender and sequence and a bid 10 % higher. When the pool is full, a better bid pushes out the cheapest
that nothing depends on: of a sender always its last. Not thread-safe: its owner holds a lock.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Iterator

import msgspec

from vessel.container.messages import TransactionCheck
from vessel.errors import RejectedTransaction
from vessel.primitives.transaction import Transaction
from vessel.processing.dev_transaction import DevAction, Impersonate, encode_action

MAX_TRANSACTIONS = 20_000
MAX_TRANSACTIONS_A_SENDER = 1_000
REPLACEMENT_BID_PERCENT = 110
_MAX_SPENT = 50_000


class PendingTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One that was admitted. arrival: counts up, so that equal bids keep their order.

    action: on a development chain, what stands in the block in place of the transaction itself.
    """

    transaction: Transaction
    check: TransactionCheck
    arrival: int
    action: DevAction | None = None

    @property
    def impersonate(self) -> bytes:
        """The sender that the host vouches for; empty where the transaction is signed."""
        return self.action.sender if isinstance(self.action, Impersonate) else b""

    @property
    def in_block(self) -> Transaction:
        """The transaction as it stands in a block."""
        return self.transaction if self.action is None else encode_action(self.action)

    @property
    def key(self) -> tuple[str, bytes]:
        """What names it on this chain: container and id."""
        return (self.transaction.container, self.check.id)

    @property
    def sender(self) -> tuple[str, bytes]:
        """Whose it is: container and sender."""
        return (self.transaction.container, self.check.sender)


class Displaced(msgspec.Struct, frozen=True, kw_only=True):
    """One that had to make room, and what to tell whoever waits for it."""

    pending: PendingTransaction
    error: RejectedTransaction


_Sender = tuple[str, bytes]  # container, sender
_Rank = tuple[bool, int]  # whether it could go into a block once those before it do; the least bid on the way


class _Queue:
    """The transactions of one sender by sequence number. stamp: counts its changes."""

    __slots__ = ("by_sequence", "next_sequence", "stamp")

    def __init__(self) -> None:
        self.by_sequence: dict[int, PendingTransaction] = {}
        self.next_sequence = 0
        self.stamp = 0

    def ready(self) -> Iterator[PendingTransaction]:
        """Yield from the next sequence on, up to the first gap."""
        sequence = self.next_sequence
        while (pending := self.by_sequence.get(sequence)) is not None:
            yield pending
            sequence += 1

    def last(self) -> PendingTransaction:
        """Return the one that no other depends on."""
        return self.by_sequence[max(self.by_sequence)]

    def rank(self, sequence: int, bid: int) -> _Rank:
        """Return the rank of a transaction at a sequence number."""
        lowest, reached = bid, self.next_sequence
        for pending in self.ready():
            if reached >= sequence:
                break
            lowest = min(lowest, pending.check.bid)
            reached += 1
        return (True, lowest) if reached >= sequence else (False, bid)


class Mempool:
    """What waits for a block, held within limits."""

    def __init__(
        self, *, max_transactions: int = MAX_TRANSACTIONS, max_a_sender: int = MAX_TRANSACTIONS_A_SENDER
    ) -> None:
        """Hold at most so many, in all and of one sender."""
        self._max_transactions = max_transactions
        self._max_a_sender = max_a_sender
        self._by_key: dict[tuple[str, bytes], PendingTransaction] = {}
        self._queues: dict[_Sender, _Queue] = {}
        self._counts: dict[_Sender, int] = {}
        self._arrivals = 0
        self._held: set[tuple[str, bytes]] = set()  # asked whether it holds a key, never in its order
        # Where senders stand by the blocks of late: a check made just before such a block is behind.
        self._spent: dict[_Sender, int] = {}
        # What could be pushed out, the cheapest first: (rank, minus arrival, key, stamp of its queue).
        # None until the pool is full; then it follows, and entries that are out of date are skipped.
        self._evictable: list[tuple[_Rank, int, tuple[str, bytes], int]] | None = None

    def __len__(self) -> int:
        """Return how many wait, those behind a gap included."""
        return len(self._by_key)

    def get(self, container: str, transaction_id: bytes) -> PendingTransaction | None:
        """Return one that waits; None where it does not."""
        return self._by_key.get((container, transaction_id))

    def find(self, transaction_id: bytes) -> PendingTransaction | None:
        """Return one that waits in any container."""
        return next((p for p in self._by_key.values() if p.check.id == transaction_id), None)

    def of(self, container: str) -> list[PendingTransaction]:
        """Return all that wait for one container."""
        return [p for p in self._by_key.values() if p.transaction.container == container]

    def of_senders(self, senders: Collection[_Sender]) -> list[PendingTransaction]:
        """Return all that wait of some senders, each given by container and sender."""
        if not any(sender in self._counts for sender in senders):
            return []
        return [p for p in self._by_key.values() if p.sender in senders]

    # ---- in

    def add(
        self,
        transaction: Transaction,
        check: TransactionCheck,
        *,
        returned: bool = False,
        action: DevAction | None = None,
    ) -> Displaced | None:
        """Admit one, and return what it displaced; RejectedTransaction says why not.

        returned: it was in a block that left the chain, and has its place whatever the limits.
        """
        if (transaction.container, check.id) in self._by_key:
            raise RejectedTransaction(
                f"transaction 0x{check.id.hex()} is already waiting",
                reason="ALREADY_KNOWN",
                id=check.id.hex(),
            )
        sender = (transaction.container, check.sender)
        next_sequence = max(check.next_sequence, self._spent.get(sender, 0))
        if check.sequence is not None and check.sequence < next_sequence:
            raise RejectedTransaction(
                f"sequence {check.sequence} of 0x{check.sender.hex()} is spent; the next is {next_sequence}",
                reason="NONCE_TOO_LOW",
                needed=next_sequence,
                offered=check.sequence,
            )
        queue = self._queues.get(sender)
        if queue is not None and check.sequence is not None:
            if check.sequence < queue.next_sequence:  # a reorganisation gave its number back
                queue.next_sequence = next_sequence
            queue.next_sequence = max(queue.next_sequence, next_sequence)
        displaced = self._replaced(sender, check, returned=returned)
        if displaced is None and not returned:
            displaced = self._past_the_senders_limit(sender, check)
            if displaced is None and len(self._by_key) >= self._max_transactions:
                displaced = self._evicted(sender, check, next_sequence)
        if displaced is not None:
            self.remove(displaced.pending)
        self._arrivals += 1
        pending = PendingTransaction(
            transaction=transaction, check=check, arrival=self._arrivals, action=action
        )
        self._by_key[pending.key] = pending
        self._counts[sender] = self._counts.get(sender, 0) + 1
        if check.sequence is not None:
            queue = self._queues.setdefault(sender, _Queue())
            queue.by_sequence[check.sequence] = pending
            queue.next_sequence = max(queue.next_sequence, next_sequence)
        self._note(pending)
        return displaced

    def _replaced(self, sender: _Sender, check: TransactionCheck, *, returned: bool) -> Displaced | None:
        queue = self._queues.get(sender)
        if queue is None or check.sequence is None:
            return None
        held = queue.by_sequence.get(check.sequence)
        if held is None:
            return None
        needed = max(-(-held.check.bid * REPLACEMENT_BID_PERCENT // 100), held.check.bid + 1)
        if check.bid < needed and not returned:
            raise RejectedTransaction(
                f"sequence {check.sequence} of 0x{check.sender.hex()} is already waiting with a bid of "
                f"{held.check.bid}; to replace it, bid at least {needed}",
                reason="REPLACEMENT_UNDERPRICED",
                needed=needed,
                offered=check.bid,
            )
        why = "returned to the pool" if returned else "bids more"
        return Displaced(
            pending=held,
            error=RejectedTransaction(f"replaced by 0x{check.id.hex()}, which {why}", reason="REPLACED"),
        )

    def _past_the_senders_limit(self, sender: _Sender, check: TransactionCheck) -> Displaced | None:
        """Return the sender's last where an earlier one pushes it out; None below the limit."""
        if self._counts.get(sender, 0) < self._max_a_sender or not check.sender:
            return None
        queue = self._queues.get(sender)
        if queue is not None and check.sequence is not None:
            last = queue.last()
            if last.check.sequence is not None and last.check.sequence > check.sequence:
                return Displaced(
                    pending=last,
                    error=RejectedTransaction(
                        f"pushed out by 0x{check.id.hex()}, an earlier one of the same sender, which may "
                        f"have {self._max_a_sender} waiting; send it again when some are in blocks",
                        reason="SENDER_LIMIT",
                        id=last.check.id.hex(),
                    ),
                )
        raise RejectedTransaction(
            f"sender 0x{check.sender.hex()} already has {self._max_a_sender} transactions waiting; "
            "send it again when some are in blocks",
            reason="SENDER_LIMIT",
        )

    # ---- pushing out

    def _evicted(self, sender: _Sender, check: TransactionCheck, next_sequence: int) -> Displaced:
        """Return the cheapest that a new transaction may push out; MEMPOOL_FULL where it bids no more."""
        rank: _Rank = (True, check.bid)
        if check.sequence is not None:
            queue = self._queues.get(sender)
            if queue is not None:
                rank = queue.rank(check.sequence, check.bid)
            elif check.sequence > next_sequence:
                rank = (False, check.bid)
        if self._evictable is None or len(self._evictable) > 4 * len(self._by_key):
            self._evictable = []
            for queue in self._queues.values():
                self._note(queue.last())
            for pending in self._by_key.values():
                if pending.check.sequence is None:
                    self._note(pending)
        heap, before = self._evictable, []
        cheapest: PendingTransaction | None = None
        bid = 0
        while heap:
            (_, bid), _, key, stamp = heap[0]
            cheapest = self._by_key.get(key)
            if cheapest is None or self._stamp(cheapest) != stamp:
                heapq.heappop(heap)
                continue
            if cheapest.sender == sender and (cheapest.check.sequence or 0) < (check.sequence or 0):
                before.append(heapq.heappop(heap))  # the new one depends on it
                continue
            break
        else:
            cheapest = None
        found = cheapest is not None and heap[0][0] < rank
        for entry in before:
            heapq.heappush(heap, entry)
        if cheapest is None or not found:
            waits = "" if check.sequence is None or rank[0] else ", and it could not go into a block yet"
            raise RejectedTransaction(
                f"the mempool is full: it holds {len(self._by_key)} transactions, the cheapest with a bid of "
                f"{bid}; this one bids {check.bid}{waits}. Bid more, or try again after a block",
                reason="MEMPOOL_FULL",
                needed=bid + 1,
                offered=check.bid,
            )
        return Displaced(
            pending=cheapest,
            error=RejectedTransaction(
                f"pushed out of a full mempool by 0x{check.id.hex()}: it had the lowest bid, {bid}; "
                "send it again with a higher one, or later",
                reason="EVICTED",
                id=cheapest.check.id.hex(),
            ),
        )

    def _note(self, pending: PendingTransaction) -> None:
        """Take note that a sender's queue changed, so that its last is where it should be."""
        sequence = pending.check.sequence
        if sequence is None:
            if self._evictable is not None:
                entry = ((True, pending.check.bid), -pending.arrival, pending.key, pending.arrival)
                heapq.heappush(self._evictable, entry)
            return
        queue = self._queues.get(pending.sender)
        if queue is None or not queue.by_sequence:
            return
        queue.stamp += 1
        if self._evictable is not None:
            last = queue.last()
            rank = queue.rank(last.check.sequence or 0, last.check.bid)
            heapq.heappush(self._evictable, (rank, -last.arrival, last.key, queue.stamp))

    def _stamp(self, pending: PendingTransaction) -> int:
        if pending.check.sequence is None:
            return pending.arrival
        return self._queues[pending.sender].stamp

    # ---- out

    def has_ready(self, containers: Collection[str]) -> bool:
        """Return whether anything for one of these containers could go into a block now."""
        return any(True for _ in self._heads(containers))

    def ready(self, containers: Collection[str], *, limit: int) -> list[PendingTransaction]:
        """Return what could go into the next block: the best bid first, each sender in sequence."""
        heap = [(-p.check.bid, p.arrival, p, rest) for p, rest in self._heads(containers)]
        heapq.heapify(heap)
        chosen: list[PendingTransaction] = []
        while heap and len(chosen) < limit:
            _, _, pending, rest = heapq.heappop(heap)
            chosen.append(pending)
            following = next(rest, None)
            if following is not None:
                heapq.heappush(heap, (-following.check.bid, following.arrival, following, rest))
        return chosen

    def _heads(
        self, containers: Collection[str]
    ) -> Iterator[tuple[PendingTransaction, Iterator[PendingTransaction]]]:
        for (container, _), queue in self._queues.items():
            rest = itertools.takewhile(lambda p: p.key not in self._held, queue.ready())
            head = next(rest, None)
            if head is not None and container in containers:
                yield head, rest
        for pending in self._by_key.values():
            if pending.check.sequence is not None or pending.key in self._held:
                continue
            if pending.transaction.container in containers:
                yield pending, iter(())

    def hold(self, pending: PendingTransaction) -> None:
        """Keep one, and what its sender sends after it, out of blocks until `release`."""
        if pending.key in self._by_key:
            self._held.add(pending.key)

    def release(self) -> None:
        """Let everything that was held try again."""
        self._held.clear()

    def expire(self, now_ms: int) -> list[PendingTransaction]:
        """Let go of those whose time has passed, and return them."""
        over = [p for p in self._by_key.values() if 0 < p.check.expires_at_ms <= now_ms]
        for pending in over:
            self.remove(pending)
        return over

    def remove(self, pending: PendingTransaction) -> None:
        """Let go of one."""
        if self._by_key.pop(pending.key, None) is None:
            return
        self._held.discard(pending.key)
        sender = pending.sender
        self._counts[sender] -= 1
        if not self._counts[sender]:
            del self._counts[sender]
        if len(self._by_key) < self._max_transactions // 2:
            self._evictable = None
        if pending.check.sequence is None:
            return
        queue = self._queues[sender]
        queue.by_sequence.pop(pending.check.sequence, None)
        if not queue.by_sequence:
            del self._queues[sender]
        self._note(pending)

    # ---- what blocks do to it

    def included(self, container: str, sender: bytes, sequence: int) -> list[PendingTransaction]:
        """Learn that a sender's sequence number is spent; return what can never be included now."""
        self._spent[(container, sender)] = max(self._spent.get((container, sender), 0), sequence + 1)
        if len(self._spent) > _MAX_SPENT:
            del self._spent[next(iter(self._spent))]
        queue = self._queues.get((container, sender))
        if queue is None:
            return []
        queue.next_sequence = max(queue.next_sequence, sequence + 1)
        stale = [p for s, p in sorted(queue.by_sequence.items()) if s < queue.next_sequence]
        for pending in stale:
            self.remove(pending)
        if queue.by_sequence:
            self._note(queue.last())
        return stale

    def renew(self, pending: PendingTransaction, check: TransactionCheck) -> None:
        """Put a later check of the same transaction in place of the one it was admitted with."""
        renewed = msgspec.structs.replace(pending, check=check)
        self._by_key[pending.key] = renewed
        if check.sequence is not None:
            queue = self._queues[pending.sender]
            queue.by_sequence[check.sequence] = renewed
            queue.next_sequence = check.next_sequence
        self._note(renewed)

    def forget_spent(self) -> None:
        """Learn that blocks left the chain: what they spent may be free again, as `renew` will tell."""
        self._spent.clear()
