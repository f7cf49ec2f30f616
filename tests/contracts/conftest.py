# SPDX-License-Identifier: Apache-2.0
"""A chain of one state for the contracts: artifacts run on py-evm, with no node, blocks or fees around them.

The contracts are tested apart from Vessel's own engine, so that a failure here is a contract's and a
failure of the same contract elsewhere is the engine's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.exceptions import VMError
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext
from eth_abi.abi import decode, encode
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.address import to_canonical_address
from eth_utils.crypto import keccak

ARTIFACTS = Path(__file__).resolve().parents[2] / "contracts" / "evm"

CREATE = b""
Abi = list[dict[str, Any]]


def _type(entry: dict[str, Any]) -> str:
    """Spell a parameter's type as signatures do: tuples by what they hold."""
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return "(" + ",".join(_type(part) for part in entry["components"]) + ")" + kind.removeprefix("tuple")


def _types(entries: Sequence[dict[str, Any]]) -> list[str]:
    return [_type(entry) for entry in entries]


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_types(entry['inputs']))})"


def _plain(value: Any) -> Any:
    """Give addresses as the bytes they are, and lists as tuples, through any nesting."""
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return to_canonical_address(value)
    if isinstance(value, (tuple, list)):
        return tuple(_plain(part) for part in value)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one message to a contract."""

    success: bool
    # Return data, or revert data if it failed.
    output: bytes
    # The kind of failure as py-evm names it; a halt has no revert data.
    error: VMError | None
    gas_used: int
    # Each log: address, topics, data.
    logs: tuple[tuple[bytes, tuple[bytes, ...], bytes], ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract, spoken to through its ABI."""

    chain: Chain
    address: bytes
    abi: Abi

    def data(self, name: str, *arguments: Any) -> bytes:
        """Encode a call; an overload is told by its number of arguments."""
        entry = self._entry("function", name, len(arguments))
        return keccak(text=_signature(entry))[:4] + encode(_types(entry["inputs"]), arguments)

    def send(
        self, name: str, *arguments: Any, sender: bytes | None = None, value: int = 0, gas: int = 5_000_000
    ) -> Outcome:
        """Call a function and keep what it writes."""
        data = self.data(name, *arguments)
        return self.chain.send(self.address, data, sender=sender, value=value, gas=gas)

    def read(self, name: str, *arguments: Any, sender: bytes | None = None) -> Any:
        """Call a function that must succeed and give what it returns, unwrapped if it is one value."""
        outcome = self.send(name, *arguments, sender=sender)
        assert outcome.success, (name, outcome)
        return self.returned(name, outcome, len(arguments))

    def returned(self, name: str, outcome: Outcome, arguments: int) -> Any:
        """Decode what a function of so many arguments returned."""
        values = _plain(decode(_types(self._entry("function", name, arguments)["outputs"]), outcome.output))
        return values[0] if len(values) == 1 else values

    def error(self, name: str, *arguments: Any) -> bytes:
        """Encode one of the contract's own errors as revert data."""
        entry = self._entry("error", name, len(arguments))
        return keccak(text=_signature(entry))[:4] + encode(_types(entry["inputs"]), arguments)

    def events(self, outcome: Outcome) -> list[tuple[str, dict[str, Any]]]:
        """Decode this contract's logs, in order."""
        named = {keccak(text=_signature(e)): e for e in self.abi if e["type"] == "event"}
        found = []
        for address, topics, data in outcome.logs:
            if address != self.address:
                continue
            entry = named[topics[0]]
            indexed = [e for e in entry["inputs"] if e["indexed"]]
            plain = [e for e in entry["inputs"] if not e["indexed"]]
            assert len(topics) == 1 + len(indexed), "as many topics as the ABI has indexed arguments"
            values: dict[str, Any] = {}
            for e, topic in zip(indexed, topics[1:], strict=True):
                values[e["name"]] = _plain(decode([_type(e)], topic)[0])
            for e, value in zip(plain, decode(_types(plain), data), strict=True):
                values[e["name"]] = _plain(value)
            found.append((entry["name"], {e["name"]: values[e["name"]] for e in entry["inputs"]}))
        return found

    def _entry(self, kind: str, name: str, arguments: int) -> dict[str, Any]:
        found = [
            e for e in self.abi if e["type"] == kind and e["name"] == name and len(e["inputs"]) == arguments
        ]
        assert len(found) == 1, f"{len(found)} of {kind} {name} with {arguments} arguments in the ABI"
        return found[0]


