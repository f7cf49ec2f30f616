"""`vessel export` and `vessel import`: blocks from one store or node to another, through a file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, TypeVar

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vessel.cli import options
from vessel.cli.connecting import connect
from vessel.cli.output import console, fields, hexadecimal, show
from vessel.cli.run import TransportChoice, open_node, run_config
from vessel.config import DEFAULT_DATA_DIR, NodeConfig
from vessel.errors import ConfigurationError, InvalidBlock, InvalidRequest, StorageError, VesselError
from vessel_proto.node.v1 import node_pb2

T = TypeVar("T")

STREAM = "-"
_READ_MASK = ("id", "header", "transactions", "result")

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help=f"Where the chain is kept. Default {DEFAULT_DATA_DIR}.",
        show_default=False,
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="leveldb:PATH or rocksdb:PATH, instead of --data-dir.",
        show_default=False,
    ),
]
GenesisOption = Annotated[
    Path | None,
    typer.Option(
        "--genesis",
        metavar="FILE",
        help="The chain's genesis in TOML; default: the development chain.",
        show_default=False,
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A node's configuration; other options override it.",
        show_default=False,
    ),
]


def export_blocks(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to write; - is standard output.")],
    first: Annotated[int, typer.Option("--from", min=0, metavar="HEIGHT", help="The first block.")] = 1,
    last: Annotated[
        int | None,
        typer.Option(
            "--to", min=0, metavar="HEIGHT", help="The last block. Default the head.", show_default=False
        ),
    ] = None,
    node: Annotated[
        str | None,
        typer.Option(
            "--node", metavar="HOST:PORT", help="Ask a running node, instead of a store.", show_default=False
        ),
    ] = None,
    data_dir: DataDirOption = None,
    store: StoreOption = None,
    genesis: GenesisOption = None,
    config: ConfigOption = None,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Write blocks to a file, from a store that no node has open or from a running node."""
    with contextlib.ExitStack() as stack:
        if node is not None:
            if data_dir is not None or store is not None or config is not None:
                raise ConfigurationError("give --node HOST:PORT or a store (--data-dir, --store), not both")
            source: _Source = stack.enter_context(_node_source(node, tls_ca, token_file))
        else:
            source = stack.enter_context(
                _store_source(run_config(config=config, genesis=genesis, data_dir=data_dir, store=store))
            )
        end = source.head if last is None else last
        if not first <= end <= source.head:
            there = f"blocks 0 to {source.head}" if source.head >= 0 else "no blocks yet"
            raise InvalidRequest(
                f"there are no blocks {first} to {end} to export: the chain has {there}",
                reason="RANGE",
                head_height=source.head,
            )
        out = stack.enter_context(_writable(file))
        from vessel.cli.block_file import write_block, write_header

        write_header(
            out,
            genesis_hash=source.genesis_hash,
            hash_name=source.hash_name,
            first_height=first,
            last_height=end,
        )
        for height in _with_progress(range(first, end + 1), "exporting", end - first + 1):
            write_block(out, source.block(height))
    if file != STREAM:
        document = {"file": file, "first_height": first, "last_height": end, "blocks": end - first + 1}
        show(as_json, document, fields(document.items()))


def import_blocks(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="What `vessel export` wrote; - is standard input.")
    ],
    data_dir: DataDirOption = None,
    store: StoreOption = None,
    genesis: GenesisOption = None,
    config: ConfigOption = None,
    transport: Annotated[
        TransportChoice, typer.Option("--transport", help="Containers in this process, or as processes.")
    ] = TransportChoice.LOCAL,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Execute the blocks of a file and keep them in a store that no node has open.

    Every block is checked and executed anew. Blocks that are there already are passed over, so an import
    that was cut short is simply run again.
    """
    from vessel.cli.block_file import check_chain, read_blocks, read_header
    from vessel.node import Node

    configuration = run_config(
        config=config, genesis=genesis, data_dir=data_dir, store=store, transport=transport.value
    )
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(_readable(file))
        name = "standard input" if file == STREAM else file
        header = read_header(source, name)
        running = open_node(configuration)
        stack.callback(running.close)
        assert isinstance(running, Node)
        chain = running.chain
        check_chain(header, running.genesis_hash, name)
        imported = known = 0
        blocks = read_blocks(source, header, name, running.genesis.hasher)
        try:
            for block in _with_progress(blocks, "importing", header.last_height - header.first_height + 1):
                there = chain.tree.find(block.header.block_id(running.genesis.hasher)) is not None
                chain.import_block(block)
                known += there
                imported += not there
        except (InvalidBlock, StorageError) as error:
            head = chain.head.block.header.height
            raise type(error)(
                f"{error.message}. Imported and kept: {imported} blocks; the chain ends at block {head}",
                reason=error.reason,
                **{**error.details, "imported": imported, "head_height": head},
            ) from error
        head_block = chain.head
        document = {
            "imported": imported,
            "known": known,
            "head_height": head_block.block.header.height,
            "head_id": hexadecimal(head_block.block_id),
            "state_root": hexadecimal(head_block.block.seal.result.state_root),
        }
    show(as_json, document, fields(document.items()))


class _Source:
    """Where blocks come from."""

    head: int
    genesis_hash: bytes
    hash_name: str

    def block(self, height: int) -> node_pb2.Block:
        """Return a block as a message."""
        raise NotImplementedError


@contextlib.contextmanager
def _node_source(address: str, tls_ca: str | None, token_file: Path | None) -> Iterator[_Source]:
    with connect(address, tls_ca, token_file) as client:
        info = client.service_info()

        class NodeSource(_Source):
            head, genesis_hash, hash_name = info.head.height, info.genesis_hash, info.hash

            def block(self, height: int) -> node_pb2.Block:
                return client.block(height, read_mask=_READ_MASK)

        yield NodeSource()


@contextlib.contextmanager
def _store_source(config: NodeConfig) -> Iterator[_Source]:
    from vessel.api import convert
    from vessel.cli.store_holder import with_holder
    from vessel.database.chain_store import ChainStore
    from vessel.errors import StoreLocked
    from vessel.processing.genesis import development_genesis, load_genesis

    chain = development_genesis() if config.genesis is None else load_genesis(config.genesis)
    try:
        opened = ChainStore.open(
            config.store, genesis_hash=chain.genesis_hash, hasher=chain.hasher, create=False
        )
    except StoreLocked as error:
        held = with_holder(error, config.store)
        raise StoreLocked(
            f"{held.message}. A running node exports its blocks with --node HOST:PORT",
            reason=held.reason,
            **held.details,
        ) from error
    with opened:

        class StoreSource(_Source):
            head, genesis_hash, hash_name = opened.state.head_height, chain.genesis_hash, chain.hasher.name

            def block(self, height: int) -> node_pb2.Block:
                return convert.block(opened.block(height), frozenset(_READ_MASK))

        yield StoreSource()


@contextlib.contextmanager
def _writable(file: str) -> Iterator[BinaryIO]:
    """Yield where to write; a file has its name only when it is whole."""
    if file == STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(file)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as out:
            yield out
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ConfigurationError(f"cannot write {file}: {error.strerror}") from error
    except (VesselError, KeyboardInterrupt):
        partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _readable(file: str) -> Iterator[BinaryIO]:
    if file == STREAM:
        yield sys.stdin.buffer
        return
    with contextlib.ExitStack() as stack:
        try:
            source = stack.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise ConfigurationError(f"cannot read {file}: {error.strerror}") from error
        yield source


def _with_progress(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield the items, with a bar on standard error where that is a terminal."""
    screen = console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, disable=not screen.is_terminal) as progress:
        yield from progress.track(items, total=total)
