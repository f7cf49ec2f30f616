"""A chain of a container that may break any rule and of one that never does, on either transport.

`toy` is the misbehaving counter (see `misbehaving`), `sound` a counter. The store may be handed from one
chain to the next, as when a node is restarted with another plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import msgspec

from containers.launch import plugin_command
from containers.misbehaving import VICTIM
from containers.toy_chain import Ticking
from containers.transports import no_wait
from vessel.chain.admission import Place
from vessel.chain.chain import Chain
from vessel.chain.reading import Reading
from vessel.consensus.registry import make_consensus
from vessel.container.guard import Guard
from vessel.container.hosted import HostedContainer, Hosting, LocalHosting, ProcessHosting
from vessel.container.messages import Configuration
from vessel.container.node_api import Tag
from vessel.container.registry import load_container
from vessel.container.supervisor import ContainerHost, Supervisor
from vessel.database.chain_store import ChainStore
from vessel.errors import VesselError
from vessel.primitives.address import reserved_address, reserved_prefix
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import Gas
from vessel.processing.genesis import Genesis, parse_genesis

GAS_LIMIT = Gas(20_000)
KINDS = {
    "toy": "containers.misbehaving:MisbehavingContainer",
    "sound": "containers.counter:CounterContainer",
}


def faulty_genesis() -> Genesis:
    """Return the genesis; the fault is no part of it, so that chains with and without it are one chain."""
    own = reserved_address("toy", b"misbehav").hex()
    return parse_genesis(
        f"""
        [chain]
        name = "faults"
        id = 7
        time = 2026-01-01T00:00:00Z
        [consensus]
        engine = "instant"
        mode = "manual"
        [containers.toy]
        gas_limit = {GAS_LIMIT}
        [containers.sound]
        gas_limit = {GAS_LIMIT}
        [accounts]
        "0x{VICTIM.hex()}" = 500
        "0x{own}" = 100
        """,
        source="faults",
    )


class FaultyChain:
    """One node's chain, without what serves it."""

    def __init__(
        self,
        *,
        transport: str = "local",
        store: ChainStore | None = None,
        fault: Mapping[str, object] | None = None,
        readers: int = 0,
        timeout_s: float = 20,
        max_questions: int = 10_000,
    ) -> None:
        """Open or begin the chain. fault: the parameters of the misbehaving container."""
        self.genesis = faulty_genesis()
        self._host = ContainerHost() if transport == "grpc" else None
        self.store = store or ChainStore.open(
            "memory:", genesis_hash=self.genesis.genesis_hash, hasher=self.genesis.hasher
        )
        self.supervisors: dict[str, Supervisor] = {}
        self.containers: dict[str, HostedContainer] = {}
        for namespace, name in enumerate(self.genesis.containers, 1):
            parameters = msgspec.json.encode(fault or {}) if name == "toy" else b"{}"
            self._add(
                name, namespace, parameters, readers, {"timeout_s": timeout_s, "max_questions": max_questions}
            )
        engine = make_consensus(self.genesis.consensus_engine, self.genesis.consensus, self.genesis.hasher)
        self.chain = Chain(self.genesis, self.store, self.containers, engine, clock=Ticking())
        self.reading = Reading(self.chain)

    def _add(
        self, name: str, namespace: int, parameters: bytes, readers: int, limits: Mapping[str, Any]
    ) -> None:
        configuration = Configuration(
            parameters=parameters,
            chain_id=self.genesis.chain_id,
            genesis_hash=self.genesis.genesis_hash,
            instance=name,
            namespace=namespace,
            reserved_prefix=reserved_prefix(name),
        )
        hosting: Hosting
        if self._host is None:
            hosting = LocalHosting(load_container(KINDS[name]), configuration)
        else:
            first, *others = (
                Supervisor(
                    name,
                    plugin_command(KINDS[name]),
                    self._host,
                    **limits,
                    start_timeout_s=20,
                    wait=no_wait,
                )
                for _ in range(1 + readers)
            )
            self.supervisors[name] = first
            hosting = ProcessHosting(first, configuration, others)
        self.containers[name] = HostedContainer(
            name=name,
            kind=name,
            namespace=namespace,
            gas_limit=GAS_LIMIT,
            guard=Guard(
                name,
                namespace,
                reserved_prefix=reserved_prefix(name),
                foreign_prefixes=[
                    reserved_prefix(other) for other in self.genesis.containers if other != name
                ],
            ),
            hosting=hosting,
            configured=hosting.configured,
        )

    @property
    def height(self) -> int:
        """Of the head."""
        return self.chain.head.block.header.height

    @property
    def roots(self) -> list[str]:
        """The state root after every block."""
        return [
            self.store.block(height).block.seal.result.state_root.hex() for height in range(self.height + 1)
        ]

    def submit(self, container: str, *raws: bytes) -> list[Future[Place]]:
        """Submit transactions, all of which must be admitted; return what will tell where they went."""
        futures = []
        for answer in self.chain.admission.submit(container, raws):
            if isinstance(answer, VesselError):
                raise answer
            futures.append(answer.committed)
        return futures

    def mine(self, *, even_empty: bool = True) -> ExecutedBlock | None:
        """Make a block of what waits."""
        turn = self.chain.consensus.turn_by_hand(self.chain.head.block.header, now_ms=self.chain.clock())
        assert turn is not None
        return self.chain.produce(turn, even_empty=even_empty)

    def value(self, container: str, name: str) -> int:
        """Ask a counter at the head."""
        result, _ = self.reading.query(container, "value", msgspec.json.encode({"name": name}), at=Tag.LATEST)
        answer: dict[str, int] = msgspec.json.decode(result.json)
        return answer["value"]

    def close(self, *, keep_store: bool = False) -> None:
        """Let go of containers and store."""
        self.chain.admission.close()
        for container in self.containers.values():
            container.hosting.close()
        if self._host is not None:
            self._host.close()
        if not keep_store:
            self.store.close()
