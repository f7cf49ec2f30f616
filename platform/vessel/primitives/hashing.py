"""The chain's hash: a parameter of the genesis, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from vessel.errors import GenesisError
from vessel.primitives.units import Hash32


class Hasher:
    """A 32-byte hash with a name; call it with bytes."""

    __slots__ = ("_digest", "name")

    def __init__(self, name: str, digest: Callable[[bytes], bytes]) -> None:
        """Bind a name that a genesis may carry to the function it stands for."""
        self.name = name
        self._digest = digest

    def __call__(self, data: bytes) -> Hash32:
        """Return the 32-byte digest of `data`."""
        return self._digest(data)  # type: ignore[return-value]  # a cast would cost a call for every hash

    def __repr__(self) -> str:
        """Name the hash, for messages."""
        return f"Hasher({self.name!r})"


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _blake2b(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def _sha3_256(data: bytes) -> bytes:
    return hashlib.sha3_256(data).digest()


SHA256 = Hasher("sha256", _sha256)
BLAKE2B = Hasher("blake2b", _blake2b)
SHA3_256 = Hasher("sha3-256", _sha3_256)

_HASHERS = {hasher.name: hasher for hasher in (SHA256, BLAKE2B, SHA3_256)}


def hasher_by_name(name: str) -> Hasher:
    """Return the hash that a genesis names, or raise GenesisError with the names there are."""
    try:
        return _HASHERS[name]
    except KeyError:
        raise GenesisError(
            f"unknown hash {name!r} in [chain]; expected one of {', '.join(sorted(_HASHERS))}"
        ) from None
