"""A host in memory: drives containers through blocks as the executor does, without a chain around them.

State is a dict a version. What containers return is checked by the guard, laid over the state, and
written down in a digest, so that two runs can be compared in one number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from vessel.container import (
    BlockEndResult,
    BlockStart,
    Configuration,
    ContainerTransaction,
    Fork,
    HookResult,
    Log,
    Mode,
    Outcome,
    Query,
    Range,
    Section,
    TransactionBatch,
    TransactionCheck,
    TransactionResult,
    ValidationRequest,
    ViewRequest,
    ViewResult,
    Writes,
)
from vessel.container.connection import Connection
from vessel.container.guard import Guard
from vessel.errors import ContainerError
from vessel.primitives.address import reserved_prefix
from vessel.primitives.encoding import blob, u64
from vessel.primitives.units import Address, Gas, Hash32, Height

GAS_LIMIT = Gas(20_000)


class Reader:
    """State at one version, and how often it was asked for."""

    def __init__(self, version: int, entries: Mapping[bytes, bytes]) -> None:
        """Read `entries`, which nobody changes any more."""
        self._version = version
        self._entries = entries
        self.asked: list[bytes] = []

    @property
    def version(self) -> int:
        """The version read."""
        return self._version

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in the order of the keys."""
        self.asked += keys
        return [self._entries.get(key) for key in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """Return the entries of a range in the order asked for."""
        found = sorted(
            ((k, v) for k, v in self._entries.items() if wanted.start <= k < wanted.stop),
            reverse=wanted.reverse,
        )
        return found[: wanted.limit] if wanted.limit else found


def applied(entries: Mapping[bytes, bytes], writes: Writes) -> dict[bytes, bytes]:
    """Return the state after a write set."""
    after = {**entries, **{key: value for key, value in writes.items() if value is not None}}
    for key, value in writes.items():
        if value is None:
            after.pop(key, None)
    return after


def root(entries: Mapping[bytes, bytes]) -> str:
    """Return a digest of a whole state."""
    return hashlib.sha256(b"".join(blob(k) + blob(v) for k, v in sorted(entries.items()))).hexdigest()


def digest(value: object) -> str:
    """Return a digest of a result, whatever its type; the order of writes does not count."""

    def plain(item: object) -> object:
        if isinstance(item, Mapping):
            return sorted((k, v) for k, v in item.items())
        if isinstance(item, msgspec.Struct):
            return [type(item).__name__, *(plain(getattr(item, name)) for name in item.__struct_fields__)]
        if isinstance(item, list | tuple):
            return list(map(plain, item))
        return item

    return hashlib.sha256(msgspec.msgpack.encode(plain(value))).hexdigest()


@dataclass(slots=True, kw_only=True)
class Block:
    """One executed block: what a second execution needs to come to the same."""

    start: BlockStart
    raw: list[bytes]
    foreign: list[Writes]  # before begin, before each batch in turn, before end
    batch_size: int
    results: list[TransactionResult] = field(default_factory=list)
    section: Section = field(default_factory=Section)
    writes: dict[bytes, bytes | None] = field(default_factory=dict)
    burned: int = 0
    hook_logs: list[Log] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)


