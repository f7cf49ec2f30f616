"""Arithmetic on the curve alt_bn128, also called BN254 (EIP-196, EIP-197; prices of EIP-1108).

A point is x (32) ‖ y (32), infinity all zeros; a point of the twist has two coordinates of two numbers,
the imaginary one first. Numbers must be below the modulus of the field, points on the curve, points of
the twist in the right subgroup. Short inputs go on in zeros.

The addition is a handful of operations on integers and done here; multiplication and pairing are in
c/alt_bn128.c.
"""

from __future__ import annotations

from typing import Final

import gmpy2  # type: ignore[import-not-found, import-untyped, unused-ignore]

from vessel_evm.engine.precompiles.contract import Contract, padded
from vessel_evm.engine.precompiles.native import native

FIELD: Final = 0x30644E72_E131A029_B85045B6_8181585D_97816A91_6871CA8D_3C208C16_D87CFD47

_POINT_BYTES = 64
_PAIR_BYTES = 192
_BATCH_PAIRS = 64  # as c/alt_bn128.c has it
_INFINITY = bytes(_POINT_BYTES)


def _read(data: bytes) -> tuple[int, int] | None:
    """Return the coordinates of a point; None where they are none of a point. (0, 0) is infinity."""
    x, y = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")
    if x >= FIELD or y >= FIELD:
        return None
    if (x or y) and (y * y - x * x * x - 3) % FIELD:
        return None
    return x, y


def _add(data: bytes) -> bytes | None:
    data = padded(data, 2 * _POINT_BYTES)
    left, right = _read(data[:_POINT_BYTES]), _read(data[_POINT_BYTES:])
    if left is None or right is None:
        return None
    if left == (0, 0):
        return data[_POINT_BYTES:]
    if right == (0, 0):
        return data[:_POINT_BYTES]
    (x1, y1), (x2, y2) = left, right
    if x1 != x2:
        slope = (y2 - y1) * int(gmpy2.invert(x2 - x1, FIELD)) % FIELD
    elif y1 == y2:  # no point of this curve has y = 0
        slope = 3 * x1 * x1 * int(gmpy2.invert(2 * y1, FIELD)) % FIELD
    else:
        return _INFINITY
    x = (slope * slope - x1 - x2) % FIELD
    y = (slope * (x1 - x) - y1) % FIELD
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def _multiply(data: bytes) -> bytes | None:
    module = native()
    module.put(padded(data, _POINT_BYTES + 32))
    return module.get(_POINT_BYTES) if module.call("alt_bn128_multiply") else None


def _pairing(data: bytes) -> bytes | None:
    if len(data) % _PAIR_BYTES:
        return None
    module = native()
    module.call("alt_bn128_pairing_begin")
    step = _BATCH_PAIRS * _PAIR_BYTES
    for at in range(0, len(data), step):
        batch = data[at : at + step]
        module.put(batch)
        if not module.call("alt_bn128_pairing_add", len(batch) // _PAIR_BYTES):
            return None
    return module.call("alt_bn128_pairing_end").to_bytes(32, "big")


ADD: Final = Contract(gas=lambda data: 150, run=_add)
MULTIPLY: Final = Contract(gas=lambda data: 6_000, run=_multiply)
PAIRING: Final = Contract(gas=lambda data: 45_000 + 34_000 * (len(data) // _PAIR_BYTES), run=_pairing)
