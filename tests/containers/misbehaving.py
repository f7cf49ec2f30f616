"""A counter that breaks one rule, chosen by its parameters. For tests of those who must withstand it.

    {"fault": "die", "at": "batch", "times": 2, "memory": "/tmp/…/deaths"}

fault: see `FAULTS`. at: the frame at which it happens. times: how often, 0 for always; what has
happened is counted in the file `memory`, which outlives the process. Everything else is the counter's:
transactions, results and queries, so that a run without the fault says what must come out.

Another rule is broken before there are parameters: `OtherMajor` speaks another version of the wire.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from containers.counter import CounterContainer, Counting
from vessel.container import (
    BlockEndResult,
    BlockStart,
    BlockState,
    Configuration,
    Configured,
    HookResult,
    Log,
    Manifest,
    Range,
    StateReader,
    TransactionBatch,
    TransactionCheck,
    TransactionResult,
    ValidationRequest,
    ViewRequest,
    ViewResult,
    namespace_prefix,
)
from vessel.container.guard import MAX_KEY_SIZE_BYTES, MAX_VALUE_SIZE_BYTES
from vessel.primitives.address import reserved_address
from vessel.primitives.units import Coin, Gas

FAULTS = {
    "die": "kill -9 of its own process (never on the local transport)",
    "exit": "os._exit(1)",
    "raise": "an exception leaves the container",
    "hang": "never answers",
    "wait": "opens the pipe `memory`.begun for writing, then `memory`.end for reading: until somebody does",
    "ask_forever": "reads one key after another that is not there",
    "ask_too_much": "reads the whole state in one question",
    "swallow": "takes a read that failed for a value that is not there",
    "flood": "8 MiB on stdout and on stderr, half of it without an end of line",
    "foreign_namespace": "writes a key of another namespace",
    "foreign_ledger": "moves coin from an address that is not its own",
    "make_coin": "credits its own address with coin from nowhere",
    "burn_too_little": "says that it burned less than it destroyed",
    "overspend": "uses one gas more than it was given",
    "long_key": "writes a key that is too long",
    "long_value": "writes a value that is too long",
    "unsorted": "sends a write set out of order (over gRPC only)",
    "giant": "2 MiB of output and of logs: allowed, and cut into fragments",
    "many_reads": "reads 5,000 keys and a range of all that is its own: allowed",
    "wrong_section": "claims another sum of gas in its section",
}
WRITING = frozenset(
    {
        "foreign_namespace",
        "foreign_ledger",
        "make_coin",
        "burn_too_little",
        "long_key",
        "long_value",
        "unsorted",
    }
)

At = Literal["configure", "validate", "begin", "batch", "read", "end", "view"]

VICTIM = reserved_address("somebody else", b"victim\0\0")
OWN = b"misbehav"


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rule is broken, where and how often."""

    fault: str = ""
    at: At = "batch"
    times: int = 0
    memory: str = ""

    def __post_init__(self) -> None:
        """Refuse what no code stands for."""
        if self.fault and self.fault not in FAULTS:
            raise ValueError(f"no fault {self.fault!r}; there are {', '.join(FAULTS)}")
        if self.times and not self.memory:
            raise ValueError("times needs memory: a file that counts them")


