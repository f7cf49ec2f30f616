"""Execute another node's blocks anew, in memory and in this process, and see what roots come out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vessel.client.blocks import block_from_message
from vessel.client.node import NodeClient
from vessel.config import NodeConfig
from vessel.primitives.header import BlockResult
from vessel_proto.node.v1 import node_pb2

_READ_MASK = ("id", "header", "transactions", "result")


def fetch_blocks(client: NodeClient, *, start: int = 1, stop: int | None = None) -> list[node_pb2.Block]:
    """Return the blocks from `start` up to and including `stop`, or the head."""
    last = client.service_info().head.height if stop is None else stop
    return [client.block(height, read_mask=_READ_MASK) for height in range(start, last + 1)]


def replay_roots(blocks: Iterable[node_pb2.Block], genesis: Path | None = None) -> list[BlockResult]:
    """Import every block into a fresh node on the local transport; return what each came to there.

    Each block is checked against its own id and transactions root first. That executing it gives the
    sections it names, and its parent the result it names, is the chain's check (InvalidBlock).
    """
    from vessel.node import Node

    config = NodeConfig(store="memory:", transport="local", grpc_address="127.0.0.1:0", genesis=genesis)
    with Node.open(config) as node:
        hasher = node.genesis.hasher
        return [
            node.chain.import_block(block_from_message(message, hasher=hasher)).block.seal.result
            for message in blocks
        ]
