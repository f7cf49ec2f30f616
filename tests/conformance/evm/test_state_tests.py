"""A sample of Ethereum's state tests, Prague rules.

VESSEL_CONFORMANCE names the folder that holds `evm/eest_state_public.tar.xz`; without it they are
skipped. VESSEL_CONFORMANCE_EVERY=1 runs all of them (some minutes with the reference engine).
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from conformance.evm.state_tests import Case, read_cases, run

DEFAULT_EVERY = 16
STACK_SIZE_BYTES = 64 << 20


def folder() -> Path | None:
    """Return where the tests of others lie, if anywhere."""
    named = os.environ.get("VESSEL_CONFORMANCE")
    return Path(named) if named else None


@pytest.mark.slow
@pytest.mark.skipif(folder() is None, reason="VESSEL_CONFORMANCE is not set")
def test_state_tests_of_prague() -> None:
    root = folder()
    assert root is not None
    every = int(os.environ.get("VESSEL_CONFORMANCE_EVERY", DEFAULT_EVERY))
    ran = 0
    wrong: list[str] = []

    def work() -> None:
        nonlocal ran
        for case in read_cases(root / "evm" / "eest_state_public.tar.xz", every=every):
            if case.has_blobs or case.is_out_of_reach:
                continue
            ran += 1
            fault = _run(case)
            if fault:
                wrong.append(f"{case.name}: {fault}")

    before = threading.stack_size(STACK_SIZE_BYTES)
    try:
        thread = threading.Thread(target=work)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert not wrong, "\n".join(wrong)
    assert ran * every > 1_800, f"only {ran} cases ran: is the archive whole?"


def _run(case: Case) -> str:
    try:
        return run(case)
    except Exception as error:  # noqa: BLE001 - one case that raises must not hide the others
        return f"raised {error!r}"
