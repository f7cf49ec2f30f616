"""`vessel run` and `vessel dev`: a node in this process until it is told to stop."""

from __future__ import annotations

import enum
import importlib.metadata
import logging
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from vessel.cli import dev_state, exposing, options
from vessel.cli.banner import RunningNode, banner, banner_document
from vessel.cli.output import show
from vessel.config import DEFAULT_DATA_DIR, DEFAULT_GRPC_ADDRESS, NodeConfig, load_config
from vessel.errors import ConfigurationError, StoreLocked

if TYPE_CHECKING:
    from vessel.node import Node

_MINING = re.compile(r"auto|manual|interval:[1-9][0-9]*")
MEMORY_STORE = "memory:"


class TransportChoice(enum.StrEnum):
    """Where containers run."""

    GRPC = "grpc"
    LOCAL = "local"


class LogLevel(enum.StrEnum):
    """What the log on standard error shows."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


GrpcOption = Annotated[
    str | None,
    typer.Option(
        "--grpc",
        metavar="HOST:PORT",
        help=f"Where to serve; port 0 takes a free one. Default {DEFAULT_GRPC_ADDRESS}.",
        show_default=False,
    ),
]
MiningOption = Annotated[
    str | None,
    typer.Option(
        "--mining", metavar="auto|manual|interval:MS", help="When blocks are made.", show_default=False
    ),
]
LogLevelOption = Annotated[LogLevel, typer.Option("--log-level", help="Of the log on standard error.")]


def run(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="A node's configuration in TOML; other options override it.",
            show_default=False,
        ),
    ] = None,
    genesis: Annotated[
        Path | None,
        typer.Option(
            "--genesis",
            metavar="FILE",
            help="The chain's genesis in TOML; default: the development chain.",
            show_default=False,
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            metavar="DIR",
            help=f"Where the chain is kept. Default {DEFAULT_DATA_DIR}.",
            show_default=False,
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="leveldb:PATH, rocksdb:PATH or memory:, instead of --data-dir.",
            show_default=False,
        ),
    ] = None,
    transport: Annotated[
        TransportChoice | None,
        typer.Option(
            "--transport",
            help="Containers as processes (grpc) or in this one (local). Default grpc.",
            show_default=False,
        ),
    ] = None,
    grpc: GrpcOption = None,
    mining: MiningOption = None,
    http: exposing.HttpOption = None,
    http_origin: exposing.HttpOriginOption = None,
    http_host: exposing.HttpHostOption = None,
    gateway: exposing.GatewayOption = None,
    open_gateway: exposing.OpenGatewayOption = None,
    tls_cert: exposing.TlsCertOption = None,
    tls_key: exposing.TlsKeyOption = None,
    token_file: options.TokenFileOption = None,
    insecure_expose: exposing.InsecureExposeOption = False,
    expose_dev: exposing.ExposeDevOption = False,
    log_level: LogLevelOption = LogLevel.WARNING,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Run a node that keeps its chain on disk."""
    exposed = exposing.exposing(
        http=http, http_origins=http_origin, http_hosts=http_host, gateways=gateway,
        open_gateways=open_gateway, tls_cert=tls_cert, tls_key=tls_key, token_file=token_file,
        insecure_expose=insecure_expose, expose_dev=expose_dev,
    )  # fmt: skip
    serve(
        run_config(
            config=config, genesis=genesis, data_dir=data_dir, store=store,
            transport=transport.value if transport else None, grpc=grpc, mining=mining, exposed=exposed,
        ),
        log_level=log_level,
        as_json=as_json,
    )  # fmt: skip


