"""The plugin's side of the wire: what the author of a container calls.

    from vessel.container import serve

    serve(MyContainer())

An installed container needs no program of its own: `python -m vessel.container.plugin KIND`.

The process dials the host at VESSEL_HOST_ADDRESS with the one-time VESSEL_HOST_TOKEN, and then serves
container/v1 on a Unix socket of its own. Whatever it prints is a log. It ends when its host ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import grpc

from vessel.container import codec
from vessel.container.block_state import BlockState
from vessel.container.deep_threads import DeepThreadPool
from vessel.container.fragments import cut, join
from vessel.container.interface import Container
from vessel.container.manifest import MAX_RECENT_IDS
from vessel.container.messages import Outcome
from vessel.container.recent_ids import RecentIds
from vessel.container.state_cache import StateCache
from vessel.database.reader import Range
from vessel.errors import ConfigurationError, ContainerUnavailable, VesselError
from vessel_proto.container.v1 import container_pb2 as pb
from vessel_proto.container.v1 import container_pb2_grpc as rpc

HOST_ADDRESS_VARIABLE = "VESSEL_HOST_ADDRESS"
HOST_TOKEN_VARIABLE = "VESSEL_HOST_TOKEN"

MAX_MESSAGE_SIZE_BYTES = 4 << 20  # a frame has 1 MiB; the rest is slack for unary requests
CREDIT_BATCHES = 4
_WORKERS = 8

_log = logging.getLogger("vessel.container")


class Abandoned(Exception):
    """The host closed the stream in the middle: whatever was being done is over."""


class _Inbox:
    """The host's frames, of which the answer to a question may be taken out of turn.

    With credit to spend the host sends ahead: batches and deltas may stand in front of an answer.
    """

    def __init__(self, frames: Iterator[Any]) -> None:
        self._frames = frames
        self._ahead: deque[Any] = deque()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._ahead.popleft() if self._ahead else next(self._frames)

    def first(self) -> Any:
        """Return the frame that opens the stream."""
        for frame in self:
            return frame
        raise Abandoned

    def answer(self, request_id: int) -> pb.StateChunk:
        """Return the answer to a question, leaving what comes before it in its order."""
        for frame in self._frames:
            if frame.WhichOneof("frame") == "state" and frame.state.request_id == request_id:
                chunk: pb.StateChunk = frame.state
                return chunk
            self._ahead.append(frame)
        raise Abandoned


class _RemoteReader:
    """State read from the host over the stream at hand."""

    def __init__(self, version: int, inbox: _Inbox, send: Callable[[pb.NeedState], None]) -> None:
        self._version = version
        self._inbox = inbox
        self._send = send
        self._request_id = 0

    @property
    def version(self) -> int:
        return self._version

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        chunk = self._ask(pb.KeySet(keys=keys))
        return codec.values_from_wire(chunk.entries)

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        chunk = self._ask(pb.KeySet(ranges=[codec.range_to_wire(wanted)]))
        entries = chunk.ranges[0]
        return list(zip(entries.keys, entries.values, strict=True))

    def _ask(self, want: pb.KeySet) -> pb.StateChunk:
        self._request_id += 1
        self._send(pb.NeedState(request_id=self._request_id, want=want))
        return self._inbox.answer(self._request_id)


class Servicer(rpc.ContainerServicer):
    """Drives one container object by the frames of container/v1."""

    def __init__(self, container: Container) -> None:
        """Serve `container`; it is configured by the host."""
        self._container = container
        self._namespace = 0
        self._cache = StateCache(0)
        self._ids: list[bytes] = []
        self._one_execution = threading.Lock()
        self._workers = DeepThreadPool(_WORKERS, thread_name_prefix="container")

    # ---- unary

    def Configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        """Take the chain's parameters."""
        configuration = codec.configuration_from_wire(request)
        try:
            configured = self._workers.submit(self._container.configure, configuration).result()
        except ConfigurationError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        self._namespace = configuration.namespace
        self._cache = StateCache(configuration.cache_bytes)
        self._ids = []
        return pb.ConfigureResponse(
            schema_version=configured.schema_version, engine_digest=configured.engine_digest
        )

    def Finish(self, request: pb.FinishRequest, context: grpc.ServicerContext) -> pb.FinishResponse:
        """Learn what became of an execution."""
        if request.outcome:
            with self._one_execution:
                self._container.finish(request.execution_id, Outcome(request.outcome))
        return pb.FinishResponse()

    # ---- streams

    def Validate(
        self, request_iterator: Iterator[pb.ValidateInput], context: grpc.ServicerContext
    ) -> Iterator[pb.ValidateOutput]:
        """Check a batch for admission."""

        def work(inbox: _Inbox, send: Callable[[pb.ValidateOutput], None]) -> None:
            request = codec.validation_from_wire(inbox.first().request)
            reader = _RemoteReader(
                request.state_version, inbox, lambda need: send(pb.ValidateOutput(need=need))
            )
            checks = self._container.validate(request, BlockState(reader, self._namespace))
            response = pb.ValidateResponse(checks=map(codec.check_to_wire, checks))
            send(pb.ValidateOutput(response=response))

        return self._stream(request_iterator, context, work)

    def View(
        self, request_iterator: Iterator[pb.ViewInput], context: grpc.ServicerContext
    ) -> Iterator[pb.ViewOutput]:
        """Do read-only work."""

        def work(inbox: _Inbox, send: Callable[[pb.ViewOutput], None]) -> None:
            request = codec.view_from_wire(inbox.first().request)
            reader = _RemoteReader(
                request.start.state_version, inbox, lambda need: send(pb.ViewOutput(need=need))
            )
            state = BlockState(reader, self._namespace, overrides=request.overrides)
            result = self._container.view(request, state)
            send(pb.ViewOutput(result=codec.view_result_to_wire(result)))

        return self._stream(request_iterator, context, work)

    def Execute(
        self, request_iterator: Iterator[pb.HostFrame], context: grpc.ServicerContext
    ) -> Iterator[pb.ContainerFrame]:
        """Execute one block."""

        def work(inbox: _Inbox, send: Callable[[pb.ContainerFrame], None]) -> None:
            with self._one_execution:
                self._execute(inbox, send)

        return self._stream(request_iterator, context, work)

    def _execute(self, inbox: _Inbox, send: Callable[[pb.ContainerFrame], None]) -> None:
        message = inbox.first().start
        if not message.recent_ids_continue:
            self._ids = []
        self._ids = [*self._ids, *reversed(message.recent_ids)][-MAX_RECENT_IDS:]
        limit = self._container.manifest.recent_ids
        start = codec.start_from_wire(message, RecentIds(self._ids, limit=limit))

        reader = _RemoteReader(start.state_version, inbox, lambda need: send(pb.ContainerFrame(need=need)))
        cache = message.cache
        self._cache.move(cache.from_version, cache.to_version, codec.writes_from_wire(cache.writes))
        remembered = self._cache.at(start.state_version)
        state = BlockState(reader, self._namespace, remembered=remembered)
        execution = self._container.execute(start, state)
        # What the block has changed as the host sees it: what came in and what went out, whatever the
        # container has kept in `state` besides.
        changed = codec.writes_from_wire(message.written)
        state.keep(changed)
        begun = execution.begin()
        changed.update(begun.writes)
        send(pb.ContainerFrame(begun=codec.hook_to_wire(begun)))
        send(pb.ContainerFrame(credit=pb.Credit(batches=CREDIT_BATCHES)))

        full = False
        for frame in inbox:
            kind = frame.WhichOneof("frame")
            if kind == "delta":
                delta = codec.writes_from_wire(frame.delta.writes)
                state.keep(delta)
                changed.update(delta)
            elif kind == "state":  # pushed by a hint
                entries = frame.state.entries
                state.remember(zip(entries.keys, codec.values_from_wire(entries), strict=True))
            elif kind == "batch":
                # The host may have sent ahead of a transaction that turned out not to fit.
                batch = codec.batch_from_wire(frame.batch)
                results = [] if full else list(execution.transactions(batch))
                full = full or any(not result.fits for result in results)
                for result in results:
                    if result.included:
                        changed.update(result.writes)
                answer = pb.TransactionResults(results=map(codec.result_to_wire, results))
                send(pb.ContainerFrame(results=answer))
            elif kind == "end":
                ended = execution.end()
                changed.update(ended.writes)
                self._cache.made(start.result_version, changed)
                send(pb.ContainerFrame(block=codec.end_to_wire(ended)))
                return
            else:
                raise ContainerUnavailable(f"the host sent {kind}, which has no place in an execution")
        raise Abandoned

    def _stream(
        self,
        request_iterator: Iterator[Any],
        context: grpc.ServicerContext,
        work: Callable[[_Inbox, Callable[[Any], None]], None],
    ) -> Iterator[Any]:
        """Run `work` in a deep thread, and yield what it sends until it returns.

        The container calls back for state from the depth of its own code, so it cannot itself be the
        generator that gRPC wants.
        """
        inbox = _Inbox(join(_requests(request_iterator)))
        out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        future: Future[None] = self._workers.submit(work, inbox, out.put)
        future.add_done_callback(lambda _: out.put(None))
        while (frame := out.get()) is not None:
            yield from cut(frame)
        error = future.exception()
        if error is None or isinstance(error, Abandoned):
            return
        _log.error("the container failed", exc_info=error)
        context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")


