"""The host's side of a container: what the executor sees, whatever the transport."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

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
from vessel.database.reader import StateReader


class Session(Protocol):
    """One execution of one block in one container. For one thread.

    Each step is sent and, later, answered; answers come in the order of what was sent. A caller need not
    take the answer to one step before it sends the next, so that a whole block may cross at once.

    Any method may raise ContainerUnavailable (lost; send the execution again) or ContainerMisbehaved.
    `foreign` is what others have written since this container was last told.
    """

    def begin(self, foreign: Writes) -> None:
        """Have the hook at the begin of the block run."""
        ...

    def begun(self) -> HookResult:
        """Return what the hook at the begin did: before any `results`."""
        ...

    @property
    def credit(self) -> int:
        """How many more batches the container takes before `results` must be called; one before `begun`."""
        ...

    def submit(self, batch: TransactionBatch, foreign: Writes, pushed: Mapping[bytes, bytes | None]) -> None:
        """Send a batch; `pushed` are values at the state version that it will probably read."""
        ...

    def results(self) -> Sequence[TransactionResult]:
        """Return the answer to the oldest unanswered batch.

        Up to and including the first transaction that does not fit; empty for the batches behind that one.
        """
        ...

    def end(self, foreign: Writes) -> None:
        """Have the hook at the end of the block run: nothing can be submitted any more."""
        ...

    def ended(self) -> BlockEndResult:
        """Return what the hook at the end did: after the last `results`."""
        ...

    def close(self) -> None:
        """Let go of the execution; what has not ended is aborted. May be called twice."""
        ...


class Connection(Protocol):
    """A container within reach. `validate` and `view` may be called from any thread."""

    @property
    def manifest(self) -> Manifest:
        """What the container says of itself."""
        ...

    def configure(self, configuration: Configuration) -> Configured:
        """Pass on what the genesis says."""
        ...

    def validate(self, request: ValidationRequest, reader: StateReader) -> list[TransactionCheck]:
        """Check a batch for admission; reads are answered by `reader`."""
        ...

    def open(self, start: BlockStart, reader: StateReader) -> Session:
        """Begin an execution on `reader`, whose version is `start.state_version`."""
        ...

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        """Tell the container what became of an execution. Never waits, never raises."""
        ...

    def observe(
        self, parent_version: int, version: int, untold: Writes, *, took_part: bool, written: Writes
    ) -> None:
        """Learn of a committed block.

        untold: what others wrote where this container reads and it was not told while the block was
        executed. took_part: whether it executed the block. written: all that the block wrote, whoever did;
        nobody changes it any more. Its caches follow from this.
        """
        ...

    def view(self, request: ViewRequest, reader: StateReader) -> ViewResult:
        """Call, estimate or query."""
        ...

    def close(self) -> None:
        """Let go of the container for good."""
        ...
