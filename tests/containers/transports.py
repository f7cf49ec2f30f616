"""The two ways to a container, by name, for tests that must come out the same on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from containers.launch import plugin_command
from vessel.container.connection import Connection
from vessel.container.local import LocalConnection
from vessel.container.registry import load_container
from vessel.container.supervisor import ContainerHost, Supervisor

TRANSPORTS = ("local", "grpc")

Connect = Callable[[str, str], Connection]


def no_wait(pause_s: float) -> None:
    """Sit out a backoff without sitting."""


@contextmanager
def connections() -> Iterator[Connect]:
    """Yield a function from transport and `module:attribute` to a connection.

    A process is started once for each kind; configuring it anew, as every test does, empties it.
    """
    with ExitStack() as stack:
        hosts: list[ContainerHost] = []
        supervisors: dict[str, Supervisor] = {}

        def connect(transport: str, kind: str) -> Connection:
            if transport == "local":
                return LocalConnection(load_container(kind))
            if not hosts:
                hosts.append(ContainerHost())
                stack.callback(hosts[0].close)
            if kind not in supervisors:
                supervisors[kind] = Supervisor(
                    kind.rpartition(":")[2],
                    plugin_command(kind),
                    hosts[0],
                    timeout_s=30,
                    start_timeout_s=30,
                    wait=no_wait,
                )
                stack.callback(supervisors[kind].close)
            return supervisors[kind].connection()

        yield connect
