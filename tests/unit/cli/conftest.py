"""The command line against a node that answers from canned data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from unit.client.fake_node import FakeNode
from vessel.cli.main import app

ARTIFACTS = Path(__file__).parents[3] / "contracts" / "evm"


class Outcome:
    """What a command wrote, and its exit status."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        assert len(self.stdout.splitlines()) == 1, self.stdout
        assert self.stderr == ""
        return json.loads(self.stdout)


Vessel = Callable[..., Outcome]


def invoke(*words: str, env: dict[str, str | None] | None = None, input: str | None = None) -> Outcome:
    """Run `vessel` with these words."""
    clean: dict[str, str | None] = {"VESSEL_NODE": None, "VESSEL_PRIVATE_KEY": None, "VESSEL_DEBUG": None}
    result = CliRunner().invoke(app, list(words), env={**clean, **(env or {})}, input=input)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def node() -> Iterator[FakeNode]:
    """A node that answers from canned data."""
    fake = FakeNode()
    yield fake
    fake.close()


@pytest.fixture
def vessel(node: FakeNode) -> Vessel:
    """Run a command against that node."""

    def run(*words: str, env: dict[str, str | None] | None = None, input: str | None = None) -> Outcome:
        return invoke(*words, env={"VESSEL_NODE": node.address, **(env or {})}, input=input)

    return run


@pytest.fixture
def token() -> Path:
    """The artifact of a token."""
    return ARTIFACTS / "token" / "Token.json"
