"""How much memory a node and its plugin hold: with a large state, and over many blocks.

    python bench/memory.py [--keys 1000000] [--blocks 1000] [--transactions 20]

A chain on disk with one container in a process of its own. First the state is filled, through the whole
path: admission, blocks, commits. Then blocks go on over it; memory should stay where it is. `anonymous`
is what a process has allocated, `resident` counts the pages of files it has mapped as well. Linux only,
where /proc tells. Last line: JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from vessel.chain.chain import Chain
from vessel.consensus.registry import make_consensus
from vessel.container import (
    BlockEndResult,
    BlockStart,
    BlockState,
    Configuration,
    Configured,
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
from vessel.container.hosted import HostedContainer, ProcessHosting
from vessel.container.supervisor import ContainerHost, Supervisor
from vessel.database.chain_store import ChainStore
from vessel.database.key_value import default_engine
from vessel.primitives.address import reserved_prefix
from vessel.primitives.encoding import u64
from vessel.primitives.hashing import SHA256
from vessel.primitives.units import Gas
from vessel.processing.genesis import parse_genesis

NAME = "filler"
KEYS_A_TRANSACTION = 10
FILLING_TRANSACTIONS = 2_000  # a block
GAS_LIMIT = 1_000_000
LIMIT_MB = 600
FLAT_MB = 20  # more growth than this over the second half is no noise

GENESIS = f"""
[chain]
name = "memory"
id = 1
time = 2026-01-01T00:00:00Z
[consensus]
engine = "instant"
mode = "manual"
[containers.{NAME}]
gas_limit = {GAS_LIMIT}
"""


class Filler:
    """A transaction is a salt and numbers of keys, eight bytes each; it counts every one of the keys up."""

    manifest = Manifest(name=NAME, version="1")

    def __init__(self) -> None:
        self._prefix = b""

    def configure(self, configuration: Configuration) -> Configured:
        self._prefix = namespace_prefix(configuration.namespace)
        return Configured(schema_version=1)

    def validate(self, request: ValidationRequest, state: BlockState) -> Sequence[TransactionCheck]:
        return [TransactionCheck(accepted=True, id=SHA256(raw)) for raw in request.raw]

    def execute(self, start: BlockStart, state: BlockState) -> Filling:
        return Filling(state, self._prefix)

    def finish(self, execution_id: str, outcome: Outcome) -> None:
        pass

    def view(self, request: ViewRequest, state: BlockState) -> ViewResult:
        return ViewResult()


class Filling:
    """One block."""

    def __init__(self, state: BlockState, prefix: bytes) -> None:
        self._state = state
        self._prefix = prefix
        self._gas_used = 0

    def begin(self) -> HookResult:
        return HookResult()

    def transactions(self, batch: TransactionBatch) -> Iterator[TransactionResult]:
        for index, transaction in enumerate(batch.transactions, batch.first_index):
            raw = transaction.raw
            keys = [self._prefix + raw[at : at + 8].rjust(32, b"\1") for at in range(8, len(raw), 8)]
            found = self._state.read(keys)
            writes = {
                key: (int.from_bytes(value or b"", "big") + 1).to_bytes(32, "big")
                for key, value in zip(keys, found, strict=True)
            }
            self._state.keep(writes)
            self._gas_used += 1
            yield TransactionResult(
                index=index, included=True, gas_used=Gas(1), writes=writes, id=SHA256(raw)
            )

    def end(self) -> BlockEndResult:
        return BlockEndResult(section=Section(gas_used=Gas(self._gas_used)))


def memory_mb(pid: int) -> tuple[float, float]:
    """Return what a process has resident, and what of it is anonymous, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))  # type: ignore[return-value]


