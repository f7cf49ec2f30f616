"""The import rule: which module may import which, and where a tree breaks it.

Everything is read from the syntax tree, so that imports inside functions and under TYPE_CHECKING count.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# From the bottom to the top. A module imports its own package and those of lower layers;
# packages that share a layer do not import each other.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"vessel_proto", "vessel.errors"}),
    frozenset({"vessel.primitives"}),
    frozenset({"vessel.database", "vessel.config"}),
    frozenset({"vessel.container", "vessel.client"}),
    frozenset({"vessel.consensus"}),
    frozenset({"vessel.processing"}),
    frozenset({"vessel.blocktree"}),
    frozenset({"vessel.chain"}),
    frozenset({"vessel.api"}),
    frozenset({"vessel.node"}),
    frozenset({"vessel.cli", "vessel.testing"}),
    frozenset({"vessel.__main__"}),
)

# What a virtual machine may import of the platform.
OPEN_TO_MACHINES = frozenset({"vessel.container", "vessel.primitives", "vessel_proto"})

CORE = "vessel"
PROTO = "vessel_proto"
_RANK = {package: rank for rank, layer in enumerate(LAYERS) for package in layer}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported module, by its full name, and the line that names it."""

    module: str
    line: int


def source_roots(repository: Path) -> list[Path]:
    """Return the folders whose children are top-level packages."""
    return [
        root
        for root in (repository / "platform", *sorted(repository.glob("vm_*")), repository / "proto")
        if root.is_dir()
    ]


def modules(repository: Path) -> Iterator[tuple[str, Path]]:
    """Yield every module of every package by its full name; scripts beside the packages are left out."""
    for root in source_roots(repository):
        for path in sorted(root.glob("*/**/*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(source: str, *, module: str, is_package: bool, known: frozenset[str]) -> Iterator[Import]:
    """Yield what `source` imports; `from a import b` is a.b where that is a known module, else a."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module=alias.name, line=node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module=module, is_package=is_package)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(module=full if full in known else base, line=node.lineno)
        elif isinstance(node, ast.Call) and _called(node.func) in {"import_module", "__import__"}:
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Import(module=argument.value, line=node.lineno)


def violations(repository: Path) -> list[str]:
    """Return `file:line: rule` for every import that points the wrong way."""
    found = list(modules(repository))
    known = frozenset(name for name, _ in found)
    lines = []
    for module, path in found:
        source = path.read_text()
        is_package = path.name == "__init__.py"
        for imported in imports(source, module=module, is_package=is_package, known=known):
            rule = broken_rule(module, imported.module)
            if rule:
                place = f"{path.relative_to(repository)}:{imported.line}"
                lines.append(f"{place}: {module} imports {imported.module}: {rule}")
    return lines


def broken_rule(importer: str, imported: str) -> str:
    """Return the rule that `importer` breaks by importing `imported`; empty where it breaks none."""
    if not _is_ours(imported) or _package(importer) == _package(imported):
        return ""
    if _is_machine(importer):
        if _is_machine(imported):
            return "a virtual machine imports no other"
        if _package(imported) not in OPEN_TO_MACHINES:
            return f"a virtual machine imports of the platform only {', '.join(sorted(OPEN_TO_MACHINES))}"
        return ""
    if _is_machine(imported):
        return "the core imports no virtual machine, it finds them by entry point"
    if importer == CORE:
        return "vessel/__init__.py imports nothing, since every import runs it"
    if imported == CORE:
        return ""
    for module in (importer, imported):
        if _package(module) not in _RANK:
            return f"{_package(module)} has no layer yet; give it one in layers.py"
    if _RANK[_package(imported)] >= _RANK[_package(importer)]:
        return f"imports go down only, {_package(imported)} is not below"
    return ""


def _package(module: str) -> str:
    """Return the part of a name that has a layer: vessel.chain of vessel.chain.producer."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == CORE else parts[0]


def _is_ours(module: str) -> bool:
    top = module.split(".")[0]
    return top == CORE or top.startswith(f"{CORE}_")


def _is_machine(module: str) -> bool:
    top = module.split(".")[0]
    return top.startswith(f"{CORE}_") and top != PROTO


def _absolute(node: ast.ImportFrom, *, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
