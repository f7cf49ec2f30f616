"""The same scenarios on two machines, a fixed handful of seeds; run.py goes on for as long as wanted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fuzz.evm.generator import scenario
from fuzz.evm.machines import EngineMachine, Specification
from fuzz.evm.run import HOW_TO_GET, compare
from vessel_evm.configuration import ENGINES

needs_core = pytest.mark.skipif("core" not in ENGINES, reason="this build has no engine 'core'")


@pytest.fixture(scope="module")
def specification() -> Iterator[Specification]:
    """Ethereum's specification in an interpreter of its own."""
    python = os.environ.get("VESSEL_EELS")
    if not python:
        pytest.skip(HOW_TO_GET)
    machine = Specification(Path(python))
    yield machine
    machine.close()


@needs_core
@pytest.mark.slow
def test_core_does_as_the_reference_in_prague() -> None:
    core, reference = EngineMachine("core"), EngineMachine("reference")
    for seed in range(100):
        subject = scenario(seed, "prague")
        where = compare(core, reference, subject)
        assert not where, f"seed {seed}: {where}\n{subject.to_json()}"


@needs_core
@pytest.mark.slow
@pytest.mark.parametrize("fork", ["osaka", "cancun", "london"])
def test_core_does_as_the_specification(specification: Specification, fork: str) -> None:
    core = EngineMachine("core")
    for seed in range(25):
        subject = scenario(seed, fork)
        where = compare(core, specification, subject)
        assert not where, f"seed {seed}: {where}\n{subject.to_json()}"


@pytest.mark.slow
def test_reference_does_as_the_specification_in_prague(specification: Specification) -> None:
    reference = EngineMachine("reference")
    for seed in range(20):
        subject = scenario(seed, "prague")
        where = compare(reference, specification, subject)
        assert not where, f"seed {seed}: {where}\n{subject.to_json()}"
