"""Errors on the wire: which gRPC code each has, and what a program finds in the details."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from vessel.api.status import grpc_code, to_status
from vessel.errors import (
    ConfigurationError,
    ContainerError,
    ContainerMisbehaved,
    ContainerQuarantined,
    ContainerUnavailable,
    GenesisError,
    GenesisMismatch,
    HeightNotKept,
    InvalidBlock,
    InvalidRequest,
    NotFound,
    ProtocolMismatch,
    RejectedTransaction,
    StorageError,
    StoreCorrupt,
    UnknownContainer,
    VesselError,
)

CODES: list[tuple[VesselError, str]] = [
    (UnknownContainer("x"), "NOT_FOUND"),
    (NotFound("x"), "NOT_FOUND"),
    (HeightNotKept("x"), "OUT_OF_RANGE"),
    (InvalidRequest("x"), "INVALID_ARGUMENT"),
    (RejectedTransaction("x", reason="NONCE_TOO_LOW"), "FAILED_PRECONDITION"),
    (RejectedTransaction("x", reason="MEMPOOL_FULL"), "RESOURCE_EXHAUSTED"),
    (RejectedTransaction("x", reason="SENDER_LIMIT"), "RESOURCE_EXHAUSTED"),
    (RejectedTransaction("x", reason="ALREADY_KNOWN"), "ALREADY_EXISTS"),
    (RejectedTransaction("x", reason="ALREADY_COMMITTED"), "ALREADY_EXISTS"),
    (InvalidBlock("x"), "FAILED_PRECONDITION"),
    (ConfigurationError("x"), "FAILED_PRECONDITION"),
    (GenesisError("x"), "FAILED_PRECONDITION"),
    (ContainerUnavailable("x"), "UNAVAILABLE"),
    (ContainerQuarantined("x"), "UNAVAILABLE"),
    (ContainerMisbehaved("x"), "INTERNAL"),
    (ProtocolMismatch("x"), "INTERNAL"),
    (ContainerError("x"), "INTERNAL"),
    (StorageError("x"), "INTERNAL"),
    (StoreCorrupt("x"), "INTERNAL"),
    (GenesisMismatch("x"), "INTERNAL"),
    (VesselError("x"), "INTERNAL"),
    (VesselError("x", reason="NOT_COMMITTED_YET"), "DEADLINE_EXCEEDED"),
    (VesselError("x", reason="SHUTTING_DOWN"), "UNAVAILABLE"),
    (InvalidRequest("x", reason="EXECUTION_REVERTED"), "FAILED_PRECONDITION"),
    (InvalidRequest("x", reason="EXECUTION_FAILED"), "FAILED_PRECONDITION"),
]


@pytest.mark.parametrize(
    ("error", "code"), CODES, ids=[f"{type(error).__name__}-{error.reason}" for error, _ in CODES]
)
def test_every_error_has_its_code(error: VesselError, code: str) -> None:
    assert grpc.StatusCode[code] is grpc_code(error)
    assert grpc.StatusCode[code].value[0] == to_status(error).code


def info(status: status_pb2.Status) -> error_details_pb2.ErrorInfo:
    """Return the one detail of a status."""
    (detail,) = status.details
    read = error_details_pb2.ErrorInfo()
    assert detail.Unpack(read)
    return read


def test_programs_find_reason_class_and_details() -> None:
    status = to_status(RejectedTransaction("too low", reason="NONCE_TOO_LOW", needed=5, offered=3))
    assert status.message == "too low"
    detail = info(status)
    assert (detail.domain, detail.reason) == ("vessel", "NONCE_TOO_LOW")
    assert dict(detail.metadata) == {"code": "REJECTED_TRANSACTION", "needed": "5", "offered": "3"}


def test_without_a_narrower_reason_the_class_is_the_reason() -> None:
    assert info(to_status(NotFound("x"))).reason == "NOT_FOUND"


def test_a_message_that_repeats_what_somebody_sent_does_not_burst_the_metadata() -> None:
    status = to_status(InvalidRequest("long " * 10_000))
    assert len(status.message) < 1200
    assert status.message.endswith("(50000 characters in all)")
