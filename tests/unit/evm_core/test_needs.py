"""What the core lacks it asks for, and goes on where it was: with all known before, and with nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from unit.evm_core.stage import (
    COINBASE,
    NAMESPACE,
    OTHER,
    SENDER,
    SURROUNDINGS,
    TARGET,
    Reader,
    account,
    configuration,
    core,
    funded,
    message,
    open_block,
    same,
)
from vessel.container import BlockState, ContainerError, Status
from vessel.errors import StorageError
from vessel.primitives.units import Address
from vessel_evm.engine.core_input import pack_message
from vessel_evm.engine.core_machine import DONE, CoreMachine, CoreResult
from vessel_evm.engine.core_module import load_module
from vessel_evm.engine.interface import Message
from vessel_evm.keccak import keccak
from vessel_evm.transaction import Access, Authorization

FAR = Address(b"\xfa" * 20)
DELEGATED = Address(b"\xde" * 20)


def touch(opcode: str, address: Address) -> str:
    return "73" + address.hex() + opcode


# Touches everything that can be lacking, one after the other.
ALL_LACKS = bytes.fromhex(
    "60075460085560095c60095d"  # SLOAD, SSTORE, TLOAD, TSTORE
    + touch("31", OTHER)  # BALANCE
    + touch("3b", FAR)  # EXTCODESIZE
    + touch("3f", COINBASE)  # EXTCODEHASH
    + "602060005f"
    + touch("3c", DELEGATED)  # EXTCODECOPY
    + "5f5f5f5f6001"
    + touch("5af1", OTHER)  # CALL with value
    + "5f5f5f5f"
    + touch("5afa", DELEGATED)  # STATICCALL through a delegation
    + "5f5f5f5f"
    + touch("5af4", FAR)  # DELEGATECALL
    + "5f5f5ff0"  # CREATE
    + "60015f5f5ff5"  # CREATE2
    + "5f5f5f5f5f60025af1"  # SHA256
    + "47595f5fa1"  # SELFBALANCE, LOG1
    + touch("ff", Address(b"\x55" * 20))  # SELFDESTRUCT
)
ENTRIES = funded(
    account(TARGET, code=ALL_LACKS, balance=100, storage={7: 1, 8: 2}),
    account(OTHER, code=bytes.fromhex("600160025500"), balance=3),
    account(FAR, code=bytes.fromhex("5f545f5260205ff3"), storage={0: 5}),
    account(DELEGATED, code=b"\xef\x01\x00" + FAR),
    account(COINBASE, balance=1),
)
MESSAGES = [
    message(),
    message(access_list=(Access(address=OTHER, slots=(1, 2)), Access(address=FAR, slots=(0,)))),
    message(to=DELEGATED),
    message(ALL_LACKS, to=b""),
    message(to=Address(bytes(19) + b"\x02"), data=b"abc", value=7),
    message(
        authorizations=(
            Authorization(chain_id=0, address=FAR, nonce=0, y_parity=0, r=5, s=7),
            Authorization(chain_id=9, address=FAR, nonce=0, y_parity=0, r=5, s=7),
        ),
        gas=2_000_000,
    ),
]


def machine() -> CoreMachine:
    chain = configuration()
    made = CoreMachine(
        load_module(), fork="prague", namespace=NAMESPACE, code_size_limit=chain.code_size_limit
    )
    made.stand_in(SURROUNDINGS)
    made.empty()
    return made


def run(worker: CoreMachine, sent: Message, reader: Reader) -> tuple[CoreResult, list[bytes]]:
    """Return the result and every key that was asked for."""
    asked: list[bytes] = []

    def read(keys: Sequence[bytes]) -> list[bytes | None]:
        asked.extend(keys)
        return reader.multi_get(keys)

    packed = [pack_message(sent, SURROUNDINGS.chain_id)]
    status, results = worker.run(packed, read, gas_available=2**62, keep=False)
    assert status == DONE
    return results[0], asked


@pytest.mark.parametrize("sent", MESSAGES)
def test_a_cold_cache_and_a_warm_one_give_the_same(sent: Message) -> None:
    worker, reader = machine(), Reader(ENTRIES)
    cold, asked = run(worker, sent, reader)
    warm, asked_again = run(worker, sent, reader)
    assert cold == warm
    assert len(asked) > 3
    assert not asked_again


@pytest.mark.parametrize("sent", MESSAGES)
def test_in_a_batch_it_is_the_same_as_alone(sent: Message) -> None:
    alone = open_block(core(), ENTRIES)[0].run(sent)
    (batched,) = open_block(core(), ENTRIES)[0].run_batch([sent], 10**12, checked=True)
    same(batched, alone)


@pytest.mark.parametrize("sent", MESSAGES)
def test_a_failed_read_at_any_crossing_is_no_outcome(sent: Message) -> None:
    crossings = 0
    while True:
        crossings += 1
        reader = Reader(ENTRIES, fault_at=crossings)
        block = core().open(SURROUNDINGS, BlockState(reader, NAMESPACE))
        try:
            result = block.run(sent)
        except StorageError:
            continue
        break
    assert crossings >= 2
    same(result, open_block(core(), ENTRIES)[0].run(sent))


def test_a_failed_read_in_a_batch_leaves_no_machine_behind_that_is_wrong() -> None:
    engine = core("cancun")
    block = engine.open(SURROUNDINGS, BlockState(Reader(ENTRIES, fault_at=2), NAMESPACE))
    with pytest.raises(StorageError):
        block.run_batch([message(), message(nonce=1)], 10**12)
    fresh = engine.open(SURROUNDINGS, BlockState(Reader(ENTRIES), NAMESPACE))
    (ours,) = fresh.run_batch([message()], 10**12)
    same(ours, open_block(core("cancun"), ENTRIES)[0].run(message()))


def test_a_record_without_its_code_is_a_fault_of_the_state() -> None:
    entries = dict(ENTRIES)
    code = bytes.fromhex("600160025500")
    entries.pop(next(key for key in entries if key.endswith(keccak(code)) and len(key) == 35))
    with pytest.raises(ContainerError, match="no code under 0x"):
        open_block(core(), entries)[0].run(message())


def test_writes_are_the_same_keys_as_the_layout_s() -> None:
    result = open_block(core(), ENTRIES)[0].run(message())
    assert result.status is Status.OK
    assert {key[:3] for key in result.writes if key[:2] != b"\0\0"} == {b"\0\1a", b"\0\1s"}
    assert b"\0\0" + SENDER in result.writes
