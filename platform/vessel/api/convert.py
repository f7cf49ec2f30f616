"""Between the values of the core and the messages of node/v1."""

from __future__ import annotations

from typing import cast

from google.protobuf import field_mask_pb2

from vessel.container.messages import Call
from vessel.container.node_api import BlockReference, CommittedTransaction, ContainerStatus, Tag
from vessel.errors import InvalidRequest
from vessel.primitives import receipt as receipts
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.encoding import from_integer, integer
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.units import (
    ADDRESS_SIZE_BYTES,
    HASH_SIZE_BYTES,
    ZERO_ADDRESS,
    Address,
    Coin,
    Gas,
    Hash32,
    Height,
)
from vessel_proto.node.v1 import node_pb2 as pb

BLOCK_PARTS = ("id", "header", "transactions", "receipts", "result")
DEFAULT_BLOCK_PARTS = frozenset(BLOCK_PARTS) - {"receipts"}

_TAGS = {
    pb.BLOCK_TAG_UNSPECIFIED: Tag.LATEST,
    pb.BLOCK_TAG_LATEST: Tag.LATEST,
    pb.BLOCK_TAG_FINALIZED: Tag.FINALIZED,
    pb.BLOCK_TAG_GENESIS: Tag.GENESIS,
}

_HEALTH = {
    "serving": pb.CONTAINER_HEALTH_SERVING,
    "restarting": pb.CONTAINER_HEALTH_RESTARTING,
    "quarantined": pb.CONTAINER_HEALTH_QUARANTINED,
}


def reference(message: pb.BlockReference) -> BlockReference:
    """Read which block is meant; latest where nothing is said."""
    kind = message.WhichOneof("reference")
    if kind == "height":
        return Height(message.height)
    if kind == "id":
        if len(message.id) != HASH_SIZE_BYTES:
            raise InvalidRequest(f"a block id has {HASH_SIZE_BYTES} bytes, this one has {len(message.id)}")
        return Hash32(message.id)
    tag = _TAGS.get(message.tag)
    if tag is None:
        raise InvalidRequest(f"block tag {message.tag} is not known")
    return tag


def block_parts(mask: field_mask_pb2.FieldMask) -> frozenset[str]:
    """Read which parts of a block are wanted."""
    unknown = [path for path in mask.paths if path not in BLOCK_PARTS]
    if unknown:
        raise InvalidRequest(f"read_mask names {', '.join(unknown)}; a block has {', '.join(BLOCK_PARTS)}")
    return frozenset(mask.paths) or DEFAULT_BLOCK_PARTS


def call(message: pb.CallRequest) -> Call:
    """Read a call; InvalidRequest says which field does not fit."""
    if len(message.sender) not in (0, ADDRESS_SIZE_BYTES):
        raise InvalidRequest(f"sender has {len(message.sender)} bytes; expected 20, or none")
    return Call(
        sender=Address(message.sender) if message.sender else ZERO_ADDRESS,
        to=message.to,
        value=Coin(from_integer(message.value)),
        input=message.input,
        gas_limit=Gas(message.gas_limit),
        options=message.options_json,
    )


def summary(executed: ExecutedBlock) -> pb.BlockSummary:
    """Name a block."""
    header = executed.block.header
    return pb.BlockSummary(height=header.height, id=executed.block_id, time_ms=header.time_ms)


def status(value: receipts.Status) -> pb.Status:
    """Return a status; the numbers are the same."""
    return cast(pb.Status, value.value)


def log(value: receipts.Log) -> pb.Log:
    """Return a log."""
    return pb.Log(address=value.address, topics=value.topics, data=value.data)


def receipt(value: receipts.Receipt) -> pb.Receipt:
    """Return a receipt."""
    return pb.Receipt(
        container=value.container,
        transaction_id=value.transaction_id,
        sender=value.sender,
        status=status(value.status),
        gas_used=value.gas_used,
        output=value.output,
        burned=integer(value.burned),
        logs=map(log, value.logs),
        details_json=value.details,
        tags=value.tags,
    )


def placed(found: CommittedTransaction) -> pb.TransactionInBlock:
    """Return a transaction with its block and receipt."""
    executed, index = found.executed, found.index
    transaction = executed.block.transactions[index]
    return pb.TransactionInBlock(
        container=transaction.container,
        id=executed.receipts[index].transaction_id,
        raw=transaction.raw,
        block_height=executed.block.header.height,
        block_id=executed.block_id,
        block_time_ms=executed.block.header.time_ms,
        index=index,
        receipt=receipt(executed.receipts[index]),
    )


def block_result(value: BlockResult) -> pb.BlockResult:
    """Return what executing a block came to."""
    return pb.BlockResult(
        state_root=value.state_root, receipts_root=value.receipts_root, gas_used=value.gas_used
    )


def header(value: Header) -> pb.Header:
    """Return a header."""
    return pb.Header(
        version=value.version,
        height=value.height,
        parent_id=value.parent_id,
        time_ms=value.time_ms,
        proposer=value.proposer,
        randomness=value.randomness,
        transactions_root=value.transactions_root,
        sections=[
            pb.Section(
                container=name,
                gas_limit=section.gas_limit,
                gas_used=section.gas_used,
                base_fee=integer(section.base_fee),
                extra=section.extra,
                idle=section.idle,
            )
            for name, section in value.sections
        ],
        parent_result=block_result(value.parent_result),
        consensus=value.consensus,
        mainchain_link=value.mainchain_link,
    )


def block(executed: ExecutedBlock, parts: frozenset[str] | None = None) -> pb.Block:
    """Return a block, or the parts of it that are wanted."""
    wanted = DEFAULT_BLOCK_PARTS if parts is None else parts
    message = pb.Block()
    if "id" in wanted:
        message.id = executed.block_id
    if "header" in wanted:
        message.header.CopyFrom(header(executed.block.header))
    if "transactions" in wanted:
        message.transactions.extend(
            pb.EnvelopedTransaction(container=t.container, raw=t.raw, id=r.transaction_id)
            for t, r in zip(executed.block.transactions, executed.receipts, strict=True)
        )
    if "receipts" in wanted:
        message.receipts.extend(map(receipt, executed.receipts))
    if "result" in wanted:
        message.result.CopyFrom(block_result(executed.block.seal.result))
        message.seal_signature = executed.block.seal.signature
    return message


def container(value: ContainerStatus) -> pb.ContainerInfo:
    """Return how a container does."""
    return pb.ContainerInfo(
        name=value.name,
        kind=value.kind,
        version=value.version,
        transport=value.transport,
        namespace=value.namespace,
        gas_limit=value.gas_limit,
        capabilities=value.capabilities,
        engine_digest=value.engine_digest,
        health=_HEALTH[value.health],
        restarts=value.restarts,
        process_id=value.process_id,
    )
