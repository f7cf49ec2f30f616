"""Ethereum's JSON conventions: quantities as 0x and the shortest digits, data as 0x and whole bytes."""

from __future__ import annotations

from vessel.primitives.units import Address

U64_MAX = (1 << 64) - 1
U256_MAX = (1 << 256) - 1


def quantity(value: int) -> str:
    """Return a non-negative integer as JSON-RPC writes it."""
    return hex(value)


def data(value: bytes) -> str:
    """Return bytes as JSON-RPC writes them."""
    return "0x" + value.hex()


def parse_quantity(value: int | str, name: str, maximum: int = U256_MAX) -> int:
    """Read an integer that JSON gave as a number, as decimal digits or as 0x…; ValueError names it."""
    if isinstance(value, str):
        try:
            # int would take blanks, signs, underscores and the digits of other scripts.
            if not (value.isascii() and value.isalnum()):
                raise ValueError
            value = int(value, 16 if value[:2] in ("0x", "0X") else 10)
        except ValueError:
            raise ValueError(
                f"{name}: {value!r} is not an integer; expected a number, decimal digits or 0x…"
            ) from None
    if not 0 <= value <= maximum:
        raise ValueError(f"{name}: {value} is outside of 0 and {maximum}")
    return value


def parse_data(value: str, name: str) -> bytes:
    """Read 0x and an even number of hexadecimal digits; ValueError names the field."""
    if value[:2] not in ("0x", "0X"):
        raise ValueError(f"{name}: {value[:20]!r} is not data: expected 0x and hexadecimal digits")
    try:
        # bytes.fromhex would take blanks between the digits.
        if not value[2:].isalnum() and len(value) > 2:
            raise ValueError
        return bytes.fromhex(value[2:])
    except ValueError:
        raise ValueError(
            f"{name}: {value[:20]!r}… is not data: expected 0x and an even number of hexadecimal digits"
        ) from None


def parse_address(value: str, name: str) -> Address:
    """Read 0x and 40 hexadecimal digits; ValueError names the field."""
    address = parse_data(value, name)
    if len(address) != 20:
        raise ValueError(f"{name}: {value!r} is not an address: expected 0x and 40 hexadecimal digits")
    return Address(address)
