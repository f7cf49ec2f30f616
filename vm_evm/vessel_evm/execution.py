"""One block of the EVM: the genesis, or a run of transactions between two roots."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vessel.container import (
    BlockEndResult,
    BlockStart,
    BlockState,
    ContainerError,
    ContainerTransaction,
    HookResult,
    Mode,
    Section,
    Status,
    TransactionBatch,
    TransactionResult,
    decode_balance,
    ledger_key,
)
from vessel.primitives.units import Coin, Gas
from vessel_evm import refusal
from vessel_evm.admission import (
    SignedTransaction,
    account_keys,
    check_block_limit,
    check_fee_cap,
    check_funds,
    check_nonce,
    check_sender_code,
    read_transaction,
)
from vessel_evm.configuration import EvmConfiguration, Predeploy
from vessel_evm.engine.interface import Engine, EngineBlock, EngineResult, Message, Surroundings
from vessel_evm.fees import effective_gas_price, next_base_fee
from vessel_evm.keccak import EMPTY_CODE_HASH, keccak
from vessel_evm.layout import Account, Layout, decode_account, encode_slot
from vessel_evm.receipts import encode_details, tags
from vessel_evm.refusal import Refusal
from vessel_evm.revert import describe_revert


def surroundings_of(start: BlockStart, base_fee: Coin, configuration: EvmConfiguration) -> Surroundings:
    """Return what contracts see of a block."""
    return Surroundings(
        chain_id=configuration.chain_id,
        height=start.height,
        timestamp_s=start.time_ms // 1000,
        coinbase=start.proposer,
        randomness=start.randomness,
        gas_limit=start.gas_limit,
        base_fee=base_fee,
        recent_ids=start.recent_ids,
    )


class EvmExecution:
    """See vessel.container.Execution. After an exception it refuses to go on: its block is to be redone."""

    def __init__(
        self,
        start: BlockStart,
        state: BlockState,
        configuration: EvmConfiguration,
        layout: Layout,
        engine: Engine,
    ) -> None:
        """Open a block; nothing is read yet."""
        self._start = start
        self._state = state
        self._configuration = configuration
        self._layout = layout
        genesis = start.mode is Mode.GENESIS
        self._base_fee = configuration.initial_base_fee if genesis else next_base_fee(start.parent_section)
        self._block: EngineBlock = engine.open(surroundings_of(start, self._base_fee, configuration), state)
        self._gas_available = start.gas_limit
        self._gas_used = 0
        self._poisoned = False

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Poison the execution for good where the work inside does not come to its end."""
        if self._poisoned:
            raise ContainerError(
                f"execution {self._start.execution_id!r} of height {self._start.height} failed before; "
                "open a new one"
            )
        self._poisoned = True
        yield
        self._poisoned = False

    def begin(self) -> HookResult:
        """Lay down the predeploys in genesis; do nothing in any other block."""
        with self._guard():
            if self._start.mode is not Mode.GENESIS:
                return HookResult()
            writes: dict[bytes, bytes | None] = {}
            for predeploy in self._configuration.predeploys:
                writes.update(_predeploy_writes(predeploy, self._layout))
            writes = dict(sorted(writes.items()))
            self._state.keep(writes)
            section = Section(gas_limit=self._start.gas_limit, base_fee=self._base_fee)
            return HookResult(writes=writes, section=section)

    def transactions(self, batch: TransactionBatch) -> Iterator[TransactionResult]:
        """Execute a batch; see Execution."""
        with self._guard():
            if batch.gas_available is not None:
                self._gas_available = batch.gas_available
            read = [self._read(transaction) for transaction in batch.transactions]
            self._prefetch(read)
        for position, signed in enumerate(read):
            with self._guard():
                raw = batch.transactions[position].raw
                result = self._result(batch.first_index + position, raw, signed)
            yield result
            if not result.fits:
                return

    def end(self) -> BlockEndResult:
        """Return the section of the header."""
        with self._guard():
            return BlockEndResult(
                section=Section(
                    gas_limit=self._start.gas_limit,
                    gas_used=Gas(self._gas_used),
                    base_fee=self._base_fee,
                )
            )

    # ---- one transaction

    def _read(self, transaction: ContainerTransaction) -> SignedTransaction | Refusal:
        try:
            return read_transaction(
                transaction.raw,
                self._configuration,
                prepared=transaction.prepared,
                impersonate=transaction.impersonate,
            )
        except Refusal as error:
            return error

    def _prefetch(self, read: list[SignedTransaction | Refusal]) -> None:
        """Read what the batch needs for certain in one crossing, then the code of its recipients."""
        signed = [entry for entry in read if not isinstance(entry, Refusal)]
        if not signed:
            return
        proposer = self._start.proposer
        keys = [self._layout.account(proposer), ledger_key(proposer)]
        for entry in signed:
            keys.extend(account_keys(entry, self._layout))
        self._state.read(keys)
        recipients = [self._layout.account(entry.transaction.to) for entry in signed if entry.transaction.to]
        accounts = map(decode_account, self._state.read(recipients))
        codes = [self._layout.code(account.code_hash) for account in accounts if account.has_code]
        if codes:
            self._state.read(codes)

    def _result(self, index: int, raw: bytes, signed: SignedTransaction | Refusal) -> TransactionResult:
        try:
            if isinstance(signed, Refusal):
                raise signed
            message, gas_price = self._message(signed)
        except Refusal as error:
            return TransactionResult(
                index=index,
                included=False,
                fits=error.reason != refusal.BLOCK_FULL,
                reason=error.reason,
                message=error.message,
                id=keccak(raw),
                sender=b"" if isinstance(signed, Refusal) else signed.sender,
            )
        outcome = self._block.run(message)
        self._state.keep(outcome.writes)
        self._gas_available = Gas(self._gas_available - outcome.gas_used)
        self._gas_used += outcome.gas_used
        return self._included(index, signed, outcome, gas_price)

    def _message(self, signed: SignedTransaction) -> tuple[Message, Coin]:
        """Check a transaction against the state it meets; Refusal where it cannot be included."""
        transaction, sender = signed.transaction, signed.sender
        check_block_limit(transaction.gas_limit, self._start.gas_limit)
        if transaction.gas_limit > self._gas_available:
            raise Refusal(
                refusal.BLOCK_FULL,
                f"the gas limit is {transaction.gas_limit}; {self._gas_available} is left in this block",
            )
        record, balance = self._state.read((self._layout.account(sender), ledger_key(sender)))
        account = decode_account(record)
        if account.has_code and not signed.impersonated:
            code = self._state.read((self._layout.code(account.code_hash),))[0]
            check_sender_code(sender, code or b"")
        check_nonce(transaction, account)
        if transaction.nonce > account.nonce:
            raise Refusal(
                refusal.NONCE_TOO_HIGH,
                f"the nonce is {transaction.nonce}; the sender's next is {account.nonce}: "
                "the transactions in between come first",
            )
        check_fee_cap(transaction, self._base_fee)
        check_funds(transaction, sender, decode_balance(balance))
        gas_price = effective_gas_price(
            transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas, self._base_fee
        )
        message = Message(
            sender=sender,
            to=transaction.to,
            value=transaction.value,
            data=transaction.data,
            gas_limit=transaction.gas_limit,
            gas_price=gas_price,
            intrinsic_gas=signed.intrinsic_gas,
            floor_gas=signed.floor_gas,
            access_list=transaction.access_list,
            authorizations=transaction.authorizations,
        )
        return message, gas_price

    def _included(
        self, index: int, signed: SignedTransaction, outcome: EngineResult, gas_price: Coin
    ) -> TransactionResult:
        transaction = signed.transaction
        return TransactionResult(
            index=index,
            included=True,
            status=outcome.status,
            gas_used=outcome.gas_used,
            # The code of a new contract is in the state; a receipt need not carry it a second time.
            output=b"" if outcome.created else outcome.output,
            writes=outcome.writes,
            burned=outcome.burned,
            logs=outcome.logs,
            tags=tags(signed.sender, transaction, outcome),
            details=encode_details(transaction, outcome, gas_price=gas_price, cumulative_gas=self._gas_used),
            message=describe_outcome(outcome),
            id=transaction.id,
            sender=signed.sender,
        )


def describe_outcome(outcome: EngineResult) -> str:
    """Return for people why a message did not succeed; empty where it did."""
    return describe_revert(outcome.output) if outcome.status is Status.REVERTED else outcome.fault


def _predeploy_writes(predeploy: Predeploy, layout: Layout) -> dict[bytes, bytes | None]:
    code_hash = keccak(predeploy.code) if predeploy.code else EMPTY_CODE_HASH
    account = Account(nonce=predeploy.nonce, code_hash=code_hash)
    writes: dict[bytes, bytes | None] = {}
    record = account.encode()
    if record is not None:
        writes[layout.account(predeploy.address)] = record
    if predeploy.code:
        writes[layout.code(code_hash)] = predeploy.code
    for slot, word in predeploy.storage:
        writes[layout.slot(predeploy.address, 0, slot)] = encode_slot(word)
    return writes
