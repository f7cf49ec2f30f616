"""One block of the EVM: the genesis, or a run of transactions between two roots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from vessel.primitives.units import ZERO_HASH, Address, Coin, Gas
from vessel_evm import refusal
from vessel_evm.admission import (
    SignedTransaction,
    account_keys,
    check_blob_space,
    check_block_limit,
    check_fee_cap,
    check_funds,
    check_nonce,
    check_sender_code,
    max_cost,
    read_transaction,
)
from vessel_evm.blobs import GAS_PER_BLOB, BlobGas, blob_base_fee, encode_blob_gas, next_excess
from vessel_evm.configuration import EvmConfiguration, Predeploy
from vessel_evm.engine.interface import Engine, EngineBlock, EngineResult, Message, Surroundings
from vessel_evm.fees import effective_gas_price, next_base_fee
from vessel_evm.forks import BEACON_ROOTS, CONSOLIDATION_REQUESTS, HISTORY_STORAGE, WITHDRAWAL_REQUESTS
from vessel_evm.keccak import EMPTY_CODE_HASH, keccak
from vessel_evm.layout import Account, Layout, decode_account, encode_slot
from vessel_evm.receipts import encode_details, tags
from vessel_evm.refusal import Refusal
from vessel_evm.requests import CONSOLIDATION, DEPOSIT, WITHDRAWAL, read_deposits
from vessel_evm.revert import describe_revert

_REQUEST_KINDS = {WITHDRAWAL_REQUESTS: WITHDRAWAL, CONSOLIDATION_REQUESTS: CONSOLIDATION}


def base_fee_of(start: BlockStart, configuration: EvmConfiguration) -> Coin:
    """Return the base fee of a block: none before London, the genesis' own where it begins."""
    if not configuration.rules_at(start.height).has_base_fee:
        return Coin(0)
    if start.mode is Mode.GENESIS or not configuration.rules_at(start.height - 1).has_base_fee:
        return configuration.initial_base_fee
    return next_base_fee(start.parent_section)


