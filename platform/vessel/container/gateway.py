"""The gateway: what translates another platform's HTTP API for the containers of a node.

A package brings one under the entry-point group `vessel.gateways`; the node mounts it on its HTTP host
when the chain has a container of its kind. It has no chain logic: it asks the NodeApi, and a container
by `query` for what only that knows. Host, Origin, token and size are dealt with before it is called
(`vessel.container.http_manners`, from which it may use `read_body` and `problem`).

    class Hello:
        name, kind, path, default_port = "hello", "evm", "/hello", 8700

        def mount(self, app, node, chain):
            async def greet(request):
                return web.json_response({"head": (await node.info()).head.block.header.height})

            app.router.add_get("", greet)   # at the host: http://127.0.0.1:4601/hello
            app.router.add_get("/", greet)  # at an address of its own: http://127.0.0.1:8700/
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from vessel.container.dev_api import DevApi
from vessel.container.node_api import NodeApi
from vessel.errors import ConfigurationError
from vessel.primitives.units import Hash32

if TYPE_CHECKING:
    from aiohttp import web

GROUP = "vessel.gateways"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayChain:
    """What a gateway is told of the chain when it is mounted.

    container: by its name on this chain. dev: the development controls, where they may be served: on
    development chains only, and beyond loopback only where the operator said so; None elsewhere.
    """

    name: str
    chain_id: int
    genesis_hash: Hash32
    container: str
    dev: DevApi | None
    software_version: str


class Gateway(Protocol):
    """One HTTP API over one kind of container. `mount` is called once for every place it is served at.

    name: by which an operator speaks of it. kind: of the container that it translates for. path: where
    it is on the node's HTTP host. default_port: of `--gateway NAME`, where it has loopback to itself.
    """

    @property
    def name(self) -> str:
        """By which an operator speaks of it."""
        ...

    @property
    def kind(self) -> str:
        """Of the container."""
        ...

    @property
    def path(self) -> str:
        """On the HTTP host, as in /ethereum."""
        ...

    @property
    def default_port(self) -> int:
        """Of an address of its own."""
        ...

    def mount(self, app: web.Application, node: NodeApi, chain: GatewayChain) -> None:
        """Add routes to `app`. Both "" and "/" are its root: under a path, and at an own address.

        Handlers run in the node's event loop. What a gateway opens, it closes in `app.on_cleanup`.
        """
        ...


def installed_gateways() -> dict[str, Gateway]:
    """Return the installed gateways by name, sorted.

    ConfigurationError names the package of one that cannot be loaded.
    """
    found: dict[str, Gateway] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            gateway: Gateway = point.load()()
        except (ImportError, AttributeError, TypeError) as error:
            package = point.dist.name if point.dist else "unknown"
            raise ConfigurationError(
                f"the gateway {point.name!r} of the package {package} ({point.value}) cannot be loaded: "
                f"{error}; mend or remove that package",
                gateway=point.name,
            ) from error
        found[gateway.name] = gateway
    return found
