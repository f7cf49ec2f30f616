"""What a filter takes, against a reading of its definition that knows no index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unit.search.world import CONTAINERS, World, log, receipt
from vessel.container.node_api import CommittedTransaction, PlacedLog, What
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.filter import Filter
from vessel.primitives.receipt import HookReceipt, Log, Receipt, Status
from vessel.primitives.units import Height

# Few values, so that filters and blocks meet; one is a prefix of another, and one is empty.
VALUES = (b"", b"a", b"ab", b"\0", b"t" * 32)
Place = tuple[int, str, int]  # height, container, index of a log in it

values = st.sampled_from(VALUES)
logs = st.builds(Log, address=values, topics=st.lists(values, max_size=3).map(tuple), data=st.just(b"data"))
receipts = st.builds(
    receipt,
    st.sampled_from(CONTAINERS),
    sender=values,
    status=st.sampled_from([Status.OK, Status.OK, Status.REVERTED, Status.TRAP]),
    logs=st.lists(logs, max_size=3),
    tags=st.lists(values, max_size=3),
)
hooks = st.builds(
    HookReceipt,
    container=st.sampled_from(CONTAINERS),
    at_end=st.booleans(),
    logs=st.lists(logs, max_size=2).map(tuple),
)
blocks = st.tuples(st.lists(receipts, max_size=4), st.lists(hooks, max_size=2))
some = st.lists(values, max_size=2).map(tuple)
heights = st.none() | st.integers(0, 8).map(Height)
filters = st.builds(
    Filter,
    container=st.sampled_from(("", "", *CONTAINERS)),
    addresses=some,
    topics=st.lists(some, max_size=3).map(tuple),
    tags=st.just(()) | some,
    senders=st.just(()) | some,
    statuses=st.lists(st.sampled_from(Status), max_size=2).map(tuple),
    from_height=heights,
).flatmap(
    lambda made: st.none().map(lambda _: made)
    | st.integers(made.from_height or 0, 9).map(
        lambda last: Filter(**{n: getattr(made, n) for n in made.__struct_fields__ if n != "to_height"},
                            to_height=Height(last))
    )
)  # fmt: skip


def takes_log(wanted: Filter, each: Log) -> bool:
    """Tell whether the part of a filter about logs is met."""
    if wanted.addresses and each.address not in wanted.addresses:
        return False
    for place, alternatives in enumerate(wanted.topics):
        if place >= len(each.topics):
            return False
        if alternatives and each.topics[place] not in alternatives:
            return False
    return True


def takes_outcome(wanted: Filter, each: Receipt | HookReceipt) -> bool:
    """Tell whether the rest of a filter is met."""
    if wanted.container not in ("", each.container):
        return False
    if isinstance(each, HookReceipt):
        return not (wanted.tags or wanted.senders or wanted.statuses)
    return (
        (not wanted.tags or any(tag in wanted.tags for tag in each.tags))
        and (not wanted.senders or each.sender in wanted.senders)
        and (not wanted.statuses or each.status in wanted.statuses)
    )


def in_range(wanted: Filter, chain: list[ExecutedBlock]) -> Iterator[ExecutedBlock]:
    """Yield the blocks between the filter's heights."""
    for executed in chain:
        height = executed.block.header.height
        if height >= (wanted.from_height or 0) and (wanted.to_height is None or height <= wanted.to_height):
            yield executed


def expected_logs(wanted: Filter, chain: list[ExecutedBlock]) -> Iterator[tuple[Place, Log]]:
    """Yield the places of the logs that a filter takes."""
    for executed in in_range(wanted, chain):
        counts = dict.fromkeys(CONTAINERS, 0)
        outcomes: list[Receipt | HookReceipt] = [*executed.receipts, *executed.hooks]
        for outcome in outcomes:
            for each in outcome.logs:
                place = (executed.block.header.height, outcome.container, counts[outcome.container])
                counts[outcome.container] += 1
                if takes_outcome(wanted, outcome) and takes_log(wanted, each):
                    yield place, each


def expected_receipts(wanted: Filter, chain: list[ExecutedBlock]) -> Iterator[tuple[int, int]]:
    """Yield the places of the receipts that a filter takes."""
    of_logs = bool(wanted.addresses or wanted.topics)
    for executed in in_range(wanted, chain):
        for index, each in enumerate(executed.receipts):
            if takes_outcome(wanted, each) and (
                not of_logs or any(takes_log(wanted, one) for one in each.logs)
            ):
                yield executed.block.header.height, index


