"""What stands in the way of a node, and what it says then."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.conftest import Open
from vessel.config import ContainerProcess, NodeConfig
from vessel.errors import (
    ConfigurationError,
    GenesisError,
    GenesisMismatch,
    NotFound,
    StoreLocked,
    UnknownContainer,
)
from vessel.node import Node

GENESIS = """
[chain]
name = "other"
id = 5
time = 2026-01-01T00:00:00Z
[consensus]
engine = "instant"
{consensus}
[containers.evm]
addresses = "open"
{evm}
"""
HOLD = """
import sys
from vessel.config import NodeConfig
from vessel.node import Node
node = Node.open(NodeConfig(store=sys.argv[1], transport="local", grpc_address="127.0.0.1:0"))
print("open", flush=True)
sys.stdin.read()
node.close()
"""


def config(**settings: object) -> NodeConfig:
    """Return a configuration that would do."""
    usual: dict[str, object] = {"store": "memory:", "transport": "local", "grpc_address": "127.0.0.1:0"}
    return NodeConfig(**usual | settings)  # type: ignore[arg-type]


def genesis(tmp_path: Path, *, consensus: str = "", evm: str = "") -> Path:
    """Write a genesis."""
    path = tmp_path / "genesis.toml"
    path.write_text(GENESIS.format(consensus=consensus, evm=evm))
    return path


def test_a_port_that_is_taken(open_node: Open) -> None:
    first = open_node()
    second = Node.open(config(grpc_address=first.grpc_address))
    with pytest.raises(ConfigurationError, match="cannot listen on") as caught:
        second.__enter__()
    assert ("ADDRESS_IN_USE", first.grpc_address) == (caught.value.reason, caught.value.details["address"])
    gc.collect()  # nothing may be left that complains when it goes


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1", ":4600", "127.0.0.1:66000"])
def test_an_address_that_is_none(open_node: Open, address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"(?i)host:port"):
        open_node(grpc_address=address)
    gc.collect()


def test_a_node_that_is_never_started_leaves_nothing() -> None:
    Node.open(config()).close()
    gc.collect()


def test_closing_twice_is_harmless(open_node: Open) -> None:
    node = open_node()
    node.close()
    node.close()


@pytest.mark.slow
def test_a_store_that_another_process_holds(tmp_path: Path) -> None:
    store = f"leveldb:{tmp_path / 'chain'}"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, store], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StoreLocked):
            Node.open(config(store=store))
        holder.stdin.close()
        assert holder.wait(30) == 0
    Node.open(config(store=store)).close()


def test_a_store_of_another_genesis(tmp_path: Path) -> None:
    store = f"leveldb:{tmp_path / 'chain'}"
    Node.open(config(store=store)).close()
    with pytest.raises(GenesisMismatch, match="use the genesis that the store was made with"):
        Node.open(config(store=store, genesis=genesis(tmp_path)))
    Node.open(config(store=store)).close()


@pytest.mark.parametrize(
    ("consensus", "evm", "kind", "message"),
    [
        ('mode = "fast"', "", GenesisError, "Invalid enum value 'fast'"),
        ("", 'kind = "nonsense"', UnknownContainer, "no container of kind 'nonsense' is installed"),
        ("", 'kind = "vessel:nothing"', UnknownContainer, "cannot be loaded"),
        ("", "parameters = { nonsense = 1 }", ConfigurationError, "nonsense"),
    ],
)  # fmt: skip
def test_a_genesis_that_does_not_do(
    tmp_path: Path, consensus: str, evm: str, kind: type[Exception], message: str
) -> None:
    path = genesis(tmp_path, consensus=consensus, evm=evm)
    with pytest.raises(kind, match=message):
        Node.open(config(genesis=path))
    gc.collect()


@pytest.mark.slow
def test_a_genesis_that_does_not_do_says_so_through_a_plugin_process_too(tmp_path: Path) -> None:
    path = genesis(tmp_path, evm="parameters = { nonsense = 1 }")
    with pytest.raises(ConfigurationError, match="nonsense"):
        Node.open(config(genesis=path, transport="grpc"))


@pytest.mark.parametrize(
    "mining", ["sometimes", "interval", "interval:", "interval:x", "interval:²", "auto:5"]
)
def test_a_way_of_mining_that_there_is_not(mining: str) -> None:
    with pytest.raises(ConfigurationError, match="expected auto, manual or interval:MILLISECONDS"):
        Node.open(config(mining=mining))


def test_a_configuration_of_a_container_that_the_chain_does_not_have() -> None:
    with pytest.raises(ConfigurationError, match="names the container 'vm'; the chain 'dev' has: evm"):
        Node.open(config(containers={"vm": ContainerProcess()}))


def test_a_fresh_node_has_its_genesis_and_no_more(open_node: Open) -> None:
    node = open_node()
    assert node.chain.head.block.header.height == 0
    with pytest.raises(NotFound):
        node.chain.store.block(1)
