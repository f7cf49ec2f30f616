"""What a message does on its way: instructions, calls, the state it touches, the code it runs.

The core is built a second time with a stop before every instruction (core/tracing.c); the plain build
has none of it, so tracing costs nothing where it is off. Here a stop takes some microseconds.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from vessel.container import BlockState, ContainerError, Status, decode_balance
from vessel.primitives.units import Address, Coin
from vessel_evm.configuration import EvmConfiguration
from vessel_evm.engine.core import decode_result
from vessel_evm.engine.core_input import pack_message
from vessel_evm.engine.core_machine import AT_STEP, DONE, CoreMachine
from vessel_evm.engine.core_module import TRACING_CORE, load_module
from vessel_evm.engine.interface import EngineResult, Message, Surroundings
from vessel_evm.engine.precompiles import Precompiles
from vessel_evm.layout import Layout, decode_account, decode_slot

_REPORT: Final = struct.Struct("<16I qqQ 32s 32s 20s")
_CALLS: Final = {0xF1: "CALL", 0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xFA: "STATICCALL"}
_CREATIONS: Final = {0xF0: "CREATE", 0xF5: "CREATE2"}
_REVERT: Final = 0xFD
_GAS_FOR_ALL: Final = 2**63 - 1


class Position(NamedTuple):
    """Where the core stands; see core/tracing.c. Places are offsets in its memory."""

    depth: int
    pc: int
    opcode: int
    code_size: int
    stack_at: int
    stack_words: int
    memory_at: int
    memory_size: int
    input_at: int
    input_size: int
    return_data_at: int
    return_data_size: int
    is_creation: int
    is_static: int
    code_at: int
    reserved: int
    gas: int
    caller_gas: int
    refund: int
    caller: bytes
    value: bytes
    self: bytes


class Step(msgspec.Struct, kw_only=True):
    """One instruction, as it was found. depth: 0 for the outermost frame; stack: the top is last.

    cost: gas that was gone when the frame went on, what it called included; 0 for the last of a frame.
    memory: None where it was not asked for.
    """

    depth: int
    address: Address
    pc: int
    opcode: int
    gas: int
    stack: tuple[int, ...]
    refund: int
    cost: int = 0
    memory: bytes | None = None


class CallTrace(msgspec.Struct, kw_only=True):
    """A frame, or a precompile, and what it called. gas: what it was given.

    kind: CALL, CALLCODE, DELEGATECALL, STATICCALL, CREATE or CREATE2. to: whose code ran, or the new
    contract. error: empty where all went well. A precompile's gas_used is that of the whole instruction.
    """

    kind: str
    sender: Address
    to: Address
    value: Coin
    input: bytes
    gas: int
    gas_used: int = 0
    output: bytes = b""
    error: str = ""
    calls: list[CallTrace] = []


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an account: None and missing slots were not looked at, or did not change."""

    balance: Coin | None = None
    nonce: int | None = None
    code: bytes | None = None
    storage: Mapping[int, int] = {}


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A message and all that it did.

    before: what it looked at, as it was. after: what it changed. executed: by code, the places of the
    instructions that ran.
    """

    result: EngineResult
    steps: tuple[Step, ...]
    call: CallTrace
    before: Mapping[Address, AccountState]
    after: Mapping[Address, AccountState]
    executed: Mapping[bytes, frozenset[int]]


class CoreTracer:
    """The core with stops, for one chain and fork. For one thread."""

    def __init__(self, configuration: EvmConfiguration) -> None:
        """Make an instance; its module is compiled when first needed."""
        self._layout = Layout(configuration.namespace)
        self._precompiles = Precompiles(configuration.fork)
        self._machine = CoreMachine(
            load_module(TRACING_CORE),
            fork=configuration.fork,
            namespace=configuration.namespace,
            code_size_limit=configuration.code_size_limit,
        )

    def trace(
        self,
        surroundings: Surroundings,
        state: BlockState,
        message: Message,
        *,
        with_steps: bool = True,
        with_memory: bool = False,
    ) -> Trace:
        """Run a message on the state and leave that alone. with_steps: keep every instruction."""
        machine = self._machine
        seen: dict[bytes, bytes | None] = {}

        def read(keys: Sequence[bytes]) -> list[bytes | None]:
            values = state.read(keys)
            seen.update(zip(keys, values, strict=True))
            return values

        recorder = _Recorder(message, self._precompiles.addresses)
        machine.stand_in(surroundings)
        machine.empty()
        machine.instance.call("set_stepping", 1)
        machine.start([pack_message(message, surroundings.chain_id)], gas_available=_GAS_FOR_ALL, keep=False)
        steps: list[Step] = []
        executed: dict[bytes, set[int]] = {}
        for position in self._positions(machine, read):
            stack = self._stack(position)
            if position.code_size:
                code = machine.instance.read(position.code_at, position.code_size)
                executed.setdefault(code, set()).add(position.pc)
            recorder.note(position, stack, self._read)
            if with_steps and position.code_size:
                memory = self._read(position.memory_at, position.memory_size) if with_memory else None
                steps.append(_step(position, stack, memory))
        result = decode_result(machine.results()[0])
        _set_costs(steps)
        return Trace(
            result=result,
            steps=tuple(steps),
            call=recorder.finish(result),
            before=_accounts(seen, seen, self._layout),
            after=_accounts(result.writes, {**seen, **result.writes}, self._layout),
            executed={code: frozenset(places) for code, places in executed.items()},
        )

    def _positions(
        self, machine: CoreMachine, read: Callable[[Sequence[bytes]], list[bytes | None]]
    ) -> Iterator[Position]:
        at = machine.instance.call("step_at")
        while (status := machine.go_on(read)) == AT_STEP:
            yield Position._make(_REPORT.unpack_from(machine.instance.memory, at))
            machine.step()
        if status != DONE:
            raise ContainerError(f"the EVM core stopped with status {status} while tracing")

    def _read(self, at: int, size: int) -> bytes:
        return self._machine.instance.read(at, size)

    def _stack(self, position: Position) -> tuple[int, ...]:
        words = self._read(position.stack_at, 32 * position.stack_words)
        return tuple(int.from_bytes(words[at : at + 32], "little") for at in range(0, len(words), 32))


class _Recorder:
    """Makes a tree of calls out of positions: a frame has begun or ended where the depth has changed."""

    def __init__(self, message: Message, precompiles: frozenset[int]) -> None:
        self._message = message
        self._precompiles = precompiles
        self._open: list[CallTrace] = []
        # By depth, the latest position, its stack, and what a precompile is about to get.
        self._before: list[tuple[Position, tuple[int, ...], bytes]] = []
        self._root: CallTrace | None = None

    def note(self, position: Position, stack: tuple[int, ...], read: Callable[[int, int], bytes]) -> None:
        """Take the next position."""
        depth = position.depth
        if depth == len(self._open):
            self._begin(position, read)
        elif depth == len(self._open) - 2:
            self._end(position, stack, read)
        elif self._before and self._before[depth][0].opcode in _CALLS:
            self._note_precompile(position, stack, read)
        del self._before[depth:]
        self._before.append((position, stack, self._precompile_input(position, stack, read)))

    def _begin(self, position: Position, read: Callable[[int, int], bytes]) -> None:
        opcode = self._before[-1][0].opcode if self._before else None
        to = Address(position.self)
        if opcode is None:
            kind = "CREATE" if position.is_creation else "CALL"
        else:
            kind = _CALLS.get(opcode) or _CREATIONS[opcode]
            if opcode in (0xF2, 0xF4):
                to = _address(self._before[-1][1][-2])
        # A creation runs what others take as input.
        at, size = (
            (position.code_at, position.code_size)
            if position.is_creation
            else (position.input_at, position.input_size)
        )
        call = CallTrace(
            kind=kind,
            sender=_address(int.from_bytes(position.caller, "little")),
            to=to,
            value=Coin(int.from_bytes(position.value, "little")),
            input=read(at, size),
            gas=position.gas,
        )
        if self._open:
            self._open[-1].calls.append(call)
        else:
            self._root = call
        self._open.append(call)

    def _end(self, position: Position, stack: tuple[int, ...], read: Callable[[int, int], bytes]) -> None:
        call, last = self._open.pop(), self._before[-1][0]
        call.gas_used = call.gas - (position.gas - last.caller_gas)
        call.output = read(position.return_data_at, position.return_data_size)
        if not stack[-1]:
            call.error = "reverted" if last.opcode == _REVERT else "failed"

    def _note_precompile(
        self, position: Position, stack: tuple[int, ...], read: Callable[[int, int], bytes]
    ) -> None:
        before, operands, given = self._before[position.depth]
        number = operands[-2] & (2**160 - 1)
        if number not in self._precompiles:
            return
        value = operands[-3] if before.opcode in (0xF1, 0xF2) else 0
        self._open[-1].calls.append(
            CallTrace(
                kind=_CALLS[before.opcode],
                sender=Address(position.self),
                to=_address(number),
                value=Coin(value),
                input=given,
                gas=operands[-1],
                gas_used=before.gas - position.gas,
                output=read(position.return_data_at, position.return_data_size),
                error="" if stack[-1] else "failed",
            )
        )

    def _precompile_input(
        self, position: Position, stack: tuple[int, ...], read: Callable[[int, int], bytes]
    ) -> bytes:
        if (
            position.opcode not in _CALLS
            or len(stack) < 6
            or stack[-2] & (2**160 - 1) not in self._precompiles
        ):
            return b""
        rest = stack[:-3] if position.opcode in (0xF1, 0xF2) else stack[:-2]
        if len(rest) < 4:
            return b""
        start, size = rest[-1], rest[-2]
        if size > position.gas:  # it cannot be paid for
            return b""
        present = max(0, min(size, position.memory_size - start))
        return read(position.memory_at + start, present).ljust(size, b"\0") if present else bytes(size)

    def finish(self, result: EngineResult) -> CallTrace:
        """Return the outermost call."""
        message = self._message
        root = self._root or CallTrace(
            kind="CALL" if message.to else "CREATE",
            sender=message.sender,
            to=Address(message.to),
            value=message.value,
            input=message.data,
            gas=message.gas_limit - message.intrinsic_gas,
        )
        root.gas_used = result.gas_used
        root.output = result.output
        root.error = "" if result.status is Status.OK else result.fault
        return root


def _step(position: Position, stack: tuple[int, ...], memory: bytes | None) -> Step:
    return Step(
        depth=position.depth,
        address=Address(position.self),
        pc=position.pc,
        opcode=position.opcode,
        gas=position.gas,
        stack=stack,
        refund=position.refund,
        memory=memory,
    )


def _set_costs(steps: Sequence[Step]) -> None:
    """Work out what each instruction cost, from the next one in its frame."""
    open_at: list[Step] = []
    for step in steps:
        if step.depth < len(open_at):
            before = open_at[step.depth]
            before.cost = before.gas - step.gas
        del open_at[step.depth :]
        open_at.append(step)


def _accounts(
    entries: Mapping[bytes, bytes | None], known: Mapping[bytes, bytes | None], layout: Layout
) -> dict[Address, AccountState]:
    """Return entries of the flat state by account. known: where the code is to be found."""
    prefix = layout.account(b"")[:2]
    fields: dict[Address, dict[str, object]] = {}
    for key, value in entries.items():
        if key[:2] != prefix:
            fields.setdefault(Address(key[2:]), {})["balance"] = decode_balance(value)
        elif key[2:3] == b"a":
            record = decode_account(value)
            found = fields.setdefault(Address(key[3:]), {})
            found["nonce"] = record.nonce
            code = known.get(layout.code(record.code_hash)) if record.has_code else b""
            if code is not None:
                found["code"] = code
        elif key[2:3] == b"s":
            storage = fields.setdefault(Address(key[3:23]), {}).setdefault("storage", {})
            assert isinstance(storage, dict)
            storage[int.from_bytes(key[27:], "big")] = decode_slot(value)
    return {address: msgspec.convert(found, AccountState) for address, found in fields.items()}


def _address(word: int) -> Address:
    return Address((word & (2**160 - 1)).to_bytes(20, "big"))
