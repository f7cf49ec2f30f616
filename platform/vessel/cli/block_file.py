"""A file of blocks: what `vessel export` writes and `vessel import` reads.

proto/vessel_proto/node/v1/block_file.proto is the format. Whoever reads trusts nothing of it: every
block is checked against its own id here, and executed by the chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from google.protobuf.message import DecodeError

from vessel.client.blocks import block_from_message
from vessel.errors import GenesisMismatch, InvalidBlock, InvalidRequest, VesselError
from vessel.primitives.block import Block
from vessel.primitives.hashing import Hasher
from vessel_proto.node.v1 import block_file_pb2, node_pb2

FORMAT = "vessel-blocks"
FORMAT_VERSION = 1
MAX_HEADER_SIZE_BYTES = 1 << 16
MAX_BLOCK_SIZE_BYTES = 1 << 30


def write_header(
    file: BinaryIO, *, genesis_hash: bytes, hash_name: str, first_height: int, last_height: int
) -> None:
    """Begin a file that holds the blocks from `first_height` up to and including `last_height`."""
    header = block_file_pb2.BlockFileHeader(
        format=FORMAT,
        version=FORMAT_VERSION,
        genesis_hash=genesis_hash,
        hash=hash_name,
        first_height=first_height,
        last_height=last_height,
    )
    _write(file, header.SerializeToString())


def write_block(file: BinaryIO, message: node_pb2.Block) -> None:
    """Append a block."""
    _write(file, message.SerializeToString())


def read_header(file: BinaryIO, name: str) -> block_file_pb2.BlockFileHeader:
    """Read the begin of a file; InvalidRequest where it is none of ours, or of a later format."""
    header = block_file_pb2.BlockFileHeader()
    foreign = InvalidRequest(
        f"{name} is not a file of blocks; `vessel export` writes one", reason="NOT_A_BLOCK_FILE", file=name
    )
    try:
        data = _read(file, MAX_HEADER_SIZE_BYTES)
        if data is None:
            raise foreign
        header.ParseFromString(data)
    except (DecodeError, EOFError, ValueError):
        raise foreign from None
    if header.format != FORMAT:
        raise foreign
    if header.version != FORMAT_VERSION:
        raise InvalidRequest(
            f"{name} is written in version {header.version} of the format, this vessel reads version "
            f"{FORMAT_VERSION}; export it anew, or import it with a newer vessel",
            reason="BLOCK_FILE_VERSION",
            file=name,
        )
    return header


def check_chain(header: block_file_pb2.BlockFileHeader, genesis_hash: bytes, name: str) -> None:
    """GenesisMismatch where a file holds blocks of another chain."""
    if header.genesis_hash != genesis_hash:
        raise GenesisMismatch(
            f"{name} holds blocks of the chain with genesis {header.genesis_hash.hex()}, this chain's is "
            f"{genesis_hash.hex()}; give --genesis FILE of the chain that it was exported from",
            found=header.genesis_hash.hex(),
            expected=genesis_hash.hex(),
        )


def read_blocks(
    file: BinaryIO, header: block_file_pb2.BlockFileHeader, name: str, hasher: Hasher
) -> Iterator[Block]:
    """Yield the blocks; InvalidBlock, naming the height, where one is damaged or the file is cut off."""
    for height in range(header.first_height, header.last_height + 1):
        message = node_pb2.Block()
        try:
            data = _read(file, MAX_BLOCK_SIZE_BYTES)
            if data is None:
                raise EOFError
            message.ParseFromString(data)
            block = block_from_message(message, hasher=hasher)
        except EOFError:
            raise InvalidBlock(
                f"{name} is cut off: it ends in or before block {height}, and holds blocks "
                f"{header.first_height} to {header.last_height} by its own word",
                reason="BLOCK_FILE_CUT_OFF",
                height=height,
            ) from None
        except (DecodeError, ValueError, VesselError) as error:
            why = error.message if isinstance(error, VesselError) else str(error)
            raise InvalidBlock(
                f"{name} is damaged at block {height}: {why}", reason="BLOCK_FILE_DAMAGED", height=height
            ) from error
        if block.header.height != height or not message.id:
            raise InvalidBlock(
                f"{name} is damaged: block {block.header.height} stands where block {height} should",
                reason="BLOCK_FILE_DAMAGED",
                height=height,
            )
        yield block


def _write(file: BinaryIO, data: bytes) -> None:
    length, size = bytearray(), len(data)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    file.write(bytes(length) + data)


def _read(file: BinaryIO, limit: int) -> bytes | None:
    """Return the next message, None at the end; EOFError within one, ValueError for an absurd length."""
    size = shift = 0
    while True:
        byte = file.read(1)
        if not byte:
            if shift:
                raise EOFError
            return None
        size |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            break
        shift += 7
        if shift > 63:
            raise ValueError("a length of more than ten bytes")
    if size > limit:
        raise ValueError(f"a message of {size} bytes; at most {limit}")
    data = file.read(size)
    if len(data) != size:
        raise EOFError
    return data
