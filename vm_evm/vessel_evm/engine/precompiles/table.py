"""Which precompiled contracts a fork has, each fork as what it adds to the one before."""

from __future__ import annotations

from typing import Final

from vessel_evm.engine.precompiles import (
    alt_bn128,
    blake2f,
    bls12_381,
    digests,
    ecrecover,
    modexp,
    p256verify,
    point_evaluation,
)
from vessel_evm.engine.precompiles.contract import Contract

MAX_GAS: Final = 2**64 - 1

_BERLIN: dict[int, Contract] = {
    0x01: ecrecover.ECRECOVER,
    0x02: digests.SHA256,
    0x03: digests.RIPEMD160,
    0x04: digests.IDENTITY,
    0x05: modexp.MODEXP_EIP2565,
    0x06: alt_bn128.ADD,
    0x07: alt_bn128.MULTIPLY,
    0x08: alt_bn128.PAIRING,
    0x09: blake2f.BLAKE2F,
}
_CHANGES: dict[str, dict[int, Contract]] = {
    "berlin": _BERLIN,
    "london": {},
    "paris": {},
    "shanghai": {},
    "cancun": {0x0A: point_evaluation.POINT_EVALUATION},
    "prague": {
        0x0B: bls12_381.G1_ADD,
        0x0C: bls12_381.G1_MULTIPLY_SUM,
        0x0D: bls12_381.G2_ADD,
        0x0E: bls12_381.G2_MULTIPLY_SUM,
        0x0F: bls12_381.PAIRING,
        0x10: bls12_381.MAP_TO_G1,
        0x11: bls12_381.MAP_TO_G2,
    },
    "osaka": {0x05: modexp.MODEXP_EIP7883, 0x100: p256verify.P256VERIFY},
}
FORKS: Final = tuple(_CHANGES)


class Precompiles:
    """The precompiled contracts of one fork. Holds nothing that changes; may be shared by threads."""

    __slots__ = ("_contracts", "addresses")

    def __init__(self, fork: str) -> None:
        """Take a fork by its name in lower case; ValueError names those that there are."""
        if fork not in _CHANGES:
            raise ValueError(f"fork {fork!r} is unknown: expected one of {', '.join(FORKS)}")
        self._contracts: dict[int, Contract] = {}
        for name, changes in _CHANGES.items():
            self._contracts.update(changes)
            if name == fork:
                break
        self.addresses: frozenset[int] = frozenset(self._contracts)

    def gas(self, address: int, data: bytes) -> int:
        """Return the price of an input, at most MAX_GAS, which nobody can pay."""
        return min(self._contracts[address].gas(data), MAX_GAS)

    def run(self, address: int, data: bytes) -> bytes | None:
        """Return the output; None where the input is refused, which costs all gas given.

        To be called only with the gas paid: time and memory are bounded by nothing else.
        """
        return self._contracts[address].run(data)
