"""What a load of questions costs the blocks: none, where readers answer them.

    python bench/readers.py [--rounds 8] [--blocks 10] [--askers 1]

Blocks of 100 transactions are executed one after another, in turn without any questions, with askers who
ask without a pause while a reader process answers, and with the same askers where there is no reader and
the plugin that executes the blocks answers beside them. What any busy process costs its neighbours on this
machine is shown by one that has nothing to do with Vessel and does the same work. A question and a
transaction each keep the container busy for a while, as a call of a contract does. The rounds follow each
other, so that a machine that changes pace changes all of them; figures are medians over the rounds. Last
line: JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

from container_wire import NAME, Bench, Noop, NoopExecution, _raw

from vessel.container import (
    BlockStart,
    BlockState,
    Configuration,
    Mode,
    Query,
    TransactionBatch,
    TransactionResult,
    ViewRequest,
    ViewResult,
    namespace_prefix,
    serve,
)
from vessel.container.hosted import ProcessHosting
from vessel.container.readers import NICENESS
from vessel.container.supervisor import ContainerHost, Supervisor
from vessel.primitives.units import ZERO_HASH, Height

TRANSACTIONS = 100
TRANSACTION_HASHES = 150
QUESTION_HASHES = 10_000
KEYS = {
    "nobody asks": "quiet",
    "a stranger is busy": "stranger",
    "a reader answers": "reader",
    "the plugin answers": "plugin",
}


def _work(hashes: int) -> None:
    data = b""
    for _ in range(hashes):
        data = hashlib.sha256(data).digest()


class Busy(Noop):
    """The no-op container, which takes its time."""

    def execute(self, start: BlockStart, state: BlockState) -> BusyExecution:
        return BusyExecution(state, self._prefix)

    def view(self, request: ViewRequest, state: BlockState) -> ViewResult:
        state.read([namespace_prefix(1) + b"%d" % number for number in range(8)])
        _work(QUESTION_HASHES)
        return ViewResult()


class BusyExecution(NoopExecution):
    """Its block."""

    def transactions(self, batch: TransactionBatch) -> Iterator[TransactionResult]:
        for result in super().transactions(batch):
            _work(TRANSACTION_HASHES)
            yield result


class Askers:
    """Threads that ask without a pause."""

    def __init__(self, bench: Bench, count: int) -> None:
        self._bench = bench
        self._over = threading.Event()
        self.asked = 0
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]

    def __enter__(self) -> Askers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        state = self._bench.state
        reader = state.reader(state.head_version)
        start = BlockStart(mode=Mode.VIEW, height=Height(1), time_ms=1, state_version=reader.version)
        request = ViewRequest(start=start, query=Query(method="busy"))
        while not self._over.is_set():
            self._bench.hosted.ask(lambda connection: connection.view(request, reader))
            self.asked += 1


@contextlib.contextmanager
def stranger() -> Iterator[None]:
    """Keep a process busy that nobody talks to."""
    process = subprocess.Popen((sys.executable, __file__, "--stranger"), stdin=subprocess.DEVNULL)
    os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def blocks_a_second(bench: Bench, raws: Sequence[bytes], blocks: int) -> float:
    begun = time.perf_counter()
    for _ in range(blocks):
        bench.block(raws)
    return blocks / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--askers", type=int, default=1)
    options = parser.parse_args()

    configuration = Configuration(chain_id=1, genesis_hash=ZERO_HASH, instance=NAME, namespace=1)
    host = ContainerHost()

    def supervisor() -> Supervisor:
        command = (sys.executable, __file__, "--plugin")
        return Supervisor(NAME, command, host, timeout_s=60, start_timeout_s=60)

    with_reader = ProcessHosting(supervisor(), configuration, [supervisor()])
    without = ProcessHosting(supervisor(), configuration)
    rates: dict[str, list[float]] = {name: [] for name in KEYS}
    answers = dict.fromkeys(rates, 0)
    try:
        benches = {"a reader answers": Bench(with_reader), "the plugin answers": Bench(without)}
        if with_reader.readers is None or not with_reader.readers.wait_until_up(60):
            raise SystemExit("bench: the reader did not come up")
        raws = [_raw(0, index) for index in range(TRANSACTIONS)]
        for round_ in range(-1, options.rounds):
            quiet = blocks_a_second(benches["a reader answers"], raws, options.blocks)
            measured = {"nobody asks": quiet}
            with stranger():
                measured["a stranger is busy"] = blocks_a_second(
                    benches["a reader answers"], raws, options.blocks
                )
            for name, bench in benches.items():
                with Askers(bench, options.askers) as askers:
                    measured[name] = blocks_a_second(bench, raws, options.blocks)
                answers[name] += askers.asked
            if round_ >= 0:  # the first one warms up
                for name, rate in measured.items():
                    rates[name].append(rate)
    finally:
        with_reader.close()
        without.close()
        host.close()

    quiet = statistics.median(rates["nobody asks"])
    rows = [f"{'':<22}{'blocks/s':>10}{'of quiet':>10}{'questions':>11}"]
    result: dict[str, float] = {"quiet_blocks_per_s": quiet}
    for name, taken in rates.items():
        rate = statistics.median(taken)
        ratio = statistics.median(mine / own for mine, own in zip(taken, rates["nobody asks"], strict=True))
        rows.append(f"{name:<22}{rate:>10.1f}{ratio:>10.2f}{answers[name]:>11}")
        if name != "nobody asks":
            result |= {f"{KEYS[name]}_blocks_per_s": rate, f"{KEYS[name]}_over_quiet": ratio}
    result["reader_over_stranger"] = statistics.median(
        mine / other
        for mine, other in zip(rates["a reader answers"], rates["a stranger is busy"], strict=True)
    )
    print("\n".join(rows))
    print(json.dumps({name: round(value, 3) for name, value in result.items()}))


if __name__ == "__main__":
    if "--plugin" in sys.argv:
        serve(Busy())
    elif "--stranger" in sys.argv:
        while True:
            _work(QUESTION_HASHES)
    else:
        main()