class Fault:
    """The one rule, and the memory of how often it was broken."""

    def __init__(self, parameters: Parameters) -> None:
        """Take the choice."""
        self.parameters = parameters

    def due(self, at: At, *names: str) -> bool:
        """Return whether one of the faults happens here and now, and count it."""
        chosen = self.parameters
        if at != chosen.at or chosen.fault not in names:
            return False
        if not chosen.times:
            return True
        memory = Path(chosen.memory)
        if memory.exists() and memory.stat().st_size >= chosen.times:
            return False
        with memory.open("ab") as file:
            file.write(b".")
            file.flush()
            os.fsync(file.fileno())
        return True

    def strike(self, at: At) -> None:
        """Do what ends or disturbs the process, where it is due."""
        if self.due(at, "die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.due(at, "exit"):
            os._exit(1)
        if self.due(at, "raise"):
            raise RuntimeError(f"raised on purpose at {at}")
        if self.due(at, "hang"):
            threading.Event().wait()
        if self.due(at, "wait"):
            with open(f"{self.parameters.memory}.begun", "wb"):
                pass
            with open(f"{self.parameters.memory}.end", "rb") as end:
                end.read()
        if self.due(at, "flood"):
            for stream in (sys.stdout, sys.stderr):
                stream.write("flood " * (700 << 10))
                stream.writelines(f"line {number}\n" for number in range(400 << 10))
                stream.flush()


class StruckReader:
    """A reader that is struck once the first answer has come."""

    def __init__(self, reader: StateReader, fault: Fault) -> None:
        """Read by `reader`."""
        self._reader = reader
        self._fault = fault

    @property
    def version(self) -> int:
        """The version read."""
        return self._reader.version

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Read, then fail."""
        found = self._reader.multi_get(keys)
        self._fault.strike("read")
        return found

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """Read, then fail."""
        found = self._reader.range(wanted)
        self._fault.strike("read")
        return found


class SwallowingReader:
    """A reader whose failures look like absent values."""

    def __init__(self, reader: StateReader) -> None:
        """Read by `reader`."""
        self._reader = reader

    @property
    def version(self) -> int:
        """The version read."""
        return self._reader.version

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Read, or say that there is nothing."""
        try:
            return self._reader.multi_get(keys)
        except Exception:  # noqa: BLE001 -- that is the fault
            return [None] * len(keys)

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """Read, or say that there is nothing."""
        try:
            return self._reader.range(wanted)
        except Exception:  # noqa: BLE001 -- that is the fault
            return []


class MisbehavingBlock:
    """The counter's block, with the fault in it."""

    def __init__(
        self, inner: Counting, state: BlockState, fault: Fault, namespace: int, instance: str
    ) -> None:
        """Wrap `inner`."""
        self._inner = inner
        self._state = state
        self._fault = fault
        self._prefix = namespace_prefix(namespace)
        self._own = reserved_address(instance, OWN)

    def begin(self) -> HookResult:
        """Begin, or fail to."""
        self._fault.strike("begin")
        writes, burned = self._wrong_writes("begin")
        begun = self._inner.begin()
        return msgspec.structs.replace(begun, writes={**begun.writes, **writes}, burned=burned)

    def transactions(self, batch: TransactionBatch) -> Iterable[TransactionResult]:
        """Execute, or fail to."""
        self._fault.strike("batch")
        if self._fault.due("batch", "ask_forever"):
            for number in itertools.count():
                self._state.read([self._prefix + b"never/%d" % number])
        if self._fault.due("batch", "ask_too_much"):
            self._state._base.range(Range(start=b"\0\0", stop=b"\xff\xff"))
        if self._fault.due("batch", "many_reads"):
            self._state.read([self._prefix + b"many/%05d" % number for number in range(5_000)])
            self._state.scan(b"", b"\xff" * 8)
            self._state.scan(b"", b"\xff" * 8, reverse=True)
        for position, result in enumerate(self._inner.transactions(batch)):
            if position or not result.included:
                yield result
                continue
            changed = result
            if self._fault.due("batch", "overspend"):
                available = batch.gas_available or self._inner.start.gas_limit
                changed = msgspec.structs.replace(changed, gas_used=Gas(available + 1))
            if self._fault.due("batch", "giant"):
                log = Log(address=b"counter", topics=(b"giant",), data=b"\x5a" * (2 << 20))
                changed = msgspec.structs.replace(changed, output=b"\xa5" * (2 << 20), logs=(log,))
            writes, burned = self._wrong_writes("batch")
            yield msgspec.structs.replace(changed, writes={**changed.writes, **writes}, burned=burned)

    def end(self) -> BlockEndResult:
        """End, or fail to."""
        self._fault.strike("end")
        writes, burned = self._wrong_writes("end")
        ended = self._inner.end()
        if self._fault.due("end", "wrong_section"):
            section = msgspec.structs.replace(ended.section, gas_used=Gas(ended.section.gas_used + 1))
            ended = msgspec.structs.replace(ended, section=section)
        return msgspec.structs.replace(ended, writes={**ended.writes, **writes}, burned=burned)

    def _wrong_writes(self, at: At) -> tuple[dict[bytes, bytes | None], Coin]:
        if not self._fault.due(at, *WRITING):
            return {}, Coin(0)
        match self._fault.parameters.fault:
            case "foreign_namespace":
                return {b"\x7f\xffkey": b"value"}, Coin(0)
            case "foreign_ledger":  # takes everything, keeps the sum
                stolen = self._state.balance(VICTIM)
                self._state.add_balance(self._own, stolen)
                self._state.add_balance(VICTIM, -stolen)
                return self._state.take_writes(), Coin(0)
            case "make_coin":
                self._state.add_balance(self._own, 1_000)
                return self._state.take_writes(), Coin(0)
            case "burn_too_little":
                held = self._state.balance(self._own)
                self._state.add_balance(self._own, -held)
                return self._state.take_writes(), Coin(max(0, held - 1))
            case "long_key":
                return {self._prefix + b"k" * MAX_KEY_SIZE_BYTES: b"value"}, Coin(0)
            case "long_value":
                return {self._prefix + b"key": b"v" * (MAX_VALUE_SIZE_BYTES + 1)}, Coin(0)
            case _:  # unsorted: the codec sorts, so it is the codec that is broken here
                _send_unsorted()
                return {self._prefix + b"1": b"one", self._prefix + b"2": b"two"}, Coin(0)


def _send_unsorted() -> None:
    from vessel.container import codec

    right = codec.results_to_wire

    def backwards(results: Sequence[TransactionResult]) -> object:
        wire = right(results)
        wire.writes.keys[:] = wire.writes.keys[::-1]
        return wire

    codec.results_to_wire = backwards  # type: ignore[assignment]


class MisbehavingContainer:
    """The counter, with a fault."""

    manifest = Manifest(name="misbehaving", version="1.0.0", recent_ids=600)

    def __init__(self) -> None:
        """Behave until configured otherwise."""
        self._inner = CounterContainer()
        self._fault = Fault(Parameters())
        self._namespace = 0
        self._instance = ""

    def configure(self, configuration: Configuration) -> Configured:
        """Choose the fault."""
        self._fault = Fault(msgspec.json.decode(configuration.parameters, type=Parameters))
        self._fault.strike("configure")
        self._namespace, self._instance = configuration.namespace, configuration.instance
        return self._inner.configure(configuration)

    def validate(self, request: ValidationRequest, state: BlockState) -> Sequence[TransactionCheck]:
        """Check, or fail to."""
        self._fault.strike("validate")
        return self._inner.validate(request, state)

    def execute(self, start: BlockStart, state: BlockState) -> MisbehavingBlock:
        """Open a block."""
        if self._fault.parameters.at == "read":
            state._base = StruckReader(state._base, self._fault)
        if self._fault.parameters.fault == "swallow":
            state._base = SwallowingReader(state._base)
        inner = self._inner.execute(start, state)
        return MisbehavingBlock(inner, state, self._fault, self._namespace, self._instance)

    def finish(self, execution_id: str, outcome: object) -> None:
        """Nothing is kept."""

    def view(self, request: ViewRequest, state: BlockState) -> ViewResult:
        """Answer, or fail to."""
        self._fault.strike("view")
        if request.query is not None and request.query.method == "ids":
            wanted = msgspec.json.decode(request.query.parameters, type=list[int])
            ids = [request.start.recent_ids[index].hex() for index in wanted]
            return ViewResult(json=msgspec.json.encode([len(request.start.recent_ids), ids]))
        return self._inner.view(request, state)


class OtherMajor(CounterContainer):
    """A counter that speaks a version of the wire that does not exist."""

    manifest = Manifest(name="counter", version="9.9.9", protocol_major=99, protocol_minor=3)
