"""Frames over the size that one may have: cut on one side, joined on the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from google.protobuf.message import DecodeError

from vessel.container.codec import MAX_FRAGMENTED_SIZE_BYTES, MAX_FRAME_SIZE_BYTES
from vessel.errors import ContainerMisbehaved
from vessel_proto.container.v1 import container_pb2 as pb

# A fragment's own field tags and lengths take a few bytes of the frame.
_PIECE_SIZE_BYTES = MAX_FRAME_SIZE_BYTES - 64


F = TypeVar(
    "F",
    pb.HostFrame,
    pb.ContainerFrame,
    pb.ValidateInput,
    pb.ValidateOutput,
    pb.ViewInput,
    pb.ViewOutput,
)


def cut(frame: F) -> Iterator[F]:
    """Yield the frame itself where it is small enough, its fragments otherwise."""
    if frame.ByteSize() <= MAX_FRAME_SIZE_BYTES:
        yield frame
        return
    data = frame.SerializeToString()
    kind = type(frame)
    for start in range(0, len(data), _PIECE_SIZE_BYTES):
        last = start + _PIECE_SIZE_BYTES >= len(data)
        piece = data[start : start + _PIECE_SIZE_BYTES]
        yield kind(fragment=pb.Fragment(data=piece, last=last))


def join(frames: Iterator[F]) -> Iterator[F]:
    """Yield whole frames from a stream that may hold fragments."""
    pieces: list[bytes] = []
    size_bytes = 0
    for frame in frames:
        if frame.WhichOneof("frame") != "fragment":
            if pieces:
                raise ContainerMisbehaved("a frame came in between the fragments of another")
            yield frame
            continue
        pieces.append(frame.fragment.data)
        size_bytes += len(pieces[-1])
        if size_bytes > MAX_FRAGMENTED_SIZE_BYTES:
            raise ContainerMisbehaved(
                f"fragments of one frame exceed {MAX_FRAGMENTED_SIZE_BYTES} bytes together"
            )
        if frame.fragment.last:
            try:
                whole = type(frame).FromString(b"".join(pieces))
            except DecodeError as error:
                raise ContainerMisbehaved(f"fragments do not join to a frame: {error}") from error
            yield whole
            pieces, size_bytes = [], 0
