"""The core and the reference engine on random small programs (Prague): the same in every field."""

from __future__ import annotations

import functools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unit.evm_core.stage import (
    OTHER,
    SENDER,
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
from vessel.primitives.units import Address
from vessel_evm.engine.interface import Engine
from vessel_evm.transaction import Access

ADDRESSES = (TARGET, OTHER, SENDER, Address(bytes(19) + b"\x04"), Address(b"\x99" * 20), Address(bytes(20)))
SMALL = st.one_of(
    st.integers(0, 4), st.integers(0, 70), st.sampled_from([0xFF, 2**16, 2**32, 2**255, 2**256 - 1])
)
OPERANDS = st.one_of(SMALL, st.sampled_from([int.from_bytes(address, "big") for address in ADDRESSES]))
PLAIN = st.sampled_from(
    [
        *range(0x01, 0x0C),
        *range(0x10, 0x1E),
        *(
            0x20,
            0x30,
            0x31,
            0x32,
            0x33,
            0x34,
            0x35,
            0x36,
            0x37,
            0x38,
            0x39,
            0x3A,
            0x3B,
            0x3C,
            0x3D,
            0x3E,
            0x3F,
        ),
        *(0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A),
        *(0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x58, 0x59, 0x5A, 0x5B, 0x5C, 0x5D, 0x5E, 0x5F),
        *(0x80, 0x81, 0x83, 0x8F, 0x90, 0x91, 0x9F, 0xA0, 0xA1, 0xA4),
        *(0x1E, 0xFE, 0x0C, 0xF3, 0xFD, 0xFF, 0x00),
    ]
)


def call(kind: int, gas: int, address: int, value: int, size: int) -> bytes:
    """Return a call with some input and output, its result left on the stack."""
    parts = [size, 0, size, 0] + ([value] if kind in (0xF1, 0xF2) else []) + [address, gas]
    return b"".join(map(push, parts)) + bytes((kind,))


def creation(kind: int, init_code: bytes, value: int, salt: int) -> bytes:
    """Return a creation from at most 32 bytes of init code."""
    code = init_code[:32]
    stored = push(int.from_bytes(code.ljust(32, b"\0"), "big")) + b"\x5f\x52"
    return (
        stored
        + (push(salt) if kind == 0xF5 else b"")
        + push(len(code))
        + b"\x5f"
        + push(value)
        + bytes((kind,))
    )


PIECES = st.one_of(
    st.builds(push, OPERANDS),
    st.builds(push, OPERANDS),
    st.builds(lambda opcode: bytes((opcode,)), PLAIN),
    st.builds(lambda a, b, opcode: push(a) + push(b) + bytes((opcode,)), SMALL, SMALL, PLAIN),
    st.builds(lambda key, value: push(value) + push(key) + b"\x55", SMALL, SMALL),
    st.builds(
        call,
        st.sampled_from([0xF1, 0xF2, 0xF4, 0xFA]),
        st.sampled_from([0, 700, 3000, 50_000, 2**64]),
        OPERANDS,
        st.sampled_from([0, 0, 1, 10**30]),
        st.sampled_from([0, 32, 100]),
    ),
    st.builds(creation, st.sampled_from([0xF0, 0xF5]), st.binary(max_size=32), st.integers(0, 1), SMALL),
)
PROGRAMS = st.lists(PIECES, max_size=14).map(b"".join)


@functools.cache
def engines() -> tuple[Engine, Engine]:
    return core(), reference()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    PROGRAMS,
    PROGRAMS,
    st.binary(max_size=40),
    st.sampled_from([28_000, 60_000, 300_000]),
    st.integers(0, 2),
    st.booleans(),
)
@pytest.mark.slow
def test_random_programs(
    first: bytes, second: bytes, data: bytes, gas: int, value: int, listed: bool
) -> None:
    entries = funded(
        account(TARGET, code=first, balance=5, storage={0: 1, 1: 2**200}),
        account(OTHER, code=second, storage={2: 3}),
    )
    access = (Access(address=OTHER, slots=(0, 2)),) if listed else ()
    sent = message(data, gas=gas, value=value, access_list=access)
    ours, theirs = (open_block(engine, entries)[0].run(sent) for engine in engines())
    same(ours, theirs)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PROGRAMS, st.sampled_from([60_000, 120_000, 400_000]), st.integers(0, 1))
@pytest.mark.slow
def test_random_creations(init_code: bytes, gas: int, value: int) -> None:
    entries = funded(account(OTHER, code=b"\x5f\x54\x00", storage={0: 7}))
    sent = message(init_code, to=b"", gas=gas, value=value)
    ours, theirs = (open_block(engine, entries)[0].run(sent) for engine in engines())
    same(ours, theirs)


@pytest.mark.parametrize("gas", [*range(21_000, 21_030), *range(23_100, 23_130), 43_105, 43_106, 43_107])
def test_gas_runs_out_at_the_same_unit(gas: int) -> None:
    code = bytes.fromhex("6001600055600054505a505f5ffd")
    same(run(code, gas=gas), run(code, gas=gas, engine=reference()))


@pytest.mark.parametrize("opcode", range(256))
def test_every_instruction_on_an_empty_and_on_a_full_stack(opcode: int) -> None:
    engine = reference() if opcode != 0x1E else core()
    for height in (0, 1, 2, 17, 1024):
        code = b"\x5f" * height + bytes((opcode,)) + b"\x60\x2a\x5f\x52\x59\x5f\xf3"
        same(run(code), run(code, engine=engine))
