"""Keeps plugin processes alive: spawn, handshake, logs, respawn, quarantine.

The handshake is reversed: the host listens, starts the process with an address and a one-time token
in its environment, and the plugin dials in and says where it serves. Nothing is read from stdout but
logs. The plugin's stdin is a pipe that the host holds open: when the host dies, however it dies, the
plugin reads end of file and ends.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO

import grpc

from vessel.container.manifest import (
    BLOCK_HOOKS,
    ESTIMATE,
    IMPERSONATION,
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    Manifest,
)
from vessel.container.plugin import HOST_ADDRESS_VARIABLE, HOST_TOKEN_VARIABLE
from vessel.container.remote import MAX_QUESTIONS, RemoteConnection
from vessel.errors import (
    ConfigurationError,
    ContainerError,
    ContainerQuarantined,
    ContainerUnavailable,
    ProtocolMismatch,
)
from vessel_proto.container.v1 import container_pb2 as pb
from vessel_proto.container.v1 import container_pb2_grpc as rpc

HOST_CAPABILITIES = frozenset({BLOCK_HOOKS, ESTIMATE, IMPERSONATION})

BACKOFF_S = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)
MAX_DEATHS_IN_A_ROW = len(BACKOFF_S)  # without an answered request in between: then quarantine

_STDERR_TAIL_LINES = 20
_LOG_LINES_A_SECOND = 2_000
_LOG_SIZE_BYTES_A_SECOND = 1 << 20
_MAX_LINE_SIZE_BYTES = 64 << 10  # of a log: a longer line comes in several


class ContainerHost(rpc.ContainerHostServicer):
    """Where plugins dial in. One for a node."""

    def __init__(self) -> None:
        """Listen on a socket that only this user can reach."""
        self._folder = tempfile.mkdtemp(prefix="vessel-host-")  # mode 0700
        self.address = f"unix:{self._folder}/host.sock"
        self._waiting: dict[str, Future[tuple[Manifest, str]]] = {}
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(4, thread_name_prefix="register"))
        rpc.add_ContainerHostServicer_to_server(self, self._server)  # type: ignore[no-untyped-call]
        self._server.add_insecure_port(self.address)
        self._server.start()

    def expect(self) -> tuple[str, Future[tuple[Manifest, str]]]:
        """Return a one-time token, and what will hold the manifest and address that come with it."""
        token = secrets.token_hex(32)
        future: Future[tuple[Manifest, str]] = Future()
        with self._lock:
            self._waiting[token] = future
        return token, future

    def forget(self, token: str) -> None:
        """Take a token back."""
        with self._lock:
            self._waiting.pop(token, None)

    def Register(self, request: pb.RegisterRequest, context: grpc.ServicerContext) -> pb.RegisterResponse:
        """Take a plugin in, or turn it away with the reason."""
        with self._lock:
            token = next(
                (t for t in self._waiting if hmac.compare_digest(t.encode(), request.token.encode())), None
            )
            future = self._waiting.pop(token) if token else None
        if future is None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is unknown or was used before")
        if request.protocol_major != PROTOCOL_MAJOR:
            error = ProtocolMismatch(
                f"the plugin {request.name} {request.version} speaks container protocol "
                f"{request.protocol_major}.{request.protocol_minor}, this host speaks "
                f"{PROTOCOL_MAJOR}.{PROTOCOL_MINOR}; install a plugin built for major {PROTOCOL_MAJOR}",
                plugin=f"{request.protocol_major}.{request.protocol_minor}",
                host=f"{PROTOCOL_MAJOR}.{PROTOCOL_MINOR}",
            )
            future.set_exception(error)
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, error.message)
        manifest = Manifest(
            name=request.name,
            version=request.version,
            capabilities=HOST_CAPABILITIES & frozenset(request.capabilities),
            recent_ids=request.recent_ids,
            protocol_major=request.protocol_major,
            protocol_minor=min(request.protocol_minor, PROTOCOL_MINOR),
        )
        future.set_result((manifest, request.listen_address))
        return pb.RegisterResponse(
            protocol_minor=manifest.protocol_minor, enabled=sorted(manifest.capabilities)
        )

    def close(self) -> None:
        """Stop listening."""
        self._server.stop(0).wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Allowance:
    """How much of what a plugin writes becomes a log in a second; the rest is only counted."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._second = 0
        self._lines = self._size_bytes = self._dropped = 0

    def take(self, size_bytes: int) -> tuple[bool, int]:
        """Return whether a line passes, and how many were dropped in the seconds before."""
        dropped, second = 0, int(self._clock())
        if second != self._second:
            dropped, self._dropped = self._dropped, 0
            self._second, self._lines, self._size_bytes = second, 0, 0
        self._lines += 1
        self._size_bytes += size_bytes
        if self._lines <= _LOG_LINES_A_SECOND and self._size_bytes <= _LOG_SIZE_BYTES_A_SECOND:
            return True, dropped
        self._dropped += 1
        return False, dropped


