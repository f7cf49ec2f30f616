"""The HTTP host: /health, gRPC-web and the gateways, in the event loop of the gRPC server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from vessel.api.exposure import OFF, Exposure, split
from vessel.api.grpc_web import GrpcWeb
from vessel.api.taken_port import cannot_listen
from vessel.config import NodeConfig
from vessel.container.dev_api import DevApi
from vessel.container.gateway import Gateway, GatewayChain
from vessel.container.http_manners import HEALTH_PATH, HttpManners
from vessel.container.node_api import NodeApi
from vessel.errors import ConfigurationError, VesselError
from vessel.primitives.units import Hash32

STOP_GRACE_S = 1.0
MAIN = ""  # the site that is not a gateway's own

_log = logging.getLogger("vessel.api")


@dataclass(frozen=True, slots=True, kw_only=True)
class MountedGateway:
    """A gateway, and the container of this chain that it translates for."""

    gateway: Gateway
    container: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedChain:
    """What of the chain and the software gateways are told. dev: None where it is no development chain."""

    name: str
    chain_id: int
    genesis_hash: Hash32
    software_version: str
    dev: DevApi | None


def choose_gateways(
    installed: Mapping[str, Gateway], kinds: Mapping[str, str], config: NodeConfig
) -> list[MountedGateway]:
    """Return the gateways to mount: those whose kind of container the chain has, less those that are off.

    kinds: of the chain's containers, by name; the first of a kind is the one. ConfigurationError where
    the configuration names a gateway that is not to be had.
    """
    chosen = {
        name: MountedGateway(gateway=gateway, container=container)
        for name, gateway in installed.items()
        for container in [next((each for each, kind in kinds.items() if kind == gateway.kind), None)]
        if container is not None
    }
    for name in (*config.gateways, *config.open_gateways):
        if name not in chosen:
            why = (
                f"the chain has no container of kind {installed[name].kind!r}"
                if name in installed
                else "it is not installed"
            )
            raise ConfigurationError(
                f"there is no gateway {name!r} for this chain: {why}; there are: "
                f"{', '.join(chosen) or 'none'}",
                gateway=name,
            )
    return [mounted for name, mounted in chosen.items() if config.gateways.get(name) != OFF]


class HttpHost:
    """Serves an `Exposure`'s HTTP address, and the own addresses of gateways that have one."""

    def __init__(
        self,
        node: NodeApi,
        chain: HostedChain,
        config: NodeConfig,
        exposure: Exposure,
        gateways: Sequence[MountedGateway],
    ) -> None:
        """Prepare; `start` listens."""
        self._node = node
        self._chain = chain
        self._config = config
        self._exposure = exposure
        self._gateways = {mounted.gateway.name: mounted for mounted in gateways}
        self._runners: list[web.AppRunner] = []
        self._bridge: GrpcWeb | None = None
        self.addresses: dict[str, str] = {}  # once started: by gateway, MAIN for the host itself

    async def start(self, grpc_target: str) -> None:
        """Listen. grpc_target: where the gRPC server is to be asked; ConfigurationError for taken ports."""
        try:
            if self._exposure.http_address is not None:
                await self._serve(MAIN, self._exposure.http_address, grpc_target)
            for name, address in self._exposure.gateway_addresses.items():
                await self._serve(name, address, grpc_target)
        except BaseException:
            await self.close()
            raise

    async def _serve(self, name: str, address: str, grpc_target: str) -> None:
        application = self._manners(name, address).application()
        application.router.add_get(HEALTH_PATH, self._health)
        if name == MAIN:
            self._bridge = GrpcWeb(grpc_target, dev=self._exposure.dev_at(address))
            self._bridge.mount(application)
            for each, mounted in self._gateways.items():
                if each not in self._exposure.gateway_addresses:
                    below = web.Application()
                    mounted.gateway.mount(below, self._node, self._told(mounted, address))
                    application.add_subapp(mounted.gateway.path, below)
        else:
            mounted = self._gateways[name]
            mounted.gateway.mount(application, self._node, self._told(mounted, address))
        # A reader that goes away ends its stream; work for the chain is shielded where it must be.
        runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=STOP_GRACE_S
        )
        await runner.setup()
        self._runners.append(runner)
        host, port = split(address)
        tls = self._exposure.tls
        site = web.TCPSite(
            runner, host, port, ssl_context=tls.context if tls else None, reuse_address=True, reuse_port=False
        )
        try:
            await site.start()
        except OSError as error:
            option = "--http HOST:PORT" if name == MAIN else f"--gateway {name}=HOST:PORT"
            raise cannot_listen(address, option) from error
        bound = runner.addresses[0][1]
        self.addresses[name] = f"{address.rpartition(':')[0]}:{bound}"
        _log.info("%s on %s", f"gateway {name}" if name else "HTTP", self.addresses[name])

    def _manners(self, name: str, address: str) -> HttpManners:
        host, _ = split(address)
        gateways_open = self._exposure.open_gateways
        if name == MAIN:
            open_paths = [m.gateway.path for each, m in self._gateways.items() if each in gateways_open]
        else:
            open_paths = ["/"] if name in gateways_open else []
        return HttpManners(
            origins=self._config.http_origins,
            hosts=(host, *self._config.http_hosts),
            token=self._exposure.token,
            body_bytes_max=self._config.http_body_bytes,
            open_paths=tuple(open_paths),
        )

    def _told(self, mounted: MountedGateway, address: str) -> GatewayChain:
        return GatewayChain(
            name=self._chain.name,
            chain_id=self._chain.chain_id,
            genesis_hash=self._chain.genesis_hash,
            container=mounted.container,
            dev=self._chain.dev if self._exposure.dev_at(address) else None,
            software_version=self._chain.software_version,
        )

    async def _health(self, request: web.Request) -> web.Response:
        try:
            info = await self._node.info()
            containers = {each.name: each.health for each in await self._node.containers()}
        except VesselError as error:
            return web.json_response({"status": "failing", "message": error.message}, status=503)
        well = all(health == "serving" for health in containers.values())
        return web.json_response(
            {
                "status": "serving" if well else "degraded",
                "height": info.head.block.header.height,
                "containers": containers,
            }
        )

    async def close(self) -> None:
        """Stop listening; what does not end in time is cancelled."""
        if self._bridge is not None:
            await self._bridge.close()
        for runner in self._runners:
            with contextlib.suppress(asyncio.TimeoutError):
                await runner.cleanup()
        self._runners.clear()
