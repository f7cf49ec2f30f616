"""Decoding: what is a transaction, what is none and why, and who signed it."""

from __future__ import annotations

from typing import Any

import pytest
import rlp as oracle  # type: ignore[import-untyped]

from unit.evm.sandbox import ALICE, BOB, CAROL, CHAIN_ID, GWEI, address_of, sign
from vessel_evm.keccak import keccak
from vessel_evm.refusal import Refusal
from vessel_evm.signature import ORDER
from vessel_evm.transaction import Access, decode

LEGACY: dict[str, Any] = {
    "nonce": 3,
    "gasPrice": 2 * GWEI,
    "gas": 21_000,
    "to": address_of(BOB),
    "value": 7,
    "data": b"\1\2",
}
TYPED: dict[str, Any] = {
    **{key: value for key, value in LEGACY.items() if key != "gasPrice"},
    "type": 2,
    "chainId": CHAIN_ID,
    "maxFeePerGas": 3 * GWEI,
    "maxPriorityFeePerGas": GWEI,
}


def fields_of(raw: bytes) -> list[Any]:
    """Return the fields of a typed transaction."""
    fields: list[Any] = oracle.decode(raw[1:])
    return fields


def refused(raw: bytes) -> Refusal:
    """Return why `raw` is refused."""
    with pytest.raises(Refusal) as caught:
        decode(raw).sender()
    return caught.value


def test_a_legacy_transaction() -> None:
    raw = sign(ALICE, {**LEGACY, "chainId": CHAIN_ID})
    transaction = decode(raw)
    assert transaction.type == 0
    assert transaction.id == keccak(raw)
    assert transaction.chain_id == CHAIN_ID
    assert (transaction.nonce, transaction.gas_limit, transaction.value) == (3, 21_000, 7)
    assert transaction.max_fee_per_gas == transaction.max_priority_fee_per_gas == 2 * GWEI
    assert transaction.to == address_of(BOB)
    assert transaction.data == b"\1\2"
    assert transaction.sender() == address_of(ALICE)


def test_a_legacy_transaction_without_chain_id() -> None:
    transaction = decode(sign(ALICE, LEGACY))
    assert transaction.chain_id is None
    assert transaction.sender() == address_of(ALICE)


def test_an_access_list_transaction() -> None:
    access = {"address": "0x" + "ab" * 20, "storageKeys": ["0x" + "00" * 31 + "05", "0x" + "ff" * 32]}
    transaction = decode(sign(ALICE, {**LEGACY, "type": 1, "chainId": CHAIN_ID, "accessList": [access]}))
    assert transaction.type == 1
    assert transaction.access_list == (Access(address=b"\xab" * 20, slots=(5, 2**256 - 1)),)  # type: ignore[arg-type]
    assert transaction.max_fee_per_gas == transaction.max_priority_fee_per_gas == 2 * GWEI
    assert transaction.sender() == address_of(ALICE)


def test_a_dynamic_fee_transaction() -> None:
    transaction = decode(sign(ALICE, TYPED))
    assert transaction.type == 2
    assert transaction.max_fee_per_gas == 3 * GWEI
    assert transaction.max_priority_fee_per_gas == GWEI
    assert transaction.sender() == address_of(ALICE)


def test_a_set_code_transaction() -> None:
    authorization = CAROL.sign_authorization({"chainId": 0, "address": "0x" + "44" * 20, "nonce": 9})
    transaction = decode(sign(ALICE, {**TYPED, "type": 4, "authorizationList": [authorization]}))
    assert transaction.type == 4
    (decoded,) = transaction.authorizations
    assert (decoded.chain_id, decoded.address, decoded.nonce) == (0, b"\x44" * 20, 9)
    assert decoded.authority() == address_of(CAROL)
    assert transaction.sender() == address_of(ALICE)


def test_a_creation_has_no_recipient() -> None:
    assert decode(sign(ALICE, {**TYPED, "to": b""})).to == b""


def test_blob_transactions_are_refused_with_a_way_out() -> None:
    error = refused(b"\x03" + oracle.encode([b""] * 14))
    assert error.reason == "BLOB_TRANSACTIONS_UNSUPPORTED"
    assert "type 2" in error.message


def test_a_high_s_is_refused() -> None:
    fields = fields_of(sign(ALICE, TYPED))
    fields[-1] = (ORDER - int.from_bytes(fields[-1], "big")).to_bytes(32, "big").lstrip(b"\0")
    fields[-3] = b"" if fields[-3] else b"\1"
    error = refused(b"\2" + oracle.encode(fields))
    assert error.reason == "BAD_SIGNATURE"
    assert "EIP-2" in error.message


