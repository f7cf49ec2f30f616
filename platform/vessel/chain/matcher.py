"""A filter made ready: which terms of the index to search, and what of a block it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vessel.container.node_api import CommittedTransaction, Item, PlacedLog, What
from vessel.database.search_index import (
    Term,
    address_term,
    failure_term,
    logs_term,
    receipts_term,
    sender_term,
    tag_term,
    topic_term,
)
from vessel.errors import InvalidRequest, UnknownContainer
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.filter import Filter
from vessel.primitives.header import Header
from vessel.primitives.receipt import HookReceipt, Log, Receipt, Status
from vessel.primitives.units import Hash32

MAX_VALUES = 1_000  # of a filter; each alternative is a walk through the index


class Matcher:
    """Tells what a filter takes. Any thread."""

    def __init__(self, what: What, wanted: Filter, containers: Sequence[str]) -> None:
        """Make `wanted` ready for a chain with these containers; errors as `NodeApi.list_logs`."""
        if wanted.size > MAX_VALUES:
            raise InvalidRequest(
                f"the filter has {wanted.size} addresses, topics, tags, senders and statuses; at most "
                f"{MAX_VALUES}: split it and ask several times",
                reason="FILTER_TOO_LARGE",
                limit=MAX_VALUES,
            )
        if wanted.container and wanted.container not in containers:
            raise UnknownContainer(
                f"this chain has no container {wanted.container!r}; it has: {', '.join(containers)}",
                container=wanted.container,
            )
        first, last = wanted.from_height, wanted.to_height
        if first is not None and last is not None and first > last:
            raise InvalidRequest(
                f"the filter goes from height {first} to {last}; expected the lower one first"
            )
        self.what = what
        self.wanted = wanted
        self.groups = _groups(what, wanted, [wanted.container] if wanted.container else containers)
        self._addresses = frozenset(wanted.addresses)
        self._topics = tuple(map(frozenset, wanted.topics))
        self._tags = frozenset(wanted.tags)
        self._senders = frozenset(wanted.senders)
        self._statuses = frozenset(wanted.statuses)

    def items(self, executed: ExecutedBlock, receipts: Sequence[int] | None = None) -> Iterator[Item]:
        """Yield what is taken of a block. receipts: the only ones that have to be looked at, ascending."""
        if self.what is What.LOGS:
            outcomes: tuple[Receipt | HookReceipt, ...] = (*executed.receipts, *executed.hooks)
            yield from self.logs(executed.block.header, executed.block_id, outcomes, receipts)
        elif self.what is What.RECEIPTS:
            indices = range(len(executed.receipts)) if receipts is None else receipts
            for index in indices:
                if index < len(executed.receipts) and self._takes(executed.receipts[index]):
                    yield CommittedTransaction(executed=executed, index=index)
        elif self._takes_block(executed, receipts):
            yield executed

    def logs(
        self,
        header: Header,
        block_id: Hash32,
        outcomes: Sequence[Receipt | HookReceipt],
        receipts: Sequence[int] | None = None,
    ) -> Iterator[PlacedLog]:
        """Yield the logs that are taken of a block's receipts and, behind them, hooks."""
        looked_at = None if receipts is None else frozenset(receipts)
        counts: dict[str, int] = {}
        for place, outcome in enumerate(outcomes):
            before = counts.get(outcome.container, 0)
            counts[outcome.container] = before + len(outcome.logs)
            if (looked_at is not None and place not in looked_at) or not self._takes_outcome(outcome):
                continue
            for index, log in enumerate(outcome.logs, before):
                if self._takes_log(log):
                    yield PlacedLog(
                        container=outcome.container,
                        log=log,
                        height=header.height,
                        block_id=block_id,
                        time_ms=header.time_ms,
                        transaction_id=outcome.transaction_id if isinstance(outcome, Receipt) else b"",
                        transaction_index=place if isinstance(outcome, Receipt) else None,
                        index=index,
                    )

    def _takes_block(self, executed: ExecutedBlock, receipts: Sequence[int] | None) -> bool:
        wanted = self.wanted
        if not (wanted.container or wanted.names_logs or wanted.names_receipts):
            return True
        outcomes: tuple[Receipt | HookReceipt, ...] = (*executed.receipts, *executed.hooks)
        looked_at = range(len(outcomes)) if receipts is None else receipts
        return any(self._takes(outcomes[index]) for index in looked_at)

    def _takes(self, outcome: Receipt | HookReceipt) -> bool:
        """Tell whether a receipt is taken, with its logs; a hook's has to have some."""
        if not self._takes_outcome(outcome):
            return False
        if self.wanted.names_logs:
            return any(map(self._takes_log, outcome.logs))
        return isinstance(outcome, Receipt) or bool(outcome.logs)

    def _takes_outcome(self, outcome: Receipt | HookReceipt) -> bool:
        """Tell whether all that is not about logs is met."""
        if self.wanted.container and outcome.container != self.wanted.container:
            return False
        if isinstance(outcome, HookReceipt):
            return not self.wanted.names_receipts
        return (
            (not self._senders or outcome.sender in self._senders)
            and (not self._statuses or outcome.status in self._statuses)
            and (not self._tags or not self._tags.isdisjoint(outcome.tags))
        )

    def _takes_log(self, log: Log) -> bool:
        if self._addresses and log.address not in self._addresses:
            return False
        if len(self._topics) > len(log.topics):
            return False
        return all(
            not taken or topic in taken for taken, topic in zip(self._topics, log.topics, strict=False)
        )


def _groups(what: What, wanted: Filter, containers: Sequence[str]) -> list[list[Term]]:
    """Return what to search in the index: groups of alternatives that have to meet."""
    groups = [[address_term(name, each) for name in containers for each in wanted.addresses]]
    for place, topics in enumerate(wanted.topics):
        groups.append([topic_term(name, place, each) for name in containers for each in topics])
    groups.append([tag_term(name, each) for name in containers for each in wanted.tags])
    groups.append([sender_term(name, each) for name in containers for each in wanted.senders])
    if Status.OK not in wanted.statuses:
        groups.append([failure_term(name, each) for name in containers for each in wanted.statuses])
    groups = [group for group in groups if group]
    if groups:
        return groups
    if what is What.LOGS or wanted.topics:
        return [[logs_term(name) for name in containers]]
    if what is What.RECEIPTS or wanted.statuses:
        return [[receipts_term(name) for name in containers]]
    if wanted.container:
        return [[receipts_term(wanted.container), logs_term(wanted.container)]]
    return []  # every block
