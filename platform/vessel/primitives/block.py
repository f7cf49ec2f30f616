"""A block: header, transactions, and the seal that may say what executing it came to."""

from __future__ import annotations

import msgspec

from vessel.primitives.hashing import Hasher
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.merkle import list_root
from vessel.primitives.receipt import HookReceipt, Receipt
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import Hash32


class Seal(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Outside of the id: the block's own result, once known, and what consensus signs it with."""

    result: BlockResult = BlockResult()
    signature: bytes = b""


class Block(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A whole block as it is stored and sent."""

    header: Header
    transactions: tuple[Transaction, ...] = ()
    seal: Seal = Seal()


class ExecutedBlock(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A block with its id and what became of each of its transactions."""

    block_id: Hash32
    block: Block
    receipts: tuple[Receipt, ...] = ()
    hooks: tuple[HookReceipt, ...] = ()


def transactions_root(hasher: Hasher, transactions: tuple[Transaction, ...]) -> Hash32:
    """Return the root over the envelopes in block order."""
    return list_root(hasher, [transaction.encode() for transaction in transactions])


def receipts_root(hasher: Hasher, receipts: tuple[Receipt, ...], hooks: tuple[HookReceipt, ...]) -> Hash32:
    """Return the root over the receipts in block order, then those of the block hooks."""
    return list_root(hasher, [r.encode() for r in receipts] + [h.encode() for h in hooks])
