"""What a person writes for a block."""

from __future__ import annotations

import pytest

from vessel.client.reference import block_reference, parse_block_at
from vessel.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "at"),
    [("0", 0), ("12", 12), ("latest", "latest"), ("0x" + "ab" * 32, b"\xab" * 32), ("ab" * 32, b"\xab" * 32)],
)
def test_reads(text: str, at: object) -> None:
    assert parse_block_at(text) == at


@pytest.mark.parametrize("text", ["", "newest", "-1", "0x12", "0xzz", "1.5", "²"])
def test_refuses(text: str) -> None:
    with pytest.raises(InvalidRequest, match="names no block"):
        parse_block_at(text)


@pytest.mark.parametrize("at", [-1, 1 << 64, b"\1", "newest"])
def test_a_reference_that_cannot_be(at: int | bytes | str) -> None:
    with pytest.raises(InvalidRequest):
        block_reference(at)
