"""Gas that a transaction costs before its first instruction (Yellow Paper, section 6.2; EIPs below)."""

from __future__ import annotations

from collections.abc import Sequence

from vessel.primitives.units import Gas
from vessel_evm.forks import RULES, Rules
from vessel_evm.transaction import Access

TRANSACTION = 21_000
CREATION = 32_000
DATA_TOKEN = 4  # a zero byte is one token, any other byte four (EIP-2028, EIP-7623)
FLOOR_TOKEN = 10  # (EIP-7623)
INIT_CODE_WORD = 2  # (EIP-3860)
ACCESS_ADDRESS = 2_400  # (EIP-2930)
ACCESS_SLOT = 1_900
AUTHORIZATION = 25_000  # of an account that may be empty (EIP-7702)


def intrinsic_gas(
    *,
    creates: bool,
    data: bytes,
    access_list: Sequence[Access],
    authorizations: int,
    rules: Rules = RULES["prague"],
) -> tuple[Gas, Gas]:
    """Return the gas charged in advance, and the least that the transaction can end up using (EIP-7623)."""
    tokens = 4 * len(data) - 3 * data.count(0)
    gas = TRANSACTION + DATA_TOKEN * tokens
    if creates:
        gas += CREATION
        if rules.limits_init_code:
            gas += INIT_CODE_WORD * ((len(data) + 31) // 32)
    gas += ACCESS_ADDRESS * len(access_list)
    gas += ACCESS_SLOT * sum(len(access.slots) for access in access_list)
    gas += AUTHORIZATION * authorizations
    return Gas(gas), Gas(TRANSACTION + FLOOR_TOKEN * tokens if rules.has_floor else 0)
