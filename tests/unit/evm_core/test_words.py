"""Arithmetic on 256-bit words against Python's integers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unit.evm_core.stage import RETURN_TOP, core, push, run
from vessel.container import Status

ALL = 2**256 - 1
SIGN = 2**255
EDGES = (0, 1, 2, 2**32, 2**64 - 1, 2**64, 2**127, 2**128 - 1, 2**128, 2**192, SIGN - 1, SIGN, ALL - 1, ALL)
WORDS = st.one_of(
    st.sampled_from(EDGES),
    st.integers(0, ALL),
    st.integers(0, 2**64),
    st.builds(lambda bits, low: (1 << bits) - low & ALL, st.integers(0, 256), st.integers(0, 3)),
)


def signed(word: int) -> int:
    return word - (word & SIGN) * 2


def quotient(a: int, b: int) -> int:
    """Divide towards zero."""
    return 0 if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def remainder(a: int, b: int) -> int:
    return 0 if b == 0 else abs(a) % abs(b) * (-1 if a < 0 else 1)


def extend(byte: int, word: int) -> int:
    if byte > 30:
        return word
    bits = 8 * byte + 8
    low = word & ((1 << bits) - 1)
    return low - (1 << bits) if low >> (bits - 1) else low


BINARY: dict[int, Callable[[int, int], int]] = {
    0x01: lambda a, b: a + b,
    0x02: lambda a, b: a * b,
    0x03: lambda a, b: a - b,
    0x04: lambda a, b: a // b if b else 0,
    0x05: lambda a, b: quotient(signed(a), signed(b)),
    0x06: lambda a, b: a % b if b else 0,
    0x07: lambda a, b: remainder(signed(a), signed(b)),
    0x0A: lambda a, b: pow(a, b, 2**256),
    0x0B: extend,
    0x10: lambda a, b: a < b,
    0x11: lambda a, b: a > b,
    0x12: lambda a, b: signed(a) < signed(b),
    0x13: lambda a, b: signed(a) > signed(b),
    0x14: lambda a, b: a == b,
    0x16: lambda a, b: a & b,
    0x17: lambda a, b: a | b,
    0x18: lambda a, b: a ^ b,
    0x1A: lambda a, b: b >> (248 - 8 * a) & 0xFF if a < 32 else 0,
    0x1B: lambda a, b: b << a if a < 256 else 0,
    0x1C: lambda a, b: b >> a if a < 256 else 0,
    0x1D: lambda a, b: signed(b) >> min(a, 256),
}
UNARY: dict[int, Callable[[int], int]] = {
    0x15: lambda a: a == 0,
    0x19: lambda a: ~a,
    0x1E: lambda a: 256 - a.bit_length(),
}
TERNARY: dict[int, Callable[[int, int, int], int]] = {
    0x08: lambda a, b, m: (a + b) % m if m else 0,
    0x09: lambda a, b, m: a * b % m if m else 0,
}


def answers(code: bytes) -> list[int]:
    """Return the words that code leaves in memory."""
    result = run(code, engine=core("osaka"), gas=10_000_000)
    assert result.status is Status.OK
    return [int.from_bytes(result.output[at : at + 32], "big") for at in range(0, len(result.output), 32)]


def program(cases: list[tuple[int, tuple[int, ...]]]) -> bytes:
    """Return code that works out each case and returns all answers."""
    code = b""
    for position, (opcode, operands) in enumerate(cases):
        code += b"".join(map(push, reversed(operands))) + bytes((opcode,)) + push(32 * position) + b"\x52"
    return code + push(32 * len(cases)) + b"\x5f\xf3"


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS)
@example(ALL, ALL)
@example(SIGN, ALL)  # the one quotient that overflows
@example(2**128, 2**64 + 1)
def test_two_operands(a: int, b: int) -> None:
    expected = [operation(a, b) & ALL for operation in BINARY.values()]
    assert expected == answers(program([(opcode, (a, b)) for opcode in BINARY]))


@settings(max_examples=40, deadline=None)
@given(WORDS)
def test_one_operand(a: int) -> None:
    expected = [operation(a) & ALL for operation in UNARY.values()]
    assert expected == answers(program([(opcode, (a,)) for opcode in UNARY]))


@settings(max_examples=80, deadline=None)
@given(WORDS, WORDS, WORDS)
@example(ALL, ALL, ALL)
@example(ALL, ALL, ALL - 1)
@example(ALL, 1, 2**128)
def test_three_operands(a: int, b: int, m: int) -> None:
    expected = [operation(a, b, m) for operation in TERNARY.values()]
    assert expected == answers(program([(opcode, (a, b, m)) for opcode in TERNARY]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, ALL), st.integers(1, ALL), st.integers(0, 255)), max_size=40))
def test_long_division_by_divisors_of_every_length(cases: list[tuple[int, int, int]]) -> None:
    pairs = [(a, (b >> cut) or 1) for a, b, cut in cases]
    # Numbers just below a multiple are where a digit is guessed too high.
    pairs += [(b * (a % (ALL // b + 1)) - 1 & ALL, b) for a, b in pairs]
    expected = [value for a, b in pairs for value in (a // b, a % b)]
    assert expected == answers(program([(opcode, pair) for pair in pairs for opcode in (4, 6)]))


@pytest.mark.parametrize("size", range(33))
def test_push_of_every_size_and_one_cut_off_by_the_end(size: int) -> None:
    operand = bytes(range(1, size + 1))
    whole = run(bytes((0x5F + size,)) + operand + RETURN_TOP)
    assert int.from_bytes(operand, "big") == int.from_bytes(whole.output, "big")
    assert run(bytes((0x5F + size,)) + operand[:-1]).status is Status.OK


@pytest.mark.parametrize("place", range(16))
def test_dup_and_swap_of_every_depth(place: int) -> None:
    stack = b"".join(push(value) for value in range(100, 117))  # 116 on top
    assert int.from_bytes(run(stack + bytes((0x80 + place,)) + RETURN_TOP).output, "big") == 116 - place
    swapped = run(stack + bytes((0x90 + place,)) + RETURN_TOP)
    assert int.from_bytes(swapped.output, "big") == 115 - place
