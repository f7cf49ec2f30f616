"""Which transactions are taken: the checks, and their use on a batch that a mempool asks about.

Execution uses the same checks, so that the two never disagree in reason or words.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vessel.container import (
    BlockState,
    KeySet,
    TransactionCheck,
    ValidationRequest,
    decode_balance,
    ledger_key,
)
from vessel.primitives.units import Address, Coin, Gas
from vessel_evm import refusal
from vessel_evm.blobs import GAS_PER_BLOB
from vessel_evm.blobs import VERSION as BLOB_HASH_VERSION
from vessel_evm.configuration import EvmConfiguration
from vessel_evm.fees import effective_gas_price, next_base_fee
from vessel_evm.forks import Rules
from vessel_evm.hexadecimal import U64_MAX
from vessel_evm.intrinsic_gas import intrinsic_gas
from vessel_evm.keccak import keccak
from vessel_evm.layout import Account, Layout, decode_account
from vessel_evm.refusal import Refusal
from vessel_evm.transaction import BLOB, Transaction, decode

DELEGATION_PREFIX = b"\xef\x01\x00"  # code of an account that borrows another's (EIP-7702)
DELEGATION_SIZE_BYTES = 23


class SignedTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that could be good on this chain: decoded, authenticated, checked without state."""

    transaction: Transaction
    sender: Address
    intrinsic_gas: Gas
    floor_gas: Gas
    impersonated: bool = False  # on a development chain the host vouches for the sender


def read_transaction(
    raw: bytes,
    configuration: EvmConfiguration,
    *,
    height: int = 0,
    prepared: bytes = b"",
    impersonate: bytes = b"",
    blobs: bool = False,
) -> SignedTransaction:
    """Return what `raw` says; Refusal where it is no transaction or none of this chain.

    prepared: the sender, as admission handed it out; without it the signature is recovered. impersonate:
    the sender of a transaction without signature, which the host vouches for. height: of the block that
    it is for. blobs: whether it may have blobs; a mempool does not take them, a block may hold them.
    """
    rules = configuration.rules_at(height)
    transaction = decode(raw, blobs=blobs and rules.blobs is not None)
    if transaction.type not in rules.types:
        raise Refusal(
            refusal.TYPE_NOT_IN_FORK,
            f"transactions of type {transaction.type} are unknown to the fork {rules.fork}; "
            f"it knows {', '.join(map(str, rules.types))}",
        )
    if impersonate:
        transaction = _impersonated(transaction, raw, impersonate)
        prepared = impersonate
    chain_id = transaction.chain_id
    if chain_id is not None and chain_id != configuration.chain_id:
        raise Refusal(
            refusal.WRONG_CHAIN,
            f"the transaction is signed for chain {chain_id}, this chain is {configuration.chain_id}: "
            f"sign it again with chain id {configuration.chain_id}",
        )
    sender = Address(prepared) if len(prepared) == 20 else transaction.sender()
    if transaction.nonce >= U64_MAX:
        raise Refusal(refusal.NONCE_MAX, "the nonce is 2**64 - 1, which no account can go beyond (EIP-2681)")
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise Refusal(
            refusal.TIP_ABOVE_FEE_CAP,
            f"maxPriorityFeePerGas {transaction.max_priority_fee_per_gas} is above maxFeePerGas "
            f"{transaction.max_fee_per_gas}: raise the cap or lower the tip",
        )
    needed, floor = check_gas(
        creates=not transaction.to,
        data=transaction.data,
        gas_limit=transaction.gas_limit,
        transaction=transaction,
        configuration=configuration,
        rules=rules,
    )
    if transaction.type == BLOB:
        _check_blobs(transaction, rules)
    return SignedTransaction(
        transaction=transaction,
        sender=sender,
        intrinsic_gas=needed,
        floor_gas=floor,
        impersonated=bool(impersonate),
    )


def _impersonated(transaction: Transaction, raw: bytes, sender: bytes) -> Transaction:
    """Return the transaction with an id of its own: two senders may send the same unsigned bytes."""
    if len(sender) != 20:
        raise Refusal(refusal.MALFORMED, f"the impersonated sender has {len(sender)} bytes: expected 20")
    if transaction.r or transaction.s:
        raise Refusal(
            refusal.BAD_SIGNATURE,
            "the transaction is signed: send it as it is, or empty r and s to impersonate",
        )
    return msgspec.structs.replace(transaction, id=keccak(raw + sender))


