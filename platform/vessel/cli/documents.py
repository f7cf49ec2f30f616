"""The JSON documents of the command line: what of the API's messages a program is shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from vessel.cli.output import hexadecimal
from vessel.primitives.encoding import from_integer
from vessel_proto.node.v1 import node_pb2

STATUS_NAMES = {
    node_pb2.STATUS_OK: "ok",
    node_pb2.STATUS_REVERTED: "reverted",
    node_pb2.STATUS_OUT_OF_GAS: "out of gas",
    node_pb2.STATUS_TRAP: "trap",
    node_pb2.STATUS_INVALID: "invalid",
    node_pb2.STATUS_DENIED: "denied",
}
HEALTH_NAMES = {
    node_pb2.CONTAINER_HEALTH_SERVING: "serving",
    node_pb2.CONTAINER_HEALTH_RESTARTING: "restarting",
    node_pb2.CONTAINER_HEALTH_QUARANTINED: "quarantined",
}


def status_name(status: int) -> str:
    """Return an outcome in words."""
    return STATUS_NAMES.get(status, f"status {status}")  # type: ignore[call-overload, no-any-return]


def health_name(health: int) -> str:
    """Return a container's health in a word."""
    return HEALTH_NAMES.get(health, "unknown")  # type: ignore[call-overload, no-any-return]


def moment(time_ms: int) -> str:
    """Return a time for people, in UTC."""
    if not time_ms:
        return "0"
    try:
        shown = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return f"{time_ms} ms"
    return shown.isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00") + " UTC"


def log_document(log: node_pb2.Log) -> dict[str, object]:
    """Return one event."""
    return {
        "address": hexadecimal(log.address),
        "topics": [hexadecimal(topic) for topic in log.topics],
        "data": hexadecimal(log.data),
    }


def receipt_document(receipt: node_pb2.Receipt) -> dict[str, object]:
    """Return the outcome of a transaction."""
    return {
        "container": receipt.container,
        "transaction_id": hexadecimal(receipt.transaction_id),
        "sender": hexadecimal(receipt.sender),
        "status": status_name(receipt.status),
        "gas_used": receipt.gas_used,
        "output": hexadecimal(receipt.output),
        "burned": str(from_integer(receipt.burned)),
        "logs": [log_document(log) for log in receipt.logs],
        "tags": [hexadecimal(tag) for tag in receipt.tags],
        "details": details_of(receipt),
    }


def details_of(receipt: node_pb2.Receipt) -> object:
    """Return the container's own part of a receipt; hexadecimal where it is not JSON."""
    if not receipt.details_json:
        return {}
    try:
        return json.loads(receipt.details_json)
    except ValueError:
        return hexadecimal(receipt.details_json)


def transaction_document(committed: node_pb2.TransactionInBlock) -> dict[str, object]:
    """Return a transaction in its block, with its receipt."""
    return {
        "id": hexadecimal(committed.id),
        "container": committed.container,
        "place": "committed",
        "block_height": committed.block_height,
        "block_id": hexadecimal(committed.block_id),
        "block_time_ms": committed.block_time_ms,
        "index": committed.index,
        "raw": hexadecimal(committed.raw),
        "receipt": receipt_document(committed.receipt),
    }


def pending_document(pending: node_pb2.PendingTransaction) -> dict[str, object]:
    """Return a transaction that is in no block yet."""
    return {
        "id": hexadecimal(pending.id),
        "container": pending.container,
        "place": "pending",
        "sender": hexadecimal(pending.sender),
        "raw": hexadecimal(pending.raw),
    }


def result_document(result: node_pb2.BlockResult) -> dict[str, object]:
    """Return what executing a block came to."""
    return {
        "state_root": hexadecimal(result.state_root),
        "receipts_root": hexadecimal(result.receipts_root),
        "gas_used": result.gas_used,
    }


def block_document(block: node_pb2.Block) -> dict[str, object]:
    """Return a block with its header and transactions."""
    header = block.header
    return {
        "height": header.height,
        "id": hexadecimal(block.id),
        "parent_id": hexadecimal(header.parent_id),
        "time_ms": header.time_ms,
        "proposer": hexadecimal(header.proposer),
        "transactions_root": hexadecimal(header.transactions_root),
        "sections": {
            section.container: {
                "gas_limit": section.gas_limit,
                "gas_used": section.gas_used,
                "base_fee": str(from_integer(section.base_fee)),
                "extra": hexadecimal(section.extra),
                "idle": section.idle,
            }
            for section in header.sections
        },
        "parent_result": result_document(header.parent_result),
        "result": result_document(block.result),
        "transactions": [
            {"id": hexadecimal(each.id), "container": each.container, "raw": hexadecimal(each.raw)}
            for each in block.transactions
        ],
    }


def container_document(container: node_pb2.ContainerInfo) -> dict[str, object]:
    """Return a container of the chain and how it fares."""
    return {
        "name": container.name,
        "kind": container.kind,
        "version": container.version,
        "transport": container.transport,
        "namespace": container.namespace,
        "gas_limit": container.gas_limit,
        "capabilities": list(container.capabilities),
        "engine_digest": hexadecimal(container.engine_digest),
        "health": health_name(container.health),
        "restarts": container.restarts,
        "process_id": container.process_id or None,
    }


def info_document(info: node_pb2.GetServiceInfoResponse) -> dict[str, object]:
    """Return who answers."""
    return {
        "software": info.software,
        "version": info.version,
        "chain_name": info.chain_name,
        "chain_id": info.chain_id,
        "genesis_hash": hexadecimal(info.genesis_hash),
        "hash": info.hash,
        "consensus": info.consensus,
        "dev": info.dev,
        "head": {"height": info.head.height, "id": hexadecimal(info.head.id), "time_ms": info.head.time_ms},
        "finalized_height": info.finalized_height,
        "pending_transactions": info.pending_transactions,
    }
