"""Ethereum transactions as a wallet signs them, and the sample contracts they are for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_abi import encode
from eth_account import Account
from eth_hash.auto import keccak

from vessel.node import Node
from vessel.primitives.block import ExecutedBlock

CONTRACTS = Path(__file__).parents[2] / "contracts" / "evm"
CHAIN_ID = 31337
GWEI = 10**9
# Of the usual test mnemonic; everybody knows them.
KEYS = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
)


def artifact(path: str) -> dict[str, Any]:
    """Return a built contract, such as `token/Token`."""
    built: dict[str, Any] = json.loads((CONTRACTS / f"{path}.json").read_text())
    return built


def init_code(path: str, types: list[str] | None = None, values: list[Any] | None = None) -> bytes:
    """Return what creates a contract."""
    return bytes.fromhex(artifact(path)["bytecode"].removeprefix("0x")) + encode(types or [], values or [])


def call_data(signature: str, *values: Any) -> bytes:
    """Return the input that calls a function, such as `transfer(address,uint256)`."""
    types = signature[signature.index("(") + 1 : -1]
    return keccak(signature.encode())[:4] + encode(types.split(",") if types else [], list(values))


class Wallet:
    """One key, and the nonce that its next transaction takes."""

    def __init__(self, number: int) -> None:
        """Take a key of the development genesis."""
        self._account: Any = Account.from_key(KEYS[number])
        self.address: str = self._account.address
        self.nonce = 0

    @property
    def sender(self) -> bytes:
        """The address as 20 bytes."""
        return bytes.fromhex(self.address[2:])

    def sign(
        self,
        to: bytes | None,
        data: bytes = b"",
        *,
        value: int = 0,
        gas: int = 1_000_000,
        nonce: int | None = None,
        fee: int = 10 * GWEI,
        chain_id: int = CHAIN_ID,
    ) -> bytes:
        """Return a signed transaction with the next nonce, or the one named."""
        transaction: dict[str, Any] = {
            "type": 2, "chainId": chain_id, "nonce": self.nonce if nonce is None else nonce, "gas": gas,
            "maxFeePerGas": fee, "maxPriorityFeePerGas": min(fee, GWEI), "value": value, "data": data,
        }  # fmt: skip
        if to is not None:
            transaction["to"] = to
        if nonce is None:
            self.nonce += 1
        return bytes(self._account.sign_transaction(transaction).raw_transaction)

    def created(self, nonce: int) -> bytes:
        """Return where a contract that is created with a nonce lies."""
        import rlp

        return keccak(rlp.encode([self.sender, nonce]))[12:]


def mine(node: Node) -> ExecutedBlock:
    """Make a block by hand."""
    return node.producer.call(lambda: node.producer.mine(1)).result(60)[0]


def replay(node: Node, executed: ExecutedBlock) -> ExecutedBlock:
    """Import a block, in the thread that has the stack for it."""
    return node.producer.call(lambda: node.chain.import_block(executed.block)).result(60)


def submit(node: Node, *raws: bytes) -> list[bytes]:
    """Submit what must be admitted; return the ids."""
    ids = []
    for answer in node.chain.admission.submit("evm", raws):
        if isinstance(answer, Exception):
            raise answer
        ids.append(answer.id)
    return ids


def token_story(wallet: Wallet) -> list[list[bytes]]:
    """Return raw transactions, block by block: deploy, transfer, revert, run out of gas, create."""
    token, other = wallet.created(0), Wallet(1).sender
    transfer = "transfer(address,uint256)"
    deploy = init_code("token/Token", ["string", "string", "uint256"], ["Gold", "GLD", 10**24])
    return [
        [wallet.sign(None, deploy, gas=3_000_000), wallet.sign(other, value=10**18, gas=21_000)],
        [
            wallet.sign(token, call_data(transfer, other, 5)),
            wallet.sign(token, call_data(transfer, other, 10**30)),  # more than there is: reverts
            wallet.sign(token, call_data(transfer, Wallet(2).sender, 7), gas=30_000),  # not enough
            wallet.sign(None, init_code("counter/Counter")),
        ],
        [wallet.sign(wallet.created(5), call_data("increment()")), wallet.sign(None, b"\xfe", gas=60_000)],
    ]
