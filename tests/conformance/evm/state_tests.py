"""Ethereum's state tests through the container's own door: pre-state, one block of one transaction, root.

The flat state that comes out is hashed here into Ethereum's tree (Yellow Paper, section 4.1) and compared
with the root that the test gives, as are the logs.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trie.hexary import HexaryTrie

from vessel.container import (
    BlockStart,
    BlockState,
    Configuration,
    ContainerTransaction,
    Mode,
    Range,
    Section,
    TransactionBatch,
    decode_balance,
    encode_balance,
    ledger_key,
)
from vessel.primitives.units import Address, Coin, Gas, Hash32, Height
from vessel_evm import rlp
from vessel_evm.container import EvmContainer
from vessel_evm.keccak import EMPTY_TRIE_ROOT, keccak
from vessel_evm.layout import NO_ACCOUNT, Account, Layout, decode_account, encode_slot

NAMESPACE = 1
FORK = "Prague"
BLOB_TRANSACTION = b"\x03"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One transaction on one pre-state, and what it must come to."""

    name: str
    environment: Mapping[str, str]
    pre: Mapping[str, Mapping[str, Any]]
    chain_id: int
    raw: bytes
    root: bytes
    logs: bytes
    refused: str

    @property
    def has_blobs(self) -> bool:
        """Say whether the transaction is of the type that this chain refuses."""
        return self.raw[:1] == BLOB_TRANSACTION

    @property
    def is_out_of_reach(self) -> bool:
        """Say whether the pre-state has storage without an account around it (EIP-7610).

        No block leads there, neither here nor on Ethereum, and the flat state does not look for slots
        where there is no account.
        """
        return any(
            account["storage"] and account["code"] == "0x" and not _number(account["nonce"])
            for account in self.pre.values()
        )


def read_cases(archive: Path, *, every: int = 1, offset: int = 0) -> Iterator[Case]:
    """Yield the Prague cases of an archive; of each `every`, the one at `offset`."""
    position = 0
    with tarfile.open(archive) as files:
        for member in files:
            if not member.name.endswith(".json"):
                continue
            content = files.extractfile(member)
            assert content is not None
            for name, test in json.load(content).items():
                for index, post in enumerate(test["post"].get(FORK, ())):
                    if position % every == offset:
                        yield _case(f"{name}#{index}", test, post)
                    position += 1


def _case(name: str, test: Mapping[str, Any], post: Mapping[str, Any]) -> Case:
    return Case(
        name=name,
        environment=test["env"],
        pre=test["pre"],
        chain_id=int(test["config"]["chainid"], 16),
        raw=_data(post["txbytes"]),
        root=_data(post["hash"]),
        logs=_data(post["logs"]),
        refused=post.get("expectException", ""),
    )


def run(case: Case) -> str:
    """Return what is wrong; empty where nothing is."""
    container = EvmContainer()
    container.configure(
        Configuration(
            chain_id=case.chain_id, genesis_hash=Hash32(bytes(32)), instance="evm", namespace=NAMESPACE
        )
    )
    layout = Layout(NAMESPACE)
    state = _flat(case.pre, layout)
    before = sum(_balances(state).values())
    execution = container.execute(_start(case), BlockState(_Reader(state), NAMESPACE))
    execution.begin()
    batch = TransactionBatch(first_index=0, transactions=(ContainerTransaction(raw=case.raw),))
    (result,) = execution.transactions(batch)
    if result.included == bool(case.refused):
        return f"included: {result.included} ({result.reason}); expected {case.refused or 'that it is'}"
    for key, value in result.writes.items():
        if value is None:
            del state[key]
        else:
            state[key] = value
    if sum(_balances(state).values()) - before != -result.burned:
        return "coin is not conserved"
    logs = rlp.encode_list(
        [
            rlp.encode_list(
                [
                    rlp.encode_bytes(log.address),
                    rlp.encode_list([rlp.encode_bytes(topic) for topic in log.topics]),
                    rlp.encode_bytes(log.data),
                ]
            )
            for log in result.logs
        ]
    )
    if keccak(logs) != case.logs:
        return f"other logs: {result.logs}"
    root = _root(state, layout)
    if root != case.root:
        return f"root 0x{root.hex()}, expected 0x{case.root.hex()}; {result.status!r} {result.message}"
    return ""


class _Reader:
    """A StateReader over a dict."""

    version = 1

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self._values = dict(values)

    def multi_get(self, keys: Any) -> list[bytes | None]:
        return [self._values.get(key) for key in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        raise AssertionError(f"the EVM reads no ranges, asked for {wanted}")


def _start(case: Case) -> BlockStart:
    environment = case.environment
    height = _number(environment["currentNumber"])
    gas_limit = Gas(_number(environment["currentGasLimit"]))
    return BlockStart(
        mode=Mode.BUILD,
        height=Height(height),
        time_ms=_number(environment["currentTimestamp"]) * 1000,
        state_version=1,
        proposer=Address(_data(environment["currentCoinbase"])),
        randomness=Hash32(_data(environment["currentRandom"]).rjust(32, b"\0")),
        gas_limit=gas_limit,
        # A parent that met its target exactly hands its base fee on.
        parent_section=Section(
            gas_limit=gas_limit,
            gas_used=Gas(gas_limit // 2),
            base_fee=Coin(_number(environment["currentBaseFee"])),
        ),
        # Block hashes of state tests are hashes of the number in decimal digits.
        recent_ids=[keccak(str(height - back).encode()) for back in range(1, min(height, 256) + 1)],
    )


def _flat(pre: Mapping[str, Mapping[str, Any]], layout: Layout) -> dict[bytes, bytes]:
    state: dict[bytes, bytes | None] = {}
    for name, account in pre.items():
        address = Address(_data(name))
        code = _data(account["code"])
        record = Account(nonce=_number(account["nonce"]), code_hash=keccak(code))
        state[layout.account(address)] = record.encode()
        state[ledger_key(address)] = encode_balance(_number(account["balance"]))
        if code:
            state[layout.code(record.code_hash)] = code
        for slot, word in account["storage"].items():
            state[layout.slot(address, 0, _number(slot))] = encode_slot(_number(word))
    return {key: value for key, value in state.items() if value is not None}


def _balances(state: Mapping[bytes, bytes]) -> dict[bytes, int]:
    return {key[2:]: decode_balance(value) for key, value in state.items() if key[:2] == b"\0\0"}


def _root(state: Mapping[bytes, bytes], layout: Layout) -> bytes:
    """Return the root of Ethereum's tree over a flat state."""
    own = layout.account(b"")[:2]
    balances = _balances(state)
    accounts = {key[3:]: decode_account(value) for key, value in state.items() if key[:3] == own + b"a"}
    storage: dict[bytes, HexaryTrie] = {}
    for key, value in state.items():
        if key[:3] == own + b"s":
            tree = storage.setdefault(key[3:23], HexaryTrie({}))
            tree[keccak(key[27:])] = rlp.encode_bytes(value)
    tree = HexaryTrie({})
    for address in {**balances, **accounts, **storage}:
        account = accounts.get(address, NO_ACCOUNT)
        root = storage[address].root_hash if address in storage else EMPTY_TRIE_ROOT
        tree[keccak(address)] = rlp.encode_list(
            [
                rlp.encode_integer(account.nonce),
                rlp.encode_integer(balances.get(address, 0)),
                rlp.encode_bytes(root),
                rlp.encode_bytes(account.code_hash),
            ]
        )
    return bytes(tree.root_hash)


def _number(value: str) -> int:
    return int(value, 16)


def _data(value: str) -> bytes:
    return bytes.fromhex(value[2:])
