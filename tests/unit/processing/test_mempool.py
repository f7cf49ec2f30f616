"""The mempool: order, gaps, replacement, limits, expiry."""

from __future__ import annotations

import pytest

from vessel.container.messages import TransactionCheck
from vessel.errors import RejectedTransaction
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import Coin
from vessel.processing.mempool import Mempool, PendingTransaction

VMS = ("vm", "other")


def add(
    pool: Mempool,
    name: str,
    sequence: int | None = None,
    *,
    sender: str = "s",
    bid: int = 10,
    next_sequence: int = 0,
    expires_at_ms: int = 0,
    container: str = "vm",
) -> PendingTransaction | None:
    """Admit one whose id is its name; return what it displaced."""
    displaced = pool.add(
        Transaction(container=container, raw=name.encode()),
        TransactionCheck(
            accepted=True,
            id=name.encode(),
            sender=sender.encode(),
            sequence=sequence,
            next_sequence=next_sequence,
            bid=Coin(bid),
            expires_at_ms=expires_at_ms,
        ),
    )
    return None if displaced is None else displaced.pending


def ready(pool: Mempool, *, limit: int = 100, containers: tuple[str, ...] = VMS) -> list[str]:
    """Return the names of what could go into a block, in order."""
    names = [pending.check.id.decode() for pending in pool.ready(containers, limit=limit)]
    assert bool(names) == pool.has_ready(containers) or not limit
    return names


def held(pool: Mempool, name: str) -> PendingTransaction:
    """Return one that is there."""
    pending = pool.find(name.encode())
    assert pending is not None
    return pending


def test_the_best_bid_comes_first_and_equals_in_the_order_of_arrival() -> None:
    pool = Mempool()
    for name, bid in (("a", 5), ("b", 9), ("c", 5), ("d", 7)):
        add(pool, name, bid=bid, sender=name)
    assert ready(pool) == ["b", "d", "a", "c"]
    assert ready(pool, limit=2) == ["b", "d"]


def test_a_sender_keeps_its_sequence_whatever_it_bids() -> None:
    pool = Mempool()
    add(pool, "s1", 1, bid=100)
    add(pool, "s0", 0, bid=1)
    add(pool, "t0", 0, sender="t", bid=50)
    assert ready(pool) == ["t0", "s0", "s1"]


def test_a_good_bid_behind_a_bad_one_does_not_jump_over_others() -> None:
    pool = Mempool()
    add(pool, "s0", 0, bid=8)
    add(pool, "s1", 1, bid=100)
    add(pool, "t0", 0, sender="t", bid=9)
    add(pool, "t1", 1, sender="t", bid=2)
    assert ready(pool) == ["t0", "s0", "s1", "t1"]


def test_what_is_behind_a_gap_waits_until_the_gap_is_filled() -> None:
    pool = Mempool()
    for sequence in (0, 2, 3):
        add(pool, f"s{sequence}", sequence)
    assert ready(pool) == ["s0"]
    assert len(pool) == 3
    add(pool, "s1", 1)
    assert ready(pool) == ["s0", "s1", "s2", "s3"]


def test_the_next_sequence_of_a_check_is_where_the_sender_stands() -> None:
    pool = Mempool()
    add(pool, "s5", 5, next_sequence=5)
    assert ready(pool) == ["s5"]
    with pytest.raises(RejectedTransaction, match="sequence 4 of 0x73 is spent; the next is 5") as caught:
        add(pool, "s4", 4, next_sequence=5)
    assert (caught.value.reason, caught.value.details) == ("NONCE_TOO_LOW", {"needed": "5", "offered": "4"})


def test_a_check_made_before_a_block_does_not_bring_back_what_that_block_spent() -> None:
    pool = Mempool()
    add(pool, "s0", 0)
    pool.remove(held(pool, "s0"))
    assert pool.included("vm", b"s", 0) == []
    with pytest.raises(RejectedTransaction, match="the next is 1"):
        add(pool, "late", 0)
    add(pool, "s1", 1)
    assert ready(pool) == ["s1"]
    add(pool, "elsewhere", 0, container="other")
    assert ready(pool) == ["s1", "elsewhere"]


def test_a_block_ends_what_shares_its_sequence_numbers() -> None:
    pool = Mempool()
    for sequence in (0, 1, 2):
        add(pool, f"s{sequence}", sequence)
    assert [p.check.id.decode() for p in pool.included("vm", b"s", 1)] == ["s0", "s1"]
    assert ready(pool) == ["s2"]


def test_a_block_can_close_a_gap() -> None:
    pool = Mempool()
    add(pool, "s1", 1)
    assert ready(pool) == []
    assert pool.included("vm", b"s", 0) == []
    assert ready(pool) == ["s1"]


