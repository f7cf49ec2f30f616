"""From bytes that somebody sent to a place in the mempool, and word of what became of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future

import msgspec

from vessel.container.hosted import HostedContainer
from vessel.container.messages import TransactionCheck, ValidationRequest
from vessel.database.chain_store import ChainStore
from vessel.database.reader import StateReader
from vessel.errors import RejectedTransaction, UnknownContainer, VesselError
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.header import Header
from vessel.primitives.transaction import MAX_TRANSACTION_SIZE_BYTES, Transaction
from vessel.primitives.units import Height
from vessel.processing.mempool import Mempool, PendingTransaction


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
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many transactions wait."""
        return len(self._mempool)

    # ---- in

    def submit(self, container: str, raws: Sequence[bytes]) -> list[Submitted | VesselError]:
        """Validate and admit a batch for one container; each item succeeds or fails on its own."""
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
        sound = [position for position in range(len(raws)) if position not in answers]
        for position, check in zip(sound, self._validate(hosted, [raws[p] for p in sound]), strict=True):
            transaction = Transaction(container=container, raw=raws[position])
            try:
                answers[position] = self._admit(transaction, check)
            except RejectedTransaction as error:
                answers[position] = error
        self._on_ready()
        return [answers[position] for position in range(len(raws))]

    def _validate(self, hosted: HostedContainer, raws: list[bytes]) -> list[TransactionCheck]:
        if not raws:
            return []
        around = self._surroundings()
        request = ValidationRequest(
            raw=tuple(raws),
            state_version=around.reader.version,
            height=Height(around.header.height + 1),
            time_ms=self._clock(),
            parent_section=around.header.section(hosted.name),
        )
        return hosted.ask(lambda connection: connection.validate(request, around.reader))

    def _admit(self, transaction: Transaction, check: TransactionCheck) -> Submitted:
        if not check.accepted:
            raise RejectedTransaction(
                check.message or check.reason, reason=check.reason or "REJECTED", id=check.id.hex()
            )
        container = transaction.container
        if self._store.transaction(container, check.id) is not None:
            raise RejectedTransaction(
                f"transaction 0x{check.id.hex()} is already in a block",
                reason="ALREADY_COMMITTED",
                id=check.id.hex(),
            )
        future: Future[Place] = Future()
        with self._lock:
            replaced = self._mempool.add(transaction, check)
            self._waiting.setdefault((container, check.id), []).append(future)
            if replaced is not None:
                self._give_up(
                    replaced,
                    RejectedTransaction(
                        f"replaced by 0x{check.id.hex()}, which bids more", reason="REPLACED"
                    ),
                )
        return Submitted(id=check.id, committed=future)

    # ---- out

    def has_ready(self, serving: Collection[str]) -> bool:
        """Return whether anything could go into a block now."""
        with self._lock:
            return self._mempool.has_ready(serving)

    def ready(self, serving: Collection[str], *, limit: int) -> list[PendingTransaction]:
        """Return what could go into the next block, the best first, after dropping what expired."""
        with self._lock:
            for expired in self._mempool.expire(self._clock()):
                self._give_up(expired, RejectedTransaction("its time has passed", reason="EXPIRED"))
            return self._mempool.ready(serving, limit=limit)

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

    def committed(self, executed: ExecutedBlock, checks: Mapping[bytes, TransactionCheck]) -> None:
        """Learn of a committed block. checks: by id, of those that came through this pool."""
        with self._lock:
            for index, receipt in enumerate(executed.receipts):
                key = (receipt.container, receipt.transaction_id)
                pending = self._mempool.get(*key)
                if pending is not None:
                    self._mempool.remove(pending)
                check = checks.get(receipt.transaction_id) or (pending.check if pending else None)
                if check is not None and check.sequence is not None:
                    winner = f"sequence {check.sequence} was taken by 0x{receipt.transaction_id.hex()}"
                    for old in self._mempool.included(receipt.container, check.sender, check.sequence):
                        self._give_up(old, RejectedTransaction(winner, reason="NONCE_TOO_LOW"))
                for future in self._waiting.pop(key, ()):
                    future.set_result(Place(executed=executed, index=index))

    def _give_up(self, pending: PendingTransaction, error: VesselError) -> None:
        for future in self._waiting.pop(pending.key, ()):
            future.set_exception(error)

    def close(self) -> None:
        """Tell everybody who still waits that the node is going away."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for futures in waiting.values():
            for future in futures:
                future.set_exception(VesselError("the node is shutting down", reason="SHUTTING_DOWN"))
