"""py-evm's account database over the host's flat state.

py-evm asks for nonces, balances, code and slots one at a time and takes snapshots; here each value is
read from the state when first asked for and every change goes through one undo list. Nothing that was
read outlives a transaction, for between two of them others may write to the ledger; the state below
remembers what it has read, so asking again costs no crossing.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

from eth.db.journal import get_next_checkpoint

from vessel.container import decode_balance, encode_balance, ledger_key
from vessel.primitives.units import Address, Hash32
from vessel_evm.keccak import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, keccak
from vessel_evm.layout import (
    Account,
    Layout,
    decode_account,
    decode_slot,
    encode_slot,
)

Read = Callable[[Sequence[bytes]], list[bytes | None]]
Slot = tuple[bytes, int]  # address, slot

_MISSING: Any = object()


class ReferenceDatabase:
    """Accounts, slots and code as one transaction sees and changes them.

    Follows eth.abc.AccountDatabaseAPI in what py-evm's frames use of it, without its roots and tries.
    """

    def __init__(self, read: Read, layout: Layout) -> None:
        """Read through `read`: full state keys to their values, what the block has written included."""
        self._read = read
        self._layout = layout
        self._codes: dict[bytes, bytes] = {EMPTY_CODE_HASH: b""}  # by hash: never stale
        self.state_root = EMPTY_TRIE_ROOT  # py-evm's snapshots set and get it
        self.begin()

    def begin(self) -> None:
        """Forget the transaction before: what it read as well as what it wrote."""
        self._accounts: dict[bytes, Account] = {}
        self._ledger: dict[bytes, int] = {}
        self._stored: dict[Slot, int] = {}
        self._nonces: dict[bytes, int] = {}
        self._code_hashes: dict[bytes, Hash32] = {}
        self._balances: dict[bytes, int] = {}
        self._slots: dict[Slot, int] = {}
        self._transient: dict[Slot, bytes] = {}
        self._warm: dict[bytes | Slot, bool] = {}
        self._destroyed: dict[bytes, bool] = {}
        self._undo: list[tuple[MutableMapping[Any, Any], Any, Any]] = []
        self._checkpoints: dict[int, int] = {}

    # ---- reading

    def _load(self, address: bytes) -> Account:
        account = self._accounts.get(address)
        if account is None:
            key = ledger_key(Address(address))
            record, balance = self._read((self._layout.account(address), key))
            account = self._accounts[address] = decode_account(record)
            self._ledger[address] = decode_balance(balance)
        return account

    def get_nonce(self, address: bytes) -> int:
        """Return the nonce."""
        nonce = self._nonces.get(address)
        return self._load(address).nonce if nonce is None else nonce

    def get_balance(self, address: bytes) -> int:
        """Return the native coin."""
        balance = self._balances.get(address)
        if balance is None:
            self._load(address)
            return self._ledger[address]
        return balance

    def get_code_hash(self, address: bytes) -> Hash32:
        """Return the hash of the code; that of nothing where there is none."""
        code_hash = self._code_hashes.get(address)
        return self._load(address).code_hash if code_hash is None else code_hash

    def get_code(self, address: bytes) -> bytes:
        """Return the code."""
        code_hash = self.get_code_hash(address)
        code = self._codes.get(code_hash)
        if code is None:
            code = self._read((self._layout.code(code_hash),))[0]
            if code is None:
                raise RuntimeError(f"the state holds no code for 0x{code_hash.hex()} of 0x{address.hex()}")
            self._codes[code_hash] = code
        return code

    def get_storage(self, address: bytes, slot: int, from_journal: bool = True) -> int:
        """Return a word; with from_journal false as it was before the transaction (EIP-2200)."""
        key = (address, slot)
        if from_journal:
            value = self._slots.get(key)
            if value is not None:
                return value
        value = self._stored.get(key)
        if value is None:
            state_key = self._layout.slot(address, self._load(address).incarnation, slot)
            value = self._stored[key] = decode_slot(self._read((state_key,))[0])
        return value

    def account_has_code_or_nonce(self, address: bytes) -> bool:
        """Say whether a contract cannot be created there."""
        return self.get_nonce(address) != 0 or self.get_code_hash(address) != EMPTY_CODE_HASH

    def account_is_empty(self, address: bytes) -> bool:
        """Say whether the account has neither nonce, code nor coin (EIP-161)."""
        return not self.account_has_code_or_nonce(address) and self.get_balance(address) == 0

    def account_exists(self, address: bytes) -> bool:
        """Say whether there is an account: in this state the empty ones do not exist."""
        return not self.account_is_empty(address)

    # ---- writing

    def _set(self, values: MutableMapping[Any, Any], key: object, value: object) -> None:
        self._undo.append((values, key, values.get(key, _MISSING)))
        values[key] = value

    def set_nonce(self, address: bytes, nonce: int) -> None:
        """Set the nonce."""
        self._set(self._nonces, address, nonce)

    def increment_nonce(self, address: bytes) -> None:
        """Add one to the nonce."""
        self.set_nonce(address, self.get_nonce(address) + 1)

    def set_balance(self, address: bytes, balance: int) -> None:
        """Set the native coin; RuntimeError where it would fall below zero, which no caller lets happen."""
        if balance < 0:
            raise RuntimeError(f"0x{address.hex()} would hold {balance}")
        self._load(address)
        self._set(self._balances, address, balance)

    def set_code(self, address: bytes, code: bytes) -> None:
        """Set the code."""
        code_hash = keccak(code)
        self._codes[code_hash] = code
        self._set(self._code_hashes, address, code_hash)

    def delete_code(self, address: bytes) -> None:
        """Take the code away (a delegation that ends, EIP-7702)."""
        self._set(self._code_hashes, address, EMPTY_CODE_HASH)

    def set_storage(self, address: bytes, slot: int, value: int) -> None:
        """Set a word."""
        self._set(self._slots, (address, slot), value)

    def delete_storage(self, address: bytes) -> None:
        """Do nothing: py-evm asks before a creation, and what can be created has no storage yet."""

    def touch_account(self, address: bytes) -> None:
        """Do nothing: the empty accounts do not exist in this state, touched or not."""

    def delete_account(self, address: bytes) -> None:
        """Destroy the account at the end of its transaction; its coin goes with it. Not undone."""
        self._destroyed[address] = True
        self.set_balance(address, 0)

    # ---- transient storage (EIP-1153) and what has been accessed (EIP-2929)

    def get_transient(self, address: bytes, slot: int) -> bytes:
        """Return a word of transient storage; empty for zero."""
        return self._transient.get((address, slot), b"")

    def set_transient(self, address: bytes, slot: int, value: bytes) -> None:
        """Set a word of transient storage."""
        self._set(self._transient, (address, slot), value)

    def is_address_warm(self, address: bytes) -> bool:
        """Say whether the transaction has accessed the account."""
        return address in self._warm

    def mark_address_warm(self, address: bytes) -> None:
        """Count the account as accessed."""
        if address not in self._warm:
            self._set(self._warm, address, True)

    def is_storage_warm(self, address: bytes, slot: int) -> bool:
        """Say whether the transaction has accessed the slot."""
        return (address, slot) in self._warm

    def mark_storage_warm(self, address: bytes, slot: int) -> None:
        """Count the slot as accessed."""
        if (address, slot) not in self._warm:
            self._set(self._warm, (address, slot), True)

    # ---- snapshots

    def record(self) -> int:
        """Return a checkpoint to go back to. py-evm wants them unique among all its journals."""
        checkpoint: int = get_next_checkpoint()
        self._checkpoints[checkpoint] = len(self._undo)
        return checkpoint

    def discard(self, checkpoint: int) -> None:
        """Undo everything since the checkpoint."""
        size = self._checkpoints.pop(checkpoint)
        while len(self._undo) > size:
            values, key, before = self._undo.pop()
            if before is _MISSING:
                del values[key]
            else:
                values[key] = before

    def commit(self, checkpoint: int) -> None:
        """Keep everything since the checkpoint."""
        del self._checkpoints[checkpoint]

    # ---- the outcome

    def ledger_change(self) -> int:
        """Return the sum over all changes of balances."""
        return sum(balance - self._ledger[address] for address, balance in self._balances.items())

    def writes(self) -> dict[bytes, bytes | None]:
        """Return what the transaction changed, as full state keys in order; None deletes."""
        writes: dict[bytes, bytes | None] = {}
        for address, balance in self._balances.items():
            if balance != self._ledger[address]:
                writes[ledger_key(Address(address))] = encode_balance(balance)
        for address in {**self._nonces, **self._code_hashes, **self._destroyed}:
            self._write_account(address, writes)
        for (address, slot), value in self._slots.items():
            if address not in self._destroyed and value != self.get_storage(address, slot, False):
                incarnation = self._load(address).incarnation
                writes[self._layout.slot(address, incarnation, slot)] = encode_slot(value)
        return dict(sorted(writes.items()))

    def _write_account(self, address: bytes, writes: dict[bytes, bytes | None]) -> None:
        before = self._load(address)
        if address in self._destroyed:
            # What had a record may have slots: its next incarnation must not see them.
            had_state = before.nonce != 0 or before.has_code
            after = Account(incarnation=before.incarnation + 1) if had_state else before
        else:
            after = Account(
                nonce=self.get_nonce(address),
                incarnation=before.incarnation,
                code_hash=self.get_code_hash(address),
            )
        if after == before:
            return
        writes[self._layout.account(address)] = after.encode()
        if after.has_code and after.code_hash != before.code_hash:
            key = self._layout.code(after.code_hash)
            if key not in writes and self._read((key,))[0] is None:
                writes[key] = self._codes[after.code_hash]
