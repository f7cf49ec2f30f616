"""A scenario: a world, and blocks of raw transactions on it. As JSON it is a vector that others can run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CHAIN_ID = 1
BASE_FEE = 7
GAS_LIMIT = 60_000_000
COINBASE = b"\xc0" * 20
RANDOMNESS = b"\x5a" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account before the first block."""

    nonce: int = 0
    balance: int = 0
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What happens. The first block has number `height`; each has its number times 12 as its time in seconds.

    Blocks before number n have keccak-free stand-ins as their hashes: `block_hash`.
    """

    name: str
    fork: str
    height: int
    pre: Mapping[bytes, Account]
    blocks: Sequence[Sequence[bytes]]

    def to_json(self) -> str:
        """Return the scenario as text."""
        return json.dumps(
            {
                "name": self.name,
                "fork": self.fork,
                "chainId": CHAIN_ID,
                "baseFee": BASE_FEE,
                "gasLimit": GAS_LIMIT,
                "coinbase": "0x" + COINBASE.hex(),
                "randomness": "0x" + RANDOMNESS.hex(),
                "height": self.height,
                "blockHashes": [
                    "0x" + block_hash(n).hex() for n in range(max(0, self.height - 256), self.height)
                ],
                "pre": {
                    "0x" + address.hex(): {
                        "nonce": account.nonce,
                        "balance": hex(account.balance),
                        "code": "0x" + account.code.hex(),
                        "storage": {hex(slot): hex(word) for slot, word in account.storage.items()},
                    }
                    for address, account in self.pre.items()
                },
                "blocks": [["0x" + raw.hex() for raw in block] for block in self.blocks],
            },
            indent=1,
        )


def from_json(text: str | bytes) -> Scenario:
    """Return the scenario of a vector."""
    fields: dict[str, Any] = json.loads(text)
    return Scenario(
        name=fields["name"],
        fork=fields["fork"],
        height=fields["height"],
        pre={
            bytes.fromhex(address[2:]): Account(
                nonce=account["nonce"],
                balance=int(account["balance"], 16),
                code=bytes.fromhex(account["code"][2:]),
                storage={int(slot, 16): int(word, 16) for slot, word in account["storage"].items()},
            )
            for address, account in fields["pre"].items()
        },
        blocks=[[bytes.fromhex(raw[2:]) for raw in block] for block in fields["blocks"]],
    )


def block_hash(number: int) -> bytes:
    """Return what BLOCKHASH answers for a block before the scenario, or of it."""
    return b"\xbb" * 24 + number.to_bytes(8, "big")
