"""Blocks: transactions of each type, what they write, what they cost, and how they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from unit.evm.bytecode import (
    BURN_GAS,
    COUNTER,
    EMITTER,
    RECURSE,
    STORE_INPUT,
    asm,
    deploy,
    return_word,
    revert_with,
)
from unit.evm.sandbox import (
    ALICE,
    BOB,
    CAROL,
    CHAIN_ID,
    COIN,
    GAS_LIMIT,
    GWEI,
    PROPOSER,
    RANDOMNESS,
    Sandbox,
    address_of,
    batch,
    sign,
)
from vessel.container import ContainerError, Log, Status, encode_balance, ledger_key
from vessel.errors import StorageError
from vessel.primitives.units import Address
from vessel_evm.keccak import keccak

ALICE_ADDRESS = address_of(ALICE)
FREE: dict[str, Any] = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}

DeepStack = Callable[[Callable[[], None]], None]
BOB_ADDRESS = address_of(BOB)


def test_a_transfer_moves_coin_and_pays_for_gas() -> None:
    box = Sandbox()
    before = box.all_coin()
    raw = box.sign(ALICE, value=5, gas=21_000)
    result = box.send(raw)
    base_fee = box.section.base_fee
    assert base_fee == 875_000_000  # an eighth below the genesis: block 0 was empty
    assert result.status is Status.OK
    assert result.gas_used == 21_000
    assert result.burned == 21_000 * base_fee
    assert result.id == keccak(raw)
    assert result.sender == ALICE_ADDRESS
    assert result.tags == (ALICE_ADDRESS, BOB_ADDRESS)
    assert box.balance(ALICE_ADDRESS) == 1_000 * COIN - 5 - 21_000 * (base_fee + GWEI)
    assert box.balance(BOB_ADDRESS) == 1_000 * COIN + 5
    assert box.balance(PROPOSER) == 21_000 * GWEI
    assert box.nonce(ALICE_ADDRESS) == 1
    assert before - box.all_coin() == result.burned
    assert json.loads(result.details) == {
        "type": "0x2",
        "to": "0x" + BOB_ADDRESS.hex(),
        "contractAddress": None,
        "effectiveGasPrice": hex(base_fee + GWEI),
        "cumulativeGasUsed": "0x5208",
        "nonce": "0x0",
        "value": "0x5",
    }
    assert len(result.writes) == 4  # two balances and the proposer's, one record


@pytest.mark.parametrize(
    "fields",
    [
        {"gasPrice": 3 * GWEI, "chainId": CHAIN_ID},
        {"gasPrice": 3 * GWEI},
        {
            "type": 1,
            "gasPrice": 3 * GWEI,
            "chainId": CHAIN_ID,
            "accessList": [{"address": "0x" + "22" * 20, "storageKeys": ["0x" + "00" * 32]}],
        },
        {"type": 2, "maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": 3 * GWEI, "chainId": CHAIN_ID},
    ],
    ids=["legacy", "legacy without chain id", "access list", "dynamic fee"],
)
def test_every_type_runs(fields: dict[str, object]) -> None:
    box = Sandbox()
    raw = sign(ALICE, {"nonce": 0, "gas": 50_000, "to": BOB_ADDRESS, "value": 1, "data": b"", **fields})
    (check,) = box.admit(raw)
    assert check.accepted, check.message
    result = box.send(raw)
    assert result.status is Status.OK
    assert result.gas_used == (25_300 if "accessList" in fields else 21_000)
    assert json.loads(result.details)["effectiveGasPrice"] == hex(3 * GWEI)
    assert json.loads(result.details)["type"] == hex(fields.get("type", 0))  # type: ignore[arg-type]


def test_an_authorization_lends_code_to_an_account() -> None:
    box = Sandbox()
    counter = box.deploy(deploy(COUNTER))
    authorization = CAROL.sign_authorization({"chainId": CHAIN_ID, "address": counter, "nonce": 0})
    raw = box.sign(ALICE, type=4, to=address_of(CAROL), authorizationList=[authorization], gas=200_000)
    result = box.send(raw)
    assert result.status is Status.OK
    assert box.code(address_of(CAROL)) == b"\xef\x01\x00" + counter
    assert box.nonce(address_of(CAROL)) == 1
    assert box.slot(address_of(CAROL), 0) == 1
    assert box.slot(counter, 0) == 0
    # 21000 + 25000 for the authorization + 26 to push, load and add + 22100 for the slot, less 12500 of
    # which no more than a fifth of all would come back
    assert result.gas_used == 21_000 + 25_000 + 2_100 + 20_000 + 3 * 4 - 12_500

    # An account that delegates is still one that sends (EIP-3607).
    assert box.send(box.sign(CAROL)).status is Status.OK
    # And delegating to nobody ends it.
    end = CAROL.sign_authorization({"chainId": 0, "address": "0x" + "00" * 20, "nonce": 2})
    box.send(box.sign(ALICE, type=4, authorizationList=[end]))
    assert box.code(address_of(CAROL)) == b""
    assert box.nonce(address_of(CAROL)) == 3


def test_authorizations_that_do_not_hold_are_passed_over() -> None:
    box = Sandbox()
    wrong_chain = CAROL.sign_authorization({"chainId": 5, "address": "0x" + "44" * 20, "nonce": 0})
    wrong_nonce = CAROL.sign_authorization({"chainId": 0, "address": "0x" + "44" * 20, "nonce": 7})
    result = box.send(box.sign(ALICE, type=4, authorizationList=[wrong_chain, wrong_nonce]))
    assert result.status is Status.OK
    assert result.gas_used == 21_000 + 2 * 25_000
    assert box.nonce(address_of(CAROL)) == 0


def test_creation_leaves_code_and_no_output() -> None:
    box = Sandbox()
    result = box.send(box.sign(ALICE, to=None, data=deploy(COUNTER), gas=200_000, value=3))
    created = bytes.fromhex(json.loads(result.details)["contractAddress"][2:])
    assert result.status is Status.OK
    assert result.output == b""
    assert result.tags == (ALICE_ADDRESS, created)
    assert box.code(created) == COUNTER
    assert box.nonce(created) == 1
    assert box.balance(created) == 3
    # The same code a second time is not written again.
    again = box.send(box.sign(ALICE, to=None, data=deploy(COUNTER), gas=200_000))
    assert box.layout.code(keccak(COUNTER)) in result.writes
    assert box.layout.code(keccak(COUNTER)) not in again.writes


def test_create2_lands_where_it_says_and_collides_the_second_time() -> None:
    box = Sandbox()
    init = deploy(COUNTER)
    factory = box.deploy(
        deploy(
            asm("CALLDATASIZE", 0, 0, "CALLDATACOPY", 0x77, "CALLDATASIZE", 0, 0, "CREATE2", 0, "SSTORE STOP")
        )
    )
    expected = keccak(b"\xff" + factory + (0x77).to_bytes(32, "big") + keccak(init))[12:]
    box.send(box.sign(ALICE, to=factory, data=init, gas=500_000))
    assert box.slot(factory, 0) == int.from_bytes(expected, "big")
    assert box.code(expected) == COUNTER
    assert box.nonce(factory) == 2
    box.send(box.sign(ALICE, to=factory, data=init, gas=500_000))
    assert box.slot(factory, 0) == 0
    assert box.nonce(factory) == 3


def test_storage_is_written_changed_and_cleared() -> None:
    box = Sandbox()
    store = box.deploy(deploy(STORE_INPUT))
    key = box.layout.slot(store, 0, 0)
    first = box.send(box.sign(ALICE, to=store, data=(2**200).to_bytes(32, "big")))
    assert first.writes[key] == (2**200).to_bytes(26, "big")
    same = box.send(box.sign(ALICE, to=store, data=(2**200).to_bytes(32, "big")))
    assert key not in same.writes
    cleared = box.send(box.sign(ALICE, to=store, data=bytes(32)))
    assert cleared.writes[key] is None
    # 21000 + 4 × 32 + 3 + 3 + 3 + 2 (PUSH0 is 2; `asm` pushes zero with PUSH1) + 5000, less 4800
    assert cleared.gas_used < same.gas_used + 5_000


def test_logs_come_with_topics_and_data() -> None:
    box = Sandbox()
    emitter = box.deploy(deploy(EMITTER))
    result = box.send(box.sign(ALICE, to=emitter))
    assert result.logs == (
        Log(
            address=emitter,
            topics=((9).to_bytes(32, "big"), (7).to_bytes(32, "big")),
            data=(0xCAFE).to_bytes(32, "big"),
        ),
    )


def test_a_revert_keeps_its_data_and_pays_for_gas() -> None:
    box = Sandbox()
    data = bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (7).to_bytes(32, "big") + b"no luck"
    reverter = box.deploy(deploy(asm(1, 0, "SSTORE") + EMITTER[:-1] + revert_with(data.ljust(100, b"\0"))))
    result = box.send(box.sign(ALICE, to=reverter, value=9))
    assert result.status is Status.REVERTED
    assert result.output == data.ljust(100, b"\0")
    assert result.message == "reverted: no luck"
    assert result.logs == ()
    assert box.slot(reverter, 0) == 0
    assert box.balance(reverter) == 0
    assert 21_000 < result.gas_used < 200_000
    assert box.nonce(ALICE_ADDRESS) == 2


@pytest.mark.parametrize(
    ("runtime", "status"),
    [
        (BURN_GAS, Status.OUT_OF_GAS),
        (asm("INVALID"), Status.TRAP),
        (b"\x0c", Status.TRAP),
        (asm("ADD"), Status.TRAP),
        (asm(5, "JUMP"), Status.TRAP),
        (asm(2**255, 0, "RETURN"), Status.OUT_OF_GAS),
    ],
    ids=["loop", "invalid", "undefined", "stack", "jump", "memory"],
)
def test_a_halt_takes_all_gas(runtime: bytes, status: Status) -> None:
    box = Sandbox()
    contract = box.deploy(deploy(runtime))
    result = box.send(box.sign(ALICE, to=contract, gas=60_000))
    assert result.status is status
    assert result.gas_used == 60_000
    assert result.output == b""
    assert result.message


@pytest.mark.parametrize(
    ("init_code", "status"),
    [
        (deploy(b"\xef\x00"), Status.TRAP),
        (asm(24_577, 0, "RETURN"), Status.OUT_OF_GAS),
        (asm("INVALID"), Status.TRAP),
        (revert_with(b"abcd"), Status.REVERTED),
    ],
    ids=["reserved byte", "too large", "invalid", "revert"],
)
def test_a_failed_creation_leaves_nothing(init_code: bytes, status: Status) -> None:
    box = Sandbox()
    result = box.send(box.sign(ALICE, to=None, data=init_code, gas=8_000_000, value=1))
    assert result.status is status
    assert json.loads(result.details)["contractAddress"] is None
    assert set(result.writes) == {
        ledger_key(ALICE_ADDRESS),
        ledger_key(PROPOSER),
        box.layout.account(ALICE_ADDRESS),
    }


def test_what_a_contract_learns_of_its_block() -> None:
    words = [
        "NUMBER",
        "TIMESTAMP",
        "COINBASE",
        "PREVRANDAO",
        "GASLIMIT",
        "CHAINID",
        "BASEFEE",
        "GASPRICE",
        "ORIGIN",
    ]
    code = b"".join(asm(word, 32 * i, "MSTORE") for i, word in enumerate(words))
    box = Sandbox()
    contract = box.deploy(deploy(code + asm(32 * len(words), 0, "RETURN")))
    result = box.send(box.sign(ALICE, to=contract))
    seen = [int.from_bytes(result.output[i : i + 32], "big") for i in range(0, len(result.output), 32)]
    base_fee = box.section.base_fee
    assert dict(zip(words, seen, strict=True)) == {
        "NUMBER": 2,
        "TIMESTAMP": 1_700_000_003,
        "COINBASE": int.from_bytes(PROPOSER, "big"),
        "PREVRANDAO": int.from_bytes(RANDOMNESS, "big"),
        "GASLIMIT": GAS_LIMIT,
        "CHAINID": CHAIN_ID,
        "BASEFEE": base_fee,
        "GASPRICE": base_fee + GWEI,
        "ORIGIN": int.from_bytes(ALICE_ADDRESS, "big"),
    }


def test_blockhash_reaches_what_there_is() -> None:
    box = Sandbox()
    contract = box.deploy(deploy(return_word(0, "CALLDATALOAD BLOCKHASH")))

    def ask(number: int) -> bytes:
        return box.call(contract, number.to_bytes(32, "big")).output

    assert ask(1) == box.recent_ids[0]
    assert ask(0) == box.recent_ids[1]
    assert ask(2) == bytes(32)
    assert ask(2**255) == bytes(32)


def test_transient_storage_ends_with_the_transaction() -> None:
    box = Sandbox()
    # Stores what is in transient slot 0 in slot 0, then sets transient slot 0.
    contract = box.deploy(deploy(asm(0, "TLOAD", 0, "SSTORE", 5, 0, "TSTORE STOP")))
    nonce = box.nonce(ALICE_ADDRESS)
    box.block(box.sign(ALICE, to=contract, nonce=nonce), box.sign(ALICE, to=contract, nonce=nonce + 1))
    assert box.slot(contract, 0) == 0


def test_later_transactions_see_earlier_ones() -> None:
    box = Sandbox()
    counter = box.deploy(deploy(COUNTER))
    results = box.block(*(box.sign(ALICE, to=counter, nonce=1 + i, gas=100_000) for i in range(3)))
    assert [result.status for result in results] == [Status.OK] * 3
    assert [result.index for result in results] == [0, 1, 2]
    assert box.slot(counter, 0) == 3
    cumulative = [int(json.loads(result.details)["cumulativeGasUsed"], 16) for result in results]
    assert cumulative[-1] == sum(result.gas_used for result in results) == box.section.gas_used


def test_what_does_not_fit_the_state_is_left_out_and_the_rest_goes_on() -> None:
    box = Sandbox()
    box.send(box.sign(ALICE))
    results = box.block(
        box.sign(ALICE, nonce=0),
        box.sign(ALICE, nonce=9),
        box.sign(ALICE, value=5_000 * COIN),
        box.sign(ALICE, maxFeePerGas=1, maxPriorityFeePerGas=1),
        b"\x02\xc0",
        box.sign(ALICE, gas=GAS_LIMIT + 1, maxFeePerGas=GWEI),
        box.sign(ALICE),
    )
    assert [result.reason for result in results] == [
        "NONCE_TOO_LOW",
        "NONCE_TOO_HIGH",
        "INSUFFICIENT_FUNDS",
        "FEE_CAP_BELOW_BASE_FEE",
        "MALFORMED",
        "GAS_LIMIT_ABOVE_BLOCK",
        "",
    ]
    assert [result.included for result in results] == [False] * 6 + [True]
    assert all(result.fits for result in results)
    assert "the nonce is 0; the sender's next is 1" in results[0].message


def test_the_first_that_does_not_fit_ends_the_batch() -> None:
    box = Sandbox(gas_limit=100_000)
    results = box.block(
        box.sign(ALICE, nonce=0, gas=60_000),
        box.sign(ALICE, nonce=1, gas=80_000),
        box.sign(ALICE, nonce=1, gas=21_000),
    )
    assert [(r.included, r.fits, r.reason) for r in results] == [
        (True, True, ""),
        (False, False, "BLOCK_FULL"),
    ]
    assert "79000 is left" in results[1].message


def test_gas_available_is_what_the_batch_before_left() -> None:
    box = Sandbox(gas_limit=100_000)
    execution, _, _ = box.open()
    (first,) = execution.transactions(batch(box.sign(ALICE, nonce=0, gas=60_000), gas_available=70_000))
    assert first.included
    (second,) = execution.transactions(batch(box.sign(ALICE, nonce=1, gas=50_000), first_index=1))
    assert (second.included, second.reason) == (False, "BLOCK_FULL")


def test_the_base_fee_follows_the_gas_used() -> None:
    box = Sandbox(gas_limit=100_000)
    box.section = msgspec.structs.replace(box.section, gas_used=100_000, base_fee=GWEI)
    box.send(box.sign(ALICE, gas=21_000))
    assert box.section.base_fee == GWEI + GWEI // 8
    box.section = msgspec.structs.replace(box.section, gas_used=50_000, base_fee=GWEI)
    box.send(box.sign(ALICE, gas=21_000))
    assert box.section.base_fee == GWEI


def test_a_free_chain_burns_nothing() -> None:
    box = Sandbox({"initial_base_fee": 0})
    result = box.send(box.sign(ALICE, **FREE, gas=21_000))
    assert result.burned == 0
    assert box.balance(PROPOSER) == 0


def test_an_account_that_ends_up_empty_has_no_entry() -> None:
    box = Sandbox({"initial_base_fee": 0})
    # A contract that hands on what it is sent: its callee is touched with nothing.
    touch = box.deploy(
        deploy(asm(0, 0, 0, 0, 0, bytes(19) + b"\x99", "GAS CALL STOP")),
        maxFeePerGas=0,
        maxPriorityFeePerGas=0,
    )
    result = box.send(box.sign(ALICE, to=touch, **FREE))
    assert set(result.writes) == {box.layout.account(ALICE_ADDRESS)}
    # An account without record whose whole coin leaves is gone from the ledger too.
    from_key = CAROL
    box.give(address_of(from_key), 7)
    sent = box.send(box.sign(from_key, value=7, **FREE, gas=21_000))
    assert sent.writes[ledger_key(address_of(from_key))] is None


def test_self_destruction_in_the_transaction_of_creation_burns_and_leaves_nothing() -> None:
    box = Sandbox()
    before = box.all_coin()
    init = asm(3, 1, "SSTORE", "ADDRESS SELFDESTRUCT")
    result = box.send(box.sign(ALICE, to=None, data=init, value=11, gas=200_000))
    created = bytes.fromhex(json.loads(result.details)["contractAddress"][2:])
    assert result.status is Status.OK
    assert result.burned == 11 + result.gas_used * box.section.base_fee
    assert before - box.all_coin() == result.burned
    assert not any(created in key for key in box.values)


def test_self_destruction_later_only_moves_the_coin() -> None:
    box = Sandbox()
    contract = box.deploy(deploy(asm(bytes(19) + b"\x55", "SELFDESTRUCT")), value=40)
    box.send(box.sign(ALICE, to=contract))
    assert box.balance(bytes(19) + b"\x55") == 40
    assert box.balance(contract) == 0
    assert box.code(contract)
    # Naming itself, it keeps the coin (EIP-6780).
    selfish = box.deploy(deploy(asm("ADDRESS SELFDESTRUCT")), value=40)
    result = box.send(box.sign(ALICE, to=selfish))
    assert box.balance(selfish) == 40
    assert result.burned == result.gas_used * box.section.base_fee


def test_a_proposer_may_send_and_receive() -> None:
    box = Sandbox()
    box.proposer = ALICE_ADDRESS
    before = box.balance(ALICE_ADDRESS)
    result = box.send(box.sign(ALICE, value=1))
    assert box.balance(ALICE_ADDRESS) == before - 1 - result.burned


def test_calls_a_thousand_deep_end_as_the_evm_says(deep_stack: DeepStack) -> None:
    """A call beyond depth 1,024 fails in its caller; it is not a RecursionError of the host."""

    def work() -> None:
        box = Sandbox({"initial_base_fee": 0}, gas_limit=10**16)
        # Each frame stores its depth and hands it on; the deepest comes last.
        code = asm(
            *(0, "CALLDATALOAD", 1, "ADD DUP1", 0, "MSTORE", 0, "SSTORE"),
            *(0, 0, 32, 0, 0, "ADDRESS GAS CALL STOP"),
        )
        contract = box.deploy(deploy(code), **FREE)
        result = box.send(box.sign(ALICE, to=contract, gas=10**15, **FREE))
        assert result.status is Status.OK
        assert box.slot(contract, 0) == 1_025

    deep_stack(work)


@pytest.mark.slow
def test_creations_a_thousand_deep_end_as_the_evm_says(deep_stack: DeepStack) -> None:
    """Frames of CREATE take the most of the host's stack; each of these writes a record too."""

    def work() -> None:
        box = Sandbox({"initial_base_fee": 0}, gas_limit=10**16)
        init = asm("CODESIZE", 0, 0, "CODECOPY CODESIZE", 0, 0, "CREATE STOP")
        result = box.send(box.sign(ALICE, to=None, data=init, gas=10**15, **FREE))
        assert result.status is Status.OK
        # The sender's record, and one of each contract: nonce 2 of all but the deepest.
        records = [value for key, value in result.writes.items() if key[2:3] == b"a"]
        assert len(records) == 1 + 1_025
        assert sorted(value[:8] for value in records if value is not None).count((1).to_bytes(8, "big")) == 2

    deep_stack(work)


