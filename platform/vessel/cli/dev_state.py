"""What a development chain keeps from one run to the next: `--dump-state`, `--load-state`, `--state`.

The file is one of blocks, as `vessel export` writes it: a chain that is loaded has its whole history,
and came to its state by executing it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vessel.errors import ConfigurationError

if TYPE_CHECKING:
    from vessel.node import Node

DumpStateOption = Annotated[
    Path | None,
    typer.Option(
        "--dump-state", metavar="FILE", help="Write the chain to a file at the end.", show_default=False
    ),
]
LoadStateOption = Annotated[
    Path | None,
    typer.Option(
        "--load-state", metavar="FILE", help="Begin with a chain that was dumped.", show_default=False
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="FILE",
        help="Both: begin with the file where there is one, write it at the end.",
        show_default=False,
    ),
]
BlockTimeOption = Annotated[
    float | None,
    typer.Option(
        "--block-time",
        "-b",
        min=0.001,
        metavar="SECONDS",
        help="Make a block every so often.",
        show_default=False,
    ),
]
NoMiningOption = Annotated[bool, typer.Option("--no-mining", help="Make blocks only when asked to.")]


def mining_of(mining: str | None, block_time_s: float | None, no_mining: bool) -> str | None:
    """Return the way blocks are made that the options describe; ConfigurationError where they clash."""
    given = [
        option
        for option, is_given in (
            ("--mining", mining is not None),
            ("--block-time", block_time_s is not None),
            ("--no-mining", no_mining),
        )
        if is_given
    ]
    if len(given) > 1:
        raise ConfigurationError(f"give one of {', '.join(given)}: they say different things")
    if block_time_s is not None:
        return f"interval:{max(1, round(block_time_s * 1000))}"
    return "manual" if no_mining else mining


def load(node: Node, path: Path) -> int:
    """Give a new chain the blocks of a file; return how many. Errors as `vessel import`."""
    from vessel.cli.block_file import check_chain, read_blocks, read_header
    from vessel.container.deep_threads import DeepThreadPool

    try:
        file = path.open("rb")
    except OSError as error:
        raise ConfigurationError(f"cannot read the state {path}: {error.strerror}") from error
    with file:
        header = read_header(file, str(path))
        check_chain(header, node.genesis_hash, str(path))
        blocks = read_blocks(file, header, str(path), node.genesis.hasher)
        with DeepThreadPool(1) as deep:  # contracts may call deeply, as in the chain's own thread
            return deep.submit(lambda: sum(1 for _ in map(node.chain.import_block, blocks))).result()


def dump(node: Node, path: Path) -> int:
    """Write all blocks of a chain to a file, which has its name only when it is whole; return how many.

    What controls have set since the last block gets a block of its own first.
    """
    from vessel.api import convert
    from vessel.cli.block_file import write_block, write_header

    chain = node.chain
    if chain.staged:
        node.producer.call(chain.produce_by_hand).result()
    head = chain.head.block.header.height
    parts = frozenset(convert.BLOCK_PARTS) - {"receipts"}
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            write_header(
                file,
                genesis_hash=node.genesis_hash,
                hash_name=node.genesis.hasher.name,
                first_height=1,
                last_height=head,
            )
            for height in range(1, head + 1):
                write_block(file, convert.block(chain.store.block(height), parts))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise ConfigurationError(f"cannot write the state {path}: {error.strerror}") from error
    return head
