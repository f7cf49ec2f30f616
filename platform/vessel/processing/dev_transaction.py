"""What the controls of a development chain do to its state, as transactions in its blocks.

They are addressed to `vessel`, a name that no container may have, carry no signature and are refused on
any chain whose genesis does not say `dev = true`. The host executes them itself, so a development chain
replays on any node like any other chain.
"""

from __future__ import annotations

import msgspec

from vessel.database.namespace import LEDGER_PREFIX, NAMESPACE_SIZE_BYTES, encode_balance, ledger_key
from vessel.errors import InvalidRequest
from vessel.primitives.hashing import SHA256
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ADDRESS_SIZE_BYTES, Address, Hash32

HOST = "vessel"
MAX_WRITES = 10_000
MAX_KEY_SIZE_BYTES = 512
MAX_BALANCE = (1 << 256) - 1


class SetBalance(msgspec.Struct, frozen=True, kw_only=True, tag="set_balance", forbid_unknown_fields=True):
    """Give an address so much native coin, whatever it had; balance: hexadecimal."""

    address: bytes
    balance: str
    number: int  # keeps two alike apart


class WriteState(msgspec.Struct, frozen=True, kw_only=True, tag="write_state", forbid_unknown_fields=True):
    """Set full state keys; a value of None deletes."""

    writes: tuple[tuple[bytes, bytes | None], ...]
    number: int


class Impersonate(msgspec.Struct, frozen=True, kw_only=True, tag="impersonate", forbid_unknown_fields=True):
    """A transaction of a container whose sender did not sign it."""

    container: str
    sender: bytes
    raw: bytes


DevAction = SetBalance | WriteState | Impersonate


def encode_action(action: DevAction) -> Transaction:
    """Return the transaction that does this."""
    return Transaction(container=HOST, raw=msgspec.json.encode(action))


def decode_action(transaction: Transaction) -> DevAction:
    """Return what a transaction to `vessel` does; InvalidRequest where it does not fit."""
    try:
        action: DevAction = msgspec.json.decode(transaction.raw, type=DevAction)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"not a transaction of the development controls: {error}") from error
    if encode_action(action) != transaction:
        raise InvalidRequest("a transaction of the development controls must be in its canonical form")
    return action


def action_id(transaction: Transaction) -> Hash32:
    """Return the id of a transaction to `vessel`."""
    return SHA256(b"vessel/dev/" + transaction.raw)


def action_writes(action: SetBalance | WriteState) -> dict[bytes, bytes | None]:
    """Return what an action writes, sorted by key; InvalidRequest where it cannot be."""
    if isinstance(action, SetBalance):
        if len(action.address) != ADDRESS_SIZE_BYTES:
            raise InvalidRequest(f"an address has 20 bytes, this one has {len(action.address)}")
        try:
            balance = int(action.balance, 16)
        except ValueError:
            raise InvalidRequest(f"balance {action.balance!r} is not hexadecimal") from None
        if not 0 <= balance <= MAX_BALANCE:
            raise InvalidRequest("a balance has at most 256 bits")
        return {ledger_key(Address(action.address)): encode_balance(balance)}
    if not 1 <= len(action.writes) <= MAX_WRITES:
        raise InvalidRequest(f"{len(action.writes)} writes in one transaction; expected 1 to {MAX_WRITES}")
    for key, _ in action.writes:
        if not NAMESPACE_SIZE_BYTES < len(key) <= MAX_KEY_SIZE_BYTES:
            raise InvalidRequest(
                f"state key 0x{key.hex()} has {len(key)} bytes; expected a namespace of 2 and a key, "
                f"{MAX_KEY_SIZE_BYTES} at most"
            )
        if key.startswith(LEDGER_PREFIX):
            raise InvalidRequest("balances are set by SetBalance, not by WriteState")
    writes = dict(action.writes)
    if len(writes) != len(action.writes):
        raise InvalidRequest("a key is written twice in one transaction")
    return dict(sorted(writes.items()))
