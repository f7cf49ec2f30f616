"""Structs as they are stored: msgpack, which has no integers above 64 bits, taught to have them.

Amounts of native coin are counted in 10**-18 and exceed 64 bits from 18.4 coins on. A record begins
with one byte: 0 for plain msgpack, 1 where larger integers stand in it as extension 1, big-endian.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from vessel.errors import StoreCorrupt
from vessel.primitives.encoding import from_integer, integer

_T = TypeVar("_T")
_PLAIN = b"\x00"
_LARGE = b"\x01"
_LARGE_INTEGER = 1  # msgpack extension code
_U64_MAX = (1 << 64) - 1


def encode_record(value: Any) -> bytes:
    """Return the stored form of a msgspec Struct."""
    try:
        return _PLAIN + msgspec.msgpack.encode(value)
    except OverflowError:
        builtins = msgspec.to_builtins(value, builtin_types=(bytes,))
        return _LARGE + msgspec.msgpack.encode(_with_extensions(builtins))


def decode_record(record: bytes, kind: type[_T], what: str) -> _T:
    """Return the Struct of a stored form; StoreCorrupt, naming `what`, where it is none."""
    try:
        if record[:1] == _PLAIN:
            return msgspec.msgpack.decode(memoryview(record)[1:], type=kind)
        builtins = msgspec.msgpack.decode(memoryview(record)[1:], ext_hook=_large_integer)
        return msgspec.convert(builtins, type=kind, builtin_types=(bytes,))
    except msgspec.MsgspecError as error:
        raise StoreCorrupt(
            f"what is stored of {what} cannot be read: {error}; restore a backup, or replay the chain"
        ) from error


def _with_extensions(value: Any) -> Any:
    if isinstance(value, int) and value > _U64_MAX:
        return msgspec.msgpack.Ext(_LARGE_INTEGER, integer(value))
    if isinstance(value, list | tuple):
        return [_with_extensions(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_extensions(item) for key, item in value.items()}
    return value


def _large_integer(code: int, data: memoryview) -> int:
    if code != _LARGE_INTEGER:
        raise msgspec.DecodeError(f"unknown extension {code}")
    return from_integer(bytes(data))