class Node:
    """A chain with the filler, and the clock it goes by."""

    def __init__(self, folder: Path) -> None:
        genesis = parse_genesis(GENESIS, source="bench")
        self.host = ContainerHost()
        self.supervisor = Supervisor(
            NAME,
            (sys.executable, str(Path(__file__).resolve()), "--serve"),
            self.host,
            timeout_s=60,
            start_timeout_s=60,
        )
        configuration = Configuration(
            chain_id=1,
            genesis_hash=genesis.genesis_hash,
            instance=NAME,
            namespace=1,
            reserved_prefix=reserved_prefix(NAME),
        )
        hosting = ProcessHosting(self.supervisor, configuration)
        hosted = HostedContainer(
            name=NAME,
            kind=NAME,
            namespace=1,
            gas_limit=Gas(GAS_LIMIT),
            guard=Guard(NAME, 1, reserved_prefix=reserved_prefix(NAME)),
            hosting=hosting,
            configured=hosting.configured,
        )
        store = ChainStore.open(
            f"{default_engine()}:{folder / 'chain'}",
            genesis_hash=genesis.genesis_hash,
            hasher=genesis.hasher,
        )
        consensus = make_consensus(genesis.consensus_engine, genesis.consensus, genesis.hasher)
        self.chain = Chain(
            genesis, store, {NAME: hosted}, consensus, clock=lambda: time.time_ns() // 1_000_000
        )
        self.salt = 0

    def block(self, keys: Sequence[int]) -> None:
        """Make one block whose transactions count these keys up."""
        raws = []
        for start in range(0, len(keys), KEYS_A_TRANSACTION):
            self.salt += 1
            raws.append(u64(self.salt) + b"".join(map(u64, keys[start : start + KEYS_A_TRANSACTION])))
        for start in range(0, len(raws), 1000):
            self.chain.admission.submit(NAME, raws[start : start + 1000])
        turn = self.chain.consensus.turn_by_hand(self.chain.head.block.header, now_ms=self.chain.clock())
        assert turn is not None
        made = self.chain.produce(turn, even_empty=False)
        assert made is not None
        assert len(made.receipts) == len(raws)

    def measure(self, what: str) -> tuple[float, float]:
        """Print a line of the table; return resident and anonymous memory of both processes."""
        gc.collect()
        own, plugin = memory_mb(os.getpid()), memory_mb(self.supervisor.pid)
        both = own[0] + plugin[0], own[1] + plugin[1]
        print(f"{what:<24}{own[0]:>9.0f}{plugin[0]:>9.0f}{both[0]:>9.0f}{both[1]:>11.0f}", flush=True)
        return both

    def close(self) -> None:
        """End the plugin, close the store."""
        self.chain.admission.close()
        self.supervisor.close()
        self.host.close()
        self.chain.store.close()


def main() -> None:
    """Fill, go on, and say whether it stayed within bounds."""
    if sys.argv[1:] == ["--serve"]:
        serve(Filler())
        return
    parser = argparse.ArgumentParser(description="Measure the memory of a node and its plugin.")
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--blocks", type=int, default=1_000)
    parser.add_argument("--transactions", type=int, default=20, help="in each block after the filling")
    arguments = parser.parse_args()
    if not Path("/proc/self/status").exists():
        raise SystemExit("bench/memory.py reads /proc, which this system does not have; run it on Linux")

    rng = random.Random(1)
    print(f"{'resident, MB':<24}{'node':>9}{'plugin':>9}{'both':>9}{'anonymous':>11}")
    with tempfile.TemporaryDirectory() as folder:
        node = Node(Path(folder))
        try:
            node.measure("empty")
            step = FILLING_TRANSACTIONS * KEYS_A_TRANSACTION
            peak = 0.0
            for start in range(0, arguments.keys, step):
                node.block(range(start, min(start + step, arguments.keys)))
                if start // step % 10 == 9:
                    peak = max(peak, node.measure(f"{start + step:,} keys")[0])
            filled = node.measure(f"{arguments.keys:,} keys")
            middle = last = filled
            for number in range(1, arguments.blocks + 1):
                node.block(rng.sample(range(arguments.keys), arguments.transactions * KEYS_A_TRANSACTION))
                if number % max(1, arguments.blocks // 10) == 0:
                    last = node.measure(f"{number:,} blocks later")
                    peak = max(peak, last[0])
                    if number <= arguments.blocks // 2:
                        middle = last
        finally:
            node.close()
    grown = last[1] - middle[1]
    within, flat = peak <= LIMIT_MB, grown <= FLAT_MB
    print(f"at most {peak:.0f} MB resident; {grown:+.1f} MB anonymous over the second half of the blocks")
    figures = {
        "bench": "memory",
        "keys": arguments.keys,
        "blocks": arguments.blocks,
        "filled_mb": round(filled[0]),
        "peak_mb": round(peak),
        "limit_mb": LIMIT_MB,
        "grown_mb_second_half": round(grown, 1),
        "within_limit": within,
        "flat": flat,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
