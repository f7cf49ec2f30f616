"""A chain that really reorganises: its index and its subscribers follow it to the other branch and back."""

from __future__ import annotations

from containers.toy_chain import Ticking, ToyChain, branch
from unit.search.follower import Follower, drain
from vessel.chain.search import Search
from vessel.chain.subscriptions import Subscriptions
from vessel.container.node_api import PlacedLog, What
from vessel.database import layout, search_index
from vessel.primitives.filter import Filter
from vessel.primitives.units import Height

OWN, FORK, RIVAL = 6, 3, 5


def index_of(chain: ToyChain) -> dict[bytes, bytes]:
    """Return what is stored of the index."""
    stop = bytes([layout.INDEX[0] + 1])
    return dict(chain.chain.store._store.iterate(start=layout.INDEX, stop=stop))


def expected_index(chain: ToyChain) -> dict[bytes, bytes | None]:
    """Return what the blocks of the canonical branch put into it."""
    store = chain.chain.store
    blocks = (store.block(height) for height in range(chain.head.block.header.height + 1))
    return {key: value for executed in blocks for key, value in search_index.operations(executed)}


def test_index_and_subscribers_follow_a_reorganisation() -> None:
    clock = Ticking()
    chain = ToyChain(clock)
    core = chain.chain
    search = Search(core.store, tuple(core.containers))
    subscriptions = Subscriptions(core.store, core.events, search)
    subscription = subscriptions.open(What.BLOCKS, Filter(from_height=Height(0)), wake=lambda: None)
    follower = Follower()
    follower.take(subscription.begin(None))
    for height in range(1, OWN + 1):
        chain.count(b"add own %d" % height)
        chain.mine()
    follower.take(drain(subscription))
    assert index_of(chain) == expected_index(chain)
    mark = follower.watermark
    rivals = branch(clock, chain, FORK, RIVAL, b"add own 5", b"add rival 1")
    chain.take(rivals)
    assert chain.head == rivals[-1]
    assert index_of(chain) == expected_index(chain)
    follower.take(drain(subscription))
    assert follower.told_removed == OWN - FORK
    assert follower.held == [core.store.block(height) for height in range(FORK + RIVAL + 1)]
    page = search.page(What.LOGS, Filter(topics=((), (b"rival",))), page_size=0, page_token=b"")
    assert [each.block_id for each in page.items if isinstance(each, PlacedLog)] == [rivals[0].block_id]
    # Who had left before is told what was removed meanwhile: the blocks are kept beside the chain.
    again = subscriptions.open(What.LOGS, Filter(container="counter"), wake=lambda: None)
    notices = again.begin(mark) + drain(again)
    removed = [item.height for notice in notices if notice.removed for item in notice.items
               if isinstance(item, PlacedLog)]  # fmt: skip
    assert removed == [6, 5, 4]
    assert notices[-1].watermark == follower.watermark
    chain.close()
