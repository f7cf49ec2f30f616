"""A state test: one transaction in one block, then the root of the state and the hash of the logs."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.evm.cases import StateCase
from conformance.evm.host import Block, container_of
from conformance.evm.world import accounts_of, apply, coin, differences, flat, root_of
from vessel.container import ContainerTransaction, Log, TransactionBatch
from vessel_evm import refusal, rlp
from vessel_evm.keccak import keccak

_REFUSALS = {
    "GAS_ALLOWANCE_EXCEEDED": (refusal.GAS_LIMIT_ABOVE_BLOCK, refusal.BLOCK_FULL),
    "GAS_LIMIT_EXCEEDS_MAXIMUM": (refusal.GAS_LIMIT_ABOVE_CAP,),
    "INITCODE_SIZE_EXCEEDED": (refusal.INIT_CODE_TOO_LARGE,),
    "INSUFFICIENT_ACCOUNT_FUNDS": (refusal.INSUFFICIENT_FUNDS,),
    "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS": (refusal.BAD_BLOBS,),
    "INSUFFICIENT_MAX_FEE_PER_GAS": (refusal.FEE_CAP_BELOW_BASE_FEE,),
    "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST": (refusal.INTRINSIC_GAS_TOO_LOW,),
    "INTRINSIC_GAS_TOO_LOW": (refusal.INTRINSIC_GAS_TOO_LOW,),
    "NONCE_IS_MAX": (refusal.NONCE_MAX, refusal.MALFORMED),
    "NONCE_MISMATCH_TOO_HIGH": (refusal.NONCE_TOO_HIGH,),
    "NONCE_MISMATCH_TOO_LOW": (refusal.NONCE_TOO_LOW,),
    "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS": (refusal.TIP_ABOVE_FEE_CAP,),
    "SENDER_NOT_EOA": (refusal.SENDER_NOT_EOA,),
    "TYPE_1_TX_PRE_FORK": (refusal.TYPE_NOT_IN_FORK,),
    "TYPE_2_TX_PRE_FORK": (refusal.TYPE_NOT_IN_FORK,),
    "TYPE_3_TX_BLOB_COUNT_EXCEEDED": (refusal.BAD_BLOBS,),
    "TYPE_3_TX_CONTRACT_CREATION": (refusal.MALFORMED,),
    "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH": (refusal.BAD_BLOBS,),
    "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED": (refusal.BAD_BLOBS,),
    "TYPE_3_TX_PRE_FORK": (refusal.TYPE_NOT_IN_FORK, refusal.BLOB_TRANSACTIONS_UNSUPPORTED),
    "TYPE_3_TX_ZERO_BLOBS": (refusal.BAD_BLOBS,),
    "TYPE_4_EMPTY_AUTHORIZATION_LIST": (refusal.MALFORMED,),
    "TYPE_4_TX_CONTRACT_CREATION": (refusal.MALFORMED,),
    "TYPE_4_TX_PRE_FORK": (refusal.TYPE_NOT_IN_FORK,),
}


def run(case: StateCase, engine: str) -> str:
    """Return what is wrong; empty where nothing is."""
    entries = flat(case.pre)
    before = coin(entries)
    height = case.surroundings.height
    # Block hashes of state tests are hashes of the number in decimal digits.
    recent_ids = [keccak(str(height - back).encode()) for back in range(1, min(height, 256) + 1)]
    container = container_of(engine, case.chain_id, ((case.fork, 0),), False)
    block = Block(container, case.surroundings, entries, fork=case.fork, recent_ids=recent_ids)
    block.execution.begin()
    batch = TransactionBatch(first_index=0, transactions=(ContainerTransaction(raw=case.raw),))
    (result,) = block.execution.transactions(batch)
    block.execution.end()
    block.finish()
    if result.included == bool(case.refused):
        return f"included: {result.included} ({result.reason}); expected {case.refused or 'that it is'}"
    if case.refused and result.reason not in refusals(case.refused):
        return f"refused for {result.reason}; expected {case.refused}"
    if list(result.writes) != sorted(result.writes):
        return "the writes are not in order"
    apply(entries, result.writes)
    if coin(entries) - before != -result.burned:
        return f"coin changed by {coin(entries) - before}, burned {result.burned}"
    outcome = f"{result.status.name} {result.message} gas {result.gas_used}"
    accounts = accounts_of(entries)
    root = root_of(accounts)
    if root != case.root:
        found = "; ".join(differences(accounts, case.post)) if case.post else f"0x{root.hex()}"
        return f"another root ({outcome}): {found}"
    if logs_hash(result.logs) != case.logs:
        return f"other logs ({outcome}): {result.logs}"
    return ""


def refusals(expected: str) -> set[str]:
    """Return the reasons that mean what the fixtures expect: names with a bar between alternatives."""
    names = [name.removeprefix("TransactionException.") for name in expected.split("|")]
    return {reason for name in names for reason in _REFUSALS.get(name, ())}


def logs_hash(logs: Sequence[Log]) -> bytes:
    """Return the hash of the logs as Ethereum's receipts hold them."""
    return keccak(
        rlp.encode_list(
            [
                rlp.encode_list(
                    [
                        rlp.encode_bytes(log.address),
                        rlp.encode_list([rlp.encode_bytes(topic) for topic in log.topics]),
                        rlp.encode_bytes(log.data),
                    ]
                )
                for log in logs
            ]
        )
    )
