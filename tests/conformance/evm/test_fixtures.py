"""Ethereum's state and blockchain tests: all of them on the core, a sample of Prague on the reference.

VESSEL_CONFORMANCE names the folder with the fixtures; where it is not set these tests skip. run.py runs
any of them by hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.evm.run import Selection, Verdict, run_archives
from vessel_evm.configuration import ENGINES

SHARES = 4  # so that several processes can have a part of it
REFERENCE_EVERY = 8
# Minutes in plain Python, and no other than the cases beside them.
SLOW_IN_PYTHON = ("test_valid_gas_g2msm", "static_Call50000", "test_point_evaluation_precompile_gas")

needs_core = pytest.mark.skipif("core" not in ENGINES, reason="this build has no engine 'core'")


def report(verdicts: list[Verdict]) -> str:
    """Return the failures in words."""
    return "\n".join(f"{v.file}::{v.name} {v.fork}: {v.fault}" for v in verdicts if v.fault)


@needs_core
@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_core_passes_every_case(conformance_data: Path, share: int) -> None:
    verdicts = list(run_archives(conformance_data, Selection("core"), share=share, shares=SHARES))
    assert not report(verdicts)
    ran = sum(not verdict.skipped for verdict in verdicts)
    assert ran * SHARES > 5_000, f"only {ran} cases ran: are the archives whole?"


@pytest.mark.slow
def test_reference_passes_a_sample_of_prague(conformance_data: Path) -> None:
    selection = Selection("reference", fork="Prague", every=REFERENCE_EVERY, without=SLOW_IN_PYTHON)
    verdicts = list(run_archives(conformance_data, selection))
    assert not report(verdicts)
    ran = sum(not verdict.skipped for verdict in verdicts)
    assert ran * REFERENCE_EVERY > 1_500, f"only {ran} cases ran: are the archives whole?"
