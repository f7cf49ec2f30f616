"""What lies where, and by what name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hygiene.tree import TOP_LEVEL, machine_paths, missing_at_the_top, unnamed, untyped_packages

REPOSITORY = Path(__file__).parents[2]


def test_the_top_level_is_complete() -> None:
    assert missing_at_the_top(REPOSITORY) == []


def test_files_are_named_for_what_they_hold() -> None:
    assert unnamed(REPOSITORY) == []


def test_no_path_of_a_machine_is_left_in_sources() -> None:
    found = machine_paths(REPOSITORY)
    assert not found, "\n" + "\n".join(found)


def test_every_package_is_typed() -> None:
    assert untyped_packages(REPOSITORY) == []


def test_the_changelog_has_an_unreleased_heading() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text()
    assert re.findall(r"^## .*$", text, re.MULTILINE)[:1] == ["## [Unreleased]"]


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_misses_what_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "README.md")
    assert missing_at_the_top(tmp_path) == [name for name in TOP_LEVEL if name != "README.md"]


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("platform/vessel/utils.py", True),
        ("platform/vessel/gas_helpers.py", True),
        ("platform/vessel/common/state.py", True),
        ("vm_evm/vessel_evm/core/util.h", True),
        ("platform/vessel/snapshot_manager.py", True),
        ("platform/vessel/common_ancestor.py", False),
        ("platform/vessel/state.py", False),
        ("contracts/node_modules/solc/common/helpers.js", False),
        (".venv/lib/utils.py", False),
        ("docs/utils.md", False),
    ],
)
def test_refuses_names_that_say_nothing(tmp_path: Path, path: str, refused: bool) -> None:
    write(tmp_path / path)
    assert unnamed(tmp_path) == ([path] if refused else [])


@pytest.mark.parametrize(
    ("path", "line", "refused"),
    [
        ("platform/vessel/config.py", "DATA = '/home/me/chain'", True),
        ("docs/run.md", "vessel run --data /tmp/chain", True),
        ("Makefile", "run:\n\t/root/bin/vessel", True),
        (".ci/run", "cd /tmp/checkout", True),
        ("docs/run.md", "vessel run --data ~/chain", False),
        ("docs/run.md", "https://example.org/home/page", False),
        ("platform/vessel/config.py", "folder = base / 'tmp' / 'x'", False),
        ("tests/unit/test_config.py", "DATA = '/tmp/chain'", False),
    ],
)
def test_refuses_paths_of_a_machine(tmp_path: Path, path: str, line: str, refused: bool) -> None:
    write(tmp_path / path, line)
    assert bool(machine_paths(tmp_path)) is refused


def test_refuses_a_package_without_types(tmp_path: Path) -> None:
    write(tmp_path / "platform/vessel/__init__.py")
    write(tmp_path / "platform/vessel/py.typed")
    write(tmp_path / "vm_wasm/vessel_wasm/__init__.py")
    write(tmp_path / "proto/generate.py")
    assert untyped_packages(tmp_path) == ["vm_wasm/vessel_wasm"]
