"""Turns transactions into a state: building and replaying a block are one path.

The block is cut into runs of one container each. Every container that takes part has one session;
what others write to the ledger in between is told to it before its next batch. Nobody is trusted:
each result passes its container's guard before anything of it is kept. A container that is lost in
the middle costs the attempt, never the block: everything is dropped and sent again under the same
execution id.
"""

from __future__ import annotations

import logging
import operator
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import NoReturn

import msgspec

from vessel.container.connection import Connection, Session
from vessel.container.hosted import HostedContainer
from vessel.container.messages import (
    BlockStart,
    ContainerTransaction,
    Mode,
    Outcome,
    TransactionBatch,
    TransactionResult,
    Writes,
)
from vessel.database.namespace import LEDGER_PREFIX, namespace_prefix
from vessel.database.reader import StateReader
from vessel.database.state import StateDatabase
from vessel.errors import (
    ConfigurationError,
    ContainerError,
    ContainerMisbehaved,
    ContainerQuarantined,
    ContainerUnavailable,
    InvalidBlock,
    ProtocolMismatch,
    VesselError,
)
from vessel.primitives.receipt import HookReceipt, Log, Receipt, Status
from vessel.primitives.section import MAX_SECTION_EXTRA_SIZE_BYTES, Section
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import Address, Coin, Gas, Hash32, Height
from vessel.processing.dev_transaction import (
    HOST,
    DevAction,
    Impersonate,
    SetBalance,
    WriteState,
    action_id,
    action_writes,
)
from vessel.processing.ledger import ledger_part

MAX_BATCH_TRANSACTIONS = 512
MAX_BATCH_SIZE_BYTES = 1 << 19
# Of one container in one block. The supervisor of a process gives it up sooner; an object in this
# process has none, and what makes it fail once will as a rule make it fail again.
MAX_LOSSES = 8

_log = logging.getLogger("vessel.executor")


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that may or (in replay) must go into the block.

    gas_limit: None where it is not known before execution. action: on a development chain, what a
    transaction to `vessel` does; one that impersonates is executed by the container that it names.
    """

    transaction: Transaction
    prepared: bytes = b""
    hint: tuple[bytes, ...] = ()
    gas_limit: Gas | None = None
    action: DevAction | None = None

    @property
    def container(self) -> str:
        """Who executes it; `vessel` is the host itself."""
        if isinstance(self.action, Impersonate):
            return self.action.container
        return self.transaction.container

    @property
    def raw(self) -> bytes:
        """What the container is given."""
        return self.action.raw if isinstance(self.action, Impersonate) else self.transaction.raw

    @property
    def impersonate(self) -> bytes:
        """The sender that the host vouches for; empty where the transaction is signed."""
        return self.action.sender if isinstance(self.action, Impersonate) else b""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The block to execute. sections: of the parent. takes_part: the containers that do whatever comes."""

    mode: Mode
    execution_id: str
    height: Height
    time_ms: int
    parent_id: Hash32
    parent_version: int
    proposer: Address
    randomness: Hash32
    sections: Mapping[str, Section]
    takes_part: frozenset[str]
    recent_ids: Callable[[int], Sequence[bytes]]
    initial_writes: Writes = {}  # the host's own: the funded accounts of a genesis


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that did not go in. fits: it turned out invalid; otherwise there was no room.

    later: with fits, it may go into a later block as it is.
    """

    position: int
    fits: bool
    later: bool = False
    reason: str = ""
    message: str = ""


class Executed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a plan. included: positions of the candidates, in block order."""

    version: int
    included: tuple[int, ...]
    receipts: tuple[Receipt, ...]
    hooks: tuple[HookReceipt, ...]
    sections: tuple[tuple[str, Section], ...]
    left: tuple[Left, ...]
    untold: Mapping[str, Writes]  # by container: what it has not been told
    took_part: frozenset[str]
    writes: Writes = {}  # all of them; nobody changes them any more


