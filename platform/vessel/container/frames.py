"""Frames on their way: several to a message, and one over 1 MiB in pieces.

A message is `HostFrames` or `ContainerFrames`. Each frame is serialised once, here; a message is put
together from the serialised frames by hand, which saves copying them into another message first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from google.protobuf.message import DecodeError

from vessel.container.codec import MAX_FRAGMENTED_SIZE_BYTES, MAX_FRAME_SIZE_BYTES
from vessel.errors import ContainerMisbehaved
from vessel_proto.container.v1 import container_pb2 as pb

MAX_MESSAGE_SIZE_BYTES = 4 << 20  # what gRPC lets pass; a message of frames stays far below

# A fragment's own field tags and lengths take a few bytes of the frame.
_PIECE_SIZE_BYTES = MAX_FRAME_SIZE_BYTES - 64
_FRAMES_TAG = b"\x0a"  # field 1, length-delimited: `repeated … frames = 1`

F = TypeVar("F", pb.HostFrame, pb.ContainerFrame)


class Outgoing(Generic[F]):
    """Frames that wait to be sent together. For one thread."""

    def __init__(self, kind: type[F]) -> None:
        """Hold frames of one kind."""
        self._kind: type[F] = kind
        self._parts: list[bytes] = []
        self._size_bytes = 0

    def add(self, frame: F) -> Iterator[bytes]:
        """Take a frame; yield the messages that are full by now."""
        data = frame.SerializeToString()
        if len(data) <= MAX_FRAME_SIZE_BYTES:
            yield from self._add(data)
            return
        for start in range(0, len(data), _PIECE_SIZE_BYTES):
            last = start + _PIECE_SIZE_BYTES >= len(data)
            piece = pb.Fragment(data=data[start : start + _PIECE_SIZE_BYTES], last=last)
            yield from self._add(self._kind(fragment=piece).SerializeToString())

    def _add(self, data: bytes) -> Iterator[bytes]:
        if self._parts and self._size_bytes + len(data) > MAX_FRAME_SIZE_BYTES:
            yield self.take()
        self._parts += (_FRAMES_TAG, _varint(len(data)), data)
        self._size_bytes += len(data)

    def take(self) -> bytes:
        """Return what waits as one message; empty where nothing does."""
        message = b"".join(self._parts)
        self._parts = []
        self._size_bytes = 0
        return message


class Incoming(Generic[F]):
    """Whole frames from messages, in their order. For one thread."""

    def __init__(self, kind: type[F], messages: Iterator[bytes]) -> None:
        """Read `messages`, each taken only when the frames before it have been."""
        self._kind: type[F] = kind
        self._frames: Iterator[F] = self._whole(messages)
        self._ready: list[F] = []  # the next one last

    def __iter__(self) -> Iterator[F]:
        """Return itself."""
        return self

    def __next__(self) -> F:
        """Return the next frame; ContainerMisbehaved where fragments do not join to one."""
        if self._ready:
            return self._ready.pop()
        return next(self._frames)

    @property
    def at_hand(self) -> bool:
        """Whether the next frame is here already."""
        return bool(self._ready)

    def _whole(self, messages: Iterator[bytes]) -> Iterator[F]:
        together = pb.HostFrames if self._kind is pb.HostFrame else pb.ContainerFrames
        pieces: list[bytes] = []
        size_bytes = 0
        for message in messages:
            try:
                frames = together.FromString(message).frames
            except DecodeError as error:
                raise ContainerMisbehaved(f"a message does not hold frames: {error}") from error
            whole: list[F] = []
            for frame in frames:
                if frame.WhichOneof("frame") != "fragment":
                    if pieces:
                        raise ContainerMisbehaved("a frame came in between the fragments of another")
                    whole.append(frame)  # type: ignore[arg-type]
                    continue
                pieces.append(frame.fragment.data)
                size_bytes += len(pieces[-1])
                if size_bytes > MAX_FRAGMENTED_SIZE_BYTES:
                    raise ContainerMisbehaved(
                        f"fragments of one frame exceed {MAX_FRAGMENTED_SIZE_BYTES} bytes together"
                    )
                if frame.fragment.last:
                    try:
                        whole.append(self._kind.FromString(b"".join(pieces)))
                    except DecodeError as error:
                        raise ContainerMisbehaved(f"fragments do not join to a frame: {error}") from error
                    pieces, size_bytes = [], 0
            self._ready = whole[::-1]
            while self._ready:
                yield self._ready.pop()


def _varint(value: int) -> bytes:
    """Return a length as protobuf writes it: seven bits a byte, lowest first."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
