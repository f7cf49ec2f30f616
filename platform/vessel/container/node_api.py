"""What a node offers to whoever translates for it: gateways, and the node's own gRPC service.

A gateway is a translator without chain logic: it knows this Protocol and the wire it speaks, and asks
a container for what only that knows.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol

import msgspec

from vessel.container.messages import Call, ViewResult
from vessel.errors import VesselError
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import Hash32, Height


class Tag(enum.Enum):
    """Blocks by what they are rather than by number."""

    LATEST = "latest"
    FINALIZED = "finalized"
    GENESIS = "genesis"


BlockReference = Height | Hash32 | Tag  # by height, by id, by what it is


class ChainInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Which chain this is and where it stands."""

    name: str
    chain_id: int
    genesis_hash: Hash32
    hash_name: str
    consensus: str
    dev: bool
    head: ExecutedBlock
    finalized_height: Height
    pending_transactions: int


class CommittedTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction in a block."""

    executed: ExecutedBlock
    index: int


class WaitingTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction in the mempool."""

    container: str
    id: bytes
    raw: bytes
    sender: bytes


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one submitted transaction: an id, its place if that was waited for, or an error."""

    id: bytes = b""
    committed: CommittedTransaction | None = None
    error: VesselError | None = None


class ProvenValue(msgspec.Struct, frozen=True, kw_only=True):
    """One state entry; proof is empty where none was asked for."""

    key: bytes
    value: bytes | None
    proof: bytes = b""


class StateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """State entries after one block."""

    executed: ExecutedBlock
    state_root: Hash32
    entries: tuple[ProvenValue, ...]


class ContainerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One container of the chain and how it does. health: serving, restarting or quarantined."""

    name: str
    kind: str
    version: str
    transport: str
    namespace: int
    gas_limit: int
    capabilities: tuple[str, ...]
    engine_digest: bytes
    health: str
    restarts: int
    process_id: int


class NodeApi(Protocol):
    """Everything a gateway may ask of a node. Errors are those of `vessel.errors`.

    Call it from the node's event loop; nothing here blocks it.
    """

    async def info(self) -> ChainInfo:
        """Say which chain this is and where it stands."""
        ...

    async def submit(
        self, container: str, raws: Sequence[bytes], *, wait_s: float | None = None
    ) -> list[Submission]:
        """Submit a batch; wait_s: wait so long for each to be committed, None: not at all."""
        ...

    async def transaction(
        self, container: str, transaction_id: bytes
    ) -> CommittedTransaction | WaitingTransaction:
        """Find a transaction; container empty: in any. NotFound where nobody knows it."""
        ...

    async def block(self, reference: BlockReference) -> ExecutedBlock:
        """Return a block with what became of it."""
        ...

    async def call(self, container: str, call: Call, *, at: BlockReference) -> tuple[ViewResult, Height]:
        """Run a call and keep nothing."""
        ...

    async def estimate(self, container: str, call: Call, *, at: BlockReference) -> tuple[ViewResult, Height]:
        """Return the least gas limit with which a call succeeds, in gas_used."""
        ...

    async def query(
        self, container: str, method: str, parameters: bytes, *, at: BlockReference
    ) -> tuple[ViewResult, Height]:
        """Ask a container what only it knows; parameters and answer are JSON."""
        ...

    async def state(self, keys: Sequence[bytes], *, at: BlockReference, with_proofs: bool) -> StateAnswer:
        """Read raw state, with proofs against the block's state root if asked."""
        ...

    async def containers(self) -> list[ContainerStatus]:
        """Say which containers there are and how they do."""
        ...

    async def mine(self, blocks: int) -> ExecutedBlock:
        """Make blocks now, on a development chain; return the last."""
        ...