class PluginProcess:
    """One plugin process, from spawn to end. It is never revived: the supervisor makes another."""

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        host: ContainerHost,
        *,
        start_timeout_s: float,
        niceness: int = 0,
    ) -> None:
        """Start the process and wait until it has registered; ContainerUnavailable says why not."""
        self.name = name
        token, registered = host.expect()
        environment = {**os.environ, HOST_ADDRESS_VARIABLE: host.address, HOST_TOKEN_VARIABLE: token}
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,  # a Ctrl-C in the terminal is the host's to handle
            )
        except OSError as error:
            host.forget(token)
            raise ConfigurationError(
                f"cannot start the plugin of container {name!r}: {' '.join(command)}: {error.strerror}; "
                f"check `command` of [containers.{name}] in the node's configuration"
            ) from error
        if niceness:
            with contextlib.suppress(OSError):  # it has ended already, or this system has no such thing
                os.setpriority(os.PRIO_PROCESS, self._process.pid, niceness)
        self._tail: deque[str] = deque(maxlen=_STDERR_TAIL_LINES)
        self._pumps = [
            threading.Thread(target=self._pump, args=(stream, level), name=f"log-{name}", daemon=True)
            for stream, level in ((self._process.stdout, logging.INFO), (self._process.stderr, None))
        ]
        for pump in self._pumps:
            pump.start()
        # A process that dies before it registers must not be waited for until the time is up.
        self._died = threading.Thread(target=self._watch, args=(registered,), daemon=True)
        self._died.start()
        try:
            self.manifest, self.address = registered.result(timeout=start_timeout_s)
        except TimeoutError:
            self.kill()
            raise ContainerUnavailable(
                f"the plugin of container {name!r} did not register within {start_timeout_s:g} s: "
                f"{' '.join(command)}",
                container=name,
            ) from None
        except ContainerError:
            self.kill()
            raise
        finally:
            host.forget(token)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process is still running."""
        return self._process.poll() is None

    def _watch(self, registered: Future[tuple[Manifest, str]]) -> None:
        code = self._process.wait()
        for pump in self._pumps:
            pump.join(timeout=1)
        tail = "\n".join(self._tail)
        with contextlib.suppress(Exception):
            registered.set_exception(
                ContainerUnavailable(
                    f"the plugin of container {self.name!r} ended with {code} before it registered"
                    + (f"; it said:\n{tail}" if tail else ""),
                    container=self.name,
                )
            )

    def _pump(self, stream: IO[bytes], level: int | None) -> None:
        log = logging.getLogger(f"vessel.container.{self.name}")
        allowance = _Allowance(time.monotonic)
        with stream:
            while raw := stream.readline(_MAX_LINE_SIZE_BYTES):
                line = raw.decode(errors="replace").rstrip()
                self._tail.append(line)
                passes, dropped = allowance.take(len(raw))
                if dropped:
                    log.warning("dropped %d lines: the plugin writes more than a log takes", dropped)
                if not passes:
                    continue
                word, _, rest = line.partition(" ")
                known = logging.getLevelNamesMapping().get(word) if level is None else None
                log.log(known or level or logging.INFO, "%s", rest if known else line)

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def stop(self, *, grace_s: float) -> None:
        """End the process in order: it reads end of file; after the grace it is killed."""
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            self.kill()


def plugin_command(kind: str) -> tuple[str, ...]:
    """Return the command line that serves an installed container."""
    return (sys.executable, "-m", "vessel.container.plugin", kind)


class Supervisor:
    """Keeps one container served: a process, and another when it dies."""

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        host: ContainerHost,
        *,
        timeout_s: float,
        start_timeout_s: float,
        max_questions: int = MAX_QUESTIONS,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; nothing is started yet.

        timeout_s: of silence while an answer is due, start_timeout_s: until it has registered.
        max_questions: about state, between two answers. wait: how to sit out a backoff (a fake in tests).
        """
        self.name = name
        self._command = command
        self._host = host
        self._timeout_s = timeout_s
        self._start_timeout_s = start_timeout_s
        self._max_questions = max_questions
        self._wait = wait
        self._lock = threading.RLock()
        self._process: PluginProcess | None = None
        self._connection: RemoteConnection | None = None
        self._on_start: Callable[[RemoteConnection], None] = lambda connection: None
        self._deaths_in_a_row = 0
        self.restarts = 0
        self.niceness = 0  # of the processes: how far they stand back when processors are short
        self.quarantined = False
        self._closed = False
        self._log = logging.getLogger(f"vessel.container.{name}")

    def on_start(self, prepare: Callable[[RemoteConnection], None]) -> None:
        """Say what to do with every new connection before anybody else sees it: configure."""
        self._on_start = prepare

    @property
    def pid(self) -> int:
        """The running process; 0 where there is none."""
        process = self._process
        return process.pid if process is not None and process.alive else 0

    def connection(self) -> RemoteConnection:
        """Return a connection to a living plugin, starting one where there is none.

        ContainerQuarantined where it kept dying; ConfigurationError where it cannot be started at all.
        """
        with self._lock:
            if self._connection is not None and self._process is not None and self._process.alive:
                return self._connection
            while True:
                self._refuse_if_out_of_service()
                if self._process is not None:
                    self._count_death()
                    self._refuse_if_out_of_service()
                self._discard()
                try:
                    return self._start()
                except ContainerUnavailable as error:
                    if self._deaths_in_a_row == 0 and self.restarts == 0:
                        raise  # the very first start: the person at the keyboard wants to know now
                    self._log.error("%s", error.message)
                    self._count_death()

    def _start(self) -> RemoteConnection:
        process = PluginProcess(
            self.name,
            self._command,
            self._host,
            start_timeout_s=self._start_timeout_s,
            niceness=self.niceness,
        )
        connection = RemoteConnection(
            process.address,
            process.manifest,
            name=self.name,
            timeout_s=self._timeout_s,
            max_questions=self._max_questions,
        )
        try:
            self._on_start(connection)
        except BaseException:
            connection.close()
            process.kill()
            raise
        self._process, self._connection = process, connection
        self._log.info("serving from process %d", process.pid)
        return connection

    def lost(self, connection: RemoteConnection) -> None:
        """Take note that a connection failed: its process is not to be trusted any more."""
        with self._lock:
            if connection is self._connection and self._process is not None:
                self._process.kill()

    def served(self) -> None:
        """Take note that a whole piece of work came back: deaths before it no longer count."""
        self._deaths_in_a_row = 0

    def _count_death(self) -> None:
        self._deaths_in_a_row += 1
        self.restarts += 1
        if self._deaths_in_a_row > MAX_DEATHS_IN_A_ROW:
            self.quarantined = True
            self._log.error("died %d times in a row: quarantined", self._deaths_in_a_row)
            return
        pause_s = BACKOFF_S[min(self._deaths_in_a_row, len(BACKOFF_S)) - 1]
        self._log.warning("the plugin died; starting another after %g s", pause_s)
        if pause_s:
            self._wait(pause_s)

    def _refuse_if_out_of_service(self) -> None:
        if self._closed:
            raise ContainerUnavailable(f"container {self.name!r} is being closed", container=self.name)
        if self.quarantined:
            raise ContainerQuarantined(
                f"container {self.name!r} died {MAX_DEATHS_IN_A_ROW + 1} times in a row and is out of "
                "service; its log says why. Mend the plugin and restart the node.",
                container=self.name,
            )

    def _discard(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
        self._connection = self._process = None

    def close(self) -> None:
        """End the plugin in order."""
        self._closed = True  # before the lock: whoever is starting a plugin starts no other after it
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            if self._process is not None:
                self._process.stop(grace_s=2.0)
            self._connection = self._process = None
