"""What lies in the repository: names that say nothing, paths of one machine, packages without types."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from hygiene.layers import source_roots

TOP_LEVEL = ("pyproject.toml", "README.md", "platform", "vm_evm", "proto", "contracts", "tests")
HOLDS_NO_SOURCE = frozenset({"node_modules", "__pycache__", "dist", "build"})

NAMES_NOTHING = frozenset(
    {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utilities", "utils"}
)
NAMED = frozenset({".py", ".c", ".h", ".js", ".cjs", ".sol", ".vy", ".proto"})

TEXT = NAMED | {".md", ".toml", ".json", ".yaml", ".yml", ".cfg", ".ini", ".sh", ".txt", ".css", ".html"}
MACHINE_PATH = re.compile(r"(?<![\w.~*$}/-])/(?:home|root|tmp|Users|work)/[\w.]|\b[A-Za-z]:\\Users\\")


def files(repository: Path) -> Iterator[Path]:
    """Yield the files that are written by hand or checked in: hidden and built folders are left out."""
    for folder, subfolders, names in os.walk(repository):
        subfolders[:] = sorted(
            name
            for name in subfolders
            if name not in HOLDS_NO_SOURCE and (not name.startswith(".") or name == ".ci")
        )
        for name in sorted(names):
            yield Path(folder, name)


def missing_at_the_top(repository: Path) -> list[str]:
    """Return the names that people and tools expect at the top and do not find."""
    return [name for name in TOP_LEVEL if not (repository / name).exists()]


def unnamed(repository: Path) -> list[str]:
    """Return the source files and folders named for no thing: utils, gas_helpers, common/."""
    found = set()
    for path in files(repository):
        if path.suffix in NAMED:
            relative = path.relative_to(repository)
            parts = [*relative.parts[:-1], relative.stem]
            if any(part.lower().split("_")[-1] in NAMES_NOTHING for part in parts):
                found.add(str(relative))
    return sorted(found)


def machine_paths(repository: Path) -> list[str]:
    """Return `file:line: text` for every path of one machine outside tests/."""
    return [
        f"{path.relative_to(repository)}:{number}: {line.strip()[:120]}"
        for path in files(repository)
        if path.relative_to(repository).parts[0] != "tests"
        if path.suffix in TEXT or not path.suffix
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]


def untyped_packages(repository: Path) -> list[str]:
    """Return the packages without the marker that lets type checkers read them."""
    return [
        str(package.relative_to(repository))
        for root in source_roots(repository)
        for package in sorted(root.iterdir())
        if (package / "__init__.py").exists() and not (package / "py.typed").exists()
    ]
