"""`vessel run` as a child process that is expected to fail, or to serve until the test is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TIMEOUT_S = 60


def environment(**added: str) -> dict[str, str]:
    """Return the surroundings of a person who has set nothing of Vessel's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VESSEL_")}
    return kept | added


def vessel(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "vessel", *words],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        check=False,
    )


@contextmanager
def serving(*words: str, **variables: str) -> Iterator[dict[str, Any]]:
    """Run a node; yield its banner. It ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "vessel", *words, "--json"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=environment(**variables),
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            banner = json.loads(process.stdout.readline() or '{"error": "it ended"}')
            assert "error" not in banner, banner
            yield banner
        finally:
            process.terminate()
            process.wait(TIMEOUT_S)


def store_url(data_dir: Path) -> str:
    """Return the store that `--data-dir` means."""
    from vessel.database.key_value import default_engine

    return f"{default_engine()}:{data_dir / 'chain'}"
