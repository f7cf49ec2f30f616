"""The build: the same sources give the same bytes, wherever they lie."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from pathlib import Path
from typing import Any

import pytest

from unit.evm_core.stage import configuration, core
from vessel_evm.engine.core import CoreEngine
from vessel_evm.engine.core_module import CORE, FOLDER, TRACING_CORE, read_module

ROOT = Path(__file__).parents[3]


def hook() -> Any:
    specification = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_same_sources_give_the_same_bytes_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    build, elsewhere = hook(), tmp_path / "somewhere else"
    for folder in {folder for folder, _ in build.MODULES.values()}:
        shutil.copytree(ROOT / folder, elsewhere / folder, ignore=shutil.ignore_patterns("*.wasm"))
    digests = build.compile_core(elsewhere)
    here = {
        module.as_posix(): hashlib.sha256((ROOT / module).read_bytes()).hexdigest()
        for module in build.MODULES
    }
    assert digests == here, "the modules in the tree are not of these sources: run `make core`"
    assert read_module(CORE) != read_module(TRACING_CORE)


def test_the_digest_tells_rules_apart() -> None:
    digests = {core("osaka").digest, core("prague").digest}
    digests.add(CoreEngine(configuration("osaka", code_size_limit=50_000)).digest)
    assert len(digests) == 3
    assert all(len(digest) == 32 for digest in digests)


def test_every_source_is_part_of_the_module() -> None:
    included = {
        line.split('"')[1]
        for path in FOLDER.glob("*.[ch]")
        for line in path.read_text().splitlines()
        if line.startswith('#include "')
    }
    assert {path.name for path in FOLDER.glob("*.[ch]")} - {"core.c"} == included
