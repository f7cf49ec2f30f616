"""Errors on the wire: a gRPC code, and google.rpc.Status with an ErrorInfo that programs act on."""

from __future__ import annotations

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from vessel.errors import (
    ConfigurationError,
    ContainerError,
    ContainerMisbehaved,
    ContainerQuarantined,
    ContainerUnavailable,
    HeightNotKept,
    InvalidBlock,
    InvalidRequest,
    NotFound,
    RejectedTransaction,
    StorageError,
    UnknownContainer,
    VesselError,
)

DOMAIN = "vessel"
_MAX_METADATA_VALUE = 1024

# The first class that fits decides; the most particular come first.
_CODES: tuple[tuple[type[VesselError], grpc.StatusCode], ...] = (
    (UnknownContainer, grpc.StatusCode.NOT_FOUND),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (HeightNotKept, grpc.StatusCode.OUT_OF_RANGE),
    (InvalidRequest, grpc.StatusCode.INVALID_ARGUMENT),
    (RejectedTransaction, grpc.StatusCode.FAILED_PRECONDITION),
    (InvalidBlock, grpc.StatusCode.FAILED_PRECONDITION),
    (ConfigurationError, grpc.StatusCode.FAILED_PRECONDITION),
    (ContainerUnavailable, grpc.StatusCode.UNAVAILABLE),
    (ContainerQuarantined, grpc.StatusCode.UNAVAILABLE),
    (ContainerMisbehaved, grpc.StatusCode.INTERNAL),
    (ContainerError, grpc.StatusCode.INTERNAL),
    (StorageError, grpc.StatusCode.INTERNAL),
)

_REASON_CODES = {
    "NOT_COMMITTED_YET": grpc.StatusCode.DEADLINE_EXCEEDED,
    "SHUTTING_DOWN": grpc.StatusCode.UNAVAILABLE,
    "MEMPOOL_FULL": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "SENDER_LIMIT": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "ALREADY_KNOWN": grpc.StatusCode.ALREADY_EXISTS,
    "ALREADY_COMMITTED": grpc.StatusCode.ALREADY_EXISTS,
}


def grpc_code(error: VesselError) -> grpc.StatusCode:
    """Return the gRPC code that an error travels under."""
    if error.reason in _REASON_CODES:
        return _REASON_CODES[error.reason]
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return grpc.StatusCode.INTERNAL


def to_status(error: VesselError) -> status_pb2.Status:
    """Return an error as google.rpc.Status."""
    detail = any_pb2.Any()
    metadata = {name: value[:_MAX_METADATA_VALUE] for name, value in error.details.items()}
    detail.Pack(
        error_details_pb2.ErrorInfo(
            reason=error.reason, domain=DOMAIN, metadata={"code": error.code, **metadata}
        )
    )
    number: int = grpc_code(error).value[0]
    return status_pb2.Status(code=number, message=error.message, details=[detail])


async def abort(context: grpc.aio.ServicerContext[object, object], error: VesselError) -> None:
    """End a call with an error."""
    status = rpc_status.to_status(to_status(error))
    await context.abort(status.code, status.details, status.trailing_metadata)
