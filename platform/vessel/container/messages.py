"""The values that cross between host and container, the same on every transport.

They mirror container/v1 (the comments there are the specification); `codec` translates. Plain
structs, so that a container is written and tested without a line of gRPC.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import msgspec

from vessel.database.reader import Range
from vessel.primitives.receipt import Log, Status
from vessel.primitives.section import Section
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH, Address, Coin, Gas, Hash32, Height

Writes = Mapping[bytes, bytes | None]  # full state key -> value; None deletes


class Mode(enum.IntEnum):
    """What a block is executed for."""

    GENESIS = 1
    BUILD = 2
    REPLAY = 3
    VIEW = 4


class Outcome(enum.IntEnum):
    """What became of an execution."""

    COMMIT = 1
    ABORT = 2


class Fork(msgspec.Struct, frozen=True, kw_only=True):
    """From `height` on the rules called `name` hold."""

    name: str
    height: Height


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What the genesis says to a container, and where the host has put it.

    parameters: the container's table of the genesis, as JSON; strict decoding is the container's.
    namespace: its number; its state keys begin with it in two bytes, big-endian.
    """

    parameters: bytes = b"{}"
    chain_id: int
    genesis_hash: Hash32
    instance: str
    namespace: int
    reserved_prefix: bytes = b""
    forks: tuple[Fork, ...] = ()
    cache_bytes: int = 64 << 20
    hash_name: str = "sha256"


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """The container's answer: version of its key schema, digest of the engine it runs."""

    schema_version: int
    engine_digest: bytes = b""


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    """Keys and ranges to read."""

    keys: tuple[bytes, ...] = ()
    ranges: tuple[Range, ...] = ()


class ValidationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A batch for admission. height, time_ms: of the block that would come next, as far as known.

    impersonate: none, or for each of `raw` the sender that the host vouches for (empty: it is signed).
    """

    raw: tuple[bytes, ...]
    impersonate: tuple[bytes, ...] = ()
    state_version: int
    height: Height
    time_ms: int
    parent_section: Section = Section()


class TransactionCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Admission of one transaction, or its refusal with `reason` (UPPER_SNAKE) and `message`."""

    accepted: bool
    reason: str = ""
    message: str = ""
    id: bytes = b""
    sender: bytes = b""
    sequence: int | None = None
    next_sequence: int = 0
    expires_at_ms: int = 0
    bid: Coin = Coin(0)
    gas_limit: Gas = Gas(0)
    hint: KeySet = KeySet()
    prepared: bytes = b""


class BlockStart(msgspec.Struct, frozen=True, kw_only=True):
    """The surroundings of an execution: reads see `state_version`, the block makes `result_version`.

    recent_ids: block ids from the parent backwards, as many as the manifest asks for and there are.
    """

    mode: Mode
    height: Height
    time_ms: int
    state_version: int
    execution_id: str = ""
    parent_id: Hash32 = ZERO_HASH
    proposer: Address = ZERO_ADDRESS
    randomness: Hash32 = ZERO_HASH
    result_version: int = 0
    gas_limit: Gas = Gas(0)
    parent_section: Section = Section()
    recent_ids: Sequence[bytes] = ()


class ContainerTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction as it reaches execution; `prepared` is empty in replay.

    impersonate: on a development chain, the sender that the host vouches for: there is no signature.
    """

    raw: bytes
    prepared: bytes = b""
    impersonate: bytes = b""


class TransactionBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbours of one container. gas_available None: what the batch before left."""

    first_index: int
    transactions: tuple[ContainerTransaction, ...]
    gas_available: Gas | None = None


class TransactionResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one transaction of a batch; see container/v1 TransactionResult."""

    index: int
    included: bool
    status: Status = Status.OK
    gas_used: Gas = Gas(0)
    output: bytes = b""
    writes: Writes = {}
    burned: Coin = Coin(0)
    logs: tuple[Log, ...] = ()
    tags: tuple[bytes, ...] = ()
    details: bytes = b""
    fits: bool = True
    later: bool = False
    reason: str = ""
    message: str = ""
    id: bytes = b""
    sender: bytes = b""


class HookResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a container does at the begin of a block. section: in genesis, what block 1 is given."""

    writes: Writes = {}
    burned: Coin = Coin(0)
    logs: tuple[Log, ...] = ()
    section: Section = Section()


class BlockEndResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a container does at the end of a block, and its section of the header."""

    section: Section
    writes: Writes = {}
    burned: Coin = Coin(0)
    logs: tuple[Log, ...] = ()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A read-only call. to empty: create. gas_limit 0: what the block allows. options: JSON."""

    to: bytes
    sender: bytes = ZERO_ADDRESS
    value: Coin = Coin(0)
    input: bytes = b""
    gas_limit: Gas = Gas(0)
    options: bytes = b""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A question that only the container can answer; parameters: JSON."""

    method: str
    parameters: bytes = b"{}"


class ViewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Read-only work in the surroundings `start`. With `estimate`, `call` is priced and not run."""

    start: BlockStart
    call: Call | None = None
    query: Query | None = None
    estimate: bool = False
    overrides: Writes = {}


class ViewResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came out: `output` of a call, `gas_used` of an estimate, `json` of a query."""

    status: Status = Status.OK
    output: bytes = b""
    gas_used: Gas = Gas(0)
    logs: tuple[Log, ...] = ()
    message: str = ""
    reason: str = ""
    json: bytes = b""
