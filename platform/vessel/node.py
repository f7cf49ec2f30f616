"""Puts one node together from its configuration, and takes it apart again."""

from __future__ import annotations

import contextlib
import logging
import time
from importlib.metadata import version as distribution_version

import msgspec

from vessel.api.convert import container as container_message
from vessel.api.local_node import LocalNode, container_status
from vessel.api.server import GrpcServer
from vessel.chain.chain import Chain
from vessel.chain.producer import Producer
from vessel.config import NodeConfig
from vessel.consensus.interface import Consensus
from vessel.consensus.registry import make_consensus
from vessel.container.guard import Guard
from vessel.container.hosted import HostedContainer, Hosting, LocalHosting, ProcessHosting
from vessel.container.manifest import BLOCK_HOOKS
from vessel.container.messages import Configuration, Fork
from vessel.container.node_api import NodeApi
from vessel.container.registry import load_container
from vessel.container.supervisor import ContainerHost, Supervisor, plugin_command
from vessel.database.chain_store import ChainStore
from vessel.database.namespace import FIRST_CONTAINER
from vessel.errors import ConfigurationError
from vessel.primitives.address import reserved_prefix
from vessel.primitives.units import Gas, Hash32, Height
from vessel.processing.genesis import ContainerEntry, Genesis, development_genesis, load_genesis
from vessel_proto.node.v1 import node_pb2

_log = logging.getLogger("vessel.node")


def system_clock() -> int:
    """Return milliseconds since the Unix epoch: the one clock of a node, read at its edge."""
    return time.time_ns() // 1_000_000


class Node:
    """One node of one chain: store, containers, chain, producer, API. Use `open`."""

    def __init__(
        self,
        config: NodeConfig,
        genesis: Genesis,
        chain: Chain,
        host: ContainerHost | None,
    ) -> None:
        """Take what `open` has put together."""
        self.config = config
        self.genesis = genesis
        self.chain = chain
        self._host = host
        self._producer = Producer(chain)
        self._local = LocalNode(chain, self._producer)
        self._server = GrpcServer(
            self._local, address=config.grpc_address, version=software_version(), dev=genesis.dev
        )

    @classmethod
    def open(cls, config: NodeConfig) -> Node:
        """Open store and containers; nothing listens and no block is made before `start`.

        ConfigurationError, GenesisError, StorageError or ContainerError say what is wrong and what to do.
        """
        genesis = development_genesis() if config.genesis is None else load_genesis(config.genesis)
        consensus = _consensus(config, genesis)
        unknown = sorted(set(config.containers) - set(genesis.containers))
        if unknown:
            raise ConfigurationError(
                f"the configuration names the container {unknown[0]!r}; the chain {genesis.name!r} has: "
                f"{', '.join(genesis.containers)}"
            )
        with contextlib.ExitStack() as undo:
            store = ChainStore.open(config.store, genesis_hash=genesis.genesis_hash, hasher=genesis.hasher)
            undo.callback(store.close)
            host = None
            if any(_transport(config, name) == "grpc" for name in genesis.containers):
                host = ContainerHost()
                undo.callback(host.close)
            containers: dict[str, HostedContainer] = {}
            for namespace, name in enumerate(genesis.containers, FIRST_CONTAINER):
                containers[name] = _host_container(config, genesis, name, namespace, host)
                undo.callback(containers[name].hosting.close)
            chain = Chain(genesis, store, containers, consensus, clock=system_clock)
            node = cls(config, genesis, chain, host)
            undo.pop_all()
            return node

    def start(self) -> None:
        """Begin to make blocks and to serve."""
        self._producer.start()
        try:
            self._server.start()
        except BaseException:
            self._producer.close()
            raise

    def close(self) -> None:
        """Stop serving, finish the block at hand, end the plugins, close the store."""
        self._server.close()
        self._producer.close()
        self.chain.admission.close()
        self._local.close()
        for container in self.chain.containers.values():
            container.hosting.close()
        if self._host is not None:
            self._host.close()
        self.chain.store.close()

    def __enter__(self) -> Node:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    # ---- what a caller wants to know

    @property
    def api(self) -> NodeApi:
        """What gateways see."""
        return self._local

    @property
    def producer(self) -> Producer:
        """The chain's own thread."""
        return self._producer

    @property
    def grpc_address(self) -> str:
        """Where the gRPC API listens, once started."""
        return self._server.address

    @property
    def is_dev(self) -> bool:
        """Whether this is a development chain."""
        return self.genesis.dev

    @property
    def genesis_hash(self) -> Hash32:
        """What names the chain."""
        return self.genesis.genesis_hash

    @property
    def store_url(self) -> str:
        """Where the chain is kept."""
        return self.config.store

    def containers(self) -> list[node_pb2.ContainerInfo]:
        """Return how the containers do, as the API says it."""
        return [container_message(container_status(c)) for c in self.chain.containers.values()]


