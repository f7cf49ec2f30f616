"""The EVM's own part of a receipt: what a gateway needs and neither the raw bytes nor the host's say."""

from __future__ import annotations

import msgspec

from vessel_evm import hexadecimal
from vessel_evm.engine.interface import EngineResult
from vessel_evm.transaction import Transaction


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """`Receipt.details` of an EVM transaction, as JSON in Ethereum's conventions (0x quantities).

    cumulativeGasUsed: of this container in this block, this transaction included.
    """

    type: str
    to: str | None
    contractAddress: str | None
    effectiveGasPrice: str
    cumulativeGasUsed: str
    nonce: str
    value: str


def encode_details(
    transaction: Transaction, result: EngineResult, *, gas_price: int, cumulative_gas: int
) -> bytes:
    """Return the JSON, its keys in the order of the struct."""
    return msgspec.json.encode(
        Details(
            type=hexadecimal.quantity(transaction.type),
            to=hexadecimal.data(transaction.to) if transaction.to else None,
            contractAddress=None if result.created is None else hexadecimal.data(result.created),
            effectiveGasPrice=hexadecimal.quantity(gas_price),
            cumulativeGasUsed=hexadecimal.quantity(cumulative_gas),
            nonce=hexadecimal.quantity(transaction.nonce),
            value=hexadecimal.quantity(transaction.value),
        )
    )


def decode_details(details: bytes) -> Details:
    """Read what `encode_details` wrote."""
    return msgspec.json.decode(details, type=Details)


def tags(sender: bytes, transaction: Transaction, result: EngineResult) -> tuple[bytes, ...]:
    """Return the addresses by which the transaction is found: sender, recipient, new contract."""
    found = [sender, transaction.to, result.created or b""]
    return tuple(dict.fromkeys(tag for tag in found if tag))
