"""Recursive Length Prefix: the encoding of Ethereum's transactions (Yellow Paper, appendix B).

Strict: an encoding that is longer than it need be is refused, for a value has one encoding or a
transaction has many hashes. Flat: the outermost list comes with the offset at which each field ends,
so that what was signed is cut out of the raw bytes and need not be encoded again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Item: TypeAlias = "bytes | list[Item]"

MAX_DEPTH = 5  # transaction, access list, entry, its slots, and one to spare


class MalformedRlp(ValueError):
    """The bytes are not the canonical RLP of anything; the message says where and why."""


class Fields:
    """The outermost list: its items, and where each ends in the bytes that were read."""

    __slots__ = ("_data", "_ends", "_start", "items")

    def __init__(self, data: bytes, start: int = 0) -> None:
        """Read the list that begins at `start` and takes up all of the rest of `data`."""
        if start >= len(data):
            raise MalformedRlp("it is empty")
        is_list, at, stop = _header(data, start, len(data))
        if not is_list:
            raise MalformedRlp(f"expected a list at byte {start}")
        if stop != len(data):
            raise MalformedRlp(f"{len(data) - stop} bytes follow after its end at byte {stop}")
        self._data = data
        self._start = at
        self._ends: list[int] = []
        self.items: list[Item] = []
        while at < stop:
            item, at = _item(data, at, stop, 1)
            self.items.append(item)
            self._ends.append(at)

    def encoded_prefix(self, count: int) -> bytes:
        """Return the encodings of the first `count` items, one after the other."""
        return self._data[self._start : self._ends[count - 1]]


def _header(data: bytes, at: int, limit: int) -> tuple[bool, int, int]:
    """Return whether a list begins at `at`, and the bounds of its payload."""
    first = data[at]
    if first < 0x80:
        return False, at, at + 1
    is_list = first >= 0xC0
    short = first - (0xC0 if is_list else 0x80)
    start = at + 1
    if short <= 55:
        stop = start + short
        if not is_list and short == 1 and stop <= limit and data[start] < 0x80:
            raise MalformedRlp(f"the single byte at {start} has a length in front of it")
    else:
        width = short - 55
        encoded = data[start : start + width]
        start += width
        size = int.from_bytes(encoded, "big")
        if len(encoded) < width:
            raise MalformedRlp(f"a length of {width} bytes at byte {at} is cut off")
        if encoded[0] == 0 or size <= 55:
            raise MalformedRlp(f"the length at byte {at} is longer than it need be")
        stop = start + size
    if stop > limit:
        raise MalformedRlp(f"the item at byte {at} ends {stop - limit} bytes beyond its surroundings")
    return is_list, start, stop


def _item(data: bytes, at: int, limit: int, depth: int) -> tuple[Item, int]:
    """Return the item at `at` and where the next one begins."""
    is_list, start, stop = _header(data, at, limit)
    if not is_list:
        return data[start:stop], stop
    if depth >= MAX_DEPTH:
        raise MalformedRlp(f"lists are nested deeper than {MAX_DEPTH} at byte {at}")
    items: list[Item] = []
    while start < stop:
        item, start = _item(data, start, stop, depth + 1)
        items.append(item)
    return items, stop


def encode_bytes(data: bytes) -> bytes:
    """Return the encoding of a string of bytes."""
    if len(data) == 1 and data[0] < 0x80:
        return data
    return _length(len(data), 0x80) + data


def encode_integer(value: int) -> bytes:
    """Return the encoding of a non-negative integer: its shortest big-endian bytes."""
    return encode_bytes(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def encode_list(encoded_items: Sequence[bytes]) -> bytes:
    """Return the encoding of a list of items that are encoded already."""
    payload = b"".join(encoded_items)
    return _length(len(payload), 0xC0) + payload


def _length(size: int, offset: int) -> bytes:
    if size <= 55:
        return bytes((offset + size,))
    encoded = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((offset + 55 + len(encoded),)) + encoded
