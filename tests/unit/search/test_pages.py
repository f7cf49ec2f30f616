"""Pages: their limits, their tokens, and what a reorganisation between two of them means."""

from __future__ import annotations

import pytest

from unit.search.world import World, log, receipt
from vessel.chain import search
from vessel.container.node_api import PlacedLog, What
from vessel.database.block_reader import BlockReader, StoredReceipts
from vessel.errors import InvalidRequest, StoreCorrupt, UnknownContainer
from vessel.primitives.filter import Filter
from vessel.primitives.units import Height

LOGS = Filter(addresses=(b"contract",))


def indices(world: World, wanted: Filter, token: bytes, size: int) -> tuple[list[tuple[int, int]], bytes]:
    """Return the places of a page's logs, and the next token."""
    page = world.search.page(What.LOGS, wanted, page_size=size, page_token=token)
    return [(each.height, each.index) for each in page.items if isinstance(each, PlacedLog)], page.next_token


def test_a_page_may_end_inside_a_block(world: World) -> None:
    world.add(receipt(logs=[log()] * 3), receipt(logs=[log()] * 2))
    first, token = indices(world, LOGS, b"", 4)
    assert first == [(1, 0), (1, 1), (1, 2), (1, 3)]
    assert indices(world, LOGS, token, 4) == ([(1, 4)], b"")


def test_a_list_ends_at_the_head_that_its_first_page_saw(world: World) -> None:
    world.add(receipt(logs=[log()] * 2))
    _, token = indices(world, LOGS, b"", 1)
    world.add(receipt(logs=[log()]))
    assert indices(world, LOGS, token, 10) == ([(1, 1)], b"")


