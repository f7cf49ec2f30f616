"""Imports go down only, and the checker that says so can say no."""

from __future__ import annotations

from pathlib import Path

import pytest

from hygiene.layers import LAYERS, broken_rule, source_roots, violations

REPOSITORY = Path(__file__).parents[2]


def test_imports_go_down_only() -> None:
    found = violations(REPOSITORY)
    assert not found, "\n" + "\n".join(found)


def test_every_package_of_the_core_has_a_layer() -> None:
    core = REPOSITORY / "platform" / "vessel"
    names = {path.stem for path in core.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    layered = {package for layer in LAYERS for package in layer}
    assert {f"vessel.{name}" for name in names - {"__init__"}} - layered == set()


def test_source_roots_are_not_packages() -> None:
    assert [root for root in source_roots(REPOSITORY) if (root / "__init__.py").exists()] == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("vessel.primitives.header", "vessel.errors"),
        ("vessel.primitives.header", "vessel.primitives.units"),
        ("vessel.chain.producer", "vessel.database.reader"),
        ("vessel.container", "vessel.config"),
        ("vessel.cli.main", "vessel.node"),
        ("vessel.cli.main", "vessel"),
        ("vessel_evm.container", "vessel.container.interface"),
        ("vessel_evm.container", "vessel_proto.container.v1"),
        ("vessel_evm.container", "vessel_evm.engine"),
        ("vessel.chain", "vesselfish"),
        ("vessel.chain", "asyncio"),
    ],
)
def test_allows(importer: str, imported: str) -> None:
    assert broken_rule(importer, imported) == ""


@pytest.mark.parametrize(
    ("importer", "imported", "rule"),
    [
        ("vessel.database.state", "vessel.chain", "down only"),
        ("vessel.config", "vessel.database", "down only"),
        ("vessel.errors", "vessel_proto.node.v1", "down only"),
        ("vessel.testing.chain", "vessel.cli", "down only"),
        ("vessel.network", "vessel.errors", "no layer"),
        ("vessel.api", "vessel.network.peer", "no layer"),
        ("vessel", "vessel.errors", "imports nothing"),
        ("vessel.node", "vessel_evm", "no virtual machine"),
        ("vessel_proto.node.v1", "vessel_evm", "no virtual machine"),
        ("vessel_evm.gateway", "vessel.chain", "only vessel.container, vessel.primitives"),
        ("vessel_evm.gateway", "vessel", "only vessel.container, vessel.primitives"),
        ("vessel_evm.gateway", "vessel_wasm.module", "no other"),
    ],
)
def test_refuses(importer: str, imported: str, rule: str) -> None:
    assert rule in broken_rule(importer, imported)


@pytest.mark.parametrize(
    "source",
    [
        "import vessel.chain.producer",
        "from vessel.chain import producer",
        "from vessel import chain",
        "from ..chain import producer",
        "from .. import chain",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import vessel.chain",
        "def late() -> None:\n    import vessel.chain",
        "import importlib\nimportlib.import_module('vessel.chain')",
    ],
)
def test_sees_every_way_to_import(tmp_path: Path, source: str) -> None:
    for name in ("database", "chain"):
        package = tmp_path / "platform" / "vessel" / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    (tmp_path / "platform/vessel/__init__.py").touch()
    (tmp_path / "platform/vessel/chain/producer.py").touch()
    state = tmp_path / "platform/vessel/database/state.py"
    state.write_text(source)

    (line,) = violations(tmp_path)
    assert line.startswith(f"platform/vessel/database/state.py:{len(source.splitlines())}: ")
    assert "imports go down only" in line


def test_a_relative_import_in_a_package_stays_in_it(tmp_path: Path) -> None:
    package = tmp_path / "platform" / "vessel" / "database"
    package.mkdir(parents=True)
    (package / "state.py").touch()
    (package / "__init__.py").write_text("from . import state\nfrom .state import State\n")
    assert violations(tmp_path) == []
