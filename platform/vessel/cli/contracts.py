"""Contracts and coin: `vessel deploy`, `vessel call`, `vessel send`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vessel.cli import options
from vessel.cli.abi import Abi, Function, parse_signature
from vessel.cli.arguments import checksummed, decode_values, encode_arguments, encode_call, to_text
from vessel.cli.artifact import load_artifact
from vessel.cli.connecting import connect
from vessel.cli.documents import receipt_document, status_name
from vessel.cli.evm import Draft, SignedTransaction, complete, evm_address, sign
from vessel.cli.exit_codes import ExitCode
from vessel.cli.output import fields, hexadecimal, show
from vessel.cli.quantity import parse_quantity
from vessel.cli.revert import revert_reason
from vessel.cli.signer import choose_signer
from vessel.client.reference import parse_block_at
from vessel.errors import (
    ExecutionDenied,
    ExecutionError,
    ExecutionInvalid,
    ExecutionReverted,
    ExecutionTrapped,
    InvalidRequest,
    OutOfGas,
)
from vessel_proto.node.v1 import node_pb2

_NEGATIVE = re.compile(r"-[0-9]")
# Negative numbers are arguments, not options; `_arguments` sorts out what is neither.
ARGUMENTS_SETTINGS = {"ignore_unknown_options": True}

_OUTCOMES: dict[int, type[ExecutionError]] = {
    node_pb2.STATUS_OUT_OF_GAS: OutOfGas,
    node_pb2.STATUS_TRAP: ExecutionTrapped,
    node_pb2.STATUS_INVALID: ExecutionInvalid,
    node_pb2.STATUS_DENIED: ExecutionDenied,
}

ArgumentsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ARGS",
        help="100, 0x64, 1ether, 0xabcd, true, text, [1,2], (1,0xab).",
        show_default=False,
    ),
]
AbiOption = Annotated[
    Path | None,
    typer.Option(
        "--abi", metavar="ARTIFACT", help="An artifact with the ABI: names functions, decodes errors."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How a transaction is signed, paid and waited for: the options that deploy and send share."""

    node: str
    tls_ca: str | None
    token_file: Path | None
    container: str
    sender: str
    private_key: str
    keystore: Path | None
    password_file: Path | None
    value: str
    gas_limit: int
    nonce: int
    max_fee: str
    tip: str
    wait: bool
    timeout_s: float

    def draft(self, *, to: bytes, data: bytes) -> Draft:
        """Return the transaction as far as the options decide it."""
        return Draft(
            to=to,
            data=data,
            value=parse_quantity(self.value, name="--value"),
            gas_limit=self.gas_limit or None,
            nonce=None if self.nonce < 0 else self.nonce,
            max_fee=parse_quantity(self.max_fee, name="--max-fee") if self.max_fee else None,
            tip=parse_quantity(self.tip, name="--tip"),
        )

    def send(self, draft: Draft, abi: Abi | None) -> tuple[SignedTransaction, node_pb2.AcceptedTransaction]:
        """Complete, sign and submit; a failed estimate comes with its reason decoded."""
        with connect(self.node, self.tls_ca, self.token_file) as client:
            info = client.service_info()
            signer = choose_signer(
                sender=self.sender,
                private_key=self.private_key,
                keystore=self.keystore,
                password_file=self.password_file,
                dev_chain=info.dev,
            )
            try:
                draft = complete(client, self.container, signer.address, draft)
            except ExecutionError as error:
                reason = revert_reason(error.output, abi) if error.output else ""
                if reason and not reason.startswith("revert data"):
                    error.message = f"it would revert: {reason}"
                raise
            signed = sign(draft, signer, info.chain_id)
            accepted = client.submit(
                self.container,
                signed.raw,
                wait="committed" if self.wait else "accepted",
                timeout_s=self.timeout_s,
            )
        return signed, accepted


