"""How one node is put together: a frozen object, passed down, never looked up."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from vessel.errors import ConfigurationError

DEFAULT_GRPC_ADDRESS = "127.0.0.1:4600"
DEFAULT_HTTP_ADDRESS = "127.0.0.1:4601"
DEFAULT_DATA_DIR = Path(".vessel")
DEFAULT_HTTP_BODY_BYTES = 16 << 20

# Of one call, both ways. gRPC's own 8 KiB would cut off a contract's longer revert data.
METADATA_SIZE_BYTES = 64 << 10

# Pages of this machine and extensions of the person's own browser; of nobody else.
DEFAULT_HTTP_ORIGINS = (
    "http://localhost",
    "http://localhost:*",
    "http://127.0.0.1",
    "http://127.0.0.1:*",
    "chrome-extension://*",
    "moz-extension://*",
)

Transport = Literal["local", "grpc"]

_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(?P<field>[^`]*)`(?: - at `(?P<place>[^`]*)`)?")


class ContainerProcess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this node runs one container of its chain; nothing here is consensus.

    command: the plugin's command line; empty: the Python entry point of the container's kind.
    readers: further processes of the plugin, which answer calls and queries; none on the local transport.
    """

    command: tuple[str, ...] = ()
    transport: Transport | None = None
    cache_bytes: int = 64 << 20
    readers: Annotated[int, msgspec.Meta(ge=0, le=64)] = 1


class NodeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a node needs to start.

    store: `memory:`, `leveldb:PATH` or `rocksdb:PATH`. genesis: a TOML file; None: the built-in
    development genesis. transport: of containers that `containers` does not name. grpc_address:
    host:port; port 0 takes a free one. execution_timeout_s: after which a container that does not
    answer counts as hung. keep_heights: of how many of the last heights the state is kept for reading; 0
    keeps all (an archive). max_side_branch: how many heights below the head a competing branch may begin.

    Who may reach it (`vessel.api.exposure` says what goes together):
    http_address: host:port of the HTTP host; None: none, unless there is a gateway to mount, then on
    loopback one port above gRPC. gateways: by name, an address of its own for a gateway, or "off".
    open_gateways: those that answer without the token. http_origins, http_hosts: which web pages, and
    by which names of this machine, may speak to the HTTP host.
    tls_certificate, tls_key: PEM files, for gRPC and HTTP alike. token_file: holds the bearer token;
    token_variable: the environment variable that does. The token itself is never in a configuration.
    insecure_expose: an address beyond loopback needs neither TLS nor token. expose_dev: dev/v1 and the
    gateways' development controls are served beyond loopback too.
    """

    store: str
    genesis: Path | None = None
    transport: Transport = "grpc"
    grpc_address: str = DEFAULT_GRPC_ADDRESS
    containers: dict[str, ContainerProcess] = {}
    execution_timeout_s: float = 60.0
    start_timeout_s: float = 60.0
    keep_heights: int = 0
    max_side_branch: int = 128
    mining: str | None = None  # overrides the genesis' instant consensus: "auto", "manual", "interval:MS"

    http_address: str | None = None
    http_origins: tuple[str, ...] = DEFAULT_HTTP_ORIGINS
    http_hosts: tuple[str, ...] = ()
    http_body_bytes: int = DEFAULT_HTTP_BODY_BYTES
    gateways: dict[str, str] = {}
    open_gateways: tuple[str, ...] = ()

    tls_certificate: Path | None = None
    tls_key: Path | None = None
    token_file: Path | None = None
    token_variable: str | None = None
    insecure_expose: bool = False
    expose_dev: bool = False

    def process(self, container: str) -> ContainerProcess:
        """Return how to run a container of the chain."""
        return self.containers.get(container, ContainerProcess())


def load_config(path: Path) -> NodeConfig:
    """Read a node's configuration from TOML; ConfigurationError names the file and the field."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot read the configuration {path}: {error.strerror}") from error
    try:
        return msgspec.toml.decode(text, type=NodeConfig, strict=True, dec_hook=_decode_path)
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error}{_meant(str(error))}") from error


def _decode_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"{kind} is not a type of a configuration")


def _meant(message: str) -> str:
    """Return which word was meant, for an unknown one."""
    match = _UNKNOWN_FIELD.search(message)
    if match is None:
        return ""
    known = (ContainerProcess if match["place"] else NodeConfig).__struct_fields__
    near = difflib.get_close_matches(match["field"], known, n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; known are: {', '.join(known)}"
