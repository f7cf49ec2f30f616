"""The reading side of one chain: blocks, transactions, calls, queries, state and proofs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from vessel.chain.chain import Chain
from vessel.container.hosted import HostedContainer
from vessel.container.messages import BlockStart, Call, Mode, Query, ViewRequest, ViewResult
from vessel.container.node_api import (
    BlockReference,
    CommittedTransaction,
    ProvenValue,
    StateAnswer,
    Tag,
    WaitingTransaction,
)
from vessel.database.reader import StateReader
from vessel.errors import HeightNotKept, NotFound, UnknownContainer
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import Gas, Height

_ATTEMPTS = 10_000  # to find block and state together while the chain moves from branch to branch


class Reading:
    """Read-only work at any kept block. Any thread."""

    def __init__(self, chain: Chain) -> None:
        """Read `chain`."""
        self._chain = chain

    def block(self, reference: BlockReference) -> ExecutedBlock:
        """Return a block by height, id or tag; NotFound says how far the chain goes.

        By its id, a block beside the chain is found as well; `BlockTree.is_canonical` tells.
        """
        store = self._chain.store
        if isinstance(reference, bytes):
            found = self._chain.tree.find(reference)
            return store.block_by_id(reference) if found is None else found
        if isinstance(reference, Tag):
            if reference is Tag.LATEST:
                return self._chain.head
            reference = Height(0 if reference is Tag.GENESIS else self._chain.tree.finalized_height)
        head = self._chain.head
        return head if reference == head.block.header.height else store.block(reference)

    def transaction(self, container: str, transaction_id: bytes) -> CommittedTransaction | WaitingTransaction:
        """Find a transaction in the blocks, then in the mempool."""
        names = [container] if container else list(self._chain.containers)
        for name in names:
            place = self._chain.store.transaction(name, transaction_id)
            if place is not None:
                height, index = place
                return CommittedTransaction(executed=self.block(Height(height)), index=index)
        pending = self._chain.admission.pending(container, transaction_id)
        if pending is None:
            raise NotFound(
                f"no transaction 0x{transaction_id.hex()} is known"
                + (f" in container {container!r}" if container else "")
            )
        return WaitingTransaction(
            container=pending.transaction.container,
            id=pending.check.id,
            raw=pending.transaction.raw,
            sender=pending.check.sender,
        )

    def call(
        self, container: str, call: Call, *, at: BlockReference, estimate: bool
    ) -> tuple[ViewResult, Height]:
        """Run a call after a block, or price it."""
        hosted = self._container(container)
        executed, reader = self._state_after(at)
        request = ViewRequest(start=self._start(hosted, executed, reader), call=call, estimate=estimate)
        return hosted.ask(lambda c: c.view(request, reader)), executed.block.header.height

    def query(
        self, container: str, method: str, parameters: bytes, *, at: BlockReference
    ) -> tuple[ViewResult, Height]:
        """Ask a container about the state after a block."""
        hosted = self._container(container)
        executed, reader = self._state_after(at)
        request = ViewRequest(
            start=self._start(hosted, executed, reader),
            query=Query(method=method, parameters=parameters or b"{}"),
        )
        return hosted.ask(lambda c: c.view(request, reader)), executed.block.header.height

    def state(self, keys: Sequence[bytes], *, at: BlockReference, with_proofs: bool) -> StateAnswer:
        """Read raw state after a block, with proofs if asked."""
        for _ in range(_ATTEMPTS):
            executed, reader = self._state_after(at)
            root = executed.block.seal.result.state_root  # of this very block, whatever the head is by now
            if not with_proofs:
                values = reader.multi_get(keys)
                entries = [ProvenValue(key=k, value=v) for k, v in zip(keys, values, strict=True)]
                return StateAnswer(executed=executed, state_root=root, entries=tuple(entries))
            entries = []
            try:
                for key in keys:
                    proven_root, value, proof = self._chain.store.state.prove(
                        key, executed.block.header.height
                    )
                    if proven_root != root:
                        break  # the chain moved to another branch in between
                    entries.append(ProvenValue(key=key, value=value, proof=proof.to_bytes()))
                else:
                    return StateAnswer(executed=executed, state_root=root, entries=tuple(entries))
            except HeightNotKept:
                if self._chain.tree.is_canonical(executed):
                    raise
        raise _replaced(executed)

    # ---- surroundings

    def _container(self, name: str) -> HostedContainer:
        hosted = self._chain.containers.get(name)
        if hosted is None:
            raise UnknownContainer(
                f"this chain has no container {name!r}; it has: {', '.join(self._chain.containers)}",
                container=name,
            )
        return hosted

    def _state_after(self, reference: BlockReference) -> tuple[ExecutedBlock, StateReader]:
        """Return a block of the chain and the state that it left.

        HeightNotKept where that is pruned, or where the block is on a side branch (SIDE_BRANCH).
        """
        for _ in range(_ATTEMPTS):
            executed = self.block(reference)
            if reference is Tag.LATEST and (staged := self._chain.latest_reader()) is not None:
                return executed, staged
            height = executed.block.header.height
            if isinstance(reference, bytes) and not self._chain.tree.is_canonical(executed):
                raise HeightNotKept(
                    f"block {height} 0x{executed.block_id.hex()} is on a side branch: its state cannot be "
                    f"asked. The chain's own block {height} and its state can, by height",
                    reason="SIDE_BRANCH",
                    height=height,
                )
            try:
                reader, root = self._chain.store.state.state_at(height)
            except HeightNotKept:
                if self._chain.tree.is_canonical(executed):
                    raise
                continue  # the chain moved to a shorter branch in between
            if root == executed.block.seal.result.state_root:
                return executed, reader
        raise _replaced(executed)

    def _start(self, hosted: HostedContainer, after: ExecutedBlock, reader: StateReader) -> BlockStart:
        """Return the surroundings of the block that comes after this one."""
        header = after.block.header
        head = self._chain.head.block.header.height
        time_ms = max(self._chain.clock(), header.time_ms + 1)
        if header.height < head:
            with contextlib.suppress(NotFound):  # a shorter branch took over in between
                time_ms = self._chain.store.header(header.height + 1).time_ms
        limit = hosted.manifest.recent_ids
        following = self._chain.tree.recent_ids_from(header.height, limit)
        return BlockStart(
            mode=Mode.VIEW,
            height=Height(header.height + 1),
            time_ms=time_ms,
            state_version=reader.version,
            parent_id=after.block_id,
            proposer=header.proposer,
            randomness=header.randomness,
            gas_limit=Gas(hosted.gas_limit),
            parent_section=header.section(hosted.name),
            recent_ids=following,
        )


def _replaced(executed: ExecutedBlock) -> HeightNotKept:
    height = executed.block.header.height
    return HeightNotKept(f"block {height} was replaced while it was being read; ask again", height=height)
