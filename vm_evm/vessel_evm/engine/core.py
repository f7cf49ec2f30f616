"""The core engine: the EVM in C (vessel_evm/core), run as WebAssembly.

A batch of messages goes in with one crossing and comes back with its results; what the core lacks it
asks for in between (core_machine). The cache of an instance outlives a block where the block is
committed, and serves the next one as well as calls on that version.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from vessel.container import BlockState, ContainerError, ContainerTransaction, Status, TransactionResult
from vessel.primitives.units import Address, Coin, Gas
from vessel_evm.configuration import EvmConfiguration
from vessel_evm.engine.core_input import CHECKED, SYSTEM_CALL, pack_message
from vessel_evm.engine.core_machine import CUT, DONE, FULL, REFUSED, CoreMachine, CoreResult
from vessel_evm.engine.core_module import CompiledModule, engine_digest, load_module
from vessel_evm.engine.core_outcome import complete, describe_outcome
from vessel_evm.engine.interface import EngineBlock, EngineResult, Message, Surroundings

MAX_IDLE: Final = 4  # machines that are kept for later
MAX_GROWTH_BYTES: Final = 64 << 20  # a machine whose memory has grown by more is dropped
SYSTEM_ADDRESS: Final = Address(b"\xff" * 19 + b"\xfe")
SYSTEM_CALL_GAS: Final = 30_000_000
MAX_SIGNED: Final = 8192  # transactions that go into the core at once
MAX_SIGNED_SIZE_BYTES: Final = 8 << 20
_GAS_FOR_ALL: Final = 2**63 - 1
_OK = Status.OK


class CoreEngine:
    """See Engine. Its machines are shared out among threads, one block each at a time."""

    name = "core"

    def __init__(self, configuration: EvmConfiguration, *, raw: bool | None = None) -> None:
        """Fix the rules of a chain. raw: which way into wasmtime; None for the fast one where it works."""
        self._compiled: CompiledModule = load_module()
        self._configuration = configuration
        self._raw = raw
        self._digest = engine_digest(configuration.fork, configuration.code_size_limit)
        self._lock = threading.Lock()
        self._idle: list[CoreMachine] = []

    @property
    def digest(self) -> bytes:
        """Return the digest over the module and all else that decides outcomes."""
        return self._digest

    def open(self, surroundings: Surroundings, state: BlockState) -> EngineBlock:
        """Begin to work in a block."""
        return CoreBlock(self, surroundings, state)

    def take(self, wanted: object) -> CoreMachine:
        """Return an idle machine, one whose cache is of `wanted` where there is one; it is the caller's."""
        with self._lock:
            for position in range(len(self._idle) - 1, -1, -1):
                if self._idle[position].cache_of == wanted:
                    return self._idle.pop(position)
            if len(self._idle) >= MAX_IDLE:
                return self._idle.pop(0)
        configuration = self._configuration
        return CoreMachine(
            self._compiled,
            fork=configuration.fork,
            namespace=configuration.namespace,
            code_size_limit=configuration.code_size_limit,
            raw=self._raw,
        )

    def give_back(self, machine: CoreMachine) -> None:
        """Take back a machine that is whole."""
        if machine.growth_bytes > MAX_GROWTH_BYTES:
            return
        with self._lock:
            self._idle.append(machine)
            del self._idle[:-MAX_IDLE]


