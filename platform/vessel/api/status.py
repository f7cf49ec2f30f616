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
    SubscriberTooSlow,
    UnknownContainer,
    VesselError,
)

DOMAIN = "vessel"
# All of it travels in the trailing metadata. gRPC holds that to 8 KiB unless a client raises it, as ours
# does; only what a contract returned may outgrow it, since half of it cannot be decoded.
_MAX_MESSAGE = 1024
_MAX_METADATA_VALUE = 1024
_OUTPUT = "output"
_MAX_OUTPUT = 2 + 16_384  # 0x and 8 KiB in hexadecimal

# The first class that fits decides; the most particular come first.
_CODES: tuple[tuple[type[VesselError], grpc.StatusCode], ...] = (
    (UnknownContainer, grpc.StatusCode.NOT_FOUND),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (HeightNotKept, grpc.StatusCode.OUT_OF_RANGE),
    (InvalidRequest, grpc.StatusCode.INVALID_ARGUMENT),
    (RejectedTransaction, grpc.StatusCode.FAILED_PRECONDITION),
    (InvalidBlock, grpc.StatusCode.FAILED_PRECONDITION),
    (SubscriberTooSlow, grpc.StatusCode.RESOURCE_EXHAUSTED),
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
    "TOO_MANY_SUBSCRIBERS": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "PAGE_TOKEN_STALE": grpc.StatusCode.ABORTED,
    "WATERMARK_REPLACED": grpc.StatusCode.ABORTED,
    "ALREADY_KNOWN": grpc.StatusCode.ALREADY_EXISTS,
    "ALREADY_COMMITTED": grpc.StatusCode.ALREADY_EXISTS,
    "EXECUTION_REVERTED": grpc.StatusCode.FAILED_PRECONDITION,
    "EXECUTION_FAILED": grpc.StatusCode.FAILED_PRECONDITION,
    "UNAUTHENTICATED": grpc.StatusCode.UNAUTHENTICATED,
    "REQUEST_TOO_LARGE": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "REQUEST_TOO_SLOW": grpc.StatusCode.DEADLINE_EXCEEDED,
    "DEV_NOT_SERVED": grpc.StatusCode.UNIMPLEMENTED,
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
    metadata = {name: value[: _limit(name)] for name, value in error.details.items()}
    detail.Pack(
        error_details_pb2.ErrorInfo(
            reason=error.reason, domain=DOMAIN, metadata={"code": error.code, **metadata}
        )
    )
    number: int = grpc_code(error).value[0]
    message = error.message
    if len(message) > _MAX_MESSAGE:
        message = f"{message[:_MAX_MESSAGE]} … ({len(error.message)} characters in all)"
    return status_pb2.Status(code=number, message=message, details=[detail])


def _limit(name: str) -> int:
    return _MAX_OUTPUT if name == _OUTPUT else _MAX_METADATA_VALUE


async def abort(context: grpc.aio.ServicerContext[object, object], error: VesselError) -> None:
    """End a call with an error."""
    status = rpc_status.to_status(to_status(error))
    await context.abort(status.code, status.details, status.trailing_metadata)
