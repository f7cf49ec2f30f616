"""An order book: native coin against one asset a symbol. Nothing in it resembles an account machine.

Transactions have no nonce. Each names the time at which it lapses; until then the book remembers its
id, afterwards the time refuses it. Orders stand in the state sorted by price, so the best one of either
side is a range read of one entry, from the front for sellers and from the end for buyers.

A transaction is `trader (8 bytes) ‖ proof (8 bytes) ‖ JSON`. The proof is a hash that anyone can make:
a stand-in for a signature, good for tests and nothing else. A trader's coin is on the ledger, at the
reserved address that ends in the trader's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import msgspec

from containers.order_book_state import (
    ARRIVALS,
    HOLDING,
    ORDER,
    SEEN,
    SPIN,
    SUMMARY,
    WINNER,
    Failure,
    Metered,
    Order,
    side_key,
    side_range,
)
from containers.order_book_transaction import (
    LEAST_GAS,
    NAME_SIZE_BYTES,
    Body,
    Cancel,
    Draw,
    Fail,
    Issue,
    Place,
    Send,
    Spin,
    Trap,
    decode,
)
from vessel.container import (
    BLOCK_HOOKS,
    ESTIMATE,
    BlockEndResult,
    BlockStart,
    BlockState,
    Configuration,
    ConfigurationError,
    Configured,
    ContainerTransaction,
    HookResult,
    InvalidRequest,
    KeySet,
    Log,
    Manifest,
    Mode,
    Outcome,
    Range,
    Section,
    Status,
    TransactionBatch,
    TransactionCheck,
    TransactionResult,
    ValidationRequest,
    ViewRequest,
    ViewResult,
    ledger_key,
    namespace_prefix,
)
from vessel.primitives.address import parse_address, reserved_address
from vessel.primitives.encoding import u64
from vessel.primitives.units import Address, Coin, Gas

MAX_LIFE_MS = 3_600_000
RECENT_IDS = 16


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The book's table of the genesis: least price of gas, symbol to issuer and first quantity."""

    least_gas_price: int = 1
    assets: dict[str, tuple[str, int]] = {}


def gas_price(parent: Section, least: int) -> int:
    """Return the price of gas after `parent`: one up when that was over half full, else one down."""
    full = parent.gas_used * 2 > parent.gas_limit
    return max(least, parent.base_fee + (1 if full else -1))


