"""The canned node and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from unit.client.fake_node import FakeNode
from vessel.client import NodeClient


@pytest.fixture
def node() -> Iterator[FakeNode]:
    """A node that answers from canned data."""
    fake = FakeNode()
    yield fake
    fake.close()


@pytest.fixture
def client(node: FakeNode) -> Iterator[NodeClient]:
    """A client of that node."""
    with NodeClient(node.address) as connected:
        yield connected
