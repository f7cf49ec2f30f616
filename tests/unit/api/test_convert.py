"""Between values and messages: what goes over the wire comes back, and what does not fit is refused."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import field_mask_pb2

from vessel.api import convert
from vessel.container.messages import Call
from vessel.container.node_api import CommittedTransaction, Tag
from vessel.errors import InvalidRequest
from vessel.primitives.block import Block, ExecutedBlock, Seal
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.receipt import Log, Receipt, Status
from vessel.primitives.section import Section
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH, Coin, Gas, Hash32, Height
from vessel_proto.node.v1 import node_pb2 as pb

RECEIPT = Receipt(
    container="evm", transaction_id=b"id", sender=b"s" * 20, status=Status.TRAP, gas_used=Gas(5),
    output=b"o", burned=Coin(1 << 70), logs=(Log(address=b"a", topics=(b"t",), data=b"d"),),
    details=b"{}",
)  # fmt: skip
EXECUTED = ExecutedBlock(
    block_id=Hash32(b"b" * 32),
    block=Block(
        header=Header(
            height=Height(3),
            parent_id=ZERO_HASH,
            time_ms=9,
            transactions_root=ZERO_HASH,
            sections=(("evm", Section(base_fee=Coin(1 << 70), extra=b"x", idle=True)),),
        ),
        transactions=(Transaction(container="evm", raw=b"raw"),),
        seal=Seal(result=BlockResult(state_root=Hash32(b"r" * 32), gas_used=Gas(5))),
    ),
    receipts=(RECEIPT,),
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (pb.BlockReference(), Tag.LATEST),
        (pb.BlockReference(tag=pb.BLOCK_TAG_LATEST), Tag.LATEST),
        (pb.BlockReference(tag=pb.BLOCK_TAG_FINALIZED), Tag.FINALIZED),
        (pb.BlockReference(tag=pb.BLOCK_TAG_GENESIS), Tag.GENESIS),
        (pb.BlockReference(height=0), 0),
        (pb.BlockReference(height=7), 7),
        (pb.BlockReference(id=b"x" * 32), b"x" * 32),
    ],
)
def test_references(message: pb.BlockReference, expected: object) -> None:
    assert expected == convert.reference(message)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (pb.BlockReference(id=b""), "has 32 bytes, this one has 0"),
        (pb.BlockReference(id=b"x" * 33), "has 32 bytes, this one has 33"),
        (pb.BlockReference(tag=99), "block tag 99 is not known"),  # type: ignore[arg-type]
    ],
)
def test_references_to_nothing(message: pb.BlockReference, text: str) -> None:
    with pytest.raises(InvalidRequest, match=text):
        convert.reference(message)


def test_masks() -> None:
    assert {"id", "receipts"} == convert.block_parts(field_mask_pb2.FieldMask(paths=["receipts", "id"]))
    assert convert.block_parts(field_mask_pb2.FieldMask()) == convert.DEFAULT_BLOCK_PARTS
    with pytest.raises(InvalidRequest, match=r"names header\.height; a block has id, header"):
        convert.block_parts(field_mask_pb2.FieldMask(paths=["id", "header.height"]))


def test_calls() -> None:
    message = pb.CallRequest(
        sender=b"s" * 20, to=b"t" * 20, value=b"\1\0", input=b"i", gas_limit=5, options_json=b"{}"
    )
    called = convert.call(message)
    assert (
        called.sender, called.to, called.value, called.input, called.gas_limit, called.options,
    ) == (b"s" * 20, b"t" * 20, 256, b"i", 5, b"{}")  # fmt: skip
    assert Call(to=b"", sender=ZERO_ADDRESS) == convert.call(pb.CallRequest())


@pytest.mark.parametrize(
    ("fields", "text"),
    [({"sender": b"s"}, "sender has 1 bytes"), ({"value": b"\0"}, "leading zeros")],
)
def test_calls_that_do_not_fit(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidRequest, match=text):
        convert.call(pb.CallRequest(**fields))


@pytest.mark.parametrize("status", list(Status))
def test_statuses_have_the_same_numbers(status: Status) -> None:
    assert f"STATUS_{status.name}" == pb.Status.Name(convert.status(status))


def test_a_receipt_in_its_place() -> None:
    placed = convert.placed(CommittedTransaction(executed=EXECUTED, index=0))
    assert (
        placed.container, placed.id, placed.raw, placed.block_height, placed.block_time_ms, placed.index,
    ) == ("evm", b"id", b"raw", 3, 9, 0)  # fmt: skip
    receipt = placed.receipt
    assert (pb.STATUS_TRAP, 5, b"o", (1 << 70).to_bytes(9, "big")) == (
        receipt.status, receipt.gas_used, receipt.output, receipt.burned,
    )  # fmt: skip
    assert [(log.address, list(log.topics), log.data) for log in receipt.logs] == [(b"a", [b"t"], b"d")]


def test_a_block_and_parts_of_it() -> None:
    whole = convert.block(EXECUTED, frozenset(convert.BLOCK_PARTS))
    assert {"id", "header", "transactions", "receipts", "result"} == {f.name for f, _ in whole.ListFields()}
    (section,) = whole.header.sections
    assert ("evm", (1 << 70).to_bytes(9, "big"), b"x", True) == (
        section.container, section.base_fee, section.extra, section.idle,
    )  # fmt: skip
    assert [(t.container, t.raw, t.id) for t in whole.transactions] == [("evm", b"raw", b"id")]
    assert not convert.block(EXECUTED).receipts
