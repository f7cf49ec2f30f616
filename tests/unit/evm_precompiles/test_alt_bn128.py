"""Laws of the curve alt_bn128 that hold whatever the numbers, on our own C."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vessel_evm.engine.precompiles.alt_bn128 import ADD, FIELD, MULTIPLY, PAIRING

ORDER = 0x30644E72_E131A029_B85045B6_8181585D_2833E848_79B97091_43E1F593_F0000001
GENERATOR = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
# The generator of the twist's subgroup, from EIP-197.
TWIST = b"".join(
    number.to_bytes(32, "big")
    for number in (
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
    )
)
scalars = st.integers(0, 2**256 - 1)


def times(k: int, point: bytes = GENERATOR) -> bytes:
    product = MULTIPLY.run(point + k.to_bytes(32, "big"))
    assert product is not None
    return product


def negated(point: bytes) -> bytes:
    y = int.from_bytes(point[32:], "big")
    return point[:32] + (-y % FIELD).to_bytes(32, "big")


@given(a=scalars, b=scalars)
@settings(max_examples=40, deadline=None)
def test_multiplication_distributes_over_the_sum_of_scalars(a: int, b: int) -> None:
    assert ADD.run(times(a) + times(b)) == times((a + b) % ORDER)


@given(k=scalars)
@settings(max_examples=20, deadline=None)
def test_a_point_and_its_opposite_add_up_to_infinity(k: int) -> None:
    point = times(k)
    assert ADD.run(point + negated(point)) == bytes(64)


@pytest.mark.slow
@given(a=st.integers(1, ORDER - 1), b=st.integers(1, ORDER - 1))
@settings(max_examples=15, deadline=None)
def test_the_pairing_is_bilinear(a: int, b: int) -> None:
    # e(a·b·G, H) · e(-b·(a·G), H) = 1, and nothing else than a·b gives one.
    right = negated(times(b, times(a)))
    assert PAIRING.run(times(a * b % ORDER) + TWIST + right + TWIST) == (1).to_bytes(32, "big")
    assert PAIRING.run(times((a * b + 1) % ORDER) + TWIST + right + TWIST) == bytes(32)


@pytest.mark.slow
def test_more_pairs_than_one_batch_of_the_module() -> None:
    point = times(5)
    pairs = (point + TWIST + negated(point) + TWIST) * 40
    assert PAIRING.run(pairs) == (1).to_bytes(32, "big")
    assert PAIRING.run(pairs + point + TWIST) == bytes(32)
    assert PAIRING.run(pairs + point[:-1] + b"\x00" + TWIST) is None
