"""Measure what a state root costs: N changed keys on a large state that is stored in LevelDB.

    python bench/state_root.py [--keys 1000000] [--rounds 5] [--prototype PATH/TO/smt5.py]

For each N: the update of the tree with its hashes, cold (store and tree just opened) and warm, and
the synced write of the records that it made; then a whole block through StateDatabase, from plain
keys and values to the commit. With --prototype the same updates also run on that tree, round by round
in turn, and the ratio of processor times is printed. The last line is JSON.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib.util
import json
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from vessel.database.key_value import Batch, KeyValue, open_key_value
from vessel.database.layout import TREE
from vessel.database.state import StateDatabase
from vessel.database.tree import Dirty, Entry, empty_tree, load_tree, update, verified
from vessel.primitives.hashing import SHA256
from vessel.primitives.units import Hash32

CHANGED = (1_000, 10_000)
WRITE_CHUNK = 20_000


class Clock:
    """Processor time of this thread (the engine's own threads apart) and wall time, in milliseconds."""

    def __enter__(self) -> Clock:
        self.wall, self.cpu = time.perf_counter(), time.thread_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu = (time.thread_time() - self.cpu) * 1e3
        self.wall = (time.perf_counter() - self.wall) * 1e3


class Vessel:
    """The tree of this repository on a LevelDB of its own."""

    name = "vessel"

    def __init__(self, path: Path, keys: list[bytes]) -> None:
        self.path = path
        self.store = open_key_value(f"leveldb:{path}")
        self.tree, dirty = update(empty_tree(SHA256), sorted((k, k) for k in keys), self.load, SHA256)
        operations = sorted((TREE + at, record) for at, record in dirty.items())
        for i in range(0, len(operations), WRITE_CHUNK):
            self.store.write(Batch(operations[i : i + WRITE_CHUNK]), sync=False)
        self.store.close()
        compact(path)
        self.reopen()

    def load(self, path: bytes, expected: Hash32) -> bytes:
        return verified(SHA256, path, self.store.get(TREE + path), expected)

    def reopen(self) -> None:
        self.store.close()
        self.store = open_key_value(f"leveldb:{self.path}")
        self.tree = load_tree(self.tree.root, self.load, SHA256)

    def update(self, entries: list[Entry]) -> Dirty:
        self.tree, dirty = update(self.tree, sorted(entries), self.load, SHA256)
        return dirty

    def write(self, dirty: Dirty) -> None:
        self.store.write(Batch((TREE + at, record) for at, record in dirty.items()), sync=True)


class Prototype:
    """The tree of a file like the prototype's, on a LevelDB of its own, opened in the same way."""

    name = "prototype"

    def __init__(self, module: Any, path: Path, keys: list[bytes]) -> None:
        self.module, self.path = module, path
        self.native = open_native(path)
        tree = module.Tree(self.native, 16, False)
        tree.update([(k, k) for k in keys])
        operations = sorted(tree.dirty.items())
        for i in range(0, len(operations), WRITE_CHUNK):
            with self.native.write_batch() as batch:
                for at, record in operations[i : i + WRITE_CHUNK]:
                    batch.put(at, record)
        self.native.close()
        compact(path)
        self.reopen()

    def reopen(self) -> None:
        self.native.close()
        self.native = open_native(self.path)
        self.tree = self.module.Tree(self.native, 16, False)
        root = self.native.get(self.module.pk(b"", 0))
        bitmap = root[-2] | root[-1] << 8
        self.tree.root = self.module.Node(bitmap, bytearray(root), [None] * bitmap.bit_count())

    def update(self, entries: list[Entry]) -> Dirty:
        self.tree.update(list(entries))
        dirty: Dirty = self.tree.dirty
        return dirty

    def write(self, dirty: Dirty) -> None:
        with self.native.write_batch(sync=True) as batch:
            for at, record in dirty.items():
                batch.put(at, record)


def open_native(path: Path) -> Any:
    """Open a LevelDB as vessel.database.leveldb does."""
    import plyvel

    return plyvel.DB(
        str(path),
        create_if_missing=True,
        write_buffer_size=32 << 20,
        lru_cache_size=128 << 20,
        bloom_filter_bits=10,
        compression=None,
    )


def compact(path: Path) -> None:
    """Bring a closed LevelDB to rest, so that it does not compact while it is measured."""
    native = open_native(path)
    native.compact_range()
    native.close()


def load_prototype(path: Path) -> Any:
    """Import the file at `path`."""
    spec = importlib.util.spec_from_file_location("prototype", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure_trees(
    trees: list[Any], keys: list[bytes], rounds: int, rng: random.Random
) -> list[dict[str, Any]]:
    """Return a row for each number of changed keys, tree, and cold or warm."""
    rows: list[dict[str, Any]] = []
    for count in CHANGED:
        for state in ("cold", "warm"):
            cpu: dict[str, list[float]] = {tree.name: [] for tree in trees}
            wall: dict[str, list[float]] = {tree.name: [] for tree in trees}
            write: dict[str, list[float]] = {tree.name: [] for tree in trees}
            for _ in range(rounds):
                entries = [(key, rng.randbytes(32)) for key in rng.sample(keys, count)]
                for tree in trees:
                    if state == "cold":
                        tree.reopen()
                    gc.collect()
                    with Clock() as clock:
                        dirty = tree.update(entries)
                    with Clock() as writing:
                        tree.write(dirty)
                    cpu[tree.name].append(clock.cpu)
                    wall[tree.name].append(clock.wall)
                    write[tree.name].append(writing.wall)
            for tree in trees:
                row: dict[str, Any] = {"tree": tree.name, "changed": count, "state": state}
                row["cpu_ms"] = round(statistics.median(cpu[tree.name]), 2)
                row["wall_ms"] = round(statistics.median(wall[tree.name]), 2)
                row["write_ms"] = round(statistics.median(write[tree.name]), 2)
                rows.append(row)
                print(
                    f"{tree.name:10} {count:>7} {state:5} tree+hash cpu {row['cpu_ms']:8.2f} ms  "
                    f"wall {row['wall_ms']:8.2f} ms  synced write {row['write_ms']:8.2f} ms",
                    flush=True,
                )
    return rows


def measure_blocks(store: KeyValue, count: int, rounds: int, rng: random.Random) -> list[dict[str, Any]]:
    """Return a row for each number of changed keys: whole blocks, each over the one before it."""
    state = StateDatabase(store, SHA256)
    names = [hashlib.blake2s(i.to_bytes(8, "big")).digest() for i in range(count)]
    version = state.begin(state.head_version)
    state.apply(version, {name: name * 3 for name in names})
    state.commit(version, 0, Batch())
    rows: list[dict[str, Any]] = []
    for changed in CHANGED:
        roots: list[float] = []
        commits: list[float] = []
        for _ in range(rounds):
            version = state.begin(state.head_version)
            state.apply(version, {name: rng.randbytes(96) for name in rng.sample(names, changed)})
            gc.collect()
            with Clock() as rooting:
                state.root(version)
            with Clock() as committing:
                state.commit(version, state.head_height + 1, Batch())
            roots.append(rooting.wall)
            commits.append(committing.wall)
        row = {
            "changed": changed,
            "root_ms": round(statistics.median(roots), 2),
            "commit_ms": round(statistics.median(commits), 2),
        }
        rows.append(row)
        print(
            f"block      {changed:>7}       root {row['root_ms']:8.2f} ms  commit {row['commit_ms']:8.2f} ms"
        )
    return rows


def ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return processor time of vessel over that of the prototype, by case."""
    cpu: dict[tuple[str, str], float] = {
        (f"{row['changed']} {row['state']}", row["tree"]): row["cpu_ms"] for row in rows
    }
    return {
        case: round(cpu[case, "vessel"] / other, 2)
        for (case, name), other in cpu.items()
        if name == "prototype"
    }


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000, help="keys in the state")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts")
    parser.add_argument("--prototype", type=Path, help="a file with a class Tree as smt5.py has it")
    arguments = parser.parse_args()
    rng = random.Random(1)
    directory = Path(tempfile.mkdtemp(prefix="vessel-bench-"))
    try:
        keys = [hashlib.blake2s(i.to_bytes(8, "big")).digest() for i in range(arguments.keys)]
        trees: list[Any] = [Vessel(directory / "vessel", keys)]
        if arguments.prototype:
            trees.append(Prototype(load_prototype(arguments.prototype), directory / "prototype", keys))
        gc.disable()
        rows = measure_trees(trees, keys, arguments.rounds, rng)
        result: dict[str, Any] = {"keys": arguments.keys, "trees": rows, "ratios": ratios(rows)}
        for case, ratio in result["ratios"].items():
            print(f"vessel / prototype, {case}: {ratio}")
        gc.enable()
        del trees
        with open_key_value(f"leveldb:{directory / 'blocks'}") as store:
            result["blocks"] = measure_blocks(store, arguments.keys, arguments.rounds, rng)
        print(json.dumps(result))
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
