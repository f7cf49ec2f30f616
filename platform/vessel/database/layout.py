"""Where everything stands in the key-value store: one byte names the table, the rest is its key.

table     key                                     value
META      name                                    see `Meta*`
FLAT      state key                               the latest value
TREE      depth (1) ‖ nibbles, packed             the exact bytes that the node's hash covers
HISTORY   escaped(state key) ‖ height (8)         what the block at that height found: 0x00, or 0x01 ‖ value
CHANGED   height (8)                              the state keys that the block changed (msgpack)
ROOT      height (8)                              state root after the block
BLOCK     height (8)                              block (msgpack)
RECEIPTS  height (8)                              receipts and hooks (msgpack)
ID        height (8)                              block id
HEIGHT    block id                                height (8)
TX        container ‖ 0x00 ‖ transaction id       height (8) ‖ place in the block (4)
INDEX     kind (1) ‖ digest (8) ‖ height (8)      where in a block a term occurs: see search_index
SCORE     height (8)                              score of the branch that ends there, shortest big-endian
SIDE      block id                                a block beside the canonical branch, whole (see `side`)
SIDE_AT   height (8) ‖ block id                   its place in the tree of blocks (see `side`)

Integers are big-endian, so that numeric order is key order.
"""

from __future__ import annotations

from vessel.database.key_value import Operation
from vessel.primitives.encoding import u32, u64

SCHEMA_VERSION = 2

META = b"\x00"
FLAT = b"\x01"
TREE = b"\x02"
HISTORY = b"\x03"
CHANGED = b"\x04"
ROOT = b"\x05"
BLOCK = b"\x06"
RECEIPTS = b"\x07"
ID = b"\x08"
HEIGHT = b"\x09"
TX = b"\x0a"
INDEX = b"\x0b"
SCORE = b"\x0c"
SIDE = b"\x0d"
SIDE_AT = b"\x0e"

META_SCHEMA = META + b"schema"  # SCHEMA_VERSION in 4 bytes
META_GENESIS = META + b"genesis"  # hash of the genesis
META_HASHER = META + b"hasher"  # name of the chain's hash
META_HEAD = META + b"head"  # state version (8) ‖ height (8) ‖ state root (32) of the last commit
META_VERSIONS = META + b"versions"  # every state version below this number may have been issued (8)
META_HISTORY = META + b"history"  # lowest height whose state can be read (8)

_ESCAPED_ZERO = b"\x00\xff"
_TERMINATOR = b"\x00\x00"  # below every escaped byte: a key sorts before those it is a prefix of
_HEIGHT_SIZE_BYTES = 8


def flat_key(key: bytes) -> bytes:
    """Return where the latest value of a state key stands."""
    return FLAT + key


def tree_key(path: bytes) -> bytes:
    """Return where the node at a path of the commitment tree stands."""
    return TREE + path


def tree_operations(dirty: dict[bytes, bytes | None]) -> list[Operation]:
    """Return the writes that bring the stored tree to a new version."""
    return [(TREE + path, record) for path, record in dirty.items()]


def escaped(key: bytes) -> bytes:
    """Return `key` such that something may follow it: order kept, no result a prefix of another."""
    return key.replace(b"\x00", _ESCAPED_ZERO) + _TERMINATOR


def unescaped(data: bytes) -> bytes:
    """Return the key of `escaped`."""
    return data[: -len(_TERMINATOR)].replace(_ESCAPED_ZERO, b"\x00")


def history_prefix(key: bytes) -> bytes:
    """Return the front of all history entries of a state key."""
    return HISTORY + escaped(key)


def history_bound(key: bytes) -> bytes:
    """Return what is above the history of all keys below `key`, and not above that of the others."""
    return HISTORY + key.replace(b"\x00", _ESCAPED_ZERO)


def history_key(key: bytes, height: int) -> bytes:
    """Return where the value stands that the block at `height` found under a state key."""
    return HISTORY + escaped(key) + u64(height)


def parse_history_key(data: bytes) -> tuple[bytes, int]:
    """Return the state key and the height of a key in HISTORY."""
    return (
        unescaped(data[len(HISTORY) : -_HEIGHT_SIZE_BYTES]),
        int.from_bytes(data[-_HEIGHT_SIZE_BYTES:], "big"),
    )


def encode_previous(value: bytes | None) -> bytes:
    """Return the history record of a value, or of its absence."""
    return b"\x00" if value is None else b"\x01" + value


def decode_previous(record: bytes) -> bytes | None:
    """Return the value of a history record."""
    return record[1:] if record[0] else None


def changed_key(height: int) -> bytes:
    """Return where the list of keys stands that the block at `height` changed."""
    return CHANGED + u64(height)


def root_key(height: int) -> bytes:
    """Return where the state root after the block at `height` stands."""
    return ROOT + u64(height)


def block_key(height: int) -> bytes:
    """Return where the block stands."""
    return BLOCK + u64(height)


def receipts_key(height: int) -> bytes:
    """Return where the receipts and hooks of a block stand."""
    return RECEIPTS + u64(height)


def id_key(height: int) -> bytes:
    """Return where the id of the block at `height` stands."""
    return ID + u64(height)


def height_key(block_id: bytes) -> bytes:
    """Return where the height of a block stands."""
    return HEIGHT + block_id


def score_key(height: int) -> bytes:
    """Return where the score of the canonical branch up to `height` stands."""
    return SCORE + u64(height)


def side_key(block_id: bytes) -> bytes:
    """Return where a block beside the canonical branch stands."""
    return SIDE + block_id


def side_at_key(height: int, block_id: bytes = b"") -> bytes:
    """Return where the place of a side block stands; without an id: in front of all at that height."""
    return SIDE_AT + u64(height) + block_id


def transaction_key(container: str, transaction_id: bytes) -> bytes:
    """Return where the place of a transaction stands; names of containers hold no zero byte."""
    return TX + container.encode() + b"\x00" + transaction_id


def encode_place(height: int, index: int) -> bytes:
    """Return the record of a transaction's place."""
    return u64(height) + u32(index)


def decode_place(record: bytes) -> tuple[int, int]:
    """Return height and index of a transaction's place."""
    return int.from_bytes(record[:8], "big"), int.from_bytes(record[8:], "big")
