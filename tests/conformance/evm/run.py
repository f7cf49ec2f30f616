"""Ethereum's state and blockchain tests on an engine of ours, through the container.

    python tests/conformance/evm/run.py [--engine core] [--fork Osaka] [--match stCreate2] [-j 2]

VESSEL_CONFORMANCE names the folder whose evm/ holds the archives (release v5.4.0 of the fixtures of
ethereum/execution-spec-tests), or --data does. Cases of forks before Berlin are skipped, and those of
forks that the engine has not; both are counted by name. Last line: `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, TypeVar

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from conformance.evm import blockchain_tests, state_tests
from conformance.evm.cases import (
    BLOCKCHAIN_ARCHIVE,
    FORKS,
    STATE_ARCHIVE,
    BlockchainCase,
    Case,
    StateCase,
    read_cases,
    read_files,
)
from conformance.evm.host import has_system_calls, knows
from vessel_evm.refusal import BLOB_TRANSACTIONS_UNSUPPORTED

STACK_SIZE_BYTES = 64 << 20

# Their pre-states have storage without nonce and code around it (EIP-7610). No block leads there, here or
# on Ethereum, and the flat state does not look for slots where there is no account.
UNREACHABLE = (
    "eip7610_create_collision",
    "stCreate2/RevertInCreateInInitCreate2Paris.json",
    "stExtCodeHash/dynamicAccountOverwriteEmpty_Paris.json",
)
_T = TypeVar("_T")


class Verdict(NamedTuple):
    """What became of a case. skipped: why it was not run; fault: what is wrong."""

    file: str
    name: str
    fork: str
    seconds: float = 0.0
    skipped: str = ""
    fault: str = ""


class Selection(NamedTuple):
    """Which cases to run. every, offset: of each `every` cases of a file, the one at `offset`. without:
    no cases whose file or name holds one of these.
    """

    engine: str
    fork: str = ""
    match: str = ""
    every: int = 1
    offset: int = 0
    without: tuple[str, ...] = ()


def run_file(selection: Selection, file: str, content: bytes) -> list[Verdict]:
    """Run the cases of one file that are selected."""
    return with_deep_stack(lambda: list(_verdicts(selection, file, content)))


def with_deep_stack(work: Callable[[], _T]) -> _T:
    """Run it in a thread whose stack holds 1,024 frames of any engine."""
    outcome: Future[_T] = Future()

    def body() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            outcome.set_exception(error)

    before = threading.stack_size(STACK_SIZE_BYTES)
    try:
        threading.Thread(target=body).start()
    finally:
        threading.stack_size(before)
    return outcome.result()


def _verdicts(selection: Selection, file: str, content: bytes) -> Iterator[Verdict]:
    position = sum(file.encode())  # so that small files do not all give their first case
    for case in read_cases(file, content):
        if selection.fork and case.fork.lower() != selection.fork.lower():
            continue
        name = f"{case.file}::{case.name}"
        if selection.match not in name or any(part in name for part in selection.without):
            continue
        position += 1
        if position % selection.every != selection.offset:
            continue
        yield run_case(case, selection.engine)


def run_case(case: Case, engine: str) -> Verdict:
    """Run one case, or say why not."""
    forks = [(case.fork, 0)] if isinstance(case, StateCase) else list(case.forks)
    if any(name not in FORKS for name, _ in forks):
        return Verdict(case.file, case.name, case.fork, skipped="not a fork of Berlin to Osaka")
    if not knows(engine, forks):
        return Verdict(case.file, case.name, case.fork, skipped=f"the {engine} engine has no such fork")
    if any(part in case.file for part in UNREACHABLE):
        return Verdict(case.file, case.name, case.fork, skipped="storage without an account (EIP-7610)")
    if isinstance(case, BlockchainCase) and not has_system_calls(engine):
        return Verdict(case.file, case.name, case.fork, skipped=f"the {engine} engine has no system calls")
    began = time.perf_counter()
    try:
        if isinstance(case, StateCase):
            fault = state_tests.run(case, engine)
        else:
            fault = blockchain_tests.run(case, engine)
    except Exception as error:  # noqa: BLE001 - one case that raises must not hide the others
        where = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"raised {error!r} at {Path(where.filename).name}:{where.lineno}"
    if engine == "reference" and BLOB_TRANSACTIONS_UNSUPPORTED in fault:
        return Verdict(case.file, case.name, case.fork, skipped="the reference engine has no blobs")
    return Verdict(case.file, case.name, case.fork, seconds=time.perf_counter() - began, fault=fault)


def run_archives(
    data: Path, selection: Selection, jobs: int = 1, *, share: int = 0, shares: int = 1
) -> Iterator[Verdict]:
    """Run what is selected of both archives, several files at a time; of all files a share."""
    every_file = (
        (file, content)
        for archive in (STATE_ARCHIVE, BLOCKCHAIN_ARCHIVE)
        for file, content in read_files(data / archive)
    )
    files = itertools.islice(every_file, share, None, shares)
    if jobs == 1:
        for file, content in files:
            yield from run_file(selection, file, content)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(run_file, selection, file, content) for file, content in files]
        for future in running:
            yield from future.result()


def print_summary(verdicts: Iterable[Verdict], *, details: int, slowest: int) -> bool:
    """Print failures by file, skipped cases by reason, counts by fork; say whether all passed."""
    passed: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    skipped: Counter[tuple[str, str]] = Counter()
    faults: dict[str, list[Verdict]] = {}
    times: list[tuple[float, str]] = []
    for verdict in verdicts:
        if verdict.skipped:
            skipped[verdict.fork, verdict.skipped] += 1
            continue
        times.append((verdict.seconds, f"{verdict.file}::{verdict.name}"))
        if verdict.fault:
            failed[verdict.fork] += 1
            faults.setdefault(verdict.file, []).append(verdict)
        else:
            passed[verdict.fork] += 1
    for file, found in sorted(faults.items()):
        print(f"{file}: {len(found)} failed")
        for verdict in found[:details]:
            print(f"    {verdict.fork} {verdict.name.rpartition('::')[2]}\n        {verdict.fault[:600]}")
    for (fork, reason), count in sorted(skipped.items()):
        print(f"skipped {count} of {fork}: {reason}")
    for fork in sorted({**passed, **failed}):
        print(f"{fork}: {passed[fork]} passed, {failed[fork]} failed")
    for seconds, name in sorted(times, reverse=True)[:slowest]:
        print(f"{seconds:7.2f} s  {name}")
    print(f"{sum(passed.values())} passed, {sum(failed.values())} failed")
    return not failed and bool(passed)


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", default="core", help="core or reference")
    parser.add_argument("--fork", default="", help="only the cases of one fork, as the fixtures name it")
    parser.add_argument("--match", default="", help="only cases whose file or name holds this")
    parser.add_argument(
        "--without", nargs="*", default=(), help="no cases whose file or name holds one of these"
    )
    parser.add_argument("--data", type=Path, default=os.environ.get("VESSEL_CONFORMANCE"), help="the folder")
    parser.add_argument("--details", type=int, default=3, help="failures to show of each file")
    parser.add_argument("--slowest", type=int, default=0, help="print so many of the cases that took longest")
    parser.add_argument("--every", type=int, default=1, help="only each n-th case")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="processes")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("name the folder with the fixtures: --data, or VESSEL_CONFORMANCE")
    selection = Selection(
        arguments.engine,
        arguments.fork,
        arguments.match,
        arguments.every,
        without=tuple(arguments.without),
    )
    verdicts = run_archives(arguments.data, selection, arguments.jobs)
    return 0 if print_summary(verdicts, details=arguments.details, slowest=arguments.slowest) else 1


if __name__ == "__main__":
    sys.exit(main())
