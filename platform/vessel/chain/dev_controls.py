"""The controls of a development chain: time, mining, snapshots, state, impersonation.

What changes state is a transaction of the host in the next block, and seen from that moment on by
everything that reads the latest state: as on the test nodes that people know, setting a balance makes no
block of its own, and yet the chain replays from its blocks alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from vessel.chain.admission import Submitted
from vessel.chain.chain import Chain
from vessel.chain.dev_clock import DevClock
from vessel.chain.producer import Producer
from vessel.consensus.instant import Instant
from vessel.container.manifest import IMPERSONATION
from vessel.errors import InvalidRequest, NotFound, UnknownContainer, VesselError
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import Hash32, Height
from vessel.processing.dev_transaction import Impersonate, SetBalance, WriteState
from vessel.processing.mempool import PendingTransaction

MAX_MINED_AT_ONCE = 10_000
MAX_SNAPSHOTS = 1_000


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A place to go back to."""

    height: Height
    block_id: Hash32
    staged: tuple[PendingTransaction, ...]
    clock: tuple[int, int | None]


class DevControls:
    """Everything here runs in the chain's thread; see Producer.call."""

    def __init__(self, chain: Chain, clock: DevClock, producer: Producer) -> None:
        """Control `chain`, whose clock this is; InvalidRequest where it is no development chain."""
        if not chain.genesis.dev:
            raise InvalidRequest(
                "the controls are for development chains: this chain's genesis has dev = false",
                reason="NOT_A_DEV_CHAIN",
            )
        self._chain = chain
        self._clock = clock
        self._producer = producer
        self._snapshots: dict[int, Snapshot] = {}
        self._last_snapshot = 0
        self._actions = 0
        chain.events.subscribe(lambda executed: clock.block_made())

    # ---- blocks and time

    def mine(self, blocks: int, *, interval_ms: int = 0) -> ExecutedBlock:
        """Make blocks now, so far apart in time (0: as the clock says), and return the last."""
        if not 1 <= blocks <= MAX_MINED_AT_ONCE:
            raise InvalidRequest(f"blocks = {blocks}: expected 1 to {MAX_MINED_AT_ONCE}")
        for number in range(blocks):
            self._producer.check_open()
            if interval_ms and number:
                head = self._chain.head.block.header.time_ms
                self._clock.set_next(head + interval_ms, after_ms=head)
            self._chain.produce_by_hand()
        return self._chain.head

    def set_mining(self, mode: str, interval_ms: int) -> None:
        """Switch between a block on every transaction, on an interval, and by hand."""
        consensus = self._chain.consensus
        if not isinstance(consensus, Instant):
            raise InvalidRequest(f"consensus {consensus.name} does not let its mode be changed")
        consensus.switch(mode, interval_ms)
        self._chain.wake()

    def set_next_block_time(self, time_ms: int) -> None:
        """Give the next block this time."""
        self._clock.set_next(time_ms, after_ms=self._chain.head.block.header.time_ms)

    def increase_time(self, by_ms: int) -> int:
        """Move the clock forward, and return how far it is ahead of the machine's."""
        return self._clock.increase(by_ms)

    # ---- going back

    def snapshot(self) -> tuple[int, Height]:
        """Remember where the chain stands; return the snapshot's number and height."""
        head = self._chain.head
        self._last_snapshot += 1
        self._snapshots[self._last_snapshot] = Snapshot(
            height=head.block.header.height,
            block_id=head.block_id,
            staged=self._chain.staged,
            clock=self._clock.state(),
        )
        if len(self._snapshots) > MAX_SNAPSHOTS:
            del self._snapshots[next(iter(self._snapshots))]
        return self._last_snapshot, head.block.header.height

    def revert(self, number: int) -> Height:
        """Go back to a snapshot; it and all later ones are used up."""
        snapshot = self._snapshots.get(number)
        if snapshot is None:
            raise NotFound(
                f"there is no snapshot {number}: it was never made, was reverted to, or lies behind one "
                "that was",
                reason="NO_SNAPSHOT",
            )
        self._chain.revert_to(snapshot.height, snapshot.block_id, snapshot.staged)
        self._clock.restore(snapshot.clock)
        self._snapshots = {n: s for n, s in self._snapshots.items() if n < number}
        return snapshot.height

    # ---- state

    def set_balance(self, address: bytes, balance: int) -> tuple[Height, bytes]:
        """Give an address so much native coin; return the height and id of the transaction it becomes."""
        return self._chain.stage(SetBalance(address=address, balance=hex(balance), number=self._number()))

    def write_state(self, writes: Mapping[bytes, bytes | None]) -> tuple[Height, bytes]:
        """Set full state keys of any container; return the height and id of the transaction it becomes."""
        return self._chain.stage(WriteState(writes=tuple(sorted(writes.items())), number=self._number()))

    def _number(self) -> int:
        """Return what keeps two equal actions apart: where the chain stands, and a count."""
        self._actions += 1
        return (self._chain.head.block.header.height << 32) + self._actions

    # ---- transactions

    def impersonate(self, container: str, sender: bytes, raw: bytes) -> Submitted:
        """Submit a transaction that its sender has not signed."""
        hosted = self._chain.containers.get(container)
        if hosted is None:
            raise UnknownContainer(f"this chain has no container {container!r}", container=container)
        if IMPERSONATION not in hosted.manifest.capabilities:
            raise InvalidRequest(
                f"container {container!r} does not take transactions of others (capability {IMPERSONATION})",
                reason="IMPERSONATION_UNSUPPORTED",
            )
        if not sender:
            raise InvalidRequest("the sender to impersonate is empty")
        action = Impersonate(container=container, sender=sender, raw=raw)
        answer = self._chain.admission.submit(container, [raw], action=action)[0]
        if isinstance(answer, VesselError):
            raise answer
        return answer
