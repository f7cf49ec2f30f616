"""A full mempool: who is pushed out by whom. And what later checks change about those that wait."""

from __future__ import annotations

import random

import msgspec
import pytest

from unit.processing.test_mempool import VMS, add, held, ready
from vessel.errors import RejectedTransaction
from vessel.primitives.transaction import Transaction
from vessel.processing.mempool import Displaced, Mempool, PendingTransaction


def full_pool(*bids: int) -> Mempool:
    """Return a pool that is full of transactions of as many senders, named by their places."""
    pool = Mempool(max_transactions=len(bids))
    for place, bid in enumerate(bids):
        add(pool, f"t{place}", 0, sender=f"sender {place}", bid=bid)
    return pool


def pushed_out(pool: Mempool, name: str, sequence: int | None = 0, *, sender: str = "new", bid: int) -> str:
    """Return whom a new transaction pushes out, or the reason why none."""
    try:
        displaced = add(pool, name, sequence, sender=sender, bid=bid)
    except RejectedTransaction as error:
        return error.reason
    return "" if displaced is None else displaced.check.id.decode()


def test_a_better_bid_pushes_out_the_cheapest() -> None:
    pool = full_pool(5, 3, 8)
    assert pushed_out(pool, "a", sender="a", bid=4) == "t1"
    assert pushed_out(pool, "b", sender="b", bid=5) == "a"
    assert pushed_out(pool, "c", sender="c", bid=5) == "MEMPOOL_FULL"
    assert len(pool) == 3
    assert ready(pool) == ["t2", "t0", "b"]


def test_of_equal_bids_the_youngest_goes() -> None:
    pool = full_pool(5, 5, 5)
    assert pushed_out(pool, "a", bid=6) == "t2"


def test_a_senders_last_goes_first_and_counts_as_little_as_what_it_waits_for() -> None:
    pool = Mempool(max_transactions=4)
    for sequence, bid in enumerate((2, 50, 60)):
        add(pool, f"s{sequence}", sequence, bid=bid)
    add(pool, "t0", 0, sender="t", bid=10)
    assert pushed_out(pool, "u0", sender="u", bid=3) == "s2"
    assert pushed_out(pool, "v0", sender="v", bid=4) == "s1"
    assert pushed_out(pool, "w0", sender="w", bid=5) == "s0"
    assert pushed_out(pool, "x0", sender="x", bid=5) == "u0"
    assert ready(pool) == ["t0", "w0", "x0", "v0"]


def test_what_is_behind_a_gap_goes_before_what_is_not() -> None:
    pool = Mempool(max_transactions=2)
    add(pool, "gap", 7, bid=1000)
    add(pool, "t0", 0, sender="t", bid=2)
    assert pushed_out(pool, "behind", 3, sender="u", bid=999) == "MEMPOOL_FULL"
    assert pushed_out(pool, "u0", sender="u", bid=1) == "gap"
    assert pushed_out(pool, "behind", 3, sender="v", bid=999) == "MEMPOOL_FULL"


def test_nothing_is_pushed_out_that_the_new_one_waits_for() -> None:
    pool = Mempool(max_transactions=2)
    add(pool, "s0", 0, bid=1)
    add(pool, "s1", 1, bid=1)
    assert pushed_out(pool, "s2", 2, sender="s", bid=100) == "MEMPOOL_FULL"
    assert ready(pool) == ["s0", "s1"]
    assert pushed_out(pool, "t0", sender="t", bid=2) == "s1"


def test_without_sequence_numbers_every_one_stands_for_itself() -> None:
    pool = Mempool(max_transactions=3)
    for name, bid in (("a", 5), ("b", 4), ("c", 6)):
        add(pool, name, bid=bid)
    assert pushed_out(pool, "d", None, bid=4) == "MEMPOOL_FULL"
    assert pushed_out(pool, "d", None, bid=7) == "b"
    pool.remove(held(pool, "c"))
    add(pool, "e", bid=1)
    assert pushed_out(pool, "f", None, bid=2) == "e"


def test_blocks_make_room_and_change_who_is_cheapest() -> None:
    pool = full_pool(5, 3, 8)
    assert pushed_out(pool, "a", bid=2) == "MEMPOOL_FULL"
    pool.included("vm", b"sender 1", 0)
    assert pushed_out(pool, "a", bid=2) == ""
    assert pushed_out(pool, "b", sender="b", bid=4) == "a"


