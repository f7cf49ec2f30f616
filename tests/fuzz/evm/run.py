"""Random scenarios on two machines, until they differ or the time is over.

    python tests/fuzz/evm/run.py [--left core] [--right reference] [--fork prague] [--seconds 600] [--seed 0]

--right specification asks Ethereum's specification in Python, in the environment that VESSEL_EELS names:
python -m venv eels && eels/bin/pip install ethereum-execution==2.20.0. A scenario on which the two differ
is printed, and with --keep written to tests/fuzz/evm/vectors/, with what the right one made of it as the
outcome that is right: keep only what the specification said. Last line: `N scenarios,
N divergences`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from fuzz.evm.comparison import difference
from fuzz.evm.generator import scenario
from fuzz.evm.machines import EngineMachine, Machine, Specification
from fuzz.evm.scenario import Scenario

VECTORS = Path(__file__).parent / "vectors"
HOW_TO_GET = (
    "VESSEL_EELS is not set: it names a virtual environment with the specification in it "
    "(python -m venv eels && eels/bin/pip install ethereum-execution==2.20.0)"
)


def open_machine(name: str) -> Machine:
    """Return a machine by name; SystemExit where it is not to be had."""
    if name != "specification":
        return EngineMachine(name)
    python = os.environ.get("VESSEL_EELS")
    if not python:
        raise SystemExit(HOW_TO_GET)
    return Specification(Path(python))


def compare(left: Machine, right: Machine, subject: Scenario, *, strict: bool = False) -> str:
    """Return where two machines differ on a scenario; what one of them raises is a difference too."""
    try:
        mine = left.run(subject)
    except Exception as error:  # noqa: BLE001 - that it raises is what is looked for
        return f"{left.name} raised {error!r}"
    return difference(mine, right.run(subject), strict=strict)


def main() -> int:
    """Read the command line and go on until the time is over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--left", default="core", help="core or reference")
    parser.add_argument("--right", default="reference", help="core, reference or specification")
    parser.add_argument("--fork", default="prague", help="in lower case")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--most", type=int, default=5, help="stop after so many divergences")
    parser.add_argument("--strict", action="store_true", help="tell the kinds of exceptional halts apart")
    parser.add_argument("--keep", action="store_true", help="write what diverges to vectors/")
    options = parser.parse_args()

    left, right = open_machine(options.left), open_machine(options.right)
    ends = time.monotonic() + options.seconds
    seed, found = options.seed, Counter[str]()
    try:
        while time.monotonic() < ends and found.total() < options.most:
            subject = scenario(seed, options.fork)
            where = compare(left, right, subject, strict=options.strict)
            if where:
                found[where] += 1
                print(f"{left.name} and {right.name} differ at {options.fork} seed {seed}: {where}")
                if options.keep:
                    path = VECTORS / f"{options.fork}-{seed}.json"
                    vector = {**json.loads(subject.to_json()), "outcome": right.run(subject)}
                    path.write_text(json.dumps(vector, indent=1) + "\n")
                    print(f"    written to {path}")
                else:
                    print(subject.to_json())
            seed += 1
    finally:
        left.close()
        right.close()
    print(f"{seed - options.seed} scenarios, {found.total()} divergences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
