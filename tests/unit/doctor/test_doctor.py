"""`vessel doctor`: a line for everything it looked at, the mend, and the status of `vessel run`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from containers.launch import plugin_command
from unit.cli.conftest import Outcome, invoke
from unit.doctor.conftest import opened
from vessel.api import exposure
from vessel.cli import config_examination, machine_examination, store_holder
from vessel.cli.machine_examination import Library, examine_machine
from vessel.database.key_value import Batch, default_engine
from vessel.database.layout import block_key

pytestmark = pytest.mark.slow  # every library is loaded, every plugin is started

COUNTING = """
[chain]
name = "counting"
id = 78
time = 2026-01-01T00:00:00Z
[consensus]
engine = "instant"
[containers.counter]
kind = "{kind}"
{parameters}
"""
HOLD = """
import fcntl, sys
lock = open(sys.argv[1], "r+")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


def findings(outcome: Outcome, what: str) -> list[Any]:
    """Return what was found of something."""
    return [each for each in outcome.document["findings"] if each["what"] == what]


def node_file(folder: Path, **fields: object) -> Path:
    """Write a configuration that takes no port and no process unless told."""
    base: dict[str, object] = {"store": "memory:", "transport": "local", "grpc_address": "127.0.0.1:0"}
    path = folder / "node.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in (base | fields).items() if name != "command"]
    if "command" in fields:
        lines += ["[containers.counter]", f"command = {json.dumps(fields['command'])}"]
    path.write_text("\n".join(lines) + "\n")
    return path


def counting(folder: Path, kind: str, parameters: str = "") -> Path:
    """Write a genesis with one container."""
    path = folder / "counting.toml"
    path.write_text(COUNTING.format(kind=kind, parameters=parameters))
    return path


def diagnose(folder: Path, *words: str, **fields: object) -> Outcome:
    """Run the doctor on a configuration."""
    return invoke("doctor", "--json", "--config", str(node_file(folder, **fields)), *words)


def test_all_is_well(tmp_path: Path, chain: Path, genesis: Path) -> None:
    outcome = diagnose(tmp_path, "--genesis", str(genesis), "--data-dir", str(chain.parent), "--deep")
    assert outcome.code == 0, outcome.stdout
    assert outcome.document["well"]
    (store,) = findings(outcome, "store")
    assert "head at 3; 4 blocks" in store["message"]


def test_the_table_is_for_people(tmp_path: Path) -> None:
    outcome = invoke("doctor", "--config", str(node_file(tmp_path)))
    assert outcome.code == 0
    assert "all is well" in outcome.stdout or "to look at" in outcome.stdout
    outcome = invoke("doctor", "--config", str(tmp_path / "absent"))
    assert outcome.code == 8
    assert "fail  configuration" in outcome.stdout
    assert "1 to mend" in outcome.stdout


def test_a_damaged_store(tmp_path: Path, chain: Path, genesis: Path) -> None:
    with opened(chain) as store:
        store.write(Batch([(block_key(1), None)]), sync=True)
    outcome = diagnose(tmp_path, "--genesis", str(genesis), "--data-dir", str(chain.parent))
    assert outcome.code == 7
    (first, *_) = findings(outcome, "store")
    assert (first["reason"], "block 1" in first["message"]) == ("STORE_CORRUPT", True)
    assert "restore a backup" in first["mend"]


def test_a_store_of_another_genesis(tmp_path: Path, chain: Path) -> None:
    outcome = diagnose(tmp_path, "--data-dir", str(chain.parent))
    assert (outcome.code, findings(outcome, "store")[0]["reason"]) == (7, "GENESIS_MISMATCH")