def dev(
    grpc: GrpcOption = None,
    mining: MiningOption = None,
    block_time: dev_state.BlockTimeOption = None,
    no_mining: dev_state.NoMiningOption = False,
    state: dev_state.StateOption = None,
    load_state: dev_state.LoadStateOption = None,
    dump_state: dev_state.DumpStateOption = None,
    http: exposing.HttpOption = None,
    http_origin: exposing.HttpOriginOption = None,
    http_host: exposing.HttpHostOption = None,
    gateway: exposing.GatewayOption = None,
    open_gateway: exposing.OpenGatewayOption = None,
    tls_cert: exposing.TlsCertOption = None,
    tls_key: exposing.TlsKeyOption = None,
    token_file: options.TokenFileOption = None,
    insecure_expose: exposing.InsecureExposeOption = False,
    expose_dev: exposing.ExposeDevOption = False,
    transport: Annotated[
        TransportChoice, typer.Option("--transport", help="Containers in this process, or as processes.")
    ] = TransportChoice.LOCAL,
    log_level: LogLevelOption = LogLevel.WARNING,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Run a development chain in memory, with ten funded accounts."""
    mining = dev_state.mining_of(mining, block_time, no_mining)
    checked_mining(mining)
    if state is not None and (load_state is not None or dump_state is not None):
        raise ConfigurationError("give --state FILE, or --load-state and --dump-state, not both")
    if state is not None:
        load_state, dump_state = state if state.exists() else None, state
    if dump_state is not None and not dump_state.absolute().parent.is_dir():
        raise ConfigurationError(
            f"cannot write the state {dump_state} at the end: there is no folder "
            f"{dump_state.absolute().parent}"
        )
    exposed = exposing.exposing(
        http=http, http_origins=http_origin, http_hosts=http_host, gateways=gateway,
        open_gateways=open_gateway, tls_cert=tls_cert, tls_key=tls_key, token_file=token_file,
        insecure_expose=insecure_expose, expose_dev=expose_dev,
    )  # fmt: skip
    config = NodeConfig(
        store=MEMORY_STORE,
        transport=transport.value,
        grpc_address=checked_address(grpc or DEFAULT_GRPC_ADDRESS),
        mining=mining,
    )
    config = msgspec.structs.replace(config, **exposed)
    serve(config, log_level=log_level, as_json=as_json, load_state=load_state, dump_state=dump_state)


def run_config(
    *,
    config: Path | None = None,
    genesis: Path | None = None,
    data_dir: Path | None = None,
    store: str | None = None,
    transport: Literal["grpc", "local"] | None = None,
    grpc: str | None = None,
    mining: str | None = None,
    exposed: Mapping[str, object] | None = None,
) -> NodeConfig:
    """Return the configuration that the options of `vessel run` describe.

    exposed: fields of NodeConfig that say who may reach the node, as `exposing` returns them.
    """
    from vessel.database.key_value import default_engine

    if store is not None and data_dir is not None:
        raise ConfigurationError("give --store URL or --data-dir DIR, not both")
    if store is None and (data_dir is not None or config is None):
        store = f"{default_engine()}:{(data_dir or DEFAULT_DATA_DIR) / 'chain'}"
    checked_mining(mining)
    overrides: dict[str, object] = {
        "store": store,
        "genesis": genesis,
        "transport": transport,
        "grpc_address": checked_address(grpc) if grpc is not None else None,
        "mining": mining,
    }
    given = {name: value for name, value in overrides.items() if value is not None} | dict(exposed or {})
    base = load_config(config) if config is not None else NodeConfig(store="")
    if base.token_file is not None and "token_file" not in given:
        given.pop("token_variable", None)  # the file that the configuration names is meant
    elif "token_file" in given:
        given["token_variable"] = None
    return msgspec.structs.replace(base, **given)


def serve(
    config: NodeConfig,
    *,
    log_level: LogLevel,
    as_json: bool,
    load_state: Path | None = None,
    dump_state: Path | None = None,
) -> None:
    """Run a node until SIGINT or SIGTERM; whatever happens, close it.

    load_state, dump_state: files of blocks to begin with, and to write at the end.
    """
    logging.basicConfig(
        level=log_level.value.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    with _stop_signals() as stop:
        node = open_node(config)
        try:
            if load_state is not None:
                dev_state.load(_whole(node), load_state)
            node.start()
            version = importlib.metadata.version("vesselchain")
            show(as_json, banner_document(node, version), *(() if as_json else banner(node, version)))
            stop.wait()
            if dump_state is not None:
                dev_state.dump(_whole(node), dump_state)
        finally:
            node.close()


def _whole(node: RunningNode) -> Node:
    from vessel.node import Node

    assert isinstance(node, Node)
    return node


def open_node(config: NodeConfig) -> RunningNode:
    """Open the node that a configuration describes; everything heavy is imported here."""
    from vessel.cli.store_holder import with_holder
    from vessel.node import Node

    try:
        return Node.open(config)
    except StoreLocked as error:
        raise with_holder(error, config.store) from error


def checked_address(address: str) -> str:
    """Return a host:port as it is; ConfigurationError where it is none."""
    from vessel.api.exposure import split

    split(address, "--grpc")
    return address


def checked_mining(mining: str | None) -> None:
    """ConfigurationError where `mining` is not a way to make blocks."""
    if mining is not None and _MINING.fullmatch(mining) is None:
        raise ConfigurationError(
            f"--mining {mining!r}: expected auto, manual or interval:MS, as in interval:1000"
        )


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT and SIGTERM set; put the old handlers back at the end."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    old = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
