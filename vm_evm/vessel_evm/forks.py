"""What a fork changes for whole transactions and blocks, each row on top of the one before.

What it changes for instructions and precompiles is with the engines.
"""

from __future__ import annotations

from typing import Final

import msgspec

from vessel.primitives.units import Address


class BlobSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """How many blobs a block aims at and may have, and how fast their base fee moves (EIP-4844, EIP-7840).

    per_transaction: the most that one may carry (EIP-7594). has_reserve_price: EIP-7918.
    """

    target: int
    maximum: int
    update_fraction: int
    per_transaction: int
    has_reserve_price: bool = False


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one fork.

    types: of transactions. has_base_fee: EIP-1559. limits_init_code: EIP-3860. has_floor: the input has a
    least price (EIP-7623). gas_cap: of one transaction, 0 for none (EIP-7825). begin_calls, end_calls:
    system contracts that a block calls, in order.
    """

    fork: str
    types: tuple[int, ...]
    has_base_fee: bool = False
    limits_init_code: bool = False
    has_floor: bool = False
    gas_cap: int = 0
    blobs: BlobSchedule | None = None
    begin_calls: tuple[Address, ...] = ()
    end_calls: tuple[Address, ...] = ()


def _address(digits: str) -> Address:
    return Address(bytes.fromhex(digits))


BEACON_ROOTS: Final = _address("000f3df6d732807ef1319fb7b8bb8522d0beac02")  # EIP-4788
HISTORY_STORAGE: Final = _address("0000f90827f1c53a10cb7a02335b175320002935")  # EIP-2935
WITHDRAWAL_REQUESTS: Final = _address("00000961ef480eb55e80d19ad83579a64c007002")  # EIP-7002
CONSOLIDATION_REQUESTS: Final = _address("0000bbddc7ce488642fb579f8b00f3a590007251")  # EIP-7251

_BERLIN = Rules(fork="berlin", types=(0, 1))
_LONDON = msgspec.structs.replace(_BERLIN, fork="london", types=(0, 1, 2), has_base_fee=True)
_PARIS = msgspec.structs.replace(_LONDON, fork="paris")
_SHANGHAI = msgspec.structs.replace(_PARIS, fork="shanghai", limits_init_code=True)
_CANCUN = msgspec.structs.replace(
    _SHANGHAI,
    fork="cancun",
    types=(0, 1, 2, 3),
    blobs=BlobSchedule(target=3, maximum=6, update_fraction=3_338_477, per_transaction=6),
    begin_calls=(BEACON_ROOTS,),
)
_PRAGUE = msgspec.structs.replace(
    _CANCUN,
    fork="prague",
    types=(0, 1, 2, 3, 4),
    has_floor=True,
    blobs=BlobSchedule(target=6, maximum=9, update_fraction=5_007_716, per_transaction=9),
    begin_calls=(BEACON_ROOTS, HISTORY_STORAGE),
    end_calls=(WITHDRAWAL_REQUESTS, CONSOLIDATION_REQUESTS),
)
_OSAKA = msgspec.structs.replace(
    _PRAGUE,
    fork="osaka",
    gas_cap=1 << 24,
    blobs=BlobSchedule(
        target=6, maximum=9, update_fraction=5_007_716, per_transaction=6, has_reserve_price=True
    ),
)

RULES: Final = {
    rules.fork: rules for rules in (_BERLIN, _LONDON, _PARIS, _SHANGHAI, _CANCUN, _PRAGUE, _OSAKA)
}
