"""RLP: everything canonical is read as the rlp package reads it, and nothing else is read at all."""

from __future__ import annotations

from typing import Any

import pytest
import rlp as oracle  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from vessel_evm.rlp import Fields, MalformedRlp, encode_bytes, encode_integer, encode_list

LEAVES = st.one_of(st.binary(max_size=70), st.just(b"\x7f"), st.just(b"\x80"))
SHALLOW = st.lists(st.one_of(LEAVES, st.lists(st.one_of(LEAVES, st.lists(LEAVES, max_size=3)), max_size=3)))


@settings(deadline=None)
@given(items=SHALLOW)
def test_reads_what_the_oracle_writes(items: list[Any]) -> None:
    fields = Fields(oracle.encode(items))
    assert fields.items == items
    for count in range(1, len(items) + 1):
        assert fields.encoded_prefix(count) == b"".join(oracle.encode(item) for item in items[:count])


@settings(deadline=None)
@given(data=st.one_of(st.binary(max_size=80), st.binary(max_size=40).map(lambda tail: b"\xf8\x26" + tail)))
def test_refuses_what_the_oracle_refuses(data: bytes) -> None:
    try:
        expected = oracle.decode(data)
    except oracle.exceptions.DecodingError:
        expected = None
    try:
        read = Fields(data).items
    except MalformedRlp:
        assert not isinstance(expected, list)
    else:
        assert read == expected


@given(data=st.binary(max_size=300), value=st.integers(min_value=0, max_value=2**256))
def test_writes_what_the_oracle_writes(data: bytes, value: int) -> None:
    assert encode_bytes(data) == oracle.encode(data)
    assert encode_integer(value) == oracle.encode(value)
    assert encode_list([encode_bytes(data), encode_integer(value)]) == oracle.encode([data, value])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xc2\x81\x7f", "has a length in front"),
        (b"\xf8\x01\x80", "longer than it need be"),
        (b"\xf9\x00\x38" + bytes(56), "longer than it need be"),
        (b"\xf9\x01", "is cut off"),
        (b"\xc2\x82\x80", "beyond its surroundings"),
        (b"\xc0\x00", "1 bytes follow"),
        (b"\x81\x80", "expected a list"),
    ],
)
def test_says_what_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(MalformedRlp, match=words):
        Fields(data)
