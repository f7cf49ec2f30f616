"""Canonical encodings: unambiguous, bounded, and apart from what is only stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from vessel.errors import GenesisError, InvalidRequest
from vessel.primitives.address import parse_address, reserved_address
from vessel.primitives.block import Block, ExecutedBlock, Seal
from vessel.primitives.encoding import blob, from_integer, integer, listing, text, u16, u32, u64
from vessel.primitives.hashing import SHA256, hasher_by_name
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.receipt import HookReceipt, Log, Receipt, Status
from vessel.primitives.section import Section
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_HASH, Address, Coin, Gas, Hash32, Height

SECTION = Section(gas_limit=Gas(1), gas_used=Gas(2), base_fee=Coin(3), extra=b"4")
LOG = Log(address=b"a" * 20, topics=(b"t" * 32, b""), data=b"d")
RECEIPT = Receipt(
    container="evm", transaction_id=b"i" * 32, sender=b"s" * 20, status=Status.REVERTED, gas_used=Gas(5),
    output=b"o", burned=Coin(6), logs=(LOG,), tags=(b"t",), details=b"{}",
)  # fmt: skip
HEADER = Header(
    height=Height(7),
    parent_id=Hash32(b"p" * 32),
    time_ms=8,
    transactions_root=ZERO_HASH,
    sections=(("book", SECTION), ("evm", SECTION.carried())),
    parent_result=BlockResult(state_root=Hash32(b"r" * 32), gas_used=Gas(9)),
)
BLOCK = Block(
    header=HEADER,
    transactions=(Transaction(container="evm", raw=b"\0\1"),),
    seal=Seal(result=BlockResult(gas_used=Gas(5)), signature=b"sig"),
)
EXECUTED = ExecutedBlock(
    block_id=Hash32(b"b" * 32),
    block=BLOCK,
    receipts=(RECEIPT,),
    hooks=(HookReceipt(container="book", at_end=True, burned=Coin(1), logs=(LOG,)),),
)


@pytest.mark.parametrize(
    "value", [SECTION, LOG, RECEIPT, HEADER, BLOCK, EXECUTED], ids=lambda v: type(v).__name__
)
def test_what_is_stored_comes_back_the_same(value: Any) -> None:
    assert value == msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type(value))


def test_amounts_above_64_bits_survive_the_store_or_are_not_stored_by_msgpack() -> None:
    """msgpack ends at 64 bits: what is above needs the store's own encoding, and gets it."""
    from vessel.database.record import decode_record, encode_record

    large = msgspec.structs.replace(RECEIPT, burned=Coin(1 << 200))
    assert large == decode_record(encode_record(large), Receipt, "a receipt")


FIELDS: list[tuple[str, Any]] = [
    ("version", 2), ("height", 8), ("parent_id", b"q" * 32), ("time_ms", 9), ("proposer", b"x" * 20),
    ("randomness", b"x" * 32), ("transactions_root", b"x" * 32), ("sections", ()),
    ("parent_result", BlockResult()), ("consensus", b"x"), ("mainchain_link", b"x"),
]  # fmt: skip


def test_the_id_covers_every_field_of_the_header() -> None:
    assert {name for name, _ in FIELDS} == set(Header.__struct_fields__)
    ids = [msgspec.structs.replace(HEADER, **{name: value}).block_id(SHA256) for name, value in FIELDS]
    assert len(FIELDS) + 1 == len({HEADER.block_id(SHA256), *ids})


def test_two_neighbouring_blobs_cannot_trade_bytes() -> None:
    one = msgspec.structs.replace(HEADER, consensus=b"ab", mainchain_link=b"c")
    other = msgspec.structs.replace(HEADER, consensus=b"a", mainchain_link=b"bc")
    assert one.block_id(SHA256) != other.block_id(SHA256)


@pytest.mark.parametrize("field", ["gas_limit", "gas_used", "base_fee", "extra", "idle"])
def test_a_section_covers_every_field(field: str) -> None:
    changed = msgspec.structs.replace(SECTION, **{field: b"y" if field == "extra" else True})
    if field == "gas_limit":
        changed = msgspec.structs.replace(SECTION, gas_limit=Gas(99))
    assert SECTION.encode("evm") != changed.encode("evm")
    assert SECTION.encode("evm") != SECTION.encode("evn")


