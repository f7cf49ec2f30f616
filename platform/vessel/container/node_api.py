"""What a node offers to whoever translates for it: gateways, and the node's own gRPC service.

A gateway is a translator without chain logic: it knows this Protocol and the wire it speaks, and asks
a container for what only that knows.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncGenerator, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from vessel.container.messages import Call, ViewResult
from vessel.errors import VesselError
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.filter import Filter
from vessel.primitives.receipt import Log
from vessel.primitives.units import ZERO_HASH, Hash32, Height

T_co = TypeVar("T_co", covariant=True)


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


class PlacedLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log in its block.

    index: among the logs of its container in the block, those of hooks last. transaction_id,
    transaction_index: empty and None for a hook's.
    """

    container: str
    log: Log
    height: Height
    block_id: Hash32
    time_ms: int
    transaction_id: bytes
    transaction_index: int | None
    index: int


class What(enum.Enum):
    """What a subscription is about."""

    BLOCKS = "blocks"
    RECEIPTS = "receipts"
    LOGS = "logs"


Item = ExecutedBlock | CommittedTransaction | PlacedLog


class Page(msgspec.Struct, Generic[T_co], frozen=True, kw_only=True):
    """A part of a list, oldest first; it may be short, and even empty, with more to come.

    next_token: asks for the next page together with the same filter; empty: that was all.
    """

    items: tuple[T_co, ...]
    next_token: bytes = b""


class Watermark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stream has come: all below `next_height` was said, and it goes on there.

    block_id: of the block below `next_height`; zeros where that is not known.
    """

    next_height: Height
    block_id: Hash32 = ZERO_HASH


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a subscription: items of one block, or only how far it has come.

    removed: a reorganisation took these back; they are as they were sent before. live: all that was past
    is told, and from here on it comes as it is made; said without items, and again after a lag.
    """

    items: tuple[Item, ...] = ()
    removed: bool = False
    live: bool = False
    watermark: Watermark


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

    async def list_blocks(
        self, wanted: Filter, *, page_size: int = 0, page_token: bytes = b""
    ) -> Page[ExecutedBlock]:
        """Return blocks, oldest first. page_size: 0 leaves it to the node."""
        ...

    async def list_receipts(
        self, wanted: Filter, *, page_size: int = 0, page_token: bytes = b""
    ) -> Page[CommittedTransaction]:
        """Return transactions with what became of them, oldest first."""
        ...

    async def list_logs(
        self, wanted: Filter, *, page_size: int = 0, page_token: bytes = b""
    ) -> Page[PlacedLog]:
        """Return logs, oldest first."""
        ...

    def subscribe(
        self, what: What, wanted: Filter, *, after: Watermark | None = None
    ) -> AsyncGenerator[Notice, None]:
        """Tell of blocks, receipts or logs, past ones from `from_height` on and then as they come.

        The first notice comes at once and says where it begins. after: go on behind a notice's watermark.
        Close the generator (`contextlib.aclosing`) when done with it. Raises SubscriberTooSlow where
        notices are not taken in time, and InvalidRequest with reason WATERMARK_REPLACED where the block
        of `after` has left the chain and is not kept any more; otherwise what was removed comes first.
        """
        ...
