"""What the command's exit status means: one table, shown by `vessel --help`."""

from __future__ import annotations

import enum

from vessel.client.failure import NodeUnreachable, Unauthenticated
from vessel.errors import (
    ConfigurationError,
    ContainerError,
    ExecutionError,
    ExecutionInvalid,
    HeightNotKept,
    InvalidBlock,
    InvalidRequest,
    NotFound,
    RejectedTransaction,
    StorageError,
)


class ExitCode(enum.IntEnum):
    """Statuses that scripts may branch on; they keep their numbers."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    NODE_UNREACHABLE = 3
    REFUSED = 4
    EXECUTION_FAILED = 5
    NOT_FOUND = 6
    STORAGE = 7
    CONFIGURATION = 8
    CONTAINER = 9
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.INTERNAL: "a fault of vessel itself",
    ExitCode.USAGE: "the command line does not fit the command",
    ExitCode.NODE_UNREACHABLE: "the node cannot be reached, or did not answer in time",
    ExitCode.REFUSED: "refused: an argument, request or transaction that does not fit",
    ExitCode.EXECUTION_FAILED: "executed, and reverted or failed",
    ExitCode.NOT_FOUND: "no such block, transaction, account or height",
    ExitCode.STORAGE: "the store failed or is locked",
    ExitCode.CONFIGURATION: "configuration, genesis or file cannot be used",
    ExitCode.CONTAINER: "a container is missing, unavailable or broke a rule",
    ExitCode.INTERRUPTED: "interrupted from the keyboard",
}

# The first class that fits decides: subclasses stand before their bases.
_BY_CLASS: tuple[tuple[type[Exception], ExitCode], ...] = (
    (NodeUnreachable, ExitCode.NODE_UNREACHABLE),
    (Unauthenticated, ExitCode.REFUSED),
    (HeightNotKept, ExitCode.NOT_FOUND),
    (NotFound, ExitCode.NOT_FOUND),
    (ExecutionInvalid, ExitCode.REFUSED),  # it does not fit the state, and was not executed
    (ExecutionError, ExitCode.EXECUTION_FAILED),
    (InvalidRequest, ExitCode.REFUSED),
    (RejectedTransaction, ExitCode.REFUSED),
    (InvalidBlock, ExitCode.REFUSED),
    (StorageError, ExitCode.STORAGE),
    (ConfigurationError, ExitCode.CONFIGURATION),
    (ContainerError, ExitCode.CONTAINER),
)


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit status for an error that ends a command."""
    for kind, code in _BY_CLASS:
        if isinstance(error, kind):
            return code
    return ExitCode.INTERNAL


def epilog() -> str:
    """Return the table for the help text; \\b keeps its lines apart."""
    return "\b\nExit status:\n" + "\n".join(
        f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items()
    )
