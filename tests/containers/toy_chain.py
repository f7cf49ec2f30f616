"""A chain of the toy containers that can be forked: instant consensus whose blocks are not final."""

from __future__ import annotations

from collections.abc import Mapping

from containers.launch import plugin_command
from vessel.blocktree.tree import MAX_SIDE_BRANCH
from vessel.chain.admission import Submitted
from vessel.chain.chain import Chain
from vessel.consensus.interface import Consensus
from vessel.consensus.registry import make_consensus
from vessel.container.guard import Guard
from vessel.container.hosted import HostedContainer, Hosting, LocalHosting, ProcessHosting
from vessel.container.messages import Configuration
from vessel.container.registry import load_container
from vessel.container.supervisor import ContainerHost, Supervisor
from vessel.database.chain_store import ChainStore
from vessel.database.key_value import KeyValue
from vessel.errors import VesselError
from vessel.primitives.address import reserved_address, reserved_prefix
from vessel.primitives.block import Block, ExecutedBlock
from vessel.primitives.units import Gas
from vessel.processing.genesis import Genesis, parse_genesis

GENESIS_MS = 1_767_225_600_000
KINDS = {
    "counter": "containers.counter:CounterContainer",
    "book": "containers.order_book:OrderBookContainer",
}
GAS_LIMIT = Gas(100_000)


def toy_genesis(*, final: bool = False) -> Genesis:
    """Return the genesis of a counter and an order book; the trader `ann` has coin."""
    funded = reserved_address("book", b"ann".ljust(8, b"\0")).hex()
    return parse_genesis(
        f"""
        [chain]
        name = "toys"
        id = 7
        time = 2026-01-01T00:00:00Z
        [consensus]
        engine = "instant"
        mode = "manual"
        final = {str(final).lower()}
        [containers.counter]
        gas_limit = {GAS_LIMIT}
        [containers.book]
        gas_limit = {GAS_LIMIT}
        [accounts]
        "0x{funded}" = 1_000_000
        """,
        source="toys",
    )


class Ticking:
    """A clock that is a second later whenever it is asked; several chains may share one."""

    def __init__(self) -> None:
        """Begin with the genesis."""
        self.now_ms = GENESIS_MS

    def __call__(self) -> int:
        """Return the time."""
        self.now_ms += 1000
        return self.now_ms


class ToyChain:
    """One node's chain, without what serves it."""

    def __init__(
        self,
        clock: Ticking,
        store: str | KeyValue = "memory:",
        *,
        transport: str = "local",
        final: bool = False,
        consensus: Consensus | None = None,
        keep_heights: int = 0,
        max_side_branch: int = MAX_SIDE_BRANCH,
    ) -> None:
        """Open or begin the chain in a store."""
        genesis = toy_genesis(final=final)
        self._host = ContainerHost() if transport == "grpc" else None
        chain_store = ChainStore.open(store, genesis_hash=genesis.genesis_hash, hasher=genesis.hasher)
        engine = consensus or make_consensus(genesis.consensus_engine, genesis.consensus, genesis.hasher)
        self.chain = Chain(
            genesis,
            chain_store,
            _hosted(genesis, self._host),
            engine,
            clock=clock,
            keep_heights=keep_heights,
            max_side_branch=max_side_branch,
        )

    @property
    def head(self) -> ExecutedBlock:
        """The end of the best branch."""
        return self.chain.head

    @property
    def height(self) -> int:
        """Of the head."""
        return self.head.block.header.height

    def mine(self, count: int = 1) -> list[ExecutedBlock]:
        """Make blocks of what waits, empty or not."""
        made = []
        for _ in range(count):
            turn = self.chain.consensus.turn_by_hand(self.head.block.header, now_ms=self.chain.clock())
            assert turn is not None
            block = self.chain.produce(turn, even_empty=True)
            assert block is not None
            made.append(block)
        return made

    def count(self, *raws: bytes) -> list[Submitted]:
        """Submit transactions of the counter, all of which must be admitted."""
        answers = []
        for answer in self.chain.admission.submit("counter", raws):
            if isinstance(answer, VesselError):
                raise answer
            answers.append(answer)
        return answers

    def take(self, blocks: Mapping[int, ExecutedBlock] | list[ExecutedBlock]) -> None:
        """Import blocks of another chain."""
        for executed in blocks.values() if isinstance(blocks, Mapping) else blocks:
            self.chain.import_block(executed.block)

    def follow(self, other: ToyChain, height: int) -> None:
        """Come to the other chain's block at a height, whatever stands here."""
        mine, theirs = self.chain.store, other.chain.store
        common = min(self.height, height)
        while mine.block_id(common) != theirs.block_id(common):
            common -= 1
        self.revert(common)
        for later in range(common + 1, height + 1):
            self.chain.import_block(theirs.block(later).block)

    def revert(self, height: int) -> list[ExecutedBlock]:
        """Undo and forget the blocks above a height, as development chains may; return them."""
        if height == self.height:
            return []
        removed = self.chain.tree.rollback(height)
        self.chain.admission.reorganised((), ())
        return removed

    def value(self, name: str) -> int:
        """Ask the counter at the head, through the container."""
        from vessel.chain.reading import Reading
        from vessel.container.node_api import Tag

        result, _ = Reading(self.chain).query(
            "counter", "value", b'{"name": "%s"}' % name.encode(), at=Tag.LATEST
        )
        return int(result.json.partition(b":")[2].strip(b" }"))

    def close(self) -> None:
        """Let go of containers and store."""
        self.chain.admission.close()
        for container in self.chain.containers.values():
            container.hosting.close()
        if self._host is not None:
            self._host.close()
        self.chain.store.close()


def branch(clock: Ticking, trunk: ToyChain, fork: int, length: int, *raws: bytes) -> list[ExecutedBlock]:
    """Return blocks that another node makes over the trunk's block at `fork`; the first holds `raws`."""
    maker = ToyChain(clock)
    try:
        maker.follow(trunk, fork)
        maker.count(*raws)
        return maker.mine(length)
    finally:
        maker.close()


def blocks_of(chain: ToyChain) -> list[Block]:
    """Return the canonical blocks above the genesis."""
    return [chain.chain.store.block(height).block for height in range(1, chain.height + 1)]


def _hosted(genesis: Genesis, host: ContainerHost | None) -> dict[str, HostedContainer]:
    hosted = {}
    for namespace, name in enumerate(genesis.containers, 1):
        configuration = Configuration(
            parameters=b"{}",
            chain_id=genesis.chain_id,
            genesis_hash=genesis.genesis_hash,
            instance=name,
            namespace=namespace,
            reserved_prefix=reserved_prefix(name),
        )
        hosting: Hosting
        if host is None:
            hosting = LocalHosting(load_container(KINDS[name]), configuration)
        else:
            supervisor = Supervisor(name, plugin_command(KINDS[name]), host, timeout_s=30, start_timeout_s=30)
            hosting = ProcessHosting(supervisor, configuration)
        hosted[name] = HostedContainer(
            name=name,
            kind=name,
            namespace=namespace,
            gas_limit=GAS_LIMIT,
            guard=Guard(
                name,
                namespace,
                reserved_prefix=reserved_prefix(name),
                foreign_prefixes=[reserved_prefix(other) for other in genesis.containers if other != name],
            ),
            hosting=hosting,
            configured=hosting.configured,
        )
    return hosted
