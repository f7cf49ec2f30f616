"""The grpc transport: the container is a process of its own, reached over its Unix socket."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import grpc

from vessel.container import codec
from vessel.container.connection import Session
from vessel.container.fragments import cut, join
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
from vessel.container.plugin import MAX_MESSAGE_SIZE_BYTES
from vessel.database.reader import StateReader
from vessel.errors import ConfigurationError, ContainerMisbehaved, ContainerUnavailable
from vessel_proto.container.v1 import container_pb2 as pb
from vessel_proto.container.v1 import container_pb2_grpc as rpc

_MAX_UNTOLD = 50_000  # entries; past that a fresh cache is cheaper than the delta


class _Stream:
    """One bidirectional call: what is sent, what comes back, and the state asked for in between."""

    def __init__(
        self,
        call: Callable[[Iterator[Any]], Any],
        reader: StateReader,
        answer: Callable[[pb.StateChunk], Any],
        name: str,
    ) -> None:
        self._out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._reader = reader
        self._answer = answer
        self._name = name
        self._call = call(iter(self._out.get, None))
        self._frames = join(self._call)

    def send(self, frame: Any) -> None:
        for piece in cut(frame):
            self._out.put(piece)

    def receive(self) -> Any:
        """Return the next frame that is not a question about state."""
        try:
            for frame in self._frames:
                if frame.WhichOneof("frame") != "need":
                    return frame
                self.send(self._answer(self._lookup(frame.need)))
        except grpc.RpcError as error:
            raise _unavailable(self._name, error) from error
        raise ContainerUnavailable(
            f"container {self._name!r} ended the stream in the middle", container=self._name
        )

    def _lookup(self, need: pb.NeedState) -> pb.StateChunk:
        keys = list(need.want.keys)
        ranges = []
        for wanted in need.want.ranges:
            found = self._reader.range(codec.range_from_wire(wanted))
            ranges.append(pb.Entries(keys=[k for k, _ in found], values=[v for _, v in found]))
        return pb.StateChunk(
            request_id=need.request_id,
            entries=codec.entries_to_wire(keys, self._reader.multi_get(keys)) if keys else None,
            ranges=ranges,
        )

    def close(self) -> None:
        """End the call in order."""
        self._out.put(None)

    def cancel(self) -> None:
        """End the call at once."""
        self._out.put(None)
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
        stream: _Stream,
        start: pb.BlockStart,
        name: str,
        *,
        begun: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        """Speak for one Execute call.

        begun: called when the container has taken the start in; ended: when the block has come back whole.
        """
        self._stream = stream
        self._start = start
        self._name = name
        self._begun = begun
        self._ended = ended
        self._credit = 0
        self._open = True

    def begin(self, foreign: Writes) -> HookResult:
        """Run the hook at the begin of the block."""
        if foreign:
            self._start.written.CopyFrom(codec.writes_to_wire(foreign))
        self._stream.send(pb.HostFrame(start=self._start))
        begun = codec.hook_from_wire(self._receive("begun").begun)
        self._begun()
        self._credit = self._receive("credit").credit.batches
        if self._credit < 1:
            raise ContainerMisbehaved(f"container {self._name!r} gave no credit", container=self._name)
        return begun

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
        answer = self._receive("results").results
        self._credit += 1
        return list(map(codec.result_from_wire, answer.results))

    def end(self, foreign: Writes) -> BlockEndResult:
        """Run the hook at the end of the block."""
        self._tell(foreign)
        self._stream.send(pb.HostFrame(end=pb.BlockEnd()))
        result = codec.end_from_wire(self._receive("block").block)
        self._open = False
        self._stream.close()
        self._ended()
        return result

    def close(self) -> None:
        """Let go of the execution."""
        if self._open:
            self._open = False
            self._stream.cancel()

    def _tell(self, foreign: Writes) -> None:
        if foreign:
            self._stream.send(pb.HostFrame(delta=pb.StateDelta(writes=codec.writes_to_wire(foreign))))

    def _receive(self, kind: str) -> Any:
        frame = self._stream.receive()
        while frame.WhichOneof("frame") == "credit" and kind != "credit":
            self._credit += frame.credit.batches
            frame = self._stream.receive()
        if frame.WhichOneof("frame") != kind:
            raise ContainerMisbehaved(
                f"container {self._name!r} sent {frame.WhichOneof('frame')} where {kind} was expected",
                container=self._name,
            )
        return frame


class RemoteConnection:
    """A plugin process, from the moment it has registered until it is lost."""

    def __init__(self, address: str, manifest: Manifest, *, name: str, timeout_s: float) -> None:
        """Reach the plugin at `address`. timeout_s: after which it counts as hung."""
        self._channel = grpc.insecure_channel(
            address,
            options=(
                ("grpc.max_receive_message_length", MAX_MESSAGE_SIZE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_SIZE_BYTES),
            ),
        )
        self._stub = rpc.ContainerStub(self._channel)  # type: ignore[no-untyped-call]
        self._manifest = manifest
        self._name = name
        self._timeout_s = timeout_s
        self._forget()

    def _forget(self) -> None:
        # What the plugin's cache follows: it stands at `cached`; with `untold` laid on it would stand
        # at `followed`. Versions are never reused, so a gap can only empty it, never mislead it.
        self._cached = 0
        self._followed = 0
        self._made = 0  # what the last execution that came back whole has made
        self._untold: dict[bytes, bytes | None] = {}
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
        return codec.configured_from_wire(response)

    def validate(self, request: ValidationRequest, reader: StateReader) -> list[TransactionCheck]:
        """Check a batch for admission."""
        stream = self._open(self._stub.Validate, reader, lambda chunk: pb.ValidateInput(state=chunk))
        try:
            stream.send(pb.ValidateInput(request=codec.validation_to_wire(request)))
            response = stream.receive().response
        finally:
            stream.cancel()
        checks = list(map(codec.check_from_wire, response.checks))
        if len(checks) != len(request.raw):
            raise ContainerMisbehaved(
                f"container {self._name!r} gave {len(checks)} checks for {len(request.raw)} transactions",
                container=self._name,
            )
        return checks

    def view(self, request: ViewRequest, reader: StateReader) -> ViewResult:
        """Call, estimate or query."""
        stream = self._open(self._stub.View, reader, lambda chunk: pb.ViewInput(state=chunk))
        try:
            message = codec.view_to_wire(request, list(request.start.recent_ids))
            stream.send(pb.ViewInput(request=message))
            return codec.view_result_from_wire(stream.receive().result)
        finally:
            stream.cancel()

    def open(self, start: BlockStart, reader: StateReader) -> Session:
        """Begin an execution; `reader` answers whatever the plugin lacks."""
        ids, continued = self._ids_to_tell(start)
        message = codec.start_to_wire(start, ids, continued)
        message.cache.to_version = start.state_version
        if self._followed == start.state_version and self._cached:
            message.cache.from_version = self._cached
            message.cache.writes.CopyFrom(codec.writes_to_wire(self._untold))
        stream = self._open(self._stub.Execute, reader, lambda chunk: pb.HostFrame(state=chunk))
        # From here on it is the plugin's cache at `state_version` that is being worked on.
        self._cached = self._followed = start.state_version
        self._untold = {}

        def begun() -> None:
            self._told_ids = (start.height, start.recent_ids[0] if len(start.recent_ids) else b"")

        def ended() -> None:
            self._made = start.result_version

        return RemoteSession(stream, message, self._name, begun=begun, ended=ended)

    def observe(self, parent_version: int, version: int, untold: Writes, *, took_part: bool) -> None:
        """Follow the canonical chain, so that the next block finds the cache warm."""
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
        """Tell the plugin, and do not wait for it."""
        with contextlib.suppress(ValueError):  # the channel is closed: it will never ask again
            self._stub.Finish.future(
                pb.FinishRequest(execution_id=execution_id, outcome=cast(pb.Outcome, outcome.value)),
                timeout=self._timeout_s,
            )

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _open(self, method: Any, reader: StateReader, answer: Callable[[pb.StateChunk], Any]) -> _Stream:
        try:
            return _Stream(
                lambda requests: method(requests, timeout=self._timeout_s), reader, answer, self._name
            )
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
