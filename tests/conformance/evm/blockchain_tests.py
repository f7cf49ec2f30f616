"""A blockchain test: blocks with their hooks on one state, and the state that they lead to.

Ethereum's headers and their hashes are not this platform's. What is compared is the state after every
block, the gas and the blob gas it used, and the hash of its requests to a beacon chain; a block that must
not be has to differ in one of them, hold a transaction that is refused, or fail as a whole. Withdrawals
are coin that the host credits, so the test does.
"""

from __future__ import annotations

from conformance.evm.cases import BlockCase, BlockchainCase
from conformance.evm.host import Block, container_of
from conformance.evm.world import accounts_of, apply, differences, flat, root_of
from vessel.container import (
    ContainerError,
    ContainerTransaction,
    Section,
    TransactionBatch,
    decode_balance,
    encode_balance,
    ledger_key,
)
from vessel.primitives.units import Address, Coin, Gas
from vessel_evm.blobs import BlobGas, encode_blob_gas, read_blob_gas
from vessel_evm.execution import EvmExecution
from vessel_evm.requests import requests_hash


def run(case: BlockchainCase, engine: str) -> str:
    """Return what is wrong; empty where nothing is."""
    container = container_of(engine, case.chain_id, tuple(case.forks), True)
    entries = flat(case.pre)
    recent_ids = [case.genesis.hash]
    parent, version = _section(case.genesis), None
    for block in case.blocks:
        height = block.surroundings.height
        fork = [name for name, start in case.forks if start <= height][-1]
        making = Block(
            container,
            block.surroundings,
            entries,
            fork=fork,
            recent_ids=recent_ids,
            parent=parent,
            version=version,
        )
        attempt = dict(entries)
        fault = _make(making, block, attempt)
        if not fault and not block.refused:
            accounts = accounts_of(attempt)
            if root_of(accounts) != block.root:
                fault = f"another root; compared with the end: {'; '.join(differences(accounts, case.post))}"
        if block.refused:
            if not fault:
                return f"block {height} was made; expected {block.refused}"
            continue
        if fault:
            return f"block {height}: {fault}"
        making.finish()
        entries, parent = attempt, _section(block)
        version = None if block.withdrawals else making.result_version
        recent_ids = [block.hash, *recent_ids[:255]]
    return "; ".join(differences(accounts_of(entries), case.post))


def _section(block: BlockCase) -> Section:
    """Return what the header says, as a container's section."""
    blob_gas = BlobGas(block.surroundings.excess_blob_gas or 0, block.blob_gas_used)
    return Section(
        gas_limit=Gas(block.surroundings.gas_limit),
        gas_used=Gas(block.gas_used),
        base_fee=Coin(block.surroundings.base_fee),
        extra=encode_blob_gas(blob_gas),
    )


def _make(block: Block, case: BlockCase, entries: dict[bytes, bytes]) -> str:
    """Make a block; return what it came to otherwise than its header says."""
    execution = block.execution
    assert isinstance(execution, EvmExecution)
    try:
        apply(entries, execution.begin().writes)
        transactions = tuple(ContainerTransaction(raw=raw) for raw in case.transactions)
        for result in execution.transactions(TransactionBatch(first_index=0, transactions=transactions)):
            if not result.included:
                return f"transaction {result.index} was refused: {result.reason} {result.message}"
            apply(entries, result.writes)
        end = execution.end()
    except ContainerError as error:
        return f"the block cannot be: {error}"
    apply(entries, end.writes)
    for address, amount in case.withdrawals:
        key = ledger_key(Address(address))
        balance = encode_balance(decode_balance(entries.get(key)) + amount)
        if balance is not None:
            entries[key] = balance
    expected = _section(case)
    if end.section != expected:
        found = read_blob_gas(end.section)
        return f"section {end.section} {found}, expected {expected} {read_blob_gas(expected)}"
    if case.requests_hash is not None and requests_hash(execution.requests) != case.requests_hash:
        return f"requests {[request.hex() for request in execution.requests]}"
    return ""
