"""The reference engine: py-evm's frames and opcodes under a transaction level of our own.

It is the readable one, and the oracle of the tests. Importing it has two effects on the process: py-evm
raises the recursion limit (and this module more, see below), and py-evm's keccak is set to safe-pysha3.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import eth_hash.auto
from eth.abc import ComputationAPI
from eth.exceptions import OutOfGas, ReservedBytesInCode, Revert
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.opcodes import PRAGUE_OPCODES
from eth.vm.forks.prague.state import PragueState
from eth.vm.forks.shanghai.logic import Create2EIP3860, CreateEIP3860
from eth.vm.logic.system import CreateOpcodeStackData
from eth.vm.message import Message as Frame
from eth_hash.backends import pysha3

from vessel.container import (
    BlockState,
    ContainerError,
    ContainerTransaction,
    Log,
    Status,
    TransactionResult,
)
from vessel.primitives.units import Address, Coin, Gas
from vessel_evm import rlp
from vessel_evm.configuration import DEFAULT_CODE_SIZE_LIMIT, EvmConfiguration
from vessel_evm.engine.interface import EngineBlock, EngineResult, Message, Surroundings
from vessel_evm.engine.reference_database import ReferenceDatabase
from vessel_evm.hexadecimal import U64_MAX
from vessel_evm.keccak import keccak
from vessel_evm.layout import Layout

# `eth_hash.auto` picks its backend by the environment on first use, and pycryptodome before pysha3.
eth_hash.auto.keccak.__init__(pysha3.backend)  # type: ignore[misc]

# A call 1,024 frames deep takes about ten Python frames each. The C stack is the caller's to provide:
# 512 KiB overflow, 64 MiB are plenty.
RECURSION_LIMIT = 32_768
sys.setrecursionlimit(max(RECURSION_LIMIT, sys.getrecursionlimit()))

_CREATE, _CREATE2, _SELFDESTRUCT = 0xF0, 0xF5, 0xFF
_REFUND_QUOTIENT = 5  # at most a fifth of the gas used is refunded (EIP-3529)
_DELEGATION = b"\xef\x01\x00"
_REFUND_AUTHORITY_EXISTS = 12_500  # PER_EMPTY_ACCOUNT_COST - PER_AUTH_BASE_COST (EIP-7702)
_DEPENDENCIES = ("py-evm", "eth-hash", "safe-pysha3", "eth-keys", "eth-utils", "py-ecc", "ckzg", "coincurve")


class _State(PragueState):  # type: ignore[misc]
    """py-evm's state over our database, with transient storage in the same undo list."""

    def __init__(self, context: ExecutionContext, database: ReferenceDatabase, recent_ids: Any) -> None:
        """Leave out what BaseState does: it would open tries and set system contracts."""
        self.execution_context = context
        self._account_db = database
        self._recent_ids = recent_ids

    def get_transient_storage(self, address: bytes, slot: int) -> bytes:
        return self._account_db.get_transient(address, slot)

    def set_transient_storage(self, address: bytes, slot: int, value: bytes) -> None:
        self._account_db.set_transient(address, slot, value)

    def snapshot(self) -> tuple[bytes, int]:
        return b"", self._account_db.record()

    def revert(self, snapshot: tuple[bytes, int]) -> None:
        self._account_db.discard(snapshot[1])

    def commit(self, snapshot: tuple[bytes, int]) -> None:
        self._account_db.commit(snapshot[1])

    def get_ancestor_hash(self, block_number: int) -> bytes:
        """Answer BLOCKHASH: the last 256 blocks that there are, nothing beyond."""
        depth = self.execution_context.block_number - block_number - 1
        if not 0 <= depth < min(256, len(self._recent_ids)):
            return b""
        return bytes(self._recent_ids[depth])


class _InitCodeLimit:
    """CREATE and CREATE2 fail as a whole for init code above the limit (EIP-3860), checked first of all.

    py-evm checks after the balance and the depth, where the specification says an exceptional halt.
    """

    init_code_limit: int = 2 * DEFAULT_CODE_SIZE_LIMIT

    def get_gas_cost(self, data: CreateOpcodeStackData) -> int:
        if data.memory_length > self.init_code_limit:
            raise OutOfGas(f"init code of {data.memory_length} bytes; at most {self.init_code_limit}")
        cost: int = super().get_gas_cost(data)  # type: ignore[misc]
        return cost


class _Create(_InitCodeLimit, CreateEIP3860):  # type: ignore[misc]
    pass


class _Create2(_InitCodeLimit, Create2EIP3860):  # type: ignore[misc]
    pass


