"""Whether a polynomial that was committed to takes a value at a point (EIP-4844).

input   versioned hash (32) ‖ z (32) ‖ y (32) ‖ commitment (48) ‖ proof (48)
output  the number of field elements in a blob, and the order of the curve

The proof is good where e(commitment - y·G1, G2) = e(proof, τ·G2 - z·G2). Of the trusted setup nothing
else than τ·G2 is needed, so it is written down here and no setup file is read.
"""

from __future__ import annotations

import hashlib
from typing import Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from vessel_evm.engine.precompiles.contract import Contract

ORDER: Final = 0x73EDA753_299D7D48_3339D808_09A1D805_53BDA402_FFFE5BFE_FFFFFFFF_00000001
FIELD_ELEMENTS_PER_BLOB: Final = 4_096
_VERSION = b"\x01"

# The second of the G2 points in monomial form that Ethereum's ceremony of 2023 ended on.
_TAU_G2 = G2Point.from_compressed_bytes(
    bytes.fromhex(
        "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72"
        "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"
    )
)
_G1 = G1Point()
_G2 = G2Point()
_ANSWER = FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + ORDER.to_bytes(32, "big")


def _point(compressed: bytes) -> G1Point:
    point = G1Point.from_compressed_bytes(compressed)
    # The library takes more than one form of the point at infinity; there is one.
    if point.to_compressed_bytes() != compressed:
        raise ValueError("the point is not in its canonical form")
    return point


def _run(data: bytes) -> bytes | None:
    if len(data) != 192:
        return None
    versioned_hash, z, y = data[:32], data[32:64], data[64:96]
    commitment, proof = data[96:144], data[144:]
    if versioned_hash != _VERSION + hashlib.sha256(commitment).digest()[1:]:
        return None
    if max(int.from_bytes(z, "big"), int.from_bytes(y, "big")) >= ORDER:
        return None
    try:
        left = _point(commitment) - _G1 * Scalar.from_be_bytes(y)
        right = -_point(proof)
    except ValueError:
        return None
    good = GT.pairing_check([left, right], [_G2, _TAU_G2 - _G2 * Scalar.from_be_bytes(z)])
    return _ANSWER if good else None


POINT_EVALUATION: Final = Contract(gas=lambda data: 50_000, run=_run)
