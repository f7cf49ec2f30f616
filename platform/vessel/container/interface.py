"""The business-logic container: what a virtual machine implements, and nothing about transport.

The same object runs in the host's process or behind gRPC in a process of its own, and gives the same
digests on both. Determinism is the contract: what `execute` returns follows from the blocks and the
state alone. No clock, randomness, hash(), set order, float or environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from vessel.container.block_state import BlockState
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
)


class Execution(Protocol):
    """One block in the making. Called from one thread, in order: begin, transactions …, end.

    It may be dropped at any point: then nothing of it happened. An exception that leaves it poisons
    the execution and is never an outcome on chain; deterministic failures are a Status in the result.
    """

    def begin(self) -> HookResult:
        """Do what comes before the first transaction. In genesis: everything."""
        ...

    def transactions(self, batch: TransactionBatch) -> Iterable[TransactionResult]:
        """Execute a batch: a result for each, or up to and including the first that does not fit.

        A result whose `fits` is false ends the container's part of the block.
        """
        ...

    def end(self) -> BlockEndResult:
        """Do what comes after the last transaction, and fill in the section of the header."""
        ...


class Container(Protocol):
    """A virtual machine, a document store, a game: whatever turns transactions into writes.

    `validate` and `view` may be called from several threads at once and beside an execution; they
    share nothing with it but what is immutable. There is one execution at a time.
    """

    @property
    def manifest(self) -> Manifest:
        """Name and abilities; constant."""
        ...

    def configure(self, configuration: Configuration) -> Configured:
        """Take the chain's parameters. ConfigurationError names what is wrong. Idempotent."""
        ...

    def validate(self, request: ValidationRequest, state: BlockState) -> Sequence[TransactionCheck]:
        """Decode, authenticate and check a batch; never raise for what a sender can send."""
        ...

    def execute(self, start: BlockStart, state: BlockState) -> Execution:
        """Open a block. `state` reads at `start.state_version` under the block's own writes."""
        ...

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        """Learn what became of an execution. May be lost; only memory may depend on it."""
        ...

    def view(self, request: ViewRequest, state: BlockState) -> ViewResult:
        """Call, estimate or query; writes to `state` go nowhere."""
        ...
