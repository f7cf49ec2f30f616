"""One subscription, turn by turn: from the past to the present, slow, reorganised, resumed."""

from __future__ import annotations

import pytest

from unit.search.follower import Follower, drain, turn
from unit.search.world import World, log, receipt
from vessel.chain import subscriptions
from vessel.chain.subscriptions import QUIET_BLOCKS
from vessel.container.node_api import CommittedTransaction, Notice, PlacedLog, Watermark, What
from vessel.errors import InvalidRequest, SubscriberTooSlow, VesselError
from vessel.primitives.filter import Filter
from vessel.primitives.units import Hash32, Height

ALL = Filter(from_height=Height(0))


def log_places(notices: list[Notice]) -> list[tuple[bool, int, int]]:
    """Return the logs of notices: removed or not, height, index."""
    return [
        (notice.removed, item.height, item.index)
        for notice in notices
        for item in notice.items
        if isinstance(item, PlacedLog)
    ]


def test_without_a_height_it_begins_with_the_next_block(world: World) -> None:
    world.add()
    subscription, _ = world.subscribe(What.BLOCKS, Filter())
    (opening,) = subscription.begin(None)
    assert opening == Notice(watermark=Watermark(next_height=Height(2), block_id=world.blocks[1].block_id))
    assert drain(subscription) == []
    world.add()
    assert [notice.items for notice in drain(subscription)] == [(world.blocks[2],)]


def test_the_past_comes_first_then_what_is_published(world: World) -> None:
    follower = Follower()
    for _ in range(5):
        world.add()
    subscription, woken = world.subscribe(What.BLOCKS, ALL)
    follower.take(subscription.begin(None))
    follower.take(drain(subscription))
    assert follower.held == world.blocks
    assert subscription.waits
    before = len(woken)
    world.add()
    assert len(woken) == before + 1
    follower.take(drain(subscription))
    assert follower.held == world.blocks


def test_it_says_when_it_has_come_to_the_present(world: World) -> None:
    subscription, _ = world.subscribe(What.BLOCKS, ALL)
    notices = subscription.begin(None)
    while not subscription.waits:
        notices += turn(subscription)
    mark = Watermark(next_height=Height(1), block_id=world.blocks[0].block_id)
    assert notices[-1] == Notice(watermark=mark, live=True)
    assert [notice.live for notice in notices] == [False] * (len(notices) - 1) + [True]


def test_it_ends_behind_the_last_height(world: World) -> None:
    world.add()
    subscription, _ = world.subscribe(What.LOGS, Filter(from_height=Height(0), to_height=Height(2)))
    subscription.begin(None)
    drain(subscription)
    assert not subscription.ended
    world.add(receipt(logs=[log()]))
    world.add(receipt(logs=[log()]))
    notices = drain(subscription)
    assert log_places(notices) == [(False, 2, 0)]
    assert notices[-1].watermark.next_height == 3
    assert subscription.ended


def test_it_may_begin_in_the_future(world: World) -> None:
    subscription, _ = world.subscribe(What.BLOCKS, Filter(from_height=Height(3)))
    subscription.begin(None)
    for _ in range(4):
        world.add()
    assert [notice.items for notice in drain(subscription)] == [(world.blocks[3],), (world.blocks[4],)]


@pytest.mark.parametrize("what", [What.RECEIPTS, What.LOGS])
def test_one_filter_for_receipts_and_logs(world: World, what: What) -> None:
    wanted = Filter(from_height=Height(0), addresses=(b"mine",), tags=(b"x",))
    subscription, _ = world.subscribe(what, wanted)
    subscription.begin(None)
    block = (
        receipt(logs=[log(b"mine")]),
        receipt(logs=[log(b"other"), log(b"mine")], tags=[b"x"]),
        receipt(logs=[log(b"other")], tags=[b"x"]),
    )
    world.add(*block)  # found in the store
    past = drain(subscription)
    world.add(*block)  # and published
    for height, notices in ((1, past), (2, drain(subscription))):
        (item,) = (item for notice in notices for item in notice.items)
        if what is What.LOGS:
            assert isinstance(item, PlacedLog)
            assert (item.height, item.index, item.transaction_index) == (height, 2, 1)
        else:
            assert item == CommittedTransaction(executed=world.blocks[height], index=1)


def test_blocks_without_a_match_move_the_watermark_now_and_then(world: World) -> None:
    subscription, _ = world.subscribe(What.LOGS, Filter())
    subscription.begin(None)
    drain(subscription)
    for _ in range(QUIET_BLOCKS + 3):
        world.add()
    notices = drain(subscription)
    tip = world.blocks[QUIET_BLOCKS].block_id
    assert notices == [Notice(watermark=Watermark(next_height=Height(QUIET_BLOCKS + 1), block_id=tip))]


