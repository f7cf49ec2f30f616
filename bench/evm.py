"""Measure the EVM: token transactions in batches, and loops inside one call, ours beside others.

    python bench/evm.py [--engine core] [--rounds 5] [--transactions 5000] [--scale 1.0] [--anvil PATH]

Ours goes through the container's own door, everything included but signature recovery (the sender is
handed over as after admission). `messages` is the same engine alone on messages that are decoded already,
which is what the others are given. Peers: the reference engine (py-evm) by the same door, pyrevm where it is
installed, and anvil's eth_call for the loops where --anvil names the program. A peer that is missing is
named and left out. Every round begins with a state of its own; the peers run in turn within a round, slow
ones with less work; figures are medians, in microseconds per transaction or per pass of the loop. The
loops answer with what they computed, and all must answer the same. Processor time of this process is what
counts, so that a busy machine does not; for anvil that of its own process, over several calls. Then
transfers through the executor and both transports, on the clock, alone and beside a thread that is busy.
Last line: JSON.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from vessel.container import (
    BlockStart,
    BlockState,
    Configuration,
    ContainerTransaction,
    Execution,
    Fork,
    Mode,
    Outcome,
    Range,
    Section,
    Status,
    TransactionBatch,
    TransactionResult,
    encode_balance,
    ledger_key,
)
from vessel.container.guard import Guard
from vessel.container.hosted import HostedContainer, Hosting, LocalHosting, ProcessHosting
from vessel.container.supervisor import ContainerHost, Supervisor
from vessel.database.key_value import Batch as StoreBatch
from vessel.database.key_value import open_key_value
from vessel.database.state import StateDatabase
from vessel.primitives.hashing import SHA256
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH, Address, Coin, Gas, Hash32, Height
from vessel.processing.executor import Candidate, Executed, Executor, Plan
from vessel_evm import rlp
from vessel_evm.admission import read_transaction
from vessel_evm.configuration import ENGINES, EvmConfiguration, read_configuration
from vessel_evm.container import EvmContainer
from vessel_evm.engine.interface import Engine, Message
from vessel_evm.execution import surroundings_of
from vessel_evm.keccak import keccak

NAMESPACE = 1
CHAIN_ID = 1337
GWEI = 10**9
GAS_LIMIT = 10**12  # a loop may take as long as it likes
ALICE = Address(b"\xa1" * 20)
BOB = Address(b"\xb0" * 20)
TARGET = Address(b"\xc0" * 20)  # of the loops
# A parent that met its target exactly hands its base fee on.
PARENT = Section(gas_limit=Gas(2 * GAS_LIMIT), gas_used=Gas(GAS_LIMIT), base_fee=Coin(GWEI))
TOKEN = Path(__file__).parents[1] / "contracts" / "evm" / "token" / "Token.json"

# ---- code


def asm(source: str) -> bytes:
    """Return code: names of instructions, numbers to push, `name:` a jump destination, `@name` its push."""
    opcodes = {name: value for value, name in _OPCODES.items()}
    code, places, labels = bytearray(), {}, {}
    for part in source.split():
        if part.endswith(":"):
            labels[part[:-1]] = len(code)
            code.append(opcodes["JUMPDEST"])
        elif part.startswith("@"):
            places[len(code) + 1] = part[1:]
            code += b"\x61\0\0"
        elif part in opcodes:
            code.append(opcodes[part])
        else:
            value = int(part, 0)
            width = max(1, (value.bit_length() + 7) // 8)
            code += bytes((0x5F + width,)) + value.to_bytes(width, "big")
    for at, name in places.items():
        code[at : at + 2] = labels[name].to_bytes(2, "big")
    return bytes(code)


_OPCODES = {
    **{0x00: "STOP", 0x01: "ADD", 0x02: "MUL", 0x03: "SUB", 0x10: "LT", 0x14: "EQ", 0x15: "ISZERO"},
    **{0x18: "XOR", 0x20: "KECCAK256", 0x30: "ADDRESS", 0x35: "CALLDATALOAD", 0x39: "CODECOPY"},
    **{0x50: "POP", 0x51: "MLOAD", 0x52: "MSTORE", 0x54: "SLOAD", 0x55: "SSTORE", 0x56: "JUMP"},
    **{0x57: "JUMPI", 0x5A: "GAS", 0x5B: "JUMPDEST", 0x5F: "PUSH0", 0xF0: "CREATE", 0xF1: "CALL"},
    **{0xF3: "RETURN", 0x3D: "RETURNDATASIZE"},
    **{0x80 + i: f"DUP{i + 1}" for i in range(16)},
    **{0x90 + i: f"SWAP{i + 1}" for i in range(16)},
}
_ANSWER = "0 MSTORE 32 0 RETURN"

# Each takes its number of passes as the first word of the input and answers with a word.
U256 = asm(
    # stack: passes, a, b; b = a·b + passes, a = a + b
    f"0 CALLDATALOAD 3 7 loop: DUP2 MUL DUP3 ADD DUP1 SWAP2 ADD SWAP1 "
    f"SWAP2 1 SWAP1 SUB SWAP2 DUP3 @loop JUMPI ADD {_ANSWER}"
)
HASHES = asm(
    f"0 CALLDATALOAD loop: DUP1 0 MSTORE 64 0 KECCAK256 32 MSTORE "
    f"1 SWAP1 SUB DUP1 @loop JUMPI POP 32 MLOAD {_ANSWER}"
)
STORE = asm(f"0 CALLDATALOAD loop: DUP1 DUP1 SSTORE 1 SWAP1 SUB DUP1 @loop JUMPI POP 1 SLOAD {_ANSWER}")
# The new contract is one byte, STOP: init code 0x60015ff3, "return one byte of zeros".
CREATE = asm(
    f"0x60015ff3 0 MSTORE 0 0 CALLDATALOAD loop: 4 28 0 CREATE SWAP2 POP "
    f"1 SWAP1 SUB DUP1 @loop JUMPI POP ISZERO ISZERO {_ANSWER}"
)
DEPTH = 200
# A pass is a chain of calls DEPTH deep. The second word of the input is the depth that is left, if any.
CALLS = asm(
    "32 CALLDATALOAD DUP1 @inner JUMPI POP "
    f"{DEPTH} 32 MSTORE 0 CALLDATALOAD "
    "loop: 0 0 64 0 0 ADDRESS GAS CALL POP 1 SWAP1 SUB DUP1 @loop JUMPI "
    f"POP GAS {_ANSWER} "  # how much is left says that all calls were made
    "inner: 1 SWAP1 SUB DUP1 ISZERO @done JUMPI 32 MSTORE "
    "0 0 64 0 0 ADDRESS GAS CALL POP STOP done: STOP"
)
# A pass draws 16 points of the Mandelbrot set with 30 steps at most, in fixed-point numbers.
FRACTAL = """
# pragma version ~=0.4.0
ONE: constant(int256) = 10**9

