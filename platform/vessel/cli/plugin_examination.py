"""Each container of a chain: is it installed, does it start, does it take the genesis, does it answer."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence

from vessel.cli.finding import Finding, fail, ok
from vessel.config import NodeConfig
from vessel.container.hosted import HostedContainer
from vessel.container.messages import ValidationRequest
from vessel.container.registry import installed_kinds
from vessel.container.supervisor import ContainerHost
from vessel.database.namespace import FIRST_CONTAINER
from vessel.database.reader import Range
from vessel.errors import ContainerUnavailable, ProtocolMismatch, UnknownContainer, VesselError
from vessel.node import host_container
from vessel.primitives.section import Section
from vessel.primitives.units import Gas, Height
from vessel.processing.genesis import Genesis

TAIL_LINES = 8
_NOTHING = b"\x00"  # no container takes it for a transaction; one that lives says so


class _Tail(logging.Handler):
    """The last lines that a plugin wrote."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: deque[str] = deque(maxlen=TAIL_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class _EmptyState:
    """State in which there is nothing."""

    version = 1

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [None for _ in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        return []


def examine_plugins(config: NodeConfig, genesis: Genesis) -> Iterator[Finding]:
    """Start every container of the chain as the node would, ask it something, and end it again."""
    for name in config.containers:
        if name not in genesis.containers:
            names = ", ".join(genesis.containers)
            yield fail(
                f"container {name}",
                UnknownContainer(f"the configuration names it, the chain does not: it has {names}"),
                mend=f"remove [containers.{name}] or correct the name",
            )
    host = ContainerHost()
    try:
        for namespace, name in enumerate(genesis.containers, FIRST_CONTAINER):
            yield _examine(config, genesis, name, namespace, host)
    finally:
        host.close()


def _examine(config: NodeConfig, genesis: Genesis, name: str, namespace: int, host: ContainerHost) -> Finding:
    what = f"container {name}"
    kind = genesis.containers[name].kind or name
    if not config.process(name).command and ":" not in kind and kind not in installed_kinds():
        kinds = ", ".join(installed_kinds()) or "none"
        return fail(
            what,
            UnknownContainer(f"no container of kind {kind!r} is installed; there are: {kinds}"),
            mend=f"install the package that brings it, or set `command` in [containers.{name}]",
        )
    tail = _Tail()
    log = logging.getLogger(f"vessel.container.{name}")
    level, propagates = log.level, log.propagate
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(tail)
    hosted: HostedContainer | None = None
    try:
        hosted = host_container(config, genesis, name, namespace, host)
        transport, pid = hosted.hosting.transport, hosted.hosting.pid
        hosted.hosting.connection().validate(
            ValidationRequest(
                raw=(_NOTHING,),
                state_version=_EmptyState.version,
                height=Height(1),
                time_ms=genesis.time_ms,
                parent_section=Section(gas_limit=Gas(hosted.gas_limit)),
            ),
            _EmptyState(),
        )
        manifest = hosted.manifest
        where = f"process {pid} came and went" if pid else "in this process"
        return ok(what, f"{manifest.name} {manifest.version}, {transport}: {where}")
    except ProtocolMismatch as error:
        return fail(what, error)
    except VesselError as error:
        said = "\n".join(line for line in tail.lines if line not in error.message)
        if isinstance(error, ContainerUnavailable) and said:
            error.message += f"; it said:\n{said}"
        return fail(what, error, mend=f"see [containers.{name}] of the configuration and of the genesis")
    finally:
        if hosted is not None:
            hosted.hosting.close()
        log.removeHandler(tail)
        log.propagate = propagates
        log.setLevel(level)