def test_a_large_block_comes_in_parts_and_only_the_last_completes_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MAX_NOTICE_ITEMS", 2)
    subscription, _ = world.subscribe(What.LOGS, Filter())
    subscription.begin(None)
    drain(subscription)
    world.add(receipt(logs=[log()] * 5))
    notices = drain(subscription)
    assert [len(notice.items) for notice in notices] == [2, 2, 1]
    assert [notice.watermark.next_height for notice in notices] == [1, 1, 2]
    world.reorganise(1, [])
    world.publish()
    notices = drain(subscription)
    assert [(notice.removed, len(notice.items)) for notice in notices] == [(True, 2), (True, 2), (True, 1)]
    assert [notice.watermark.next_height for notice in notices] == [2, 2, 1]


# ---- slow


def test_a_slow_subscriber_is_told_where_to_go_on_and_nobody_else_notices() -> None:
    world = World(max_queued=4)
    slow, _ = world.subscribe(What.BLOCKS, ALL)
    quick, _ = world.subscribe(What.BLOCKS, ALL)
    followers = (Follower(), Follower())
    for follower, subscription in zip(followers, (slow, quick), strict=True):
        follower.take(subscription.begin(None))
        follower.take(drain(subscription))
    for _ in range(5):
        world.add()
        followers[1].take(drain(quick))
    assert followers[1].held == world.blocks
    with pytest.raises(SubscriberTooSlow, match=r"more than 4 blocks .* again from height 1") as caught:
        slow.poll()
    assert caught.value.details == {"resume_height": "1", "limit": "4"}
    world.subscriptions.close(slow)
    assert len(world.subscriptions) == 1
    # It goes on from there and misses nothing.
    again, _ = world.subscribe(What.BLOCKS, Filter(from_height=Height(1)))
    again.begin(None)
    followers[0].take(drain(again))
    assert followers[0].held == world.blocks
    world.store.close()


def test_reading_the_past_at_leisure_is_not_slow() -> None:
    world = World(max_queued=4)
    subscription, _ = world.subscribe(What.BLOCKS, ALL)
    follower = Follower()
    follower.take(subscription.begin(None))
    for _ in range(20):
        world.add()
    follower.take(turn(subscription))
    for _ in range(20):
        world.add()
    follower.take(drain(subscription))
    assert follower.held == world.blocks
    world.store.close()


def test_a_deep_reorganisation_alone_makes_nobody_slow() -> None:
    world = World(max_queued=4)
    for _ in range(10):
        world.add()
    subscription, _ = world.subscribe(What.BLOCKS, ALL)
    follower = Follower()
    follower.take(subscription.begin(None))
    follower.take(drain(subscription))
    world.reorganise(9, [[]] * 11)
    world.publish()
    follower.take(drain(subscription))
    assert follower.held == world.blocks
    assert follower.told_removed == 9
    world.store.close()


# ---- reorganised


def test_removed_items_come_from_the_newest_downwards_then_the_new_ones(world: World) -> None:
    subscription, _ = world.subscribe(What.LOGS, ALL)
    subscription.begin(None)
    for _ in range(3):
        world.add(receipt(logs=[log()]))
    drain(subscription)
    world.reorganise(2, [[receipt()], [receipt(logs=[log(), log()])]])
    world.publish()
    notices = drain(subscription)
    assert log_places(notices) == [(True, 3, 0), (True, 2, 0), (False, 3, 0), (False, 3, 1)]
    assert [notice.watermark.next_height for notice in notices] == [3, 2, 4]


def test_a_chain_that_only_goes_back_is_told(world: World) -> None:
    for _ in range(3):
        world.add()
    subscription, _ = world.subscribe(What.LOGS, ALL)
    subscription.begin(None)
    drain(subscription)
    world.reorganise(2, [])
    world.publish()
    # No log was removed; the watermark is what went back.
    (notice,) = drain(subscription)
    assert notice == Notice(watermark=Watermark(next_height=Height(2), block_id=world.blocks[1].block_id))


def test_below_its_beginning_nothing_is_removed(world: World) -> None:
    for _ in range(5):
        world.add()
    subscription, _ = world.subscribe(What.BLOCKS, Filter(from_height=Height(4)))
    follower = Follower(first=4)
    follower.take(subscription.begin(None))
    follower.take(drain(subscription))
    world.reorganise(4, [[]] * 5)
    world.publish()
    follower.take(drain(subscription))
    assert follower.held == world.blocks[4:]
    assert follower.told_removed == 2