@pytest.mark.parametrize(
    ("held_bid", "bid", "needed"),
    [
        (10, 11, None),
        (10, 10, 11),
        (100, 109, 110),
        (100, 110, None),
        (101, 111, 112),
        (0, 0, 1),
        (0, 1, None),
    ],
)
def test_replacement_needs_a_tenth_more(held_bid: int, bid: int, needed: int | None) -> None:
    pool = Mempool()
    add(pool, "old", 0, bid=held_bid)
    if needed is None:
        replaced = add(pool, "new", 0, bid=bid)
        assert replaced is not None
        assert replaced.check.id == b"old"
        assert ready(pool) == ["new"]
        assert pool.get("vm", b"old") is None
    else:
        with pytest.raises(RejectedTransaction, match=f"bid at least {needed}") as caught:
            add(pool, "new", 0, bid=bid)
        assert caught.value.reason == "REPLACEMENT_UNDERPRICED"
        assert ready(pool) == ["old"]


def test_only_the_same_sender_of_the_same_container_replaces() -> None:
    pool = Mempool()
    add(pool, "a", 0)
    assert add(pool, "b", 0, sender="t") is None
    assert add(pool, "c", 0, container="other") is None
    assert len(pool) == 3


def test_a_replacement_takes_no_room() -> None:
    pool = Mempool(max_transactions=1, max_a_sender=1)
    add(pool, "old", 0)
    assert add(pool, "new", 0, bid=11) is not None
    assert len(pool) == 1


def test_the_same_transaction_does_not_wait_twice() -> None:
    pool = Mempool()
    add(pool, "a")
    with pytest.raises(RejectedTransaction, match="already waiting") as caught:
        add(pool, "a")
    assert ("ALREADY_KNOWN", b"a".hex()) == (caught.value.reason, caught.value.details["id"])
    add(pool, "a", container="other")
    assert len(pool) == 2


def test_the_pool_has_a_limit() -> None:
    pool = Mempool(max_transactions=2)
    add(pool, "a")
    add(pool, "b")
    with pytest.raises(RejectedTransaction, match="holds 2 transactions, the cheapest with a bid") as caught:
        add(pool, "c", bid=10)
    assert caught.value.reason == "MEMPOOL_FULL"
    assert caught.value.details == {"needed": "11", "offered": "10"}
    pool.remove(held(pool, "a"))
    add(pool, "c")
    assert ready(pool) == ["b", "c"]


def test_a_sender_has_a_limit() -> None:
    pool = Mempool(max_a_sender=2)
    add(pool, "s0", 0)
    add(pool, "s1", 1)
    with pytest.raises(RejectedTransaction, match="already has 2 transactions waiting") as caught:
        add(pool, "s9", 9)
    assert caught.value.reason == "SENDER_LIMIT"
    add(pool, "t0", 0, sender="t")
    add(pool, "free", sender="u")
    add(pool, "free too", sender="u")
    with pytest.raises(RejectedTransaction, match="already has 2"):
        add(pool, "one too many", sender="u")


def test_past_its_limit_a_senders_later_sequences_go_first() -> None:
    pool = Mempool(max_a_sender=2)
    add(pool, "s5", 5)
    add(pool, "s1", 1)
    assert add(pool, "s0", 0, bid=1) is not None
    assert pool.get("vm", b"s5") is None
    assert ready(pool) == ["s0", "s1"]


def test_only_what_is_served_is_ready() -> None:
    pool = Mempool()
    add(pool, "a", 0)
    add(pool, "b", container="other")
    assert ready(pool, containers=("other",)) == ["b"]
    assert ready(pool, containers=()) == []
    assert [pending.check.id.decode() for pending in pool.of("vm")] == ["a"]


def test_expiry_takes_what_is_over_and_leaves_a_gap() -> None:
    pool = Mempool()
    add(pool, "s0", 0, expires_at_ms=1000)
    add(pool, "s1", 1)
    add(pool, "late", expires_at_ms=1001, sender="t")
    assert pool.expire(999) == []
    assert [pending.check.id for pending in pool.expire(1000)] == [b"s0"]
    assert ready(pool) == ["late"]
    assert [pending.check.id for pending in pool.expire(5000)] == [b"late"]
    assert len(pool) == 1


def test_removing_is_harmless_when_it_is_gone_or_replaced() -> None:
    pool = Mempool()
    add(pool, "old", 0)
    old = held(pool, "old")
    add(pool, "new", 0, bid=20)
    pool.remove(old)
    pool.remove(old)
    assert ready(pool) == ["new"]
    pool.remove(held(pool, "new"))
    assert ready(pool) == []
    assert len(pool) == 0
