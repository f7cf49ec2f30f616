"""Random transactions for each toy container: what is valid, what is not, and what others write meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import msgspec
from eth_account import Account
from eth_hash.auto import keccak

from containers import order_book_transaction as book
from containers.host import GAS_LIMIT, Host
from vessel.container import Fork, Writes, encode_balance, ledger_key
from vessel.container.connection import Connection
from vessel.primitives.address import reserved_address
from vessel.primitives.units import Address, Gas, Height

BLOCK_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One kind of container and what can happen to it.

    raw: a transaction for the block at a time. foreign: writes of others. queries: to compare at the end.
    """

    kind: str
    instance: str
    parameters: bytes
    coins: dict[bytes, int]
    raw: Callable[[Random, int], bytes]
    foreign: Callable[[Random], Writes]
    queries: tuple[tuple[str, dict[str, object]], ...]
    # Where a transaction depends on the state.
    batch: Callable[[Host, Random, int], list[bytes]] | None = None
    forks: tuple[Fork, ...] = ()
    owns_open_addresses: bool = False
    gas_limit: Gas = GAS_LIMIT

    def host(self, connection: Connection) -> Host:
        """Return a host on which this runs."""
        return Host(
            connection,
            instance=self.instance,
            parameters=self.parameters,
            coins=self.coins,
            forks=self.forks,
            owns_open_addresses=self.owns_open_addresses,
            gas_limit=self.gas_limit,
        )

    def transactions(self, host: Host, random: Random, time_ms: int) -> list[bytes]:
        """Return what might be in the next block, good and bad."""
        if self.batch is not None:
            return self.batch(host, random, time_ms)
        return [self.raw(random, time_ms) for _ in range(random.randrange(24))]


# ---- the counter


def _count(random: Random, time_ms: int) -> bytes:
    if random.random() < 0.15:
        return random.choice((b"", b"add", b"add x -1", b"add x 1 2 3", b"\xff\xfe", b"sub x 1"))
    name = random.choice((b"a", b"b", b"ab", b"\x00", "ä".encode()))
    return b"add %s %d n%d" % (name, random.randrange(1000), random.randrange(60))


def _pay_others(random: Random) -> Writes:
    return {ledger_key(reserved_address("other", bytes(8))): bytes([random.randrange(1, 256)])}


COUNTER = Workload(
    kind="containers.counter:CounterContainer",
    instance="counter",
    parameters=b"{}",
    coins={},
    raw=_count,
    foreign=_pay_others,
    queries=(("value", {"name": "a"}), ("value", {"name": "ä"}), ("nothing", {})),
)

# ---- the order book

TRADERS = tuple(f"trader{n}".ljust(8).encode() for n in range(5))
SYMBOLS = ("GOLD", "IRON", "GOLDLEAF")  # of which one begins like another
BOOK = "book"


def trader_address(trader: bytes) -> Address:
    """Return where a trader's coin lies."""
    return reserved_address(BOOK, trader)


def _action(random: Random) -> book.Action:
    symbol = random.choice(SYMBOLS)
    kind = random.randrange(16)
    if kind < 8:
        return book.Place(
            side=random.choice(("buy", "sell")),
            symbol=symbol,
            price=random.randrange(90, 110),
            quantity=random.randrange(1, 20),
        )
    if kind == 8:
        return book.Send(
            to=f"0x{trader_address(random.choice(TRADERS)).hex()}", amount=random.randrange(1, 5000)
        )
    if kind == 9:
        return book.Issue(symbol=symbol, quantity=random.randrange(1, 100))
    if kind == 10:
        return book.Draw(symbol=symbol, back=random.randrange(20))
    if kind == 11:
        return book.Fail(keys=random.randrange(12))
    if kind == 12:
        return book.Trap()
    if kind == 13:
        return book.Spin(steps=random.randrange(600))
    return book.Cancel(order=random.choice(("", "zz", random.randbytes(32).hex())))


def _trade(random: Random, time_ms: int) -> bytes:
    life_ms = random.choice((0, 1, 2, 2, 5, 5, 20, 20, 20, 7_200)) * BLOCK_MS
    body = book.Body(
        expires_at_ms=time_ms + life_ms,
        gas_limit=random.choice((20, 60, 150, 150, 400, 400, 1_000)),
        salt=random.randrange(1 << 20),
        action=_action(random),  # type: ignore[arg-type]
    )
    raw = book.sign(random.choice(TRADERS), body)
    if random.random() < 0.05:
        raw = random.choice((raw[:-1], raw[:12], b"", raw + b" ", raw.replace(b"do", b"di")))
    return raw


