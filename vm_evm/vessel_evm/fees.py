"""What gas costs: the base fee from block to block, and what a transaction pays (EIP-1559).

Amounts are native coin per unit of gas.
"""

from __future__ import annotations

from vessel.primitives.section import Section
from vessel.primitives.units import Coin

ELASTICITY = 2  # the target is the gas limit over this
MAX_CHANGE_DENOMINATOR = 8  # a full or an empty block moves the fee by an eighth


def next_base_fee(parent: Section) -> Coin:
    """Return the base fee of the block after the one that `parent` describes."""
    target = parent.gas_limit // ELASTICITY
    if not target or parent.gas_used == target:
        return parent.base_fee
    change = parent.base_fee * abs(parent.gas_used - target) // target // MAX_CHANGE_DENOMINATOR
    if parent.gas_used > target:
        return Coin(parent.base_fee + max(change, 1))
    return Coin(parent.base_fee - change)


def effective_gas_price(max_fee: int, max_priority_fee: int, base_fee: int) -> Coin:
    """Return what each unit of gas costs the sender; the fee cap where that is below the base fee."""
    return Coin(min(max_fee, base_fee + max_priority_fee))