def test_refusal_and_eviction_say_what_would_do() -> None:
    pool = full_pool(5, 3)
    with pytest.raises(RejectedTransaction, match="the cheapest with a bid of 3; this one bids 3") as caught:
        add(pool, "a", 0, sender="a", bid=3)
    assert caught.value.details == {"needed": "4", "offered": "3"}
    check = msgspec.structs.replace(held(pool, "t0").check, id=b"b", sender=b"b")
    displaced = pool.add(Transaction(container="vm", raw=b"b"), check)
    assert displaced is not None
    assert displaced.error.reason == "EVICTED"
    assert "lowest bid, 3" in displaced.error.message


def test_what_comes_back_from_a_block_has_its_place() -> None:
    pool = full_pool(5, 3)
    check = held(pool, "t0").check
    back = msgspec.structs.replace(check, id=b"back", sender=b"back", bid=0)
    assert pool.add(Transaction(container="vm", raw=b"back"), back, returned=True) is None
    assert len(pool) == 3
    cheaper = msgspec.structs.replace(check, id=b"cheaper", bid=1)
    displaced = pool.add(Transaction(container="vm", raw=b"cheaper"), cheaper, returned=True)
    assert isinstance(displaced, Displaced)
    assert displaced.pending.check.id == b"t0"


def test_a_later_check_moves_the_sender_in_both_directions() -> None:
    pool = Mempool()
    add(pool, "s3", 3, next_sequence=3)
    assert ready(pool) == ["s3"]
    check = held(pool, "s3").check
    pool.renew(held(pool, "s3"), msgspec.structs.replace(check, next_sequence=2))
    assert ready(pool) == []
    add(pool, "s2", 2, next_sequence=2)
    assert ready(pool) == ["s2", "s3"]
    pool.renew(held(pool, "s3"), msgspec.structs.replace(check, next_sequence=3))
    assert ready(pool) == ["s3"]


def test_after_a_reorganisation_spent_numbers_may_be_free_again() -> None:
    pool = Mempool()
    pool.included("vm", b"s", 4)
    with pytest.raises(RejectedTransaction):
        add(pool, "s4", 4)
    pool.forget_spent()
    add(pool, "s4", 4, next_sequence=4)
    assert ready(pool) == ["s4"]


def test_those_of_some_senders() -> None:
    pool = Mempool()
    add(pool, "s0", 0)
    add(pool, "t0", 0, sender="t")
    add(pool, "o0", 0, container="other")
    assert [p.check.id for p in pool.of_senders({("vm", b"s"), ("other", b"t")})] == [b"s0"]
    assert pool.of_senders({("vm", b"nobody")}) == []


@pytest.mark.parametrize("seed", range(5))
def test_limits_hold_and_every_eviction_is_of_the_cheapest(seed: int) -> None:
    """Against a search over everything, whatever comes and goes."""
    rng = random.Random(seed)
    pool = Mempool(max_transactions=40, max_a_sender=12)
    reasons = set()
    evictions = 0
    for step in range(1500):
        if rng.random() < 0.1 and len(pool):
            pool.remove(rng.choice([p for name in VMS for p in pool.of(name)]))
        if rng.random() < 0.03:
            pool.included("vm", b"%d" % rng.randrange(8), rng.randrange(4))
        sender, sequence = str(rng.randrange(8)), rng.choice((None, *range(12)))
        size = len(pool)
        expected = cheapest(pool, sender.encode(), sequence)
        try:
            displaced = add(pool, f"n{step}", sequence, sender=sender, bid=rng.randrange(100))
        except RejectedTransaction as error:
            reasons.add(error.reason)
            assert len(pool) == size
            continue
        assert len(pool) <= 40
        if displaced is not None and displaced.check.sender != sender.encode():
            assert displaced is expected
            evictions += 1
    assert evictions > 20
    assert {"MEMPOOL_FULL", "NONCE_TOO_LOW", "REPLACEMENT_UNDERPRICED"} <= reasons
    names = ready(pool)
    assert len(names) == len(set(names))


def cheapest(pool: Mempool, sender: bytes, sequence: int | None) -> PendingTransaction | None:
    """Return who has to go for a new transaction, by looking at everybody."""
    candidates = []
    for pending in (pending for name in VMS for pending in pool.of(name)):
        own, bid = pending.check.sequence, pending.check.bid
        if own is None:
            needed_by_new, rank = pending.check.sender == sender and (sequence or 0) > 0, (True, int(bid))
        else:
            queue = pool._queues[pending.sender]
            if own != max(queue.by_sequence):
                continue
            needed_by_new = pending.check.sender == sender and own < (sequence or 0)
            way = range(queue.next_sequence, own + 1)
            whole = all(number in queue.by_sequence for number in way)
            rank = (whole, min(queue.by_sequence[n].check.bid for n in way) if whole else int(bid))
        if not needed_by_new:
            candidates.append((rank, -pending.arrival, pending))
    return min(candidates, key=lambda candidate: candidate[:2])[2] if candidates else None
