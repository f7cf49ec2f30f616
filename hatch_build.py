"""Compiles the EVM core and its precompiles: C to WebAssembly, by the zig compiler of the `ziglang` wheel.

hatchling calls it for every wheel, an editable one too; `make core` (python hatch_build.py) does the same
without installing anything. The same sources give the same bytes on every machine: the module's digest is
part of what the nodes of a chain agree on.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand: there is no build in progress
    BuildHookInterface = object  # type: ignore[assignment, misc]

CORE = Path("vm_evm/vessel_evm/core")
PRECOMPILES = Path("vm_evm/vessel_evm/engine/precompiles")
# Each module: where its sources lie, and what the compiler is given beside the flags of all.
MODULES = {
    CORE / "core.wasm": (CORE, ("core.c",)),
    CORE / "core_tracing.wasm": (CORE, ("-DTRACING", "core.c")),
    PRECOMPILES / "native.wasm": (PRECOMPILES / "c", ("alt_bn128.c", "blake2f.c")),
}
FLAGS = (
    "--target=wasm32-freestanding",
    # What WebAssembly has beyond its first version and the core uses; wasmtime must be told of the last.
    "-mcpu=generic+bulk_memory+bulk_memory_opt+sign_ext+multivalue+wide_arithmetic",
    "-std=gnu17",
    "-O3",
    "-g0",
    "-nostdlib",
    "-Wall",
    "-Wextra",
    "-Wno-unused-function",
    "-Wno-unused-parameter",
    "-Wno-initializer-overrides",
    "-Werror",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    "-Wl,--max-memory=4294901760",
)


def compile_core(root: Path) -> dict[str, str]:
    """Write the modules to their places in the tree; return the sha256 of each by its path.

    RuntimeError carries what the compiler said.
    """
    digests = {}
    for module, (folder, arguments) in MODULES.items():
        content = _compile(root / folder, arguments)
        _replace(root / module, content)
        digests[module.as_posix()] = hashlib.sha256(content).hexdigest()
    return digests


def _compile(folder: Path, arguments: tuple[str, ...]) -> bytes:
    # The sources are named relative to their folder and the caches are fresh: no path gets into the module.
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "module.wasm"
        environment = {
            **os.environ,
            "ZIG_GLOBAL_CACHE_DIR": str(Path(scratch) / "global"),
            "ZIG_LOCAL_CACHE_DIR": str(Path(scratch) / "local"),
        }
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, *arguments, "-o", str(target)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(
                f"the sources in {folder} do not compile: {done.stderr.strip() or done.stdout.strip()}\n"
                "It needs the ziglang wheel of pyproject.toml's [build-system]."
            )
        return target.read_bytes()


def _replace(target: Path, content: bytes) -> None:
    """Write so that a process that reads the module sees the old one or the new one, whole."""
    if target.exists() and target.read_bytes() == content:
        return
    scratch = target.with_suffix(f".{os.getpid()}.tmp")
    scratch.write_bytes(content)
    scratch.replace(target)


class CoreBuildHook(BuildHookInterface):  # type: ignore[misc, unused-ignore]
    """Has the modules in the tree before hatchling collects the files of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; the wheel stays pure, for a module runs everywhere."""
        compile_core(Path(self.root))
        build_data["artifacts"].extend(f"/{module.as_posix()}" for module in MODULES)


if __name__ == "__main__":
    for name, digest in compile_core(Path(__file__).parent).items():
        sys.stdout.write(f"{digest}  {name}\n")
