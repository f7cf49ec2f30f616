"""Frames over 1 MiB are cut and joined; pieces that do not fit together are refused."""

from __future__ import annotations

import pytest

from vessel.container import fragments
from vessel.container.codec import MAX_FRAGMENTED_SIZE_BYTES, MAX_FRAME_SIZE_BYTES
from vessel.container.fragments import cut, join
from vessel.errors import ContainerMisbehaved
from vessel_proto.container.v1 import container_pb2 as pb


def frame(size_bytes: int) -> pb.HostFrame:
    """Return a frame of about a size."""
    return pb.HostFrame(state=pb.StateChunk(entries=pb.Entries(keys=[b"k"], values=[b"v" * size_bytes])))


def exact_frame(size_bytes: int) -> pb.HostFrame:
    whole = frame(size_bytes)
    while (over := whole.ByteSize() - size_bytes) > 0:
        whole = frame(len(whole.state.entries.values[0]) - over)
    assert whole.ByteSize() == size_bytes
    return whole


@pytest.mark.parametrize(
    ("size_bytes", "pieces"),
    [
        (100, 1),
        (MAX_FRAME_SIZE_BYTES, 1),
        (MAX_FRAME_SIZE_BYTES + 1, 2),
        (2 * fragments._PIECE_SIZE_BYTES, 2),
        (2 * fragments._PIECE_SIZE_BYTES + 1, 3),
    ],
)
def test_what_is_cut_is_joined(size_bytes: int, pieces: int) -> None:
    whole = exact_frame(size_bytes)
    sent = list(cut(whole))
    assert len(sent) == pieces
    assert all(piece.ByteSize() <= MAX_FRAME_SIZE_BYTES for piece in sent)
    small = frame(1)
    assert list(join(iter([small, *sent, small]))) == [small, whole, small]


def piece(data: bytes, *, last: bool) -> pb.HostFrame:
    return pb.HostFrame(fragment=pb.Fragment(data=data, last=last))


def test_a_frame_between_fragments_is_refused() -> None:
    with pytest.raises(ContainerMisbehaved, match="in between"):
        list(join(iter([piece(b"a", last=False), frame(1)])))


def test_fragments_that_are_no_frame_are_refused() -> None:
    with pytest.raises(ContainerMisbehaved, match="do not join"):
        list(join(iter([piece(b"\xff", last=False), piece(b"\xff", last=True)])))


def test_fragments_without_end_are_refused() -> None:
    endless = iter(lambda: piece(bytes(8 << 20), last=False), None)
    with pytest.raises(ContainerMisbehaved, match=f"exceed {MAX_FRAGMENTED_SIZE_BYTES} bytes"):
        list(join(endless))
