"""A container of this chain as the host keeps it: its place, its rules, and a way to reach it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from vessel.container.connection import Connection
from vessel.container.guard import Guard
from vessel.container.interface import Container
from vessel.container.local import LocalConnection
from vessel.container.manifest import BLOCK_HOOKS, Manifest
from vessel.container.messages import Configuration, Configured, Writes
from vessel.container.readers import Readers
from vessel.container.remote import RemoteConnection
from vessel.container.supervisor import Supervisor
from vessel.errors import ContainerMisbehaved, ContainerQuarantined, ContainerUnavailable
from vessel.primitives.units import Gas

T = TypeVar("T")

_VIEW_ATTEMPTS = 3


class Hosting(Protocol):
    """How one container is kept within reach."""

    configured: Configured
    readers: Readers | None

    @property
    def transport(self) -> str:
        """ "local" or "grpc"."""
        ...

    @property
    def pid(self) -> int:
        """The plugin's process; 0 where there is none."""
        ...

    @property
    def restarts(self) -> int:
        """How often it was started anew."""
        ...

    def connection(self) -> Connection:
        """Return a configured connection, starting a plugin where none lives."""
        ...

    def lost(self, connection: Connection) -> None:
        """Take note that a connection failed."""
        ...

    def served(self) -> None:
        """Take note that a whole piece of work came back."""
        ...

    def close(self) -> None:
        """Let go for good."""
        ...


class LocalHosting:
    """The container object lives in this process."""

    transport = "local"
    pid = 0
    restarts = 0
    readers: Readers | None = None

    def __init__(self, container: Container, configuration: Configuration) -> None:
        """Configure the object; ConfigurationError where the genesis does not suit it."""
        self._connection = LocalConnection(container)
        self.configured = self._connection.configure(configuration)

    def connection(self) -> Connection:
        """Return the one connection there is."""
        return self._connection

    def lost(self, connection: Connection) -> None:
        """An object is not lost."""

    def served(self) -> None:
        """Nothing to note."""

    def close(self) -> None:
        """Nothing is held."""


class ProcessHosting:
    """The container is a plugin process under a supervisor."""

    transport = "grpc"

    def __init__(
        self, supervisor: Supervisor, configuration: Configuration, readers: Sequence[Supervisor] = ()
    ) -> None:
        """Start the plugin and configure it; errors of the first start are raised as they are.

        readers: keep further processes of it, which answer questions and execute nothing.
        """
        self._supervisor = supervisor
        self._configuration = configuration
        self.configured = Configured(schema_version=0)
        supervisor.on_start(self._configure)
        manifest = supervisor.connection().manifest
        self.readers = Readers(readers, configuration, manifest) if readers else None

    def _configure(self, connection: RemoteConnection) -> None:
        self.configured = connection.configure(self._configuration)

    @property
    def pid(self) -> int:
        """The plugin's process."""
        return self._supervisor.pid

    @property
    def restarts(self) -> int:
        """How often it was started anew."""
        return self._supervisor.restarts

    def connection(self) -> Connection:
        """Return a configured connection, starting a plugin where none lives."""
        return self._supervisor.connection()

    def lost(self, connection: Connection) -> None:
        """Kill what failed; the next `connection` starts another."""
        if isinstance(connection, RemoteConnection):
            self._supervisor.lost(connection)

    def served(self) -> None:
        """Deaths before now no longer count."""
        self._supervisor.served()

    def close(self) -> None:
        """End the plugin, and its readers."""
        if self.readers is not None:
            self.readers.close()
        self._supervisor.close()


class HostedContainer:
    """One container of the chain."""

    def __init__(
        self,
        *,
        name: str,
        kind: str,
        namespace: int,
        gas_limit: Gas,
        guard: Guard,
        hosting: Hosting,
        configured: Configured,
    ) -> None:
        """Put together what the genesis says and what the container answered."""
        self.name = name
        self.kind = kind
        self.namespace = namespace
        self.gas_limit = gas_limit
        self.guard = guard
        self.hosting = hosting
        self._readers = hosting.readers
        self.configured = configured
        self.manifest: Manifest = hosting.connection().manifest
        self._quarantine: ContainerQuarantined | None = None

    @property
    def has_hooks(self) -> bool:
        """Whether it takes part in every block."""
        return BLOCK_HOOKS in self.manifest.capabilities

    @property
    def in_service(self) -> bool:
        """Whether its transactions may go into new blocks."""
        return self._quarantine is None

    def connection(self) -> Connection:
        """Return a connection; ContainerQuarantined where the container is out of service."""
        if self._quarantine is not None:
            raise self._quarantine
        try:
            return self.hosting.connection()
        except ContainerQuarantined as error:
            self._quarantine = error
            raise

    def quarantine(self, why: str) -> None:
        """Take the container out of service until the node restarts."""
        self._quarantine = ContainerQuarantined(
            f"container {self.name!r} is out of service: {why}. Mend the plugin and restart the node.",
            container=self.name,
        )

    def ask(self, work: Callable[[Connection], T]) -> T:
        """Do read-only work by a reader, again by another where one is lost over it.

        Where no reader is up, or the container has none, the plugin that executes blocks does it.
        """
        for attempt in range(1, _VIEW_ATTEMPTS + 1):
            if self._quarantine is not None:
                raise self._quarantine
            readers = self._readers
            reader = readers.connection() if readers is not None else None
            connection = reader or self.connection()
            try:
                answer = work(connection)
            except ContainerUnavailable:
                if readers is not None and reader is not None:
                    readers.lost(reader)
                else:
                    self.hosting.lost(connection)
                if attempt == _VIEW_ATTEMPTS:
                    raise
                continue
            except ContainerMisbehaved:
                if readers is not None and reader is not None:
                    readers.lost(reader)
                raise
            if readers is not None and reader is not None:
                readers.served(reader)
            return answer
        raise AssertionError("unreachable")

    def committed(self, parent_version: int, version: int, written: Writes) -> None:
        """Let readers follow a committed block."""
        if self._readers is not None:
            self._readers.committed(parent_version, version, written)
