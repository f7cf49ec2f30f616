"""Arithmetic on the curve BLS12-381 (EIP-2537).

A field element is 64 bytes of which the first 16 are zero, an element of the quadratic extension two of
them (c0 ‖ c1), a point x ‖ y, infinity all zeros; a scalar has 32 bytes and need not be reduced. The
additions take any point of the curve, everything else points of the right subgroup only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from vessel_evm.engine.precompiles.contract import Contract

_FIELD_BYTES = 64
_PADDING_BYTES = 16
_PADDING = bytes(_PADDING_BYTES)
_G1_BYTES = 2 * _FIELD_BYTES
_G2_BYTES = 4 * _FIELD_BYTES
_SCALAR_BYTES = 32
_G1_TERM_BYTES = _G1_BYTES + _SCALAR_BYTES
_G2_TERM_BYTES = _G2_BYTES + _SCALAR_BYTES
_PAIR_BYTES = _G1_BYTES + _G2_BYTES

_G1_MULTIPLY_GAS = 12_000
_G2_MULTIPLY_GAS = 22_500
_PER_MILLE = 1_000

# What a term of a sum costs, in thousandths of a multiplication: the first entry is for sums of one term.
# fmt: off
G1_DISCOUNT: Final = (
    1000,  949,  848,  797,  764,  750,  738,  728,  719,  712,  705,  698,  692,  687,  682,  677,
    673,  669,  665,  661,  658,  654,  651,  648,  645,  642,  640,  637,  635,  632,  630,  627,
    625,  623,  621,  619,  617,  615,  613,  611,  609,  608,  606,  604,  603,  601,  599,  598,
    596,  595,  593,  592,  591,  589,  588,  586,  585,  584,  582,  581,  580,  579,  577,  576,
    575,  574,  573,  572,  570,  569,  568,  567,  566,  565,  564,  563,  562,  561,  560,  559,
    558,  557,  556,  555,  554,  553,  552,  551,  550,  549,  548,  547,  547,  546,  545,  544,
    543,  542,  541,  540,  540,  539,  538,  537,  536,  536,  535,  534,  533,  532,  532,  531,
    530,  529,  528,  528,  527,  526,  525,  525,  524,  523,  522,  522,  521,  520,  520,  519,
)
G2_DISCOUNT: Final = (
    1000, 1000,  923,  884,  855,  832,  812,  796,  782,  770,  759,  749,  740,  732,  724,  717,
    711,  704,  699,  693,  688,  683,  679,  674,  670,  666,  663,  659,  655,  652,  649,  646,
    643,  640,  637,  634,  632,  629,  627,  624,  622,  620,  618,  615,  613,  611,  609,  607,
    606,  604,  602,  600,  598,  597,  595,  593,  592,  590,  589,  587,  586,  584,  583,  582,
    580,  579,  578,  576,  575,  574,  573,  571,  570,  569,  568,  567,  566,  565,  563,  562,
    561,  560,  559,  558,  557,  556,  555,  554,  553,  552,  552,  551,  550,  549,  548,  547,
    546,  545,  545,  544,  543,  542,  541,  541,  540,  539,  538,  537,  537,  536,  535,  535,
    534,  533,  532,  532,  531,  530,  530,  529,  528,  528,  527,  526,  526,  525,  524,  524,
)
# fmt: on


def _field(data: bytes) -> bytes:
    """Return field elements without their padding; ValueError where it is not zero."""
    elements = []
    for at in range(0, len(data), _FIELD_BYTES):
        if data[at : at + _PADDING_BYTES] != _PADDING:
            raise ValueError("a field element begins with 16 zero bytes")
        elements.append(data[at + _PADDING_BYTES : at + _FIELD_BYTES])
    return b"".join(elements)


def _encoded(coordinates: bytes) -> bytes:
    size = _FIELD_BYTES - _PADDING_BYTES
    return b"".join(_PADDING + coordinates[at : at + size] for at in range(0, len(coordinates), size))


def _on_curve_g1(data: bytes) -> G1Point:
    return G1Point.from_xy_bytes_unchecked_be(_field(data))


def _on_curve_g2(data: bytes) -> G2Point:
    return G2Point.from_xy_bytes_unchecked_be(_field(data))


def _in_subgroup_g1(data: bytes) -> G1Point:
    return G1Point.from_xy_bytes_be(_field(data))


def _in_subgroup_g2(data: bytes) -> G2Point:
    return G2Point.from_xy_bytes_be(_field(data))


def _add_g1(data: bytes) -> bytes:
    total = _on_curve_g1(data[:_G1_BYTES]) + _on_curve_g1(data[_G1_BYTES:])
    return _encoded(total.to_xy_bytes_be())


def _add_g2(data: bytes) -> bytes:
    total = _on_curve_g2(data[:_G2_BYTES]) + _on_curve_g2(data[_G2_BYTES:])
    return _encoded(total.to_xy_bytes_be())


def _multiply_sum_g1(data: bytes) -> bytes:
    points, scalars = [], []
    for at in range(0, len(data), _G1_TERM_BYTES):
        points.append(_in_subgroup_g1(data[at : at + _G1_BYTES]))
        scalars.append(Scalar.from_be_bytes_mod_order(data[at + _G1_BYTES : at + _G1_TERM_BYTES]))
    return _encoded(G1Point.multiexp_unchecked(points, scalars).to_xy_bytes_be())


def _multiply_sum_g2(data: bytes) -> bytes:
    points, scalars = [], []
    for at in range(0, len(data), _G2_TERM_BYTES):
        points.append(_in_subgroup_g2(data[at : at + _G2_BYTES]))
        scalars.append(Scalar.from_be_bytes_mod_order(data[at + _G2_BYTES : at + _G2_TERM_BYTES]))
    return _encoded(G2Point.multiexp_unchecked(points, scalars).to_xy_bytes_be())


def _pairing(data: bytes) -> bytes:
    left, right = [], []
    for at in range(0, len(data), _PAIR_BYTES):
        left.append(_in_subgroup_g1(data[at : at + _G1_BYTES]))
        right.append(_in_subgroup_g2(data[at + _G1_BYTES : at + _PAIR_BYTES]))
    return int(GT.pairing_check(left, right)).to_bytes(32, "big")


def _map_g1(data: bytes) -> bytes:
    return _encoded(G1Point.map_from_fp_be(_field(data)).to_xy_bytes_be())


def _map_g2(data: bytes) -> bytes:
    return _encoded(G2Point.map_from_fp2_be(_field(data)).to_xy_bytes_be())


def _fixed(gas: int, size_bytes: int, work: Callable[[bytes], bytes]) -> Contract:
    """Return a contract whose input has one size."""

    def run(data: bytes) -> bytes | None:
        return _attempt(work, data) if len(data) == size_bytes else None

    return Contract(gas=lambda data: gas, run=run)


def _repeated(gas: Callable[[int], int], size_bytes: int, work: Callable[[bytes], bytes]) -> Contract:
    """Return a contract whose input is one or more entries of a size; gas: of a number of entries."""

    def run(data: bytes) -> bytes | None:
        return _attempt(work, data) if data and len(data) % size_bytes == 0 else None

    return Contract(gas=lambda data: gas(len(data) // size_bytes), run=run)


def _attempt(work: Callable[[bytes], bytes], data: bytes) -> bytes | None:
    """Return what the work makes of the input; None where a point or a field element is none."""
    try:
        return work(data)
    except ValueError:
        return None


def _sum_gas(multiply: int, discount: tuple[int, ...]) -> Callable[[int], int]:
    def gas(terms: int) -> int:
        if not terms:
            return 0
        return terms * multiply * discount[min(terms, len(discount)) - 1] // _PER_MILLE

    return gas


G1_ADD: Final = _fixed(375, 2 * _G1_BYTES, _add_g1)
G1_MULTIPLY_SUM: Final = _repeated(_sum_gas(_G1_MULTIPLY_GAS, G1_DISCOUNT), _G1_TERM_BYTES, _multiply_sum_g1)
G2_ADD: Final = _fixed(600, 2 * _G2_BYTES, _add_g2)
G2_MULTIPLY_SUM: Final = _repeated(_sum_gas(_G2_MULTIPLY_GAS, G2_DISCOUNT), _G2_TERM_BYTES, _multiply_sum_g2)
PAIRING: Final = _repeated(lambda pairs: 37_700 + 32_600 * pairs, _PAIR_BYTES, _pairing)
MAP_TO_G1: Final = _fixed(5_500, _FIELD_BYTES, _map_g1)
MAP_TO_G2: Final = _fixed(23_800, 2 * _FIELD_BYTES, _map_g2)
