"""Transactions that wait: ordered by bid, and within a sender by sequence number.

A container without sequence numbers makes every transaction its own queue. Replacement needs the same
sender and sequence and a bid 10 % higher. Not thread-safe: its owner holds a lock.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator

import msgspec

from vessel.container.messages import TransactionCheck
from vessel.errors import RejectedTransaction
from vessel.primitives.transaction import Transaction

MAX_TRANSACTIONS = 20_000
MAX_TRANSACTIONS_A_SENDER = 1_000
REPLACEMENT_BID_PERCENT = 110
_MAX_SPENT = 50_000


class PendingTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One that was admitted. arrival: counts up, so that equal bids keep their order."""

    transaction: Transaction
    check: TransactionCheck
    arrival: int

    @property
    def key(self) -> tuple[str, bytes]:
        """What names it on this chain: container and id."""
        return (self.transaction.container, self.check.id)


_Sender = tuple[str, bytes]  # container, sender


class _Queue:
    """The transactions of one sender by sequence number."""

    __slots__ = ("by_sequence", "next_sequence")

    def __init__(self) -> None:
        self.by_sequence: dict[int, PendingTransaction] = {}
        self.next_sequence = 0

    def ready(self) -> Iterator[PendingTransaction]:
        """Yield from the next sequence on, up to the first gap."""
        sequence = self.next_sequence
        while (pending := self.by_sequence.get(sequence)) is not None:
            yield pending
            sequence += 1


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
        self._arrivals = 0
        # Where senders stand by the blocks of late: a check made just before such a block is behind.
        self._spent: dict[_Sender, int] = {}

    def __len__(self) -> int:
        """Return how many wait, those behind a gap included."""
        return len(self._by_key)

    def get(self, container: str, transaction_id: bytes) -> PendingTransaction | None:
        """Return one that waits; None where it does not."""
        return self._by_key.get((container, transaction_id))

    def find(self, transaction_id: bytes) -> PendingTransaction | None:
        """Return one that waits in any container."""
        return next((p for p in self._by_key.values() if p.check.id == transaction_id), None)

    def add(self, transaction: Transaction, check: TransactionCheck) -> PendingTransaction | None:
        """Admit one, and return what it replaced; RejectedTransaction says why not."""
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
        replaced = self._replaced(transaction.container, check)
        if replaced is None:
            if len(self._by_key) >= self._max_transactions:
                raise RejectedTransaction(
                    f"the mempool is full: it holds {len(self._by_key)} transactions; "
                    "try again after a block",
                    reason="MEMPOOL_FULL",
                )
            queue = self._queues.get(sender)
            if queue is not None and len(queue.by_sequence) >= self._max_a_sender:
                raise RejectedTransaction(
                    f"sender 0x{check.sender.hex()} already has {self._max_a_sender} transactions waiting",
                    reason="SENDER_LIMIT",
                )
        self._arrivals += 1
        pending = PendingTransaction(transaction=transaction, check=check, arrival=self._arrivals)
        if replaced is not None:
            del self._by_key[replaced.key]
        self._by_key[pending.key] = pending
        if check.sequence is not None:
            queue = self._queues.setdefault(sender, _Queue())
            queue.by_sequence[check.sequence] = pending
            queue.next_sequence = max(queue.next_sequence, next_sequence)
        return replaced

    def _replaced(self, container: str, check: TransactionCheck) -> PendingTransaction | None:
        queue = self._queues.get((container, check.sender))
        if queue is None or check.sequence is None:
            return None
        held = queue.by_sequence.get(check.sequence)
        if held is None:
            return None
        needed = -(-held.check.bid * REPLACEMENT_BID_PERCENT // 100)
        if check.bid < max(needed, held.check.bid + 1):
            raise RejectedTransaction(
                f"sequence {check.sequence} of 0x{check.sender.hex()} is already waiting with a bid of "
                f"{held.check.bid}; to replace it, bid at least {max(needed, held.check.bid + 1)}",
                reason="REPLACEMENT_UNDERPRICED",
                needed=max(needed, held.check.bid + 1),
                offered=check.bid,
            )
        return held

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
            rest = queue.ready()
            head = next(rest, None)
            if head is not None and container in containers:
                yield head, rest
        for pending in self._by_key.values():
            if pending.check.sequence is None and pending.transaction.container in containers:
                yield pending, iter(())

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
        check = pending.check
        if check.sequence is None:
            return
        sender = (pending.transaction.container, check.sender)
        queue = self._queues[sender]
        if queue.by_sequence.get(check.sequence) is pending:
            del queue.by_sequence[check.sequence]
        if not queue.by_sequence:
            del self._queues[sender]

    def included(self, container: str, sender: bytes, sequence: int) -> list[PendingTransaction]:
        """Learn that a sender's sequence number is spent; return what can never be included now."""
        self._spent[(container, sender)] = sequence + 1
        if len(self._spent) > _MAX_SPENT:
            del self._spent[next(iter(self._spent))]
        queue = self._queues.get((container, sender))
        if queue is None:
            return []
        queue.next_sequence = max(queue.next_sequence, sequence + 1)
        stale = [p for s, p in sorted(queue.by_sequence.items()) if s < queue.next_sequence]
        for pending in stale:
            self.remove(pending)
        return stale
