"""What a container reads while it writes, against a dict that does the same slowly."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vessel.container import BlockState, Range, ledger_key
from vessel.primitives.units import Address

ADDRESS = Address(b"a" * 20)
KEYS = st.binary(min_size=1, max_size=2).map(lambda key: b"\0\1" + bytes(byte % 4 for byte in key))
VALUES = st.binary(max_size=2)
BOUNDS = KEYS | st.sampled_from([b"\0\1", b"\0\2"])


class Base:
    """State at version 7, that remembers what it was asked."""

    version = 7

    def __init__(self, entries: dict[bytes, bytes]) -> None:
        self.entries = entries
        self.asked: list[bytes] = []

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        self.asked += keys
        return [self.entries.get(key) for key in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        return model_range(self.entries, wanted)


def model_range(entries: dict[bytes, bytes], wanted: Range) -> list[tuple[bytes, bytes]]:
    found = sorted((k, v) for k, v in entries.items() if wanted.start <= k < wanted.stop)
    if wanted.reverse:
        found.reverse()
    return found[: wanted.limit] if wanted.limit else found


class BlockStateMachine(RuleBasedStateMachine):
    """Random writes, reverts, deltas and reads."""

    @initialize(
        entries=st.dictionaries(KEYS, VALUES, max_size=12),
        overrides=st.dictionaries(KEYS, VALUES, max_size=2),
    )
    def start(self, entries: dict[bytes, bytes], overrides: dict[bytes, bytes]) -> None:
        self.state = BlockState(Base(entries), 1, overrides=overrides)
        self.model = {**entries, **overrides}
        self.marks: list[tuple[int, dict[bytes, bytes]]] = []
        self.written: set[bytes] = set()
        self.before = dict(self.model)

    @rule(key=KEYS, value=VALUES)
    def put(self, key: bytes, value: bytes) -> None:
        self.state.put(key[2:], value)
        self.model[key] = value

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        self.state.delete(key[2:])
        self.model.pop(key, None)

    @rule()
    def checkpoint(self) -> None:
        self.marks.append((self.state.checkpoint(), dict(self.model)))

    @precondition(lambda self: self.marks)
    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(0, len(self.marks) - 1))
        mark, model = self.marks[position]
        del self.marks[position:]
        self.state.revert(mark)
        self.model = dict(model)

    @rule()
    def revert_all(self) -> None:
        self.state.revert()
        self.marks = []
        self.model = dict(self.before)

    @rule()
    def take_writes(self) -> None:
        writes = self.state.take_writes()
        assert list(writes) == sorted(writes)
        for key, value in writes.items():
            assert self.model.get(key) == value
        untouched = {k: v for k, v in self.before.items() if k not in writes}
        assert untouched == {k: v for k, v in self.model.items() if k not in writes}
        self.marks = []
        self.before = dict(self.model)
        assert self.state.take_writes() == {}

    @rule(keys=st.lists(KEYS, max_size=6))
    def read(self, keys: list[bytes]) -> None:
        assert self.state.read(keys) == [self.model.get(key) for key in keys]

    @rule(start=BOUNDS, stop=BOUNDS, reverse=st.booleans(), limit=st.integers(0, 5))
    def range(self, start: bytes, stop: bytes, reverse: bool, limit: int) -> None:
        wanted = Range(start=start, stop=stop, reverse=reverse, limit=limit)
        expected = model_range(self.model, wanted)
        assert self.state.range(wanted) == expected
        if start.startswith(b"\0\1") and stop.startswith(b"\0\1"):
            own = self.state.scan(start[2:], stop[2:], reverse=reverse, limit=limit)
            assert own == [(key[2:], value) for key, value in expected]

    @invariant()
    def whole(self) -> None:
        if hasattr(self, "state"):
            assert dict(self.state.range(Range(start=b"", stop=b"\xff"))) == self.model


TestBlockState = pytest.mark.slow(BlockStateMachine.TestCase)
TestBlockState.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)


@given(st.lists(KEYS, max_size=8))
def test_one_crossing_for_what_lacks(keys: list[bytes]) -> None:
    base = Base({})
    state = BlockState(base, 1)
    state.read(keys)
    state.read(keys)
    assert sorted(base.asked) == sorted(set(keys))


def test_pushed_values_are_not_asked_for() -> None:
    base = Base({})
    state = BlockState(base, 1)
    state.remember([(b"\0\1a", b"pushed"), (b"\0\1b", None)])
    assert state.read([b"\0\1a", b"\0\1b"]) == [b"pushed", None]
    assert base.asked == []
    assert state.version == 7


def test_the_cache_takes_what_was_read_and_not_what_was_written() -> None:
    remembered: dict[bytes, bytes | None] = {}
    state = BlockState(Base({b"\0\1a": b"1"}), 1, remembered=remembered)
    assert state.get(b"a") == b"1"
    assert state.get(b"b") is None
    state.put(b"a", b"2")
    state.take_writes()
    assert remembered == {b"\0\1a": b"1", b"\0\1b": None}


def test_others_writes_lie_on_top() -> None:
    state = BlockState(Base({ledger_key(ADDRESS): b"\x05"}), 1)
    assert state.balance(ADDRESS) == 5
    state.keep({ledger_key(ADDRESS): b"\x09"})
    assert state.balance(ADDRESS) == 9
    assert state.block_writes() == {ledger_key(ADDRESS): b"\x09"}


def test_balances() -> None:
    state = BlockState(Base({ledger_key(ADDRESS): b"\x05"}), 1)
    state.add_balance(ADDRESS, 251)
    assert state.take_writes() == {ledger_key(ADDRESS): b"\x01\x00"}
    state.add_balance(ADDRESS, -256)
    assert state.take_writes() == {ledger_key(ADDRESS): None}
    with pytest.raises(ValueError, match=f"0x{ADDRESS.hex()} holds 0, cannot pay 1"):
        state.add_balance(ADDRESS, -1)
