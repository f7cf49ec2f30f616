"""Every exit status, its error as JSON, and the table in the help."""

from __future__ import annotations

import socket

import pytest

from unit.cli.conftest import Vessel, invoke
from unit.client.fake_node import FakeNode
from vessel.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from vessel.errors import (
    ConfigurationError,
    ContainerMisbehaved,
    ContainerQuarantined,
    ExecutionError,
    ExecutionInvalid,
    GenesisError,
    HeightNotKept,
    InvalidBlock,
    InvalidRequest,
    NotFound,
    OutOfGas,
    RejectedTransaction,
    StoreLocked,
    UnknownContainer,
    VesselError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (VesselError("x"), 1),
        (ValueError("x"), 1),
        (InvalidRequest("x"), 4),
        (RejectedTransaction("x"), 4),
        (InvalidBlock("x"), 4),
        (ExecutionInvalid("x"), 4),
        (OutOfGas("x"), 5),
        (ExecutionError("x"), 5),
        (NotFound("x"), 6),
        (HeightNotKept("x"), 6),
        (StoreLocked("x"), 7),
        (ConfigurationError("x"), 8),
        (GenesisError("x"), 8),
        (UnknownContainer("x"), 9),
        (ContainerMisbehaved("x"), 9),
    ],
    ids=lambda value: type(value).__name__,
)
def test_code_of_an_error(error: Exception, code: int) -> None:
    assert exit_code_of(error) == code


def test_every_code_is_in_the_help() -> None:
    outcome = invoke("--help")
    assert outcome.code == 0
    assert set(MEANINGS) == set(ExitCode)
    for code, meaning in MEANINGS.items():
        assert f"{code.value}  {meaning}" in outcome.stdout


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (VesselError("a fault"), 1),
        (RejectedTransaction("refused", reason="NONCE_TOO_LOW", expected=2), 4),
        (NotFound("gone"), 6),
        (StoreLocked("locked"), 7),
        (GenesisError("malformed"), 8),
        (ContainerQuarantined("kept dying"), 9),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_the_node_is_one_message_and_a_status(
    vessel: Vessel, node: FakeNode, error: VesselError, code: int
) -> None:
    node.fails["GetBlock"] = error
    outcome = vessel("block")
    assert outcome.code == code
    assert outcome.stdout == ""
    assert outcome.stderr.startswith(f"error: {error.message}")
    assert "Traceback" not in outcome.stderr

    outcome = vessel("block", "--json")
    assert outcome.code == code
    assert outcome.document == {
        "error": {
            "code": error.code,
            "reason": error.reason,
            "message": error.message,
            "details": error.details,
        }
    }


def test_debug_shows_the_traceback(vessel: Vessel, node: FakeNode) -> None:
    node.fails["GetBlock"] = NotFound("gone")
    outcome = vessel("block", "--debug")
    assert outcome.code == 6
    assert "Traceback" in outcome.stderr


@pytest.mark.parametrize(
    "words", [("frobnicate",), ("block", "--jsno"), ("call",), ("mine", "0"), ("prove",)]
)
def test_a_command_line_that_does_not_fit(words: tuple[str, ...]) -> None:
    outcome = invoke(*words)
    assert outcome.code == 2
    assert "Usage: vessel" in outcome.stderr
    assert "error: " in outcome.stderr


def test_a_usage_error_is_json_as_well() -> None:
    outcome = invoke("block", "--jsno", "--json")
    assert outcome.code == 2
    assert outcome.document["error"]["code"] == "USAGE"


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    outcome = invoke("info", "--node", address)
    assert outcome.code == 3
    assert address in outcome.stderr
    assert "vessel dev" in outcome.stderr
    assert invoke("info", "--node", address, "--json").document["error"]["code"] == "NODE_UNREACHABLE"
