"""The module of our own C (c/*.c, as wasm): what no well-kept library has on every machine.

It is a guest without imports: it reads what lies in its exchange area and leaves the answer there. Each
thread has an instance of its own; the compiled code is shared.
"""

from __future__ import annotations

import threading
from functools import cache
from importlib.resources import files
from typing import Final, cast

import wasmtime

MODULE: Final = "native.wasm"


@cache
def _compiled() -> tuple[wasmtime.Engine, wasmtime.Module]:
    source = files(__package__).joinpath(MODULE)
    if not source.is_file():
        raise FileNotFoundError(
            f"{source} is not there: the build makes it of c/*.c; reinstall the package, or run `make core`"
        )
    try:
        engine = wasmtime.Engine(_config(cached=True))
    except wasmtime.WasmtimeError:  # there is no folder for the cache
        engine = wasmtime.Engine(_config(cached=False))
    return engine, wasmtime.Module(engine, source.read_bytes())


def _config(*, cached: bool) -> wasmtime.Config:
    config = wasmtime.Config()
    config.wasm_wide_arithmetic = True
    if cached:
        config.cache = True
    return config


class Native:
    """One instance. For one thread."""

    def __init__(self) -> None:
        """Instantiate the module."""
        engine, module = _compiled()
        self._store = wasmtime.Store(engine)
        exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._memory = cast(wasmtime.Memory, exports["memory"])
        self._functions = {
            name: cast(wasmtime.Func, exports[name])
            for name in (
                "alt_bn128_multiply",
                "alt_bn128_pairing_begin",
                "alt_bn128_pairing_add",
                "alt_bn128_pairing_end",
                "blake2f",
            )
        }
        self._exchange: int = cast(wasmtime.Func, exports["exchange"])(self._store)

    def call(self, name: str, *arguments: int) -> int:
        """Call an export; 0 for one that returns nothing."""
        return self._functions[name](self._store, *arguments) or 0

    def put(self, data: bytes) -> None:
        """Lay an input into the exchange area."""
        self._memory.write(self._store, data, self._exchange)

    def get(self, size_bytes: int) -> bytes:
        """Take an answer out of it."""
        return bytes(self._memory.read(self._store, self._exchange, self._exchange + size_bytes))


_of_thread = threading.local()


def native() -> Native:
    """Return the instance of the thread that asks."""
    instance: Native | None = getattr(_of_thread, "instance", None)
    if instance is None:
        instance = _of_thread.instance = Native()
    return instance
