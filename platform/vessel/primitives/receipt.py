"""What became of a transaction."""

from __future__ import annotations

import enum

import msgspec

from vessel.primitives.encoding import blob, integer, listing, text, u16, u64
from vessel.primitives.units import Coin, Gas


class Status(enum.IntEnum):
    """Deterministic outcomes; the numbers are those of container/v1. See `consensus_status`."""

    OK = 1
    REVERTED = 2
    OUT_OF_GAS = 3
    TRAP = 4
    INVALID = 5
    DENIED = 6


_FAILED = 3


def consensus_status(status: Status) -> int:
    """Return what of a status the receipts root covers: 1 succeeded, 2 reverted, 3 failed otherwise.

    How code failed is for people: an instruction that lacks both gas and stack is one fault to this
    engine and another to that, and no chain should split over which was noticed first.
    """
    return int(status) if status in (Status.OK, Status.REVERTED) else _FAILED


class Log(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One event: who emitted it, what it can be found by, what it says."""

    address: bytes
    topics: tuple[bytes, ...] = ()
    data: bytes = b""

    def encode(self) -> bytes:
        """Return the canonical bytes of the log."""
        return blob(self.address) + listing(map(blob, self.topics)) + blob(self.data)


class Receipt(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The outcome of one transaction of a block.

    transaction_id, sender, tags and details are the container's own and stay out of the root: they
    follow from the raw bytes, or are for search and display.
    """

    container: str
    transaction_id: bytes
    sender: bytes
    status: Status
    gas_used: Gas
    output: bytes = b""
    burned: Coin = Coin(0)
    logs: tuple[Log, ...] = ()
    tags: tuple[bytes, ...] = ()
    details: bytes = b""

    def encode(self) -> bytes:
        """Return the canonical bytes: a leaf of the block's receipts root."""
        return (
            text(self.container)
            + u16(consensus_status(self.status))
            + u64(self.gas_used)
            + blob(self.output)
            + blob(integer(self.burned))
            + listing(log.encode() for log in self.logs)
        )


class HookReceipt(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a container did at the begin or end of a block, outside of any transaction."""

    container: str
    at_end: bool
    burned: Coin = Coin(0)
    logs: tuple[Log, ...] = ()

    def encode(self) -> bytes:
        """Return the canonical bytes: these leaves follow those of the transactions."""
        return (
            text(self.container)
            + u16(0xFFFF if self.at_end else 0xFFFE)  # apart from every Status
            + blob(integer(self.burned))
            + listing(log.encode() for log in self.logs)
        )
