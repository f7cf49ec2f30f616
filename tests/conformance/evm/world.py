"""Ethereum's accounts in this platform's flat state: laid down, read, and hashed into Ethereum's tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trie.hexary import HexaryTrie

from vessel.container import Range, decode_balance, encode_balance, ledger_key
from vessel.primitives.units import Address
from vessel_evm import rlp
from vessel_evm.keccak import EMPTY_TRIE_ROOT, keccak
from vessel_evm.layout import NO_ACCOUNT, Account, Layout, decode_account, decode_slot, encode_slot

NAMESPACE = 1
LAYOUT = Layout(NAMESPACE)

_OWN = LAYOUT.account(b"")[:2]
_LEDGER = ledger_key(Address(b""))[:2]


@dataclass(frozen=True, slots=True)
class PlainAccount:
    """An account as Ethereum sees it."""

    nonce: int = 0
    balance: int = 0
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Say whether there is no such account (EIP-161)."""
        return not (self.nonce or self.balance or self.code or self.storage)


Accounts = Mapping[bytes, PlainAccount]


def flat(accounts: Accounts) -> dict[bytes, bytes]:
    """Return the entries that the accounts are, as a genesis would write them."""
    entries: dict[bytes, bytes | None] = {}
    for address, account in accounts.items():
        record = Account(nonce=account.nonce, code_hash=keccak(account.code))
        entries[LAYOUT.account(address)] = record.encode()
        entries[ledger_key(Address(address))] = encode_balance(account.balance)
        if account.code:
            entries[LAYOUT.code(record.code_hash)] = account.code
        for slot, word in account.storage.items():
            entries[LAYOUT.slot(address, 0, slot)] = encode_slot(word)
    return {key: value for key, value in entries.items() if value is not None}


def accounts_of(entries: Mapping[bytes, bytes]) -> dict[bytes, PlainAccount]:
    """Return the accounts of a flat state; slots of an incarnation that is gone are none of them."""
    records = {key[3:]: decode_account(value) for key, value in entries.items() if key[:3] == _OWN + b"a"}
    balances = {key[2:]: decode_balance(value) for key, value in entries.items() if key[:2] == _LEDGER}
    storage: dict[bytes, dict[int, int]] = {}
    for key, value in entries.items():
        if key[:3] != _OWN + b"s":
            continue
        address, incarnation, slot = key[3:23], int.from_bytes(key[23:27], "big"), key[27:]
        if incarnation == records.get(address, NO_ACCOUNT).incarnation:
            storage.setdefault(address, {})[int.from_bytes(slot, "big")] = decode_slot(value)
    found = {}
    for address in {**records, **balances, **storage}:
        record = records.get(address, NO_ACCOUNT)
        account = PlainAccount(
            nonce=record.nonce,
            balance=balances.get(address, 0),
            code=entries[LAYOUT.code(record.code_hash)] if record.has_code else b"",
            storage=storage.get(address, {}),
        )
        if not account.is_empty:
            found[address] = account
    return found


def root_of(accounts: Accounts) -> bytes:
    """Return the root of Ethereum's tree over the accounts (Yellow Paper, section 4.1)."""
    tree = HexaryTrie({})
    for address, account in accounts.items():
        storage_root = EMPTY_TRIE_ROOT
        if account.storage:
            slots = HexaryTrie({})
            for slot, word in account.storage.items():
                slots[keccak(slot.to_bytes(32, "big"))] = rlp.encode_integer(word)
            storage_root = slots.root_hash
        tree[keccak(address)] = rlp.encode_list(
            [
                rlp.encode_integer(account.nonce),
                rlp.encode_integer(account.balance),
                rlp.encode_bytes(storage_root),
                rlp.encode_bytes(keccak(account.code)),
            ]
        )
    return bytes(tree.root_hash)


def differences(actual: Accounts, expected: Accounts, *, most: int = 6) -> list[str]:
    """Return in words where two worlds differ, the first few places of it."""
    found = []
    for address in sorted({**actual, **expected}):
        mine, theirs = actual.get(address, PlainAccount()), expected.get(address, PlainAccount())
        name = f"0x{address.hex()}"
        if mine.nonce != theirs.nonce:
            found.append(f"{name} nonce {mine.nonce}, expected {theirs.nonce}")
        if mine.balance != theirs.balance:
            found.append(f"{name} balance {mine.balance}, expected {theirs.balance}")
        if mine.code != theirs.code:
            found.append(f"{name} code 0x{mine.code.hex()[:64]}, expected 0x{theirs.code.hex()[:64]}")
        for slot in sorted({**mine.storage, **theirs.storage}):
            word, wanted = mine.storage.get(slot, 0), theirs.storage.get(slot, 0)
            if word != wanted:
                found.append(f"{name} slot {slot:#x} {word:#x}, expected {wanted:#x}")
    return found[:most]


def coin(entries: Mapping[bytes, bytes]) -> int:
    """Return all native coin that there is."""
    return sum(decode_balance(value) for key, value in entries.items() if key[:2] == _LEDGER)


def apply(entries: dict[bytes, bytes], writes: Mapping[bytes, bytes | None]) -> None:
    """Commit writes as the host does."""
    for key, value in writes.items():
        if value is None:
            entries.pop(key, None)
        else:
            entries[key] = value


class Reader:
    """A StateReader over a dict, at a version that nobody else has."""

    def __init__(self, entries: Mapping[bytes, bytes], version: int) -> None:
        """Stand on a copy, so that what is committed later is another version."""
        self._entries = dict(entries)
        self.version = version

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values of keys."""
        return [self._entries.get(key) for key in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """Fail: the EVM has no use for ranges."""
        raise AssertionError(f"the EVM reads no ranges, asked for {wanted}")
