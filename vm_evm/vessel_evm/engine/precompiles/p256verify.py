"""Checking signatures of the curve secp256r1, as phones and passkeys make them (EIP-7951).

input   hash (32) ‖ r (32) ‖ s (32) ‖ x (32) ‖ y (32) of the public key
output  1 in a word where the signature is good, otherwise nothing
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from vessel_evm.engine.precompiles.contract import Contract

FIELD: Final = 0xFFFFFFFF_00000001_00000000_00000000_00000000_FFFFFFFF_FFFFFFFF_FFFFFFFF
ORDER: Final = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551

_GOOD = (1).to_bytes(32, "big")
_CURVE = ec.SECP256R1()
_ALGORITHM = ec.ECDSA(Prehashed(SHA256()))  # says how long the hash is, nothing else


def _run(data: bytes) -> bytes:
    if len(data) != 160:
        return b""
    r, s, x, y = (int.from_bytes(data[at : at + 32], "big") for at in range(32, 160, 32))
    if not 0 < r < ORDER or not 0 < s < ORDER or x >= FIELD or y >= FIELD:
        return b""
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, _CURVE).public_key()
        key.verify(encode_dss_signature(r, s), data[:32], _ALGORITHM)
    except (ValueError, InvalidSignature):  # not on the curve; not signed by it
        return b""
    return _GOOD


P256VERIFY: Final = Contract(gas=lambda data: 6_900, run=_run)
