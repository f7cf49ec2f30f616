"""The local transport: the container is an object in the host's process."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from vessel.container.block_state import BlockState
from vessel.container.connection import Session
from vessel.container.interface import Container, Execution
from vessel.container.manifest import Manifest
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
from vessel.container.poisoned_reader import PoisonedReader
from vessel.database.reader import StateReader
from vessel.errors import ContainerUnavailable, VesselError

_log = logging.getLogger("vessel.container")


@contextlib.contextmanager
def _edge(name: str, reader: PoisonedReader) -> Iterator[None]:
    """Make of a container's fault what it is on the other transport; errors of the host pass as they are.

    A read that failed is the host's fault, also where the container has taken it for its own.
    """
    try:
        yield
    except VesselError:
        reader.check()
        raise
    except Exception as error:
        reader.check()
        raise ContainerUnavailable(
            f"container {name!r} failed: {type(error).__name__}: {error}", container=name
        ) from error
    reader.check()


class LocalSession:
    """An execution in the caller's thread: what is sent is done at once, and its answer waits."""

    def __init__(self, execution: Execution, state: BlockState, reader: PoisonedReader, name: str) -> None:
        """Drive `execution`, laying the others' writes on `state`, which reads by `reader`."""
        self._name = name
        self._execution = execution
        self._state = state
        self._reader = reader
        self._begun = HookResult()
        self._answers: deque[Sequence[TransactionResult]] = deque()
        self._ended: BlockEndResult | None = None
        self._full = False

    def begin(self, foreign: Writes) -> None:
        """Run the hook at the begin of the block."""
        self._state.keep(foreign)
        with _edge(self._name, self._reader):
            self._begun = self._execution.begin()

    def begun(self) -> HookResult:
        """Return what it did."""
        return self._begun

    @property
    def credit(self) -> int:
        """One: a batch is executed as it is submitted."""
        return 1 - len(self._answers)

    def submit(self, batch: TransactionBatch, foreign: Writes, pushed: Mapping[bytes, bytes | None]) -> None:
        """Execute a batch."""
        self._state.keep(foreign)
        if pushed:
            self._state.remember(pushed.items())
        with _edge(self._name, self._reader):
            results = [] if self._full else list(self._execution.transactions(batch))
        for result in results:
            self._full = self._full or not result.fits
        self._answers.append(results)

    def results(self) -> Sequence[TransactionResult]:
        """Return the answer to the oldest unanswered batch."""
        return self._answers.popleft()

    def end(self, foreign: Writes) -> None:
        """Run the hook at the end of the block."""
        self._state.keep(foreign)
        with _edge(self._name, self._reader):
            self._ended = self._execution.end()

    def ended(self) -> BlockEndResult:
        """Return what it did, and the section."""
        if self._ended is None:
            raise AssertionError("the block is ended before it is asked what came of it")
        return self._ended

    def close(self) -> None:
        """Nothing is held."""


class LocalConnection:
    """A container object, behind the same face as a process."""

    def __init__(self, container: Container) -> None:
        """Take a container that nobody else drives."""
        self._container = container
        self._namespace = 0

    @property
    def manifest(self) -> Manifest:
        """What the container says of itself."""
        return self._container.manifest

    def configure(self, configuration: Configuration) -> Configured:
        """Pass on what the genesis says."""
        self._namespace = configuration.namespace
        return self._container.configure(configuration)

    def validate(self, request: ValidationRequest, reader: StateReader) -> list[TransactionCheck]:
        """Check a batch for admission."""
        below = PoisonedReader(reader)
        with _edge(self.manifest.name, below):
            return list(self._container.validate(request, BlockState(below, self._namespace)))

    def open(self, start: BlockStart, reader: StateReader) -> Session:
        """Begin an execution; the database's own cache serves, so none is kept here."""
        below = PoisonedReader(reader)
        state = BlockState(below, self._namespace)
        name = self.manifest.name
        with _edge(name, below):
            return LocalSession(self._container.execute(start, state), state, below, name)

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        """Tell the container what became of an execution."""
        try:
            self._container.finish(execution_id, outcome)
        except Exception:  # noqa: BLE001 -- never raises, by contract
            _log.exception("container %r failed to finish an execution", self.manifest.name)

    def observe(
        self, parent_version: int, version: int, untold: Writes, *, took_part: bool, written: Writes
    ) -> None:
        """There is no cache to follow."""

    def view(self, request: ViewRequest, reader: StateReader) -> ViewResult:
        """Call, estimate or query."""
        below = PoisonedReader(reader)
        state = BlockState(below, self._namespace, overrides=request.overrides)
        with _edge(self.manifest.name, below):
            return self._container.view(request, state)

    def close(self) -> None:
        """Nothing is held."""
