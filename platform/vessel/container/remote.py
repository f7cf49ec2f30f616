"""The grpc transport: the container is a process of its own, reached over its Unix socket."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import grpc

from vessel.container import codec
from vessel.container.connection import Session
from vessel.container.frames import MAX_MESSAGE_SIZE_BYTES, Incoming, Outgoing
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
    Writes,
)
from vessel.container.read_delta import ReadDelta
from vessel.container.servicer import SERVICE
from vessel.container.silence import SilenceWatch
from vessel.database.reader import StateReader
from vessel.errors import ConfigurationError, ContainerMisbehaved, ContainerUnavailable
from vessel_proto.container.v1 import container_pb2 as pb
from vessel_proto.container.v1 import container_pb2_grpc as rpc

MAX_QUESTIONS = 200_000  # about state, between two answers: past that a plugin floods
MAX_READ_STREAMS = 16  # at once; more questions wait for these, and for nothing else
_MAX_IDLE_STREAMS = 4
_MAX_UNTOLD = 50_000  # entries; past that a fresh cache is cheaper than the delta


class Stream:
    """One bidirectional call: what is sent, what comes back, and the state asked for in between.

    For one thread at a time. What is sent waits until the answer is wanted.
    """

    def __init__(
        self, call: Callable[[Iterator[bytes]], Any], name: str, watch: SilenceWatch, max_questions: int
    ) -> None:
        """Begin the call."""
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._name = name
        self._watch = watch
        self._max_questions = max_questions
        self._outgoing = Outgoing(pb.HostFrame)
        self._call = call(iter(self._out.get, None))
        self._incoming = Incoming(pb.ContainerFrame, self._call)
        self._reader: StateReader | None = None
        self._ids: Sequence[bytes] = ()
        self._silent = False
        self.alive = True
        self.waiting_since = 0.0
        watch.add(self)

    def serve(self, reader: StateReader, ids: Sequence[bytes] = ()) -> None:
        """Say what answers the questions from now on."""
        self._reader = reader
        self._ids = ids

    def send(self, frame: pb.HostFrame) -> None:
        """Send with what comes next."""
        for message in self._outgoing.add(frame):
            self._out.put(message)

    def flush(self) -> None:
        """Send what waits."""
        message = self._outgoing.take()
        if message:
            self._out.put(message)

    def receive(self, kind: str) -> pb.ContainerFrame:
        """Return the next frame that is not a question about state; ContainerMisbehaved for another kind."""
        questions = 0
        while True:
            frame = self._next()
            said = frame.WhichOneof("frame")
            if said == kind:
                return frame
            if said != "need":
                raise ContainerMisbehaved(
                    f"container {self._name!r} sent {said} where {kind} was expected", container=self._name
                )
            questions += 1
            if questions > self._max_questions:
                raise ContainerMisbehaved(
                    f"container {self._name!r} asked for state {questions} times without {kind}; at most "
                    f"{self._max_questions}",
                    container=self._name,
                )
            self.send(pb.HostFrame(state=self._lookup(frame.need)))

    def _next(self) -> pb.ContainerFrame:
        self.flush()
        self.waiting_since = time.monotonic()
        try:
            frame = next(self._incoming, None)
        except grpc.RpcError as error:
            self.cancel()
            if self._silent:
                raise ContainerUnavailable(
                    f"container {self._name!r} said nothing for {self._watch.limit_s:g} s",
                    container=self._name,
                    reason="CONTAINER_SILENT",
                ) from error
            raise _unavailable(self._name, error) from error
        except ContainerMisbehaved as error:
            self.cancel()
            raise ContainerMisbehaved(
                f"container {self._name!r}: {error.message}", container=self._name
            ) from error
        finally:
            self.waiting_since = 0.0
        if frame is None:
            self.cancel()
            raise ContainerUnavailable(
                f"container {self._name!r} ended the stream in the middle", container=self._name
            )
        return frame

    def _lookup(self, need: pb.NeedState) -> pb.StateChunk:
        reader = self._reader
        if reader is None:
            raise AssertionError("a stream serves somebody before it receives")
        keys = list(need.want.keys)
        ranges = []
        for wanted in need.want.ranges:
            found = reader.range(codec.range_from_wire(wanted))
            ranges.append(pb.Entries(keys=[k for k, _ in found], values=[v for _, v in found]))
        first = need.ids.first
        chunk = pb.StateChunk(
            request_id=need.request_id,
            entries=codec.entries_to_wire(keys, reader.multi_get(keys)) if keys else None,
            ranges=ranges,
            ids=self._ids[first : first + need.ids.count] if need.ids.count else (),
        )
        if chunk.ByteSize() > codec.MAX_FRAGMENTED_SIZE_BYTES - 64:
            raise ContainerMisbehaved(
                f"container {self._name!r} asked for {chunk.ByteSize()} bytes of state at once; at most "
                f"{codec.MAX_FRAGMENTED_SIZE_BYTES}: ask for less, or with a limit",
                container=self._name,
            )
        return chunk

    def give_up(self) -> None:
        """End a wait that takes too long, from another thread."""
        self._silent = True
        self._call.cancel()

    def close(self) -> None:
        """End the call in order."""
        self.alive = False
        self._watch.remove(self)
        self._out.put(None)

    def cancel(self) -> None:
        """End the call at once."""
        self.close()
        self._call.cancel()


def _unavailable(name: str, error: grpc.RpcError) -> ContainerUnavailable:
    code, details = error.code(), error.details()
    return ContainerUnavailable(
        f"container {name!r} did not answer: {code.name}: {details}", container=name, grpc=code.name
    )


class RemoteSession:
    """An execution in another process."""

    def __init__(
        self,
        stream: Stream,
        start: pb.BlockStart,
        name: str,
        *,
        begun: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        """Speak for one block on a stream.

        begun: called when the container has taken the start in; ended: when the block has come back whole.
        """
        self._stream = stream
        self._start = start
        self._name = name
        self._begun = begun
        self._ended = ended
        self._credit = 1  # before the container has said how much
        self._open = True

    def begin(self, foreign: Writes) -> None:
        """Have the hook at the begin of the block run."""
        if foreign:
            self._start.written.CopyFrom(codec.writes_to_wire(foreign))
        self._stream.send(pb.HostFrame(start=self._start))

    def begun(self) -> HookResult:
        """Return what it did."""
        begun = self._stream.receive("begun").begun
        if begun.credit < 1:
            raise ContainerMisbehaved(f"container {self._name!r} gave no credit", container=self._name)
        self._credit += begun.credit - 1
        self._begun()
        return codec.hook_from_wire(begun)

    @property
    def credit(self) -> int:
        """How many more batches the container takes."""
        return self._credit

    def submit(self, batch: TransactionBatch, foreign: Writes, pushed: Mapping[bytes, bytes | None]) -> None:
        """Send a batch behind the others' writes and the values it will probably read."""
        self._tell(foreign)
        if pushed:
            entries = codec.entries_to_wire(list(pushed), pushed.values())
            self._stream.send(pb.HostFrame(state=pb.StateChunk(entries=entries)))
        self._credit -= 1
        self._stream.send(pb.HostFrame(batch=codec.batch_to_wire(batch)))

    def results(self) -> Sequence[TransactionResult]:
        """Return the answer to the oldest unanswered batch."""
        answer = self._stream.receive("results").results
        self._credit += 1
        return codec.results_from_wire(answer)

    def end(self, foreign: Writes) -> None:
        """Have the hook at the end of the block run."""
        self._tell(foreign)
        self._stream.send(pb.HostFrame(end=pb.BlockEnd()))

    def ended(self) -> BlockEndResult:
        """Return what it did, and the section."""
        result = codec.end_from_wire(self._stream.receive("block").block)
        self._open = False
        self._ended()
        return result

    def close(self) -> None:
        """Let go of the execution: the stream of one that has not ended is no more good."""
        if self._open:
            self._open = False
            self._stream.cancel()

    def _tell(self, foreign: Writes) -> None:
        if foreign:
            self._stream.send(pb.HostFrame(delta=pb.StateDelta(writes=codec.writes_to_wire(foreign))))


