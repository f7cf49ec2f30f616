"""Who signed a hash with secp256k1 (Yellow Paper, appendix E).

input   hash (32) ‖ v (32): 27 or 28 ‖ r (32) ‖ s (32)
output  the address in a word; nothing where there is no such signature
A high s is taken here, other than in transactions.
"""

from __future__ import annotations

from typing import Final

from coincurve import PublicKey

from vessel_evm.engine.precompiles.contract import Contract, padded
from vessel_evm.keccak import keccak
from vessel_evm.signature import ORDER


def _run(data: bytes) -> bytes:
    data = padded(data, 128)
    v = int.from_bytes(data[32:64], "big")
    r = int.from_bytes(data[64:96], "big")
    s = int.from_bytes(data[96:128], "big")
    if v not in (27, 28) or not 0 < r < ORDER or not 0 < s < ORDER:
        return b""
    try:
        key = PublicKey.from_signature_and_message(data[64:128] + bytes((v - 27,)), data[:32], hasher=None)
    except Exception:  # noqa: BLE001 - coincurve raises bare Exception for a point that does not exist
        return b""
    return bytes(12) + keccak(key.format(compressed=False)[1:])[12:]


ECRECOVER: Final = Contract(gas=lambda data: 3_000, run=_run)
