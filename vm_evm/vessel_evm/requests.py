"""Requests of a block to a beacon chain (EIP-7685): deposits from logs, the rest from system contracts.

There is no such chain here. They are collected where the genesis asks for system calls, so that contracts
that count on them, and tests, find what Ethereum has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from vessel.container import ContainerError, Log
from vessel.primitives.units import Address, Hash32

DEPOSIT_CONTRACT: Final = Address(bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa"))
DEPOSIT_TOPIC: Final = bytes.fromhex("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5")
DEPOSIT, WITHDRAWAL, CONSOLIDATION = b"\0", b"\1", b"\2"

# The event has five byte strings, ABI-encoded: where each begins, and how long it is (EIP-6110).
_EVENT_SIZE_BYTES: Final = 576
_FIELDS: Final = ((160, 48), (256, 32), (320, 8), (384, 96), (512, 8))


def read_deposits(logs: Iterable[Log]) -> bytes:
    """Return the deposits that logs announce, one after the other; ContainerError where one is malformed."""
    return b"".join(
        _read_deposit(log.data)
        for log in logs
        if log.address == DEPOSIT_CONTRACT and log.topics[:1] == (DEPOSIT_TOPIC,)
    )


def _read_deposit(data: bytes) -> bytes:
    parts = []
    sound = len(data) == _EVENT_SIZE_BYTES
    for position, (start, size_bytes) in enumerate(_FIELDS):
        sound = sound and _word(data, 32 * position) == start and _word(data, start) == size_bytes
        parts.append(data[start + 32 : start + 32 + size_bytes])
    if not sound:
        raise ContainerError(
            f"the deposit contract logged {len(data)} bytes in another layout than EIP-6110 gives: "
            "such a block cannot be"
        )
    return b"".join(parts)


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 32], "big")


def requests_hash(requests: Sequence[bytes]) -> Hash32:
    """Return what Ethereum's header holds of the requests, each its type and data, empty ones left out."""
    digests = [hashlib.sha256(request).digest() for request in requests if len(request) > 1]
    return Hash32(hashlib.sha256(b"".join(digests)).digest())
