"""The plugin's side of the wire: drives one container object by the frames of container/v1."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import grpc

from vessel.container import codec
from vessel.container.block_state import BlockState
from vessel.container.deep_threads import start_deep_thread
from vessel.container.frames import Incoming, Outgoing
from vessel.container.interface import Container
from vessel.container.manifest import MAX_RECENT_IDS
from vessel.container.messages import Outcome
from vessel.container.read_cache import CachedReader, ReadCache
from vessel.container.recent_ids import AskedIds, RecentIds
from vessel.container.state_cache import CachingReader, StateCache
from vessel.database.reader import Range
from vessel.errors import ConfigurationError, ContainerUnavailable
from vessel_proto.container.v1 import container_pb2 as pb

SERVICE = "vessel.container.v1.Container"
CREDIT_BATCHES = 4
_FEW_RESULTS = 16  # so few may wait for the end of the block
_READ_CACHE_SHARE = 4  # of the budget: executions read most

_log = logging.getLogger("vessel.container")


class Abandoned(Exception):
    """The host closed the stream in the middle: whatever was being done is over."""


class _Stream:
    """One call of the host: its frames, of which an answer may be taken out of turn, and ours.

    With credit to spend the host sends ahead: batches and deltas may stand in front of an answer. What is
    sent waits until there is nothing more to do without the host. For one thread.
    """

    def __init__(self, messages: Iterator[bytes], out: Callable[[bytes], None]) -> None:
        self._incoming = Incoming(pb.HostFrame, messages)
        self._ahead: deque[pb.HostFrame] = deque()
        self._outgoing = Outgoing(pb.ContainerFrame)
        self._out = out
        self._request_id = 0

    def receive(self) -> pb.HostFrame | None:
        """Return the next frame; None where the host has closed the stream."""
        if self._ahead:
            return self._ahead.popleft()
        if not self._incoming.at_hand:
            self.flush()
        return next(self._incoming, None)

    @property
    def more_at_hand(self) -> bool:
        """Whether the host's next frame is here already."""
        return bool(self._ahead) or self._incoming.at_hand

    def send(self, frame: pb.ContainerFrame) -> None:
        """Send with what comes next."""
        for message in self._outgoing.add(frame):
            self._out(message)

    def flush(self) -> None:
        """Send what waits."""
        message = self._outgoing.take()
        if message:
            self._out(message)

    def begin(self) -> None:
        """Count questions anew."""
        self._request_id = 0

    def ask(self, *, want: pb.KeySet | None = None, ids: pb.IdRange | None = None) -> pb.StateChunk:
        """Ask for state and wait for the answer, leaving what comes before it in its order."""
        self._request_id += 1
        need = pb.NeedState(request_id=self._request_id, want=want, ids=ids)
        self.send(pb.ContainerFrame(need=need))
        self.flush()
        for frame in self._incoming:
            if frame.WhichOneof("frame") == "state" and frame.state.request_id == self._request_id:
                return frame.state
            self._ahead.append(frame)
        raise Abandoned


class _HostReader:
    """State read from the host over the stream at hand."""

    def __init__(self, version: int, stream: _Stream) -> None:
        self._version = version
        self._stream = stream

    @property
    def version(self) -> int:
        return self._version

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return codec.values_from_wire(self._stream.ask(want=pb.KeySet(keys=keys)).entries)

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        chunk = self._stream.ask(want=pb.KeySet(ranges=[codec.range_to_wire(wanted)]))
        entries = chunk.ranges[0]
        return list(zip(entries.keys, entries.values, strict=True))