def software_version() -> str:
    """Return the version of the installed distribution."""
    return distribution_version("vesselchain")


def _transport(config: NodeConfig, name: str) -> str:
    return config.process(name).transport or config.transport


def _consensus(config: NodeConfig, genesis: Genesis) -> Consensus:
    parameters = dict(genesis.consensus)
    if config.mining is not None:
        if genesis.consensus_engine != "instant":
            raise ConfigurationError(
                f"mining = {config.mining!r} is for instant consensus; this chain has "
                f"{genesis.consensus_engine!r}"
            )
        mode, _, interval = config.mining.partition(":")
        if mode not in ("auto", "manual", "interval") or (mode == "interval") != interval.isdigit():
            raise ConfigurationError(
                f"mining = {config.mining!r}: expected auto, manual or interval:MILLISECONDS"
            )
        parameters["mode"] = mode
        parameters["interval_ms"] = int(interval or 0)
    return make_consensus(genesis.consensus_engine, parameters, genesis.hasher)


def _host_container(
    config: NodeConfig, genesis: Genesis, name: str, namespace: int, host: ContainerHost | None
) -> HostedContainer:
    """Bring one container of the chain within reach."""
    entry = genesis.containers[name]
    process = config.process(name)
    kind = entry.kind or name
    configuration = _configuration(genesis, name, entry, namespace, process.cache_bytes)
    hosting: Hosting
    if host is not None and _transport(config, name) == "grpc":
        supervisor = Supervisor(
            name,
            process.command or plugin_command(kind),
            host,
            timeout_s=config.execution_timeout_s,
            start_timeout_s=config.start_timeout_s,
        )
        try:
            hosting = ProcessHosting(supervisor, configuration)
        except BaseException:
            supervisor.close()
            raise
    else:
        hosting = LocalHosting(load_container(kind), configuration)
    hosted = HostedContainer(
        name=name,
        kind=kind,
        namespace=namespace,
        gas_limit=Gas(entry.gas_limit),
        guard=Guard(
            name,
            namespace,
            reserved_prefix=reserved_prefix(name),
            foreign_prefixes=[reserved_prefix(other) for other in genesis.containers if other != name],
            owns_open_addresses=entry.addresses == "open",
        ),
        hosting=hosting,
        configured=hosting.configured,
    )
    _log.info(
        "container %s: kind %s, transport %s, hooks %s",
        name,
        kind,
        hosting.transport,
        BLOCK_HOOKS in hosted.manifest.capabilities,
    )
    return hosted


def _configuration(
    genesis: Genesis, name: str, entry: ContainerEntry, namespace: int, cache_bytes: int
) -> Configuration:
    return Configuration(
        parameters=msgspec.json.encode(entry.parameters, order="sorted"),
        chain_id=genesis.chain_id,
        genesis_hash=genesis.genesis_hash,
        instance=name,
        namespace=namespace,
        reserved_prefix=reserved_prefix(name),
        forks=tuple(Fork(name=fork.name, height=Height(fork.height)) for fork in entry.forks),
        cache_bytes=cache_bytes,
        hash_name=genesis.hasher.name,
    )