def deploy(
    artifact: Annotated[
        Path,
        typer.Argument(metavar="ARTIFACT", help="What the compiler wrote: Hardhat, Foundry or solc JSON."),
    ],
    arguments: ArgumentsArgument = None,
    contract: Annotated[
        str, typer.Option("--contract", metavar="NAME", help="Which, where the file has several.")
    ] = "",
    value: options.ValueOption = "0",
    sender: options.FromOption = "",
    private_key: options.PrivateKeyOption = "",
    keystore: options.KeystoreOption = None,
    password_file: options.PasswordFileOption = None,
    gas_limit: options.GasLimitOption = 0,
    nonce: options.NonceOption = -1,
    max_fee: options.MaxFeeOption = "",
    tip: options.TipOption = options.DEFAULT_TIP,
    no_wait: options.NoWaitOption = False,
    timeout: options.TimeoutOption = options.DEFAULT_TIMEOUT_S,
    container: options.ContainerOption = options.DEFAULT_CONTAINER,
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Create a contract from compiled code."""
    sending = Sending(
        node=node, tls_ca=tls_ca, token_file=token_file, container=container, sender=sender,
        private_key=private_key, keystore=keystore, password_file=password_file, value=value,
        gas_limit=gas_limit, nonce=nonce, max_fee=max_fee, tip=tip, wait=not no_wait, timeout_s=timeout,
    )  # fmt: skip
    loaded = load_artifact(artifact, contract=contract)
    constructor = loaded.abi.constructor
    data = loaded.creation_code() + encode_arguments(constructor, _arguments(arguments))
    draft = sending.draft(to=b"", data=data)
    _refuse_value(constructor, draft.value, f"the constructor of {loaded.name}")
    signed, accepted = sending.send(draft, loaded.abi)
    address = checksummed(hexadecimal(signed.created))
    head: dict[str, object] = {"contract": loaded.name, "address": address}
    _show_sent(as_json, signed, accepted, loaded.abi, head)


def call(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The contract.")],
    function: Annotated[
        str, typer.Argument(metavar="FUNCTION", help="'balanceOf(address)(uint256)', or a name with --abi.")
    ],
    arguments: ArgumentsArgument = None,
    abi: AbiOption = None,
    sender: Annotated[
        str, typer.Option("--from", metavar="ADDRESS", help="Whom the contract sees as the caller.")
    ] = "",
    value: options.ValueOption = "0",
    at: options.AtOption = "latest",
    container: options.ContainerOption = options.DEFAULT_CONTAINER,
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Ask a contract and change nothing."""
    to = evm_address(address)
    known, chosen = _choose(function, abi, _arguments(arguments))
    data = encode_call(chosen, _arguments(arguments))
    with connect(node, tls_ca, token_file) as client:
        answer = client.call(
            container,
            to=to,
            input=data,
            sender=evm_address(sender) if sender else b"",
            value=parse_quantity(value, name="--value"),
            at=parse_block_at(at),
        )
    if answer.status != node_pb2.STATUS_OK:
        raise _call_failed(answer, known)
    document: dict[str, object] = {
        "output": hexadecimal(answer.output),
        "gas_used": answer.gas_used,
        "height": answer.height,
    }
    if chosen.outputs is None:
        show(as_json, document, hexadecimal(answer.output))
        return
    values = decode_values(chosen.outputs, answer.output, what=chosen.described)
    document["values"] = [
        {"name": parameter.name, "type": parameter.type, "value": value}
        for parameter, value in zip(chosen.outputs, values, strict=True)
    ]
    show(as_json, document, *(to_text(value) for value in values))


def send(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The contract, or who receives coin.")],
    function: Annotated[
        str,
        typer.Argument(
            metavar="FUNCTION",
            help="'transfer(address,uint256)', or a name with --abi.",
            show_default=False,
        ),
    ] = "",
    arguments: ArgumentsArgument = None,
    abi: AbiOption = None,
    value: options.ValueOption = "0",
    sender: options.FromOption = "",
    private_key: options.PrivateKeyOption = "",
    keystore: options.KeystoreOption = None,
    password_file: options.PasswordFileOption = None,
    gas_limit: options.GasLimitOption = 0,
    nonce: options.NonceOption = -1,
    max_fee: options.MaxFeeOption = "",
    tip: options.TipOption = options.DEFAULT_TIP,
    no_wait: options.NoWaitOption = False,
    timeout: options.TimeoutOption = options.DEFAULT_TIMEOUT_S,
    container: options.ContainerOption = options.DEFAULT_CONTAINER,
    node: options.NodeOption = options.DEFAULT_NODE,
    tls_ca: options.TlsCaOption = None,
    token_file: options.TokenFileOption = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Call a contract in a transaction, or send coin."""
    sending = Sending(
        node=node, tls_ca=tls_ca, token_file=token_file, container=container, sender=sender,
        private_key=private_key, keystore=keystore, password_file=password_file, value=value,
        gas_limit=gas_limit, nonce=nonce, max_fee=max_fee, tip=tip, wait=not no_wait, timeout_s=timeout,
    )  # fmt: skip
    to = evm_address(address)
    known, data = None, b""
    if function:
        _arguments([function])
        known, chosen = _choose(function, abi, _arguments(arguments))
        data = encode_call(chosen, _arguments(arguments))
        _refuse_value(chosen, parse_quantity(value, name="--value"), chosen.signature)
    elif parse_quantity(value, name="--value") == 0:
        raise InvalidRequest("nothing to send: give a function to call, or coin with --value 1ether")
    signed, accepted = sending.send(sending.draft(to=to, data=data), known)
    _show_sent(as_json, signed, accepted, known, {})


def _arguments(words: list[str] | None) -> list[str]:
    """Return the arguments; a mistyped option that came along is a usage error."""
    for word in words or []:
        if word.startswith("-") and not _NEGATIVE.match(word):
            raise typer.BadParameter(f"No such option: {word}")
    return words or []


def _choose(function: str, abi: Path | None, arguments: list[str]) -> tuple[Abi | None, Function]:
    """Return the ABI, if one was given, and the function that is meant."""
    if abi is None:
        if "(" not in function:
            raise InvalidRequest(
                f"{function!r} is a name without types; write '{function}(types)(types it returns)' or give "
                "the ABI with --abi ARTIFACT"
            )
        return None, parse_signature(function)
    known = load_artifact(abi).abi
    return known, known.function(function, len(arguments))


def _refuse_value(function: Function, value: int, what: str) -> None:
    if value and not function.payable:
        raise InvalidRequest(f"{what} is not payable; leave --value out", reason="NOT_PAYABLE")


def _call_failed(answer: node_pb2.CallResponse, abi: Abi | None) -> ExecutionError:
    if answer.status == node_pb2.STATUS_REVERTED:
        reason = f": {revert_reason(answer.output, abi)}" if answer.output else " without a reason"
        message = f"reverted{reason}"
        return ExecutionReverted(message, output=answer.output, gas_used=answer.gas_used)
    message = f"{status_name(answer.status)}{': ' if answer.message else ''}{answer.message}"
    return _OUTCOMES.get(answer.status, ExecutionError)(
        message, output=answer.output, gas_used=answer.gas_used
    )


def _show_sent(
    as_json: bool,
    signed: SignedTransaction,
    accepted: node_pb2.AcceptedTransaction,
    abi: Abi | None,
    head: dict[str, object],
) -> None:
    """Show what became of a transaction; leave with the status for a failed one."""
    document = {
        **head,
        "id": hexadecimal(accepted.id),
        "sender": hexadecimal(signed.sender),
        "nonce": signed.nonce,
    }
    lines = [*head.items(), ("transaction", hexadecimal(accepted.id))]
    if not accepted.HasField("committed"):
        show(
            as_json,
            {**document, "place": "pending"},
            fields([*lines, ("status", "accepted, in no block yet")]),
        )
        return
    receipt = accepted.committed.receipt
    failed = receipt.status != node_pb2.STATUS_OK
    status = status_name(receipt.status)
    reason = revert_reason(receipt.output, abi) if receipt.status == node_pb2.STATUS_REVERTED else ""
    document |= {
        "place": "committed",
        "block_height": accepted.committed.block_height,
        "block_id": hexadecimal(accepted.committed.block_id),
        "receipt": receipt_document(receipt),
    }
    if failed:
        document["reason"] = reason or status
    lines += [
        ("block", f"{accepted.committed.block_height} {hexadecimal(accepted.committed.block_id)}"),
        ("status", f"{status}: {reason}" if reason else status),
        ("gas used", receipt.gas_used),
    ]
    show(as_json, document, fields(lines))
    if failed:
        raise typer.Exit(ExitCode.EXECUTION_FAILED)
