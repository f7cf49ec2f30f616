"""`vessel run` and `vessel dev`: the configuration they make, the banner, and how they end."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from unit.cli.conftest import invoke
from unit.client.fake_node import container
from vessel.cli import run
from vessel.cli.run import run_config
from vessel.config import DEFAULT_GRPC_ADDRESS, NodeConfig
from vessel.errors import ConfigurationError, GenesisError, StoreLocked, VesselError
from vessel_proto.node.v1 import node_pb2


@dataclass
class Genesis:
    name: str = "dev"
    chain_id: int = 31337


class Running:
    """A node that is told to stop as soon as it has started."""

    def __init__(self, config: NodeConfig, failure: Exception | None = None, dev: bool = True) -> None:
        self.config = config
        self.genesis = Genesis()
        self.genesis_hash = bytes(32)
        self.is_dev = dev
        self.store_url = config.store
        self.grpc_address = "127.0.0.1:4601"
        self.http_addresses = {"": "127.0.0.1:4602"}
        self.closed = False
        self._failure = failure

    def containers(self) -> Sequence[node_pb2.ContainerInfo]:
        return [container()]

    def start(self) -> None:
        if self._failure is not None:
            raise self._failure
        os.kill(os.getpid(), signal.SIGTERM)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Running]:
    """The nodes that commands opened."""
    nodes: list[Running] = []

    def open_node(config: NodeConfig) -> Running:
        nodes.append(Running(config))
        return nodes[-1]

    monkeypatch.setattr(run, "open_node", open_node)
    return nodes


def test_dev_is_in_memory_and_in_this_process(opened: list[Running]) -> None:
    outcome = invoke("dev", "--mining", "interval:500")
    assert outcome.code == 0
    config = opened[0].config
    assert (config.store, config.transport, config.mining) == ("memory:", "local", "interval:500")
    assert config.genesis is None
    assert opened[0].closed


def test_the_banner_says_what_one_needs(opened: list[Running]) -> None:
    said = invoke("dev").stdout
    for text in (
        "Vessel 0.",
        "dev, id 31337",
        "0x" + "00" * 32,
        "grpc, process 4242",
        "127.0.0.1:4601",
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
        "test test test test test test test test test test test junk",
        "m/44'/60'/0'/0/i",
        "never use these keys on a real chain",
    ):
        assert text in said


def test_the_banner_as_json(opened: list[Running]) -> None:
    document = invoke("dev", "--json").document
    assert document["grpc"] == "127.0.0.1:4601"
    assert document["containers"][0]["process_id"] == 4242


def test_keys_are_of_development_chains_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "open_node", lambda config: Running(config, dev=False))
    assert "private key" not in invoke("run", "--store", "memory:").stdout


def test_run_keeps_its_chain_under_the_data_dir(opened: list[Running], tmp_path: Path) -> None:
    words = ("--data-dir", str(tmp_path), "--transport", "local", "--grpc", "127.0.0.1:0")
    assert invoke("run", *words).code == 0
    config = opened[0].config
    engine, _, path = config.store.partition(":")
    assert engine in ("leveldb", "rocksdb")
    assert Path(path).parent == tmp_path
    assert (config.transport, config.grpc_address) == ("local", "127.0.0.1:0")


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (StoreLocked("in use"), 7),
        (GenesisError("malformed"), 8),
        (VesselError("a fault"), 1),
        (RuntimeError("a bug"), 1),
    ],
)
def test_a_failure_is_one_message_and_everything_is_closed(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, code: int
) -> None:
    node = Running(NodeConfig(store="memory:"), failure)
    monkeypatch.setattr(run, "open_node", lambda config: node)
    outcome = invoke("dev")
    assert outcome.code == code
    assert outcome.stdout == ""
    assert str(failure) in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert node.closed


def test_options_override_the_file(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text('store = "rocksdb:elsewhere"\ntransport = "local"\ngrpc_address = "0.0.0.0:1"\n')
    config = run_config(config=path)
    assert (config.store, config.transport, config.grpc_address) == (
        "rocksdb:elsewhere",
        "local",
        "0.0.0.0:1",
    )
    config = run_config(config=path, store="memory:", transport="grpc", grpc="localhost:2")
    assert (config.store, config.transport, config.grpc_address) == ("memory:", "grpc", "localhost:2")


def test_defaults() -> None:
    config = run_config()
    assert (config.transport, config.grpc_address) == ("grpc", DEFAULT_GRPC_ADDRESS)
    assert config.store.endswith(":" + str(Path(".vessel") / "chain"))


@pytest.mark.parametrize("address", ["4600", "host:", ":1", "host:70000", "host:x"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ConfigurationError, match="HOST:PORT"):
        run_config(grpc=address)


@pytest.mark.parametrize("mining", ["never", "interval", "interval:0", "interval:1s"])
def test_a_way_of_mining_that_is_none(mining: str) -> None:
    with pytest.raises(ConfigurationError, match="auto, manual or interval:MS"):
        run_config(mining=mining)
    assert invoke("dev", "--mining", mining).code == 8


def test_a_store_and_a_data_dir_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        run_config(store="memory:", data_dir=tmp_path)
    assert invoke("run", "--config", str(tmp_path / "nothing.toml")).code == 8
