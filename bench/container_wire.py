"""What the container wire costs: blocks of a container that does nothing but read and write.

    python bench/container_wire.py [--transactions 1000] [--blocks 20]

Each transaction reads 6 keys and writes 3. The whole block path is timed: executor, guard, wire, plugin;
not the state root and not the disk. Figures are medians over the blocks; the two transports run in turn,
block by block, so that a machine that changes pace changes both. CPU is that of host and plugin together;
what of it is not the wire's, the container's own work and the host's reading of fresh keys, is shown apart.
Last line: JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from vessel.container import (
    BlockEndResult,
    BlockStart,
    BlockState,
    Configuration,
    Configured,
    ContainerTransaction,
    HookResult,
    Manifest,
    Outcome,
    Section,
    TransactionBatch,
    TransactionCheck,
    TransactionResult,
    ValidationRequest,
    ViewRequest,
    ViewResult,
    namespace_prefix,
    serve,
)
from vessel.container.guard import Guard
from vessel.container.hosted import HostedContainer, Hosting, LocalHosting, ProcessHosting
from vessel.container.messages import Mode
from vessel.container.supervisor import ContainerHost, Supervisor
from vessel.database.key_value import open_key_value
from vessel.database.state import StateDatabase
from vessel.primitives.hashing import SHA256
from vessel.primitives.section import Section as HeaderSection
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH, Gas, Height
from vessel.processing.executor import Candidate, Executor, Plan

READS = 6
WRITES = 3
NAME = "noop"


class Noop:
    """Reads the keys that a transaction names, and writes some of them."""

    manifest = Manifest(name=NAME, version="1")

    def __init__(self) -> None:
        self._prefix = b""

    def configure(self, configuration: Configuration) -> Configured:
        self._prefix = namespace_prefix(configuration.namespace)
        return Configured(schema_version=1)

    def validate(self, request: ValidationRequest, state: BlockState) -> Sequence[TransactionCheck]:
        return [TransactionCheck(accepted=True, id=raw[:32]) for raw in request.raw]

    def execute(self, start: BlockStart, state: BlockState) -> NoopExecution:
        return NoopExecution(state, self._prefix)

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        pass

    def view(self, request: ViewRequest, state: BlockState) -> ViewResult:
        return ViewResult()


class NoopExecution:
    """One block of nothing."""

    def __init__(self, state: BlockState, prefix: bytes) -> None:
        self._state = state
        self._prefix = prefix
        self._gas_used = 0

    def begin(self) -> HookResult:
        return HookResult()

    def transactions(self, batch: TransactionBatch) -> Iterator[TransactionResult]:
        for index, transaction in enumerate(batch.transactions, batch.first_index):
            keys = _keys(self._prefix, transaction.raw)
            self._state.read(keys)
            writes = dict.fromkeys(sorted(keys[:WRITES]), transaction.raw[:32])
            self._state.keep(writes)
            self._gas_used += 1
            yield TransactionResult(
                index=index, included=True, gas_used=Gas(1), writes=writes, id=transaction.raw[:32]
            )

    def end(self) -> BlockEndResult:
        return BlockEndResult(section=Section(gas_used=Gas(self._gas_used)))


def _keys(prefix: bytes, raw: bytes) -> list[bytes]:
    return [prefix + raw[i : i + 32] for i in range(0, READS)]


def _raw(block: int, index: int) -> bytes:
    return SHA256(b"%d/%d" % (block, index)) + SHA256(b"more %d/%d" % (block, index)) * 2


def _hosted(hosting: Hosting) -> HostedContainer:
    return HostedContainer(
        name=NAME,
        kind=NAME,
        namespace=1,
        gas_limit=Gas(1 << 40),
        guard=Guard(NAME, 1, reserved_prefix=b"\xff" * 12),
        hosting=hosting,
        configured=hosting.configured,
    )


class Bench:
    """One transport with a state of its own."""

    def __init__(self, hosting: Hosting) -> None:
        self.state = StateDatabase(open_key_value("memory:"), SHA256)
        self.hosting = hosting
        self.hosted = _hosted(hosting)
        self.executor = Executor({NAME: self.hosted}, self.state)
        self.height = 0
        self._commit({})

    def _commit(self, changes: dict[bytes, bytes | None]) -> None:
        from vessel.database.key_value import Batch

        version = self.state.begin(self.state.head_version)
        self.state.apply(version, changes)
        self.state.commit(version, self.height, Batch())

    def block(self, raws: Sequence[bytes], *, hints: bool = True) -> tuple[float, float, str]:
        """Execute one block; return wall and CPU seconds, and a digest of what came out."""
        self.height += 1
        plan = Plan(
            mode=Mode.BUILD,
            execution_id=f"bench/{self.height}",
            height=Height(self.height),
            time_ms=self.height,
            parent_id=ZERO_HASH,
            parent_version=self.state.head_version,
            proposer=ZERO_ADDRESS,
            randomness=ZERO_HASH,
            sections={NAME: HeaderSection()},
            takes_part=frozenset(),
            recent_ids=lambda limit: (),
        )
        prefix = namespace_prefix(1)
        candidates = [
            Candidate(
                transaction=Transaction(container=NAME, raw=raw),
                hint=tuple(_keys(prefix, raw)) if hints else (),
            )
            for raw in raws
        ]
        cpu, wall = _cpu(self.hosting.pid), time.perf_counter()
        executed = self.executor.execute(plan, candidates)
        wall, cpu = time.perf_counter() - wall, _cpu(self.hosting.pid) - cpu
        if len(executed.receipts) != len(raws):
            raise SystemExit(f"bench: {len(raws)} transactions, {len(executed.receipts)} receipts")
        digest = SHA256(b"".join(r.encode() for r in executed.receipts)).hex()
        self.state.discard(executed.version)
        return wall, cpu, digest


def _parts(configuration: Configuration, transactions: int) -> tuple[float, float]:
    """Return the CPU seconds of what is no wire: the container alone, and the host's reading of state."""
    container = Noop()
    container.configure(configuration)
    bench = Bench(LocalHosting(container, configuration))
    prefix = namespace_prefix(1)
    worked, read = [], []
    for block in range(20):
        raws = [_raw(-block, index) for index in range(transactions)]
        keys = [key for raw in raws for key in _keys(prefix, raw)]
        reader = bench.state.reader(bench.state.head_version)
        begun = time.process_time()
        values = reader.multi_get(keys)
        read.append(time.process_time() - begun)
        state = BlockState(reader, 1, remembered=dict(zip(keys, values, strict=True)))
        start = BlockStart(mode=Mode.BUILD, height=Height(1), time_ms=1, state_version=reader.version)
        batch = TransactionBatch(
            first_index=0, transactions=tuple(ContainerTransaction(raw=raw) for raw in raws)
        )
        execution = container.execute(start, state)
        begun = time.process_time()
        list(execution.transactions(batch))
        worked.append(time.process_time() - begun)
    return statistics.median(worked), statistics.median(read)


