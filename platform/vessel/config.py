"""How one node is put together: a frozen object, passed down, never looked up."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from vessel.errors import ConfigurationError

DEFAULT_GRPC_ADDRESS = "127.0.0.1:4600"
DEFAULT_DATA_DIR = Path(".vessel")

Transport = Literal["local", "grpc"]


class ContainerProcess(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this node runs one container of its chain; nothing here is consensus.

    command: the plugin's command line; empty: the Python entry point of the container's kind.
    """

    command: tuple[str, ...] = ()
    transport: Transport | None = None
    cache_bytes: int = 64 << 20


class NodeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a node needs to start.

    store: `memory:`, `leveldb:PATH` or `rocksdb:PATH`. genesis: a TOML file; None: the built-in
    development genesis. transport: of containers that `containers` does not name. grpc_address:
    host:port; port 0 takes a free one. execution_timeout_s: after which a container that does not
    answer counts as hung.
    """

    store: str
    genesis: Path | None = None
    transport: Transport = "grpc"
    grpc_address: str = DEFAULT_GRPC_ADDRESS
    containers: dict[str, ContainerProcess] = {}
    execution_timeout_s: float = 60.0
    start_timeout_s: float = 60.0
    mining: str | None = None  # overrides the genesis' instant consensus: "auto", "manual", "interval:MS"

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
        raise ConfigurationError(f"{path}: {error}") from error


def _decode_path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"{kind} is not a type of a configuration")