def _requests(request_iterator: Iterator[Any]) -> Iterator[Any]:
    """Yield the host's frames; a stream that the host dropped ends like one that it closed."""
    try:
        yield from request_iterator
    except grpc.RpcError:
        return


def serve(container: Container) -> None:
    """Serve `container` to the host that started this process, until the host ends.

    Exits with 2 and one line on stderr where the process was not started by a host, 3 where the host
    refused it.
    """
    address, token = os.environ.get(HOST_ADDRESS_VARIABLE), os.environ.pop(HOST_TOKEN_VARIABLE, "")
    if not address or not token:
        sys.stderr.write(
            f"this is a Vessel container plugin ({container.manifest.name}): it is started by a node, which "
            f"sets {HOST_ADDRESS_VARIABLE} and {HOST_TOKEN_VARIABLE}. Run `vessel run` or `vessel dev`.\n"
        )
        sys.exit(2)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the host, which ends us in order
    # Beside the host's own socket, where only this user can reach it: it goes when the host's folder goes.
    path = Path(address.removeprefix("unix:")).with_name(f"{os.getpid()}.sock")
    socket = f"unix:{path}"
    try:
        server = grpc.server(
            DeepThreadPool(2 * _WORKERS, thread_name_prefix="grpc"),
            options=(
                ("grpc.max_receive_message_length", MAX_MESSAGE_SIZE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_SIZE_BYTES),
            ),
        )
        rpc.add_ContainerServicer_to_server(Servicer(container), server)  # type: ignore[no-untyped-call]
        server.add_insecure_port(socket)
        server.start()
        _register(container, address, token, socket)
        sys.stdin.buffer.read()  # the host holds the other end: end of file is the end of the host
        server.stop(0)
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
    os._exit(0)  # threads of an execution in mid-air must not hold the process


def _register(container: Container, address: str, token: str, socket: str) -> None:
    manifest = container.manifest
    with grpc.insecure_channel(address) as channel:
        try:
            stub = rpc.ContainerHostStub(channel)  # type: ignore[no-untyped-call]
            stub.Register(
                pb.RegisterRequest(
                    protocol_major=manifest.protocol_major,
                    protocol_minor=manifest.protocol_minor,
                    name=manifest.name,
                    version=manifest.version,
                    token=token,
                    listen_address=socket,
                    capabilities=sorted(manifest.capabilities),
                    recent_ids=manifest.recent_ids,
                ),
                timeout=30,
                wait_for_ready=True,
            )
        except grpc.RpcError as error:
            sys.stderr.write(f"the host refused this container: {error.details()}\n")
            sys.exit(3)


def main() -> None:
    """Serve an installed container by the name of its kind: `python -m vessel.container.plugin evm`."""
    from vessel.container.registry import load_container

    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m vessel.container.plugin KIND\n")
        sys.exit(2)
    try:
        container = load_container(sys.argv[1])
    except VesselError as error:
        sys.stderr.write(f"{error.message}\n")
        sys.exit(2)
    serve(container)


if __name__ == "__main__":
    main()
