"""What a person meets who starts a node the wrong way, and who exposes one the right way."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

import pytest

from containers.launch import plugin_command
from e2e.node_child import serving, store_url, vessel
from vessel.client import NodeClient, Unauthenticated
from vessel.database.key_value import Batch, open_key_value
from vessel.database.layout import META_HEAD, block_key

pytestmark = pytest.mark.slow

CERTIFICATES = Path(__file__).parents[1] / "certificates"
CERTIFICATE, KEY = CERTIFICATES / "localhost.pem", CERTIFICATES / "localhost.key"
TOKEN = "0123456789abcdef-a-token-for-tests"
FREE = ("--grpc", "127.0.0.1:0")
GENESIS = """
[chain]
name = "other"
id = 5
time = 2026-01-01T00:00:00Z
dev = {dev}
[consensus]
engine = "instant"
[containers.{name}]
addresses = "open"
"""


def refused(code: int, *words: str) -> str:
    """Run a node that must not start; return its message, which must be one, and nothing beside it."""
    ended = vessel("run", *words)
    assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
    assert ended.stderr.startswith("error: ")
    assert "Traceback" not in ended.stderr
    assert "E0000" not in ended.stderr, "gRPC's own noise"
    return ended.stderr


def genesis(folder: Path, *, dev: bool = False, name: str = "evm") -> Path:
    path = folder / "genesis.toml"
    path.write_text(GENESIS.format(dev=str(dev).lower(), name=name))
    return path


def configured(folder: Path, command: list[str]) -> tuple[str, ...]:
    """Return options for a chain whose one container is run by `command`."""
    path = folder / "node.toml"
    path.write_text(
        'store = "memory:"\ngrpc_address = "127.0.0.1:0"\n'
        f"[containers.counter]\ncommand = {json.dumps(command)}\n"
    )
    return ("--config", str(path), "--genesis", str(genesis(folder, name="counter")))


def test_a_taken_port_names_the_holder() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        said = refused(8, "--store", "memory:", "--transport", "local", "--grpc", address)
    assert f"cannot listen on '{address}'" in said
    assert "--grpc HOST:PORT" in said
    if sys.platform == "linux":
        assert f"process {os.getpid()} listens there" in said


def test_a_store_that_another_process_has_open(tmp_path: Path) -> None:
    words = ("--data-dir", str(tmp_path), "--transport", "local", *FREE)
    with serving("run", *words):
        said = refused(7, *words)
    assert "is open in another process" in said
    if sys.platform == "linux":
        assert "it is process " in said


def test_a_store_of_another_genesis_and_one_that_is_damaged(tmp_path: Path) -> None:
    words = ("--data-dir", str(tmp_path), "--transport", "local", *FREE)
    with serving("run", *words) as banner, NodeClient(banner["grpc"]) as client:
        assert client.mine(3) == 3
    said = refused(7, *words, "--genesis", str(genesis(tmp_path)))
    assert "use the genesis that the store was made with" in said
    with open_key_value(store_url(tmp_path), create=False) as store:
        head = store.get(META_HEAD)
        store.write(Batch([(block_key(3), None)]), sync=True)
    said = refused(7, *words)
    assert "its head is block 3, and does not have that block; restore a backup" in said
    with open_key_value(store_url(tmp_path), create=False) as store:
        assert store.get(META_HEAD) == head  # nothing was written
    doctor = vessel("doctor", "--data-dir", str(tmp_path), "--json")
    assert doctor.returncode == 7
    assert any("its head is block 3" in each["message"] for each in json.loads(doctor.stdout)["findings"])


def test_a_plugin_that_is_not_there(tmp_path: Path) -> None:
    said = refused(8, *configured(tmp_path, [str(tmp_path / "absent")]))
    assert "cannot start the plugin of container 'counter'" in said
    assert "check `command` of [containers.counter]" in said


def test_a_container_that_is_not_installed(tmp_path: Path) -> None:
    path = genesis(tmp_path, name="nonsense")
    said = refused(9, "--store", "memory:", *FREE, "--genesis", str(path))
    assert "no container of kind 'nonsense' is installed" in said


def test_a_plugin_of_another_version_of_the_wire(tmp_path: Path) -> None:
    said = refused(9, *configured(tmp_path, list(plugin_command("containers.misbehaving:OtherMajor"))))
    assert "speaks container protocol 99.3" in said
    assert "install a plugin built for major" in said


@pytest.mark.parametrize("option", ["--grpc", "--http"])
def test_beyond_loopback_without_tls_and_a_token(option: str) -> None:
    said = refused(8, "--store", "memory:", "--transport", "local", *FREE, option, "0.0.0.0:0")
    assert "--tls-cert FILE --tls-key FILE and --token-file FILE" in said


def test_the_right_way(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text(TOKEN + "\n")
    words = (
        "run", "--store", "memory:", "--transport", "local", "--grpc", "0.0.0.0:0",
        "--tls-cert", str(CERTIFICATE), "--tls-key", str(KEY), "--token-file", str(token),
    )  # fmt: skip
    with serving(*words) as banner:
        address = banner["grpc"].replace("0.0.0.0", "127.0.0.1")
        with NodeClient(address, tls=CERTIFICATE) as stranger, pytest.raises(Unauthenticated):
            stranger.service_info()
        trusting = ("--node", address, "--tls-ca", str(CERTIFICATE))
        assert vessel("info", *trusting).returncode == 4
        assert vessel("info", *trusting, "--token-file", str(token)).returncode == 0
        known = {"VESSEL_NODE": address, "VESSEL_TLS_CA": str(CERTIFICATE), "VESSEL_TOKEN": TOKEN}
        assert vessel("info", **known).returncode == 0
        mined = vessel("mine", **known)  # a development chain, but beyond loopback
        assert (mined.returncode, "does not serve Mine" in mined.stderr) == (4, True)


def test_development_controls_are_on_no_other_chain(tmp_path: Path) -> None:
    words = ("--store", "memory:", "--transport", "local", "--genesis", str(genesis(tmp_path)), *FREE)
    with serving("run", *words, "--expose-dev") as banner:
        assert vessel("mine", "--node", banner["grpc"]).returncode == 4


def test_versions() -> None:
    said = vessel("--version")
    assert said.returncode == 0
    assert said.stdout.startswith("vessel 0.")
