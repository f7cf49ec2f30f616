"""Looking at a chain: `vessel info`, `block`, `tx`, `containers`, `balance`, `accounts`, `mine`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vessel.cli import options
from vessel.cli.artifact import load_artifact
from vessel.cli.connecting import connect
from vessel.cli.dev_accounts import dev_accounts
from vessel.cli.documents import (
    block_document,
    container_document,
    details_of,
    health_name,
    info_document,
    moment,
    pending_document,
    status_name,
    transaction_document,
)
from vessel.cli.evm import evm_address
from vessel.cli.output import fields, hexadecimal, rows, show
from vessel.cli.quantity import format_coin
from vessel.cli.revert import revert_reason
from vessel.client.reference import parse_block_at
from vessel.database.namespace import decode_balance, ledger_key
from vessel.errors import InvalidRequest
from vessel.primitives.address import parse_address
from vessel.primitives.encoding import from_integer
from vessel.primitives.units import Address
from vessel_proto.node.v1 import node_pb2


def info(
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Show which chain the node serves, and its head."""
    with connect(node, tls_ca, token_file) as client:
        answer = client.service_info()
    pairs = [
        ("node", f"{node}, {answer.software} {answer.version}"),
        ("chain", f"{answer.chain_name}, id {answer.chain_id}{', development' if answer.dev else ''}"),
        ("genesis", hexadecimal(answer.genesis_hash)),
        ("hash", answer.hash),
        ("consensus", answer.consensus),
        ("head", f"{answer.head.height} {hexadecimal(answer.head.id)}"),
        ("head time", moment(answer.head.time_ms)),
        ("finalized", answer.finalized_height),
        ("pending", answer.pending_transactions),
    ]
    show(as_json, info_document(answer), fields(pairs))