class RemoteConnection:
    """A plugin process, from the moment it has registered until it is lost."""

    def __init__(
        self,
        address: str,
        manifest: Manifest,
        *,
        name: str,
        timeout_s: float,
        max_questions: int = MAX_QUESTIONS,
    ) -> None:
        """Reach the plugin at `address`. timeout_s: of silence, after which it counts as hung."""
        self._channel = grpc.insecure_channel(
            address,
            options=(
                ("grpc.max_receive_message_length", MAX_MESSAGE_SIZE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_SIZE_BYTES),
            ),
        )
        self._stub = rpc.ContainerStub(self._channel)  # type: ignore[no-untyped-call]
        # Frames pass as bytes: they are written and read where they are worked on.
        self._execute = self._channel.stream_stream(f"/{SERVICE}/Execute", None, None)
        self._read = self._channel.stream_stream(f"/{SERVICE}/Read", None, None)
        self._manifest = manifest
        self._name = name
        self._timeout_s = timeout_s
        self._max_questions = max_questions
        self._watch = SilenceWatch(timeout_s)
        self._blocks: Stream | None = None
        self._idle: list[Stream] = []
        self._reading = threading.BoundedSemaphore(MAX_READ_STREAMS)
        self._delta = ReadDelta(0)
        self._forget()

    def _forget(self) -> None:
        # What the plugin's cache follows: it stands at `cached`; with `untold` laid on it would stand
        # at `followed`. Versions are never reused, so a gap can only empty it, never mislead it.
        self._cached = 0
        self._followed = 0
        self._made = 0  # what the last execution that came back whole has made
        self._untold: dict[bytes, bytes | None] = {}
        self._executing = ""
        self._told_ids: tuple[int, bytes] = (0, b"")  # how many ids in all, and the newest

    @property
    def manifest(self) -> Manifest:
        """What the container says of itself."""
        return self._manifest

    def configure(self, configuration: Configuration) -> Configured:
        """Pass on what the genesis says."""
        try:
            response = self._stub.Configure(
                codec.configuration_to_wire(configuration), timeout=self._timeout_s
            )
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                raise ConfigurationError(error.details() or "no reason given") from error
            raise _unavailable(self._name, error) from error
        self._forget()
        self._delta = ReadDelta(configuration.namespace)
        return codec.configured_from_wire(response)

    def validate(self, request: ValidationRequest, reader: StateReader) -> list[TransactionCheck]:
        """Check a batch for admission."""
        message = codec.validation_to_wire(request)
        self._lead(request.state_version, message.cache)
        with self._question(reader) as stream:
            stream.send(pb.HostFrame(validate=message))
            response = stream.receive("checks").checks
        checks = list(map(codec.check_from_wire, response.checks))
        if len(checks) != len(request.raw):
            raise ContainerMisbehaved(
                f"container {self._name!r} gave {len(checks)} checks for {len(request.raw)} transactions",
                container=self._name,
            )
        return checks

    def view(self, request: ViewRequest, reader: StateReader) -> ViewResult:
        """Call, estimate or query."""
        message = codec.view_to_wire(request)
        self._lead(request.start.state_version, message.start.cache)
        with self._question(reader, request.start.recent_ids) as stream:
            stream.send(pb.HostFrame(view=message))
            return codec.view_result_from_wire(stream.receive("viewed").viewed)

    def _lead(self, version: int, delta: pb.StateDelta) -> None:
        before, after, writes = self._delta.to(version)
        if after:
            delta.from_version, delta.to_version = before, after
            delta.writes.CopyFrom(codec.writes_to_wire(writes))

    @contextlib.contextmanager
    def _question(self, reader: StateReader, ids: Sequence[bytes] = ()) -> Iterator[Stream]:
        """Lend a stream for one question; it is kept for the next where all went well."""
        with self._reading:
            try:
                stream = self._idle.pop()
            except IndexError:
                stream = self._open(self._read)
            try:
                stream.serve(reader, ids)
                yield stream
                stream.serve(reader)
            except BaseException:
                stream.cancel()
                raise
            if len(self._idle) < _MAX_IDLE_STREAMS:
                self._idle.append(stream)
            else:
                stream.close()

    def open(self, start: BlockStart, reader: StateReader) -> Session:
        """Begin an execution; `reader` answers whatever the plugin lacks."""
        ids, continued = self._ids_to_tell(start)
        message = codec.start_to_wire(start, ids, continued)
        message.cache.to_version = start.state_version
        if self._followed == start.state_version and self._cached:
            message.cache.from_version = self._cached
            message.cache.writes.CopyFrom(codec.writes_to_wire(self._untold))
        stream = self._blocks
        if stream is None or not stream.alive:
            stream = self._blocks = self._open(self._execute)
        stream.serve(reader)
        self._executing = start.execution_id
        # From here on it is the plugin's cache at `state_version` that is being worked on.
        self._cached = self._followed = start.state_version
        self._untold = {}

        def begun() -> None:
            self._told_ids = (start.height, start.recent_ids[0] if len(start.recent_ids) else b"")

        def ended() -> None:
            self._made = start.result_version

        return RemoteSession(stream, message, self._name, begun=begun, ended=ended)

    def committed(self, parent_version: int, version: int, written: Writes) -> None:
        """Learn of a committed block in a process that executes none."""
        self._delta.committed(parent_version, version, written)

    def observe(
        self, parent_version: int, version: int, untold: Writes, *, took_part: bool, written: Writes
    ) -> None:
        """Follow the canonical chain, so that the next block and the next question find caches warm."""
        self._delta.committed(parent_version, version, written)
        if self._followed != parent_version:
            return
        self._followed = version
        if version == self._made:
            self._cached = version
        self._untold.update(untold)
        missed = took_part and self._cached != version
        if missed or len(self._untold) > _MAX_UNTOLD:
            self._cached = self._followed = 0
            self._untold = {}

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        """Tell the plugin, and do not wait for it; where the stream has ended, it knows already."""
        stream = self._blocks
        if stream is not None and stream.alive and self._executing == execution_id:
            self._executing = ""
            finish = pb.Finish(execution_id=execution_id, outcome=cast(pb.Outcome, outcome.value))
            stream.send(pb.HostFrame(finish=finish))
            stream.flush()

    def close(self) -> None:
        """Close the channel. Streams that lie idle are ended first: each has a thread that sends."""
        self._watch.close()
        while self._idle:
            self._idle.pop().close()
        if self._blocks is not None:
            self._blocks.close()
        self._channel.close()

    def _open(self, method: Any) -> Stream:
        try:
            return Stream(method, self._name, self._watch, self._max_questions)
        except ValueError as error:  # grpc's word for a closed channel
            raise ContainerUnavailable(
                f"container {self._name!r} is being restarted", container=self._name
            ) from error

    def _ids_to_tell(self, start: BlockStart) -> tuple[list[bytes], bool]:
        """Return the ids that the plugin lacks, newest first, and whether they continue what it has."""
        ids = start.recent_ids
        told_height, told_id = self._told_ids
        behind = start.height - told_height
        self._told_ids = (0, b"")  # until it is certain that they have arrived
        if told_id and 0 <= behind < len(ids) and ids[behind] == told_id:
            return list(ids[:behind]), True
        return list(ids), False
