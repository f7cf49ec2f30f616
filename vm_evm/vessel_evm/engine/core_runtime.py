"""How the driver reaches into an instance of the core: the one file that knows wasmtime's C interface.

`Func.__call__` of wasmtime's Python API takes 40 µs and more, `wasmtime_func_call_unchecked` 0.3 to 0.6.
So calls go the raw way where a self-test at start-up shows that it works, and by the public API where it
does not. The core imports nothing and never calls back, so the library may give up the GIL for a call
(`CDLL`, which is how wasmtime opens it).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Final, cast

from wasmtime import Func, Instance, Memory, Store, Trap, WasmtimeError
from wasmtime import _ffi as ffi

from vessel.container import ContainerError
from vessel_evm.engine.core_module import CompiledModule, close_at_exit

_MASK_32: Final = 0xFFFF_FFFF

# Each exported function with the widths of its parameters in bits; all return 32 bits.
FUNCTIONS: Final[dict[str, tuple[int, ...]]] = {
    "configure": (32, 32, 32),
    "forget": (64,),
    "forget_balances": (),
    "set_block": (32,),
    "run": (32, 64, 32, 32),
    "run_signed": (32, 64, 32, 64),
    "resume": (),
    "resume_precompile": (32, 64, 32),
}
_ADDRESSES: Final = (
    *("input_at", "input_capacity", "batch_capacity", "answer_at", "answer_capacity"),
    *("request_at", "result_at", "report_at"),
)


class CoreInstance:
    """One instance with a memory of its own. For one thread at a time.

    Every method raises ContainerError where wasmtime reports an error or a trap: neither is ever an
    outcome of the EVM, and the instance is not to be used again.
    """

    def __init__(self, compiled: CompiledModule, *, raw: bool | None = None) -> None:
        """Instantiate. raw: which way calls go; None for the raw one where it works."""
        self.raw = is_raw_path_sound(compiled) if raw is None else raw
        self._store = close_at_exit(Store(compiled.engine))
        try:
            instance = Instance(self._store, compiled.module, [])
        except (WasmtimeError, Trap) as error:
            raise ContainerError(f"the EVM core cannot be instantiated: {error}") from error
        exports = instance.exports(self._store)
        memory = exports["memory"]
        assert isinstance(memory, Memory)
        self._memory = memory
        self._exports = exports
        make = self._raw_call if self.raw else self._public_call
        names = {**FUNCTIONS, **dict.fromkeys(_ADDRESSES, ())}
        names = {name: widths for name, widths in names.items() if name in exports}
        if "step_at" in exports:
            names |= {"step_at": (), "set_stepping": (32,), "step": ()}
        self._calls = {name: make(name, widths) for name, widths in names.items()}
        self._base = self._find_base()
        size = memory.data_len(self._store)
        # Only what lies in the static regions is reached through it: it need not follow growth.
        self.memory = memoryview((ctypes.c_ubyte * size).from_address(self._base)).cast("B")
        self._places = {name: self.call(name) for name in _ADDRESSES}

    def place(self, name: str) -> int:
        """Return a region's offset in memory, or its capacity in bytes."""
        return self._places[name]

    def function(self, name: str) -> Callable[..., int]:
        """Return an exported function. Parameters are unsigned and within their widths."""
        return self._calls[name]

    def call(self, name: str, *arguments: int) -> int:
        """Call an exported function."""
        return self._calls[name](*arguments)

    def write(self, at: int, content: bytes) -> None:
        """Put bytes into a static region."""
        self.memory[at : at + len(content)] = content

    def read(self, at: int, size: int) -> bytes:
        """Return bytes from anywhere in memory, also from what it has grown by."""
        if at + size > self._memory.data_len(self._store):
            raise ContainerError(f"the EVM core names {size} bytes at {at}, beyond its memory")
        return ctypes.string_at(self._base + at, size)

    def size_bytes(self) -> int:
        """Return how large the memory has grown."""
        return self._memory.data_len(self._store)

    def _find_base(self) -> int:
        address = ctypes.cast(self._memory.data_ptr(self._store), ctypes.c_void_p).value
        if address is None:
            raise ContainerError("the EVM core has no memory")
        return address

    def _public_call(self, name: str, widths: tuple[int, ...]) -> Callable[..., int]:
        function, store = self._exports[name], self._store
        assert isinstance(function, Func)

        def call(*arguments: int) -> int:
            # The public API takes signed integers.
            signed = [value - ((value >> (w - 1)) << w) for value, w in zip(arguments, widths, strict=True)]
            try:
                return cast(int, function(store, *signed)) & _MASK_32
            except (WasmtimeError, Trap) as error:
                raise ContainerError(f"the EVM core failed in {name!r}: {error}") from error

        return call

    def _raw_call(self, name: str, widths: tuple[int, ...]) -> Callable[..., int]:
        function, store = self._exports[name], self._store
        assert isinstance(function, Func)
        invoke = _entry_point()
        slots = max(1, len(widths))
        values = (ffi.wasmtime_val_raw * slots)()
        trap = ctypes.c_void_p()
        raw_function = function._func
        context = ctypes.cast(store._context(), ctypes.c_void_p).value
        function_at, values_at, trap_at = (
            ctypes.addressof(raw_function),
            ctypes.addressof(values),
            ctypes.addressof(trap),
        )
        # A value takes 16 bytes; little-endian, so that the low half of 64 bits is the value of 32.
        words = (ctypes.c_uint64 * (2 * slots)).from_buffer(values)
        result = ctypes.c_uint32.from_buffer(values)

        def call(*arguments: int) -> int:
            place = 0
            for value in arguments:
                words[place] = value
                place += 2
            error = invoke(context, function_at, values_at, slots, trap_at)
            if error or trap.value:
                raise ContainerError(f"the EVM core failed in {name!r}: {_take_message(error, trap)}")
            return result.value

        # What the addresses above point into must live as long as the function.
        call.__dict__["keeps"] = (store, function, raw_function, values, trap)
        return call


def _entry_point() -> Callable[..., int | None]:
    # A function object of our own: the one in wasmtime's bindings converts every argument.
    function = ffi.dll["wasmtime_func_call_unchecked"]
    function.restype = ctypes.c_void_p
    function.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t, ctypes.c_void_p]
    return cast(Callable[..., "int | None"], function)


def _take_message(error: int | None, trap: ctypes.c_void_p) -> str:
    """Free what wasmtime returned and say what it was."""
    if error:
        pointer = ctypes.cast(error, ctypes.POINTER(ffi.wasmtime_error_t))
        return str(WasmtimeError._from_ptr(pointer))
    taken = ctypes.cast(trap.value or 0, ctypes.POINTER(ffi.wasm_trap_t))
    trap.value = None
    return str(Trap._from_ptr(taken))


@cache
def is_raw_path_sound(compiled: CompiledModule) -> bool:
    """Say whether both ways into the core answer the same; tried once in a process."""
    if ctypes.sizeof(ffi.wasmtime_val_raw) != 16 or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    try:
        instances = [CoreInstance(compiled, raw=raw) for raw in (False, True)]
        answers = [
            [
                *(instance.place(name) for name in _ADDRESSES),
                instance.call("configure", 99, 1, 1),
                instance.call("configure", 0, 0xFFFF, _MASK_32),
                instance.call("forget", 2**64 - 1),
                *(instance.call("forget_balances") for _ in range(3)),
            ]
            for instance in instances
        ]
    except (ContainerError, AttributeError, ctypes.ArgumentError, TypeError, ValueError):
        return False
    return answers[0] == answers[1]
