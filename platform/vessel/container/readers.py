"""Reader processes of a container: they answer questions, so that none waits for a block or slows one.

Each is the container's plugin once more, under a supervisor of its own, configured like the first and
never given a block. They come up when the first question is asked, and again when they die; as long as
none is up, the plugin that executes the blocks answers.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from vessel.container.manifest import Manifest
from vessel.container.messages import Configuration, Writes
from vessel.container.remote import RemoteConnection
from vessel.container.supervisor import Supervisor
from vessel.errors import ConfigurationError, ContainerError, ProtocolMismatch

NICENESS = 5  # where processors are short, blocks come first


class _Reader:
    """One process and who looks after it. connection: None while it is not up."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.connection: RemoteConnection | None = None
        self.wanted = threading.Event()
        self.keeper: threading.Thread | None = None


class Readers:
    """The readers of one container. Thread-safe."""

    def __init__(
        self, supervisors: Sequence[Supervisor], configuration: Configuration, manifest: Manifest
    ) -> None:
        """Keep a reader by each supervisor. manifest: of the plugin that executes; readers have the same."""
        self._readers = [_Reader(supervisor) for supervisor in supervisors]
        self._configuration = configuration
        self._manifest = manifest
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._turn = 0
        self._started = False
        self._closed = False
        for reader in self._readers:
            reader.supervisor.on_start(self._prepare)
            reader.supervisor.niceness = NICENESS

    def connection(self) -> RemoteConnection | None:
        """Return the reader whose turn it is; None where none is up. Never waits for one."""
        with self._lock:
            if not self._started and not self._closed:
                self._start()
            up = [reader.connection for reader in self._readers if reader.connection is not None]
            if not up:
                return None
            self._turn += 1
            return up[self._turn % len(up)]

    def wait_until_up(self, timeout_s: float) -> bool:
        """Start them if need be, and wait until all are up; return whether they are."""
        self.connection()
        with self._changed:
            return self._changed.wait_for(
                lambda: all(reader.connection is not None for reader in self._readers), timeout_s
            )

    def pids(self) -> list[int]:
        """Return the processes that are up."""
        with self._lock:
            return [reader.supervisor.pid for reader in self._readers if reader.connection is not None]

    def served(self, connection: RemoteConnection) -> None:
        """Take note that an answer came: deaths before it no longer count."""
        for reader in self._readers:
            if reader.connection is connection:
                reader.supervisor.served()

    def lost(self, connection: RemoteConnection) -> None:
        """Take note that a reader failed: it is ended, and another started in its place."""
        for reader in self._readers:
            with self._lock:
                if reader.connection is not connection:
                    continue
                reader.connection = None
            reader.supervisor.lost(connection)
            reader.wanted.set()

    def committed(self, parent_version: int, version: int, written: Writes) -> None:
        """Learn of a committed block. Nothing is sent: whoever is asked next is told then."""
        with self._lock:
            up = [reader.connection for reader in self._readers if reader.connection is not None]
        for connection in up:
            connection.committed(parent_version, version, written)

    def close(self) -> None:
        """End all of them."""
        with self._lock:
            self._closed = True
        for reader in self._readers:
            reader.wanted.set()
            reader.supervisor.close()
            if reader.keeper is not None:
                reader.keeper.join()

    def _prepare(self, connection: RemoteConnection) -> None:
        if connection.manifest != self._manifest:
            raise ProtocolMismatch(
                f"the reader is {connection.manifest}; the plugin that executes is {self._manifest}: restart "
                "the node, so that both are the same"
            )
        connection.configure(self._configuration)

    def _start(self) -> None:
        self._started = True
        for reader in self._readers:
            reader.wanted.set()
            reader.keeper = threading.Thread(
                target=self._keep, args=(reader,), name="reader-keeper", daemon=True
            )
            reader.keeper.start()

    def _keep(self, reader: _Reader) -> None:
        log = logging.getLogger(f"vessel.container.{reader.supervisor.name}")
        while True:
            reader.wanted.wait()
            reader.wanted.clear()
            if self._closed:
                return
            try:
                connection = reader.supervisor.connection()
            except (ContainerError, ConfigurationError) as error:
                if not self._closed:
                    log.error("a reader is given up, there is one less: %s", error.message)
                return
            with self._changed:
                reader.connection = connection
                self._changed.notify_all()
