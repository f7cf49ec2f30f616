"""A subscriber holds the chain, whatever happens in which order: committed, published, read, replaced."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.search.follower import Follower, drain, turn
from unit.search.world import World
from vessel.chain import subscriptions
from vessel.chain.subscriptions import Subscription
from vessel.container.node_api import What
from vessel.errors import InvalidRequest, SubscriberTooSlow
from vessel.primitives.filter import Filter
from vessel.primitives.units import ZERO_HASH, Height

# What the chain's thread does. It publishes what it committed before it commits anything else that
# changes the branch; a turn of the subscriber, or a look of it at the store, may come between the two.
chain_steps = st.one_of(
    st.sampled_from([("commit", 0, 0), ("publish", 0, 0), ("add", 0, 0), ("add", 0, 0)]),
    st.tuples(st.just("reorganise"), st.integers(1, 4), st.integers(0, 5)),
)
Step = tuple[str, int, int]
# A turn of the subscriber, with what the chain does behind each of its looks at the store.
turns = st.tuples(st.just("turn"), st.lists(chain_steps, max_size=3))
steps = st.lists(st.one_of(chain_steps, turns, turns, st.just(("resume", 0, 0))), min_size=1, max_size=40)


def act(world: World, step: Step) -> None:
    """Do what the chain's thread does in a step."""
    kind, removed, added = step
    if kind == "publish":
        world.publish(1)
    elif kind == "reorganise":
        world.publish()
        world.reorganise(min(removed, world.height), [[]] * added)
    elif kind == "add":
        world.add()
    else:
        world.commit()


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(
    steps=steps,
    first=st.none() | st.integers(0, 6),
    read_at_once=st.integers(1, 4),
    keeps_sides=st.booleans(),
)
def test_what_is_held_is_the_chain(
    steps: list[Step | tuple[str, list[Step]]], first: int | None, read_at_once: int, keeps_sides: bool
) -> None:
    """Every order of committing, publishing and reading ends with the canonical chain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subscriptions, "MAX_READ_AT_ONCE", read_at_once)
        world = World(keeps_sides=keeps_sides)
        for _ in range(3):
            world.add()
        subscription, _ = world.subscribe(
            What.BLOCKS, Filter(from_height=None if first is None else Height(first))
        )
        follower = Follower(world.height + 1 if first is None else first)
        follower.take(subscription.begin(None))
        for step in steps:
            if len(step) == 2:
                world.in_between = [partial(act, world, each) for each in step[1]]
                follower.take(turn(subscription))
                world.in_between = []
            elif step[0] == "resume":
                subscription, follower = resumed(world, subscription, follower)
            else:
                act(world, step)
        world.publish()
        follower.take(drain(subscription))
        assert follower.held == world.blocks[follower.first :]
        world.store.close()


def resumed(world: World, old: Subscription, follower: Follower) -> tuple[Subscription, Follower]:
    """Leave, and come back with the last watermark; begin anew where its block has left the chain."""
    world.subscriptions.close(old)
    wanted = Filter(from_height=Height(follower.first))
    assert follower.watermark is not None
    with world.store.reader() as reader:
        stands = reader.block_id(follower.watermark.next_height - 1) == follower.watermark.block_id
    subscription, _ = world.subscribe(What.BLOCKS, wanted)
    if not stands and follower.watermark.block_id != ZERO_HASH and not world.keeps_sides:
        with pytest.raises(InvalidRequest, match="is not on the chain"):
            subscription.begin(follower.watermark)
        follower = Follower(follower.first)
        follower.take(subscription.begin(None))
    else:
        follower.take(subscription.begin(follower.watermark))
    return subscription, follower


@pytest.mark.slow
def test_under_concurrent_production_nobody_misses_or_repeats_a_block() -> None:
    world = World(max_queued=16)
    target = 1_500
    subscribers = 4
    failures: list[BaseException] = []
    resume_heights: list[tuple[int, int]] = []
    followers = [Follower() for _ in range(subscribers)]

    def follow(follower: Follower) -> None:
        wake = threading.Event()
        try:
            while len(follower.held) <= target:
                wanted = Filter(from_height=Height(len(follower.held)))
                subscription = world.subscriptions.open(What.BLOCKS, wanted, wake=wake.set)
                try:
                    follower.take(subscription.begin(None))
                    while len(follower.held) <= target:
                        wake.clear()
                        notices = turn(subscription)
                        follower.take(notices)
                        if not notices and subscription.waits:
                            wake.wait(30)
                except SubscriberTooSlow as error:
                    resume_heights.append((int(error.details["resume_height"]), len(follower.held)))
                finally:
                    world.subscriptions.close(subscription)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=follow, args=(follower,)) for follower in followers]
    for thread in threads:
        thread.start()
    for _ in range(target):
        world.add()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(told == reached for told, reached in resume_heights)
    assert all(follower.held == world.blocks for follower in followers)
    assert len(world.subscriptions) == 0
    world.store.close()