def test_pages_are_bounded_by_size(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_PAGE_SIZE_BYTES", 1_000)
    world.add(receipt(logs=[log(data=bytes(600))] * 3))
    first, token = indices(world, LOGS, b"", 100)
    assert first == [(1, 0), (1, 1)]
    assert indices(world, LOGS, token, 100) == ([(1, 2)], b"")


@pytest.mark.slow
def test_a_page_gives_up_a_long_search_and_the_next_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block has both topics and none has them in one log: only the walk through the index tells."""
    monkeypatch.setattr(search, "MAX_MARKS", 1)
    for _ in range(1_500):
        world.add(receipt(logs=[log(b"contract", b"x", b"1"), log(b"contract", b"y", b"2")]))
    world.add(receipt(logs=[log(b"contract", b"x", b"2")]))
    wanted = Filter(topics=((b"x",), (b"2",)))
    found, token = indices(world, wanted, b"", 10)
    assert found == []
    assert token != b""
    assert indices(world, wanted, token, 10) == ([(1_501, 0)], b"")


def test_blocks_that_only_look_like_a_match_are_bounded_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_BLOCKS_READ", 3)
    for _ in range(5):
        world.add(receipt(logs=[log(b"contract")]))  # has logs, and none with a topic
    world.add(receipt(logs=[log(b"contract", b"x")]))
    wanted = Filter(topics=((),))
    found, token = indices(world, wanted, b"", 10)
    assert found == []
    assert indices(world, wanted, token, 10) == ([(6, 0)], b"")


def test_limits_are_told_with_the_next_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidRequest, match=r"expected 1 to 10000, or 0; .*next_page_token") as caught:
        indices(world, LOGS, b"", 10_001)
    assert caught.value.reason == "PAGE_TOO_LARGE"
    many = Filter(addresses=tuple(b"%d" % n for n in range(1_001)))
    with pytest.raises(InvalidRequest, match=r"at most 1000: split it") as caught:
        indices(world, many, b"", 1)
    assert caught.value.reason == "FILTER_TOO_LARGE"
    for _ in range(4):
        world.add()
    monkeypatch.setattr(search, "MAX_RANGE", 3)
    with pytest.raises(
        InvalidRequest, match=r"heights 0 to 4 are 5 blocks; at most 3 .*to_height to 2 .*subscribe"
    ) as caught:
        indices(world, LOGS, b"", 1)
    assert caught.value.reason == "RANGE_TOO_LARGE"
    assert caught.value.details == {"limit": "3", "to_height": "2"}
    assert indices(world, Filter(from_height=Height(2)), b"", 1) == ([], b"")


def test_a_filter_that_cannot_be_is_refused(world: World) -> None:
    with pytest.raises(UnknownContainer, match="no container 'wasm'; it has: evm, eos"):
        indices(world, Filter(container="wasm"), b"", 1)
    with pytest.raises(InvalidRequest, match="from height 3 to 2"):
        indices(world, Filter(from_height=Height(3), to_height=Height(2)), b"", 1)


def test_a_range_beyond_the_head_is_empty(world: World) -> None:
    assert indices(world, Filter(from_height=Height(5), to_height=Height(9)), b"", 1) == ([], b"")


def test_a_token_holds_for_its_request(world: World) -> None:
    world.add(receipt(logs=[log()] * 2))
    _, token = indices(world, LOGS, b"", 1)
    with pytest.raises(InvalidRequest, match="of another request"):
        indices(world, Filter(), token, 1)
    with pytest.raises(InvalidRequest, match="has 3 bytes"):
        indices(world, LOGS, b"abc", 1)


@pytest.mark.parametrize(("removed", "stale"), [(1, False), (2, True), (3, True)])
def test_a_token_is_stale_when_what_was_returned_is_no_more(world: World, removed: int, stale: bool) -> None:
    for _ in range(3):
        world.add(receipt(logs=[log()]))
    first, token = indices(world, LOGS, b"", 2)  # blocks 1 and 2; 3 is to come
    assert first == [(1, 0), (2, 0)]
    world.reorganise(removed, [[receipt(logs=[log()])]] * 4)
    if stale:
        with pytest.raises(InvalidRequest, match="begin again without a token") as caught:
            indices(world, LOGS, token, 2)
        assert caught.value.reason == "PAGE_TOKEN_STALE"
    else:
        assert indices(world, LOGS, token, 2) == ([(3, 0)], b"")


def test_a_token_inside_a_block_that_was_replaced_is_stale(world: World) -> None:
    world.add(receipt(logs=[log()] * 3))
    _, token = indices(world, LOGS, b"", 1)
    world.reorganise(1, [[receipt(logs=[log()] * 3)]])
    with pytest.raises(InvalidRequest, match="begin again"):
        indices(world, LOGS, token, 1)


def test_a_damaged_entry_is_told() -> None:
    from vessel.database import layout
    from vessel.database.key_value import Batch, open_key_value
    from vessel.database.search_index import address_term
    from vessel.primitives.encoding import u64

    store = open_key_value("memory:")
    world = World(store)
    world.add(receipt(logs=[log()]))
    key = layout.INDEX + address_term("evm", b"contract") + u64(1)
    assert store.get(key) is not None
    store.write(Batch([(key, b"\xc1")]), sync=True)
    with pytest.raises(StoreCorrupt, match=r"search index for block 1 .*restore a backup"):
        indices(world, LOGS, b"", 1)
    world.store.close()


def test_only_blocks_with_a_match_are_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both topics are in every block, in different logs; together they are in one."""
    for _ in range(30):
        world.add(receipt(logs=[log(b"contract", b"x", b"1"), log(b"contract", b"y", b"2")], tags=[b"t"]))
    world.add(receipt(logs=[log(b"contract", b"x", b"2")], tags=[b"t"]))
    read: list[int] = []
    receipts = BlockReader.receipts

    def counting(reader: BlockReader, height: int) -> StoredReceipts:
        read.append(height)
        return receipts(reader, height)

    monkeypatch.setattr(BlockReader, "receipts", counting)
    wanted = Filter(addresses=(b"contract",), topics=((b"x",), (b"2",)), tags=(b"t",))
    assert indices(world, wanted, b"", 10) == ([(31, 0)], b"")
    assert read == [31]