def check_gas(
    *,
    creates: bool,
    data: bytes,
    gas_limit: int,
    transaction: Transaction,
    configuration: EvmConfiguration,
    rules: Rules,
) -> tuple[Gas, Gas]:
    """Return intrinsic and floor gas; Refusal where the limit does not cover them."""
    if rules.gas_cap and gas_limit > rules.gas_cap:
        raise Refusal(
            refusal.GAS_LIMIT_ABOVE_CAP,
            f"the gas limit is {gas_limit}; a transaction may have at most {rules.gas_cap} (EIP-7825)",
        )
    init_code_limit = 2 * configuration.code_size_limit
    if rules.limits_init_code and creates and len(data) > init_code_limit:
        raise Refusal(
            refusal.INIT_CODE_TOO_LARGE,
            f"the init code has {len(data)} bytes; at most {init_code_limit} are taken (EIP-3860)",
        )
    needed, floor = intrinsic_gas(
        creates=creates,
        data=data,
        access_list=transaction.access_list,
        authorizations=len(transaction.authorizations),
        rules=rules,
    )
    if gas_limit < max(needed, floor):
        raise Refusal(
            refusal.INTRINSIC_GAS_TOO_LOW,
            f"the gas limit is {gas_limit}; at least {max(needed, floor)} is needed before the first "
            f"instruction (intrinsic {needed}, floor of the input {floor})",
        )
    return needed, floor


def _check_blobs(transaction: Transaction, rules: Rules) -> None:
    """Refuse what EIP-4844 and EIP-7594 do not allow in one transaction."""
    assert rules.blobs is not None
    count = len(transaction.blob_hashes)
    if not 0 < count <= rules.blobs.per_transaction:
        raise Refusal(
            refusal.BAD_BLOBS, f"it carries {count} blobs; expected 1 to {rules.blobs.per_transaction}"
        )
    for blob_hash in transaction.blob_hashes:
        if blob_hash[0] != BLOB_HASH_VERSION:
            raise Refusal(
                refusal.BAD_BLOBS,
                f"the blob hash 0x{blob_hash.hex()} is of version {blob_hash[0]}, expected "
                f"{BLOB_HASH_VERSION}",
            )


def check_block_limit(gas_limit: int, block_limit: int) -> None:
    """Refuse what can never fit into a block of this container."""
    if gas_limit > block_limit:
        raise Refusal(
            refusal.GAS_LIMIT_ABOVE_BLOCK,
            f"the gas limit is {gas_limit}; a whole block has {block_limit}",
        )


def check_nonce(transaction: Transaction, account: Account) -> None:
    """Refuse a nonce that is used up."""
    if transaction.nonce < account.nonce:
        raise Refusal(
            refusal.NONCE_TOO_LOW,
            f"the nonce is {transaction.nonce}; the sender's next is {account.nonce}",
        )


def max_cost(transaction: Transaction) -> int:
    """Return the most that it may come to: the fee cap counts, not the price (EIP-1559, EIP-4844)."""
    blob_gas = GAS_PER_BLOB * len(transaction.blob_hashes)
    return (
        transaction.gas_limit * transaction.max_fee_per_gas
        + transaction.value
        + blob_gas * transaction.max_fee_per_blob_gas
    )


def check_funds(transaction: Transaction, sender: Address, balance: int) -> None:
    """Refuse where the sender cannot pay the most that it may come to (EIP-1559 takes the fee cap)."""
    needed = max_cost(transaction)
    if balance < needed:
        raise Refusal(
            refusal.INSUFFICIENT_FUNDS,
            f"0x{sender.hex()} has {balance}, needed are {needed}: gas {transaction.gas_limit} × "
            f"{transaction.max_fee_per_gas} + value {transaction.value}; {needed - balance} are missing",
        )


def check_sender_code(sender: Address, code: bytes) -> None:
    """Refuse a sender that is a contract (EIP-3607), unless it only delegates (EIP-7702)."""
    if code and not (len(code) == DELEGATION_SIZE_BYTES and code.startswith(DELEGATION_PREFIX)):
        raise Refusal(
            refusal.SENDER_NOT_EOA, f"0x{sender.hex()} is a contract and cannot send transactions (EIP-3607)"
        )


def check_fee_cap(transaction: Transaction, base_fee: int) -> None:
    """Refuse, for the block at hand, what offers less than its base fee."""
    if transaction.max_fee_per_gas < base_fee:
        raise Refusal(
            refusal.FEE_CAP_BELOW_BASE_FEE,
            f"the fee cap is {transaction.max_fee_per_gas}; the base fee of this block is {base_fee}",
        )


