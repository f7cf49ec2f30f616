"""What a precompiled contract is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Contract(NamedTuple):
    """A price and an answer.

    gas: of an input; it may be more than any limit there is. run: the output, or None for an input that
    is refused, which costs all gas that was given. `run` is called only where `gas` was paid, so that its
    time and memory are bounded by the gas.
    """

    gas: Callable[[bytes], int]
    run: Callable[[bytes], bytes | None]


def words(data: bytes) -> int:
    """Return how many words of 32 bytes the input fills, the last one in part."""
    return (len(data) + 31) // 32


def padded(data: bytes, size_bytes: int) -> bytes:
    """Return the first bytes of an input that goes on in zeros."""
    return data[:size_bytes].ljust(size_bytes, b"\0")