class _Computation(PragueComputation):  # type: ignore[misc]
    """py-evm's frame with the size limit of the chain."""

    code_size_limit: int = DEFAULT_CODE_SIZE_LIMIT

    @property
    def is_origin_computation(self) -> bool:
        """Say whether this is the outermost frame.

        py-evm asks whether the origin is the caller, which is also so in frames that the origin's own
        code opens where it has delegated (EIP-7702); init code would be paid for twice.
        """
        return bool(self.msg.depth == 0)

    @classmethod
    def validate_create_message(cls, message: Frame) -> None:
        """Do nothing: `_InitCodeLimit` and the admission of transactions have looked."""

    @classmethod
    def validate_contract_code(cls, contract_code: bytes) -> None:
        """Refuse code that is too large (EIP-170) or begins with 0xEF (EIP-3541)."""
        if len(contract_code) > cls.code_size_limit:
            raise OutOfGas(f"code of {len(contract_code)} bytes; at most {cls.code_size_limit} are kept")
        if contract_code[:1] == b"\xef":
            raise ReservedBytesInCode("code begins with the reserved byte 0xEF")


class ReferenceEngine:
    """Prague by py-evm; see Engine."""

    name = "reference"

    def __init__(self, configuration: EvmConfiguration) -> None:
        """Fix the rules of a chain."""
        limit = 2 * configuration.code_size_limit
        opcodes = dict(PRAGUE_OPCODES)
        for code, kind in ((_CREATE, _Create), (_CREATE2, _Create2)):
            known = PRAGUE_OPCODES[code]
            opcodes[code] = kind.configure(
                __name__=kind.__name__,
                mnemonic=known.mnemonic,
                gas_cost=known.gas_cost,
                init_code_limit=limit,
            )()
        # py-evm wraps it in a DeprecationWarning; a warning made an error must not change an outcome.
        opcodes[_SELFDESTRUCT] = PRAGUE_OPCODES[_SELFDESTRUCT].__wrapped__
        self._computation: type[_Computation] = type(
            "Computation",
            (_Computation,),
            {"opcodes": opcodes, "code_size_limit": configuration.code_size_limit},
        )
        self._layout = Layout(configuration.namespace)
        parts = [f"{self.name}/1", *(f"{name}=={version(name)}" for name in _DEPENDENCIES)]
        self._digest = hashlib.sha256("\n".join(parts).encode()).digest()

    @property
    def digest(self) -> bytes:
        """Return the digest over the versions of all that decides outcomes."""
        return self._digest

    def open(self, surroundings: Surroundings, state: BlockState) -> EngineBlock:
        """Begin to work in a block."""
        return _ReferenceBlock(surroundings, ReferenceDatabase(state.read, self._layout), self._computation)


