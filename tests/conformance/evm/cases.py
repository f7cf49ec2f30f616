"""Ethereum's fixtures out of their archives: state tests and blockchain tests, as the runner wants them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rlp

from conformance.evm.world import PlainAccount

STATE_ARCHIVE = "evm/eest_state_public.tar.xz"
BLOCKCHAIN_ARCHIVE = "evm/eest_blockchain_public.tar.xz"

FORKS = ("Berlin", "London", "Paris", "Shanghai", "Cancun", "Prague", "Osaka")
_TRANSITION_TIME_S = 15_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The header of the block in which transactions run. excess_blob_gas: None before there were blobs."""

    height: int
    timestamp_s: int
    coinbase: bytes
    gas_limit: int
    base_fee: int
    randomness: bytes
    excess_blob_gas: int | None = None
    beacon_root: bytes | None = None  # of the parent's beacon block (EIP-4788)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCase:
    """One transaction on one pre-state, and what it must come to. refused: why it must not be included."""

    file: str
    name: str
    fork: str
    chain_id: int
    surroundings: Surroundings
    pre: Mapping[bytes, PlainAccount]
    raw: bytes
    root: bytes
    logs: bytes
    refused: str
    post: Mapping[bytes, PlainAccount]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCase:
    """One block of a blockchain test. refused: why it must not be; root: of the state after it."""

    surroundings: Surroundings
    hash: bytes
    transactions: Sequence[bytes]
    withdrawals: Sequence[tuple[bytes, int]]
    gas_used: int
    blob_gas_used: int
    requests_hash: bytes | None
    root: bytes
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockchainCase:
    """Blocks on a genesis. forks: name and the height from which on its rules hold. genesis: its header."""

    file: str
    name: str
    fork: str
    forks: Sequence[tuple[str, int]]
    chain_id: int
    genesis: BlockCase
    pre: Mapping[bytes, PlainAccount]
    blocks: Sequence[BlockCase]
    post: Mapping[bytes, PlainAccount]


Case = StateCase | BlockchainCase


def read_files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of fixtures."""
    with tarfile.open(archive) as files:
        for member in files:
            content = files.extractfile(member) if member.name.endswith(".json") else None
            if content is not None:
                yield member.name.removeprefix("./"), content.read()


def read_cases(file: str, content: bytes) -> Iterator[Case]:
    """Yield the cases of a file, those of every fork."""
    for name, test in json.loads(content).items():
        if "blocks" in test:
            yield _blockchain_case(file, name, test)
            continue
        for fork, posts in test["post"].items():
            for index, post in enumerate(posts):
                yield _state_case(file, f"{name}#{index}" if len(posts) > 1 else name, fork, test, post)


def _state_case(
    file: str, name: str, fork: str, test: Mapping[str, Any], post: Mapping[str, Any]
) -> StateCase:
    environment = test["env"]
    randomness = environment.get("currentRandom", environment["currentDifficulty"])
    excess = environment.get("currentExcessBlobGas")
    return StateCase(
        file=file,
        name=name,
        fork=fork,
        chain_id=_number(test["config"]["chainid"]),
        surroundings=Surroundings(
            height=_number(environment["currentNumber"]),
            timestamp_s=_number(environment["currentTimestamp"]),
            coinbase=_data(environment["currentCoinbase"]),
            gas_limit=_number(environment["currentGasLimit"]),
            base_fee=_number(environment.get("currentBaseFee", "0x00")),
            randomness=_number(randomness).to_bytes(32, "big"),
            excess_blob_gas=None if excess is None else _number(excess),
        ),
        pre=_accounts(test["pre"]),
        raw=_data(post["txbytes"]),
        root=_data(post["hash"]),
        logs=_data(post["logs"]),
        refused=post.get("expectException", ""),
        post=_accounts(post.get("state", {})),
    )


def _blockchain_case(file: str, name: str, test: Mapping[str, Any]) -> BlockchainCase:
    blocks = [_block(block) for block in test["blocks"]]
    before, arrow, after = test["network"].partition("To")
    forks = [(before, 0)]
    if arrow:
        after = after.partition("AtTime")[0]
        later = [b.surroundings.height for b in blocks if b.surroundings.timestamp_s >= _TRANSITION_TIME_S]
        if later:
            forks.append((after, min(later)))
    return BlockchainCase(
        file=file,
        name=name,
        fork=test["network"],
        forks=forks,
        chain_id=_number(test["config"]["chainid"]),
        genesis=_header(test["genesisBlockHeader"]),
        pre=_accounts(test["pre"]),
        blocks=blocks,
        post=_accounts(test["postState"]),
    )


def _block(block: Mapping[str, Any]) -> BlockCase:
    decoded = block.get("rlp_decoded", block)
    fields = rlp.decode(_data(block["rlp"]), strict=False)
    return _header(
        decoded["blockHeader"],
        # A typed transaction is a string in the block, a legacy one a list.
        transactions=[item if isinstance(item, bytes) else rlp.encode(item) for item in fields[1]],
        withdrawals=[
            (_data(withdrawal["address"]), _number(withdrawal["amount"]) * 10**9)
            for withdrawal in decoded.get("withdrawals", ())
        ],
        refused=block.get("expectException", ""),
    )


def _header(
    header: Mapping[str, Any],
    *,
    transactions: Sequence[bytes] = (),
    withdrawals: Sequence[tuple[bytes, int]] = (),
    refused: str = "",
) -> BlockCase:
    excess, beacon = header.get("excessBlobGas"), header.get("parentBeaconBlockRoot")
    requests_hash = header.get("requestsHash")
    return BlockCase(
        surroundings=Surroundings(
            height=_number(header["number"]),
            timestamp_s=_number(header["timestamp"]),
            coinbase=_data(header["coinbase"]),
            gas_limit=_number(header["gasLimit"]),
            base_fee=_number(header.get("baseFeePerGas", "0x00")),
            randomness=_data(header["mixHash"]),
            excess_blob_gas=None if excess is None else _number(excess),
            beacon_root=None if beacon is None else _data(beacon),
        ),
        hash=_data(header["hash"]),
        transactions=transactions,
        withdrawals=withdrawals,
        gas_used=_number(header["gasUsed"]),
        blob_gas_used=_number(header.get("blobGasUsed", "0x00")),
        requests_hash=None if requests_hash is None else _data(requests_hash),
        root=_data(header["stateRoot"]),
        refused=refused,
    )


def _accounts(encoded: Mapping[str, Mapping[str, Any]]) -> dict[bytes, PlainAccount]:
    return {
        _data(address): PlainAccount(
            nonce=_number(account["nonce"]),
            balance=_number(account["balance"]),
            code=_data(account["code"]),
            storage={
                _number(slot): _number(word) for slot, word in account["storage"].items() if _number(word)
            },
        )
        for address, account in encoded.items()
    }


def _number(value: str) -> int:
    return int(value, 16)


def _data(value: str) -> bytes:
    return bytes.fromhex(value[2:])
