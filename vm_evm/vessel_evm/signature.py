"""Recovering who signed: ECDSA over secp256k1 with a recovery bit (Yellow Paper, appendix F)."""

from __future__ import annotations

from coincurve import PublicKey

from vessel.primitives.units import Address, Hash32
from vessel_evm.keccak import keccak

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
HALF_ORDER = ORDER // 2


def recover(digest: Hash32, y_parity: int, r: int, s: int) -> Address:
    """Return the address whose key signed `digest`; ValueError says what is wrong with the signature.

    An s above half of the order is refused (EIP-2): it would be a second valid signature, and with it
    a second hash, of the same transaction.
    """
    if y_parity not in (0, 1):
        raise ValueError(f"its recovery bit is {y_parity}, expected 0 or 1")
    if not 0 < r < ORDER:
        raise ValueError("its r is not within 1 and the order of secp256k1")
    if not 0 < s < ORDER:
        raise ValueError("its s is not within 1 and the order of secp256k1")
    if s > HALF_ORDER:
        raise ValueError("its s is above half of the order of secp256k1 (malleable, EIP-2): sign with low s")
    encoded = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((y_parity,))
    # libsecp256k1 says ValueError or Exception where r is not on the curve; both mean the same here.
    try:
        key = PublicKey.from_signature_and_message(encoded, digest, hasher=None)
    except Exception:  # noqa: BLE001 - coincurve raises bare Exception for a point that does not exist
        raise ValueError("no public key belongs to it") from None
    return Address(keccak(key.format(compressed=False)[1:])[12:])
