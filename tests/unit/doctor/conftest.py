"""A chain of three blocks over 300 accounts, made once; every test gets a copy that it may damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vessel.config import NodeConfig
from vessel.database.key_value import KeyValue, default_engine, open_key_value
from vessel.node import Node

GENESIS = """
[chain]
name = "doctored"
id = 77
time = 2026-01-01T00:00:00Z
dev = true
[consensus]
engine = "instant"
mode = "manual"
[containers.evm]
addresses = "open"
[accounts]
"""
HEAD = 3


@pytest.fixture(scope="session")
def genesis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A genesis with 300 accounts."""
    path = tmp_path_factory.mktemp("genesis") / "genesis.toml"
    accounts = "".join(f'"0x{number:040x}" = {number}\n' for number in range(1, 301))
    path.write_text(GENESIS + accounts)
    return path


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory, genesis: Path) -> Path:
    """The directory of a store in which all is well."""
    path = tmp_path_factory.mktemp("pristine") / "chain"
    config = NodeConfig(
        store=f"{default_engine()}:{path}", genesis=genesis, transport="local", grpc_address="127.0.0.1:0"
    )
    node = Node.open(config)
    try:
        node.start()
        node.producer.call(lambda: node.producer.mine(HEAD)).result(timeout=60)
    finally:
        node.close()
    return path


@pytest.fixture
def chain(tmp_path: Path, pristine: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(pristine, tmp_path / "data" / "chain"))


def opened(chain: Path) -> KeyValue:
    """Open a store to damage it, or to look at it."""
    return open_key_value(f"{default_engine()}:{chain}", create=False)