class Executor:
    """Executes blocks on one chain's containers and state. For the chain's thread."""

    def __init__(self, containers: Mapping[str, HostedContainer], state: StateDatabase) -> None:
        """Take the containers in the order of their namespaces."""
        self._containers = containers
        self._state = state

    def execute(self, plan: Plan, candidates: Sequence[Candidate]) -> Executed:
        """Execute, again from the start where a container is lost; `Executed.version` is not committed.

        ContainerQuarantined where a container that must take part is out of service, InvalidBlock in
        replay where the block cannot be what the chain allows, ContainerMisbehaved (with `container`
        in its details) where one broke the rules.
        """
        losses: dict[str, int] = {}
        while True:
            attempt = _Attempt(plan, self._containers, self._state)
            try:
                executed = attempt.run(candidates)
            except ContainerUnavailable as error:
                attempt.abort()
                lost = attempt.report_lost()
                if lost is None:
                    raise
                losses[lost.name] = losses.get(lost.name, 0) + 1
                if losses[lost.name] >= MAX_LOSSES:
                    _out_of_service(lost, error)
                _log.warning("block %d is executed again: %s", plan.height, error.message)
                continue
            except BaseException:
                attempt.abort()
                raise
            for name in executed.took_part:
                self._containers[name].hosting.served()
            return executed

    def finish(self, plan: Plan, executed: Executed, outcome: Outcome) -> None:
        """Tell every container what became of the block, and keep their caches in step."""
        for name, container in self._containers.items():
            if outcome is Outcome.COMMIT:
                container.committed(plan.parent_version, executed.version, executed.writes)
            gone = container.hosting.transport == "grpc" and not container.hosting.pid
            if gone or not container.in_service:
                continue  # what comes up in its place has an empty cache, and needs telling nothing
            took_part = name in executed.took_part
            try:
                connection = container.connection()
            except (ContainerError, ConfigurationError):
                continue  # the block is decided: who cannot be told is not waited for
            if took_part:
                connection.finish(plan.execution_id, outcome)
            if outcome is Outcome.COMMIT:
                connection.observe(
                    plan.parent_version,
                    executed.version,
                    executed.untold[name],
                    took_part=took_part,
                    written=executed.writes,
                )


class _Participant:
    """One container's part in one attempt."""

    def __init__(self, container: HostedContainer, connection: Connection, session: Session) -> None:
        self.container = container
        self.connection = connection
        self.session = session
        self.told = 0  # how much of the attempt's ledger journal it knows
        self.gas_used = 0
        self.full = False
        self.begun = False  # whether the answer to its begin was taken in
        self.ending = False  # whether its end was sent


