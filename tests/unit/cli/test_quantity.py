"""Amounts of coin, there and back."""

from __future__ import annotations

import pytest

from vessel.cli.quantity import format_coin, parse_quantity
from vessel.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0", 0),
        ("100", 100),
        ("0x10", 16),
        ("1ether", 10**18),
        ("1 ETH", 10**18),
        ("1.5ether", 15 * 10**17),
        ("0.000000000000000001ether", 1),
        ("5gwei", 5 * 10**9),
        ("1_000wei", 1000),
        ("1.0", 1),
    ],
)
def test_reads(text: str, wei: int) -> None:
    assert parse_quantity(text) == wei


@pytest.mark.parametrize(
    "text", ["", "-1", "ether", "1.", ".5ether", "1e18", "1 2", "1.5", "1dollar", "0x", "1" * 97]
)
def test_refuses(text: str) -> None:
    with pytest.raises(InvalidRequest, match="--value"):
        parse_quantity(text, name="--value")


@pytest.mark.parametrize(
    ("wei", "shown"),
    [
        (0, "0 ether"),
        (1, "1 wei"),
        (10**9, "1 gwei"),
        (1_500_000_000, "1.5 gwei"),
        (10**18, "1 ether"),
        (10**18 + 1, "1.000000000000000001 ether"),
        (10**40, f"{10**22} ether"),
    ],
)
def test_shows(wei: int, shown: str) -> None:
    assert format_coin(wei) == shown
