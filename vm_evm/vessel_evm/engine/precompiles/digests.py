"""SHA-256, RIPEMD-160 and the identity (Yellow Paper, appendix E).

RIPEMD-160 is not taken from hashlib: OpenSSL 3 has it only where its legacy provider is loaded.
"""

from __future__ import annotations

import hashlib
from typing import Final

from Crypto.Hash import RIPEMD160 as _ripemd160

from vessel_evm.engine.precompiles.contract import Contract, words


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _ripemd(data: bytes) -> bytes:
    return bytes(12) + _ripemd160.new(data).digest()


SHA256: Final = Contract(gas=lambda data: 60 + 12 * words(data), run=_sha256)
RIPEMD160: Final = Contract(gas=lambda data: 600 + 120 * words(data), run=_ripemd)
IDENTITY: Final = Contract(gas=lambda data: 15 + 3 * words(data), run=lambda data: data)
