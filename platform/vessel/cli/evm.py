"""Transactions for an EVM container: filled in from the node, signed here, the key never leaves.

Built with eth-account alone: the command line knows the Ethereum transaction format, not the machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vessel.cli.arguments import parse_value
from vessel.cli.signer import Signer
from vessel.client.node import NodeClient
from vessel.errors import InvalidRequest
from vessel.primitives.encoding import from_integer, integer
from vessel.primitives.units import Address
from vessel_proto.node.v1 import node_pb2

_BASE_FEE_HEADROOM = 2  # the base fee may double before the transaction no longer fits: six full blocks
_ESTIMATE_PERCENT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A transaction as far as the person decided it; None is left to the node's answers.

    to: empty creates a contract. value, max_fee and tip in wei, the latter two per unit of gas.
    """

    to: bytes = b""
    data: bytes = b""
    value: int = 0
    gas_limit: int | None = None
    nonce: int | None = None
    max_fee: int | None = None
    tip: int = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTransaction:
    """Ready to submit. created: where the contract will be, for a creation."""

    raw: bytes
    identity: bytes
    sender: Address
    nonce: int
    created: bytes = b""


def complete(client: NodeClient, container: str, sender: Address, draft: Draft) -> Draft:
    """Ask the node for what the draft leaves open: nonce, fees, gas limit."""
    if draft.nonce is None:
        draft = replace(draft, nonce=account_nonce(client, container, sender))
    if draft.max_fee is None:
        draft = replace(draft, max_fee=base_fee(client, container) * _BASE_FEE_HEADROOM + draft.tip)
    if draft.gas_limit is None:
        least = client.estimate(container, sender=sender, to=draft.to, input=draft.data, value=draft.value)
        draft = replace(draft, gas_limit=-(-least * _ESTIMATE_PERCENT // 100) if draft.data else least)
    return draft


def sign(draft: Draft, signer: Signer, chain_id: int) -> SignedTransaction:
    """Sign a complete draft as an EIP-1559 transaction."""
    from eth_account import Account

    if draft.nonce is None or draft.gas_limit is None or draft.max_fee is None:
        raise ValueError("only a complete draft can be signed")
    if draft.tip > draft.max_fee:
        raise InvalidRequest(
            f"the tip of {draft.tip} wei is above the most to pay per gas, {draft.max_fee} wei; raise "
            "--max-fee or lower --tip"
        )
    fields: dict[str, object] = {
        "type": 2,
        "chainId": chain_id,
        "nonce": draft.nonce,
        "maxFeePerGas": draft.max_fee,
        "maxPriorityFeePerGas": draft.tip,
        "gas": draft.gas_limit,
        "value": draft.value,
        "data": draft.data,
        "accessList": [],
    }
    if draft.to:
        fields["to"] = draft.to
    signed = Account.sign_transaction(fields, signer.private_key)
    return SignedTransaction(
        raw=bytes(signed.raw_transaction),
        identity=bytes(signed.hash),
        sender=signer.address,
        nonce=draft.nonce,
        created=b"" if draft.to else created_address(signer.address, draft.nonce),
    )


def account_nonce(client: NodeClient, container: str, address: Address) -> int:
    """Return the nonce that the account's next transaction needs."""
    account = client.query(container, "account", {"address": "0x" + address.hex()})
    if not isinstance(account, dict) or "nonce" not in account:
        raise InvalidRequest(
            f"the container {container!r} does not answer the query 'account' with a nonce: it is no EVM; "
            "name the EVM container with --container",
            container=container,
        )
    return number(account["nonce"])


def base_fee(client: NodeClient, container: str) -> int:
    """Return the price of gas in the newest block, without tip."""
    header = client.block("latest", read_mask=["header"]).header
    return base_fee_of(header, container)


def base_fee_of(header: node_pb2.Header, container: str) -> int:
    """Return a container's price of gas in a block; 0 where the header has no section of it."""
    for section in header.sections:
        if section.container == container:
            return from_integer(section.base_fee)
    return 0


def created_address(sender: Address, nonce: int) -> bytes:
    """Return where the contract is that `sender` creates with its transaction `nonce`."""
    from eth_utils.crypto import keccak

    shortest = integer(nonce)
    if nonce >= 0x80:
        shortest = bytes((0x80 + len(shortest),)) + shortest
    fields = bytes((0x80 + len(sender),)) + sender + (shortest or b"\x80")
    return bytes(keccak(bytes((0xC0 + len(fields),)) + fields)[12:])  # of the RLP of both


def evm_address(text: str) -> bytes:
    """Read an address; where letters are of both cases its checksum has to hold."""
    return bytes.fromhex(str(parse_value(text, "address"))[2:])


def number(value: object) -> int:
    """Return an integer that JSON carries as a number, decimal or hexadecimal string."""
    return int(value, 0) if isinstance(value, str) else int(str(value))
