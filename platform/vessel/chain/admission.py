"""From bytes that somebody sent to a place in the mempool, and word of what became of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TypeVar

import msgspec

from vessel.container.hosted import HostedContainer
from vessel.container.messages import TransactionCheck, ValidationRequest
from vessel.database.chain_store import ChainStore
from vessel.database.reader import StateReader
from vessel.errors import (
    ContainerMisbehaved,
    ContainerQuarantined,
    RejectedTransaction,
    UnknownContainer,
    VesselError,
)
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.header import Header
from vessel.primitives.transaction import MAX_TRANSACTION_SIZE_BYTES, Transaction
from vessel.primitives.units import Height
from vessel.processing.dev_transaction import Impersonate
from vessel.processing.mempool import Displaced, Mempool, PendingTransaction

T = TypeVar("T")

_CHECKED_AT_ONCE = 512

_log = logging.getLogger("vessel.admission")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a committed transaction is."""

    executed: ExecutedBlock
    index: int


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """An admitted transaction; `committed` holds its place, or why it was dropped."""

    id: bytes
    committed: Future[Place]


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What admission checks against: the head and its state."""

    header: Header
    reader: StateReader


class Admission:
    """The mempool of one chain and those who wait for its transactions. Thread-safe."""

    def __init__(
        self,
        containers: Mapping[str, HostedContainer],
        store: ChainStore,
        surroundings: Callable[[], Surroundings],
        clock: Callable[[], int],
        on_ready: Callable[[], None],
    ) -> None:
        """Begin with an empty pool. on_ready: called after something was admitted."""
        self._containers = containers
        self._store = store
        self._surroundings = surroundings
        self._clock = clock
        self._on_ready = on_ready
        self._mempool = Mempool()
        self._waiting: dict[tuple[str, bytes], list[Future[Place]]] = {}
        self._displaced: list[Displaced] = []
        self._reorganisations = 0  # a check made before one may be wrong after it
        self._building = False
        self._closed = False
        # Whom to tell what, once the lock is let go: what they do then may lead back to here.
        self._news: list[tuple[Future[Place], Place | VesselError]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many transactions wait."""
        return len(self._mempool)

    # ---- in

    def submit(
        self, container: str, raws: Sequence[bytes], *, action: Impersonate | None = None
    ) -> list[Submitted | VesselError]:
        """Validate and admit a batch for one container; each item succeeds or fails on its own.

        action: on a development chain, what says in whose name the one transaction is sent.
        """
        hosted = self._containers.get(container)
        if hosted is None:
            raise UnknownContainer(
                f"this chain has no container {container!r}; it has: {', '.join(self._containers)}",
                container=container,
            )
        answers: dict[int, Submitted | VesselError] = {}
        for position, raw in enumerate(raws):
            if not raw or len(raw) > MAX_TRANSACTION_SIZE_BYTES:
                answers[position] = RejectedTransaction(
                    f"a transaction has 1 to {MAX_TRANSACTION_SIZE_BYTES} bytes, this one has {len(raw)}",
                    reason="SIZE",
                    size_bytes=len(raw),
                )
        while sound := [position for position in range(len(raws)) if position not in answers]:
            seen = self._reorganisations
            checks = self._validate(hosted, [raws[p] for p in sound], [action.sender] if action else ())
            for position, check in zip(sound, checks, strict=True):
                transaction = Transaction(container=container, raw=raws[position])
                try:
                    admitted = self._admit(transaction, check, seen, action)
                except VesselError as error:
                    answers[position] = error
                else:
                    if admitted is None:
                        break  # the chain moved to another branch: check the rest anew
                    answers[position] = admitted
        self._on_ready()
        return [answers[position] for position in range(len(raws))]

    def _validate(
        self, hosted: HostedContainer, raws: list[bytes], impersonate: Sequence[bytes] = ()
    ) -> list[TransactionCheck]:
        if not raws:
            return []
        around = self._surroundings()
        request = ValidationRequest(
            raw=tuple(raws),
            state_version=around.reader.version,
            height=Height(around.header.height + 1),
            time_ms=self._clock(),
            parent_section=around.header.section(hosted.name),
            impersonate=tuple(impersonate) if any(impersonate) else (),
        )
        try:
            checks = hosted.ask(lambda connection: connection.validate(request, around.reader))
        except ContainerQuarantined:
            self.abandon_quarantined()
            raise
        if len(checks) != len(raws):
            raise ContainerMisbehaved(
                f"container {hosted.name!r} gave {len(checks)} checks for {len(raws)} transactions",
                container=hosted.name,
            )
        return checks

    def _admit(
        self, transaction: Transaction, check: TransactionCheck, seen: int, action: Impersonate | None
    ) -> Submitted | None:
        """Take one in; None where the chain has moved to another branch since it was checked."""
        if not check.accepted:
            raise RejectedTransaction(
                check.message or check.reason, reason=check.reason or "REJECTED", id=check.id.hex()
            )
        container = transaction.container
        future: Future[Place] = Future()
        future.set_running_or_notify_cancel()  # from now on nobody can cancel it under the chain
        with self._lock:
            if self._closed:
                raise VesselError("the node is shutting down", reason="SHUTTING_DOWN")
            if seen != self._reorganisations:
                return None
            if self._store.transaction(container, check.id) is not None:
                raise RejectedTransaction(
                    f"transaction 0x{check.id.hex()} is already in a block",
                    reason="ALREADY_COMMITTED",
                    id=check.id.hex(),
                )
            displaced = self._mempool.add(transaction, check, action=action)
            self._waiting.setdefault((container, check.id), []).append(future)
            if displaced is not None:
                # It may be in the block that is being made, and then it is what counts.
                self._displaced.append(displaced)
                if not self._building:
                    self._settle()
        self._tell()
        return Submitted(id=check.id, committed=future)

    # ---- out

    def has_ready(self, serving: Collection[str]) -> bool:
        """Return whether anything could go into a block now."""
        with self._lock:
            return self._mempool.has_ready(serving)

    def ready(self, serving: Collection[str], *, limit: int) -> list[PendingTransaction]:
        """Return what could go into the next block, the best first, after dropping what expired.

        `settle` must follow when the block is made or given up.
        """
        with self._lock:
            for expired in self._mempool.expire(self._clock()):
                self._give_up(expired, RejectedTransaction("its time has passed", reason="EXPIRED"))
            self._building = True
            best = self._mempool.ready(serving, limit=limit)
        self._tell()
        return best

    def settle(self) -> None:
        """Learn that no block is being made: what was replaced meanwhile and is in none is over."""
        with self._lock:
            self._building = False
            self._settle()
        self._tell()

    def pending(self, container: str, transaction_id: bytes) -> PendingTransaction | None:
        """Return one that waits; container empty: in any."""
        with self._lock:
            if container:
                return self._mempool.get(container, transaction_id)
            return self._mempool.find(transaction_id)

    def drop(self, pending: PendingTransaction, error: VesselError) -> None:
        """Let go of one that cannot go into a block, and tell who waits for it why."""
        with self._lock:
            self._mempool.remove(pending)
            self._give_up(pending, error)
        self._tell()

    def hold(self, pending: PendingTransaction) -> None:
        """Keep one out of blocks until another block is committed: it may go in then."""
        with self._lock:
            self._mempool.hold(pending)

    def abandon_quarantined(self) -> None:
        """Let go of what waits for a container that is out of service, and say why."""
        for name, container in self._containers.items():
            if container.in_service:
                continue
            error = ContainerQuarantined(
                f"container {name!r} is out of service until the node restarts; the transaction is dropped. "
                "Send it again when `vessel` lists the container as serving.",
                container=name,
            )
            with self._lock:
                for pending in self._mempool.of(name):
                    self._mempool.remove(pending)
                    self._give_up(pending, error)
        self._tell()

    def committed(
        self, executed: ExecutedBlock, checks: Mapping[tuple[str, bytes], TransactionCheck]
    ) -> None:
        """Learn of a committed block. checks: by container and id, of those that came through this pool.

        The others of senders whose transactions came otherwise are checked again.
        """
        with self._lock:
            self._mempool.release()
        self._note_committed(executed, checks)
        touched = {
            (receipt.container, receipt.sender)
            for receipt in executed.receipts
            if receipt.sender and (receipt.container, receipt.transaction_id) not in checks
        }
        if touched:
            with self._lock:
                waiting = self._mempool.of_senders(touched)
            self._check_again(waiting)

    def reorganised(self, removed: Sequence[ExecutedBlock], added: Sequence[ExecutedBlock]) -> None:
        """Learn of another branch, each part with the lowest block first, in the chain's thread.

        What left the chain and is not on the new branch waits again; then everything that waits is
        checked where the chain stands now.
        """
        with self._lock:
            self._reorganisations += 1
            self._mempool.forget_spent()
            self._mempool.release()
        for executed in added:
            self._note_committed(executed, {})
        self.readmit(
            [
                transaction
                for executed in removed
                for transaction, receipt in zip(executed.block.transactions, executed.receipts, strict=True)
                if self._store.transaction(receipt.container, receipt.transaction_id) is None
            ]
        )
        with self._lock:
            waiting = [p for name in self._containers for p in self._mempool.of(name)]
        self._check_again(waiting)

    def reverted(self) -> None:
        """Learn that the chain went back to an earlier block: what waits is checked where it stands now."""
        with self._lock:
            self._reorganisations += 1
            self._mempool.forget_spent()
            self._mempool.release()
            waiting = [p for name in self._containers for p in self._mempool.of(name)]
        self._check_again(waiting)

    def readmit(self, transactions: Sequence[Transaction]) -> None:
        """Let transactions of blocks that left the chain wait again, those that still can."""
        signed = [t for t in transactions if t.container in self._containers]  # none of the host's own
        for name, own in _by_container(signed, lambda transaction: transaction.container):
            for transaction, check in self._checked(name, own, lambda transaction: transaction.raw):
                with self._lock:
                    if self._store.transaction(name, check.id) is not None:
                        continue
                    try:
                        if not check.accepted:
                            raise RejectedTransaction(check.message or check.reason, reason=check.reason)
                        displaced = self._mempool.add(transaction, check, returned=True)
                    except RejectedTransaction as error:
                        if error.reason != "ALREADY_KNOWN":
                            _log.warning(
                                "transaction 0x%s left the chain with its block and cannot wait: %s",
                                check.id.hex(),
                                error.message,
                            )
                    else:
                        if displaced is not None:
                            self._give_up(displaced.pending, displaced.error)
        self._tell()

    def _check_again(self, waiting: Sequence[PendingTransaction]) -> None:
        """Check what waits at the present head, and drop what has no place any more."""
        for name, own in _by_container(waiting, lambda pending: pending.transaction.container):
            checked = self._checked(name, own, lambda p: p.transaction.raw, lambda p: p.impersonate)
            for pending, check in checked:
                old = pending.check
                same = (old.id, old.sender, old.sequence) == (check.id, check.sender, check.sequence)
                with self._lock:
                    if self._mempool.get(*pending.key) is not pending:
                        continue
                    if check.accepted and same:
                        self._mempool.renew(pending, check)
                        continue
                    self._mempool.remove(pending)
                    self._give_up(
                        pending,
                        RejectedTransaction(
                            check.message or f"it does not fit the chain any more: {check.reason}",
                            reason=check.reason or "REJECTED",
                            id=old.id.hex(),
                        ),
                    )
        self._tell()

    def _checked(
        self,
        name: str,
        items: Sequence[T],
        raw: Callable[[T], bytes],
        impersonate: Callable[[T], bytes] = lambda _: b"",
    ) -> list[tuple[T, TransactionCheck]]:
        """Return items with their checks by a container; none of those that it could not be asked about."""
        answers: list[tuple[T, TransactionCheck]] = []
        for start in range(0, len(items), _CHECKED_AT_ONCE):
            batch = items[start : start + _CHECKED_AT_ONCE]
            try:
                checks = self._validate(
                    self._containers[name],
                    [raw(item) for item in batch],
                    [impersonate(item) for item in batch],
                )
            except VesselError as error:  # they stay as they are; building a block finds out
                _log.warning("transactions of container %r could not be checked: %s", name, error.message)
                break
            answers += zip(batch, checks, strict=True)
        return answers

    def _note_committed(
        self, executed: ExecutedBlock, checks: Mapping[tuple[str, bytes], TransactionCheck]
    ) -> None:
        with self._lock:
            for index, receipt in enumerate(executed.receipts):
                key = (receipt.container, receipt.transaction_id)
                pending = self._mempool.get(*key)
                if pending is not None:
                    self._mempool.remove(pending)
                check = checks.get(key) or (pending.check if pending else None)
                if check is not None and check.sequence is not None:
                    winner = f"sequence {check.sequence} was taken by 0x{receipt.transaction_id.hex()}"
                    for old in self._mempool.included(receipt.container, check.sender, check.sequence):
                        self._give_up(old, RejectedTransaction(winner, reason="NONCE_TOO_LOW"))
                place = Place(executed=executed, index=index)
                self._news += [(future, place) for future in self._waiting.pop(key, ())]
        self._tell()

    def _settle(self) -> None:
        for displaced in self._displaced:
            if self._mempool.get(*displaced.pending.key) is None:  # otherwise it came in again
                self._give_up(displaced.pending, displaced.error)
        self._displaced.clear()

    def _give_up(self, pending: PendingTransaction, error: VesselError) -> None:
        self._news += [(future, error) for future in self._waiting.pop(pending.key, ())]

    def _tell(self) -> None:
        """Tell the news, without the lock."""
        with self._lock:
            news, self._news = self._news, []
        for future, outcome in news:
            if isinstance(outcome, Place):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)

    def close(self) -> None:
        """Tell everybody who still waits that the node is going away."""
        error = VesselError("the node is shutting down", reason="SHUTTING_DOWN")
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, {}
            self._news += [(future, error) for futures in waiting.values() for future in futures]
        self._tell()


def _by_container(items: Sequence[T], name: Callable[[T], str]) -> Iterator[tuple[str, list[T]]]:
    """Yield what belongs to each container, in its order."""
    found: dict[str, list[T]] = {}
    for item in items:
        found.setdefault(name(item), []).append(item)
    yield from found.items()
