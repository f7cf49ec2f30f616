"""Keys of the store: order and where one ends."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vessel.database.layout import (
    escaped,
    history_bound,
    history_key,
    history_prefix,
    parse_history_key,
    unescaped,
)

KEYS = st.lists(st.sampled_from(b"\x00\x01a\xfe\xff"), max_size=6).map(bytes)
HEIGHTS = st.integers(0, (1 << 64) - 1)


@settings(derandomize=True)
@given(a=KEYS, b=KEYS)
def test_escaping_keeps_order_and_makes_no_prefixes(a: bytes, b: bytes) -> None:
    assert unescaped(escaped(a)) == a
    assert (a < b) == (escaped(a) < escaped(b))
    assert (a == b) == escaped(a).startswith(escaped(b))


@settings(derandomize=True)
@given(a=KEYS, at=HEIGHTS, b=KEYS, later=HEIGHTS)
def test_history_is_by_key_then_height(a: bytes, at: int, b: bytes, later: int) -> None:
    assert parse_history_key(history_key(a, at)) == (a, at)
    assert history_key(a, at).startswith(history_prefix(a))
    assert ((a, at) < (b, later)) == (history_key(a, at) < history_key(b, later))
    assert (a < b) == (history_key(a, at) < history_bound(b))
