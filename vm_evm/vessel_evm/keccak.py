"""Ethereum's hash: Keccak-256 with the padding of the original submission, not SHA3-256 of the standard.

The backend is chosen here by name. `eth_hash.auto` would choose by the environment, and nothing that
executes blocks reads that.
"""

from __future__ import annotations

from typing import cast

from eth_hash.backends.pysha3 import backend

from vessel.primitives.units import Hash32


def keccak(data: bytes) -> Hash32:
    """Return the 32-byte Keccak-256 digest of `data`."""
    return cast(Hash32, backend.keccak256(data))


EMPTY_CODE_HASH = keccak(b"")
EMPTY_TRIE_ROOT = keccak(b"\x80")
