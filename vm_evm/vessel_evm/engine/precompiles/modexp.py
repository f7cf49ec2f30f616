"""Powers of integers of any length to a modulus (EIP-198; prices of EIP-2565 and EIP-7883, bound of 7823).

input   length of base (32) ‖ of exponent (32) ‖ of modulus (32) ‖ base ‖ exponent ‖ modulus
output  the power, as long as the modulus
"""

from __future__ import annotations

from typing import Final

import gmpy2  # type: ignore[import-not-found, import-untyped, unused-ignore]

from vessel_evm.engine.precompiles.contract import Contract, padded

_LENGTHS_BYTES = 96
_HEAD_BYTES = 32  # of the exponent, which alone are looked at for the price
_MAX_LENGTH_BYTES = 1_024  # of each operand from Osaka on (EIP-7823)


def _lengths(data: bytes) -> tuple[int, int, int]:
    head = padded(data, _LENGTHS_BYTES)
    return (
        int.from_bytes(head[:32], "big"),
        int.from_bytes(head[32:64], "big"),
        int.from_bytes(head[64:], "big"),
    )


def _iterations(data: bytes, base: int, exponent: int, per_byte: int) -> int:
    """Return the price of the exponent: its bits, as far as its first 32 bytes tell."""
    start = _LENGTHS_BYTES + base
    size = min(_HEAD_BYTES, exponent)
    bits = int.from_bytes(padded(data[start : start + size], size), "big").bit_length()
    return max(per_byte * max(exponent - _HEAD_BYTES, 0) + max(bits - 1, 0), 1)


def _gas_eip2565(data: bytes) -> int:
    base, exponent, modulus = _lengths(data)
    complexity = ((max(base, modulus) + 7) // 8) ** 2
    return max(200, complexity * _iterations(data, base, exponent, 8) // 3)


def _gas_eip7883(data: bytes) -> int:
    base, exponent, modulus = _lengths(data)
    longest = max(base, modulus)
    complexity = 16 if longest <= 32 else 2 * ((longest + 7) // 8) ** 2
    return max(500, complexity * _iterations(data, base, exponent, 16))


def _run(data: bytes) -> bytes:
    base_size, exponent_size, modulus_size = _lengths(data)
    if not modulus_size:  # the exponent may then be of any length at no price
        return b""
    at = _LENGTHS_BYTES
    values = []
    for size in (base_size, exponent_size, modulus_size):
        values.append(int.from_bytes(padded(data[at : at + size], size), "big"))
        at += size
    base, exponent, modulus = values
    if not modulus:
        return bytes(modulus_size)
    return int(gmpy2.powmod(base, exponent, modulus)).to_bytes(modulus_size, "big")


def _run_bounded(data: bytes) -> bytes | None:
    return None if max(_lengths(data)) > _MAX_LENGTH_BYTES else _run(data)


MODEXP_EIP2565: Final = Contract(gas=_gas_eip2565, run=_run)
MODEXP_EIP7883: Final = Contract(gas=_gas_eip7883, run=_run_bounded)
