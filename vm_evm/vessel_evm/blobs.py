"""Blob gas: what blobs cost, from block to block (EIP-4844, EIP-7918).

A block's excess and use of blob gas are in `Section.extra`, 8 bytes each; nothing there means zero.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vessel.primitives.section import Section
from vessel.primitives.units import Coin
from vessel_evm.forks import BlobSchedule

GAS_PER_BLOB: Final = 1 << 17
MIN_BASE_FEE: Final = 1
_RESERVE_GAS: Final = 1 << 13  # BLOB_BASE_COST
VERSION: Final = 0x01  # first byte of a hash


class BlobGas(NamedTuple):
    """Blob gas of one block: above the target so far, and used in it."""

    excess: int = 0
    used: int = 0


def read_blob_gas(section: Section) -> BlobGas:
    """Return what a section says."""
    if len(section.extra) != 16:
        return BlobGas()
    return BlobGas(int.from_bytes(section.extra[:8], "big"), int.from_bytes(section.extra[8:], "big"))


def encode_blob_gas(gas: BlobGas) -> bytes:
    """Return what goes into a section; nothing where there is nothing to say."""
    return gas.excess.to_bytes(8, "big") + gas.used.to_bytes(8, "big") if any(gas) else b""


def blob_base_fee(excess: int, schedule: BlobSchedule) -> Coin:
    """Return the price of a unit of blob gas: e ** (excess / fraction), by its series in integers."""
    fraction = schedule.update_fraction
    index, total, term = 1, 0, MIN_BASE_FEE * fraction
    while term > 0:
        total += term
        term = term * excess // (fraction * index)
        index += 1
    return Coin(total // fraction)


def next_excess(parent: Section, schedule: BlobSchedule) -> int:
    """Return the excess of the block after the one that `parent` describes."""
    gas = read_blob_gas(parent)
    target = schedule.target * GAS_PER_BLOB
    if gas.excess + gas.used < target:
        return 0
    if schedule.has_reserve_price:
        price = GAS_PER_BLOB * blob_base_fee(gas.excess, schedule)
        if _RESERVE_GAS * parent.base_fee > price:
            return gas.excess + gas.used * (schedule.maximum - schedule.target) // schedule.maximum
    return gas.excess + gas.used - target
