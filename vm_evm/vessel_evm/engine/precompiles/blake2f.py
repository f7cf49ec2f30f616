"""The compression function of BLAKE2b, any number of rounds of it (EIP-152); see c/blake2f.c.

input   rounds (4, big-endian, and the price) ‖ h (64) ‖ m (128) ‖ t (16) ‖ final (1): 0 or 1
output  h (64)
"""

from __future__ import annotations

from typing import Final

from vessel_evm.engine.precompiles.contract import Contract
from vessel_evm.engine.precompiles.native import native

_SIZE_BYTES = 213


def _rounds(data: bytes) -> int:
    return int.from_bytes(data[:4], "big") if len(data) == _SIZE_BYTES else 0


def _run(data: bytes) -> bytes | None:
    if len(data) != _SIZE_BYTES or data[-1] > 1:
        return None
    module = native()
    module.put(data[4:-1])
    rounds = int.from_bytes(data[:4], "big", signed=True)  # the binding takes 32 bits as signed
    module.call("blake2f", rounds, data[-1])
    return module.get(64)


BLAKE2F: Final = Contract(gas=_rounds, run=_run)
