"""State at earlier heights, from what each block found under the keys it changed.

The value of a key after block `h` is what the first later block that changed it found there; if none
did, it is the latest value. So a point read costs one seek, however long ago `h` was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from vessel.database.key_value import Operation, Snapshot
from vessel.database.layout import (
    changed_key,
    decode_previous,
    encode_previous,
    flat_key,
    history_bound,
    history_key,
    history_prefix,
    parse_history_key,
    root_key,
)
from vessel.database.overlay import Change, merged
from vessel.database.reader import Range
from vessel.errors import StoreCorrupt
from vessel.primitives.encoding import u64

_ABOVE_HEIGHTS = b"\xff" * 9
_SKIPS_BEFORE_SEEK = 16


def values_at(snapshot: Snapshot, height: int, keys: Sequence[bytes]) -> list[bytes | None]:
    """Return the values after the block at `height`, in the order of `keys`."""
    values: list[bytes | None] = []
    latest: list[int] = []
    after = u64(height + 1)
    for i, key in enumerate(keys):
        prefix = history_prefix(key)
        entry = next(snapshot.iterate(start=prefix + after, stop=prefix + _ABOVE_HEIGHTS), None)
        if entry is None:
            latest.append(i)
            values.append(None)
        else:
            values.append(decode_previous(entry[1]))
    for i, value in zip(latest, snapshot.multi_get([flat_key(keys[i]) for i in latest]), strict=True):
        values[i] = value
    return values


def entries_at(snapshot: Snapshot, height: int, wanted: Range) -> Iterator[tuple[bytes, bytes]]:
    """Yield the entries of a range after the block at `height`; its limit is left to the caller."""
    skip = len(flat_key(b""))
    flat = snapshot.iterate(start=flat_key(wanted.start), stop=flat_key(wanted.stop), reverse=wanted.reverse)
    changes = (_backward if wanted.reverse else _forward)(snapshot, height, wanted)
    return merged(((key[skip:], value) for key, value in flat), changes, reverse=wanted.reverse)


def _forward(snapshot: Snapshot, height: int, wanted: Range) -> Iterator[Change]:
    """Yield the keys of the range that changed after `height`, ascending, with their values then."""
    start, stop = history_bound(wanted.start), history_bound(wanted.stop)
    done: bytes | None = None  # the key that was yielded last
    skipped = 0
    entries = snapshot.iterate(start=start, stop=stop)
    while (entry := next(entries, None)) is not None:
        key, at = parse_history_key(entry[0])
        if key != done and at > height:
            yield key, decode_previous(entry[1])
            done, skipped = key, 0
            continue
        skipped += 1
        if skipped == _SKIPS_BEFORE_SEEK:  # a key with a long history: jump over it
            prefix = history_prefix(key)
            jump = prefix + (_ABOVE_HEIGHTS if key == done else u64(height + 1))
            entries = snapshot.iterate(start=jump, stop=stop)
            skipped = 0


def _backward(snapshot: Snapshot, height: int, wanted: Range) -> Iterator[Change]:
    """Yield the same, descending."""
    start, stop = history_bound(wanted.start), history_bound(wanted.stop)
    oldest: Change | None = None  # of the key at hand, the change nearest to `height` so far
    skipped = 0
    entries = snapshot.iterate(start=start, stop=stop, reverse=True)
    while (entry := next(entries, None)) is not None:
        key, at = parse_history_key(entry[0])
        if oldest is not None and oldest[0] != key:
            yield oldest
            oldest = None
        if at > height:
            oldest = (key, decode_previous(entry[1]))
            skipped = 0
            continue
        skipped += 1
        if skipped == _SKIPS_BEFORE_SEEK:
            entries = snapshot.iterate(start=start, stop=history_prefix(key), reverse=True)
            skipped = 0
    if oldest is not None:
        yield oldest


def operations_for(height: int, previous: Iterable[Change]) -> list[Operation]:
    """Return the writes that record what the block at `height` found under the keys it changed."""
    operations: list[Operation] = []
    keys: list[bytes] = []
    for key, value in previous:
        keys.append(key)
        operations.append((history_key(key, height), encode_previous(value)))
    operations.append((changed_key(height), msgspec.msgpack.encode(keys)))
    return operations


def changed_keys(snapshot: Snapshot, height: int) -> list[bytes]:
    """Return the state keys that the block at `height` changed."""
    record = snapshot.get(changed_key(height))
    if record is None:
        raise StoreCorrupt(
            f"the store has no list of the keys that block {height} changed; "
            "restore a backup, or replay the chain",
            height=height,
        )
    return msgspec.msgpack.decode(record, type=list[bytes])


def undo(snapshot: Snapshot, height: int, head_height: int) -> dict[bytes, bytes | None]:
    """Return the values at `height` of all keys that the blocks after it, up to the head, changed."""
    values: dict[bytes, bytes | None] = {}
    for later in range(height + 1, head_height + 1):
        keys = [key for key in changed_keys(snapshot, later) if key not in values]
        records = snapshot.multi_get([history_key(key, later) for key in keys])
        for key, record in zip(keys, records, strict=True):
            if record is None:
                raise StoreCorrupt(
                    f"the store lost what block {later} found under key {key.hex()}; "
                    "restore a backup, or replay the chain",
                    height=later,
                )
            values[key] = decode_previous(record)
    return values


def changes_at(snapshot: Snapshot, height: int) -> dict[bytes, bytes | None]:
    """Return what the block at `height` made of the keys that it changed."""
    keys = changed_keys(snapshot, height)
    return dict(zip(keys, values_at(snapshot, height, keys), strict=True))


def operations_to_prune(snapshot: Snapshot, first: int, below: int) -> list[Operation]:
    """Return the writes after which `below` is the lowest height that can be read; `first` was before."""
    operations = operations_to_forget(snapshot, first, below)
    operations += [(root_key(height), None) for height in range(first, below)]
    return operations


def operations_to_forget(snapshot: Snapshot, height: int, last: int) -> list[Operation]:
    """Return the writes that remove the records of the blocks after `height`, up to `last`."""
    operations: list[Operation] = []
    for later in range(height + 1, last + 1):
        operations += [(history_key(key, later), None) for key in changed_keys(snapshot, later)]
        operations.append((changed_key(later), None))
    return operations
