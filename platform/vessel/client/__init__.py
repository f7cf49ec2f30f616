"""The client of a node's gRPC API: typed, synchronous, every call with a timeout."""

from vessel.client.failure import NodeTimeout, NodeUnreachable
from vessel.client.node import NodeClient
from vessel.client.reference import BlockAt

__all__ = ["BlockAt", "NodeClient", "NodeTimeout", "NodeUnreachable"]
