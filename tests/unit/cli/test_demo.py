"""The demo comes to its end, and says why where it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unit.cli.conftest import invoke
from vessel.cli import demo
from vessel.cli.node_process import NodeProcess, is_alive, wait_until_gone
from vessel.errors import ConfigurationError, VesselError


def test_without_the_repository_it_asks_for_an_artifact(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "TOKEN_ARTIFACT", Path("nowhere", "Token.json"))
    with pytest.raises(ConfigurationError, match="--artifact FILE"):
        demo.find_token()
    assert invoke("demo").code == 8
    assert invoke("demo", "--artifact", str(tmp_path / "nothing.json"), "--json").code == 8


def test_a_process_that_lives_and_one_that_does_not() -> None:
    assert is_alive(os.getpid())
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(child.pid)  # ended, and nobody has asked how
    assert wait_until_gone(child.pid, 0.0)


@pytest.mark.slow
def test_a_node_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "genesis.toml").write_text("junk")
    with pytest.raises(VesselError, match=r"genesis\.toml"):
        NodeProcess(tmp_path / "data", arguments=("--genesis", str(tmp_path / "genesis.toml")))


@pytest.mark.slow
def test_the_demo() -> None:
    outcome = invoke("demo")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.splitlines()[-1] == "demo: ok"
