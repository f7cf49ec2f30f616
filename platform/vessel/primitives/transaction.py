"""The envelope: raw bytes for a named container. What is inside is the container's business."""

from __future__ import annotations

import msgspec

from vessel.primitives.encoding import blob, text

MAX_TRANSACTION_SIZE_BYTES = 512 * 1024


class Transaction(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Bytes that a client signed, addressed to one container of the chain."""

    container: str
    raw: bytes

    def encode(self) -> bytes:
        """Return the canonical bytes: a leaf of the block's transactions root."""
        return text(self.container) + blob(self.raw)
