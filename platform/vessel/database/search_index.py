"""Where in the chain a log, a tag, a sender or a failure is: exact postings by term and height.

A *term* is one thing to search by: its kind in a byte, then a digest of container and value in eight. A
block has one entry for each term that occurs in it, written in the batch that commits the block:

    INDEX ‖ kind ‖ digest (8) ‖ height (8)   ->   the positions in the block (msgpack, a flat array)

kind       of                                positions
ADDRESS    the address of a log              receipt (as difference to the one before), log, receipt, log …
TOPIC      a topic of a log with its place   likewise
TAG        a tag of a receipt                receipt, as difference to the one before
SENDER     the sender of a transaction       likewise
FAILURE    a status other than OK            likewise
RECEIPTS   a container has transactions      none: that there is an entry says all
LOGS       a container has logs              likewise

Receipts are counted in block order, the hooks of the block after those of the transactions; logs from 0
in each. Two values may share a digest: whoever searches compares what was found with what was wanted, so
that a collision costs a look and is never an answer.

A term's entries stand together in the order of height: a search seeks from match to match and reads
nothing of the blocks between. The entries of a block follow from its receipts, so that taking it back,
or dropping it as too old, deletes by key.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NewType

import msgspec

from vessel.database.key_value import Operation, Snapshot
from vessel.database.layout import INDEX
from vessel.errors import StoreCorrupt
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.encoding import text, u64
from vessel.primitives.receipt import Log, Status

Term = NewType("Term", bytes)  # kind (1) ‖ digest (8)
LogPlace = tuple[int, int]  # receipt in the block, log in the receipt

_ADDRESS = b"a"
_TOPIC = b"t"
_TAG = b"g"
_SENDER = b"s"
_FAILURE = b"x"
_RECEIPTS = b"r"
_LOGS = b"l"
_DIGEST_SIZE_BYTES = 8
_HEIGHT_SIZE_BYTES = 8

_STEPS_NEAR = 8  # a cursor goes on this often before it seeks
_STEPS_A_MARK = 1024
_END = 1 << 64  # above every height

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[int]).decode
_NO_POSITIONS = _encode([])


class Level(enum.Enum):
    """What a term's positions point at."""

    BLOCK = "block"
    RECEIPT = "receipt"
    LOG = "log"


