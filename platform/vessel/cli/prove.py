"""`vessel prove`: fetch a value with its proof and check the proof here, trusting only the root."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from vessel.cli import options
from vessel.cli.connecting import connect
from vessel.cli.evm import evm_address
from vessel.cli.output import fields, hexadecimal, show
from vessel.cli.quantity import format_coin
from vessel.client.reference import parse_block_at
from vessel.database.namespace import NAMESPACE_SIZE_BYTES, decode_balance, ledger_key
from vessel.database.proof import Proof, verify
from vessel.database.tree import value_hash
from vessel.errors import InvalidRequest
from vessel.primitives.hashing import Hasher, hasher_by_name
from vessel.primitives.units import HASH_SIZE_BYTES, Address, Hash32


def prove(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="Whose native coin to prove.", show_default=False)
    ] = "",
    key: Annotated[
        str, typer.Option("--key", metavar="HEX", help="Any state key: namespace (2 bytes), then the key.")
    ] = "",
    root: Annotated[
        str,
        typer.Option(
            "--root", metavar="HEX", help="A state root you trust; default: the one the node states."
        ),
    ] = "",
    at: options.AtOption = "latest",
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Prove what the state holds, and check the proof here."""
    if bool(address) == bool(key):
        raise typer.BadParameter("give an ADDRESS or --key HEX, one of them")
    state_key = ledger_key(Address(evm_address(address))) if address else _bytes(key, "--key")
    if len(state_key) <= NAMESPACE_SIZE_BYTES:
        raise InvalidRequest(f"--key has {len(state_key)} bytes: expected 2 of the namespace, then a key")
    trusted = _bytes(root, "--root") if root else b""
    if trusted and len(trusted) != HASH_SIZE_BYTES:
        raise InvalidRequest(f"--root has {len(trusted)} bytes, expected {HASH_SIZE_BYTES}")
    with connect(node, tls_ca, token_file) as client:
        hasher = hasher_by_name(client.service_info().hash)
        answer = client.state([state_key], with_proofs=True, at=parse_block_at(at))
    (entry,) = answer.entries
    value = entry.value if entry.HasField("value") else None
    started = time.perf_counter()
    check(entry.proof, Hash32(trusted or answer.state_root), state_key, value, hasher)
    micros = round((time.perf_counter() - started) * 1e6)
    document: dict[str, object] = {
        "key": hexadecimal(state_key),
        "value": None if value is None else hexadecimal(value),
        "height": answer.height,
        "block_id": hexadecimal(answer.block_id),
        "state_root": hexadecimal(trusted or answer.state_root),
        "proof": hexadecimal(entry.proof),
        "proof_size_bytes": len(entry.proof),
        "verified": True,
    }
    pairs: list[tuple[str, object]] = [
        ("block", f"{answer.height} {hexadecimal(answer.block_id)}"),
        ("state root", hexadecimal(trusted or answer.state_root)),
        ("key", hexadecimal(state_key)),
        ("value", "none" if value is None else hexadecimal(value)),
        ("proof", f"{len(entry.proof)} bytes, {'of absence' if value is None else 'of inclusion'}"),
        ("verified", f"yes, here, in {micros} µs"),
    ]
    if address:
        wei = decode_balance(value)
        document |= {"address": hexadecimal(state_key[NAMESPACE_SIZE_BYTES:]), "balance": str(wei)}
        pairs.insert(4, ("balance", format_coin(wei)))
    show(as_json, document, fields(pairs))


def check(proof: bytes, root: Hash32, key: bytes, value: bytes | None, hasher: Hasher) -> None:
    """Return where the proof shows that `key` has `value` (None: has none) under `root`.

    InvalidRequest (PROOF_MALFORMED, PROOF_MISMATCH) where it does not.
    """
    proven = verify(Proof.from_bytes(proof), root, key, hasher)
    stated = None if value is None else value_hash(hasher, value)
    if proven != stated:
        raise InvalidRequest(
            "the proof is of another value than the node states: "
            f"proven {'none' if proven is None else proven.hex()}, "
            f"stated {'none' if stated is None else stated.hex()} (hashes); do not trust this node",
            reason="PROOF_MISMATCH",
        )


def _bytes(text: str, name: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise InvalidRequest(f"{name} {text!r} is not hexadecimal: expected 0x and pairs of digits") from None
