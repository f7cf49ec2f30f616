"""A subscriber that keeps what it was told, and objects where a notice does not fit what it holds."""

from __future__ import annotations

from collections.abc import Iterable

from vessel.chain.subscriptions import Subscription
from vessel.container.node_api import Notice, Watermark
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import ZERO_HASH


class Follower:
    """Holds the blocks of a subscription to blocks; each has to be the child of the one before."""

    def __init__(self, first: int = 0) -> None:
        """Begin with nothing. first: the height the subscription begins at."""
        self.first = first
        self.held: list[ExecutedBlock] = []
        self.watermark: Watermark | None = None
        self.told_removed = 0

    def take(self, notices: Iterable[Notice]) -> None:
        """Apply notices in their order."""
        for notice in notices:
            for item in notice.items:
                assert isinstance(item, ExecutedBlock)
                if notice.removed:
                    assert self.held.pop() == item
                    self.told_removed += 1
                else:
                    self._append(item)
            self.watermark = notice.watermark
            assert notice.watermark.next_height == self.first + len(self.held)
            if self.held:
                assert notice.watermark.block_id == self.held[-1].block_id
            else:
                assert not notice.items or notice.removed or notice.watermark.block_id == ZERO_HASH

    def _append(self, executed: ExecutedBlock) -> None:
        assert executed.block.header.height == self.first + len(self.held)
        if self.held:
            assert executed.block.header.parent_id == self.held[-1].block_id
        self.held.append(executed)


def turn(subscription: Subscription) -> list[Notice]:
    """Do what the node does at a subscriber's turn, once."""
    notices = subscription.poll()
    return subscription.catch_up() if notices is None else notices


def drain(subscription: Subscription) -> list[Notice]:
    """Take turns until there is nothing to do but wait; return what was said besides being live."""
    notices: list[Notice] = []
    while not subscription.ended:
        more = turn(subscription)
        notices += [notice for notice in more if not notice.live]
        if not more and subscription.waits:
            break
    return notices
