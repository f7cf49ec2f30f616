"""The EVM as a container of the core: where the host enters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

import msgspec

from vessel.container import (
    BLOCK_HOOKS,
    ESTIMATE,
    IMPERSONATION,
    BlockStart,
    BlockState,
    Configuration,
    ConfigurationError,
    Configured,
    ContainerError,
    Execution,
    Manifest,
    Outcome,
    Status,
    TransactionCheck,
    ValidationRequest,
    ViewRequest,
    ViewResult,
)
from vessel_evm import admission, refusal
from vessel_evm.calls import CallRunner
from vessel_evm.configuration import EvmConfiguration, read_configuration
from vessel_evm.engine.interface import Engine
from vessel_evm.execution import EvmExecution
from vessel_evm.layout import SCHEMA_VERSION, Layout
from vessel_evm.queries import Questions
from vessel_evm.refusal import Refusal

BLOCKHASH_DEPTH = 256


class _Chain(NamedTuple):
    """What follows from the configuration."""

    configuration: EvmConfiguration
    layout: Layout
    engines: dict[str, Engine]  # by fork

    def engine_at(self, height: int) -> Engine:
        """Return the engine with the rules of a height."""
        return self.engines[self.configuration.fork_at(height)]


class EvmContainer:
    """Ethereum's virtual machine. See vessel.container.Container."""

    def __init__(self) -> None:
        """Wait for `configure`."""
        self._configured: _Chain | None = None
        self._execution: tuple[str, EvmExecution] | None = None  # the latest, by its id
        self._manifest = Manifest(
            name="evm",
            version=version("vesselchain"),
            capabilities=frozenset({BLOCK_HOOKS, ESTIMATE, IMPERSONATION}),
            recent_ids=BLOCKHASH_DEPTH,
        )

    @property
    def manifest(self) -> Manifest:
        """Name and abilities."""
        return self._manifest

    def configure(self, configuration: Configuration) -> Configured:
        """Take the chain's parameters; see vessel_evm.configuration for what they are."""
        read = read_configuration(configuration)
        engines = {fork: _open_engine(msgspec.structs.replace(read, fork=fork)) for _, fork in read.forks}
        self._configured = _Chain(read, Layout(read.namespace), engines)
        digests = b"".join(engine.digest for engine in engines.values())
        return Configured(schema_version=SCHEMA_VERSION, engine_digest=hashlib.sha256(digests).digest())

    def validate(self, request: ValidationRequest, state: BlockState) -> Sequence[TransactionCheck]:
        """Check a batch for admission."""
        chain = self._chain()
        return admission.validate(request, state, chain.configuration, chain.layout)

    def execute(self, start: BlockStart, state: BlockState) -> Execution:
        """Open a block."""
        chain = self._chain()
        engine = chain.engine_at(start.height)
        execution = EvmExecution(start, state, chain.configuration, chain.layout, engine)
        self._execution = (start.execution_id, execution)
        return execution

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        """Let the engine keep what it has read; all else that outlives an execution is in the state."""
        if self._execution is not None and self._execution[0] == execution_id:
            execution, self._execution = self._execution[1], None
            if outcome is Outcome.COMMIT:
                execution.commit()

    def view(self, request: ViewRequest, state: BlockState) -> ViewResult:
        """Call, estimate or query. A call that cannot be comes back INVALID with its reason."""
        chain = self._chain()
        if request.query is not None:
            return Questions(request.start, state, chain.configuration, chain.layout).answer(request.query)
        if request.call is None:
            return ViewResult(
                status=Status.INVALID,
                reason=refusal.UNKNOWN_METHOD,
                message="the request has neither a call nor a query",
            )
        try:
            engine = chain.engine_at(request.start.height)
            runner = CallRunner(request, request.call, state, chain.configuration, chain.layout, engine)
            return runner.estimate() if request.estimate else runner.call()
        except Refusal as error:
            return ViewResult(status=Status.INVALID, reason=error.reason, message=error.message)

    def _chain(self) -> _Chain:
        if self._configured is None:
            raise ContainerError("the evm container is not configured: call configure() first")
        return self._configured


def _open_engine(configuration: EvmConfiguration) -> Engine:
    """Return the engine that the genesis names. py-evm is loaded only where it is wanted."""
    if configuration.engine == "reference":
        from vessel_evm.engine.reference import ReferenceEngine

        return ReferenceEngine(configuration)
    if configuration.engine == "core":
        from vessel_evm.engine.core import CoreEngine

        return CoreEngine(configuration)
    raise ConfigurationError(f"engine: {configuration.engine!r} is unknown")
