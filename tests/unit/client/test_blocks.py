"""A block read from the API is the block that was sent: it hashes to its id."""

from __future__ import annotations

import pytest

from unit.client.fake_node import FakeNode
from vessel.client import NodeClient
from vessel.client.blocks import block_from_message
from vessel.errors import InvalidBlock
from vessel.primitives.hashing import SHA256
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH
from vessel_proto.node.v1 import node_pb2


def test_the_block_hashes_to_its_id(client: NodeClient, node: FakeNode) -> None:
    block = block_from_message(client.block(), hasher=SHA256)
    assert block.header.block_id(SHA256) == node.block().id
    assert block.transactions[0].raw == b"\1\2\3"
    assert block.seal.result.state_root == b"\3" * 32


def test_an_idle_section_stays_idle(node: FakeNode) -> None:
    message = node.block()
    message.header.sections[0].idle = True
    assert block_from_message(message).header.section("evm").idle


def test_fields_left_out_are_zeros() -> None:
    header = block_from_message(node_pb2.Block()).header
    assert (header.parent_id, header.proposer, header.randomness) == (ZERO_HASH, ZERO_ADDRESS, ZERO_HASH)


def test_a_changed_header_is_found_out(node: FakeNode) -> None:
    message = node.block()
    message.header.time_ms += 1
    with pytest.raises(InvalidBlock, match="hashes to"):
        block_from_message(message, hasher=SHA256)


def test_a_changed_transaction_is_found_out(node: FakeNode) -> None:
    message = node.block()
    message.transactions[0].raw = b"\7"
    with pytest.raises(InvalidBlock, match="its transactions have the root"):
        block_from_message(message, hasher=SHA256)


def test_a_field_of_the_wrong_size_is_found_out(node: FakeNode) -> None:
    message = node.block()
    message.header.parent_id = b"\1"
    with pytest.raises(InvalidBlock, match="parent_id has 1 bytes"):
        block_from_message(message)
