"""From the API's Block message back to the block it describes.

What comes out hashes to the same id: `block_from_message` is how a program that trusts nobody checks
a block it was sent, and how a chain is replayed from another node's API.
"""

from __future__ import annotations

from vessel.errors import InvalidBlock
from vessel.primitives.block import Block, Seal, transactions_root
from vessel.primitives.encoding import from_integer
from vessel.primitives.hashing import Hasher
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.section import Section
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ADDRESS_SIZE_BYTES, HASH_SIZE_BYTES, Address, Coin, Gas, Hash32, Height
from vessel_proto.node.v1 import node_pb2


def block_from_message(message: node_pb2.Block, *, hasher: Hasher | None = None) -> Block:
    """Return the block; its seal carries the result that the message states, and the signature.

    hasher: the chain's hash, by which id and transactions root are checked; InvalidBlock where they
    do not follow from the content. The message needs its header and transactions.
    """
    block = Block(
        header=header_from_message(message.header),
        transactions=tuple(
            Transaction(container=transaction.container, raw=transaction.raw)
            for transaction in message.transactions
        ),
        seal=Seal(result=result_from_message(message.result), signature=message.seal_signature),
    )
    if hasher is not None:
        _check(message, block, hasher)
    return block


def header_from_message(message: node_pb2.Header) -> Header:
    """Return the header with every field that its id covers."""
    return Header(
        version=message.version,
        height=Height(message.height),
        parent_id=_hash(message.parent_id, "parent_id"),
        time_ms=message.time_ms,
        proposer=Address(_sized(message.proposer, ADDRESS_SIZE_BYTES, "proposer")),
        randomness=_hash(message.randomness, "randomness"),
        transactions_root=_hash(message.transactions_root, "transactions_root"),
        sections=tuple(
            (
                section.container,
                Section(
                    gas_limit=Gas(section.gas_limit),
                    gas_used=Gas(section.gas_used),
                    base_fee=Coin(from_integer(section.base_fee)),
                    extra=section.extra,
                    idle=section.idle,
                ),
            )
            for section in message.sections
        ),
        parent_result=result_from_message(message.parent_result),
        consensus=message.consensus,
        mainchain_link=message.mainchain_link,
    )


def result_from_message(message: node_pb2.BlockResult) -> BlockResult:
    """Return what executing a block came to; an absent message is the empty result."""
    return BlockResult(
        state_root=_hash(message.state_root, "state_root"),
        receipts_root=_hash(message.receipts_root, "receipts_root"),
        gas_used=Gas(message.gas_used),
    )


def _check(message: node_pb2.Block, block: Block, hasher: Hasher) -> None:
    root = transactions_root(hasher, block.transactions)
    if root != block.header.transactions_root:
        raise InvalidBlock(
            f"block {block.header.height}: its transactions have the root 0x{root.hex()}, its header says "
            f"0x{block.header.transactions_root.hex()}",
            height=block.header.height,
        )
    identity = block.header.block_id(hasher)
    if message.id and identity != message.id:
        raise InvalidBlock(
            f"block {block.header.height}: its header hashes to 0x{identity.hex()}, it was sent as "
            f"0x{message.id.hex()}",
            height=block.header.height,
        )


def _hash(data: bytes, field: str) -> Hash32:
    return Hash32(_sized(data, HASH_SIZE_BYTES, field))


def _sized(data: bytes, size_bytes: int, field: str) -> bytes:
    """Return a field of fixed size; empty stands for zeros, as protobuf leaves zeros out."""
    if not data:
        return bytes(size_bytes)
    if len(data) != size_bytes:
        raise InvalidBlock(f"{field} has {len(data)} bytes, expected {size_bytes}", field=field)
    return data
