"""A state of two funded containers, and the executor over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from unit.processing.fakes import FakeContainer, balances
from vessel.container.messages import Mode
from vessel.database.key_value import Batch, open_key_value
from vessel.database.state import StateDatabase
from vessel.errors import StorageError
from vessel.primitives.hashing import SHA256
from vessel.primitives.section import Section
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH, Gas, Height
from vessel.processing.executor import Candidate, Executed, Executor, Plan

FUNDS = 100


class Bench:
    """Two containers, `alpha` and `beta` (which has hooks), on a state where each has coin."""

    def __init__(self, transport: str = "local") -> None:
        """Fund one address of each container and commit that as the genesis."""
        self.alpha = FakeContainer("alpha", 1, transport=transport, others=("beta",))
        self.beta = FakeContainer("beta", 2, hooks=True, transport=transport, others=("alpha",))
        self.fakes = {fake.name: fake for fake in (self.alpha, self.beta)}
        self.state = StateDatabase(open_key_value("memory:"), SHA256)
        version = self.state.begin(self.state.head_version)
        self.state.apply(version, balances({self.alpha.address(1): FUNDS, self.beta.address(1): FUNDS}))
        self.state.commit(version, 0, Batch())
        self.executor = Executor({name: fake.hosted for name, fake in self.fakes.items()}, self.state)

    def plan(self, mode: Mode = Mode.BUILD, **changes: Any) -> Plan:
        """Return the plan of block 1."""
        usual: dict[str, Any] = {
            "mode": mode,
            "execution_id": "block-1",
            "height": Height(1),
            "time_ms": 1000,
            "parent_id": ZERO_HASH,
            "parent_version": self.state.head_version,
            "proposer": ZERO_ADDRESS,
            "randomness": ZERO_HASH,
            "sections": {name: Section(gas_limit=Gas(100)) for name in self.fakes},
            "takes_part": frozenset(),
            "recent_ids": lambda limit: [b"parent", b"grandparent", b"older"][:limit],
        }
        return Plan(**usual | changes)

    def execute(self, *candidates: Candidate | str, mode: Mode = Mode.BUILD, **changes: Any) -> Executed:
        """Execute candidates; a string is `container:raw`."""
        return self.executor.execute(self.plan(mode, **changes), [candidate(c) for c in candidates])

    def values(self, version: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return values of a live version."""
        return self.state.reader(version).multi_get(keys)

    def versions(self) -> set[int]:
        """Return the versions that executions were given."""
        return {
            call.given.result_version for fake in self.fakes.values() for call in fake.script.named("open")
        }

    def live(self) -> set[int]:
        """Return those of them that were not dropped."""
        live = set()
        for version in self.versions():
            try:
                self.state.reader(version)
            except StorageError:
                continue
            live.add(version)
        return live

    def told(self, name: str) -> list[Mapping[bytes, bytes | None]]:
        """Return what a container was told of others, call by call, empty ones left out."""
        calls = self.fakes[name].script.named("begin", "submit", "end")
        return [call.foreign for call in calls if call.foreign]


def candidate(what: Candidate | str) -> Candidate:
    """Return a candidate; a string is `container:raw`."""
    if isinstance(what, Candidate):
        return what
    container, _, raw = what.partition(":")
    return Candidate(transaction=Transaction(container=container, raw=raw.encode()))


@pytest.fixture
def bench() -> Bench:
    """Containers on the local transport."""
    return Bench()


@pytest.fixture
def remote_bench() -> Bench:
    """Containers that say they are processes."""
    return Bench("grpc")