def _pay(random: Random) -> Writes:
    """Coin that comes and goes by other containers, to be seen by this one."""
    chosen = random.sample(TRADERS, k=2)
    return {
        ledger_key(trader_address(t)): encode_balance(random.choice((100, 1_000, 1_000_000))) for t in chosen
    }


ORDER_BOOK = Workload(
    kind="containers.order_book:OrderBookContainer",
    instance=BOOK,
    parameters=msgspec.json.encode(
        {"assets": {s: (t.decode(), 1_000) for s, t in zip(SYMBOLS, TRADERS, strict=False)}}
    ),
    coins={trader_address(t): 1_000_000 for t in TRADERS},
    raw=_trade,
    foreign=_pay,
    queries=(
        ("best", {"symbol": "GOLD"}),
        ("best", {"symbol": "IRON"}),
        ("holding", {"symbol": "GOLD", "trader": TRADERS[0].decode()}),
        ("summary", {}),
        ("nothing", {}),
    ),
    gas_limit=Gas(2_000),
)

# ---- the EVM

ACCOUNTS = tuple(Account.from_key(bytes([number]) * 32) for number in (1, 2, 3))
CHAIN_ID = 7

# Adds the first word of the call to slot 0 and logs the sum; reverts where the call has more than that.
_ADDER = bytes.fromhex("5f545f3501805f555f5260205fa060203611601657005b5f5ffd")
_DEPLOY = bytes.fromhex("601a8060095f395ff3") + _ADDER


def _evm_transactions(host: Host, random: Random, time_ms: int) -> list[bytes]:
    raw: list[bytes] = []
    for account in ACCOUNTS:
        answer = host.query("account", address=account.address)
        assert isinstance(answer, dict)
        nonce = int(str(answer["nonce"]), 0)
        for _ in range(random.randrange(4)):
            kind = random.randrange(5) if nonce else 0
            to = random.choice(ACCOUNTS).address
            fields: dict[str, object] = {"to": to, "value": random.randrange(10**18), "data": b""}
            if kind == 0:
                fields = {"value": 0, "data": _DEPLOY}
            elif kind < 4:
                data = random.randbytes(32) + bytes(random.randrange(2))
                fields = {"to": _created(account.address, random.randrange(4)), "value": 0, "data": data}
            signed = account.sign_transaction(
                {
                    "chainId": CHAIN_ID,
                    "nonce": nonce,
                    "gas": random.choice((21_000, 30_000, 54_000, 60_000, 200_000)),
                    "maxFeePerGas": 10**10,
                    "maxPriorityFeePerGas": 10**9,
                    **fields,
                }
            )
            raw.append(bytes(signed.raw_transaction))
            nonce += 1 if random.random() < 0.9 else 0
    if raw and random.random() < 0.3:
        raw.append(random.choice((b"", b"\x02", raw[0][:-1], raw[0])))
    return raw


def _created(deployer: str, nonce: int) -> bytes:
    small = b"\x80" if nonce == 0 else bytes([nonce])  # the RLP of [deployer, nonce]
    return keccak(b"\xd6\x94" + bytes.fromhex(deployer[2:]) + small)[12:]


def _pay_accounts(random: Random) -> Writes:
    address = Address(bytes.fromhex(random.choice(ACCOUNTS).address[2:]))
    return {ledger_key(address): encode_balance(random.randrange(10**18, 10**20))}


EVM = Workload(
    kind="vessel_evm.container:EvmContainer",
    instance="evm",
    parameters=b"{}",
    coins={bytes.fromhex(account.address[2:]): 10**20 for account in ACCOUNTS},
    raw=lambda random, time_ms: random.randbytes(8),
    foreign=_pay_accounts,
    queries=tuple(("account", {"address": account.address}) for account in ACCOUNTS),
    batch=_evm_transactions,
    forks=(Fork(name="prague", height=Height(0)),),
    owns_open_addresses=True,
    gas_limit=Gas(1_000_000),
)

WORKLOADS = {"counter": COUNTER, "order_book": ORDER_BOOK, "evm": EVM}