def block(
    reference: Annotated[
        str, typer.Argument(metavar="HEIGHT|ID|TAG", help="A height, an id, latest, finalized or genesis.")
    ] = "latest",
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Show a block."""
    at = parse_block_at(reference)
    with connect(node, tls_ca, token_file) as client:
        found = client.block(at)
    header = found.header
    pairs = [
        ("block", header.height),
        ("id", hexadecimal(found.id)),
        ("parent", hexadecimal(header.parent_id)),
        ("time", moment(header.time_ms)),
        ("state root", hexadecimal(found.result.state_root)),
        ("receipts root", hexadecimal(found.result.receipts_root)),
        ("gas used", found.result.gas_used),
        *((f"section {each.container}", _section_line(each)) for each in header.sections),
        ("transactions", len(found.transactions)),
    ]
    lines = [
        (index, each.container, hexadecimal(each.id), len(each.raw))
        for index, each in enumerate(found.transactions)
    ]
    table = [rows(["index#", "container", "id", "bytes#"], lines)] if lines else []
    show(as_json, block_document(found), fields(pairs), *table)


def tx(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The transaction's id.")],
    abi: Annotated[
        Path | None,
        typer.Option("--abi", metavar="ARTIFACT", help="An artifact whose errors explain a revert."),
    ] = None,
    container: Annotated[
        str, typer.Option("--container", metavar="NAME", help="Look in one container only.")
    ] = "",
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Show a transaction and its receipt."""
    wanted = _hexadecimal(identity, "the transaction id")
    known = load_artifact(abi).abi if abi is not None else None
    with connect(node, tls_ca, token_file) as client:
        answer = client.transaction(wanted, container=container)
    if answer.WhichOneof("place") == "pending":
        pending = answer.pending
        pairs: list[tuple[str, object]] = [
            ("transaction", hexadecimal(pending.id)),
            ("container", pending.container),
            ("status", "pending, in no block yet"),
            ("sender", hexadecimal(pending.sender)),
        ]
        show(as_json, pending_document(pending), fields(pairs))
        return
    committed, receipt = answer.committed, answer.committed.receipt
    status = status_name(receipt.status)
    if receipt.status == node_pb2.STATUS_REVERTED:
        status += f": {revert_reason(receipt.output, known)}"
    pairs = [
        ("transaction", hexadecimal(committed.id)),
        ("container", committed.container),
        ("block", f"{committed.block_height} {hexadecimal(committed.block_id)}"),
        ("index", committed.index),
        ("time", moment(committed.block_time_ms)),
        ("sender", hexadecimal(receipt.sender)),
        ("status", status),
        ("gas used", receipt.gas_used),
        ("burned", format_coin(from_integer(receipt.burned))),
        ("logs", len(receipt.logs)),
    ]
    details = details_of(receipt)
    if isinstance(details, dict):
        pairs += [(str(name), value) for name, value in details.items() if value is not None]
    lines = [
        (index, hexadecimal(log.address), hexadecimal(log.topics[0]) if log.topics else "", len(log.data))
        for index, log in enumerate(receipt.logs)
    ]
    table = [rows(["log#", "address", "first topic", "bytes#"], lines)] if lines else []
    show(as_json, transaction_document(committed), fields(pairs), *table)


def containers(
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """List the chain's containers: the virtual machines it hosts."""
    with connect(node, tls_ca, token_file) as client:
        found = client.containers()
    lines = [
        (
            each.name,
            f"{each.kind} {each.version}",
            each.transport,
            each.process_id or "-",
            health_name(each.health),
            each.restarts,
            each.namespace,
            each.gas_limit,
        )
        for each in found
    ]
    headings = ["name", "kind", "transport", "pid#", "health", "restarts#", "namespace#", "gas limit#"]
    show(as_json, {"containers": [container_document(each) for each in found]}, rows(headings, lines))


def balance(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Whose native coin.")],
    at: options.AtOption = "latest",
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Show the native coin of an address."""
    owner = Address(evm_address(address))
    with connect(node, tls_ca, token_file) as client:
        answer = client.state([ledger_key(owner)], at=parse_block_at(at))
    wei = decode_balance(answer.entries[0].value)
    document = {"address": hexadecimal(owner), "balance": str(wei), "height": answer.height}
    show(as_json, document, format_coin(wei))


def accounts(
    keys: Annotated[
        bool, typer.Option("--keys", help="Show the private keys, which everybody knows.")
    ] = False,
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """List the ten accounts of a development chain with their balances."""
    with connect(node, tls_ca, token_file) as client:
        if not client.service_info().dev:
            raise InvalidRequest("this is not a development chain: it has no accounts whose keys are known")
        owners = dev_accounts()
        answer = client.state([ledger_key(parse_address(each.address)) for each in owners])
    balances = [decode_balance(entry.value) for entry in answer.entries]
    documents = []
    lines = []
    for each, wei in zip(owners, balances, strict=True):
        document: dict[str, object] = {"index": each.index, "address": each.address, "balance": str(wei)}
        if keys:
            document["private_key"] = hexadecimal(each.private_key)
        documents.append(document)
        shown = [each.index, each.address, format_coin(wei)]
        lines.append([*shown, hexadecimal(each.private_key)] if keys else shown)
    headings = ["index#", "address", "balance", *(["private key"] if keys else [])]
    show(as_json, {"accounts": documents, "height": answer.height}, rows(headings, lines))


def mine(
    blocks: Annotated[int, typer.Argument(metavar="N", min=1, help="How many.")] = 1,
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Make blocks now; only on a development chain."""
    with connect(node, tls_ca, token_file) as client:
        height = client.mine(blocks)
    show(as_json, {"blocks": blocks, "height": height}, fields([("height", height)]))


def _section_line(section: node_pb2.Section) -> str:
    fee = format_coin(from_integer(section.base_fee))
    idle = ", idle" if section.idle else ""
    return f"gas {section.gas_used} of {section.gas_limit}, base fee {fee}{idle}"


def _hexadecimal(text: str, what: str) -> bytes:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = b""
    if not data:
        raise InvalidRequest(f"{what} {text!r} is not hexadecimal: expected 0x and pairs of digits")
    return data