@pytest.mark.parametrize(
    ("position", "value"),
    [(-1, b""), (-2, b""), (-3, b"\2"), (-1, b"\xff" * 32), (-2, ORDER.to_bytes(32, "big"))],
)
def test_signatures_out_of_range_are_refused(position: int, value: bytes) -> None:
    fields = fields_of(sign(ALICE, TYPED))
    fields[position] = value
    assert refused(b"\2" + oracle.encode(fields)).reason == "BAD_SIGNATURE"


def test_a_point_off_the_curve_is_refused() -> None:
    reasons = set()
    for x in range(1, 9):  # about half of all x have no point
        fields = fields_of(sign(ALICE, TYPED))
        fields[-2] = bytes((x,))
        try:
            decode(b"\2" + oracle.encode(fields)).sender()
        except Refusal as error:
            reasons.add(error.reason)
    assert reasons == {"BAD_SIGNATURE"}


def test_a_legacy_v_must_mean_something() -> None:
    fields = oracle.decode(sign(ALICE, LEGACY))
    for v in (b"", b"\1", b"\x1a", b"\x1d", b"\x22"):
        fields[6] = v
        assert refused(oracle.encode(fields)).reason == "BAD_SIGNATURE"


@pytest.mark.parametrize(
    ("position", "value", "words"),
    [
        (1, b"\0\3", "nonce 0x0003 has leading zeros"),
        (1, b"\1" + bytes(8), "nonce needs 65 bits"),
        (4, b"\1" + bytes(8), "gas needs 65 bits"),
        (3, b"\1" + bytes(32), "maxFeePerGas needs 257 bits"),
        (5, b"\1" * 19, "to has 19 bytes"),
        (5, b"\1" * 21, "to has 21 bytes"),
        (7, [b""], "data is a list"),
        (8, b"\1", "accessList is not a list"),
        (8, [[b"\1" * 20]], "accessList[0] is not a list of address, storageKeys"),
        (8, [[b"\1" * 19, []]], "accessList.address has 19 bytes"),
        (8, [[b"\1" * 20, [b"\1" * 31]]], "not of 32 bytes"),
        (8, [[b"\1" * 20, b"\1"]], "accessList.storageKeys is not a list"),
        (8, [[b"\1" * 20, [[b"\1"]]]], "not of 32 bytes"),
    ],
)
def test_fields_that_do_not_fit_are_named(position: int, value: Any, words: str) -> None:
    fields = fields_of(sign(ALICE, TYPED))
    fields[position] = value
    error = refused(b"\2" + oracle.encode(fields))
    assert error.reason == "MALFORMED"
    assert words in error.message


def test_set_code_needs_a_recipient_and_an_authorization() -> None:
    authorization = CAROL.sign_authorization({"chainId": 0, "address": "0x" + "44" * 20, "nonce": 9})
    fields = fields_of(sign(ALICE, {**TYPED, "type": 4, "authorizationList": [authorization]}))
    assert "is empty" in refused(b"\4" + oracle.encode([*fields[:9], [], *fields[10:]])).message
    assert "`to` is empty" in refused(b"\4" + oracle.encode([*fields[:5], b"", *fields[6:]])).message
    short = [*fields[:9], [fields[9][0][:5]], *fields[10:]]
    assert "authorizationList[0]" in refused(b"\4" + oracle.encode(short)).message


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00",
        b"\x05\xc0",
        b"\x7f",
        b"\x80",
        b"\x02",
        b"\x02\x80",
        b"\xc0",
        b"\xf8",
        b"\xf8\x00",
        b"\xff" * 9,
        b"\xc1" * 40,
        b"\x02" + b"\xc1" * 40 + b"\xc0",
    ],
)
def test_bytes_that_are_no_transaction(raw: bytes) -> None:
    assert refused(raw).reason == "MALFORMED"


def test_trailing_bytes_are_refused() -> None:
    for raw in (sign(ALICE, TYPED), sign(ALICE, LEGACY)):
        assert "follow after" in refused(raw + b"\0").message
        assert refused(raw[:-1]).reason == "MALFORMED"


def test_lists_nested_without_end_are_refused_and_no_fault() -> None:
    body = b"\xc0"
    while len(body) < 100_000:
        body = _wrap(body)
    assert "nested deeper" in refused(b"\2" + body).message


def _wrap(body: bytes) -> bytes:
    size = len(body)
    if size <= 55:
        return bytes((0xC0 + size,)) + body
    encoded = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0xF7 + len(encoded),)) + encoded + body


def test_a_transaction_may_have_128_kib() -> None:
    raw = sign(ALICE, {**TYPED, "data": bytes(131_072)})
    assert refused(raw).reason == "SIZE"
    surplus = len(raw) - 131_072
    assert decode(sign(ALICE, {**TYPED, "data": bytes(131_072 - surplus)})).nonce == 3
