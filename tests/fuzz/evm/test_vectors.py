"""What once diverged does so no more: every scenario in vectors/ on the engines, and its outcome there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fuzz.evm.comparison import difference
from fuzz.evm.machines import EngineMachine
from fuzz.evm.scenario import from_json
from vessel_evm.configuration import ENGINES

VECTORS = tuple(sorted((Path(__file__).parent / "vectors").glob("*.json")))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
@pytest.mark.parametrize("engine", ["core", "reference"])
def test_outcome_is_the_specification_s(path: Path, engine: str) -> None:
    content = path.read_bytes()
    subject = from_json(content)
    if subject.fork not in ENGINES.get(engine, ()):
        pytest.skip(f"the engine {engine!r} has no {subject.fork}")
    vector = json.loads(content)
    where = difference(EngineMachine(engine).run(subject), vector["outcome"])
    known = vector.get("known", {}).get(engine)  # what is wrong in a library that is not ours to mend
    assert bool(where) == bool(known), where or f"mended: take {known!r} out of {path.name}"
