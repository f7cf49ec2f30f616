"""Containers that answer from a script, behind the real Protocols of the host's side.

A transaction's raw bytes name its answer. What the script does not name is included, costs one gas and
writes itself into the container's namespace. Every call is noted with what it was given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from vessel.container.connection import Connection
from vessel.container.guard import Guard
from vessel.container.hosted import HostedContainer
from vessel.container.manifest import BLOCK_HOOKS, Manifest
from vessel.container.messages import (
    BlockEndResult,
    BlockStart,
    Configuration,
    Configured,
    HookResult,
    Outcome,
    TransactionBatch,
    TransactionCheck,
    TransactionResult,
    ValidationRequest,
    ViewRequest,
    ViewResult,
    Writes,
)
from vessel.database.namespace import encode_balance, ledger_key, namespace_prefix
from vessel.database.reader import StateReader
from vessel.errors import ContainerUnavailable
from vessel.primitives.address import reserved_address, reserved_prefix
from vessel.primitives.section import Section
from vessel.primitives.units import Address, Gas


class Call(msgspec.Struct, frozen=True):
    """One call to a fake: its name and what it was given."""

    name: str
    given: Any = None
    foreign: Mapping[bytes, bytes | None] = {}
    pushed: Mapping[bytes, bytes | None] = {}


class Script(msgspec.Struct, kw_only=True):
    """What a fake container does. Tests change it at will.

    answers: by raw bytes, the fields in which a result differs from the usual one. lose: the number of
    coming calls to be lost, by name. checks: as answers, of admission. during: what else happens in the
    coming call of a name, once. credits: batches that may be under way. extra_results: what
    follows the answer to every batch.
    """

    answers: dict[bytes, dict[str, Any]] = {}
    begin: dict[str, Any] = {}
    end: dict[str, Any] = {}
    section: dict[str, Any] = {}
    raises: dict[str, Exception] = {}
    lose: dict[str, int] = {}
    checks: dict[bytes, dict[str, Any]] = {}
    during: dict[str, Callable[[], object]] = {}
    credits: int = 1
    short_by: int = 0
    extra_results: list[TransactionResult] = []
    calls: list[Call] = []

    def note(self, call: Call) -> None:
        """Write a call down, and lose or refuse it if the script says so."""
        self.calls.append(call)
        if call.name in self.during:
            self.during.pop(call.name)()
        if self.lose.get(call.name, 0) > 0:
            self.lose[call.name] -= 1
            raise ContainerUnavailable(f"lost in {call.name}")
        if call.name in self.raises:
            raise self.raises[call.name]

    def named(self, *names: str) -> list[Call]:
        """Return the calls of these names in their order."""
        return [call for call in self.calls if call.name in names]


class FakeSession:
    """One execution of a script."""

    def __init__(self, container: FakeContainer, start: BlockStart) -> None:
        """Begin with nothing used."""
        self._container = container
        self._script = container.script
        self._start = start
        self._answers: deque[list[TransactionResult]] = deque()
        self._gas_used = 0

    def begin(self, foreign: Writes) -> None:
        """Note it."""
        self._script.note(Call("begin", self._start, dict(foreign)))

    def begun(self) -> HookResult:
        """Answer as the script says."""
        return HookResult(**self._script.begin)

    @property
    def credit(self) -> int:
        """How many more batches may be sent."""
        return self._script.credits - len(self._answers)

    def submit(self, batch: TransactionBatch, foreign: Writes, pushed: Mapping[bytes, bytes | None]) -> None:
        """Work the batch out at once; the answer waits for `results`."""
        assert self.credit > 0, "a batch was sent without credit"
        self._script.note(Call("submit", batch, dict(foreign), dict(pushed)))
        results = []
        for index, transaction in enumerate(batch.transactions, batch.first_index):
            usual: dict[str, Any] = {
                "index": index,
                "included": True,
                "gas_used": Gas(1),
                "id": transaction.raw,
                "writes": {self._container.key(transaction.raw): b"1"},
            }
            result = TransactionResult(**usual | self._script.answers.get(transaction.raw, {}))
            results.append(result)
            if result.included:
                self._gas_used += result.gas_used
            elif not result.fits:
                break
        results = results[: len(results) - self._script.short_by] + self._script.extra_results
        self._answers.append(results)

    def results(self) -> Sequence[TransactionResult]:
        """Return the oldest answer."""
        self._script.note(Call("results"))
        return self._answers.popleft()

    def end(self, foreign: Writes) -> None:
        """Note it."""
        self._script.note(Call("end", None, dict(foreign)))

    def ended(self) -> BlockEndResult:
        """Answer as the script says."""
        section = {"gas_used": Gas(self._gas_used)} | self._script.section
        return BlockEndResult(section=Section(**section), **self._script.end)

    def close(self) -> None:
        """Note it."""
        self._script.note(Call("close"))


class FakeConnection:
    """A container within reach, from when it was started until it is lost."""

    def __init__(self, container: FakeContainer) -> None:
        """Speak for `container`."""
        self._container = container
        self._script = container.script
        self.manifest = container.manifest

    def configure(self, configuration: Configuration) -> Configured:
        """Take anything."""
        return Configured(schema_version=1)

    def validate(self, request: ValidationRequest, reader: StateReader) -> list[TransactionCheck]:
        """Accept everything: the id is the raw bytes."""
        self._script.note(Call("validate", request))
        return [
            TransactionCheck(**{"accepted": True, "id": raw} | self._script.checks.get(raw, {}))
            for raw in request.raw
        ]

    def open(self, start: BlockStart, reader: StateReader) -> FakeSession:
        """Begin an execution."""
        self._script.note(Call("open", start))
        return FakeSession(self._container, start)

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        """Note it."""
        self._script.note(Call("finish", (execution_id, outcome)))

    def observe(
        self, parent_version: int, version: int, untold: Writes, *, took_part: bool, written: Writes
    ) -> None:
        """Note it."""
        self._script.note(Call("observe", (parent_version, version, took_part), dict(untold)))

    def view(self, request: ViewRequest, reader: StateReader) -> ViewResult:
        """Know nothing."""
        return ViewResult()

    def close(self) -> None:
        """Nothing is held."""


class FakeHosting:
    """Keeps a fake within reach and counts how often it was lost."""

    configured = Configured(schema_version=1)
    readers = None

    def __init__(self, container: FakeContainer, transport: str) -> None:
        """Start the first one."""
        self._container = container
        self.transport = transport
        self.pid = 1 if transport == "grpc" else 0
        self.restarts = 0
        self.lost_connections: list[Connection] = []
        self.served_times = 0
        self.refuses: Exception | None = None
        self._connection: FakeConnection | None = None

    def connection(self) -> Connection:
        """Return the connection, a new one after a loss."""
        if self.refuses is not None:
            raise self.refuses
        if self._connection is None:
            self._connection = FakeConnection(self._container)
        return self._connection

    def lost(self, connection: Connection) -> None:
        """Let the next `connection` start another."""
        assert connection is self._connection
        self.lost_connections.append(connection)
        self.restarts += 1
        self._connection = None

    def served(self) -> None:
        """Count it."""
        self.served_times += 1

    def close(self) -> None:
        """Nothing is held."""


class FakeContainer:
    """A scripted container of a chain; `hosted` is what the executor sees."""

    def __init__(
        self,
        name: str,
        namespace: int,
        *,
        hooks: bool = False,
        gas_limit: int = 100,
        transport: str = "local",
        others: Sequence[str] = (),
    ) -> None:
        """Give it its place on the chain."""
        self.name = name
        self.namespace = namespace
        self.script = Script()
        self.manifest = Manifest(
            name=name,
            version="1",
            capabilities=frozenset({BLOCK_HOOKS} if hooks else ()),
            recent_ids=2,
        )
        self.hosting = FakeHosting(self, transport)
        self.hosted = HostedContainer(
            name=name,
            kind=name,
            namespace=namespace,
            gas_limit=Gas(gas_limit),
            guard=Guard(
                name,
                namespace,
                reserved_prefix=reserved_prefix(name),
                foreign_prefixes=[reserved_prefix(other) for other in others],
            ),
            hosting=self.hosting,
            configured=self.hosting.configured,
        )

    def key(self, own: bytes) -> bytes:
        """Return a full state key of the container."""
        return namespace_prefix(self.namespace) + own

    def address(self, number: int) -> Address:
        """Return one of the container's own addresses."""
        return reserved_address(self.name, number.to_bytes(8, "big"))


def balances(amounts: Mapping[Address, int]) -> dict[bytes, bytes | None]:
    """Return the writes that set balances."""
    return {ledger_key(address): encode_balance(amount) for address, amount in amounts.items()}