def test_a_branch_seen_in_the_store_waits_for_its_explanation(world: World) -> None:
    """The store shows the new branch before anybody is told that the old one was left."""
    for _ in range(3):
        world.add()
    subscription, _ = world.subscribe(What.BLOCKS, ALL)
    follower = Follower()
    follower.take(subscription.begin(None))
    follower.take(drain(subscription))
    late, _ = world.subscribe(What.BLOCKS, ALL)
    latecomer = Follower()
    latecomer.take(late.begin(None))
    latecomer.take(turn(late))  # has read block 3 from the store
    world.reorganise(1, [[], []])
    for each, taking in ((subscription, follower), (late, latecomer)):
        taking.take(drain(each))
        assert len(taking.held) == 4
        assert each.waits
    world.publish()
    for each, taking in ((subscription, follower), (late, latecomer)):
        taking.take(drain(each))
        assert taking.held == world.blocks
        assert taking.told_removed == 1


def test_a_block_of_the_branch_that_was_left_is_not_taken_for_the_next(world: World) -> None:
    """Published while it joins: two blocks, and then the branch without them, before it looks again."""
    subscription, _ = world.subscribe(What.BLOCKS, Filter(from_height=Height(1)))
    follower = Follower(first=1)
    follower.take(subscription.begin(None))
    follower.take(turn(subscription))  # has seen the head
    world.add()
    world.add()
    world.reorganise(2, [[]])
    follower.take(turn(subscription))
    world.publish()
    follower.take(drain(subscription))
    assert follower.held == world.blocks[1:]
    assert follower.told_removed == 0


def test_what_is_committed_right_behind_a_look_at_the_store_is_not_missed(world: World) -> None:
    subscription, _ = world.subscribe(What.BLOCKS, ALL)
    follower = Follower()
    follower.take(subscription.begin(None))
    follower.take(turn(subscription))
    world.in_between.append(lambda: void(world.add()))
    follower.take(turn(subscription))  # sees the head, and just then there is another
    follower.take(drain(subscription))
    assert follower.held == world.blocks


def void(_: object) -> None:
    """Take anything and return nothing."""


# ---- resumed


def test_a_watermark_resumes_where_it_stood(world: World) -> None:
    for _ in range(3):
        world.add()
    mark = Watermark(next_height=Height(2), block_id=world.blocks[1].block_id)
    subscription, _ = world.subscribe(What.BLOCKS, Filter())
    subscription.begin(mark)
    assert [notice.items for notice in drain(subscription)] == [(world.blocks[2],), (world.blocks[3],)]


def test_what_was_removed_meanwhile_is_told_first() -> None:
    world = World(keeps_sides=True)
    for _ in range(4):
        world.add(receipt(logs=[log()]))
    mark = Watermark(next_height=Height(4), block_id=world.blocks[3].block_id)
    world.reorganise(3, [[], [receipt(logs=[log()])]])
    world.publish()
    subscription, _ = world.subscribe(What.LOGS, Filter())
    notices = subscription.begin(mark)
    assert notices[0] == Notice(watermark=mark)
    assert log_places(notices + drain(subscription)) == [(True, 3, 0), (True, 2, 0), (False, 3, 0)]
    world.store.close()


def test_a_watermark_that_is_not_kept_is_refused(world: World) -> None:
    for _ in range(3):
        world.add()
    mark = Watermark(next_height=Height(3), block_id=world.blocks[2].block_id)
    world.reorganise(2, [[]])
    subscription, _ = world.subscribe(What.BLOCKS, Filter())
    with pytest.raises(InvalidRequest, match=r"block 2 0x.* is not on the chain, .*with from_height") as e:
        subscription.begin(mark)
    assert e.value.reason == "WATERMARK_REPLACED"
    with pytest.raises(InvalidRequest, match="block 8 on the way to it is not kept"):
        subscription.begin(Watermark(next_height=Height(9), block_id=Hash32(b"\1" * 32)))


# ---- the whole set


def test_the_node_goes_away(world: World) -> None:
    subscription, woken = world.subscribe(What.BLOCKS, Filter())
    subscription.begin(None)
    drain(subscription)
    world.subscriptions.end_all()
    assert woken
    assert not subscription.waits
    with pytest.raises(VesselError, match="shutting down"):
        turn(subscription)
    with pytest.raises(VesselError, match="shutting down"):
        world.subscribe(What.BLOCKS, Filter())


def test_there_is_a_limit_to_subscribers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MAX_SUBSCRIPTIONS", 2)
    first, _ = world.subscribe(What.BLOCKS, Filter())
    world.subscribe(What.BLOCKS, Filter())
    with pytest.raises(InvalidRequest, match="2 subscriptions, as many as it takes") as caught:
        world.subscribe(What.BLOCKS, Filter())
    assert caught.value.reason == "TOO_MANY_SUBSCRIBERS"
    world.subscriptions.close(first)
    world.subscribe(What.BLOCKS, Filter())
