"""Roots over lists: transactions and receipts of a block.

A binary tree with domain-separated leaves and nodes, the shape of RFC 6962 section 2.1 over the
chain's own hash: a leaf is H(0x00 ‖ item), a node H(0x01 ‖ left ‖ right), the left subtree holds the
largest power of two smaller than the count, and the empty list is H of nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from vessel.primitives.hashing import Hasher
from vessel.primitives.units import Hash32


def list_root(hasher: Hasher, items: Sequence[bytes]) -> Hash32:
    """Return the root over `items` in their order."""
    if not items:
        return hasher(b"")
    level = [hasher(b"\0" + item) for item in items]
    while len(level) > 1:
        # Pairing from the left and carrying an odd last node up gives RFC 6962's shape.
        paired = [hasher(b"\1" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0]
