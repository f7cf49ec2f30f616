"""Measure three forms of a set of keys and values on the wire.

    python bench/entries.py [--rounds 9]

packed: one bytes field, written and read in Python by struct: lengths, key, value, entry after entry.
messages: a protobuf message an entry. arrays: container/v1 Entries: keys, values and the positions
without a value, with the checks that the codec makes. All go from and to a dict. The forms run in
turn, round by round; figures are the best processor time of a round. Last line: JSON.
"""

from __future__ import annotations

import argparse
import json
import struct
import time
from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from vessel.container import codec
from vessel_proto.container.v1 import container_pb2 as pb

Writes = Mapping[bytes, bytes | None]

# Entries, key size, value size, share without a value.
SETS = (
    (100, 54, 32, 0.0),
    (3_000, 54, 32, 0.0),
    (3_000, 54, 32, 0.1),
    (30_000, 22, 12, 0.0),
    (300, 54, 4_000, 0.0),
)

_LENGTHS = struct.Struct(">II")
_ABSENT = (1 << 32) - 1


def pack(writes: Writes) -> bytes:
    """Return the packed form, serialised."""
    parts: list[bytes] = []
    for key in sorted(writes):
        value = writes[key]
        if value is None:
            parts += (_LENGTHS.pack(len(key), _ABSENT), key)
        else:
            parts += (_LENGTHS.pack(len(key), len(value)), key, value)
    return pb.Fragment(data=b"".join(parts)).SerializeToString()


def unpack(message: bytes) -> dict[bytes, bytes | None]:
    """Read the packed form."""
    data, at = pb.Fragment.FromString(message).data, 0
    writes: dict[bytes, bytes | None] = {}
    while at < len(data):
        key_size, value_size = _LENGTHS.unpack_from(data, at)
        at += _LENGTHS.size
        key = data[at : at + key_size]
        at += key_size
        if value_size == _ABSENT:
            writes[key] = None
        else:
            writes[key] = data[at : at + value_size]
            at += value_size
    return writes


def to_arrays(writes: Writes) -> bytes:
    """Return the parallel arrays, serialised."""
    return codec.writes_to_wire(writes).SerializeToString()


def from_arrays(message: bytes) -> dict[bytes, bytes | None]:
    """Read the parallel arrays, order and positions checked."""
    return codec.writes_from_wire(pb.Entries.FromString(message))


def to_messages(writes: Writes) -> bytes:
    """Return a message an entry, serialised; Log, with its two fields of bytes, stands in."""
    entries = [pb.Log(address=key, data=writes[key] or b"") for key in sorted(writes)]
    return pb.TransactionResults(logs=entries).SerializeToString()


def from_messages(message: bytes) -> dict[bytes, bytes | None]:
    """Read a message an entry."""
    return {entry.address: entry.data for entry in pb.TransactionResults.FromString(message).logs}


FORMS: dict[str, tuple[Callable[[Writes], bytes], Callable[[bytes], Writes]]] = {
    "packed": (pack, unpack),
    "messages": (to_messages, from_messages),
    "arrays": (to_arrays, from_arrays),
}


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the processor time of one call."""
    begun = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - begun) / repeats


def measure(writes: Writes, rounds: int) -> dict[str, float]:
    """Return the best time of each step, the sizes, and what each form costs beside arrays."""
    wire = {name: encode(writes) for name, (encode, _) in FORMS.items()}
    assert unpack(wire["packed"]) == from_arrays(wire["arrays"]) == writes
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, (encode, decode) in FORMS.items():
            message = wire[name]
            for step, work in (("encode", partial(encode, writes)), ("decode", partial(decode, message))):
                spent = seconds(work, max(1, 30_000 // len(writes)))
                best[f"{name}_{step}"] = min(best.get(f"{name}_{step}", spent), spent)
    total = {name: best[f"{name}_encode"] + best[f"{name}_decode"] for name in FORMS}
    return {
        **{f"{name}_us": round(spent * 1e6, 1) for name, spent in best.items()},
        **{f"{name}_size_bytes": len(message) for name, message in wire.items()},
        "packed_ratio": round(total["packed"] / total["arrays"], 2),
        "messages_ratio": round(total["messages"] / total["arrays"], 2),
    }


def main() -> None:
    """Print a table, then JSON."""
    parser = argparse.ArgumentParser(description="three forms of a write set")
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    random, rows = Random(1), []
    print("Microseconds to encode and to decode; in brackets: both together, arrays = 1.")
    titles = "".join(f"{name:>30}" for name in FORMS)
    print(f"{'entries':>8} {'key':>4} {'value':>6} {'absent':>7}{titles}")
    for count, key_size, value_size, absent in SETS:
        writes = {
            random.randbytes(key_size): None if random.random() < absent else random.randbytes(value_size)
            for _ in range(count)
        }
        row = measure(writes, rounds)
        rows.append({"entries": count, "key": key_size, "value": value_size, "absent": absent, **row})
        cells = "".join(
            f"{row[f'{name}_encode_us']:>11} {row[f'{name}_decode_us']:>10} ({ratio:>4.2f})"
            for name in FORMS
            for ratio in (row.get(f"{name}_ratio", 1.0),)
        )
        print(f"{count:>8} {key_size:>4} {value_size:>6} {absent:>7} {cells}")
    print(json.dumps({"benchmark": "entries", "rows": rows}))


if __name__ == "__main__":
    main()
