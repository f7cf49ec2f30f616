"""The business-logic container: everything that the author of a virtual machine or a gateway needs.

A VM package imports from here and from `vessel.primitives`, and from nothing else of the core.
"""

from __future__ import annotations

from vessel.container.block_state import BlockState
from vessel.container.interface import Container, Execution
from vessel.container.manifest import BLOCK_HOOKS, ESTIMATE, IMPERSONATION, NESTED_CALLS, Manifest
from vessel.container.messages import (
    BlockEndResult,
    BlockStart,
    Call,
    Configuration,
    Configured,
    ContainerTransaction,
    Fork,
    HookResult,
    KeySet,
    Mode,
    Outcome,
    Query,
    TransactionBatch,
    TransactionCheck,
    TransactionResult,
    ValidationRequest,
    ViewRequest,
    ViewResult,
    Writes,
)
from vessel.container.recent_ids import RecentIds
from vessel.database.namespace import (
    LEDGER,
    decode_balance,
    encode_balance,
    ledger_key,
    namespace_prefix,
)
from vessel.database.reader import Range, StateReader
from vessel.errors import ConfigurationError, ContainerError, InvalidRequest, NotFound, VesselError
from vessel.primitives.receipt import Log, Status
from vessel.primitives.section import Section

__all__ = [
    "BLOCK_HOOKS",
    "ESTIMATE",
    "IMPERSONATION",
    "LEDGER",
    "NESTED_CALLS",
    "BlockEndResult",
    "BlockStart",
    "BlockState",
    "Call",
    "Configuration",
    "ConfigurationError",
    "Configured",
    "Container",
    "ContainerError",
    "ContainerTransaction",
    "Execution",
    "Fork",
    "HookResult",
    "InvalidRequest",
    "KeySet",
    "Log",
    "Manifest",
    "Mode",
    "NotFound",
    "Outcome",
    "Query",
    "Range",
    "RecentIds",
    "Section",
    "StateReader",
    "Status",
    "TransactionBatch",
    "TransactionCheck",
    "TransactionResult",
    "ValidationRequest",
    "VesselError",
    "ViewRequest",
    "ViewResult",
    "Writes",
    "decode_balance",
    "encode_balance",
    "ledger_key",
    "namespace_prefix",
    "serve",
]


def serve(container: Container) -> None:
    """Serve `container` to the node that started this process: all that a plugin's main has to do.

    gRPC is imported here and not above: a container inside of the host's process does without it.
    """
    from vessel.container import plugin

    plugin.serve(container)
