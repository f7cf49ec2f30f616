"""Every error of the platform, in two trees that never mix.

VesselError                       the host's and the caller's: mechanical, never an outcome on chain
 ├─ ConfigurationError            what a person wrote in a file, a flag or a genesis
 │   └─ GenesisError
 ├─ StorageError
 │   ├─ StoreLocked               another process has the store open
 │   ├─ SchemaMismatch            written by another version of the layout
 │   ├─ GenesisMismatch           holds another chain
 │   ├─ StoreCorrupt              bytes on disk that cannot be what was written
 │   └─ HeightNotKept             pruned, or not reached yet
 ├─ ContainerError
 │   ├─ UnknownContainer
 │   ├─ ContainerUnavailable      lost in mid-air; the same execution may be sent again
 │   ├─ ContainerQuarantined      kept dying; out of service until the node restarts
 │   ├─ ContainerMisbehaved       broke the rules: namespace, gas, coin, order of frames
 │   └─ ProtocolMismatch          speaks another major version of the wire
 ├─ InvalidRequest                a caller's arguments do not fit
 ├─ NotFound
 ├─ RejectedTransaction           refused at admission; never entered a block
 ├─ SubscriberTooSlow             did not take what a stream had for it, and was dropped
 └─ InvalidBlock                  a received block that breaks a rule of the chain

ExecutionError                    deterministic, one to one with `vessel.container.Status`
 ├─ ExecutionReverted
 ├─ OutOfGas
 ├─ ExecutionTrapped
 ├─ ExecutionInvalid
 └─ ExecutionDenied

Each carries `code` (UPPER_SNAKE, stable: programs branch on it), `details` (strings, for programs)
and a message for people that says what was wrong, what was expected and what to do.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "ConfigurationError",
    "ContainerError",
    "ContainerMisbehaved",
    "ContainerQuarantined",
    "ContainerUnavailable",
    "ExecutionDenied",
    "ExecutionError",
    "ExecutionInvalid",
    "ExecutionReverted",
    "ExecutionTrapped",
    "GenesisError",
    "GenesisMismatch",
    "HeightNotKept",
    "InvalidBlock",
    "InvalidRequest",
    "NotFound",
    "OutOfGas",
    "ProtocolMismatch",
    "RejectedTransaction",
    "SchemaMismatch",
    "StorageError",
    "StoreCorrupt",
    "StoreLocked",
    "SubscriberTooSlow",
    "UnknownContainer",
    "VesselError",
]


class VesselError(Exception):
    """Root of everything mechanical: a fault of the host, its surroundings or its caller."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, reason: str = "", **details: object) -> None:
        """Keep the message for people and, apart from it, what programs act on.

        `reason` narrows `code` where one class has several (a rejected transaction: NONCE_TOO_LOW).
        """
        super().__init__(message)
        self.message = message
        self.reason = reason or self.code
        self.details: dict[str, str] = {name: str(value) for name, value in details.items()}


class ConfigurationError(VesselError):
    """A file, flag or environment that a person wrote cannot be used as it stands."""

    code = "CONFIGURATION"


class GenesisError(ConfigurationError):
    """The genesis file is malformed or contradicts itself."""

    code = "GENESIS"


class StorageError(VesselError):
    """The store below the chain failed or refused."""

    code = "STORAGE"


class StoreLocked(StorageError):
    """Another process holds the store open."""

    code = "STORE_LOCKED"


class SchemaMismatch(StorageError):
    """The store was written with another version of the key layout."""

    code = "SCHEMA_MISMATCH"


class GenesisMismatch(StorageError):
    """The store holds a chain with another genesis."""

    code = "GENESIS_MISMATCH"


class StoreCorrupt(StorageError):
    """Bytes in the store cannot be what was written there."""

    code = "STORE_CORRUPT"


class HeightNotKept(StorageError):
    """State at that height is pruned, or has not been made yet."""

    code = "HEIGHT_NOT_KEPT"


class ContainerError(VesselError):
    """Something about a business-logic container, not about a transaction."""

    code = "CONTAINER"


class UnknownContainer(ContainerError):
    """The chain has no container of that name."""

    code = "UNKNOWN_CONTAINER"


class ContainerUnavailable(ContainerError):
    """The container was lost or did not answer; nothing changed, the same work may be sent again."""

    code = "CONTAINER_UNAVAILABLE"


class ContainerQuarantined(ContainerError):
    """The container kept dying and is out of service until the node restarts."""

    code = "CONTAINER_QUARANTINED"


class ContainerMisbehaved(ContainerError):
    """The container broke a rule that the host enforces; nothing of what it said was kept."""

    code = "CONTAINER_MISBEHAVED"


class ProtocolMismatch(ContainerError):
    """The plugin speaks another major version of the container wire."""

    code = "PROTOCOL_MISMATCH"


class InvalidRequest(VesselError):
    """The caller's arguments do not fit."""

    code = "INVALID_REQUEST"


class NotFound(VesselError):
    """There is no such block, transaction or key."""

    code = "NOT_FOUND"


class RejectedTransaction(VesselError):
    """The transaction was refused at admission and never entered a block."""

    code = "REJECTED_TRANSACTION"


class SubscriberTooSlow(VesselError):
    """A subscriber did not keep up and was dropped; `resume_height` says from where to go on."""

    code = "SUBSCRIBER_TOO_SLOW"


class InvalidBlock(VesselError):
    """A block from elsewhere breaks a rule of the chain."""

    code = "INVALID_BLOCK"


class ExecutionError(Exception):
    """Root of the deterministic outcomes: every node comes to the same one."""

    def __init__(self, message: str = "", *, output: bytes = b"", gas_used: int = 0) -> None:
        """Keep what the execution returned (revert data) and the gas it took."""
        super().__init__(message)
        self.message = message
        self.output = output
        self.gas_used = gas_used


class ExecutionReverted(ExecutionError):
    """The contract refused and gave back what gas was left (Status.REVERTED)."""


class OutOfGas(ExecutionError):
    """The gas given did not suffice (Status.OUT_OF_GAS)."""


class ExecutionTrapped(ExecutionError):
    """The code did what the machine forbids: invalid opcode, stack, wasm trap (Status.TRAP)."""


class ExecutionInvalid(ExecutionError):
    """The transaction does not fit the state it meets (Status.INVALID)."""


class ExecutionDenied(ExecutionError):
    """The authority for it was missing (Status.DENIED)."""