def _cpu(plugin: int) -> float:
    """Return the CPU seconds of this process and, where there is one, of the plugin."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    total = usage.ru_utime + usage.ru_stime
    if plugin:
        fields = Path(f"/proc/{plugin}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--transactions", type=int, default=1000)
    parser.add_argument("--blocks", type=int, default=20)
    options = parser.parse_args()

    configuration = Configuration(chain_id=1, genesis_hash=ZERO_HASH, instance=NAME, namespace=1)
    host = ContainerHost()
    supervisor = Supervisor(
        NAME, (sys.executable, __file__, "--plugin"), host, timeout_s=60, start_timeout_s=60
    )
    benches = {
        "local": Bench(LocalHosting(Noop(), configuration)),
        "grpc": Bench(ProcessHosting(supervisor, configuration)),
    }
    samples: dict[str, dict[str, list[float]]] = {
        name: {"full wall": [], "full cpu": [], "one": []} for name in benches
    }
    try:
        for block in range(-3, options.blocks):
            raws = [_raw(block, index) for index in range(options.transactions)]
            digests = set()
            for name, bench in benches.items():
                wall, cpu, digest = bench.block(raws)
                digests.add(digest)
                one = statistics.median(bench.block(raws[:1])[0] for _ in range(5))
                if block >= 0:  # the first ones warm up
                    samples[name]["full wall"].append(wall)
                    samples[name]["full cpu"].append(cpu)
                    samples[name]["one"].append(one)
            if len(digests) != 1:
                raise SystemExit("bench: the transports disagree")
    finally:
        supervisor.close()
        host.close()

    result: dict[str, float] = {}
    rows = [f"{'transport':<10}{'wall us/tx':>12}{'cpu us/tx':>12}{'one-tx block ms':>18}"]
    for name, taken in samples.items():
        wall = statistics.median(taken["full wall"]) / options.transactions * 1e6
        cpu = statistics.median(taken["full cpu"]) / options.transactions * 1e6
        one = statistics.median(taken["one"]) * 1e3
        rows.append(f"{name:<10}{wall:>12.1f}{cpu:>12.1f}{one:>18.2f}")
        result |= {f"{name}_us_per_tx": wall, f"{name}_cpu_us_per_tx": cpu, f"{name}_one_tx_ms": one}
    container, state = (
        part / options.transactions * 1e6 for part in _parts(configuration, options.transactions)
    )
    rows.append(
        f"of which the container alone {container:.1f}, the host's reading of state {state:.1f} (cpu)"
    )
    result |= {"container_cpu_us_per_tx": container, "state_cpu_us_per_tx": state}
    result["grpc_over_local"] = result["grpc_us_per_tx"] / result["local_us_per_tx"]
    print("\n".join(rows))
    print(json.dumps({name: round(value, 3) for name, value in result.items()}))


if __name__ == "__main__":
    if "--plugin" in sys.argv:
        serve(Noop())
    else:
        main()
