"""Admission: who gets in, who does not and why, and what the mempool is told."""

from __future__ import annotations

from typing import Any

import pytest

from unit.evm.bytecode import COUNTER, deploy
from unit.evm.sandbox import (
    ALICE,
    BOB,
    CAROL,
    CHAIN_ID,
    COIN,
    GAS_LIMIT,
    GWEI,
    NAMESPACE,
    DictReader,
    Sandbox,
    address_of,
    sign,
)
from vessel.container import BlockState, ValidationRequest, ledger_key
from vessel.primitives.units import Height
from vessel_evm.keccak import keccak
from vessel_evm.layout import Account

ALICE_ADDRESS = address_of(ALICE)


def test_what_the_mempool_is_told() -> None:
    box = Sandbox()
    counter = box.deploy(deploy(COUNTER))
    raw = box.sign(ALICE, to=counter, nonce=5)
    (check,) = box.admit(raw)
    assert check.accepted
    assert check.id == keccak(raw)
    assert check.sender == check.prepared == ALICE_ADDRESS
    assert (check.sequence, check.next_sequence) == (5, 1)
    base_fee = int(box.answer("base_fee")["baseFee"], 16)
    assert check.bid == base_fee + GWEI
    assert check.gas_limit == 200_000
    assert set(check.hint.keys) == {
        box.layout.account(ALICE_ADDRESS),
        ledger_key(ALICE_ADDRESS),
        box.layout.account(counter),
        ledger_key(counter),
        box.layout.code(keccak(COUNTER)),
    }


def test_the_bid_is_no_more_than_the_cap() -> None:
    box = Sandbox()
    (check,) = box.admit(box.sign(ALICE, maxFeePerGas=5, maxPriorityFeePerGas=1))
    assert check.accepted  # the base fee may fall
    assert check.bid == 5


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"chainId": 1}, "WRONG_CHAIN", f"for chain 1, this chain is {CHAIN_ID}"),
        ({"nonce": 0}, "NONCE_TOO_LOW", "the nonce is 0; the sender's next is 1"),
        ({"nonce": 2**64 - 1}, "NONCE_MAX", "2**64 - 1"),
        ({"value": 2_000 * COIN}, "INSUFFICIENT_FUNDS", "are missing"),
        ({"gas": 20_999}, "INTRINSIC_GAS_TOO_LOW", "at least 21000"),
        ({"gas": 21_400, "data": b"\1" * 20}, "INTRINSIC_GAS_TOO_LOW", "at least 21800"),
        ({"gas": 53_000, "to": None, "data": b"\1"}, "INTRINSIC_GAS_TOO_LOW", "at least 53018"),
        ({"gas": GAS_LIMIT + 1}, "GAS_LIMIT_ABOVE_BLOCK", str(GAS_LIMIT)),
        ({"maxPriorityFeePerGas": 11 * GWEI}, "TIP_ABOVE_FEE_CAP", "is above maxFeePerGas"),
        ({"to": None, "data": bytes(49_153), "gas": 10**6}, "INIT_CODE_TOO_LARGE", "at most 49152"),
    ],
)
def test_refusals_name_the_reason_and_the_mend(fields: dict[str, Any], reason: str, words: str) -> None:
    box = Sandbox()
    box.send(box.sign(ALICE))
    (check,) = box.admit(box.sign(ALICE, **fields))
    assert not check.accepted
    assert check.reason == reason
    assert words in check.message


def test_a_contract_cannot_send() -> None:
    box = Sandbox()
    box.apply(
        {
            box.layout.account(ALICE_ADDRESS): Account(code_hash=keccak(COUNTER)).encode(),
            box.layout.code(keccak(COUNTER)): COUNTER,
        }
    )
    raw = box.sign(ALICE)
    (check,) = box.admit(raw)
    assert check.reason == "SENDER_NOT_EOA"
    assert box.block(raw)[0].reason == "SENDER_NOT_EOA"


def test_an_account_that_delegates_can_send() -> None:
    box = Sandbox()
    code = b"\xef\x01\x00" + bytes(20)
    box.apply(
        {
            box.layout.account(ALICE_ADDRESS): Account(code_hash=keccak(code)).encode(),
            box.layout.code(keccak(code)): code,
        }
    )
    (check,) = box.admit(box.sign(ALICE))
    assert check.accepted, check.message


def test_a_batch_is_judged_one_by_one_in_one_crossing() -> None:
    box = Sandbox()
    raws = (b"junk", box.sign(ALICE), b"", box.sign(BOB, to=address_of(CAROL)), box.sign(ALICE, chainId=5))
    reader = DictReader(box.values)
    request = ValidationRequest(
        raw=raws, state_version=1, height=Height(1), time_ms=0, parent_section=box.section
    )
    checks = box.container.validate(request, BlockState(reader, NAMESPACE))
    assert [check.reason for check in checks] == ["MALFORMED", "", "MALFORMED", "", "WRONG_CHAIN"]
    assert [check.accepted for check in checks] == [False, True, False, True, False]
    assert [check.id for check in checks] == [keccak(raw) for raw in raws]
    assert reader.crossings == 1


def test_funds_cover_the_cap_and_the_value() -> None:
    box = Sandbox()
    needed = 21_000 * 10 * GWEI + 3
    box.give(ALICE_ADDRESS, needed)
    (enough,) = box.admit(box.sign(ALICE, gas=21_000, value=3))
    assert enough.accepted
    (short,) = box.admit(box.sign(ALICE, gas=21_000, value=4))
    assert short.reason == "INSUFFICIENT_FUNDS"
    assert f"has {needed}, needed are {needed + 1}" in short.message
    assert "1 are missing" in short.message


def test_a_legacy_transaction_without_chain_id_is_taken() -> None:
    box = Sandbox()
    (check,) = box.admit(
        sign(
            ALICE,
            {"nonce": 0, "gasPrice": GWEI, "gas": 21_000, "to": address_of(BOB), "value": 0, "data": b""},
        )
    )
    assert check.accepted
