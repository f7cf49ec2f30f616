"""Chains in memory: of the toy containers of tests/containers/, and of scripted ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from containers.counter import CounterContainer
from containers.order_book import OrderBookContainer
from containers.order_book_transaction import Body, sign
from unit.processing.fakes import FakeContainer
from vessel.chain.admission import Submitted
from vessel.chain.chain import Chain
from vessel.consensus.registry import make_consensus
from vessel.container.guard import Guard
from vessel.container.hosted import HostedContainer, LocalHosting
from vessel.container.interface import Container
from vessel.container.messages import Configuration
from vessel.database.chain_store import ChainStore
from vessel.errors import StorageError, VesselError
from vessel.primitives.address import reserved_address, reserved_prefix
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import Address, Gas
from vessel.processing.genesis import parse_genesis

GENESIS_MS = 1_767_225_600_000
GENESIS = """
[chain]
name = "test"
id = 7
time = 2026-01-01T00:00:00Z
[consensus]
engine = "instant"
mode = "{mode}"
{containers}
[accounts]
{accounts}
"""


class Clock:
    """Milliseconds since the Unix epoch, as the test says."""

    def __init__(self) -> None:
        """Begin a second after the genesis."""
        self.now_ms = GENESIS_MS + 1000

    def __call__(self) -> int:
        """Return the time."""
        return self.now_ms


def trader(name: str) -> bytes:
    """Return a trader's eight bytes."""
    return name.encode().ljust(8, b"\0")


def address(container: str, name: str) -> Address:
    """Return where a trader's coin lies."""
    return reserved_address(container, trader(name))


def order(name: str, action: Any, *, clock: Clock, salt: int = 0, gas_limit: int = 1000) -> bytes:
    """Return a signed transaction of the order book."""
    expires = clock.now_ms + 600_000
    return sign(trader(name), Body(expires_at_ms=expires, gas_limit=gas_limit, action=action, salt=salt))


class ToyChain:
    """A chain of a counter and two order books, `east` and `west`, that share the ledger."""

    NAMES = ("counter", "east", "west")

    def __init__(self, clock: Clock, *, mode: str = "manual", url: str = "memory:") -> None:
        """Open it with funded traders `ann` (east) and `bob` (west)."""
        accounts = "\n".join(
            f'"0x{address(book, name).hex()}" = 1_000_000'
            for book, name in (("east", "ann"), ("west", "bob"))
        )
        tables = "".join(f"[containers.{name}]\ngas_limit = 100_000\n" for name in self.NAMES)
        self.genesis = parse_genesis(
            GENESIS.format(mode=mode, containers=tables, accounts=accounts), source="test"
        )
        kinds: dict[str, Container] = {
            "counter": CounterContainer(), "east": OrderBookContainer(), "west": OrderBookContainer(),
        }  # fmt: skip
        hosted = {}
        for namespace, (name, container) in enumerate(kinds.items(), 1):
            configuration = Configuration(
                parameters=msgspec.json.encode({}),
                chain_id=7,
                genesis_hash=self.genesis.genesis_hash,
                instance=name,
                namespace=namespace,
                reserved_prefix=reserved_prefix(name),
            )
            hosting = LocalHosting(container, configuration)
            guard = Guard(
                name,
                namespace,
                reserved_prefix=reserved_prefix(name),
                foreign_prefixes=[reserved_prefix(other) for other in kinds if other != name],
            )
            hosted[name] = HostedContainer(
                name=name, kind=name, namespace=namespace, gas_limit=Gas(100_000), guard=guard,
                hosting=hosting, configured=hosting.configured,
            )  # fmt: skip
        self.chain = open_chain(self.genesis, hosted, clock, url)

    def mine(self) -> ExecutedBlock:
        """Make a block by hand."""
        return mine(self.chain)

    def submit(self, container: str, *raws: bytes) -> list[Submitted]:
        """Submit what must be admitted."""
        return submit(self.chain, container, *raws)


class ScriptedChain:
    """A chain of two scripted containers: `plain`, and `hooked`, which has hooks."""

    def __init__(self, clock: Clock, *, mode: str = "manual") -> None:
        """Open it."""
        self.plain = FakeContainer("plain", 1, others=("hooked",))
        self.hooked = FakeContainer("hooked", 2, hooks=True, others=("plain",))
        self.fakes = {"plain": self.plain, "hooked": self.hooked}
        tables = "".join(f"[containers.{name}]\ngas_limit = 100\n" for name in self.fakes)
        self.genesis = parse_genesis(GENESIS.format(mode=mode, containers=tables, accounts=""), source="test")
        hosted = {name: fake.hosted for name, fake in self.fakes.items()}
        self.chain = open_chain(self.genesis, hosted, clock, "memory:")
        for fake in self.fakes.values():
            fake.script.calls.clear()

    def mine(self) -> ExecutedBlock:
        """Make a block by hand."""
        return mine(self.chain)

    def submit(self, container: str, *raws: bytes) -> list[Submitted]:
        """Submit what must be admitted."""
        return submit(self.chain, container, *raws)

    def live_versions(self) -> list[int]:
        """Return the versions that were begun and are neither committed nor dropped."""
        state = self.chain.store.state
        live = []
        for fake in self.fakes.values():
            for call in fake.script.named("open"):
                version = call.given.result_version
                try:
                    state.reader(version)
                except StorageError:
                    continue
                if version != state.head_version:
                    live.append(version)
        return live


def open_chain(genesis: Any, hosted: Mapping[str, HostedContainer], clock: Clock, url: str) -> Chain:
    """Open a chain over a store."""
    store = ChainStore.open(url, genesis_hash=genesis.genesis_hash, hasher=genesis.hasher)
    consensus = make_consensus(genesis.consensus_engine, genesis.consensus, genesis.hasher)
    return Chain(genesis, store, hosted, consensus, clock=clock)


def mine(chain: Chain) -> ExecutedBlock:
    """Make a block by hand, empty or not."""
    turn = chain.consensus.turn_by_hand(chain.head.block.header, now_ms=chain.clock())
    assert turn is not None
    made = chain.produce(turn, even_empty=True)
    assert made is not None
    return made


def produce(chain: Chain) -> ExecutedBlock | None:
    """Make a block if there is something to put in."""
    turn = chain.consensus.turn_by_hand(chain.head.block.header, now_ms=chain.clock())
    assert turn is not None
    return chain.produce(turn, even_empty=False)


def submit(chain: Chain, container: str, *raws: bytes) -> list[Submitted]:
    """Submit what must be admitted."""
    answers: Sequence[Submitted | VesselError] = chain.admission.submit(container, raws)
    for answer in answers:
        if isinstance(answer, VesselError):
            raise answer
    return [answer for answer in answers if isinstance(answer, Submitted)]


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until it is set."""
    return Clock()


@pytest.fixture
def toys(clock: Clock) -> Iterator[Callable[[], ToyChain]]:
    """Return a function that opens another chain of the same genesis."""
    opened: list[ToyChain] = []

    def make() -> ToyChain:
        opened.append(ToyChain(clock))
        return opened[-1]

    yield make
    for toy in opened:
        toy.chain.admission.close()
        toy.chain.store.close()


@pytest.fixture
def toy(toys: Callable[[], ToyChain]) -> ToyChain:
    """A chain of toy containers."""
    return toys()


@pytest.fixture
def scripted(clock: Clock) -> Iterator[ScriptedChain]:
    """A chain of scripted containers."""
    opened = ScriptedChain(clock)
    yield opened
    opened.chain.admission.close()
    opened.chain.store.close()
