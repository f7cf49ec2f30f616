"""What every folder of tests shares: where data of others lies, and what the documents' examples came to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


@pytest.fixture(scope="session")
def conformance_data() -> Path:
    """Return the folder with Ethereum's test fixtures; skip where VESSEL_CONFORMANCE names none.

    It holds `evm/` with the state and blockchain tests of ethereum/execution-spec-tests, release v5.4.0.
    """
    named = os.environ.get("VESSEL_CONFORMANCE")
    if not named:
        pytest.skip(
            "VESSEL_CONFORMANCE is not set: it names a folder whose evm/ holds the state and blockchain "
            "fixtures of the ethereum/execution-spec-tests release v5.4.0"
        )
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"VESSEL_CONFORMANCE names {folder}, which is not a folder")
    return folder


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print which of the documents' examples were run and which were not."""
    lines = [
        str(value)
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "summary" and report.when == "call"
    ]
    if lines:
        terminalreporter.section("examples of the documents", sep="-")
        for line in sorted(lines):
            terminalreporter.write_line(line)
