"""The EVM as a container of the core: where the host enters."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

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
    engine: Engine


class EvmContainer:
    """Ethereum's virtual machine, Prague rules. See vessel.container.Container."""

    def __init__(self) -> None:
        """Wait for `configure`."""
        self._configured: _Chain | None = None
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
        engine = _open_engine(read)
        self._configured = _Chain(read, Layout(read.namespace), engine)
        return Configured(schema_version=SCHEMA_VERSION, engine_digest=engine.digest)

    def validate(self, request: ValidationRequest, state: BlockState) -> Sequence[TransactionCheck]:
        """Check a batch for admission."""
        chain = self._chain()
        return admission.validate(request, state, chain.configuration, chain.layout)

    def execute(self, start: BlockStart, state: BlockState) -> Execution:
        """Open a block."""
        chain = self._chain()
        return EvmExecution(start, state, chain.configuration, chain.layout, chain.engine)

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        """Keep nothing: all that outlives an execution is in the host's state."""

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
            runner = CallRunner(request, request.call, state, chain.configuration, chain.layout, chain.engine)
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
    raise ConfigurationError(f"engine: {configuration.engine!r} is unknown")