def test_a_locked_store_names_the_process(tmp_path: Path, chain: Path, genesis: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(chain / "LOCK")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        outcome = diagnose(tmp_path, "--genesis", str(genesis), "--data-dir", str(chain.parent))
        other.kill()
    (store,) = findings(outcome, "store")
    assert (outcome.code, store["reason"]) == (7, "STORE_LOCKED")
    assert f"it is process {other.pid}" in store["message"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('genesiss = "x"', "did you mean `genesis`?"),
        ('transport = "carrier pigeon"', "transport"),
        ("[containers.evm]\ncache_byte = 1", "did you mean `cache_bytes`?"),
        ("store", "node.toml"),
    ],
)
def test_a_configuration_that_does_not_do(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "node.toml"
    path.write_text(f'store = "memory:"\n{line}\n')
    outcome = invoke("doctor", "--json", "--config", str(path))
    (found,) = findings(outcome, "configuration")
    assert (outcome.code, found["verdict"]) == (8, "fail")
    assert said in found["message"]


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        outcome = diagnose(tmp_path, grpc_address=address)
    (found,) = findings(outcome, "address --grpc")
    assert (outcome.code, found["reason"]) == (8, "ADDRESS_IN_USE")
    if sys.platform == "linux":
        assert f"process {os.getpid()} listens there" in found["message"]


def test_a_node_that_strangers_could_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "is_loopback", lambda address: not address.startswith("127.0.0.2"))
    monkeypatch.setattr(config_examination, "is_loopback", exposure.is_loopback)
    outcome = diagnose(tmp_path, grpc_address="127.0.0.2:0")
    assert (outcome.code, findings(outcome, "exposure")[0]["reason"]) == (8, "EXPOSED")
    outcome = diagnose(tmp_path, grpc_address="127.0.0.2:0", insecure_expose=True)
    assert (outcome.code, findings(outcome, "exposure")[0]["verdict"]) == (0, "warn")


def test_a_token_that_others_can_read(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("0123456789abcdef")
    token.chmod(0o644)
    (found,) = findings(diagnose(tmp_path, token_file=str(token)), "token file")
    assert (found["verdict"], found["mend"]) == ("warn", f"chmod 600 {token}")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = diagnose(tmp_path, store=f"{default_engine()}:{tmp_path}/file/chain")
    assert (outcome.code, findings(outcome, "store")[0]["verdict"]) == (8, "fail")


@pytest.mark.parametrize(
    ("kind", "parameters", "code", "said"),
    [
        ("nonsense", "", 9, "no container of kind 'nonsense' is installed; there are: "),
        ("containers.counter:Nobody", "", 9, "cannot be loaded"),
        ("evm", "parameters = { nonsense = 1 }", 8, "nonsense"),
    ],
)
def test_a_container_in_this_process(
    tmp_path: Path, kind: str, parameters: str, code: int, said: str
) -> None:
    outcome = diagnose(tmp_path, "--genesis", str(counting(tmp_path, kind, parameters)))
    (found,) = findings(outcome, "container counter")
    assert (outcome.code, found["verdict"], said in found["message"]) == (code, "fail", True)


@pytest.mark.parametrize(
    ("kind", "parameters", "code", "said"),
    [
        ("containers.counter:CounterContainer", "", 0, "grpc: process"),
        ("containers.misbehaving:OtherMajor", "", 9, "speaks container protocol 99.3"),
        (
            "containers.misbehaving:MisbehavingContainer",
            "parameters = { fault = 'die', at = 'validate' }",
            9,
            "container 'counter'",
        ),
    ],
    ids=["well", "other version", "dies"],
)
def test_a_plugin_process(tmp_path: Path, kind: str, parameters: str, code: int, said: str) -> None:
    genesis = counting(tmp_path, kind, parameters)
    command = list(plugin_command(kind))
    outcome = diagnose(tmp_path, "--genesis", str(genesis), command=command, transport="grpc")
    (found,) = findings(outcome, "container counter")
    assert (outcome.code, said in found["message"]) == (code, True), found


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        ("import sys; sys.exit('the licence has run out')", 9, "the licence has run out"),
        (None, 8, "No such file or directory"),
    ],
    ids=["ends at once", "is not there"],
)
def test_a_plugin_that_does_not_start(tmp_path: Path, program: str | None, code: int, said: str) -> None:
    command = [str(tmp_path / "absent")] if program is None else [sys.executable, "-c", program]
    outcome = diagnose(
        tmp_path, "--genesis", str(counting(tmp_path, "any")), command=command, transport="grpc"
    )
    (found,) = findings(outcome, "container counter")
    assert (outcome.code, said in found["message"]) == (code, True), found


def test_a_library_that_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    libraries = (
        Library(module="absent_one", distribution="absent-one", lack="less of it"),
        Library(module="absent_two", distribution="absent-two"),
    )
    monkeypatch.setattr(machine_examination, "LIBRARIES", libraries)
    monkeypatch.setattr(machine_examination, "PYTHON_TESTED", (3, 10))
    assert [(each.verdict.value, each.mend) for each in examine_machine()] == [
        ("warn", "use 3.10"),
        ("warn", "pip install absent-one"),
        ("fail", "pip install absent-two"),
    ]


def test_nobody_holds_what_is_not_there(tmp_path: Path) -> None:
    assert store_holder.holder("memory:") is None
    assert store_holder.holder(f"leveldb:{tmp_path}/nothing") is None