class _ReferenceBlock:
    """See EngineBlock."""

    def __init__(
        self, surroundings: Surroundings, database: ReferenceDatabase, computation: type[_Computation]
    ) -> None:
        self._surroundings = surroundings
        self._database = database
        self._computation = computation
        context = ExecutionContext(
            coinbase=surroundings.coinbase,
            timestamp=surroundings.timestamp_s,
            block_number=surroundings.height,
            difficulty=0,
            mix_hash=surroundings.randomness,
            gas_limit=surroundings.gas_limit,
            prev_hashes=(),
            chain_id=surroundings.chain_id,
            base_fee_per_gas=surroundings.base_fee,
            excess_blob_gas=0,
        )
        self._state = _State(context, database, surroundings.recent_ids)
        self._state.computation_class = computation

    def run(self, message: Message) -> EngineResult:
        """Execute a message (Yellow Paper, section 6.2)."""
        database = self._database
        database.begin()
        nonce = database.get_nonce(message.sender)
        database.set_nonce(message.sender, nonce + 1)
        upfront = message.gas_limit * message.gas_price
        database.set_balance(message.sender, database.get_balance(message.sender) - upfront)
        refund = self._set_code(message)
        created = None if message.to else _contract_address(message.sender, nonce)

        computation = self._apply(message, created, refund)

        spent = message.gas_limit - computation.get_gas_remaining()
        refunded = min(computation.get_gas_refund(), spent // _REFUND_QUOTIENT)
        gas_used = max(spent - refunded, message.floor_gas)
        burned = gas_used * min(self._surroundings.base_fee, message.gas_price)
        self._credit(message.sender, (message.gas_limit - gas_used) * message.gas_price)
        self._credit(self._surroundings.coinbase, gas_used * message.gas_price - burned)
        deleted = sorted(computation.get_accounts_for_deletion())
        for address in deleted:
            database.delete_account(address)
        destroyed = -database.ledger_change() - burned
        if destroyed < 0 or (destroyed and not deleted):
            raise RuntimeError(f"the ledger changed by {-destroyed} more than the {burned} burned for gas")
        burned += destroyed
        status, fault = _status(computation)
        return EngineResult(
            status=status,
            gas_used=Gas(gas_used),
            gas_refunded=Gas(refunded),
            output=bytes(computation.output),
            logs=tuple(
                Log(
                    address=address,
                    topics=tuple(topic.to_bytes(32, "big") for topic in topics),
                    data=bytes(data),
                )
                for address, topics, data in computation.get_log_entries()
            ),
            writes=database.writes(),
            burned=Coin(burned),
            created=created if status is Status.OK else None,
            fault=fault,
        )

    def run_batch(
        self, messages: Sequence[Message], gas_available: int, *, checked: bool = False
    ) -> list[EngineResult]:
        """Take messages that were checked, one at a time: there are no checks of its own here."""
        return [self.run(messages[0])] if checked else []

    def run_signed(
        self,
        transactions: Sequence[ContainerTransaction],
        *,
        index: int,
        gas_available: int,
        gas_before: int,
    ) -> list[TransactionResult]:
        """Take none: this engine is given messages."""
        return []

    def system_call(self, contract: Address, data: bytes) -> EngineResult:
        """Refuse: the configuration has no system calls with this engine."""
        raise ContainerError("the reference engine has no calls of the block itself")

    def committed(self, version: int) -> None:
        """Keep nothing."""

    def _apply(self, message: Message, created: Address | None, refund: int) -> ComputationAPI:
        """Run the outermost frame."""
        database, state = self._database, self._state
        target = created or message.to
        database.mark_address_warm(message.sender)
        database.mark_address_warm(target)
        database.mark_address_warm(self._surroundings.coinbase)  # EIP-3651
        for access in message.access_list:
            database.mark_address_warm(access.address)
            for slot in access.slots:
                database.mark_storage_warm(access.address, slot)
        code, delegated = message.data, False
        if created is None:
            code = database.get_code(target)
            delegated = code[:3] == _DELEGATION
            if delegated:
                delegate = code[3:]
                database.mark_address_warm(delegate)
                code = database.get_code(delegate)
        # py-evm charges the init code words inside of the frame.
        init_code_gas = 0 if created is None else 2 * ((len(message.data) + 31) // 32)
        frame = Frame(
            gas=message.gas_limit - message.intrinsic_gas + init_code_gas,
            to=message.to,
            sender=message.sender,
            value=message.value,
            data=b"" if created else message.data,
            code=code,
            create_address=created,
            refund=refund,
            is_delegation=delegated,
        )
        context = CancunTransactionContext(gas_price=message.gas_price, origin=message.sender)
        if created is None:
            return self._computation.apply_message(state, frame, context)
        if database.account_has_code_or_nonce(created):
            return _Collided(frame)
        return self._computation.apply_create_message(state, frame, context)

    def _credit(self, address: Address, amount: int) -> None:
        self._database.set_balance(address, self._database.get_balance(address) + amount)

    def _set_code(self, message: Message) -> int:
        """Carry out the authorizations (EIP-7702) and return the gas to refund for them.

        py-evm's own would swallow a fault of the host along with a bad signature.
        """
        database = self._database
        refund = 0
        for authorization in message.authorizations:
            if authorization.chain_id not in (0, self._surroundings.chain_id):
                continue
            if authorization.nonce >= U64_MAX:
                continue
            try:
                authority = authorization.authority()
            except ValueError:
                continue
            database.mark_address_warm(authority)
            code = database.get_code(authority)
            if code and code[:3] != _DELEGATION:
                continue
            if database.get_nonce(authority) != authorization.nonce:
                continue
            if database.account_exists(authority):
                refund += _REFUND_AUTHORITY_EXISTS
            if any(authorization.address):
                database.set_code(authority, _DELEGATION + authorization.address)
            else:
                database.delete_code(authority)
            database.increment_nonce(authority)
        return refund


class _Collided:
    """The outcome of a creation at an address that is taken: all gas, nothing else (EIP-684)."""

    is_error = True
    output = b""

    def __init__(self, frame: Frame) -> None:
        self.msg = frame
        self.error = ValueError(f"the address 0x{frame.storage_address.hex()} is taken")

    def get_gas_remaining(self) -> int:
        return 0

    def get_gas_refund(self) -> int:
        return 0

    def get_accounts_for_deletion(self) -> list[bytes]:
        return []

    def get_log_entries(self) -> tuple[()]:
        return ()


def _contract_address(sender: Address, nonce: int) -> Address:
    encoded = rlp.encode_list([rlp.encode_bytes(sender), rlp.encode_integer(nonce)])
    return Address(keccak(encoded)[12:])


def _status(computation: ComputationAPI) -> tuple[Status, str]:
    if not computation.is_error:
        return Status.OK, ""
    error = computation.error
    if isinstance(error, Revert):
        return Status.REVERTED, "reverted"
    if isinstance(error, OutOfGas):
        return Status.OUT_OF_GAS, f"out of gas: {error}"
    return Status.TRAP, f"{type(error).__name__}: {error}"
