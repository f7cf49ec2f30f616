"""Frames share messages, large ones are cut and joined, and pieces that do not fit together are refused."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vessel.container import frames
from vessel.container.codec import MAX_FRAGMENTED_SIZE_BYTES, MAX_FRAME_SIZE_BYTES
from vessel.container.frames import MAX_MESSAGE_SIZE_BYTES, Incoming, Outgoing
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


def sent(whole: Iterable[pb.HostFrame]) -> list[bytes]:
    """Return the messages in which frames cross."""
    outgoing = Outgoing(pb.HostFrame)
    messages = [message for frame in whole for message in outgoing.add(frame)]
    return [*messages, outgoing.take()]


def received(messages: Iterable[bytes]) -> list[pb.HostFrame]:
    return list(Incoming(pb.HostFrame, iter(messages)))


@pytest.mark.parametrize(
    ("size_bytes", "pieces"),
    [
        (100, 1),
        (MAX_FRAME_SIZE_BYTES, 1),
        (MAX_FRAME_SIZE_BYTES + 1, 2),
        (2 * frames._PIECE_SIZE_BYTES, 2),
        (2 * frames._PIECE_SIZE_BYTES + 1, 3),
    ],
)
def test_what_is_cut_is_joined(size_bytes: int, pieces: int) -> None:
    small, whole = frame(1), exact_frame(size_bytes)
    messages = sent([small, whole, small])
    crossed = [piece for message in messages for piece in pb.HostFrames.FromString(message).frames]
    assert len(crossed) == pieces + 2
    assert all(piece.ByteSize() <= MAX_FRAME_SIZE_BYTES for piece in crossed)
    assert all(len(message) < MAX_MESSAGE_SIZE_BYTES for message in messages)
    assert received(messages) == [small, whole, small]


@given(st.lists(st.sampled_from([0, 1, 200, 1 << 14, 300_000]), max_size=8))
def test_frames_keep_their_order_however_they_are_put_together(sizes: list[int]) -> None:
    whole = [frame(size) for size in sizes]
    assert received(sent(whole)) == whole
    assert received([message for each in whole for message in sent([each])]) == whole


def test_small_frames_share_a_message() -> None:
    assert len(sent([frame(10)] * 50)) == 1


def test_what_is_at_hand_is_known() -> None:
    incoming = Incoming(pb.HostFrame, iter([*sent([frame(1), frame(2)]), *sent([frame(3)])]))
    assert [incoming.at_hand for _ in incoming] == [True, False, False]


def piece(data: bytes, *, last: bool) -> bytes:
    fragment = pb.HostFrame(fragment=pb.Fragment(data=data, last=last))
    return pb.HostFrames(frames=[fragment]).SerializeToString()


def test_a_frame_between_fragments_is_refused() -> None:
    with pytest.raises(ContainerMisbehaved, match="in between"):
        received([piece(b"a", last=False), *sent([frame(1)])])


def test_fragments_that_are_no_frame_are_refused() -> None:
    with pytest.raises(ContainerMisbehaved, match="do not join"):
        received([piece(b"\xff", last=False), piece(b"\xff", last=True)])


def test_a_message_that_holds_no_frames_is_refused() -> None:
    with pytest.raises(ContainerMisbehaved, match="does not hold frames"):
        received([b"\xff\xff"])


@pytest.mark.slow
def test_fragments_without_end_are_refused() -> None:
    endless = piece(bytes(1 << 20), last=False)
    with pytest.raises(ContainerMisbehaved, match=f"exceed {MAX_FRAGMENTED_SIZE_BYTES} bytes"):
        received(iter(lambda: endless, b""))