class Matching:
    """One block of the book."""

    def __init__(self, instance: str, parameters: Parameters, start: BlockStart, state: BlockState) -> None:
        """Open the block."""
        self._instance = instance
        self._parameters = parameters
        self._start = start
        self._state = state
        self._price = gas_price(start.parent_section, parameters.least_gas_price)
        self._escrow = self.address(b"\0escrow\0")
        self._pot = self.address(b"\0fees\0\0\0")
        self._gas_left: int = start.gas_limit
        self._gas_used = self._count = self._volume = self._filled = 0
        self._fills: list[Log] = []

    def address(self, trader: bytes) -> Address:
        """Return where a trader's coin lies."""
        return reserved_address(self._instance, trader)

    # ---- the block

    def begin(self) -> HookResult:
        """In genesis hand out the assets; afterwards take out whatever has lapsed."""
        if self._start.mode is Mode.GENESIS:
            meter = Metered(self._state, 1 << 62)
            for symbol, (issuer, quantity) in sorted(self._parameters.assets.items()):
                meter.hold(symbol, _name(issuer), quantity)
            section = Section(
                gas_limit=self._start.gas_limit, base_fee=Coin(self._parameters.least_gas_price)
            )
            return HookResult(writes=self._state.take_writes(), section=section)
        logs = []
        for key, _ in self._state.scan(SEEN, SEEN + u64(self._start.time_ms + 1)):
            self._state.delete(key)
            order_id = key[len(SEEN) + 8 :]
            if packed := self._state.get(ORDER + order_id):
                order = msgspec.msgpack.decode(packed, type=Order)
                self._take_out(Metered(self._state, 1 << 62), order_id, order)
                logs.append(Log(address=self.address(order.trader), topics=(b"expired", order_id)))
        return HookResult(writes=self._state.take_writes(), logs=tuple(logs))

    def transactions(self, batch: TransactionBatch) -> Iterator[TransactionResult]:
        """Execute in order, up to the first that does not fit."""
        if batch.gas_available is not None:
            self._gas_left = batch.gas_available
        for index, transaction in enumerate(batch.transactions, batch.first_index):
            result = self._transaction(index, transaction)
            yield result
            if not result.fits:
                return

    def end(self) -> BlockEndResult:
        """Burn the fees, and sum up."""
        burned = self._state.balance(self._pot)
        self._state.add_balance(self._pot, -burned)
        summary = msgspec.json.encode(
            {
                "height": self._start.height,
                "time_ms": self._start.time_ms,
                "proposer": self._start.proposer.hex(),
                "transactions": self._count,
                "volume": self._volume,
                "burned": str(burned),
                "parent": self._start.parent_section.extra.hex(),
            },
            order="sorted",
        )
        self._state.put(SUMMARY, summary)
        section = Section(
            gas_limit=self._start.gas_limit,
            gas_used=Gas(self._gas_used),
            base_fee=Coin(self._price),
            extra=hashlib.sha256(summary).digest(),
        )
        logs = (Log(address=self._pot, topics=(b"summary",), data=summary),)
        return BlockEndResult(section=section, writes=self._state.take_writes(), burned=burned, logs=logs)

    # ---- one transaction

    def _transaction(self, index: int, transaction: ContainerTransaction) -> TransactionResult:
        transaction_id = hashlib.sha256(transaction.raw).digest()
        decoded = decode(transaction.raw, transaction.prepared)
        reason = decoded if isinstance(decoded, str) else self.refusal(transaction_id, *decoded)
        if reason or isinstance(decoded, str):
            return TransactionResult(index=index, included=False, reason=reason, id=transaction_id)
        trader, body = decoded
        if body.gas_limit > self._gas_left:
            return TransactionResult(
                index=index, included=False, fits=False, reason="BLOCK_FULL", id=transaction_id
            )
        sender = self.address(trader)
        self._state.put(SEEN + u64(body.expires_at_ms) + transaction_id, b"")
        status, output, logs, gas_used, message = self.run(trader, body, transaction_id)
        self._state.add_balance(sender, -gas_used * self._price)
        self._state.add_balance(self._pot, gas_used * self._price)
        self._gas_left -= gas_used
        self._gas_used += gas_used
        self._volume += self._filled
        self._count += 1
        return TransactionResult(
            index=index,
            included=True,
            status=status,
            gas_used=Gas(gas_used),
            output=output,
            writes=self._state.take_writes(),
            logs=logs,
            tags=(sender, trader),
            details=msgspec.json.encode({"gas_price": self._price}),
            message=message,
            id=transaction_id,
            sender=sender,
        )

    def refusal(self, transaction_id: bytes, trader: bytes, body: Body) -> str:
        """Return why the transaction has no place in this block; empty where it has."""
        if body.expires_at_ms <= self._start.time_ms:
            return "EXPIRED"
        if body.expires_at_ms > self._start.time_ms + MAX_LIFE_MS:
            return "EXPIRES_TOO_LATE"
        if self._state.get(SEEN + u64(body.expires_at_ms) + transaction_id) is not None:
            return "DUPLICATE"
        return "" if self.can_pay(trader, body) else "INSUFFICIENT_FUNDS"

    def can_pay(self, trader: bytes, body: Body) -> bool:
        """Return whether the trader has the most that the transaction can cost in gas."""
        return self._state.balance(self.address(trader)) >= body.gas_limit * self._price

    def run(
        self, trader: bytes, body: Body, transaction_id: bytes
    ) -> tuple[Status, bytes, tuple[Log, ...], int, str]:
        """Do what the transaction says: status, output, logs, gas used, message. The fee stays untouched."""
        sender, most = self.address(trader), body.gas_limit * self._price
        self._state.add_balance(sender, -most)  # whatever happens, the fee can be paid
        mark = self._state.checkpoint()
        meter = Metered(self._state, body.gas_limit)
        self._fills, self._filled = [], 0
        try:
            meter.charge(LEAST_GAS)
            output = self._act(meter, trader, body, transaction_id)
            status, message = Status.OK, ""
        except Failure as failure:
            self._state.revert(mark)
            self._fills, self._filled = [], 0
            status, message = failure.status, str(failure)
            output = message.encode() if status is Status.REVERTED else b""
        self._state.add_balance(sender, most)
        return status, output, tuple(self._fills), meter.gas_used, message

    def _act(self, meter: Metered, trader: bytes, body: Body, transaction_id: bytes) -> bytes:
        match body.action:
            case Place() as place:
                return self._place(meter, trader, transaction_id, place)
            case Cancel(order=wanted):
                try:
                    order_id = bytes.fromhex(wanted)
                except ValueError:
                    raise Failure(Status.INVALID, f"{wanted!r} is not an order id") from None
                packed = meter.get(ORDER + order_id)
                if packed is None:
                    raise Failure(Status.INVALID, "no such order stands in the book")
                order = msgspec.msgpack.decode(packed, type=Order)
                if order.trader != trader:
                    raise Failure(Status.DENIED, f"the order is {order.trader!r}'s")
                self._take_out(meter, order_id, order)
            case Issue(symbol=symbol, quantity=quantity):
                issuer, _ = self._parameters.assets.get(symbol, ("", 0))
                if _name(issuer) != trader:
                    raise Failure(Status.DENIED, f"{symbol} is issued by {issuer or 'nobody'}")
                meter.hold(symbol, trader, quantity)
            case Send(to=to, amount=amount):
                meter.move(self.address(trader), _address(to), amount)
            case Draw(symbol=symbol, back=back):
                return self._draw(meter, symbol, back)
            case Fail(keys=keys):
                for number in range(keys):
                    meter.put(WINNER + u64(number), transaction_id)
                meter.move(self.address(trader), self._escrow, 1)
                raise Failure(Status.REVERTED, f"failed on purpose after {keys} writes")
            case Trap():
                meter.exhaust()
                raise Failure(Status.TRAP, "division by zero")
            case Spin(steps=steps):
                for _ in range(steps):
                    meter.charge(SPIN)
        return b""

    def _place(self, meter: Metered, trader: bytes, order_id: bytes, place: Place) -> bytes:
        buys = place.side == "buy"
        own = self.address(trader)
        if buys:
            meter.move(own, self._escrow, place.price * place.quantity)
        else:
            meter.hold(place.symbol, trader, -place.quantity)
        left = place.quantity
        start, stop = side_range(place.symbol, bids=not buys)
        while left:
            best = meter.scan(start, stop, reverse=not buys, limit=1)
            if not best:
                break
            key, other_id = best[0][0], best[0][1]
            packed = meter.get(ORDER + other_id)
            if packed is None:
                raise AssertionError(f"{key.hex()} stands for an order that does not exist")
            other = msgspec.msgpack.decode(packed, type=Order)
            if (other.price > place.price) if buys else (other.price < place.price):
                break
            filled = min(left, other.quantity)
            seller, buyer = (other.trader, trader) if buys else (trader, other.trader)
            meter.move(self._escrow, self.address(seller), filled * other.price)
            meter.hold(place.symbol, buyer, filled)
            if buys and place.price > other.price:
                meter.move(self._escrow, own, filled * (place.price - other.price))
            if filled == other.quantity:
                meter.delete(key)
                meter.delete(ORDER + other_id)
            else:
                rest = msgspec.structs.replace(other, quantity=other.quantity - filled)
                meter.put(ORDER + other_id, msgspec.msgpack.encode(rest))
            left -= filled
            self._filled += filled
            self._fills.append(
                Log(
                    address=own,
                    topics=(b"filled", order_id, other_id),
                    data=u64(other.price) + u64(filled),
                )
            )
        if left:
            arrival = int.from_bytes(meter.get(ARRIVALS) or b"", "big") + 1
            meter.put(ARRIVALS, u64(arrival))
            order = Order(trader, buys, place.symbol, place.price, left, arrival)
            meter.put(ORDER + order_id, msgspec.msgpack.encode(order))
            meter.put(side_key(order, order_id), order_id)
        return u64(place.quantity - left)

    def _take_out(self, meter: Metered, order_id: bytes, order: Order) -> None:
        meter.delete(ORDER + order_id)
        meter.delete(side_key(order, order_id))
        if order.buys:
            meter.move(self._escrow, self.address(order.trader), order.price * order.quantity)
        else:
            meter.hold(order.symbol, order.trader, order.quantity)

    def _draw(self, meter: Metered, symbol: str, back: int) -> bytes:
        ids = self._start.recent_ids
        if not 0 <= back < len(ids):
            raise Failure(Status.REVERTED, f"block ids reach {len(ids)} back, not {back}")
        prefix = HOLDING + symbol.ljust(8).encode()
        holders = meter.scan(prefix, prefix + b"\xff" * 9)
        if not holders:
            raise Failure(Status.REVERTED, f"nobody holds {symbol}")
        seed = hashlib.sha256(ids[back] + self._start.randomness).digest()
        winner = holders[int.from_bytes(seed, "big") % len(holders)][0][len(prefix) :]
        meter.put(WINNER + symbol.encode(), winner)
        return winner + seed


