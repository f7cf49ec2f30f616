"""Searching a chain and watching it: `vessel logs`, `receipts`, `watch`."""

from __future__ import annotations

import enum
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, TypeVar

import typer

from vessel.cli import options
from vessel.cli.connecting import connect
from vessel.cli.documents import STATUS_NAMES, block_document, log_document, status_name, transaction_document
from vessel.cli.output import emit_json, hexadecimal
from vessel.errors import InvalidRequest
from vessel.primitives.filter import Filter
from vessel.primitives.receipt import Status
from vessel.primitives.units import Height
from vessel_proto.node.v1 import node_pb2

T = TypeVar("T")

DEFAULT_LIMIT = 1_000
ANY_TOPIC = "any"

ContainerOption = Annotated[
    str, typer.Option("--container", metavar="NAME", help="Of one container only.", show_default=False)
]
AddressOption = Annotated[
    list[str] | None,
    typer.Option("--address", metavar="HEX", help="Logs of this emitter. Several: any of them."),
]
TopicOption = Annotated[
    list[str] | None,
    typer.Option(
        "--topic",
        metavar="HEX[,HEX…]|any",
        help="The log's first topic, given again its second, and so on; alternatives with commas.",
    ),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="HEX", help="A tag that the container gave. Several: any of them."),
]
SenderOption = Annotated[
    list[str] | None,
    typer.Option("--sender", metavar="HEX", help="Of this sender. Several: any of them."),
]
StatusOption = Annotated[
    list[str] | None,
    typer.Option("--status", metavar="NAME", help="With this outcome: ok, reverted … Several: any of them."),
]
FromOption = Annotated[
    int | None, typer.Option("--from", min=0, metavar="HEIGHT", help="The first block.", show_default=False)
]
ToOption = Annotated[
    int | None, typer.Option("--to", min=0, metavar="HEIGHT", help="The last block.", show_default=False)
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, help="Stop after so many.")]
FollowOption = Annotated[
    bool, typer.Option("--follow", "-f", help="Go on with what comes; with --json, a line each.")
]
LinesOption = Annotated[bool, typer.Option("--json", help="Print JSON, a line each; errors too.")]


class Kind(enum.StrEnum):
    """What can be watched."""

    BLOCKS = "blocks"
    RECEIPTS = "receipts"
    LOGS = "logs"


