"""A made-up chain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.search.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A chain with its genesis block."""
    made = World()
    yield made
    made.store.close()