class Host:
    """One container of a chain, its state, and the blocks so far."""

    def __init__(
        self,
        connection: Connection,
        *,
        instance: str,
        parameters: bytes = b"{}",
        namespace: int = 1,
        coins: Mapping[bytes, int] | None = None,
        forks: tuple[Fork, ...] = (),
        owns_open_addresses: bool = False,
        gas_limit: Gas = GAS_LIMIT,
    ) -> None:
        """Configure the container and run the genesis. coins: address to what it starts with."""
        self.connection = connection
        self.gas_limit = gas_limit
        self._guard = Guard(
            instance,
            namespace,
            reserved_prefix=reserved_prefix(instance),
            owns_open_addresses=owns_open_addresses,
        )
        self.configuration = Configuration(
            parameters=parameters,
            chain_id=7,
            genesis_hash=Hash32(hashlib.sha256(b"genesis").digest()),
            instance=instance,
            namespace=namespace,
            reserved_prefix=reserved_prefix(instance),
            forks=forks,
        )
        self.configured = connection.configure(self.configuration)
        self._last_version = 1
        self.version = 1
        self.states: dict[int, dict[bytes, bytes]] = {
            1: {b"\0\0" + a: _balance(n) for a, n in (coins or {}).items()}
        }
        self.ids: list[bytes] = []  # newest first
        self.section = Section()
        self.blocks: list[Block] = []
        self.reader = self._reader()
        start = self._start(Mode.GENESIS, time_ms=0)
        session = connection.open(start, self.reader)
        genesis = Block(start=start, raw=[], foreign=[], batch_size=1)
        session.begin({})
        self._take(genesis, session.begun())
        session.end({})
        ended = session.ended()
        self._take(genesis, ended)
        session.close()
        self.section = genesis.section = ended.section
        self._commit(genesis, untold={}, took_part=True)
        self.blocks.append(genesis)

    # ---- pieces

    @property
    def state(self) -> dict[bytes, bytes]:
        """The state at the head."""
        return self.states[self.version]

    @property
    def height(self) -> int:
        """Of the head."""
        return len(self.ids) - 1

    def _reader(self) -> Reader:
        return Reader(self.version, self.states[self.version])

    def _start(self, mode: Mode, *, time_ms: int) -> BlockStart:
        self._last_version += 1
        height = len(self.ids)
        return BlockStart(
            mode=mode,
            height=Height(height),
            time_ms=time_ms,
            state_version=self.version,
            result_version=self._last_version,
            execution_id=f"execution-{self._last_version}",
            parent_id=Hash32(self.ids[0] if self.ids else bytes(32)),
            proposer=Address(b"proposer".ljust(20)),
            randomness=Hash32(hashlib.sha256(b"random" + u64(height)).digest()),
            gas_limit=self.gas_limit,
            parent_section=self.section,
            recent_ids=self.ids[: self.connection.manifest.recent_ids],
        )

    def view_start(self) -> BlockStart:
        """Return the surroundings of a call at the head."""
        last = self.blocks[-1].start
        return msgspec.structs.replace(
            last,
            mode=Mode.VIEW,
            height=Height(len(self.ids)),
            time_ms=last.time_ms + 1,
            state_version=self.version,
            result_version=0,
            execution_id="",
            parent_section=self.section,
            recent_ids=self.ids[: self.connection.manifest.recent_ids],
        )

    def _take(self, block: Block, result: HookResult | TransactionResult | BlockEndResult) -> None:
        below, above = self.states[block.start.state_version], block.writes
        self._guard.check_writes(
            result.writes, result.burned, lambda keys: [above.get(k, below.get(k)) for k in keys]
        )
        block.writes.update(result.writes)
        block.burned += result.burned
        if not isinstance(result, TransactionResult):
            block.hook_logs += result.logs
        block.digests.append(digest(result))

    def _commit(self, block: Block, *, untold: Writes, took_part: bool) -> None:
        parent, version = block.start.state_version, block.start.result_version
        self.states[version] = applied(self.states[parent], block.writes)
        self.connection.finish(block.start.execution_id, Outcome.COMMIT)
        self.connection.observe(parent, version, untold, took_part=took_part, written=block.writes)
        self.version = version
        self.section = block.section
        text = u64(block.start.height) + block.start.parent_id + root(self.states[version]).encode()
        self.ids.insert(0, hashlib.sha256(text).digest())

    # ---- what a test asks for

    def validate(self, raw: Iterable[bytes], *, time_ms: int) -> list[TransactionCheck]:
        """Ask for admission at the head."""
        request = ValidationRequest(
            raw=tuple(raw),
            state_version=self.version,
            height=Height(len(self.ids)),
            time_ms=time_ms,
            parent_section=self.section,
        )
        return self.connection.validate(request, self._reader())

    def execute(
        self,
        start: BlockStart,
        raw: Sequence[bytes],
        *,
        batch_size: int = 4,
        prepared: Mapping[bytes, bytes] | None = None,
        foreign: Sequence[Writes] = (),
        pushed: Sequence[bytes] = (),
        stop_after_batches: int | None = None,
    ) -> Block:
        """Run one execution, trusting nobody; ContainerError where the container is lost or misbehaves.

        foreign: what others write before begin, before each batch, before end, in turn. pushed: keys whose
        values go out with the first batch. stop_after_batches: then give up and return what there is.
        """
        coming = list(foreign)
        state = self.states[start.state_version]
        reader = self.reader = Reader(start.state_version, state)
        block = Block(start=start, raw=[], foreign=coming.copy(), batch_size=batch_size)

        def others(*, last: bool = False) -> Writes:
            if not coming:
                return {}
            told: dict[bytes, bytes | None] = {}
            for writes in coming if last else coming[:1]:
                told.update(writes)
            del coming[: len(coming) if last else 1]
            block.writes.update(told)
            return told

        hints = {key: state.get(key) for key in pushed}
        session = self.connection.open(start, reader)
        try:
            session.begin(others())
            self._take(block, session.begun())
            batches = [raw[i : i + batch_size] for i in range(0, len(raw), batch_size)]
            sent = answered = 0
            gas_used, full = 0, False
            while (sent < len(batches) and not full) or answered < sent:
                # Batches ahead of their answers leave gas to the container's own count; what others write
                # has its place between two batches, so there is no running ahead of that.
                while sent < len(batches) and not full and session.credit > 0:
                    if answered < sent and coming:
                        break
                    batch = TransactionBatch(
                        first_index=sent * batch_size,
                        gas_available=Gas(start.gas_limit - gas_used) if answered == sent else None,
                        transactions=tuple(
                            ContainerTransaction(raw=r, prepared=(prepared or {}).get(r, b""))
                            for r in batches[sent]
                        ),
                    )
                    session.submit(batch, others(), hints)
                    hints = {}
                    sent += 1
                for result in session.results():
                    assert not full, "a result behind a transaction that did not fit"
                    expected = batches[answered][result.index - answered * batch_size]
                    block.results.append(result)
                    block.digests.append(digest(result))
                    if result.included:
                        self._take(block, result)
                        gas_used += result.gas_used
                        self._guard.check_gas(gas_used, start.gas_limit)
                        block.raw.append(expected)
                    full |= not result.fits
                answered += 1
                if stop_after_batches is not None and answered >= stop_after_batches:
                    return block
            session.end(others(last=True))
            ended = session.ended()
            self._take(block, ended)
            block.section = ended.section
            assert ended.section.gas_used == gas_used, "the section's gas is the sum over the results"
        finally:
            session.close()
        return block

    def build(
        self,
        raw: Sequence[bytes],
        *,
        time_ms: int,
        admit: bool = True,
        batch_size: int = 4,
        foreign: Sequence[Writes] = (),
        untold: Writes | None = None,
    ) -> Block:
        """Make and commit a block. untold: what others write after the container's end."""
        prepared: dict[bytes, bytes] = {}
        pushed: list[bytes] = []
        if admit:
            for transaction, check in zip(raw, self.validate(raw, time_ms=time_ms), strict=True):
                if check.accepted:
                    prepared[transaction] = check.prepared
                    pushed += check.hint.keys
        start = self._start(Mode.BUILD, time_ms=time_ms)
        block = self.execute(
            start, raw, batch_size=batch_size, prepared=prepared, foreign=foreign, pushed=pushed
        )
        self.commit(block, untold=untold)
        return block

    def commit(self, block: Block, *, untold: Writes | None = None) -> None:
        """Make an execution the head."""
        block.writes.update(untold or {})
        self._commit(block, untold=untold or {}, took_part=True)
        self.blocks.append(block)

    def pass_by(self, writes: Writes, *, time_ms: int) -> None:
        """Commit a block in which only others did something."""
        start = self._start(Mode.BUILD, time_ms=time_ms)
        block = Block(start=start, raw=[], foreign=[], batch_size=1, section=self.section.carried())
        block.writes.update(writes)
        self._commit(block, untold=writes, took_part=False)
        self.blocks.append(block)

    def abandon(self, raw: Sequence[bytes], *, time_ms: int, after_batches: int | None = 1) -> Block:
        """Begin a block and give it up; after_batches None: only when it is whole."""
        start = self._start(Mode.BUILD, time_ms=time_ms)
        block = self.execute(start, raw, batch_size=2, stop_after_batches=after_batches)
        self.connection.finish(start.execution_id, Outcome.ABORT)
        return block

    def replay(self, block: Block) -> Block:
        """Execute a block anew, as a node does that receives it, and return it uncommitted."""
        self._last_version += 1
        start = msgspec.structs.replace(
            block.start,
            mode=Mode.REPLAY,
            result_version=self._last_version,
            execution_id=f"execution-{self._last_version}",
        )
        return self.execute(start, block.raw, batch_size=7, foreign=block.foreign)

    def rewind(self, count: int) -> None:
        """Go back by blocks; what comes next is another branch."""
        for _ in range(count):
            block = self.blocks.pop()
            self.ids.pop(0)
        self.version = block.start.state_version
        self.section = block.start.parent_section

    def view(self, request: ViewRequest) -> ViewResult:
        """Do read-only work at the head."""
        return self.connection.view(request, self._reader())

    def query(self, method: str, **parameters: object) -> object:
        """Ask the container at the head; what comes back is decoded JSON, or a refusal's message."""
        query = Query(method=method, parameters=msgspec.json.encode(parameters))
        result = self.view(ViewRequest(start=self.view_start(), query=query))
        return msgspec.json.decode(result.json) if result.json else result.message


def until_it_works(attempt: Callable[[], Block], *, lost: Callable[[ContainerError], None]) -> Block:
    """Repeat an execution for as long as the container is lost, as the executor does."""
    while True:
        try:
            return attempt()
        except ContainerError as error:
            lost(error)


def _balance(coins: int) -> bytes:
    return coins.to_bytes((coins.bit_length() + 7) // 8, "big")