def test_deep_recursion_in_the_gas_of_a_block_is_no_fault(deep_stack: DeepStack) -> None:
    def work() -> None:
        box = Sandbox()
        contract = box.deploy(deploy(RECURSE))
        assert box.send(box.sign(ALICE, to=contract, gas=GAS_LIMIT)).status is Status.OK

    deep_stack(work)


@pytest.mark.parametrize("crossing", range(1, 5))
def test_a_fault_while_reading_passes_through_and_poisons(crossing: int) -> None:
    box = Sandbox()
    counter = box.deploy(deploy(COUNTER))
    execution, reader, _ = box.open()
    reader.fault_at = reader.crossings + crossing
    if crossing == 4:  # it takes three: records and balances, code, the slot
        assert [result.included for result in execution.transactions(batch(box.sign(ALICE, to=counter)))]
        return
    with pytest.raises(StorageError, match="the disk is gone"):
        list(execution.transactions(batch(box.sign(ALICE, to=counter))))
    with pytest.raises(ContainerError, match="failed before"):
        execution.end()
    with pytest.raises(ContainerError, match="failed before"):
        list(execution.transactions(batch(box.sign(BOB))))


def test_a_fault_while_reading_an_authority_is_no_bad_authorization() -> None:
    box = Sandbox()
    authorization = CAROL.sign_authorization({"chainId": CHAIN_ID, "address": "0x" + "44" * 20, "nonce": 0})
    raw = box.sign(ALICE, type=4, authorizationList=[authorization])
    execution, reader, _ = box.open()
    reader.fault_at = reader.crossings + 2  # the first fetches what the batch needs for certain
    with pytest.raises(StorageError):
        list(execution.transactions(batch(raw)))


