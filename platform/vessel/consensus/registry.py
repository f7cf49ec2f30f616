"""Which consensus engines there are, by the name that a genesis carries."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from vessel.consensus.instant import Instant, InstantParameters
from vessel.consensus.interface import Consensus
from vessel.errors import GenesisError, InvalidRequest
from vessel.primitives.address import parse_address
from vessel.primitives.hashing import Hasher

ENGINES = ("instant",)


def make_consensus(engine: str, parameters: Mapping[str, object], hasher: Hasher) -> Consensus:
    """Return the engine that `[consensus]` names; GenesisError says what is wrong with the table."""
    if engine != "instant":
        raise GenesisError(
            f"[consensus] engine = {engine!r} is not known; expected one of {', '.join(ENGINES)}"
        )
    plain = dict(parameters)
    try:
        if isinstance(proposer := plain.get("proposer"), str):
            plain["proposer"] = parse_address(proposer)
        return Instant(msgspec.convert(plain, InstantParameters), hasher)
    except (msgspec.ValidationError, InvalidRequest) as error:
        raise GenesisError(f"[consensus] {error}") from error
