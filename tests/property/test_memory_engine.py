"""The engine `memory:` against a dictionary."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vessel.database.key_value import Batch
from vessel.database.memory import MemoryKeyValue


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 1 << 32),
    names=st.sampled_from([20, 300, 3000]),
    size=st.sampled_from([1, 40, 2000]),
    deleted=st.sampled_from([0.1, 0.5, 0.9]),
)
def test_it_is_a_sorted_dictionary(seed: int, names: int, size: int, deleted: float) -> None:
    rng = random.Random(seed)
    store = MemoryKeyValue()
    model: dict[bytes, bytes] = {}
    kept = [(store.snapshot(), model)]
    for step in range(12):
        changes: dict[bytes, bytes | None] = {}
        for _ in range(rng.randint(0, size)):
            changes[b"%d" % rng.randrange(names)] = None if rng.random() < deleted else b"%d" % step
        store.write(Batch(changes.items()), sync=False)
        merged = {**model, **changes}
        model = {key: value for key, value in merged.items() if value is not None}
        kept.append((store.snapshot(), model))
        start, stop = sorted(b"%d" % rng.randrange(names) for _ in range(2))
        expected = [entry for entry in sorted(model.items()) if start <= entry[0] < stop]
        assert list(store.iterate(start=start, stop=stop)) == expected
        assert list(store.iterate(start=start, stop=stop, reverse=True)) == expected[::-1]
        wanted = [b"%d" % rng.randrange(names) for _ in range(20)]
        assert store.multi_get(wanted) == [model.get(key) for key in wanted]
    for snapshot, expected_model in kept:
        assert list(snapshot.iterate()) == sorted(expected_model.items())