def expected_blocks(wanted: Filter, chain: list[ExecutedBlock]) -> list[int]:
    """Return the heights of the blocks that a filter takes."""
    bare = Filter(from_height=wanted.from_height, to_height=wanted.to_height)
    if wanted == bare:
        return [executed.block.header.height for executed in in_range(wanted, chain)]
    heights = {place[0] for place, _ in expected_logs(wanted, chain)}
    return sorted(heights | {height for height, _ in expected_receipts(wanted, chain)})


def check(world: World, wanted: Filter, page_size: int) -> None:
    """Compare all three lists with the definition."""
    found_logs = world.all_pages(What.LOGS, wanted, page_size=page_size)
    assert [
        ((each.height, each.container, each.index), each.log)
        for each in found_logs
        if isinstance(each, PlacedLog)
    ] == list(expected_logs(wanted, world.blocks))
    for each in found_logs:
        assert isinstance(each, PlacedLog)
        executed = world.blocks[each.height]
        assert (each.block_id, each.time_ms) == (executed.block_id, executed.block.header.time_ms)
        if each.transaction_index is None:
            assert each.transaction_id == b""
        else:
            assert each.transaction_id == executed.receipts[each.transaction_index].transaction_id
            assert each.log in executed.receipts[each.transaction_index].logs
    found_receipts = world.all_pages(What.RECEIPTS, wanted, page_size=page_size)
    assert [
        (each.executed.block.header.height, each.index)
        for each in found_receipts
        if isinstance(each, CommittedTransaction)
    ] == list(expected_receipts(wanted, world.blocks))
    found_blocks = world.all_pages(What.BLOCKS, wanted, page_size=page_size)
    heights = expected_blocks(wanted, world.blocks)
    assert found_blocks == [world.blocks[height] for height in heights]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    chain=st.lists(blocks, min_size=1, max_size=6),
    wanted=st.lists(filters, min_size=4, max_size=8),
    page_size=st.integers(1, 5),
    cut=st.integers(0, 3),
)
@example(
    chain=[([receipt(logs=[log(b"a", b"ab")]), receipt(logs=[log(b"ab", b"a")])], [])],
    wanted=[Filter(addresses=(b"a",), topics=((b"a",),)), Filter(topics=((), (b"a",)))],
    page_size=1,
    cut=0,
)
def test_lists_are_what_the_definition_takes(
    chain: list[tuple[list[Receipt], list[HookReceipt]]], wanted: list[Filter], page_size: int, cut: int
) -> None:
    world = World()
    for block in chain:
        world.add(*block[0], hooks=block[1])
    for each in wanted:
        check(world, each, page_size)
    # What a rolled back block had is gone, and its heights are taken by others.
    world.reorganise(min(cut, world.height), [block[0] for block in chain[: cut + 1]])
    for each in wanted:
        check(world, each, page_size)
    world.store.close()


def test_nothing_of_the_index_is_left_after_a_rollback() -> None:
    world = World()
    reader = world.store.reader()
    before = list(reader._snapshot.iterate())
    world.add(
        receipt(sender=b"s", status=Status.TRAP, tags=[b"x", b"x"], logs=[log(b"c", b"1", b"2")]),
        hooks=[HookReceipt(container="eos", at_end=True, logs=(log(b"h"),))],
    )
    world.store.rollback(0)
    after = list(world.store.reader()._snapshot.iterate())
    assert [key for key, _ in after] == [key for key, _ in before]
    world.store.close()


def test_topics_are_matched_by_place_as_eth_get_logs_does(world: World) -> None:
    transfer, approval, alice, bob = (bytes([n]) * 32 for n in range(4))
    world.add(
        receipt(logs=[log(b"token", transfer, alice, bob), log(b"token", transfer, bob, alice)]),
        receipt(logs=[log(b"token", approval, alice, bob), log(b"other", transfer, alice), log(b"other")]),
    )

    def found(*topics: tuple[bytes, ...]) -> list[int]:
        items = world.all_pages(What.LOGS, Filter(topics=topics))
        return [each.index for each in items if isinstance(each, PlacedLog)]

    assert found() == [0, 1, 2, 3, 4]
    assert found((transfer,)) == [0, 1, 3]
    assert found((), (alice,)) == [0, 2, 3]
    assert found((transfer,), (alice, bob)) == [0, 1, 3]
    assert found((transfer, approval), (alice,), (bob,)) == [0, 2]
    assert found((), (), ()) == [0, 1, 2]  # a log with fewer topics than places is not taken
    assert found((alice,)) == []
