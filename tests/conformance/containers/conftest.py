"""Every container of this suite on every transport."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from containers.transports import Connect, connections


@pytest.fixture(scope="session")
def connect() -> Iterator[Connect]:
    """Return a function from transport and kind to a connection."""
    with connections() as made:
        yield made
