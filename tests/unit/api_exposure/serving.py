"""A node's servers over a NodeApi that answers from nothing."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from vessel.api.exposure import Exposure, decide
from vessel.api.http_host import HostedChain, HttpHost, MountedGateway
from vessel.api.server import GrpcServer
from vessel.config import NodeConfig
from vessel.container.dev_api import DevApi
from vessel.container.messages import Call, ViewResult
from vessel.container.node_api import BlockReference, ChainInfo, ContainerStatus, NodeApi
from vessel.errors import NotFound
from vessel.primitives.block import Block, ExecutedBlock
from vessel.primitives.header import Header
from vessel.primitives.receipt import Status
from vessel.primitives.units import ZERO_HASH, Gas, Hash32, Height

CERTIFICATES = Path(__file__).parents[2] / "certificates"
CERTIFICATE, KEY = CERTIFICATES / "localhost.pem", CERTIFICATES / "localhost.key"
TOKEN = "0123456789abcdef-a-token-for-tests"
HEAD = ExecutedBlock(
    block_id=Hash32(bytes(range(32))),
    block=Block(header=Header(height=Height(7), parent_id=ZERO_HASH, time_ms=1, transactions_root=ZERO_HASH)),
)


class EmptyNode:
    """As much of a NodeApi as the servers need."""

    def __init__(self) -> None:
        self.health = "serving"
        self.revert = b""
        self.mined = 0

    async def info(self) -> ChainInfo:
        return ChainInfo(
            name="test", chain_id=5, genesis_hash=ZERO_HASH, hash_name="sha256", consensus="instant",
            dev=True, head=HEAD, finalized_height=Height(7), pending_transactions=0,
        )  # fmt: skip

    async def containers(self) -> list[ContainerStatus]:
        return [
            ContainerStatus(
                name="evm", kind="evm", version="1", transport="local", namespace=1, gas_limit=1,
                capabilities=(), engine_digest=b"", health=self.health, restarts=0, process_id=0,
            )
        ]  # fmt: skip

    async def block(self, reference: BlockReference) -> ExecutedBlock:
        raise NotFound("there is no such block — as the test wants it", height=3)

    async def estimate(self, container: str, call: Call, *, at: BlockReference) -> tuple[ViewResult, Height]:
        return (
            ViewResult(status=Status.REVERTED, output=self.revert, gas_used=Gas(1), message="it reverts"),
            Height(7),
        )

    async def mine(self, blocks: int, *, interval_ms: int = 0) -> ExecutedBlock:
        self.mined += blocks
        return HEAD


@contextmanager
def serving(
    config: NodeConfig,
    node: EmptyNode | None = None,
    *,
    dev: bool = True,
    gateways: Sequence[MountedGateway] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[tuple[GrpcServer, Mapping[str, str]]]:
    """Run the servers that a configuration asks for; yield them and where HTTP listens."""
    exposure: Exposure = decide(config, dev=dev, environment=environment or {})
    api = cast(NodeApi, node or EmptyNode())
    controls = cast(DevApi, api) if dev else None
    chain = HostedChain(name="test", chain_id=5, genesis_hash=ZERO_HASH, software_version="1", dev=controls)
    http = HttpHost(api, chain, config, exposure, gateways) if exposure.http_address else None
    server = GrpcServer(api, exposure, version="1", dev=controls, http=http)
    server.start()
    try:
        yield server, http.addresses if http is not None else {}
    finally:
        server.close()


def local(**fields: Any) -> NodeConfig:
    """Return a configuration on free ports of loopback, HTTP included."""
    return NodeConfig(
        **{"store": "memory:", "grpc_address": "127.0.0.1:0", "http_address": "127.0.0.1:0", **fields}
    )


class Answer:
    """What came back of an HTTP request."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ask(
    address: str,
    path: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    trusted: Path | None = None,
) -> Answer:
    """Send one HTTP request. trusted: by TLS, with this certificate."""
    scheme = "https" if trusted else "http"
    request = urllib.request.Request(
        f"{scheme}://{address}{path}", data=body, method=method, headers=dict(headers or {})
    )
    context = ssl.create_default_context(cafile=str(trusted)) if trusted else None
    # Without a proxy, whatever the surroundings say.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(request, timeout=20) as response:
            return Answer(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())
