"""An instance of the core at work: it runs messages, and the driver gives it what it lacks.

The core never calls: it returns, says what it needs, and is resumed with the answers.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from vessel.container import ContainerError, Log, TransactionResult
from vessel_evm.engine.core_input import pack_block
from vessel_evm.engine.core_module import CompiledModule
from vessel_evm.engine.core_outcome import OUT_OF_GAS, PRECOMPILE_FAILED, STOPPED
from vessel_evm.engine.core_runtime import CoreInstance
from vessel_evm.engine.interface import Surroundings
from vessel_evm.engine.precompiles import FORKS, Precompiles

Read = Callable[[Sequence[bytes]], list[bytes | None]]

DONE: Final = 0
_NEED: Final = 1
_NEED_PRECOMPILE: Final = 2
REFUSED: Final = 3
CUT: Final = 4
FULL: Final = 5
AT_STEP: Final = 6

_REPORT: Final = struct.Struct("<10I Q")
# An instance is emptied between batches where it holds more of something than this.
_MAX_KEPT: Final = {"accounts": 1 << 17, "slots": 1 << 19, "codes": 1 << 16, "code_bytes": 64 << 20}


class Report(NamedTuple):
    """What the core says of itself after each crossing; see core/core.c."""

    needed_bytes: int
    result_bytes: int
    result_count: int
    accounts: int
    slots: int
    codes: int
    code_bytes: int
    precompile_number: int
    precompile_input: int
    precompile_input_size: int
    precompile_gas: int


class CoreResult(msgspec.Struct, frozen=True, array_like=True):
    """What one message did, as the core packs it; see core/result.c. burned: big-endian."""

    outcome: int
    gas_used: int
    gas_refunded: int
    output: bytes
    logs: tuple[Log, ...]
    writes: dict[bytes, bytes | None]
    burned: bytes
    created: bytes | None


_decode_results = msgspec.msgpack.Decoder(list[CoreResult]).decode
_decode_receipts = msgspec.msgpack.Decoder(list[TransactionResult]).decode
_decode_keys = msgspec.msgpack.Decoder(list[bytes]).decode
_encode_answers = msgspec.msgpack.Encoder().encode


class CoreMachine:
    """An instance, and which state its cache is of. For one thread at a time.

    After an exception it is broken and must not be used again.
    """

    def __init__(
        self,
        compiled: CompiledModule,
        *,
        fork: str,
        namespace: int,
        code_size_limit: int,
        raw: bool | None = None,
    ) -> None:
        """Make an instance with the rules of a fork."""
        self.instance = instance = CoreInstance(compiled, raw=raw)
        if instance.call("configure", FORKS.index(fork), namespace, code_size_limit):
            raise ContainerError(f"the EVM core does not know the fork {fork!r}")
        self._precompiles = Precompiles(fork)
        self._run = instance.function("run")
        self._run_signed = instance.function("run_signed")
        self._resume = instance.function("resume")
        self._resume_precompile = instance.function("resume_precompile")
        self._input_at = instance.place("input_at")
        self._answer_at = instance.place("answer_at")
        self._answer_capacity = instance.place("answer_capacity")
        self._request_at = instance.place("request_at")
        self._result_at = instance.place("result_at")
        self._report_at = instance.place("report_at")
        self._makes_room = False
        self._surroundings: Surroundings | None = None
        self.cache_of: object = None  # what its cache is of; None where that is nothing of use

    @property
    def growth_bytes(self) -> int:
        """Return by how much the memory has grown since the instance was made."""
        return self.instance.size_bytes() - len(self.instance.memory)

    @property
    def capacity_bytes(self) -> int:
        """Return how many bytes of messages a batch may have."""
        return self.instance.place("input_capacity")

    @property
    def capacity(self) -> int:
        """Return how many messages a batch may have."""
        return self.instance.place("batch_capacity")

    def stand_in(self, surroundings: Surroundings) -> None:
        """Take the block whose messages come next."""
        if self._surroundings is surroundings:
            return
        packed, recent_count = pack_block(surroundings)
        self.instance.write(self._input_at, packed)
        self.instance.call("set_block", recent_count)
        self._surroundings = surroundings

    def empty(self) -> None:
        """Forget all that was read of the state."""
        surroundings = self._surroundings
        assert surroundings is not None, "stand_in comes first"
        # Senders choose addresses and slots; what spreads them over the tables they cannot know.
        seed = hashlib.sha256(surroundings.randomness + b"".join(surroundings.recent_ids[:1])).digest()
        self.instance.call("forget", int.from_bytes(seed[:8], "big"))
        self.cache_of = None

    def make_room(self) -> None:
        """Empty the cache after FULL: a transaction that fills it once more runs out of gas by that."""
        self.empty()
        self._makes_room = True

    def forget_balances(self) -> None:
        """Forget the balances; empty the cache where it has grown large."""
        report = self._report()
        if any(getattr(report, name) > most for name, most in _MAX_KEPT.items()):
            self.empty()
        self.instance.call("forget_balances")

    def run(
        self, messages: Sequence[bytes], read: Read, *, gas_available: int, keep: bool
    ) -> tuple[int, list[CoreResult]]:
        """Run packed messages; return the status and the results of those that ran.

        keep: what they change stays in the cache for those after. The status is DONE, REFUSED (the
        message after the last result cannot be included), CUT (the rest is to be run again) or FULL
        (as CUT, and `make_room` comes first).
        """
        self.start(messages, gas_available=gas_available, keep=keep)
        status = self.go_on(read)
        return status, self.results()

    def start(self, messages: Sequence[bytes], *, gas_available: int, keep: bool) -> None:
        """Begin to run packed messages; `go_on` does it."""
        self.instance.write(self._input_at, b"".join(messages))
        self._pending_read: list[bytes] = []
        self._status = self._run(len(messages), gas_available, keep, self._makes_room)
        self._makes_room = False

    def run_signed(
        self, transactions: bytes, count: int, read: Read, *, gas_available: int, index: int, gas_before: int
    ) -> tuple[int, list[TransactionResult]]:
        """Run signed transactions, each behind its size and sender, as far as they are regular.

        Where `message` of a result is not empty, it holds what `core_outcome.complete` is to make words of.
        """
        self.instance.write(self._input_at, transactions)
        self._pending_read = []
        self._makes_room = False
        self._status = self._run_signed(count, gas_available, index, gas_before)
        status = self.go_on(read)
        at = self._result_at
        return status, _decode_receipts(self.instance.memory[at : at + self._report().result_bytes])

    def go_on(self, read: Read) -> int:
        """Answer what the core asks for until it is done or stops; return why."""
        status = self._status
        while status <= _NEED_PRECOMPILE and status != DONE:
            status = self._answer(read) if status == _NEED else self._run_precompile()
        self._status = status
        return status

    def step(self) -> None:
        """Let the instruction run at which tracing has stopped."""
        self._status = self.instance.call("step")

    def results(self) -> list[CoreResult]:
        """Return what the messages did that have ended."""
        at = self._result_at
        return _decode_results(self.instance.memory[at : at + self._report().result_bytes])

    def _report(self) -> Report:
        return Report._make(_REPORT.unpack_from(self.instance.memory, self._report_at))

    def _answer(self, read: Read) -> int:
        at = self._request_at
        keys = _decode_keys(self.instance.memory[at : at + self._report().needed_bytes])
        if keys == self._pending_read:
            # It was answered and is asked for again: only code can be missing where a record names it.
            raise ContainerError(f"the state has no code under 0x{keys[-1].hex()}, which an account names")
        self._pending_read = keys
        answers = _encode_answers(read(keys))
        if len(answers) > self._answer_capacity:
            raise ContainerError(
                f"an answer of {len(answers)} bytes; at most {self._answer_capacity} go into the EVM core"
            )
        self.instance.write(self._answer_at, answers)
        return self._resume()

    def _run_precompile(self) -> int:
        report = self._report()
        number = report.precompile_number
        data = self.instance.read(report.precompile_input, report.precompile_input_size)
        gas_left = report.precompile_gas - self._precompiles.gas(number, data)
        if gas_left < 0:
            return self._resume_precompile(OUT_OF_GAS, 0, 0)
        output = self._precompiles.run(number, data)
        if output is None:
            return self._resume_precompile(PRECOMPILE_FAILED, 0, 0)
        self.instance.write(self._answer_at, output)
        return self._resume_precompile(STOPPED, gas_left, len(output))
