"""The core as a WebAssembly module: where the bytes are, and what wasmtime makes of them.

The module is compiled once in a process and by wasmtime's own cache once on a machine.
"""

from __future__ import annotations

import atexit
import hashlib
import weakref
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from wasmtime import Config, Engine, Module, Store, WasmtimeError

from vessel.container import ContainerError

FOLDER: Final = Path(__file__).parent.parent / "core"
PRECOMPILES: Final = Path(__file__).parent / "precompiles"
CORE: Final = "core.wasm"
TRACING_CORE: Final = "core_tracing.wasm"  # the same sources with a stop before every instruction
# What answers for signatures, hashes and curves beside the two modules.
_LIBRARIES: Final = ("coincurve", "cryptography", "py-arkworks-bls12381", "pycryptodome", "safe-pysha3")


_T = TypeVar("_T", Engine, Module, Store)
_open: weakref.WeakSet[Engine | Module | Store] = weakref.WeakSet()


def close_at_exit(managed: _T) -> _T:
    """Have wasmtime's object closed before the interpreter takes wasmtime's own modules apart."""
    _open.add(managed)
    return managed


@atexit.register
def _close_all() -> None:
    for managed in list(_open):
        managed.close()


class CompiledModule(NamedTuple):
    """A module ready to be instantiated, by several threads too. digest: sha256 of its bytes."""

    engine: Engine
    module: Module
    digest: bytes


def read_module(name: str = CORE) -> bytes:
    """Return the module's bytes; ContainerError where it was not built."""
    return _read(FOLDER / name)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ContainerError(
            f"{path} is missing: the EVM core is compiled when the package is built; "
            "run `make core`, or install the package again"
        ) from None


@cache
def load_module(name: str = CORE) -> CompiledModule:
    """Return the compiled module."""
    content = read_module(name)
    digest = hashlib.sha256(content).digest()
    try:
        engine = Engine(_config(cached=True))
    except WasmtimeError:  # there is no folder for the cache
        engine = Engine(_config(cached=False))
    return CompiledModule(close_at_exit(engine), close_at_exit(Module(engine, content)), digest)


def engine_digest(fork: str, code_size_limit: int) -> bytes:
    """Return 32 bytes over all that decides outcomes: the module, the rules, and the libraries beside it.

    wasmtime's version is not among them: WebAssembly means the same in every one.
    """
    modules = (FOLDER / CORE, PRECOMPILES / "native.wasm")
    parts = ["core/1", fork, str(code_size_limit)]
    parts += [hashlib.sha256(_read(path)).hexdigest() for path in modules]
    parts += [f"{name}=={metadata.version(name)}" for name in _LIBRARIES]
    return hashlib.sha256("\n".join(parts).encode()).digest()


def _config(*, cached: bool) -> Config:
    config = Config()
    config.wasm_wide_arithmetic = True
    config.cranelift_opt_level = "speed"
    # Addresses of the core's regions hold for the life of an instance.
    config.memory_may_move = False
    if cached:
        config.cache = True
    return config