class _Attempt:
    """One try at one block: dropped whole when anything mechanical fails."""

    def __init__(self, plan: Plan, containers: Mapping[str, HostedContainer], state: StateDatabase) -> None:
        self._plan = plan
        self._containers = containers
        self._state = state
        self._reader: StateReader = state.reader(plan.parent_version)
        self._version = state.begin(plan.parent_version)
        self._writes: dict[bytes, bytes | None] = dict(plan.initial_writes)
        # Who moved coin, in order: what a participant must be told is what others added since.
        self._journal: list[tuple[str, dict[bytes, bytes | None]]] = [("", ledger_part(plan.initial_writes))]
        self._participants: dict[str, _Participant] = {}
        self._receipts: list[Receipt] = []
        self._hooks: list[HookReceipt] = []
        self._included: list[int] = []
        self._left: list[Left] = []
        self._speaking: tuple[HostedContainer, Connection] | None = None
        # Whether one container does everything: then nobody's answer decides what it is sent next, and a
        # small block crosses to it and back once.
        self._alone = False

    # ---- the block

    def run(self, candidates: Sequence[Candidate]) -> Executed:
        """Go through the block from begin to end."""
        runs = list(_runs(candidates))
        busy = {candidates[run.start].container for run in runs} - {HOST}
        self._alone = len(busy | self._plan.takes_part) == 1
        for name in self._containers:
            if name in self._plan.takes_part:
                self._join(name)
        for run in runs:
            self._execute_run(run, candidates, last=run is runs[-1])
        sections = self._end()
        self._state.apply(self._version, self._writes)
        return Executed(
            version=self._version,
            included=tuple(self._included),
            receipts=tuple(self._receipts),
            hooks=tuple(self._hooks),
            sections=tuple(sorted(sections.items())),
            left=tuple(self._left),
            untold={name: self._untold(name) for name in self._containers},
            took_part=frozenset(self._participants),
            writes=self._writes,
        )

    def abort(self) -> None:
        """Drop everything."""
        for participant in self._participants.values():
            participant.session.close()
            participant.connection.finish(self._plan.execution_id, Outcome.ABORT)
        self._state.discard(self._version)

    def report_lost(self) -> HostedContainer | None:
        """Report the connection that failed to whoever keeps it; None where there was none yet."""
        if self._speaking is None:
            return None
        container, connection = self._speaking
        container.hosting.lost(connection)
        return container

    def _join(self, name: str) -> _Participant:
        """Open a container's session and run its hook at the begin of the block."""
        plan, container = self._plan, self._containers[name]
        self._speaking = None
        try:
            connection = container.connection()
        except (ConfigurationError, ProtocolMismatch) as error:
            _out_of_service(container, error)  # its plugin is gone, or is another one now
        start = BlockStart(
            mode=plan.mode,
            execution_id=plan.execution_id,
            height=plan.height,
            time_ms=plan.time_ms,
            parent_id=plan.parent_id,
            proposer=plan.proposer,
            randomness=plan.randomness,
            state_version=plan.parent_version,
            result_version=self._version,
            gas_limit=container.gas_limit,
            parent_section=plan.sections.get(name, Section()),
            recent_ids=plan.recent_ids(container.manifest.recent_ids),
        )
        self._speaking = (container, connection)
        session = connection.open(start, self._reader)
        self._participants[name] = participant = _Participant(container, connection, session)
        session.begin(self._tell(participant))
        if not self._alone:
            self._take_begun(participant)
        return participant

    def _take_begun(self, participant: _Participant) -> None:
        """Take in what the hook at the begin did, unless that is done already."""
        if participant.begun:
            return
        participant.begun = True
        container, plan = participant.container, self._plan
        name = container.name
        hook = participant.session.begun()
        may_write = container.has_hooks or plan.mode is Mode.GENESIS
        if not may_write and (hook.writes or hook.burned or hook.logs):
            raise ContainerMisbehaved(
                f"container {name!r} wrote at the begin of a block without the capability block_hooks",
                container=name,
            )
        self._keep(participant, hook.writes, hook.burned)
        self._note_hook(name, hook.burned, hook.logs, at_end=False)

    def _send_end(self, participant: _Participant) -> None:
        if not participant.ending:
            participant.ending = True
            participant.session.end(self._tell(participant))

    def _end(self) -> dict[str, Section]:
        """Run the hooks at the end of the block and collect the sections of the header."""
        sections: dict[str, Section] = {}
        for name, container in self._containers.items():
            participant = self._participants.get(name)
            if participant is None:
                before = self._plan.sections.get(name, Section(gas_limit=container.gas_limit))
                sections[name] = before.carried()
                continue
            self._speaking = (container, participant.connection)
            self._send_end(participant)
            self._take_begun(participant)
            result = participant.session.ended()
            if not container.has_hooks and (result.writes or result.burned or result.logs):
                raise ContainerMisbehaved(
                    f"container {name!r} wrote at the end of a block without the capability block_hooks",
                    container=name,
                )
            self._keep(participant, result.writes, result.burned)
            self._note_hook(name, result.burned, result.logs, at_end=True)
            section = result.section
            if section.gas_used != participant.gas_used:
                raise ContainerMisbehaved(
                    f"container {name!r} says it used {section.gas_used} gas in the block; its "
                    f"transactions used {participant.gas_used}",
                    container=name,
                )
            if len(section.extra) > MAX_SECTION_EXTRA_SIZE_BYTES:
                raise ContainerMisbehaved(
                    f"container {name!r} put {len(section.extra)} bytes into its section; at most "
                    f"{MAX_SECTION_EXTRA_SIZE_BYTES}",
                    container=name,
                )
            sections[name] = Section(
                gas_limit=container.gas_limit,
                gas_used=section.gas_used,
                base_fee=section.base_fee,
                extra=section.extra,
            )
        self._speaking = None
        return sections

    # ---- runs and batches

    def _execute_run(self, run: range, candidates: Sequence[Candidate], *, last: bool) -> None:
        name = candidates[run.start].container
        if name == HOST:
            for joined in self._participants.values():
                self._take_begun(joined)  # what it wrote comes first
            for position in run:
                self._execute_action(position, candidates[position])
            return
        participant = self._participants.get(name)
        if participant is None:
            if not self._containers[name].in_service and self._plan.mode is Mode.BUILD:
                self._left.extend(Left(position=p, fits=False, reason="QUARANTINED") for p in run)
                return
            participant = self._join(name)
        self._speaking = (participant.container, participant.connection)
        replay = self._plan.mode is Mode.REPLAY
        waiting: list[range] = []
        for batch in _batches(run, candidates):
            # A builder must know what a batch came to before it sends the next: a transaction that
            # does not fit ends the container's part. A replayed block leaves nothing to decide.
            while waiting and (not replay or participant.session.credit < 1):
                if replay and not participant.begun:
                    self._take_begun(participant)  # which says how much credit there is
                    continue
                self._settle(participant, waiting.pop(0), candidates)
            if participant.full:
                self._left.extend(Left(position=p, fits=False, reason="BLOCK_FULL") for p in batch)
                continue
            self._submit(participant, batch, candidates, told_gas=not waiting)
            waiting.append(batch)
        if last and self._alone:
            self._send_end(participant)  # whatever the answers are, nothing comes after this
        for batch in waiting:
            self._settle(participant, batch, candidates)

    def _submit(
        self, participant: _Participant, batch: range, candidates: Sequence[Candidate], *, told_gas: bool
    ) -> None:
        available = participant.container.gas_limit - participant.gas_used
        chosen = [candidates[p] for p in batch]
        hinted = dict.fromkeys(chain.from_iterable([candidate.hint for candidate in chosen]))
        pushed: dict[bytes, bytes | None] = {}
        if hinted and participant.container.hosting.transport != "local":
            keys = list(hinted)
            pushed = dict(zip(keys, self._reader.multi_get(keys), strict=True))
        participant.session.submit(
            TransactionBatch(
                first_index=batch.start,
                transactions=tuple(
                    ContainerTransaction(raw=c.raw, prepared=c.prepared, impersonate=c.impersonate)
                    for c in chosen
                ),
                gas_available=Gas(available) if told_gas else None,
            ),
            self._tell(participant),
            pushed,
        )

    def _settle(self, participant: _Participant, batch: range, candidates: Sequence[Candidate]) -> None:
        """Take in the answer to a batch."""
        self._take_begun(participant)
        results = participant.session.results()
        included = [result for result in results if result.included]
        checked = participant.container.guard.all_plain(included)
        answered = 0
        for position, result in zip(batch, results, strict=False):
            answered += 1
            if participant.full:
                raise ContainerMisbehaved(
                    f"container {participant.container.name!r} went on with transaction {result.index} "
                    "after one that did not fit",
                    container=participant.container.name,
                )
            if result.index != position:
                raise ContainerMisbehaved(
                    f"container {participant.container.name!r} answered for transaction {result.index} "
                    f"where {position} was next",
                    container=participant.container.name,
                )
            self._take(participant, position, result, candidates[position], checked=checked)
        if participant.full:
            rest = batch[answered:]
            self._left.extend(Left(position=p, fits=False, reason="BLOCK_FULL") for p in rest)
        elif answered != len(batch) or len(results) != answered:
            raise ContainerMisbehaved(
                f"container {participant.container.name!r} gave {len(results)} results for {len(batch)} "
                "transactions",
                container=participant.container.name,
            )

    def _take(
        self,
        participant: _Participant,
        position: int,
        result: TransactionResult,
        candidate: Candidate,
        *,
        checked: bool,
    ) -> None:
        """Take in one result. checked: its writes were found to be sound, and to leave the ledger alone."""
        container = participant.container
        if not result.included:
            if self._plan.mode is not Mode.BUILD:
                raise InvalidBlock(
                    f"transaction {position} of block {self._plan.height} cannot be in it: "
                    f"{result.message or result.reason}",
                    reason=result.reason or "TRANSACTION_NOT_INCLUDED",
                )
            self._left.append(
                Left(
                    position=position,
                    fits=result.fits,
                    later=result.later,
                    reason=result.reason,
                    message=result.message,
                )
            )
            participant.full = participant.full or not result.fits
            return
        available = container.gas_limit - participant.gas_used
        if candidate.gas_limit is not None:
            available = min(available, candidate.gas_limit)
        container.guard.check_gas(result.gas_used, available)
        if checked:
            self._writes.update(result.writes)
        else:
            self._keep(participant, result.writes, result.burned)
        participant.gas_used += result.gas_used
        self._included.append(position)
        self._receipts.append(
            Receipt(
                container=container.name,
                transaction_id=result.id,
                sender=result.sender,
                status=result.status,
                gas_used=result.gas_used,
                output=result.output,
                burned=result.burned,
                logs=result.logs,
                tags=result.tags,
                details=result.details,
            )
        )

    def _execute_action(self, position: int, candidate: Candidate) -> None:
        """Do what the controls of a development chain ask for; the host's own word needs no guard."""
        action = candidate.action
        if not isinstance(action, SetBalance | WriteState):
            raise InvalidBlock(f"transaction {position} of block {self._plan.height} is for nobody")
        writes = action_writes(action)
        self._writes.update(writes)
        self._journal.append((HOST, writes))
        self._included.append(position)
        self._receipts.append(
            Receipt(
                container=HOST,
                transaction_id=action_id(candidate.transaction),
                sender=b"",
                status=Status.OK,
                gas_used=Gas(0),
            )
        )

    # ---- writes

    def _keep(self, participant: _Participant, writes: Writes, burned: Coin) -> None:
        moved = participant.container.guard.check_writes(writes, burned, self._read)
        self._writes.update(writes)
        if moved:
            self._journal.append((participant.container.name, {key: writes[key] for key in moved}))

    def _read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        lacking = [key for key in keys if key not in self._writes]
        found = dict(zip(lacking, self._reader.multi_get(lacking), strict=True)) if lacking else {}
        return [self._writes[key] if key in self._writes else found[key] for key in keys]

    def _tell(self, participant: _Participant) -> Writes:
        """Return what others moved since the participant was last told, and note that it is told."""
        untold = self._since(participant.told, participant.container.name)
        participant.told = len(self._journal)
        return untold

    def _untold(self, name: str) -> Writes:
        participant = self._participants.get(name)
        return self._since(participant.told if participant else 0, name)

    def _since(self, told: int, name: str) -> dict[bytes, bytes | None]:
        untold: dict[bytes, bytes | None] = {}
        for writer, moved in self._journal[told:]:
            if writer == name:
                for key in moved:
                    untold.pop(key, None)  # its own word came later
            elif writer == HOST:
                own = namespace_prefix(self._containers[name].namespace)
                untold.update((k, v) for k, v in moved.items() if k.startswith((LEDGER_PREFIX, own)))
            else:
                untold.update(moved)
        return untold

    def _note_hook(self, name: str, burned: Coin, logs: tuple[Log, ...], *, at_end: bool) -> None:
        if burned or logs:
            self._hooks.append(HookReceipt(container=name, at_end=at_end, burned=burned, logs=logs))


def _out_of_service(container: HostedContainer, error: VesselError) -> NoReturn:
    container.quarantine(error.message)
    raise ContainerQuarantined(
        f"container {container.name!r} is taken out of service: {error.message}", container=container.name
    ) from error


def _runs(candidates: Sequence[Candidate]) -> Iterator[range]:
    """Cut into neighbours of one container."""
    names = [candidate.container for candidate in candidates]
    edges = [place for place, same in enumerate(map(operator.eq, names, names[1:]), 1) if not same]
    return map(range, [0, *edges], [*edges, len(names)]) if names else iter(())


def _batches(run: range, candidates: Sequence[Candidate]) -> Iterator[range]:
    """Cut a run so that a batch fits a frame."""
    sizes = [len(c.raw) + len(c.prepared) for c in candidates[run.start : run.stop]]
    start = 0
    while start < len(sizes):
        stop = min(start + MAX_BATCH_TRANSACTIONS, len(sizes))
        sums = list(accumulate(sizes[start:stop]))
        # As many as fit, but at least one.
        stop = start + max(1, bisect_right(sums, MAX_BATCH_SIZE_BYTES))
        yield range(run.start + start, run.start + stop)
        start = stop
