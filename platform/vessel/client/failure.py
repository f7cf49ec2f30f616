"""From a gRPC status back to the error that the node raised.

The node sends google.rpc.Status in the trailing metadata with one ErrorInfo of the domain "vessel":
`reason` is VesselError.reason, `metadata["code"]` names the class, what else is there are the details.
A status without one comes from the transport, or from a node that does not know the call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import vessel.errors
from vessel.errors import (
    ContainerUnavailable,
    ExecutionDenied,
    ExecutionError,
    ExecutionInvalid,
    ExecutionReverted,
    ExecutionTrapped,
    InvalidRequest,
    NotFound,
    OutOfGas,
    VesselError,
)

if TYPE_CHECKING:
    import grpc
    from google.rpc.status_pb2 import Status

ERROR_DOMAIN = "vessel"
_DETAILS_KEY = "grpc-status-details-bin"


class NodeUnreachable(VesselError):
    """Nobody answers at the node's address."""

    code = "NODE_UNREACHABLE"


class NodeTimeout(NodeUnreachable):
    """The node took the call and did not answer in time; what was asked may still happen."""

    code = "NODE_TIMEOUT"


class Unauthenticated(VesselError):
    """The node asks for a token, and was shown none or another."""

    code = "UNAUTHENTICATED"


_CLASSES: dict[str, type[VesselError]] = {
    kind.code: kind
    for kind in (*vars(vessel.errors).values(), NodeUnreachable, NodeTimeout, Unauthenticated)
    if isinstance(kind, type) and issubclass(kind, VesselError)
}

# Outcomes of an execution (EstimateGas) by ErrorInfo.reason, then by its `status`: no faults of the host.
_OUTCOME_REASONS = frozenset({"EXECUTION_REVERTED", "EXECUTION_FAILED"})
_OUTCOMES: dict[str, type[ExecutionError]] = {
    "REVERTED": ExecutionReverted,
    "OUT_OF_GAS": OutOfGas,
    "TRAP": ExecutionTrapped,
    "INVALID": ExecutionInvalid,
    "DENIED": ExecutionDenied,
}

# Reasons that say more than their class does: it is about time, or about the node's end.
_REASONS: dict[str, type[VesselError]] = {
    "NOT_COMMITTED_YET": NodeTimeout,
    "SHUTTING_DOWN": NodeUnreachable,
    "UNAUTHENTICATED": Unauthenticated,
}

# What to make of a status without an ErrorInfo, by the number of its gRPC code.
_CANCELLED, _INVALID_ARGUMENT, _DEADLINE_EXCEEDED, _NOT_FOUND = 1, 3, 4, 5
_RESOURCE_EXHAUSTED, _FAILED_PRECONDITION, _OUT_OF_RANGE, _UNIMPLEMENTED, _UNAVAILABLE = 8, 9, 11, 12, 14
_UNAUTHENTICATED = 16
_BY_GRPC_CODE: dict[int, type[VesselError]] = {
    _INVALID_ARGUMENT: InvalidRequest,
    _NOT_FOUND: NotFound,
    _RESOURCE_EXHAUSTED: InvalidRequest,
    _FAILED_PRECONDITION: InvalidRequest,
    _OUT_OF_RANGE: InvalidRequest,
    _UNAVAILABLE: ContainerUnavailable,
    _UNAUTHENTICATED: Unauthenticated,
}


def error_from_status(status: Status) -> VesselError | ExecutionError:
    """Return the typed error of a google.rpc.Status: a refused item of a batch, or a failed call."""
    reason, metadata = _error_info(status)
    message = status.message or reason or f"the node answered with gRPC status {status.code}"
    if reason in _OUTCOME_REASONS:
        outcome = ExecutionReverted if reason == "EXECUTION_REVERTED" else ExecutionError
        outcome = _OUTCOMES.get(metadata.get("status", ""), outcome)
        output, gas_used = _hexadecimal(metadata.get("output", "")), _number(metadata.get("gas_used"))
        return outcome(message, output=output, gas_used=gas_used)
    named = _CLASSES.get(metadata.pop("code", ""))
    kind = _REASONS.get(reason) or named or _CLASSES.get(reason)
    return _make(kind or _BY_GRPC_CODE.get(status.code, VesselError), message, reason, metadata)


def error_from_call(error: grpc.RpcError, *, address: str, method: str, timeout_s: float) -> Exception:
    """Return the typed error of a failed call to the node at `address`."""
    from google.rpc.status_pb2 import Status

    for key, value in _trailing_metadata(error):
        if key == _DETAILS_KEY:
            return error_from_status(Status.FromString(value))
    number, text = _code_and_text(error)
    if number == _DEADLINE_EXCEEDED:
        return NodeTimeout(
            f"the node at {address} did not answer {method} within {timeout_s:g} s; ask again, or look at "
            "its log",
            address=address,
            method=method,
            timeout_s=f"{timeout_s:g}",
        )
    if number in (_UNAVAILABLE, _CANCELLED):
        return NodeUnreachable(
            _unreachable(address, text),
            address=address,
            method=method,
        )
    if number == _UNIMPLEMENTED:
        return InvalidRequest(
            f"the node at {address} does not serve {method}: it is of another version, this is not a "
            "development chain, or its development controls stay on loopback (--expose-dev)",
            reason="NOT_SERVED",
            address=address,
            method=method,
        )
    return _make(_BY_GRPC_CODE.get(number, VesselError), text, "", {"address": address, "method": method})


def _unreachable(address: str, text: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate" in text.lower():
        return (
            f"the node at {address} shows a certificate that is not trusted here: name its authority, or the "
            f"certificate itself, with --tls-ca FILE, and the node as the certificate does ({text})"
        )
    if "WRONG_VERSION_NUMBER" in text:
        return f"the node at {address} does not speak TLS; leave --tls-ca out ({text})"
    if "Socket closed" in text or "connection reset" in text.lower():
        return (
            f"whoever listens at {address} hung up: a node that speaks TLS wants --tls-ca FILE, another "
            f"program is no node ({text})"
        )
    return (
        f"no node answers at {address}; start one with `vessel dev` or `vessel run`, or name another with "
        f"--node HOST:PORT ({text})"
    )


def _make(kind: type[VesselError], message: str, reason: str, details: dict[str, str]) -> VesselError:
    error = kind(message, reason=reason)
    error.details = details  # as sent: a detail may be called "message" or "reason"
    return error


def _error_info(status: Status) -> tuple[str, dict[str, str]]:
    """Return reason and metadata of our ErrorInfo; both empty where there is none."""
    from google.rpc.error_details_pb2 import ErrorInfo

    for detail in status.details:
        info = ErrorInfo()
        if detail.Is(ErrorInfo.DESCRIPTOR) and detail.Unpack(info) and info.domain == ERROR_DOMAIN:
            return info.reason, dict(info.metadata)
    return "", {}


def _trailing_metadata(error: grpc.RpcError) -> list[tuple[str, bytes]]:
    metadata = getattr(error, "trailing_metadata", None)
    return list((metadata() if metadata else None) or ())  # pairs, also grpc.aio's own mapping


def _code_and_text(error: grpc.RpcError) -> tuple[int, str]:
    code, details = getattr(error, "code", None), getattr(error, "details", None)
    number = int(code().value[0]) if code else 2
    return number, str((details() if details else "") or error)


def _hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return b""


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
