"""Which block is meant: a height, an id or a tag."""

from __future__ import annotations

from vessel.errors import InvalidRequest
from vessel.primitives.units import HASH_SIZE_BYTES
from vessel_proto.node.v1 import node_pb2

BlockAt = int | bytes | str  # a height, an id of 32 bytes, or "latest", "finalized", "genesis"

_TAGS = {
    "latest": node_pb2.BLOCK_TAG_LATEST,
    "finalized": node_pb2.BLOCK_TAG_FINALIZED,
    "genesis": node_pb2.BLOCK_TAG_GENESIS,
}


def block_reference(at: BlockAt) -> node_pb2.BlockReference:
    """Return the message for a height, an id or a tag; InvalidRequest where it is none of them."""
    if isinstance(at, str):
        if at not in _TAGS:
            raise InvalidRequest(f"{at!r} is not a block tag: expected {', '.join(_TAGS)}", tag=at)
        return node_pb2.BlockReference(tag=_TAGS[at])
    if isinstance(at, bytes):
        if len(at) != HASH_SIZE_BYTES:
            raise InvalidRequest(f"a block id has {HASH_SIZE_BYTES} bytes, not {len(at)}", size_bytes=len(at))
        return node_pb2.BlockReference(id=at)
    if not 0 <= at < 1 << 64:
        raise InvalidRequest(f"{at} is not a block height: expected 0 or more", height=at)
    return node_pb2.BlockReference(height=at)


def parse_block_at(text: str) -> BlockAt:
    """Read what a person writes for a block: `12`, `0x` and 64 digits, `latest`, `finalized`, `genesis`."""
    if text in _TAGS:
        return text
    if text.isascii() and text.isdecimal():
        return int(text)
    digits = text.removeprefix("0x")
    try:
        identity = bytes.fromhex(digits)
    except ValueError:
        identity = b""
    if len(identity) != HASH_SIZE_BYTES:
        raise InvalidRequest(
            f"{text!r} names no block: expected a height, an id (0x and {2 * HASH_SIZE_BYTES} hexadecimal "
            f"digits) or one of {', '.join(_TAGS)}",
            block=text,
        )
    return identity