def logs(
    address: AddressOption = None,
    topic: TopicOption = None,
    container: ContainerOption = "",
    tag: TagOption = None,
    sender: SenderOption = None,
    first: FromOption = None,
    last: ToOption = None,
    limit: LimitOption = DEFAULT_LIMIT,
    follow: FollowOption = False,
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Find logs by address, topics and range, oldest first."""
    wanted = read_filter(
        container=container, addresses=address, topics=topic, tags=tag, senders=sender, first=first, last=last
    )
    with connect(node, tls_ca, token_file) as client:
        if follow:
            _watch(client.subscribe("logs", wanted), as_json=as_json)
            return
        _list("logs", client.logs(wanted), limit, as_json, placed_log_document, _log_line)


def receipts(
    tag: TagOption = None,
    sender: SenderOption = None,
    status: StatusOption = None,
    container: ContainerOption = "",
    address: AddressOption = None,
    topic: TopicOption = None,
    first: FromOption = None,
    last: ToOption = None,
    limit: LimitOption = DEFAULT_LIMIT,
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Find transactions by tag, sender and outcome, oldest first."""
    wanted = read_filter(
        container=container, addresses=address, topics=topic, tags=tag, senders=sender, statuses=status,
        first=first, last=last,
    )  # fmt: skip
    with connect(node, tls_ca, token_file) as client:
        _list("receipts", client.receipts(wanted), limit, as_json, transaction_document, _receipt_line)


def watch(
    what: Annotated[Kind, typer.Argument(metavar="blocks|receipts|logs", help="What to show as it comes.")],
    container: ContainerOption = "",
    address: AddressOption = None,
    topic: TopicOption = None,
    tag: TagOption = None,
    sender: SenderOption = None,
    status: StatusOption = None,
    first: FromOption = None,
    last: ToOption = None,
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: LinesOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Show blocks, receipts or logs as they come, until Ctrl-C; with --from, what is past first.

    In JSON every line has `next_height`: with `--from` it goes on there. `removed` is true for what a
    reorganisation took back.
    """
    wanted = read_filter(
        container=container, addresses=address, topics=topic, tags=tag, senders=sender, statuses=status,
        first=first, last=last,
    )  # fmt: skip
    with connect(node, tls_ca, token_file) as client:
        _watch(client.subscribe(what.value, wanted), as_json=as_json)


def read_filter(
    *,
    container: str = "",
    addresses: Sequence[str] | None = None,
    topics: Sequence[str] | None = None,
    tags: Sequence[str] | None = None,
    senders: Sequence[str] | None = None,
    statuses: Sequence[str] | None = None,
    first: int | None = None,
    last: int | None = None,
) -> Filter:
    """Read the options of a filter; InvalidRequest names the one that does not fit."""
    return Filter(
        container=container,
        addresses=_all(addresses, "--address"),
        topics=tuple(() if text == ANY_TOPIC else _all(text.split(","), "--topic") for text in topics or ()),
        tags=_all(tags, "--tag"),
        senders=_all(senders, "--sender"),
        statuses=tuple(map(_status, statuses or ())),
        from_height=None if first is None else Height(first),
        to_height=None if last is None else Height(last),
    )


def placed_log_document(log: node_pb2.LogInBlock) -> dict[str, object]:
    """Return a log in its block."""
    return {
        "container": log.container,
        **log_document(log.log),
        "block_height": log.block_height,
        "block_id": hexadecimal(log.block_id),
        "block_time_ms": log.block_time_ms,
        "transaction_id": hexadecimal(log.transaction_id) if log.transaction_id else None,
        "transaction_index": log.transaction_index if log.HasField("transaction_index") else None,
        "index": log.index,
    }


def _all(texts: Iterable[str] | None, option: str) -> tuple[bytes, ...]:
    return tuple(_hexadecimal(text, option) for text in texts or ())


def _hexadecimal(text: str, option: str) -> bytes:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = b""
    if not data or " " in text:
        raise InvalidRequest(
            f"{option} {text!r} is not hexadecimal: expected 0x and pairs of digits", reason="ARGUMENT"
        )
    return data


def _status(text: str) -> Status:
    names = {name: Status(int(number)) for number, name in STATUS_NAMES.items()}
    if text not in names:
        raise InvalidRequest(
            f"--status {text!r} is not known: expected {', '.join(names)}", reason="ARGUMENT"
        )
    return names[text]


# ---- showing


def _list(
    name: str,
    found: Iterator[T],
    limit: int,
    as_json: bool,
    document: Callable[[T], dict[str, object]],
    line: Callable[[T], str],
) -> None:
    """Show at most `limit`, and whether there are more."""
    shown = itertools.islice(found, limit)
    if as_json:
        documents = [document(each) for each in shown]
        emit_json({name: documents, "more": next(found, None) is not None})
        return
    count = 0
    for each in shown:
        typer.echo(line(each))
        count += 1
    if count == limit and next(found, None) is not None:
        typer.echo(f"there are more than {limit}: go on with --from, or raise --limit", err=True)
    elif not count:
        typer.echo(f"no {name} meet this", err=True)


def _watch(messages: Iterator[node_pb2.SubscribeResponse], *, as_json: bool) -> None:
    """Show a stream until it ends."""
    for message in messages:
        next_height = message.watermark.next_height
        parts: list[tuple[str, dict[str, object], str]] = [
            *(("block", block_document(each), _block_line(each)) for each in message.blocks),
            *(("receipt", transaction_document(each), _receipt_line(each)) for each in message.receipts),
            *(("log", placed_log_document(each), _log_line(each)) for each in message.logs),
        ]
        if not as_json:
            for _, _, line in parts:
                typer.echo(f"removed {line}" if message.removed else line)
            continue
        if not parts:
            _json_line({"next_height": next_height})
        for kind, document, _ in parts:
            _json_line({kind: document, "removed": message.removed, "next_height": next_height})


def _json_line(document: object) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))


def _block_line(block: node_pb2.Block) -> str:
    return (
        f"block {block.header.height} {hexadecimal(block.id)} "
        f"{len(block.transactions)} transactions, gas {block.result.gas_used}"
    )


def _receipt_line(placed: node_pb2.TransactionInBlock) -> str:
    receipt = placed.receipt
    return (
        f"block {placed.block_height} #{placed.index} {placed.container} {hexadecimal(placed.id)} "
        f"from {hexadecimal(receipt.sender)} {status_name(receipt.status)}, gas {receipt.gas_used}"
    )


def _log_line(log: node_pb2.LogInBlock) -> str:
    topics = " ".join(map(hexadecimal, log.log.topics))
    return (
        f"block {log.block_height} log {log.index} {log.container} {hexadecimal(log.log.address)} "
        f"[{topics}] {hexadecimal(log.log.data)}"
    )
