# SPDX-License-Identifier: Apache-2.0
"""A rebuild gives the committed artifacts, where the compilers are installed; `--check` tells when not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
COMPILER_MISSING = 3


def _build(contracts: Path, *arguments: str, without_path: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(contracts / "build.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": ""} if without_path else None,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of contracts/ to spoil, without its compiler."""
    return shutil.copytree(CONTRACTS, tmp_path / "contracts", ignore=shutil.ignore_patterns("node_modules"))


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["solc", "vyper", "assembler"])
def test_rebuild_is_what_is_committed(compiler: str) -> None:
    done = _build(CONTRACTS, "--check", "--compiler", compiler)
    if done.returncode == COMPILER_MISSING:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def test_check_names_the_artifact_and_what_differs(copy: Path) -> None:
    path = copy / "evm" / "create2_deployer" / "Create2Deployer.json"
    artifact = json.loads(path.read_text(encoding="utf-8"))
    artifact["bytecode"] += "00"
    path.write_text(json.dumps(artifact, indent=2) + "\n", encoding="utf-8")
    before = path.read_bytes()

    done = _build(copy, "--check", "--compiler", "assembler")

    assert done.returncode == 1
    assert "contracts/evm/create2_deployer/Create2Deployer.json: bytecode: at character" in done.stderr
    assert "python contracts/build.py" in done.stderr
    assert before == path.read_bytes(), "a check writes nothing"


def test_check_names_an_artifact_that_is_missing(copy: Path) -> None:
    (copy / "evm" / "create2_deployer" / "Create2Deployer.json").unlink()
    done = _build(copy, "--check", "--compiler", "assembler")
    assert done.returncode == 1
    assert "Create2Deployer.json: missing" in done.stderr


def test_check_names_an_artifact_without_a_source(copy: Path) -> None:
    (copy / "evm" / "create2_deployer" / "Create2Deployer.easm").unlink()
    done = _build(copy, "--check", "--compiler", "assembler")
    assert done.returncode == 1
    assert "Create2Deployer.json: no source makes this" in done.stderr


def test_build_writes_the_same_bytes_again(copy: Path) -> None:
    path = copy / "evm" / "create2_deployer" / "Create2Deployer.json"
    expected = path.read_bytes()
    path.unlink()
    done = _build(copy, "--compiler", "assembler")
    assert done.returncode == 0, done.stderr
    assert expected == path.read_bytes()


def test_missing_compiler_says_how_to_get_it(copy: Path) -> None:
    for arguments in (["--check"], []):
        done = _build(copy, "--compiler", "solc", *arguments, without_path=True)
        assert done.returncode == COMPILER_MISSING
        assert "Install Node.js" in done.stderr
        assert "npm ci --prefix contracts" in done.stderr


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js: install Node.js 18 or later")
def test_missing_solc_is_told_from_a_failure(copy: Path) -> None:
    done = _build(copy, "--check", "--compiler", "solc")
    assert done.returncode == COMPILER_MISSING
    assert "not in contracts/node_modules" in done.stderr
    assert "npm ci --prefix contracts" in done.stderr


def test_source_that_is_no_assembly_is_refused_with_its_line(copy: Path) -> None:
    source = copy / "evm" / "create2_deployer" / "Create2Deployer.easm"
    source.write_text("; Apache-2.0\n  PUSH1\n", encoding="utf-8")
    done = _build(copy, "--check", "--compiler", "assembler")
    assert done.returncode == 1
    assert "line 2: PUSH1 takes 1 bytes of operand" in done.stderr
