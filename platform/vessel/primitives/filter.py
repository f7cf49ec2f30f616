"""What of the chain somebody wants to see: one filter, for what is listed and for what is subscribed to."""

from __future__ import annotations

import msgspec

from vessel.primitives.receipt import Status
from vessel.primitives.units import Height


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Criteria that all have to be met; within one, the values are alternatives. An empty one says nothing.

    addresses, topics: of a log. topics: by place; an empty place takes any topic, and a log with fewer
    topics than there are places is not taken. tags, senders, statuses: of a transaction's receipt; with
    any of them, logs of block hooks are not taken.

    A log is taken where it and the receipt it stands in are; a receipt where it is, with at least one of
    its logs if the filter speaks of logs; a block where one of its receipts or logs is.

    from_height, to_height: the first and the last block. None is the genesis and the head for a list,
    and the next block and no end for a subscription.
    """

    container: str = ""
    addresses: tuple[bytes, ...] = ()
    topics: tuple[tuple[bytes, ...], ...] = ()
    tags: tuple[bytes, ...] = ()
    senders: tuple[bytes, ...] = ()
    statuses: tuple[Status, ...] = ()
    from_height: Height | None = None
    to_height: Height | None = None

    @property
    def names_logs(self) -> bool:
        """Whether it speaks of logs."""
        return bool(self.addresses or self.topics)

    @property
    def names_receipts(self) -> bool:
        """Whether it speaks of what only a transaction has."""
        return bool(self.tags or self.senders or self.statuses)

    @property
    def size(self) -> int:
        """The number of values in it."""
        lists = (self.addresses, self.tags, self.senders, self.statuses, self.topics, *self.topics)
        return sum(map(len, lists))
