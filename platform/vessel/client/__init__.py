"""The client of a node's gRPC API: typed, every call with a timeout; synchronous, and for event loops."""

from vessel.client.async_node import AsyncNodeClient
from vessel.client.failure import NodeTimeout, NodeUnreachable, Unauthenticated
from vessel.client.node import NodeClient
from vessel.client.reference import BlockAt
from vessel.client.security import read_token
from vessel.primitives.filter import Filter

__all__ = [
    "AsyncNodeClient",
    "BlockAt",
    "Filter",
    "NodeClient",
    "NodeTimeout",
    "NodeUnreachable",
    "Unauthenticated",
    "read_token",
]
