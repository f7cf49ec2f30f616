"""Amounts of native coin and their units: read `1.5ether`, `5gwei`, `100`; show wei as coin."""

from __future__ import annotations

import re

from vessel.errors import InvalidRequest

UNITS = {"wei": 0, "kwei": 3, "mwei": 6, "gwei": 9, "szabo": 12, "finney": 15, "ether": 18, "eth": 18}
_QUANTITY = re.compile(r"(?P<number>[0-9][0-9_]*(?:\.[0-9]+)?)\s*(?P<unit>[a-z]+)?", re.IGNORECASE)
_DIGITS_MAX = 96  # more than any uint256, and what a person may mean


def parse_quantity(text: str, *, name: str = "value") -> int:
    """Return a non-negative amount in wei; InvalidRequest names the amount and shows how to write one."""
    stripped = text.strip()
    if stripped.lower().startswith("0x"):
        try:
            return int(stripped, 16)
        except ValueError:
            raise _unreadable(text, name) from None
    match = _QUANTITY.fullmatch(stripped)
    if match is None or len(stripped) > _DIGITS_MAX:
        raise _unreadable(text, name)
    unit = (match["unit"] or "wei").lower()
    if unit not in UNITS:
        raise InvalidRequest(
            f"{name} {text!r}: unknown unit {unit!r}, expected {', '.join(UNITS)}", unit=unit
        )
    whole, _, fraction = match["number"].replace("_", "").partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > UNITS[unit]:
        raise InvalidRequest(f"{name} {text!r} is a fraction of a wei; a wei cannot be divided", value=text)
    return int(whole + fraction + "0" * (UNITS[unit] - len(fraction)))


def format_coin(wei: int) -> str:
    """Return an amount in ether, exact, without trailing zeros; small ones in gwei or wei."""
    if 0 < wei < 10**6:
        return f"{wei} wei"
    if 0 < wei < 10**15:
        return f"{wei // 10**9}.{wei % 10**9:09d}".rstrip("0").rstrip(".") + " gwei"
    return f"{wei // 10**18}.{wei % 10**18:018d}".rstrip("0").rstrip(".") + " ether"


def _unreadable(text: str, name: str) -> InvalidRequest:
    return InvalidRequest(
        f"{name} {text!r} is not an amount: expected wei or a number with a unit, as 1ether, 5gwei or 100",
        value=text,
    )