@pytest.mark.parametrize("field", ["container", "status", "gas_used", "output", "burned", "logs"])
def test_a_receipt_covers_what_is_consensus(field: str) -> None:
    values: dict[str, Any] = {
        "container": "evn", "status": Status.OK, "gas_used": 6, "output": b"", "burned": 7, "logs": (),
    }  # fmt: skip
    assert RECEIPT.encode() != msgspec.structs.replace(RECEIPT, **{field: values[field]}).encode()


@pytest.mark.parametrize("field", ["transaction_id", "sender", "tags", "details"])
def test_a_receipt_leaves_out_what_is_the_containers_own(field: str) -> None:
    value: Any = (b"x",) if field == "tags" else b"x"
    assert RECEIPT.encode() == msgspec.structs.replace(RECEIPT, **{field: value}).encode()


def test_a_carried_section_keeps_the_price_and_is_idle() -> None:
    expected = Section(gas_limit=Gas(1), gas_used=Gas(0), base_fee=Coin(3), extra=b"4", idle=True)
    assert expected == SECTION.carried() == SECTION.carried().carried()


def test_a_header_without_a_section_gives_an_empty_one() -> None:
    assert HEADER.section("book") == SECTION
    assert Section() == HEADER.section("nobody")


@pytest.mark.parametrize(("encode", "bits"), [(u16, 16), (u32, 32), (u64, 64)])
def test_integers_are_fixed_big_endian_and_bounded(encode: Callable[[int], bytes], bits: int) -> None:
    assert (1).to_bytes(bits // 8, "big") == encode(1)
    assert b"\xff" * (bits // 8) == encode((1 << bits) - 1)
    for outside in (-1, 1 << bits):
        with pytest.raises(OverflowError):
            encode(outside)


def test_blobs_texts_and_lists_stand_behind_their_length() -> None:
    assert blob(b"ab") == b"\0\0\0\2ab"
    assert text("ä") == b"\0\0\0\2\xc3\xa4"
    assert listing([b"a", b"b"]) == b"\0\0\0\2" + b"ab"
    assert b"\0\0\0\0" == blob(b"") == listing([])


@pytest.mark.parametrize("value", [0, 1, 255, 256, 1 << 64, (1 << 256) - 1])
def test_shortest_integers_come_back(value: int) -> None:
    assert value == from_integer(integer(value))


def test_shortest_integers_have_one_form() -> None:
    assert integer(0) == b""
    for data in (b"\0", b"\0\1"):
        with pytest.raises(InvalidRequest, match="leading zeros"):
            from_integer(data)
    with pytest.raises(OverflowError):
        integer(-1)


# ---- addresses and hashes


@pytest.mark.parametrize("spelling", ["0x" + "ab" * 20, "ab" * 20, "0x" + "AB" * 20, "0x" + "aB" * 20])
def test_addresses_are_read_in_either_case(spelling: str) -> None:
    assert Address(b"\xab" * 20) == parse_address(spelling)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "got 0 digits"),
        ("0x", "got 0 digits"),
        ("0x" + "ab" * 19, "got 38 digits"),
        ("0x" + "ab" * 21, "got 42 digits"),
        ("0x" + "zz" * 20, "not hexadecimal"),
        ("0x" + "ab" * 19 + "  ", "not hexadecimal"),
        ("0x" + " ab" * 13 + "a", "not hexadecimal"),
        ("0x" + "ab" * 19 + "١٢", "not hexadecimal"),
    ],
)
def test_addresses_are_read_strictly(value: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        parse_address(value)


@pytest.mark.parametrize("size", [0, 7, 9])
def test_a_reserved_address_ends_in_eight_bytes(size: int) -> None:
    with pytest.raises(InvalidRequest, match=f"ends in 8 bytes, not {size}"):
        reserved_address("evm", bytes(size))


def test_hashes_go_by_name() -> None:
    for name in ("sha256", "blake2b", "sha3-256"):
        hasher = hasher_by_name(name)
        assert (name, 32) == (hasher.name, len(hasher(b"")))
        assert name in repr(hasher)
    with pytest.raises(GenesisError, match="unknown hash 'SHA256'"):
        hasher_by_name("SHA256")
