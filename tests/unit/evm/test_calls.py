"""Views: calls, estimates and queries leave no trace and say what would be."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from unit.evm.bytecode import BURN_GAS, COUNTER, EMITTER, STORE_INPUT, asm, deploy, return_word, revert_with
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
)
from vessel.container import BlockState, Call, Mode, Status, ViewRequest
from vessel.primitives.units import Address, Coin
from vessel_evm.keccak import EMPTY_CODE_HASH, keccak

ALICE_ADDRESS = address_of(ALICE)
NOBODY = Address(b"\x77" * 20)


def test_a_call_returns_and_leaves_no_trace() -> None:
    box = Sandbox()
    contract = box.deploy(deploy(asm(1, 0, "SSTORE") + return_word("CALLER")))
    before = dict(box.values)
    result = box.call(contract, sender=NOBODY)
    assert result.status is Status.OK
    assert result.output == bytes(12) + NOBODY
    assert result.gas_used > 21_000
    assert box.values == before


def test_a_free_call_needs_no_coin_and_sees_the_base_fee() -> None:
    box = Sandbox()
    contract = box.deploy(deploy(return_word("BASEFEE")))
    result = box.call(contract, sender=NOBODY)
    assert int.from_bytes(result.output, "big") == int(box.answer("base_fee")["baseFee"], 16)
    price = box.deploy(deploy(return_word("GASPRICE")))
    assert box.call(price, sender=NOBODY).output == bytes(32)
    paid = box.call(price, options={"gasPrice": hex(3 * GWEI)})
    assert int.from_bytes(paid.output, "big") == 3 * GWEI


def test_a_call_returns_logs() -> None:
    box = Sandbox()
    emitter = box.deploy(deploy(EMITTER))
    assert [log.address for log in box.call(emitter).logs] == [emitter]


def test_a_call_that_creates_returns_the_code() -> None:
    box = Sandbox()
    assert box.call(b"", deploy(COUNTER)).output == COUNTER


def test_a_call_that_reverts_says_why() -> None:
    box = Sandbox()
    data = bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big")
    contract = box.deploy(deploy(revert_with(data)[:-5] + asm(36, 0, "REVERT")))
    result = box.call(contract)
    assert (result.status, result.reason, result.output) == (Status.REVERTED, "REVERTED", data)
    assert result.message == "reverted: panic 0x11 (arithmetic overflow or underflow)"


def test_a_call_has_the_gas_of_a_block_at_most() -> None:
    box = Sandbox()
    contract = box.deploy(deploy(return_word("GAS")))
    for asked in (0, GAS_LIMIT, 2**63):
        left = int.from_bytes(box.call(contract, gas_limit=asked).output, "big")
        assert GAS_LIMIT - 21_010 < left < GAS_LIMIT - 21_000


def test_overrides_count() -> None:
    box = Sandbox()
    state = BlockState(
        DictReader(box.values),
        NAMESPACE,
        overrides={
            box.layout.account(NOBODY): (1).to_bytes(8, "big") + bytes(4) + keccak(COUNTER),
            box.layout.code(keccak(COUNTER)): return_word(42),
        },
    )
    request = ViewRequest(start=box.start(mode=Mode.VIEW), call=Call(to=NOBODY))
    assert int.from_bytes(box.container.view(request, state).output, "big") == 42


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"value": 1}, "INSUFFICIENT_FUNDS"),
        ({"options": {"gasPrice": 1}}, "FEE_CAP_BELOW_BASE_FEE"),
        ({"options": {"gasPrice": GWEI}, "gas_limit": 21_000}, "INSUFFICIENT_FUNDS"),
        ({"gas_limit": 20_000}, "INTRINSIC_GAS_TOO_LOW"),
        ({"sender": b"\1" * 19}, "MALFORMED"),
        ({"options": {"gasprice": 1}}, "BAD_OPTIONS"),
        ({"options": {"gasPrice": "1_0"}}, "BAD_OPTIONS"),
        ({"options": {"gasPrice": "cheap"}}, "BAD_OPTIONS"),
        ({"options": {"gasPrice": 1, "maxFeePerGas": 1}}, "BAD_OPTIONS"),
        ({"options": {"maxFeePerGas": 1, "maxPriorityFeePerGas": 2}}, "BAD_OPTIONS"),
        ({"options": {"accessList": [{"address": "0x12"}]}}, "BAD_OPTIONS"),
    ],
)
def test_a_call_that_cannot_be_is_invalid(fields: dict[str, Any], reason: str) -> None:
    box = Sandbox()
    result = box.call(NOBODY, **{"sender": NOBODY, **fields})
    assert (result.status, result.reason) == (Status.INVALID, reason)
    assert result.message


def test_an_access_list_and_authorizations_of_a_call_are_used() -> None:
    box = Sandbox()
    counter = box.deploy(deploy(return_word(7)))
    entry = {"address": "0x" + counter.hex(), "storageKeys": ["0x0"]}
    plain = box.call(counter).gas_used
    assert box.call(counter, options={"accessList": [entry]}).gas_used == plain + 2_400 + 1_900
    signed: Any = CAROL.sign_authorization({"chainId": CHAIN_ID, "address": counter, "nonce": 0})
    authorization = {
        "chainId": signed.chain_id,
        "address": "0x" + counter.hex(),
        "nonce": signed.nonce,
        "yParity": signed.y_parity,
        "r": hex(signed.r),
        "s": hex(signed.s),
    }
    result = box.call(address_of(CAROL), options={"authorizationList": [authorization]})
    assert int.from_bytes(result.output, "big") == 7


# ---- estimates


def test_a_transfer_takes_21000() -> None:
    box = Sandbox()
    result = box.call(NOBODY, estimate=True, value=Coin(1))
    assert (result.status, result.gas_used) == (Status.OK, 21_000)


@pytest.mark.parametrize(
    ("runtime", "data"),
    [
        (COUNTER, b""),
        (STORE_INPUT, (5).to_bytes(32, "big")),
        (STORE_INPUT, bytes(32)),  # clears a slot: what comes back afterwards is needed before
        (asm(0, 0, 0, 0, 9, bytes(19) + b"\x66", "GAS CALL", 0, "MSTORE", 32, 0, "RETURN"), b""),
        (EMITTER, b"\1" * 500),  # below the floor of its input
    ],
    ids=["counter", "store", "clear", "call with value", "floor"],
)
def test_an_estimate_is_the_least_that_succeeds(runtime: bytes, data: bytes) -> None:
    box = Sandbox()
    contract = box.deploy(deploy(runtime, before=asm(1, 0, "SSTORE")))
    box.give(contract, 100)
    estimate = box.call(contract, data, estimate=True).gas_used
    assert box.call(contract, data, gas_limit=estimate).status is Status.OK
    assert box.call(contract, data, gas_limit=estimate - 1).status is not Status.OK
    assert box.send(box.sign(ALICE, to=contract, data=data, gas=estimate)).status is Status.OK


def test_an_estimate_covers_what_a_callee_of_a_callee_needs() -> None:
    box = Sandbox()
    counter = box.deploy(deploy(COUNTER))
    # Reverts where the call failed, so that too little gas shows.
    outer = box.deploy(
        deploy(asm(0, 0, 0, 0, 0, counter, "GAS CALL", 41, "JUMPI", 0, 0, "REVERT JUMPDEST STOP"))
    )
    code = box.code(outer)
    assert code[41:42] == b"\x5b"
    estimate = box.call(outer, estimate=True).gas_used
    used = box.send(box.sign(ALICE, to=outer, gas=estimate)).gas_used
    assert used < estimate


def test_an_estimate_of_what_always_fails_says_how() -> None:
    box = Sandbox()
    reverter = box.deploy(deploy(revert_with(b"\xaa\xbb\xcc\xdd")))
    result = box.call(reverter, estimate=True)
    assert result.status is Status.REVERTED
    assert result.output[:4] == b"\xaa\xbb\xcc\xdd"
    assert "custom error 0xaabbccdd" in result.message
    loop = box.deploy(deploy(BURN_GAS))
    burnt = box.call(loop, estimate=True, gas_limit=100_000)
    assert burnt.status is Status.OUT_OF_GAS
    assert "more than 100000 gas" in burnt.message


def test_an_estimate_looks_at_the_senders_coin_where_there_is_a_price() -> None:
    box = Sandbox()
    counter = box.deploy(deploy(COUNTER))
    box.give(NOBODY, 30_000 * GWEI)
    result = box.call(counter, estimate=True, sender=NOBODY, options={"maxFeePerGas": GWEI})
    assert result.status is Status.OUT_OF_GAS
    box.give(NOBODY, COIN)
    assert box.call(counter, estimate=True, sender=NOBODY, options={"maxFeePerGas": GWEI}).status is Status.OK


# ---- queries


def test_queries_of_an_account() -> None:
    box = Sandbox()
    contract = box.deploy(deploy(COUNTER, before=asm(9, 5, "SSTORE")), value=6)
    address = "0x" + contract.hex()
    assert box.answer("account", address=address) == {
        "nonce": "0x1",
        "balance": "0x6",
        "codeHash": "0x" + keccak(COUNTER).hex(),
        "codeSize": hex(len(COUNTER)),
    }
    assert box.answer("code", address=address) == {"code": "0x" + COUNTER.hex()}
    assert box.answer("nonce", address=address) == {"nonce": "0x1"}
    assert box.answer("storage", address=address, slot="0x5") == {"value": "0x" + "00" * 31 + "09"}
    assert box.answer("storage", address=address, slot=6) == {"value": "0x" + "00" * 32}


def test_queries_of_nobody() -> None:
    box = Sandbox()
    assert box.answer("account", address="0x" + NOBODY.hex()) == {
        "nonce": "0x0",
        "balance": "0x0",
        "codeHash": "0x" + EMPTY_CODE_HASH.hex(),
        "codeSize": "0x0",
    }
    assert box.answer("code", address="0x" + NOBODY.hex()) == {"code": "0x"}


def test_queries_of_the_chain() -> None:
    box = Sandbox()
    assert box.answer("chain") == {"chainId": hex(CHAIN_ID), "fork": "prague", "gasLimit": hex(GAS_LIMIT)}
    announced = int(box.answer("base_fee")["baseFee"], 16)
    box.send(box.sign(BOB))
    assert box.section.base_fee == announced


def test_queries_that_have_no_answer() -> None:
    box = Sandbox()
    unknown = box.query("tables")
    assert (unknown.status, unknown.reason) == (Status.INVALID, "UNKNOWN_METHOD")
    assert "account, base_fee, chain, code, nonce, storage" in unknown.message
    for method, parameters in (
        ("account", {}),
        ("account", {"address": "0x12"}),
        ("account", {"address": 5}),
        ("account", {"address": "0x" + "zz" * 20}),
        ("account", {"address": "0x" + "00" * 20, "block": 1}),
        ("storage", {"address": "0x" + "00" * 20}),
        ("storage", {"address": "0x" + "00" * 20, "slot": "five"}),
        ("storage", {"address": "0x" + "00" * 20, "slot": 2**256}),
    ):
        result = box.query(method, **parameters)
        assert (result.status, result.reason) == (Status.INVALID, "BAD_PARAMETERS"), method
        assert method in result.message
    assert json.loads(msgspec.json.encode(box.answer("chain")))["fork"] == "prague"