class CoreBlock:
    """See EngineBlock."""

    def __init__(self, engine: CoreEngine, surroundings: Surroundings, state: BlockState) -> None:
        """Nothing is read yet."""
        self._engine = engine
        self._surroundings = surroundings
        self._state = state
        # The machine of a block that keeps its changes is its own until the block is done with.
        self._machine: CoreMachine | None = None
        self._laid = 0  # sets of writes on the state that its cache knows of

    def run(self, message: Message) -> EngineResult:
        """Execute a message on the state as it is now, and leave that state alone."""
        return self._run_once(message)

    def _run_once(self, message: Message) -> EngineResult:
        engine, state = self._engine, self._state
        # Only a state without changes of a block's own is one that a cache can be of.
        version = None if state.block_writes() else state.version
        machine = engine.take(version)
        machine.stand_in(self._surroundings)
        if version is None or machine.cache_of != version:
            machine.empty()
        packed = [pack_message(message, self._surroundings.chain_id)]
        self._check_size(machine, packed)
        status, results = machine.run(packed, state.read, gas_available=_GAS_FOR_ALL, keep=False)
        if status == FULL:
            machine.make_room()
            status, results = machine.run(packed, state.read, gas_available=_GAS_FOR_ALL, keep=False)
        if status != DONE:
            raise ContainerError(f"the EVM core stopped with status {status} in a single message")
        machine.cache_of = version
        engine.give_back(machine)
        return decode_result(results[0])

    def run_batch(
        self, messages: Sequence[Message], gas_available: int, *, checked: bool = False
    ) -> list[EngineResult]:
        """Execute messages one on the other; see EngineBlock."""
        chain_id, flags = self._surroundings.chain_id, 0 if checked else CHECKED
        packed = [pack_message(message, chain_id, flags) for message in messages]
        return self._run_kept(packed, gas_available)

    def run_signed(
        self,
        transactions: Sequence[ContainerTransaction],
        *,
        index: int,
        gas_available: int,
        gas_before: int,
    ) -> list[TransactionResult]:
        """Execute signed transactions, the regular ones without a detour; see EngineBlock."""
        parts: list[bytes] = []
        size_bytes = 0
        for transaction in transactions[:MAX_SIGNED]:
            raw, sender = transaction.raw, transaction.prepared
            size_bytes += len(raw)
            if len(sender) != 20 or transaction.impersonate or size_bytes > MAX_SIGNED_SIZE_BYTES:
                break
            parts += (len(raw).to_bytes(4, "little"), sender, raw)
        if not parts:
            return []
        machine = self._own_machine()
        status, results = machine.run_signed(
            b"".join(parts),
            len(parts) // 3,
            self._state.read,
            gas_available=gas_available,
            index=index,
            gas_before=gas_before,
        )
        if status == FULL:
            machine.make_room()
        elif status not in (DONE, REFUSED, CUT):
            raise ContainerError(f"the EVM core stopped with status {status}")
        self._machine = machine
        self._laid += sum(1 for result in results if result.writes)
        return [complete(result) if result.message else result for result in results]

    def system_call(self, contract: Address, data: bytes) -> EngineResult:
        """Call a system contract from the system's address (EIP-4788)."""
        message = Message(
            sender=SYSTEM_ADDRESS,
            to=contract,
            value=Coin(0),
            data=data,
            gas_limit=Gas(SYSTEM_CALL_GAS),
            gas_price=Coin(0),
            intrinsic_gas=Gas(0),
            floor_gas=Gas(0),
        )
        packed = pack_message(message, self._surroundings.chain_id, SYSTEM_CALL)
        return self._run_kept([packed], _GAS_FOR_ALL)[0]

    def _run_kept(self, packed: Sequence[bytes], gas_available: int) -> list[EngineResult]:
        """Run messages whose writes the caller keeps."""
        machine = self._own_machine()
        chosen = _fitting(packed, machine)
        status, results = machine.run(chosen, self._state.read, gas_available=gas_available, keep=True)
        if status == FULL:
            machine.make_room()
            if not results:
                status, results = machine.run(
                    chosen, self._state.read, gas_available=gas_available, keep=True
                )
        if status not in (DONE, REFUSED, CUT, FULL):
            raise ContainerError(f"the EVM core stopped with status {status}")
        self._machine = machine
        self._laid += sum(1 for result in results if result.writes)
        return [decode_result(result) for result in results]

    def committed(self, version: int) -> None:
        """Learn that the block has become a state version: the cache is now of that one."""
        machine, self._machine = self._machine, None
        if machine is not None and self._state.laid == self._laid:
            # Another container's end hook may have moved coin without this block being told of it.
            machine.forget_balances()
            machine.cache_of = version
            self._engine.give_back(machine)

    def _own_machine(self) -> CoreMachine:
        """Return the block's machine. `_run_kept` puts it back: one that fails is lost."""
        machine, self._machine = self._machine, None
        state = self._state
        if machine is None:
            version = None if state.block_writes() else state.version
            machine = self._engine.take(version)
            machine.stand_in(self._surroundings)
            if version is None or machine.cache_of != version:
                machine.empty()
            machine.cache_of = None
            self._laid = state.laid
        elif state.laid != self._laid:
            machine.empty()  # others have written too
            self._laid = state.laid
        machine.forget_balances()
        return machine

    def _check_size(self, machine: CoreMachine, packed: Sequence[bytes]) -> None:
        size_bytes = sum(map(len, packed))
        if size_bytes > machine.capacity_bytes:
            raise ContainerError(
                f"a message of {size_bytes} bytes; at most {machine.capacity_bytes} go into the EVM core"
            )


def _fitting(packed: Sequence[bytes], machine: CoreMachine) -> Sequence[bytes]:
    """Return as many of the messages as go in at once."""
    size_bytes = 0
    for position, message in enumerate(packed[: machine.capacity]):
        size_bytes += len(message)
        if size_bytes > machine.capacity_bytes:
            return packed[:position]
    return packed[: machine.capacity]


def decode_result(result: CoreResult) -> EngineResult:
    """Return what the core packed in the words of the interface."""
    status, fault = (_OK, "") if result.outcome == 1 else describe_outcome(result.outcome)
    return EngineResult(
        status=status,
        gas_used=Gas(result.gas_used),
        gas_refunded=Gas(result.gas_refunded),
        output=result.output,
        logs=result.logs,
        writes=result.writes,
        burned=Coin(int.from_bytes(result.burned, "big")),
        created=None if result.created is None else Address(result.created),
        fault=fault,
    )