def surroundings_of(start: BlockStart, base_fee: Coin, configuration: EvmConfiguration) -> Surroundings:
    """Return what contracts see of a block."""
    schedule = configuration.rules_at(start.height).blobs
    excess = next_excess(start.parent_section, schedule) if schedule else 0
    return Surroundings(
        blob_base_fee=blob_base_fee(excess, schedule) if schedule else Coin(1),
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
        self._rules = configuration.rules_at(start.height)
        self._base_fee = base_fee_of(start, configuration)
        self._surroundings = surroundings_of(start, self._base_fee, configuration)
        self._block: EngineBlock = engine.open(self._surroundings, state)
        self._blob_gas_used = 0
        self._deposits = b""
        self._requests: list[bytes] = []
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
        """Lay down the predeploys in genesis; make the calls of the block itself in any other."""
        with self._guard():
            if self._start.mode is not Mode.GENESIS:
                return HookResult(writes=self._call_system(self._rules.begin_calls))
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
        position = 0
        while position < len(batch.transactions):
            with self._guard():
                results = self._signed_results(batch, position)
                if not results:
                    read = self._read_neighbours(batch, position)
                    results = self._results(batch, read, position)
                if not results:
                    raw = batch.transactions[position].raw
                    results = [self._result(batch.first_index + position, raw, read[0])]
            for result in results:
                yield result
                if not result.fits:
                    return
            position += len(results)

    def end(self) -> BlockEndResult:
        """Make the calls that end the block, and return the section of the header."""
        with self._guard():
            genesis = self._start.mode is Mode.GENESIS
            self._requests = [DEPOSIT + self._deposits]
            writes = {} if genesis else self._call_system(self._rules.end_calls)
            return BlockEndResult(
                writes=writes,
                section=Section(
                    gas_limit=self._start.gas_limit,
                    gas_used=Gas(self._gas_used),
                    base_fee=self._base_fee,
                    extra=self._blob_section(),
                ),
            )

    def commit(self) -> None:
        """Learn that the block is on the chain: what the engine remembers is of its version from now on."""
        self._block.committed(self._start.result_version)

    # ---- the block's own

    def _call_system(self, contracts: Sequence[Address]) -> dict[bytes, bytes | None]:
        """Call system contracts where the genesis asks for it and they are there (EIP-4788, EIP-2935, …).

        There is no beacon chain: the parent's id stands for the root of its block. ContainerError where a
        contract that ends the block is not there or fails: such a block cannot be.
        """
        writes: dict[bytes, bytes | None] = {}
        if not self._configuration.system_calls:
            return writes
        inputs = {
            BEACON_ROOTS: bytes(self._start.parent_id),
            HISTORY_STORAGE: bytes(self._start.recent_ids[0] if self._start.recent_ids else ZERO_HASH),
        }
        for contract in contracts:
            outcome = self._block.system_call(contract, inputs.get(contract, b""))
            kind = _REQUEST_KINDS.get(contract)
            if kind is not None:
                if outcome.status is not Status.OK or not self._has_code(contract):
                    raise ContainerError(
                        f"the system contract 0x{contract.hex()} cannot be called at height "
                        f"{self._start.height}: {outcome.fault or 'it has no code'}; a chain with "
                        "system_calls has it among its predeploys"
                    )
                self._requests.append(kind + outcome.output)
            self._state.keep(outcome.writes)
            writes.update(outcome.writes)
        return dict(sorted(writes.items()))

    def _has_code(self, address: Address) -> bool:
        return decode_account(self._state.read((self._layout.account(address),))[0]).has_code

    @property
    def requests(self) -> Sequence[bytes]:
        """Return what the ended block asks of a beacon chain, each its type and its data (EIP-7685)."""
        return self._requests

    def _blob_section(self) -> bytes:
        schedule = self._rules.blobs
        if schedule is None or self._start.mode is Mode.GENESIS:
            return b""
        return encode_blob_gas(
            BlobGas(next_excess(self._start.parent_section, schedule), self._blob_gas_used)
        )

    # ---- many transactions

    def _signed_results(self, batch: TransactionBatch, position: int) -> list[TransactionResult]:
        """Execute what the engine takes as it was signed; nothing where it takes nothing."""
        results = self._block.run_signed(
            batch.transactions[position:] if position else batch.transactions,
            index=batch.first_index + position,
            gas_available=self._gas_available,
            gas_before=self._gas_used,
        )
        for result in results:
            self._state.keep(result.writes)
            self._gas_available = Gas(self._gas_available - result.gas_used)
            self._gas_used += result.gas_used
            if self._configuration.system_calls and self._rules.end_calls:
                self._deposits += read_deposits(result.logs)
        return results

    def _read_neighbours(self, batch: TransactionBatch, position: int) -> list[SignedTransaction | Refusal]:
        """Decode from a position on what the engine would not take as it was signed, and the first of them.

        Where senders are known, the engine is asked again after each.
        """
        transactions = batch.transactions[position:]
        known = bool(transactions[0].prepared) and self._configuration.engine != "reference"
        read = [self._read(transaction) for transaction in (transactions[:1] if known else transactions)]
        self._prefetch(read)
        return read

    def _results(
        self, batch: TransactionBatch, read: list[SignedTransaction | Refusal], position: int
    ) -> list[TransactionResult]:
        """Execute what the engine takes at once of what was read; nothing where it takes nothing.

        The engine stops at what cannot be included; `_result` says why.
        """
        offered: list[tuple[SignedTransaction, Message]] = []
        for signed in read:
            message = None if isinstance(signed, Refusal) else self._offer(signed)
            if message is None:
                break
            assert isinstance(signed, SignedTransaction)
            offered.append((signed, message))
        if not offered:
            return []
        outcomes = self._block.run_batch([message for _, message in offered], self._gas_available)
        results: list[TransactionResult] = []
        index = batch.first_index + position
        for (signed, message), outcome in zip(offered, outcomes, strict=False):
            results.append(self._taken(index + len(results), signed, outcome, message.gas_price))
        return results

    def _offer(self, signed: SignedTransaction) -> Message | None:
        """Return the message where nothing but the state can be against it."""
        transaction = signed.transaction
        cost = max_cost(transaction)
        if (
            signed.impersonated
            or transaction.blob_hashes
            or transaction.gas_limit > self._start.gas_limit
            or transaction.max_fee_per_gas < self._base_fee
            or cost >> 256
        ):
            return None
        return self._message_of(signed, cost)

    def _message_of(self, signed: SignedTransaction, cost: int) -> Message:
        transaction = signed.transaction
        return Message(
            sender=signed.sender,
            to=transaction.to,
            value=transaction.value,
            data=transaction.data,
            gas_limit=transaction.gas_limit,
            gas_price=effective_gas_price(
                transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas, self._base_fee
            ),
            intrinsic_gas=signed.intrinsic_gas,
            floor_gas=signed.floor_gas,
            access_list=transaction.access_list,
            authorizations=transaction.authorizations,
            blob_hashes=transaction.blob_hashes,
            blob_fee=Coin(GAS_PER_BLOB * len(transaction.blob_hashes) * self._surroundings.blob_base_fee),
            nonce=transaction.nonce,
            max_cost=Coin(cost),
        )

    # ---- one transaction

    def _read(self, transaction: ContainerTransaction) -> SignedTransaction | Refusal:
        try:
            return read_transaction(
                transaction.raw,
                self._configuration,
                height=self._start.height,
                prepared=transaction.prepared,
                impersonate=transaction.impersonate,
                blobs=self._configuration.engine != "reference",
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
                later=error.reason in refusal.MAY_PASS,
                reason=error.reason,
                message=error.message,
                id=keccak(raw),
                sender=b"" if isinstance(signed, Refusal) else signed.sender,
            )
        (outcome,) = self._block.run_batch([message], self._gas_available, checked=True)
        return self._taken(index, signed, outcome, gas_price)

    def _taken(
        self, index: int, signed: SignedTransaction, outcome: EngineResult, gas_price: Coin
    ) -> TransactionResult:
        """Lay an outcome on the block."""
        self._state.keep(outcome.writes)
        self._gas_available = Gas(self._gas_available - outcome.gas_used)
        self._gas_used += outcome.gas_used
        self._blob_gas_used += GAS_PER_BLOB * len(signed.transaction.blob_hashes)
        if self._configuration.system_calls and self._rules.end_calls:
            self._deposits += read_deposits(outcome.logs)
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
        check_blob_space(transaction, self._rules, self._surroundings.blob_base_fee, self._blob_gas_used)
        message = self._message_of(signed, max_cost(transaction))
        return message, message.gas_price

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
