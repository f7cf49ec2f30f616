"""Where the order book keeps what, and what touching it costs."""

from __future__ import annotations

import msgspec

from vessel.container import BlockState, Status
from vessel.primitives.encoding import u64
from vessel.primitives.units import Address

# Own keys.
ASKS, BIDS, ORDER, HOLDING, SEEN, WINNER = b"a", b"b", b"o", b"h", b"s", b"w"
ARRIVALS, SUMMARY = b"n", b"y"

# Gas of one step.
READ, WRITE, SPIN = 2, 5, 1


class Failure(Exception):
    """A deterministic end of a transaction, other than success."""

    def __init__(self, status: Status, message: str) -> None:
        """Keep what the result will say."""
        super().__init__(message)
        self.status = status


class Order(msgspec.Struct, frozen=True, array_like=True):
    """An order that stands in the book."""

    trader: bytes
    buys: bool
    symbol: str
    price: int
    quantity: int
    arrival: int


def side_key(order: Order, order_id: bytes) -> bytes:
    """Return where the order stands: the best buyer last of BIDS, the best seller first of ASKS."""
    arrival = (1 << 64) - 1 - order.arrival if order.buys else order.arrival
    side = BIDS if order.buys else ASKS
    return side + order.symbol.ljust(8).encode() + u64(order.price) + u64(arrival) + order_id


def side_range(symbol: str, *, bids: bool) -> tuple[bytes, bytes]:
    """Return the bounds of one side of a symbol's book."""
    prefix = (BIDS if bids else ASKS) + symbol.ljust(8).encode()
    return prefix, prefix + b"\xff" * 17


class Metered:
    """The state of one transaction: every step costs gas."""

    def __init__(self, state: BlockState, gas_limit: int) -> None:
        """Give `gas_limit`."""
        self._state = state
        self._gas_limit = gas_limit
        self.gas_used = 0

    def charge(self, gas: int) -> None:
        """Use gas, or end the transaction."""
        if self.gas_used + gas > self._gas_limit:
            used, self.gas_used = self.gas_used, self._gas_limit
            raise Failure(
                Status.OUT_OF_GAS,
                f"a step needs {gas} gas, {self._gas_limit - used} of {self._gas_limit} left",
            )
        self.gas_used += gas

    def exhaust(self) -> None:
        """Use all that was given."""
        self.gas_used = self._gas_limit

    def get(self, key: bytes) -> bytes | None:
        """Read an own key."""
        self.charge(READ)
        return self._state.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Write an own key."""
        self.charge(WRITE)
        self._state.put(key, value)

    def delete(self, key: bytes) -> None:
        """Delete an own key."""
        self.charge(WRITE)
        self._state.delete(key)

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int = 0
    ) -> list[tuple[bytes, bytes]]:
        """Read own entries."""
        self.charge(READ)
        found = self._state.scan(start, stop, reverse=reverse, limit=limit)
        self.charge(READ * len(found))
        return found

    def move(self, source: Address, target: Address, amount: int) -> None:
        """Move coin."""
        self.charge(2 * WRITE)
        held = self._state.balance(source)
        if held < amount:
            raise Failure(Status.INVALID, f"0x{source.hex()} holds {held} coin, {amount} needed")
        self._state.add_balance(source, -amount)
        self._state.add_balance(target, amount)

    def hold(self, symbol: str, trader: bytes, change: int) -> None:
        """Change what a trader holds of an asset."""
        key = HOLDING + symbol.ljust(8).encode() + trader
        held = int.from_bytes(self.get(key) or b"", "big")
        if held + change < 0:
            raise Failure(Status.INVALID, f"{trader!r} holds {held} {symbol}, {-change} needed")
        if held + change:
            self.put(key, u64(held + change))
        else:
            self.delete(key)
