"""The block header and the block id.

The id covers the result of the *parent* (state root, receipts root), not its own: the next block may
begin while this one's root is still being made. A block's own result stands in its seal once known,
and for good in its child.
"""

from __future__ import annotations

import msgspec

from vessel.primitives.encoding import blob, listing, u16, u64
from vessel.primitives.hashing import Hasher
from vessel.primitives.section import Section
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH, Address, Gas, Hash32, Height

HEADER_VERSION = 1
_ID_TAG = b"vessel/block/"


class BlockResult(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What executing a block came to. gas_used is the sum over containers, for display only."""

    state_root: Hash32 = ZERO_HASH
    receipts_root: Hash32 = ZERO_HASH
    gas_used: Gas = Gas(0)

    def encode(self) -> bytes:
        """Return the canonical bytes that the child's id covers."""
        return self.state_root + self.receipts_root + u64(self.gas_used)


class Header(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Everything a block's id covers.

    parent_id, parent_result: zeros in the genesis block. time_ms: milliseconds since the Unix epoch,
    strictly above the parent's. sections: by container, sorted by name. consensus: bytes of the
    consensus engine (a difficulty, a lottery proof). randomness: 32 bytes that consensus vouches for.
    mainchain_link: for a sidechain, the mainchain block it rests on; empty elsewhere.
    """

    height: Height
    parent_id: Hash32
    time_ms: int
    transactions_root: Hash32
    proposer: Address = ZERO_ADDRESS
    randomness: Hash32 = ZERO_HASH
    sections: tuple[tuple[str, Section], ...] = ()
    parent_result: BlockResult = BlockResult()
    consensus: bytes = b""
    mainchain_link: bytes = b""
    version: int = HEADER_VERSION

    def encode(self) -> bytes:
        """Return the canonical bytes of the header."""
        return (
            u16(self.version)
            + u64(self.height)
            + self.parent_id
            + u64(self.time_ms)
            + self.proposer
            + self.randomness
            + self.transactions_root
            + listing(section.encode(name) for name, section in self.sections)
            + self.parent_result.encode()
            + blob(self.consensus)
            + blob(self.mainchain_link)
        )

    def block_id(self, hasher: Hasher) -> Hash32:
        """Return the block's id."""
        return hasher(_ID_TAG + self.encode())

    def section(self, container: str) -> Section:
        """Return a container's section; an empty one where the header has none."""
        for name, section in self.sections:
            if name == container:
                return section
        return Section()