_LEVELS = {
    _ADDRESS: Level.LOG,
    _TOPIC: Level.LOG,
    _TAG: Level.RECEIPT,
    _SENDER: Level.RECEIPT,
    _FAILURE: Level.RECEIPT,
    _RECEIPTS: Level.BLOCK,
    _LOGS: Level.BLOCK,
}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A block in which all that was asked for occurs, or, with `match` false, a mark on the way.

    receipts: the only ones where it does; None where the terms did not say. A mark tells that there is
    nothing below its height, so that a long search can be given up there.
    """

    height: int
    match: bool = True
    receipts: tuple[int, ...] | None = None


# ---- terms


def address_term(container: str, address: bytes) -> Term:
    """Return the term of logs that `address` emitted."""
    return _term(_ADDRESS, container, address)


def topic_term(container: str, place: int, topic: bytes) -> Term:
    """Return the term of logs with `topic` in a place, counted from 0."""
    return _term(_TOPIC, container, _position(place) + topic)


def tag_term(container: str, tag: bytes) -> Term:
    """Return the term of receipts with a tag."""
    return _term(_TAG, container, tag)


def sender_term(container: str, sender: bytes) -> Term:
    """Return the term of receipts of a sender."""
    return _term(_SENDER, container, sender)


def failure_term(container: str, status: Status) -> Term:
    """Return the term of receipts with a status other than OK, which has none."""
    return _term(_FAILURE, container, bytes([status]))


def receipts_term(container: str) -> Term:
    """Return the term of blocks in which a container has transactions."""
    return _term(_RECEIPTS, container, b"")


def logs_term(container: str) -> Term:
    """Return the term of blocks in which a container has logs, be it of a hook."""
    return _term(_LOGS, container, b"")


def _position(place: int) -> bytes:
    return place.to_bytes(4, "big")


def _term(kind: bytes, container: str, value: bytes) -> Term:
    return Term(kind + blake2b(text(container) + value, digest_size=_DIGEST_SIZE_BYTES).digest())


# ---- writing


def operations(executed: ExecutedBlock) -> list[Operation]:
    """Return the writes that put a block into the index."""
    height = u64(executed.block.header.height)
    return [(INDEX + term + height, _packed(term, places)) for term, places in _occurrences(executed).items()]


def operations_to_forget(executed: ExecutedBlock) -> list[Operation]:
    """Return the writes that take a block out of the index again."""
    height = u64(executed.block.header.height)
    return [(INDEX + term + height, None) for term in _occurrences(executed)]


def _occurrences(executed: ExecutedBlock) -> dict[Term, list[LogPlace]]:
    """Return the terms of a block with their places, ascending; a place of a receipt has log 0."""
    # By kind, container and value first: values recur, and hashing them is most of the work.
    found: defaultdict[tuple[bytes, str, bytes], list[LogPlace]] = defaultdict(list)
    for index, receipt in enumerate(executed.receipts):
        here = (index, 0)
        container = receipt.container
        found[_RECEIPTS, container, b""] = []
        found[_SENDER, container, receipt.sender].append(here)
        for tag in dict.fromkeys(receipt.tags):
            found[_TAG, container, tag].append(here)
        if receipt.status is not Status.OK:
            found[_FAILURE, container, bytes([receipt.status])].append(here)
        if receipt.logs:
            _add_logs(found, container, index, receipt.logs)
    for index, hook in enumerate(executed.hooks, len(executed.receipts)):
        if hook.logs:
            _add_logs(found, hook.container, index, hook.logs)
    terms: dict[Term, list[LogPlace]] = {}
    for (kind, container, value), places in found.items():
        term = _term(kind, container, value)
        if term in terms:  # two values of one digest
            places = sorted({*terms[term], *places})
        terms[term] = places
    return terms


def _add_logs(
    found: defaultdict[tuple[bytes, str, bytes], list[LogPlace]],
    container: str,
    index: int,
    logs: tuple[Log, ...],
) -> None:
    found[_LOGS, container, b""] = []
    for number, log in enumerate(logs):
        place = (index, number)
        found[_ADDRESS, container, log.address].append(place)
        for position, topic in enumerate(log.topics):
            found[_TOPIC, container, _position(position) + topic].append(place)


def _packed(term: Term, places: list[LogPlace]) -> bytes:
    """Return the positions as they are stored."""
    level = _LEVELS[term[:1]]
    if level is Level.BLOCK:
        return _NO_POSITIONS
    flat: list[int] = []
    before = 0
    for receipt, log in places:
        flat.append(receipt - before)
        before = receipt
        if level is Level.LOG:
            flat.append(log)
    return _encode(flat)


# ---- searching


def find(snapshot: Snapshot, groups: Sequence[Sequence[Term]], first: int, last: int) -> Iterator[Found]:
    """Yield, in order of height, the blocks in which every group has a term at a common place.

    groups: the terms of one are alternatives and of one level. Without a group every height from `first`
    to `last` is yielded. Marks come every now and then. Beyond `last` nothing is read.
    """
    if not groups:
        yield from (Found(height=height) for height in range(first, last + 1))
        return
    wanted = [_Group(snapshot, terms, first, last) for terms in groups]
    height, steps = first, 0
    while height <= last:
        steps += 1
        if steps % _STEPS_A_MARK == 0:
            yield Found(height=height, match=False)
        furthest = height
        for group in wanted:
            furthest = max(furthest, group.seek(furthest))
        if furthest > height:
            height = furthest
            continue
        found = _common(wanted, height)
        if found is not None:
            yield found
        height += 1


class _Cursor:
    """Walks the entries of one term upwards."""

    __slots__ = ("_entries", "_prefix", "_snapshot", "_stop", "height", "record")

    def __init__(self, snapshot: Snapshot, term: Term, first: int, last: int) -> None:
        self._snapshot = snapshot
        self._prefix = INDEX + term
        self._stop = self._prefix + u64(last) + b"\0"
        self.height = -1
        self.record = b""
        self._open(first)

    def _open(self, height: int) -> None:
        self._entries = self._snapshot.iterate(start=self._prefix + u64(height), stop=self._stop)
        self._step()

    def _step(self) -> None:
        key, self.record = next(self._entries, (b"", b""))
        self.height = int.from_bytes(key[-_HEIGHT_SIZE_BYTES:], "big") if key else _END

    def seek(self, height: int) -> None:
        """Go to the first entry at `height` or above."""
        for _ in range(_STEPS_NEAR):
            if self.height >= height:
                return
            self._step()
        if self.height < height:
            self._open(height)


class _Group:
    """Alternatives, walked side by side."""

    __slots__ = ("_cursors", "level")

    def __init__(self, snapshot: Snapshot, terms: Sequence[Term], first: int, last: int) -> None:
        self.level = _LEVELS[terms[0][:1]]
        self._cursors = [_Cursor(snapshot, term, first, last) for term in terms]

    def seek(self, height: int) -> int:
        """Return the lowest height at `height` or above with any of the terms."""
        for cursor in self._cursors:
            if cursor.height < height:
                cursor.seek(height)
        return min((cursor.height for cursor in self._cursors), default=_END)

    def places(self, height: int) -> set[LogPlace]:
        """Return where the terms occur in a block; a receipt's place has log 0."""
        places: set[LogPlace] = set()
        for cursor in self._cursors:
            if cursor.height == height:
                places.update(_places(cursor.record, self.level, height))
        return places


def _places(record: bytes, level: Level, height: int) -> Iterator[LogPlace]:
    try:
        flat = _decode(record)
    except msgspec.DecodeError as error:
        raise StoreCorrupt(
            f"an entry of the search index for block {height} cannot be read: {error}; restore a backup, or "
            "replay the chain",
            height=height,
        ) from error
    receipt = 0
    if level is Level.RECEIPT:
        for difference in flat:
            receipt += difference
            yield receipt, 0
        return
    for difference, log in zip(flat[::2], flat[1::2], strict=True):
        receipt += difference
        yield receipt, log


def _common(groups: Sequence[_Group], height: int) -> Found | None:
    """Return where in a block all groups meet; None where they do not."""
    logs: set[LogPlace] | None = None
    receipts: set[int] | None = None
    for group in groups:
        if group.level is Level.LOG:
            places = group.places(height)
            logs = places if logs is None else logs & places
        elif group.level is Level.RECEIPT:
            own = {receipt for receipt, _ in group.places(height)}
            receipts = own if receipts is None else receipts & own
    if logs is not None:
        with_logs = {receipt for receipt, _ in logs}
        receipts = with_logs if receipts is None else receipts & with_logs
    if receipts is None:
        return Found(height=height)
    return Found(height=height, receipts=tuple(sorted(receipts))) if receipts else None