class OrderBookContainer:
    """The book, as the host drives it."""

    manifest = Manifest(
        name="order_book",
        version="1.0.0",
        capabilities=frozenset({BLOCK_HOOKS, ESTIMATE}),
        recent_ids=RECENT_IDS,
    )

    def __init__(self) -> None:
        """Wait to be configured."""
        self._parameters = Parameters()
        self._instance = ""
        self._prefix = b""

    def configure(self, configuration: Configuration) -> Configured:
        """Take the parameters."""
        try:
            self._parameters = msgspec.json.decode(configuration.parameters, type=Parameters)
        except msgspec.DecodeError as error:
            raise ConfigurationError(f"[containers.{configuration.instance}] {error}") from error
        self._instance = configuration.instance
        self._prefix = namespace_prefix(configuration.namespace)
        return Configured(schema_version=1, engine_digest=hashlib.sha256(b"order_book/1").digest())

    def validate(self, request: ValidationRequest, state: BlockState) -> Sequence[TransactionCheck]:
        """Check proof, time, replay and funds."""
        start = BlockStart(
            mode=Mode.VIEW,
            height=request.height,
            time_ms=request.time_ms,
            state_version=request.state_version,
            parent_section=request.parent_section,
        )
        block = Matching(self._instance, self._parameters, start, state)
        return [self._check(block, raw) for raw in request.raw]

    def _check(self, block: Matching, raw: bytes) -> TransactionCheck:
        transaction_id = hashlib.sha256(raw).digest()
        decoded = decode(raw)
        reason = decoded if isinstance(decoded, str) else block.refusal(transaction_id, *decoded)
        if reason or isinstance(decoded, str):
            message = f"the order book refuses the transaction: {reason.lower().replace('_', ' ')}"
            return TransactionCheck(accepted=False, reason=reason, message=message, id=transaction_id)
        trader, body = decoded
        sender = block.address(trader)
        keys = [ledger_key(sender), self._prefix + SEEN + u64(body.expires_at_ms) + transaction_id]
        ranges: tuple[Range, ...] = ()
        if isinstance(body.action, Place):
            bids = body.action.side == "sell"
            start, stop = side_range(body.action.symbol, bids=bids)
            ranges = (Range(start=self._prefix + start, stop=self._prefix + stop, reverse=bids, limit=1),)
            keys += [
                self._prefix + ARRIVALS,
                self._prefix + HOLDING + body.action.symbol.ljust(8).encode() + trader,
                ledger_key(block.address(b"\0escrow\0")),
            ]
        return TransactionCheck(
            accepted=True,
            id=transaction_id,
            sender=sender,
            expires_at_ms=body.expires_at_ms,
            bid=Coin(1 << 40),
            gas_limit=Gas(body.gas_limit),
            hint=KeySet(keys=tuple(keys), ranges=ranges),
            prepared=msgspec.msgpack.encode(body),
        )

    def execute(self, start: BlockStart, state: BlockState) -> Matching:
        """Open a block."""
        return Matching(self._instance, self._parameters, start, state)

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        """Nothing is kept between blocks."""

    def view(self, request: ViewRequest, state: BlockState) -> ViewResult:
        """Answer `best` and `holding`, or run an action for the trader whose address is the sender."""
        if request.query is not None:
            return self._query(request.query.method, request.query.parameters, state)
        assert request.call is not None
        try:
            action = msgspec.json.decode(request.call.input, type=Body)
        except msgspec.DecodeError as error:
            return ViewResult(status=Status.INVALID, reason="MALFORMED", message=str(error))
        block = Matching(self._instance, self._parameters, request.start, state)
        trader = request.call.sender[-NAME_SIZE_BYTES:]
        if state.balance(block.address(trader)) < action.gas_limit * (
            request.start.parent_section.base_fee + 1
        ):
            return ViewResult(
                status=Status.INVALID, reason="INSUFFICIENT_FUNDS", message="cannot pay for the gas"
            )
        status, output, logs, gas_used, message = block.run(trader, action, bytes(32))
        reason = "" if status is Status.OK else status.name
        return ViewResult(
            status=status, output=output, gas_used=Gas(gas_used), logs=logs, message=message, reason=reason
        )

    def _query(self, method: str, parameters: bytes, state: BlockState) -> ViewResult:
        try:
            given: dict[str, str] = msgspec.json.decode(parameters, type=dict[str, str])
            answer: Any
            if method == "best":
                answer = {
                    name: [
                        int.from_bytes(key[9:17], "big")
                        for key, _ in state.scan(
                            *side_range(given["symbol"], bids=bids), reverse=bids, limit=1
                        )
                    ]
                    for name, bids in (("ask", False), ("bid", True))
                }
            elif method == "holding":
                key = HOLDING + given["symbol"].ljust(8).encode() + _name(given["trader"])
                answer = int.from_bytes(state.get(key) or b"", "big")
            elif method == "summary":
                answer = msgspec.Raw(state.get(SUMMARY) or b"null")
            else:
                _unknown(method)
        except (msgspec.DecodeError, KeyError, Failure) as error:
            return ViewResult(status=Status.INVALID, reason="BAD_QUERY", message=f"{method}: {error}")
        return ViewResult(json=msgspec.json.encode(answer))


def _unknown(method: str) -> NoReturn:
    raise Failure(Status.INVALID, f"no query {method!r}; there are best, holding and summary")


def _name(text: str) -> bytes:
    return text.encode().ljust(NAME_SIZE_BYTES, b"\0")[:NAME_SIZE_BYTES]


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except InvalidRequest as error:
        raise Failure(Status.INVALID, str(error)) from error