@external
def run(passes: uint256) -> uint256:
    total: uint256 = 0
    for n: uint256 in range(passes, bound=10**9):
        for k: uint256 in range(16):
            cx: int256 = convert((n * 37 + k * 11) % 300, int256) * ONE // 100 - 2 * ONE
            cy: int256 = convert((n * 17 + k * 29) % 200, int256) * ONE // 100 - ONE
            x: int256 = 0
            y: int256 = 0
            for step: uint256 in range(30):
                xx: int256 = x * x // ONE
                yy: int256 = y * y // ONE
                if xx + yy > 4 * ONE:
                    break
                y = 2 * x * y // ONE + cy
                x = xx - yy + cx
                total += 1
    return total
"""
MINTABLE = """
# pragma version ~=0.4.0
event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

balanceOf: public(HashMap[address, uint256])
totalSupply: public(uint256)
minter: address

@deploy
def __init__():
    self.minter = msg.sender

@external
def mint(receiver: address, amount: uint256) -> bool:
    assert msg.sender == self.minter
    self.totalSupply += amount
    self.balanceOf[receiver] += amount
    log Transfer(sender=empty(address), receiver=receiver, amount=amount)
    return True
"""


def vyper(source: str) -> bytes:
    """Return the init code of a contract in Vyper."""
    from vyper import compile_code

    return bytes.fromhex(compile_code(source, output_formats=["bytecode"])["bytecode"][2:])


def word(value: int | bytes) -> bytes:
    """Return an argument of a call."""
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


def selector(signature: str) -> bytes:
    """Return how a function is called by its name."""
    return keccak(signature.encode())[:4]


class Call(NamedTuple):
    """What a transaction does."""

    sender: Address
    to: bytes
    data: bytes


class Loop(NamedTuple):
    """A loop inside one call. passes: at scale 1; input: of a number of passes."""

    name: str
    init_code: bytes
    passes: int
    prefix: bytes = b""

    def input(self, passes: int) -> bytes:
        """Return the input of a call."""
        return self.prefix + word(passes) + (b"" if self.prefix else word(0))


def recipients() -> Callable[[], bytes]:
    """Return a source of addresses that nobody had before."""
    numbers = itertools.count(1)
    return lambda: keccak(word(next(numbers)))[12:]


def transfers(count: int, token: bytes, fresh: Callable[[], bytes]) -> list[Call]:
    """Return transfers of one token unit, each to somebody new."""
    function = selector("transfer(address,uint256)")
    return [Call(ALICE, token, function + word(fresh()) + word(1)) for _ in range(count)]


def mints(count: int, token: bytes, fresh: Callable[[], bytes]) -> list[Call]:
    """Return mints for somebody new."""
    function = selector("mint(address,uint256)")
    return [Call(ALICE, token, function + word(fresh()) + word(1)) for _ in range(count)]


def allowances(count: int, token: bytes, fresh: Callable[[], bytes]) -> list[Call]:
    """Return approvals and, after each, the transfer that uses it up."""
    approve, transfer = (
        selector("approve(address,uint256)"),
        selector("transferFrom(address,address,uint256)"),
    )
    calls = []
    for _ in range(count // 2):
        calls.append(Call(ALICE, token, approve + word(BOB) + word(1)))
        calls.append(Call(BOB, token, transfer + word(ALICE) + word(fresh()) + word(1)))
    return calls


class Batch(NamedTuple):
    """A workload of transactions on one contract."""

    name: str
    init_code: bytes
    calls: Callable[[int, bytes, Callable[[], bytes]], list[Call]]


# ---- who runs it


class Peer(Protocol):
    """Somebody who can run the workloads. slowdown: by how much less work it is given."""

    name: str
    slowdown: int

    def batch(self, batch: Batch, count: int) -> float:
        """Return the seconds that a batch of so many transactions took on a fresh state."""
        ...

    def loop(self, loop: Loop, passes: int) -> tuple[float, bytes]:
        """Return the seconds that a call took on a fresh state, and its answer."""
        ...


class _Reader:
    """A StateReader over a dict."""

    def __init__(self, entries: Mapping[bytes, bytes], version: int) -> None:
        self._entries = entries
        self.version = version

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self._entries.get(key) for key in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        raise AssertionError("the EVM reads no ranges")


class Ours:
    """An engine of ours through its container, Prague rules (which have no limit on a transaction's gas)."""

    def __init__(self, engine: str, *, slowdown: int) -> None:
        self.name = engine
        self.slowdown = slowdown
        self._container = EvmContainer()
        self._container.configure(configuration_of(engine))
        self._versions = itertools.count(1)

    def batch(self, batch: Batch, count: int) -> float:
        entries = self._funded()
        nonces = {ALICE: 0, BOB: 0}
        (created,) = self._run(entries, [_signed(Call(ALICE, b"", batch.init_code), nonces)])[1]
        contract = bytes.fromhex(json.loads(created.details)["contractAddress"][2:])
        calls = batch.calls(count, contract, recipients())
        raws = [_signed(call, nonces) for call in calls]
        return with_deep_stack(lambda: self._run(entries, raws))[0]

    def loop(self, loop: Loop, passes: int) -> tuple[float, bytes]:
        entries = self._funded()
        nonces = {ALICE: 0}
        (created,) = self._run(entries, [_signed(Call(ALICE, b"", loop.init_code), nonces)])[1]
        contract = bytes.fromhex(json.loads(created.details)["contractAddress"][2:])
        raw = _signed(Call(ALICE, contract, loop.input(passes)), nonces, gas=GAS_LIMIT)
        seconds, (result,) = with_deep_stack(lambda: self._run(entries, [raw]))
        return seconds, result.output

    def _funded(self) -> dict[bytes, bytes]:
        coin = encode_balance(10**30)
        assert coin is not None
        return {ledger_key(ALICE): coin, ledger_key(BOB): coin}

    def _run(
        self, entries: dict[bytes, bytes], transactions: Sequence[ContainerTransaction]
    ) -> tuple[float, list[TransactionResult]]:
        version = next(self._versions)
        start = BlockStart(
            mode=Mode.BUILD,
            height=Height(1),
            time_ms=1_700_000_000_000,
            state_version=version,
            result_version=next(self._versions),
            execution_id=f"e{version}",
            gas_limit=Gas(2 * GAS_LIMIT),
            parent_section=PARENT,
        )
        state = BlockState(_Reader(dict(entries), version), NAMESPACE)
        batch = TransactionBatch(first_index=0, transactions=tuple(transactions))
        seconds, results = self._work(start, state, batch)
        for result in results:
            if not result.included or result.status is not Status.OK:
                raise SystemExit(f"bench: {self.name}: {result.status.name} {result.reason} {result.message}")
            for key, value in result.writes.items():
                if value is None:
                    entries.pop(key, None)
                else:
                    entries[key] = value
        return seconds, results

    def _work(
        self, start: BlockStart, state: BlockState, batch: TransactionBatch
    ) -> tuple[float, list[TransactionResult]]:
        """Return the seconds that a block took, and its results."""
        began = time.process_time()
        execution: Execution = self._container.execute(start, state)
        execution.begin()
        results = list(execution.transactions(batch))
        execution.end()
        seconds = time.process_time() - began
        self._container.finish(start.execution_id, Outcome.COMMIT)
        return seconds, results


class Messages(Ours):
    """The engine alone: the batches, decoded and checked before the clock runs."""

    def __init__(self, engine: str, *, slowdown: int) -> None:
        super().__init__(engine, slowdown=slowdown)
        self.name = "messages"
        self._read = read_configuration(configuration_of(engine))
        self._engine = open_engine(self._read)

    def _work(
        self, start: BlockStart, state: BlockState, batch: TransactionBatch
    ) -> tuple[float, list[TransactionResult]]:
        if len(batch.transactions) == 1:  # what comes before the batch
            return super()._work(start, state, batch)
        messages = [self._message(transaction) for transaction in batch.transactions]
        began = time.process_time()
        block = self._engine.open(surroundings_of(start, Coin(GWEI), self._read), state)
        left, results = messages, []
        while left:
            done = block.run_batch(left, GAS_LIMIT)
            for result in done:
                state.keep(result.writes)
            results += done
            left = left[len(done) :]
        seconds = time.process_time() - began
        if any(result.status is not Status.OK for result in results):
            raise SystemExit("bench: a message failed")
        return seconds, []

    def _message(self, transaction: ContainerTransaction) -> Message:
        signed = read_transaction(transaction.raw, self._read, prepared=transaction.prepared)
        read = signed.transaction
        return Message(
            sender=signed.sender,
            to=read.to,
            value=read.value,
            data=read.data,
            gas_limit=read.gas_limit,
            gas_price=Coin(2 * GWEI),
            intrinsic_gas=signed.intrinsic_gas,
            floor_gas=signed.floor_gas,
            nonce=read.nonce,
            max_cost=Coin(read.gas_limit * read.max_fee_per_gas),
        )


def configuration_of(engine: str) -> Configuration:
    """Return the configuration of a chain that runs an engine."""
    return Configuration(
        parameters=json.dumps({"engine": engine}).encode(),
        chain_id=CHAIN_ID,
        genesis_hash=Hash32(bytes(32)),
        instance="evm",
        namespace=NAMESPACE,
        forks=(Fork(name="prague", height=Height(0)),),
    )


def open_engine(configuration: EvmConfiguration) -> Engine:
    """Return the engine that a configuration names."""
    if configuration.engine == "core":
        from vessel_evm.engine.core import CoreEngine

        return CoreEngine(configuration)
    from vessel_evm.engine.reference import ReferenceEngine

    return ReferenceEngine(configuration)


def _signed(call: Call, nonces: dict[Address, int], *, gas: int = 5_000_000) -> ContainerTransaction:
    """Return a type 2 transaction as it comes from admission: its signature has been looked at."""
    nonce = nonces[call.sender]
    nonces[call.sender] += 1
    numbers = (CHAIN_ID, nonce, GWEI, 3 * GWEI, gas)
    fields = [rlp.encode_integer(number) for number in numbers]
    fields += [
        rlp.encode_bytes(call.to),
        rlp.encode_integer(0),
        rlp.encode_bytes(call.data),
        rlp.encode_list([]),
    ]
    fields += [rlp.encode_integer(1), rlp.encode_integer(1), rlp.encode_integer(1)]
    return ContainerTransaction(raw=b"\x02" + rlp.encode_list(fields), prepared=call.sender)


def with_deep_stack(work: Callable[[], Any]) -> Any:
    """Run it in a thread with the stack that the plugin's runtime gives its work."""
    results: list[Any] = []
    before = threading.stack_size(64 << 20)
    try:
        thread = threading.Thread(target=lambda: results.append(work()))
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    if not results:
        raise SystemExit("bench: the work failed, see above")
    return results[0]


class Pyrevm:
    """revm by its Python binding: one call a transaction, neither nonces nor fees, everything in memory."""

    name = "pyrevm"
    slowdown = 1

    def __init__(self) -> None:
        import pyrevm

        self._pyrevm = pyrevm

    def _machine(self, init_code: bytes) -> tuple[Any, str]:
        machine = self._pyrevm.EVM(gas_limit=GAS_LIMIT, spec_id="CANCUN")
        for sender in (ALICE, BOB):
            machine.set_balance("0x" + sender.hex(), 10**30)
        return machine, machine.deploy("0x" + ALICE.hex(), init_code)

    def batch(self, batch: Batch, count: int) -> float:
        machine, contract = self._machine(batch.init_code)
        calls = [
            ("0x" + call.sender.hex(), call.data)
            for call in batch.calls(count, bytes.fromhex(contract[2:]), recipients())
        ]
        began = time.process_time()
        for sender, data in calls:
            machine.message_call(sender, contract, calldata=data, gas=5_000_000)
        return time.process_time() - began

    def loop(self, loop: Loop, passes: int) -> tuple[float, bytes]:
        machine, contract = self._machine(loop.init_code)
        data = loop.input(passes)
        began = time.process_time()
        answer = machine.message_call("0x" + ALICE.hex(), contract, calldata=data, gas=GAS_LIMIT)
        return time.process_time() - began, bytes(answer)


class Anvil:
    """Foundry's node, asked by eth_call: the loops only."""

    name = "anvil"
    slowdown = 1
    _REPEATED = 8  # its processor time is told in hundredths of a second

    def __init__(self, program: Path, port: int = 18_545) -> None:
        self._url = f"http://127.0.0.1:{port}"
        arguments = ("--port", str(port), "--gas-limit", str(GAS_LIMIT), "--silent", "--hardfork", "prague")
        self._process = subprocess.Popen([str(program), *arguments])
        self._contracts: dict[str, str] = {}
        for _ in range(100):
            try:
                self._ask("eth_chainId")
                return
            except OSError:
                time.sleep(0.1)
        raise OSError(f"{program} does not answer at {self._url}")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _ask(self, method: str, *parameters: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=300) as response:
            answer = json.load(response)
        if "error" in answer:
            raise SystemExit(f"bench: anvil: {answer['error']}")
        return answer["result"]

    def batch(self, batch: Batch, count: int) -> float:
        raise NotImplementedError

    def loop(self, loop: Loop, passes: int) -> tuple[float, bytes]:
        contract = self._contracts.get(loop.name)
        if contract is None:
            # An eth_call of init code answers with the code that it leaves behind.
            code = self._ask("eth_call", {"data": "0x" + loop.init_code.hex()}, "latest")
            contract = "0x" + keccak(loop.name.encode())[:20].hex()
            self._ask("anvil_setCode", contract, code)
            self._contracts[loop.name] = contract
        call = {"to": contract, "data": "0x" + loop.input(passes).hex(), "gas": hex(GAS_LIMIT)}
        began = self._clock()
        for _ in range(self._REPEATED):
            answer = self._ask("eth_call", call, "latest")
        return (self._clock() - began) / self._REPEATED, bytes.fromhex(answer[2:])

    def _clock(self) -> float:
        """Return the processor time of its process; the time on the clock where that cannot be read."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return time.perf_counter()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- measuring


def deploying(runtime: bytes) -> bytes:
    """Return init code that leaves `runtime` behind."""
    # PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: ten bytes
    return b"\x61" + len(runtime).to_bytes(2, "big") + bytes.fromhex("80600a5f395ff3") + runtime


def workloads() -> tuple[list[Batch], list[Loop]]:
    """Return what is measured."""
    artifact = json.loads(TOKEN.read_bytes())
    name = b"Bench".ljust(32, b"\0")
    arguments = word(96) + word(160) + word(10**30) + word(5) + name + word(5) + name
    token = bytes.fromhex(artifact["bytecode"].removeprefix("0x")) + arguments
    batches = [
        Batch("erc20 transfer", token, transfers),
        Batch("erc20 mint", vyper(MINTABLE), mints),
        Batch("erc20 approve, transferFrom", token, allowances),
    ]
    loops = [
        Loop("u256 add, mul", deploying(U256), 500_000),
        Loop("keccak of 64 bytes", deploying(HASHES), 100_000),
        Loop("cold sstore", deploying(STORE), 5_000),
        Loop("fractal", vyper(FRACTAL), 500, selector("run(uint256)")),
        Loop("contract creation", deploying(CREATE), 2_000),
        Loop(f"calls {DEPTH} deep", deploying(CALLS), 100),
    ]
    return batches, loops


class Chain:
    """The executor over one transport, with a state in memory: the whole block path but for root and disk."""

    def __init__(self, hosting: Hosting) -> None:
        self._state = StateDatabase(open_key_value("memory:"), SHA256)
        hosted = HostedContainer(
            name="evm",
            kind="evm",
            namespace=NAMESPACE,
            gas_limit=Gas(2 * GAS_LIMIT),
            guard=Guard("evm", NAMESPACE, reserved_prefix=b"\xff" * 12, owns_open_addresses=True),
            hosting=hosting,
            configured=hosting.configured,
        )
        self._executor = Executor({"evm": hosted}, self._state)
        self._nonces = {ALICE: 0, BOB: 0}
        self._height = 0
        coin = encode_balance(10**30)
        self._commit({ledger_key(ALICE): coin, ledger_key(BOB): coin})
        artifact = workloads()[0][0]
        _, executed = self._block([Call(ALICE, b"", artifact.init_code)])
        details = json.loads(executed.receipts[0].details)
        self._contract = bytes.fromhex(details["contractAddress"][2:])
        self._state.commit(executed.version, self._height, StoreBatch())

    def _commit(self, changes: Mapping[bytes, bytes | None]) -> None:
        version = self._state.begin(self._state.head_version)
        self._state.apply(version, changes)
        self._state.commit(version, self._height, StoreBatch())

    def transfers(self, count: int) -> float:
        """Return the seconds on the clock that a block of so many transfers took; it is dropped again."""
        before = dict(self._nonces)
        seconds, executed = self._block(transfers(count, self._contract, recipients()))
        self._state.discard(executed.version)
        self._nonces = before
        return seconds

    def _block(self, calls: Sequence[Call]) -> tuple[float, Executed]:
        self._height += 1
        plan = Plan(
            mode=Mode.BUILD,
            execution_id=f"bench/{self._height}",
            height=Height(self._height),
            time_ms=self._height * 1000,
            parent_id=ZERO_HASH,
            parent_version=self._state.head_version,
            proposer=ZERO_ADDRESS,
            randomness=ZERO_HASH,
            sections={"evm": PARENT},
            takes_part=frozenset(),
            recent_ids=lambda limit: (),
        )
        candidates = [
            Candidate(transaction=Transaction(container="evm", raw=signed.raw), prepared=signed.prepared)
            for signed in (_signed(call, self._nonces) for call in calls)
        ]
        began = time.perf_counter()
        executed = self._executor.execute(plan, candidates)
        seconds = time.perf_counter() - began
        if len(executed.receipts) != len(calls):
            raise SystemExit(f"bench: {len(calls)} transactions, {len(executed.receipts)} receipts")
        return seconds, executed


class _Busy:
    """A thread that does what an RPC server does all day: JSON in, JSON out."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def _work(self) -> None:
        answer = {
            "jsonrpc": "2.0",
            "id": 1,
            "result": [{"address": "0x" + "11" * 20, "topics": ["0x" + "22" * 32] * 3}] * 20,
        }
        while not self._done.is_set():
            json.loads(json.dumps(answer))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def measure_transports(engine: str, rounds: int, count: int) -> dict[str, dict[str, float]]:
    """Return microseconds on the clock per transfer: transport, alone or beside a busy thread."""
    host = ContainerHost()
    command = (sys.executable, "-m", "vessel.container.plugin", "evm")
    supervisor = Supervisor("evm", command, host, timeout_s=60, start_timeout_s=60)
    samples: dict[str, dict[str, list[float]]] = {}
    try:
        chains = {
            "local": Chain(LocalHosting(EvmContainer(), configuration_of(engine))),
            "grpc": Chain(ProcessHosting(supervisor, configuration_of(engine))),
        }
        for round_number in range(-1, rounds):
            for name, chain in chains.items():
                alone = chain.transfers(count)
                with _Busy():
                    beside = chain.transfers(count)
                if round_number >= 0:
                    row = samples.setdefault(name, {"alone": [], "beside a busy thread": []})
                    row["alone"].append(alone / count * 1e6)
                    row["beside a busy thread"].append(beside / count * 1e6)
    finally:
        supervisor.close()
        host.close()
    return {
        name: {column: statistics.median(taken) for column, taken in row.items()}
        for name, row in samples.items()
    }


def load_ms(engine: str) -> float:
    """Return the milliseconds that configuring takes in a fresh process, its imports not counted."""
    program = (
        "import sys, time, runpy; bench = runpy.run_path(sys.argv[1]); c = bench['EvmContainer']();"
        "import importlib; importlib.import_module('vessel_evm.engine.' + sys.argv[2]);"
        "began = time.perf_counter(); c.configure(bench['configuration_of'](sys.argv[2]));"
        "print((time.perf_counter() - began) * 1e3)"
    )
    took = [
        float(
            subprocess.run(
                [sys.executable, "-c", program, __file__, engine], capture_output=True, check=True
            ).stdout
        )
        for _ in range(3)
    ]
    return statistics.median(took)


def open_peers(options: argparse.Namespace) -> list[Peer]:
    """Return who takes part; say who does not."""
    peers: list[Peer] = []
    for engine in dict.fromkeys((options.engine, "reference")):
        if engine not in ENGINES:
            print(f"missing: the engine {engine!r} is not built; known are {', '.join(sorted(ENGINES))}")
        else:
            peers.append(Ours(engine, slowdown=50 if engine == "reference" else 1))
            if engine != "reference":
                peers.append(Messages(engine, slowdown=1))
    try:
        peers.append(Pyrevm())
    except ImportError:
        print("missing: pyrevm is not installed: pip install pyrevm==0.3.7")
    if options.anvil is None:
        print("missing: anvil: name the program by --anvil (npm package @foundry-rs/anvil)")
    else:
        try:
            peers.append(Anvil(options.anvil))
        except OSError as error:
            print(f"missing: anvil: {error}")
    return peers


def measure(peers: Sequence[Peer], options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return the medians: workload, peer, microseconds per transaction or pass."""
    batches, loops = workloads()
    samples: dict[str, dict[str, list[float]]] = {}
    for round_number in range(-1, options.rounds):  # the first one warms up
        for batch in batches:
            for peer in peers:
                if isinstance(peer, Anvil):
                    continue  # its calls leave nothing behind
                count = max(2, options.transactions // peer.slowdown)
                gc.collect()
                seconds = peer.batch(batch, count)
                if round_number >= 0:
                    samples.setdefault(batch.name, {}).setdefault(peer.name, []).append(seconds / count)
        for loop in loops:
            answers: dict[int, tuple[str, bytes]] = {}
            for peer in peers:
                if isinstance(peer, Messages):
                    continue  # one call has no decoding to speak of
                passes = max(2, int(loop.passes * options.scale) // peer.slowdown)
                gc.collect()
                seconds, answer = peer.loop(loop, passes)
                other, expected = answers.setdefault(passes, (peer.name, answer))
                if answer != expected:
                    raise SystemExit(f"bench: {loop.name}: {peer.name} and {other} answer differently")
                if round_number >= 0:
                    samples.setdefault(loop.name, {}).setdefault(peer.name, []).append(seconds / passes)
    return {
        name: {peer: statistics.median(taken) * 1e6 for peer, taken in by_peer.items()}
        for name, by_peer in samples.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--engine", default="core")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--transactions", type=int, default=5_000)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of passes of the loops")
    parser.add_argument("--anvil", type=Path, default=None, help="the program")
    options = parser.parse_args()

    peers = open_peers(options)
    try:
        medians = measure(peers, options)
    finally:
        for peer in peers:
            if isinstance(peer, Anvil):
                peer.close()

    mine = peers[0].name
    names = [peer.name for peer in peers]
    print(
        f"{'us per transaction or pass':<30}"
        + "".join(f"{name:>12}" for name in names)
        + f"   {mine} is faster by"
    )
    ratios: dict[str, dict[str, float]] = {}  # of the column of the container, by default
    for workload, by_peer in medians.items():
        row = "".join(f"{by_peer[name]:>12.3f}" if name in by_peer else f"{'-':>12}" for name in names)
        ratios[workload] = {
            name: by_peer[name] / by_peer[mine] for name in names if name in by_peer and name != mine
        }
        print(
            f"{workload:<30}{row}   "
            + ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios[workload].items())
        )
    transports: dict[str, dict[str, float]] = {}
    if mine in ENGINES:
        transports = measure_transports(mine, options.rounds, options.transactions)
        print(f"\n{'us on the clock per transfer':<30}{'alone':>12}{'beside a busy thread':>24}")
        for transport, row in transports.items():
            print(f"{transport:<30}{row['alone']:>12.3f}{row['beside a busy thread']:>24.3f}")
    load = {engine: load_ms(engine) for engine in names if engine in ENGINES}
    for engine, milliseconds in load.items():
        print(f"configuring the {engine} engine in a fresh process: {milliseconds:.1f} ms")
    rounded = {
        "us": {name: {peer: round(us, 4) for peer, us in row.items()} for name, row in medians.items()},
        "faster_by": {name: {peer: round(r, 3) for peer, r in row.items()} for name, row in ratios.items()},
        "transports_us": {
            name: {c: round(us, 3) for c, us in row.items()} for name, row in transports.items()
        },
        "load_ms": {name: round(ms, 2) for name, ms in load.items()},
    }
    print(json.dumps(rounded))


if __name__ == "__main__":
    main()
