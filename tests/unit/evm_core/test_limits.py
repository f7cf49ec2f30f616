"""The worst that a transaction can ask for: bounded time and memory, and an outcome."""

from __future__ import annotations

import pytest

from unit.evm_core.stage import (
    OTHER,
    TARGET,
    account,
    core,
    funded,
    message,
    open_block,
    push,
    reference,
    run,
    same,
)
from vessel.container import Status

# Calls itself with all gas and counts the frames that began in slot 0.
DEEP = bytes.fromhex("5f546001015f555f5f5f5f5f305af100")
GAS = 16_000_000


@pytest.mark.slow
def test_calls_end_1024_frames_below_the_outermost() -> None:
    # DELEGATECALL leaves all but 1/64 at each step: enough gas that the depth ends it.
    code = bytes.fromhex("5f546001015f555f5f5f5f305af45000")
    result = run(code, gas=10**12)
    assert result.status is Status.OK
    (count,) = (value for key, value in result.writes.items() if len(key) == 59)
    assert count == (1025).to_bytes(2, "big")


def test_calls_as_deep_as_gas_allows() -> None:
    same(run(DEEP, gas=2_000_000), run(DEEP, gas=2_000_000, engine=reference()))


@pytest.mark.parametrize("kind", ["f0", "f5"])
def test_creations_within_creations(kind: str) -> None:
    # Init code that copies itself and creates itself again.
    salt = "5f" if kind == "f5" else ""
    code = bytes.fromhex("385f5f39" + salt + "385f5f" + kind + "5000")
    result = run(code, gas=GAS, engine=core("osaka"))
    assert result.status is Status.OK
    assert result.gas_used > 100 * 32_000


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (push(2**255) + b"\x51", Status.OUT_OF_GAS),
        (push(2**32) + b"\x51", Status.OUT_OF_GAS),
        (push(2**26 - 32) + b"\x51", Status.OUT_OF_GAS),
        (push(2**64 - 31) + b"\x51", Status.OUT_OF_GAS),
        (push(2**64 - 1) + b"\x5f\xf3", Status.OUT_OF_GAS),
        (push(2**64) + push(2**64) + b"\x20", Status.OUT_OF_GAS),
        (push(2**63) + push(2**63) + push(2**63) + b"\x5e", Status.OUT_OF_GAS),
        (push(2**20) + b"\x51", Status.OK),
        (b"\x5b\x59\x51\x50\x5f\x56", Status.OUT_OF_GAS),  # word by word until gas ends
        (b"\x5b\x5f\x56", Status.OUT_OF_GAS),
        (b"\x5b" + push(2**18) + b"\x5f\x20\x5f\x56", Status.OUT_OF_GAS),
    ],
)
def test_memory_bombs_and_endless_loops(code: bytes, status: Status) -> None:
    assert run(code, gas=GAS).status is status


def test_memory_beyond_the_region_of_a_frame_is_out_of_gas_whatever_the_gas() -> None:
    assert run(push(2**26) + b"\x51", gas=2**60, price=0).status is Status.OUT_OF_GAS
    assert run(push(2**26 - 32) + b"\x51", gas=2**60, price=0).status is Status.OK


def test_return_bombs() -> None:
    # A callee that returns a megabyte again and again, into a caller that keeps none of it.
    bomb = push(1 << 20) + b"\x5f\xf3"
    caller = bytes.fromhex("5b5f5f5f5f5f73" + OTHER.hex() + "5af1505f56")
    assert run(caller, gas=GAS, others=account(OTHER, code=bomb)).status is Status.OUT_OF_GAS


@pytest.mark.parametrize("filling", [b"\x5b", b"\x60", b"\x7f", b"\x00"])
def test_floods_of_jump_destinations(filling: bytes) -> None:
    code = (b"\x5f\x56" + filling * 24_576)[:24_576]
    assert run(code, gas=GAS).status is Status.TRAP  # 0 is no JUMPDEST
    good = b"\x61\x5f\xff\x56" + b"\x5b" * (24_576 - 4)
    assert run(good, gas=GAS).status is Status.OK
    inside = b"\x60\x05\x56" + b"\x61\x5b\x5b" + b"\x00"
    assert run(inside).status is Status.TRAP


def test_code_at_and_above_the_limit() -> None:
    def init(size: int) -> bytes:
        return push(size) + b"\x5f\xf3"

    assert run(b"", to=b"", data=init(24_576), gas=GAS).status is Status.OK
    too_large = run(b"", to=b"", data=init(24_577), gas=GAS)
    assert too_large.status is Status.OUT_OF_GAS
    assert too_large.gas_used == GAS
    assert "size limit" in too_large.fault


@pytest.mark.slow
def test_a_region_that_is_full_is_out_of_gas_and_not_a_fault() -> None:
    # TSTORE to ever new slots: 1,048,576 of them is what there is room for.
    code = bytes.fromhex("5f5b60010180805d600156")
    entries = funded(account(TARGET, code=code))
    block, _ = open_block(core(), entries)
    alone = block.run(message(gas=10**9, price=0))
    assert alone.status is Status.OUT_OF_GAS
    assert "room" in alone.fault
    (batched,) = block.run_batch([message(gas=10**9, price=0)], 10**12, checked=True)
    same(batched, alone)
    assert block.run(message(to=OTHER, gas=21_000, price=0)).status is Status.OK


def test_many_batches_do_not_make_an_instance_grow() -> None:
    block, state = open_block(core("shanghai"), funded(account(TARGET, code=bytes.fromhex("60015f355500"))))
    for nonce in range(60):
        (result,) = block.run_batch([message(nonce.to_bytes(32, "big"), nonce=nonce)], 10**9)
        state.keep(result.writes)
        assert result.status is Status.OK
