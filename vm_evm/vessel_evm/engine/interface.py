"""What executes EVM messages: the interface that every engine satisfies.

The engine is told what a transaction means and answers what it did; signatures, fees per type,
admission and receipts are outside. Two engines that are given the same blocks and states answer the
same in every field but `fault`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from vessel.container import (
    BlockState,
    ContainerTransaction,
    Log,
    Status,
    TransactionResult,
    Writes,
)
from vessel.primitives.units import Address, Coin, Gas, Hash32, Height
from vessel_evm.transaction import Access, Authorization


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a contract can learn of the block it runs in.

    timestamp_s: seconds since the Unix epoch. randomness: PREVRANDAO. recent_ids: what BLOCKHASH
    answers, from the parent (index 0) backwards. blob_base_fee: BLOBBASEFEE (EIP-7516).
    """

    chain_id: int
    height: Height
    timestamp_s: int
    coinbase: Address
    randomness: Hash32
    gas_limit: Gas
    base_fee: Coin
    recent_ids: Sequence[bytes]
    blob_base_fee: Coin = Coin(1)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction, checked: what an engine relies on is the caller's to make sure.

    to: empty creates a contract, whose init code is `data`. gas_price: what the sender pays per unit of
    gas; 0 in a call that is free, which then burns nothing whatever the base fee. nonce: the sender's
    in the state, below 2**64 - 1. intrinsic_gas, floor_gas: see `vessel_evm.intrinsic_gas`;
    gas_limit covers both. The sender has gas_limit × gas_price + value + blob_fee. blob_hashes: BLOBHASH;
    blob_fee: for all blobs, burned (EIP-4844). max_cost: what the sender must have, and nonce: what it
    must be at; both count in a batch only.
    """

    sender: Address
    to: bytes
    value: Coin
    data: bytes
    gas_limit: Gas
    gas_price: Coin
    intrinsic_gas: Gas
    floor_gas: Gas
    access_list: tuple[Access, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    blob_hashes: tuple[Hash32, ...] = ()
    blob_fee: Coin = Coin(0)
    max_cost: Coin = Coin(0)
    nonce: int = 0


class EngineResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a message did.

    status: of the outermost frame.
        OK           it ran to its end
        REVERTED     REVERT
        OUT_OF_GAS   gas ran out, or a creation left code above the size limit (EIP-170)
        TRAP         everything else: invalid instruction or jump, stack, RETURNDATACOPY out of bounds,
                     a precompile that refused its input, an address collision, code that begins 0xEF
    gas_used: after refunds and not below the floor. gas_refunded: what was taken off for refunds.
    output: return value, revert data, or the runtime code of a creation.
    writes: full state keys, sorted, without what stays as it was; they include fees paid and received.
    burned: native coin destroyed: base fee × gas, and what a contract destroyed in the transaction of
    its creation took with it. created: address of the new contract, where `to` is empty and all went
    well. fault: for people, why it was not OK.
    """

    status: Status
    gas_used: Gas
    gas_refunded: Gas
    output: bytes
    logs: tuple[Log, ...]
    writes: Writes
    burned: Coin
    created: Address | None = None
    fault: str = ""


class EngineBlock(Protocol):
    """An engine at work in one block. For one thread."""

    def run(self, message: Message) -> EngineResult:
        """Execute a message on the state as it is now, and leave that state alone.

        The caller keeps `writes` (BlockState.keep) if they are to stay. Others may write to the state
        between two runs, so nothing that was read is carried over from one to the next. Whatever
        reading state raises passes through: a fault of the host is no outcome.
        """
        ...

    def run_batch(
        self, messages: Sequence[Message], gas_available: int, *, checked: bool = False
    ) -> list[EngineResult]:
        """Execute messages one on the other, up to the first that cannot be included in the block.

        The caller keeps the writes of every result, in order. It may be fewer than there are messages for
        other reasons too: the rest is to be handed in again. checked: the caller has made sure of nonce,
        funds and gas itself; then at least one is executed.
        """
        ...

    def run_signed(
        self,
        transactions: Sequence[ContainerTransaction],
        *,
        index: int,
        gas_available: int,
        gas_before: int,
    ) -> list[TransactionResult]:
        """Execute signed transactions whose senders are known, as `run_batch` does messages.

        It stops at the first that is not regular or cannot be included; an engine that does not read
        transactions stops at once. index: of the first in the block; gas_before: used in the block so far.
        """
        ...

    def system_call(self, contract: Address, data: bytes) -> EngineResult:
        """Call a system contract on behalf of the block: no fees, no nonce; the caller keeps the writes."""
        ...

    def committed(self, version: int) -> None:
        """Learn that the block, with all writes that were kept, has become a state version."""
        ...


class Engine(Protocol):
    """The rules of one fork. Holds nothing that changes; may be shared by threads."""

    @property
    def name(self) -> str:
        """As the parameter `engine` calls it."""
        ...

    @property
    def digest(self) -> bytes:
        """Return 32 bytes that differ where the code that decides outcomes differs."""
        ...

    def open(self, surroundings: Surroundings, state: BlockState) -> EngineBlock:
        """Begin to work in a block."""
        ...
