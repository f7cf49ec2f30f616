"""A container's section of the block header."""

from __future__ import annotations

import msgspec

from vessel.primitives.encoding import blob, integer, text, u64
from vessel.primitives.units import Coin, Gas

MAX_SECTION_EXTRA_SIZE_BYTES = 4096


class Section(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a container says of one block, given back to it for the next.

    gas_limit: the host's word, from the genesis. gas_used: the sum over the block's receipts of this
    container. base_fee: price of a unit of gas in this block, in native coin; 0 where gas is free.
    extra: the container's own bytes (roots, blooms), at most 4 KiB. idle: it took no part in the
    block (no transactions, and no hooks or out of service), and the rest is carried from before.
    """

    gas_limit: Gas = Gas(0)
    gas_used: Gas = Gas(0)
    base_fee: Coin = Coin(0)
    extra: bytes = b""
    idle: bool = False

    def encode(self, container: str) -> bytes:
        """Return the canonical bytes that the block id covers."""
        return (
            text(container)
            + u64(self.gas_limit)
            + u64(self.gas_used)
            + blob(integer(self.base_fee))
            + blob(self.extra)
            + (b"\1" if self.idle else b"\0")
        )

    def carried(self) -> Section:
        """Return the section for a block in which the container took no part."""
        return Section(gas_limit=self.gas_limit, base_fee=self.base_fee, extra=self.extra, idle=True)
