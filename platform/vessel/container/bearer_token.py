"""The secret by which a node knows who may use it."""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from typing import Self

from vessel.errors import ConfigurationError

LENGTH_MIN = 16
LENGTH_MAX = 4096
BEARER = "Bearer "


class BearerToken:
    """A secret that callers show; only its hash is kept, and compared in constant time."""

    __slots__ = ("_digest",)

    def __init__(self, digest: bytes) -> None:
        """Keep the sha256 of the token."""
        self._digest = digest

    @classmethod
    def of(cls, text: str, *, source: str) -> Self:
        """Take the token of a file or variable; ConfigurationError where it is too short or malformed."""
        token = text.strip()
        if not LENGTH_MIN <= len(token) <= LENGTH_MAX or not re.fullmatch(r"[!-~]+", token):
            raise ConfigurationError(
                f"{source} has {len(token)} characters; expected {LENGTH_MIN} to {LENGTH_MAX} of "
                "printable ASCII without blanks, as `openssl rand -hex 32` writes",
                reason="TOKEN",
            )
        return cls(sha256(token.encode()).digest())

    def allows(self, authorization: str) -> bool:
        """Tell whether the value of an Authorization header carries the token."""
        scheme, shown = authorization[: len(BEARER)], authorization[len(BEARER) :]
        digest = sha256(shown.encode(errors="surrogateescape")).digest()
        return hmac.compare_digest(digest, self._digest) and scheme.lower() == BEARER.lower()
