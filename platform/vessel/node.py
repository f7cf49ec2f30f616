"""Puts one node together from its configuration, and takes it apart again."""

from __future__ import annotations

import contextlib
import logging
import time
from importlib.metadata import version as distribution_version
from typing import TYPE_CHECKING

import msgspec

from vessel.api.convert import container as container_message
from vessel.api.exposure import Exposure, decide
from vessel.api.local_dev import LocalDev
from vessel.api.local_node import LocalNode, container_status
from vessel.api.server import GrpcServer
from vessel.chain.chain import Chain
from vessel.chain.dev_clock import DevClock
from vessel.chain.dev_controls import DevControls
from vessel.chain.producer import Producer
from vessel.config import NodeConfig
from vessel.consensus.interface import Consensus
from vessel.consensus.registry import make_consensus
from vessel.container.dev_api import DevApi
from vessel.container.gateway import installed_gateways
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

if TYPE_CHECKING:
    from vessel.api.http_host import HttpHost

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
        exposure: Exposure,
    ) -> None:
        """Take what `open` has put together."""
        self.config = config
        self.genesis = genesis
        self.chain = chain
        self._host = host
        self._producer = Producer(chain)
        self._local = LocalNode(chain, self._producer)
        self._dev: LocalDev | None = None
        if isinstance(chain.clock, DevClock):
            self._dev = LocalDev(DevControls(chain, chain.clock, self._producer), self._producer, self._local)
        self._http = _http_host(config, genesis, exposure, self._local, self._dev)
        self._server = GrpcServer(
            self._local, exposure, version=software_version(), dev=self._dev, http=self._http
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
        kinds = {entry.kind or name for name, entry in genesis.containers.items()}
        mountable = any(gateway.kind in kinds for gateway in installed_gateways().values())
        exposure = decide(config, dev=genesis.dev, has_gateways=mountable)
        with contextlib.ExitStack() as undo:
            store = ChainStore.open(config.store, genesis_hash=genesis.genesis_hash, hasher=genesis.hasher)
            undo.callback(store.close)
            host = None
            if any(_transport(config, name) == "grpc" for name in genesis.containers):
                host = ContainerHost()
                undo.callback(host.close)
            containers: dict[str, HostedContainer] = {}
            for namespace, name in enumerate(genesis.containers, FIRST_CONTAINER):
                containers[name] = host_container(config, genesis, name, namespace, host)
                undo.callback(containers[name].hosting.close)
            chain = Chain(
                genesis,
                store,
                containers,
                consensus,
                clock=DevClock(system_clock) if genesis.dev else system_clock,
                keep_heights=config.keep_heights,
                max_side_branch=config.max_side_branch,
            )
            node = cls(config, genesis, chain, host, exposure)
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
        self._local.end_subscriptions()
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
        """Start; what cannot start is closed."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
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
    def dev(self) -> DevApi | None:
        """The controls of a development chain; None on any other."""
        return self._dev

    @property
    def producer(self) -> Producer:
        """The chain's own thread."""
        return self._producer

    @property
    def grpc_address(self) -> str:
        """Where the gRPC API listens, once started."""
        return self._server.address

    @property
    def http_addresses(self) -> dict[str, str]:
        """Where HTTP listens, once started: by gateway that has an address of its own, "" for the host."""
        return {} if self._http is None else self._http.addresses

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


def _http_host(
    config: NodeConfig, genesis: Genesis, exposure: Exposure, node: NodeApi, dev: DevApi | None
) -> HttpHost | None:
    """Return what serves HTTP; None where nothing asks for it, and then aiohttp is not even imported."""
    if exposure.http_address is None and not exposure.gateway_addresses:
        return None
    from vessel.api.http_host import HostedChain, HttpHost, choose_gateways

    kinds = {name: entry.kind or name for name, entry in genesis.containers.items()}
    return HttpHost(
        node,
        HostedChain(
            name=genesis.name,
            chain_id=genesis.chain_id,
            genesis_hash=genesis.genesis_hash,
            software_version=software_version(),
            dev=dev,
        ),
        config,
        exposure,
        choose_gateways(installed_gateways(), kinds, config),
    )


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
        if mode not in ("auto", "manual", "interval") or (mode == "interval") != interval.isdecimal():
            raise ConfigurationError(
                f"mining = {config.mining!r}: expected auto, manual or interval:MILLISECONDS"
            )
        parameters["mode"] = mode
        parameters["interval_ms"] = int(interval or 0)
    return make_consensus(genesis.consensus_engine, parameters, genesis.hasher)


def host_container(
    config: NodeConfig, genesis: Genesis, name: str, namespace: int, host: ContainerHost | None
) -> HostedContainer:
    """Bring one container of the chain within reach."""
    entry = genesis.containers[name]
    process = config.process(name)
    kind = entry.kind or name
    configuration = _configuration(genesis, name, entry, namespace, process.cache_bytes)
    hosting: Hosting
    if host is not None and _transport(config, name) == "grpc":
        supervisor, *readers = (
            Supervisor(
                name,
                process.command or plugin_command(kind),
                host,
                timeout_s=config.execution_timeout_s,
                start_timeout_s=config.start_timeout_s,
            )
            for _ in range(1 + process.readers)
        )
        try:
            hosting = ProcessHosting(supervisor, configuration, readers)
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