def check_blob_space(transaction: Transaction, rules: Rules, base_fee: int, used: int) -> None:
    """Refuse, for the block at hand, blobs that pay too little or find no room (EIP-4844)."""
    if not transaction.blob_hashes or rules.blobs is None:
        return
    if transaction.max_fee_per_blob_gas < base_fee:
        raise Refusal(
            refusal.BLOB_FEE_CAP_TOO_LOW,
            f"the blob fee cap is {transaction.max_fee_per_blob_gas}; "
            f"the base fee of this block is {base_fee}",
        )
    room = rules.blobs.maximum * GAS_PER_BLOB - used
    if GAS_PER_BLOB * len(transaction.blob_hashes) > room:
        raise Refusal(
            refusal.BLOCK_FULL,
            f"it carries {len(transaction.blob_hashes)} blobs; there is room for {room // GAS_PER_BLOB}",
        )


def validate(
    request: ValidationRequest, state: BlockState, configuration: EvmConfiguration, layout: Layout
) -> Sequence[TransactionCheck]:
    """Check a batch against one state version: one read for all, a second where senders have code."""
    read: list[SignedTransaction | Refusal] = []
    vouched = request.impersonate or (b"",) * len(request.raw)
    for raw, impersonate in zip(request.raw, vouched, strict=True):
        try:
            signed = read_transaction(raw, configuration, height=request.height, impersonate=impersonate)
            if request.parent_section.gas_limit:
                check_block_limit(signed.transaction.gas_limit, request.parent_section.gas_limit)
            read.append(signed)
        except Refusal as error:
            read.append(error)
    _prefetch(read, state, layout)
    base_fee = next_base_fee(request.parent_section)
    return [
        _refused(raw, signed) if isinstance(signed, Refusal) else _checked(signed, state, layout, base_fee)
        for raw, signed in zip(request.raw, read, strict=True)
    ]


def _prefetch(read: Sequence[SignedTransaction | Refusal], state: BlockState, layout: Layout) -> None:
    """Have the records and balances of all that is to be looked at in as few crossings as can be."""
    signed = [entry for entry in read if not isinstance(entry, Refusal)]
    keys: list[bytes] = []
    for entry in signed:
        keys.extend(account_keys(entry, layout))
    if not keys:
        return
    state.read(keys)
    codes = []
    for entry in signed:
        account = decode_account(state.read((layout.account(entry.sender),))[0])
        if account.has_code:
            codes.append(layout.code(account.code_hash))
    if codes:
        state.read(codes)


def account_keys(signed: SignedTransaction, layout: Layout) -> list[bytes]:
    """Return the keys that the transaction will read whatever else it does."""
    sender, to = signed.sender, signed.transaction.to
    keys = [layout.account(sender), ledger_key(sender)]
    if to and to != sender:
        keys += [layout.account(to), ledger_key(Address(to))]
    return keys


def _refused(raw: bytes, error: Refusal) -> TransactionCheck:
    return TransactionCheck(accepted=False, reason=error.reason, message=error.message, id=keccak(raw))


def _checked(
    signed: SignedTransaction, state: BlockState, layout: Layout, base_fee: Coin
) -> TransactionCheck:
    transaction, sender = signed.transaction, signed.sender
    record, coin = state.read((layout.account(sender), ledger_key(sender)))
    account = decode_account(record)
    reason = message = ""
    try:
        if account.has_code and not signed.impersonated:
            check_sender_code(sender, state.read((layout.code(account.code_hash),))[0] or b"")
        check_nonce(transaction, account)
        check_funds(transaction, sender, decode_balance(coin))
    except Refusal as error:
        reason, message = error.reason, error.message
    bid = effective_gas_price(transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas, base_fee)
    return TransactionCheck(
        accepted=not reason,
        reason=reason,
        message=message,
        id=transaction.id,
        sender=sender,
        sequence=transaction.nonce,
        next_sequence=account.nonce,
        bid=bid,
        gas_limit=transaction.gas_limit,
        hint=_hint(signed, state, layout),
        prepared=b"" if reason else sender,
    )


def _hint(signed: SignedTransaction, state: BlockState, layout: Layout) -> KeySet:
    keys = account_keys(signed, layout)
    if signed.transaction.to:
        recipient = decode_account(state.read((layout.account(signed.transaction.to),))[0])
        if recipient.has_code:
            keys.append(layout.code(recipient.code_hash))
    return KeySet(keys=tuple(keys))