def test_another_containers_coin_between_batches_counts() -> None:
    box = Sandbox()
    box.give(ALICE_ADDRESS, 0)
    raw = box.sign(ALICE, gas=21_000)
    execution, _, state = box.open()
    (poor,) = execution.transactions(batch(raw, gas_available=GAS_LIMIT))
    assert poor.reason == "INSUFFICIENT_FUNDS"
    state.keep({ledger_key(ALICE_ADDRESS): encode_balance(COIN)})
    (rich,) = execution.transactions(batch(raw, first_index=1))
    assert rich.included
    paid = 21_000 * int(json.loads(rich.details)["effectiveGasPrice"], 16)
    assert rich.writes[ledger_key(ALICE_ADDRESS)] == encode_balance(COIN - paid)


def test_prepared_or_not_the_result_is_the_same() -> None:
    box = Sandbox()
    raw = box.sign(ALICE, value=1)
    (check,) = box.admit(raw)
    plain = batch(raw)
    prepared = msgspec.structs.replace(
        plain, transactions=(msgspec.structs.replace(plain.transactions[0], prepared=check.prepared),)
    )
    results = [list(box.open()[0].transactions(b)) for b in (plain, prepared)]
    assert results[0] == results[1]


def test_an_ordinary_batch_needs_few_crossings() -> None:
    box = Sandbox()
    counter = box.deploy(deploy(COUNTER))
    execution, reader, _ = box.open()
    reader.crossings = 0
    results = list(
        execution.transactions(
            batch(*(box.sign(ALICE, to=counter, nonce=1 + i, gas=100_000) for i in range(10)))
        )
    )
    assert all(result.included for result in results)
    assert reader.crossings == 3  # records and balances, code, the slot


def test_predeploys_are_there_from_the_genesis() -> None:
    address = Address(bytes(18) + b"\x12\x34")
    box = Sandbox(
        {
            "predeploys": {
                "0x" + address.hex(): {
                    "code": "0x" + COUNTER.hex(),
                    "storage": {"0x0": "0x29", "0x1": 0},
                }
            }
        }
    )
    assert box.genesis.section.base_fee == GWEI
    assert box.genesis.section.gas_limit == GAS_LIMIT
    assert list(box.genesis.writes) == sorted(box.genesis.writes)
    assert len(box.genesis.writes) == 3
    assert box.nonce(address) == 1
    box.send(box.sign(ALICE, to=address))
    assert box.slot(address, 0) == 42


def test_code_size_limit_of_the_chain() -> None:
    big = deploy(b"\x00" * 30_000)
    small = Sandbox()
    assert small.send(small.sign(ALICE, to=None, data=big, gas=9_000_000)).status is Status.OUT_OF_GAS
    large = Sandbox({"code_size_limit": 40_000})
    result = large.send(large.sign(ALICE, to=None, data=big, gas=9_000_000))
    assert result.status is Status.OK
