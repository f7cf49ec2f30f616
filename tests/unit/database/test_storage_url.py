"""Which engine a URL chooses, and what is said where it cannot be had."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from vessel.database.key_value import default_engine, open_key_value
from vessel.database.memory import MemoryKeyValue
from vessel.errors import ConfigurationError


@pytest.mark.parametrize("url", ["", "memory", "sqlite:x", "./data", "leveldb"])
def test_unknown_urls_are_refused_with_those_there_are(url: str) -> None:
    with pytest.raises(ConfigurationError, match="expected memory:, leveldb:PATH or rocksdb:PATH"):
        open_key_value(url)


def test_memory_takes_no_path() -> None:
    with pytest.raises(ConfigurationError, match=r"keeps nothing on disk and takes no path, got '\./data'"):
        open_key_value("memory:./data")


def test_memory_is_always_new() -> None:
    with pytest.raises(ConfigurationError, match="always empty"):
        open_key_value("memory:", create=False)
    assert isinstance(open_key_value("memory:"), MemoryKeyValue)


@pytest.mark.parametrize(("engine", "module"), [("leveldb", "plyvel"), ("rocksdb", "rocksdict")])
def test_a_missing_module_is_named_with_the_mend(
    engine: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"vessel.database.{engine}", raising=False)
    mend = "use rocksdb:./data" if engine == "leveldb" else "pip install rocksdict"
    with pytest.raises(ConfigurationError, match=f"needs {module}, which is not installed.*{mend}"):
        open_key_value(f"{engine}:./data")


def test_default_engine_is_leveldb_where_plyvel_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert default_engine() == "rocksdb"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert default_engine() == "leveldb"
