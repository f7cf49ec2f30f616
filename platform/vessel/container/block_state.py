"""State as a container sees it while it works on one block.

Three layers: what the state version holds (read from the host, remembered), what this block has
written so far (this container's kept writes and the others' deltas), and what the transaction at hand
has written. Keys are full state keys (`namespace ‖ key`) in `read`, `range` and `write`; the methods
`get`, `put`, `delete` and `scan` put the container's own namespace in front, `balance` and
`add_balance` the ledger's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vessel.database.namespace import decode_balance, encode_balance, ledger_key, namespace_prefix
from vessel.database.reader import Range, StateReader
from vessel.primitives.units import Address, Coin

_MISSING = object()


class BlockState:
    """Reads at one version under the writes of one block. For one thread."""

    __slots__ = ("_base", "_block", "_journal", "_laid", "_pending", "_prefix", "_remembered")

    def __init__(
        self,
        base: StateReader,
        namespace: int,
        *,
        remembered: dict[bytes, bytes | None] | None = None,
        overrides: Mapping[bytes, bytes | None] | None = None,
    ) -> None:
        """Stand on `base`.

        remembered: values known to hold at base.version, added to as reads come in (a cache that
        belongs to that version). overrides: writes that count as already done.
        """
        self._base = base
        self._prefix = namespace_prefix(namespace)
        self._remembered: dict[bytes, bytes | None] = {} if remembered is None else remembered
        self._block: dict[bytes, bytes | None] = dict(overrides or {})
        self._pending: dict[bytes, bytes | None] = {}
        self._journal: list[tuple[bytes, object]] = []
        self._laid = 0

    # ---- reading

    def read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values of full state keys, in their order; one crossing for all that lack."""
        pending, block, remembered = self._pending, self._block, self._remembered
        if block.keys().isdisjoint(keys) and pending.keys().isdisjoint(keys):
            try:
                return [remembered[key] for key in keys]
            except KeyError:
                pass
        lacking = [key for key in keys if key not in pending and key not in block and key not in remembered]
        if lacking:
            lacking = list(dict.fromkeys(lacking))
            remembered.update(zip(lacking, self._base.multi_get(lacking), strict=True))
        return [
            pending[key] if key in pending else block[key] if key in block else remembered[key]
            for key in keys
        ]

    def remember(self, entries: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take values that the host pushed unasked; they hold at the base version."""
        self._remembered.update(entries)

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        """Return the entries of a range of full state keys, this block's writes included."""
        written: dict[bytes, bytes | None] = {}
        for layer in (self._block, self._pending):
            written.update((k, v) for k, v in layer.items() if wanted.start <= k < wanted.stop)
        if not written:
            return self._base.range(wanted)
        # Each written key can hide at most one entry of the base, so this many more suffice.
        limit = wanted.limit + len(written) if wanted.limit else 0
        below = self._base.range(
            Range(start=wanted.start, stop=wanted.stop, reverse=wanted.reverse, limit=limit)
        )
        merged: dict[bytes, bytes | None] = dict(below)
        merged.update(written)
        entries = [
            (key, value) for key, value in sorted(merged.items(), reverse=wanted.reverse) if value is not None
        ]
        if limit and len(below) == limit:
            # The base may hold more beyond its last entry: written keys out there are not next.
            edge = below[-1][0]
            entries = [e for e in entries if (e[0] >= edge if wanted.reverse else e[0] <= edge)]
        return entries[: wanted.limit] if wanted.limit else entries

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key of the container's own; None where there is none."""
        return self.read((self._prefix + key,))[0]

    def scan(
        self, start: bytes, stop: bytes, *, reverse: bool = False, limit: int = 0
    ) -> list[tuple[bytes, bytes]]:
        """Return own entries from `start` (included) to `stop` (excluded), without the namespace."""
        size = len(self._prefix)
        wanted = Range(start=self._prefix + start, stop=self._prefix + stop, reverse=reverse, limit=limit)
        return [(key[size:], value) for key, value in self.range(wanted)]

    def balance(self, address: Address) -> Coin:
        """Return an address's native coin."""
        return Coin(decode_balance(self.read((ledger_key(address),))[0]))

    # ---- writing

    def write(self, key: bytes, value: bytes | None) -> None:
        """Set a full state key for the transaction at hand; None deletes."""
        self._journal.append((key, self._pending.get(key, _MISSING)))
        self._pending[key] = value

    def put(self, key: bytes, value: bytes) -> None:
        """Set a key of the container's own."""
        self.write(self._prefix + key, value)

    def delete(self, key: bytes) -> None:
        """Delete a key of the container's own."""
        self.write(self._prefix + key, None)

    def add_balance(self, address: Address, change: int) -> None:
        """Credit or debit native coin; ValueError where the balance would fall below zero.

        The host checks afterwards that the changes of a result add up to minus what it burned, and
        that only addresses of the container's own were debited.
        """
        after = self.balance(address) + change
        if after < 0:
            raise ValueError(f"0x{address.hex()} holds {after - change}, cannot pay {-change}")
        self.write(ledger_key(address), encode_balance(after))

    # ---- transactions

    def checkpoint(self) -> int:
        """Return a mark to which `revert` can go back."""
        return len(self._journal)

    def revert(self, checkpoint: int = 0) -> None:
        """Undo what the transaction at hand wrote since the mark; all of it by default."""
        while len(self._journal) > checkpoint:
            key, before = self._journal.pop()
            if before is _MISSING:
                del self._pending[key]
            else:
                assert before is None or isinstance(before, bytes)
                self._pending[key] = before

    def take_writes(self) -> dict[bytes, bytes | None]:
        """Keep what the transaction at hand wrote for the block, and return it sorted by key."""
        writes = dict(sorted(self._pending.items()))
        self._block.update(writes)
        self._pending.clear()
        self._journal.clear()
        return writes

    def keep(self, writes: Mapping[bytes, bytes | None]) -> None:
        """Lay finished writes on the block: another's delta, or the result of an engine's own journal."""
        if writes:
            self._block.update(writes)
            self._laid += 1

    @property
    def laid(self) -> int:
        """How many sets of writes were kept; who has a cache over this state sees by it that others wrote."""
        return self._laid

    def block_writes(self) -> dict[bytes, bytes | None]:
        """Return everything that the block has written so far, others' deltas included."""
        return dict(self._block)

    @property
    def version(self) -> int:
        """The state version below the block's own writes."""
        return self._base.version