class Servicer:
    """One container object behind the methods of container/v1. `handler` is what a server is given."""

    def __init__(self, container: Container) -> None:
        """Serve `container`; it is configured by the host."""
        self._container = container
        self._namespace = 0
        self._cache = StateCache(0)
        self._reads = ReadCache(0)
        self._ids: list[bytes] = []
        self._one_execution = threading.Lock()

    def handler(self) -> grpc.GenericRpcHandler[Any, Any]:
        """Return the methods by name. Frames pass as bytes: they are read where they are worked on."""
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Configure": grpc.unary_unary_rpc_method_handler(
                    self._configure,
                    request_deserializer=pb.ConfigureRequest.FromString,
                    response_serializer=pb.ConfigureResponse.SerializeToString,
                ),
                "Execute": grpc.stream_stream_rpc_method_handler(
                    lambda messages, context: self._serve(messages, context, self._execute_blocks)
                ),
                "Read": grpc.stream_stream_rpc_method_handler(
                    lambda messages, context: self._serve(messages, context, self._answer_questions)
                ),
            },
        )

    def _configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        configuration = codec.configuration_from_wire(request)
        try:
            configured = self._container.configure(configuration)
        except ConfigurationError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        self._namespace = configuration.namespace
        self._cache = StateCache(configuration.cache_bytes)
        self._reads = ReadCache(configuration.cache_bytes // _READ_CACHE_SHARE)
        self._ids = []
        return pb.ConfigureResponse(
            schema_version=configured.schema_version, engine_digest=configured.engine_digest
        )

    # ---- questions

    def _answer_questions(self, stream: _Stream) -> None:
        while (frame := stream.receive()) is not None:
            stream.begin()
            kind = frame.WhichOneof("frame")
            if kind == "validate":
                stream.send(pb.ContainerFrame(checks=self._validate(frame.validate, stream)))
            elif kind == "view":
                stream.send(pb.ContainerFrame(viewed=self._view(frame.view, stream)))
            else:
                raise ContainerUnavailable(f"the host sent {kind}, which is no question")

    def _validate(self, message: pb.ValidateRequest, stream: _Stream) -> pb.ValidateResponse:
        request = codec.validation_from_wire(message)
        state = self._read_state(request.state_version, message.cache, stream)
        checks = self._container.validate(request, state)
        return pb.ValidateResponse(checks=map(codec.check_to_wire, checks))

    def _view(self, message: pb.ViewRequest, stream: _Stream) -> pb.ViewResult:
        def ask(first: int, count: int) -> Sequence[bytes]:
            ids = list(stream.ask(ids=pb.IdRange(first=first, count=count)).ids)
            if len(ids) != count:
                raise ContainerUnavailable(f"the host sent {len(ids)} recent ids; {count} were asked for")
            return ids

        request = codec.view_from_wire(message, AskedIds(message.start.recent_ids_count, ask))
        state = self._read_state(
            request.start.state_version, message.start.cache, stream, overrides=request.overrides
        )
        return codec.view_result_to_wire(self._container.view(request, state))

    def _read_state(
        self,
        version: int,
        delta: pb.StateDelta,
        stream: _Stream,
        *,
        overrides: Mapping[bytes, bytes | None] | None = None,
    ) -> BlockState:
        if delta.to_version:
            self._reads.move(delta.from_version, delta.to_version, codec.writes_from_wire(delta.writes))
        reader = CachedReader(_HostReader(version, stream), self._reads)
        return BlockState(reader, self._namespace, overrides=overrides)

    # ---- blocks

    def _execute_blocks(self, stream: _Stream) -> None:
        unfinished = ""
        with self._one_execution:
            try:
                while (frame := stream.receive()) is not None:
                    kind = frame.WhichOneof("frame")
                    if kind == "start":
                        stream.begin()
                        unfinished = frame.start.execution_id
                        self._execute(frame.start, stream)
                    elif kind == "finish":
                        unfinished = ""
                        self._finish(frame.finish.execution_id, frame.finish.outcome)
                    else:
                        raise ContainerUnavailable(f"the host sent {kind}, which has no place between blocks")
            finally:
                if unfinished:
                    self._finish(unfinished, Outcome.ABORT)

    def _finish(self, execution_id: str, outcome: int) -> None:
        try:
            self._container.finish(execution_id, Outcome(outcome))
        except Exception:  # noqa: BLE001 -- only memory depends on it
            _log.exception("the container failed to finish an execution")

    def _execute(self, message: pb.BlockStart, stream: _Stream) -> None:
        if not message.recent_ids_continue:
            self._ids = []
        self._ids = [*self._ids, *reversed(message.recent_ids)][-MAX_RECENT_IDS:]
        limit = self._container.manifest.recent_ids
        start = codec.start_from_wire(message, RecentIds(self._ids, limit=limit))

        cache = message.cache
        self._cache.move(cache.from_version, cache.to_version, codec.writes_from_wire(cache.writes))
        # What is pushed is pushed again where it is needed again: the cache is for what was asked for.
        known = self._cache.at(start.state_version)
        reader = CachingReader(_HostReader(start.state_version, stream), known)
        state = BlockState(reader, self._namespace)
        execution = self._container.execute(start, state)
        # What the block has changed as the host sees it: what came in and what went out, whatever the
        # container has kept in `state` besides.
        changed = codec.writes_from_wire(message.written)
        state.keep(changed)
        begun = execution.begin()
        changed.update(begun.writes)
        stream.send(pb.ContainerFrame(begun=codec.hook_to_wire(begun, credit=CREDIT_BATCHES)))

        full = False
        while (frame := stream.receive()) is not None:
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
                for result in results:
                    full = full or not result.fits
                    if result.included:
                        changed.update(result.writes)
                stream.send(pb.ContainerFrame(results=codec.results_to_wire(results)))
                if len(results) > _FEW_RESULTS and stream.more_at_hand:
                    stream.flush()  # the host looks at these while the next are made
            elif kind == "end":
                ended = execution.end()
                changed.update(ended.writes)
                self._cache.made(start.result_version, changed)
                stream.send(pb.ContainerFrame(block=codec.end_to_wire(ended)))
                return
            else:
                raise ContainerUnavailable(f"the host sent {kind}, which has no place in an execution")
        raise Abandoned

    # ---- streams

    def _serve(
        self,
        messages: Iterator[bytes],
        context: grpc.ServicerContext,
        work: Callable[[_Stream], None],
    ) -> Iterator[bytes]:
        """Run `work` in a deep thread, and yield what it sends until it returns.

        The container calls back for state from the depth of its own code, so it cannot itself be the
        generator that gRPC wants.
        """
        out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        future: Future[None] = Future()

        def run() -> None:
            stream = _Stream(_until_dropped(messages), out.put)
            try:
                work(stream)
                stream.flush()
                future.set_result(None)
            except BaseException as error:  # noqa: BLE001 -- the edge of a thread: told to the host below
                future.set_exception(error)
            out.put(None)

        start_deep_thread(run, name="container")
        while (message := out.get()) is not None:
            yield message
        error = future.exception()
        if error is None or isinstance(error, Abandoned):
            return
        _log.error("the container failed", exc_info=error)
        context.abort(grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}")


def _until_dropped(messages: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the host's messages; a stream that the host dropped ends like one that it closed."""
    try:
        yield from messages
    except grpc.RpcError:
        return
