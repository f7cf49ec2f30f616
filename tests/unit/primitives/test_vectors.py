"""The canonical encodings against vectors that another implementation could use: tests/vectors/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vessel.primitives.address import reserved_address, reserved_prefix
from vessel.primitives.block import receipts_root, transactions_root
from vessel.primitives.hashing import SHA256, hasher_by_name
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.merkle import list_root
from vessel.primitives.receipt import HookReceipt, Log, Receipt, Status
from vessel.primitives.section import Section
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import Address, Coin, Gas, Hash32, Height

VECTORS = Path(__file__).parents[2] / "vectors"
HASHES = ("sha256", "blake2b", "sha3-256")


def load(name: str) -> Any:
    """Return a file of vectors."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def plain(text: str) -> bytes:
    """Return the bytes of 0x-hexadecimal."""
    return bytes.fromhex(text.removeprefix("0x"))


def header(vector: dict[str, Any]) -> Header:
    """Return the header of a vector."""
    result = vector["parent_result"]
    return Header(
        version=vector["version"],
        height=Height(vector["height"]),
        parent_id=Hash32(plain(vector["parent_id"])),
        time_ms=vector["time_ms"],
        proposer=Address(plain(vector["proposer"])),
        randomness=Hash32(plain(vector["randomness"])),
        transactions_root=Hash32(plain(vector["transactions_root"])),
        sections=tuple(
            (
                name,
                Section(
                    gas_limit=Gas(section["gas_limit"]),
                    gas_used=Gas(section["gas_used"]),
                    base_fee=Coin(section["base_fee"]),
                    extra=plain(section["extra"]),
                    idle=section["idle"],
                ),
            )
            for name, section in vector["sections"]
        ),
        parent_result=BlockResult(
            state_root=Hash32(plain(result["state_root"])),
            receipts_root=Hash32(plain(result["receipts_root"])),
            gas_used=Gas(result["gas_used"]),
        ),
        consensus=plain(vector["consensus"]),
        mainchain_link=plain(vector["mainchain_link"]),
    )


def logs(vector: dict[str, Any]) -> tuple[Log, ...]:
    """Return the logs of a vector."""
    return tuple(
        Log(address=plain(log["address"]), topics=tuple(map(plain, log["topics"])), data=plain(log["data"]))
        for log in vector["logs"]
    )


@pytest.mark.parametrize("vector", load("headers.json")["vectors"], ids=lambda v: str(v["header"]["height"]))
def test_header_and_block_id(vector: dict[str, Any]) -> None:
    read = header(vector["header"])
    assert vector["encoded"] == "0x" + read.encode().hex()
    ids = {name: "0x" + read.block_id(hasher_by_name(name)).hex() for name in HASHES}
    assert vector["ids"] == ids


@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("count", range(10))
def test_root_over_a_list(name: str, count: int) -> None:
    file = load("list_roots.json")
    items = [plain(item) for item in file["items"][:count]]
    assert file["roots"][name][count] == "0x" + list_root(hasher_by_name(name), items).hex()


@pytest.mark.parametrize(
    "vector", load("transactions_roots.json")["vectors"], ids=lambda v: str(len(v["transactions"]))
)
def test_transactions_root(vector: dict[str, Any]) -> None:
    transactions = tuple(
        Transaction(container=t["container"], raw=plain(t["raw"])) for t in vector["transactions"]
    )
    assert vector["encoded"] == ["0x" + transaction.encode().hex() for transaction in transactions]
    assert vector["root"] == "0x" + transactions_root(SHA256, transactions).hex()


@pytest.mark.parametrize(
    "vector",
    load("receipts_roots.json")["vectors"],
    ids=lambda v: f"{len(v['receipts'])}+{len(v['hooks'])}",
)
def test_receipts_root(vector: dict[str, Any]) -> None:
    receipts = tuple(
        Receipt(
            container=r["container"],
            transaction_id=b"not covered",
            sender=b"not covered",
            status=Status(r["status"]),
            gas_used=Gas(r["gas_used"]),
            output=plain(r["output"]),
            burned=Coin(r["burned"]),
            logs=logs(r),
            tags=(b"not covered",),
            details=b"not covered",
        )
        for r in vector["receipts"]
    )
    hooks = tuple(
        HookReceipt(container=h["container"], at_end=h["at_end"], burned=Coin(h["burned"]), logs=logs(h))
        for h in vector["hooks"]
    )
    encoded = [receipt.encode() for receipt in receipts] + [hook.encode() for hook in hooks]
    assert vector["encoded"] == ["0x" + one.hex() for one in encoded]
    assert vector["root"] == "0x" + receipts_root(SHA256, receipts, hooks).hex()


@pytest.mark.parametrize(
    "vector", load("reserved_addresses.json")["vectors"], ids=lambda v: f"{v['container']}-{v['suffix']}"
)
def test_reserved_address(vector: dict[str, Any]) -> None:
    address = reserved_address(vector["container"], plain(vector["suffix"]))
    assert vector["address"] == "0x" + address.hex()
    assert address.startswith(reserved_prefix(vector["container"]))
