"""What a container says of itself before anything else."""

from __future__ import annotations

import msgspec

PROTOCOL_MAJOR = 0
PROTOCOL_MINOR = 1

MAX_RECENT_IDS = 65_536

# Capabilities. What one side does not know falls away without a word.
BLOCK_HOOKS = "block_hooks"  # takes part in every block, with or without transactions
ESTIMATE = "estimate"  # answers ViewRequest.estimate
IMPERSONATION = "impersonation"  # takes unsigned transactions of a sender that a dev chain's host names
NESTED_CALLS = "nested_calls"  # cross-container calls; not spoken yet


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Name and abilities of a kind of container.

    name: of the kind ("evm"); a chain may run several of one kind under names of its own.
    recent_ids: how many past block ids it wants at hand while it executes, at most 65,536.
    """

    name: str
    version: str
    capabilities: frozenset[str] = frozenset()
    recent_ids: int = 0
    protocol_major: int = PROTOCOL_MAJOR
    protocol_minor: int = PROTOCOL_MINOR
