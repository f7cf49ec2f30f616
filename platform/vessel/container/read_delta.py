"""What leads a plugin's cache of reads from the version that it is at to the head of the chain."""

from __future__ import annotations

import threading

from vessel.container.messages import Writes
from vessel.database.namespace import LEDGER_PREFIX, namespace_prefix

MAX_DELTA_ENTRIES = 50_000  # past that a fresh cache is cheaper


class ReadDelta:
    """The blocks that a plugin's cache has not been told of. Thread-safe.

    Nothing here has to arrive: a delta that is lost leaves the cache at another version than this side
    believes, and then the next one empties it.
    """

    def __init__(self, namespace: int) -> None:
        """Lead the cache of a container that reads its own namespace and the ledger."""
        self._prefixes = (LEDGER_PREFIX, namespace_prefix(namespace))
        self._lock = threading.Lock()
        self._head = 0
        self._told = 0
        self._blocks: list[Writes] = []
        self._size_entries = 0

    def committed(self, parent_version: int, version: int, written: Writes) -> None:
        """Learn of a committed block and of everything that it wrote; nothing of it is looked at here."""
        with self._lock:
            gap = parent_version != self._head
            self._head = version
            if gap or self._size_entries + len(written) > MAX_DELTA_ENTRIES:
                self._told = 0
            if not self._told:
                self._blocks, self._size_entries = [], 0
                return
            self._blocks.append(written)
            self._size_entries += len(written)

    def to(self, version: int) -> tuple[int, int, Writes]:
        """Return where a question at `version` moves the cache: from, to, and the writes between.

        Two zeros where it leaves the cache alone, because it is at some other version than the head.
        """
        with self._lock:
            if not self._head:  # no block was seen yet: what is asked for first is taken for the head
                self._head = version
            if version != self._head or version == self._told:
                return 0, 0, {}
            before, blocks = self._told, self._blocks
            self._told, self._blocks, self._size_entries = version, [], 0
        written: dict[bytes, bytes | None] = {}
        for block in blocks:
            written.update((key, block[key]) for key in block if key.startswith(self._prefixes))
        return before, version, written