@dataclass(slots=True)
class Chain:
    """One Prague state with rich accounts, on which messages are executed one after another."""

    alice: bytes = b"\xa1" * 20
    bob: bytes = b"\xb0" * 20
    carol: bytes = b"\xca" * 20
    coinbase: bytes = b"\xcb" * 20
    number: int = 300
    timestamp: int = 1_750_000_000
    gas_limit: int = 30_000_000
    chain_id: int = 31_337
    base_fee: int = 7
    mix_hash: bytes = b"\x4d" * 32
    state: PragueState = field(init=False)

    def __post_init__(self) -> None:
        context = ExecutionContext(
            coinbase=Address(self.coinbase),
            timestamp=self.timestamp,
            block_number=BlockNumber(self.number),
            difficulty=0,
            mix_hash=Hash32(self.mix_hash),
            gas_limit=self.gas_limit,
            prev_hashes=[Hash32(self.block_hash(self.number - age)) for age in range(1, 257)],
            chain_id=self.chain_id,
            base_fee_per_gas=self.base_fee,
            excess_blob_gas=0,
        )
        self.state = PragueState(AtomicDB(), context, BLANK_ROOT_HASH)
        for account in (self.alice, self.bob, self.carol):
            self.state.set_balance(Address(account), 10**24)

    @staticmethod
    def block_hash(number: int) -> bytes:
        """Give the hash that the chain says a block has."""
        return keccak(number.to_bytes(8, "big"))

    @staticmethod
    def message(text: str) -> bytes:
        """Encode a message as `Error(string)` revert data."""
        return bytes.fromhex("08c379a0") + encode(["string"], [text])

    @staticmethod
    def panic(code: int) -> bytes:
        """Encode a code as `Panic(uint256)` revert data."""
        return bytes.fromhex("4e487b71") + encode(["uint256"], [code])

    @staticmethod
    def artifact(path: str) -> dict[str, Any]:
        """Read an artifact by its path under contracts/evm, without the ending."""
        artifact: dict[str, Any] = json.loads((ARTIFACTS / f"{path}.json").read_text(encoding="utf-8"))
        return artifact

    def balance(self, account: bytes) -> int:
        """Give an account's native coin."""
        return self.state.get_balance(Address(account))

    def create(
        self, path: str, *arguments: Any, sender: bytes | None = None, value: int = 0
    ) -> tuple[Outcome, Contract]:
        """Run an artifact's creation code and say what came of it."""
        artifact = self.artifact(path)
        inputs = [e for c in artifact["abi"] if c["type"] == "constructor" for e in c["inputs"]]
        code = bytes.fromhex(artifact["bytecode"][2:]) + encode(_types(inputs), arguments)
        outcome, address = self._apply(CREATE, code, sender or self.alice, value, 10_000_000)
        return outcome, Contract(self, address, artifact["abi"])

    def deploy(self, path: str, *arguments: Any, sender: bytes | None = None, value: int = 0) -> Contract:
        """Run an artifact's creation code, which must succeed."""
        outcome, contract = self.create(path, *arguments, sender=sender, value=value)
        assert outcome.success, (path, outcome)
        return contract

    def at(self, path: str, address: bytes) -> Contract:
        """Speak to what is at an address through an artifact's ABI."""
        return Contract(self, address, self.artifact(path)["abi"])

    def predeploys(self) -> dict[str, Contract]:
        """Put the predeployed contracts where a dev chain has them; by name."""
        paths: dict[str, str] = json.loads((ARTIFACTS / "predeploys.json").read_text(encoding="utf-8"))
        contracts = {}
        for text, file in paths.items():
            address = to_canonical_address(text)
            artifact = self.artifact(file.removesuffix(".json"))
            self.state.set_code(Address(address), bytes.fromhex(artifact["deployedBytecode"][2:]))
            contracts[artifact["contractName"]] = Contract(self, address, artifact["abi"])
        return contracts

    def code(self, address: bytes) -> bytes:
        """Give an account's code."""
        return self.state.get_code(Address(address))

    def send(
        self, to: bytes, data: bytes, *, sender: bytes | None = None, value: int = 0, gas: int = 5_000_000
    ) -> Outcome:
        """Execute a message to an account and keep what it writes."""
        return self._apply(to, data, sender or self.alice, value, gas)[0]

    def _apply(self, to: bytes, data: bytes, sender: bytes, value: int, gas: int) -> tuple[Outcome, bytes]:
        # Each message is a transaction of its own: what is transient or original begins anew.
        self.state.clear_transient_storage()
        self.state.lock_changes()
        nonce = self.state.get_nonce(Address(sender))
        self.state.increment_nonce(Address(sender))
        address = keccak(_rlp_of(sender, nonce))[12:] if to == CREATE else to
        context = BaseTransactionContext(gas_price=self.base_fee, origin=Address(sender))
        if to == CREATE:
            message = Message(
                gas, Address(CREATE), Address(sender), value, b"", data, create_address=Address(address)
            )
            done = PragueComputation.apply_create_message(self.state, message, context)
        else:
            message = Message(gas, Address(to), Address(sender), value, data, self.code(to))
            done = PragueComputation.apply_message(self.state, message, context)
        logs = tuple(
            (log_address, tuple(topic.to_bytes(32, "big") for topic in topics), log_data)
            for log_address, topics, log_data in done.get_log_entries()
        )
        outcome = Outcome(
            success=done.is_success,
            output=bytes(done.output),
            error=done.error if done.is_error else None,
            gas_used=done.get_gas_used(),
            logs=logs,
        )
        return outcome, address


def _rlp_of(sender: bytes, nonce: int) -> bytes:
    """Encode [sender, nonce] for the small nonces of a test."""
    assert nonce < 0x80
    return b"\xd6\x94" + sender + (bytes([nonce]) if nonce else b"\x80")


@pytest.fixture
def chain() -> Chain:
    """Give a new chain with three rich accounts and no contracts."""
    return Chain()
