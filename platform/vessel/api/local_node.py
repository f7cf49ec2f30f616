"""The NodeApi of this process: async edges around the synchronous chain."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import TypeVar

from vessel.chain.admission import Submitted
from vessel.chain.chain import Chain
from vessel.chain.producer import Producer
from vessel.chain.reading import Reading
from vessel.container.deep_threads import DeepThreadPool
from vessel.container.hosted import HostedContainer
from vessel.container.messages import Call, ViewResult
from vessel.container.node_api import (
    BlockReference,
    ChainInfo,
    CommittedTransaction,
    ContainerStatus,
    StateAnswer,
    Submission,
    WaitingTransaction,
)
from vessel.errors import InvalidRequest, VesselError
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.units import Height

MAX_MINED_AT_ONCE = 10_000

T = TypeVar("T")


class LocalNode:
    """Answers NodeApi from the chain in this process; blocking work goes to threads."""

    def __init__(self, chain: Chain, producer: Producer, *, threads: int = 8) -> None:
        """Serve `chain`. threads: how many reads and admissions run side by side."""
        self._chain = chain
        self._producer = producer
        self._reading = Reading(chain)
        self._threads = DeepThreadPool(threads, thread_name_prefix="api")

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def info(self) -> ChainInfo:
        """Say which chain this is and where it stands."""
        genesis = self._chain.genesis
        return ChainInfo(
            name=genesis.name,
            chain_id=genesis.chain_id,
            genesis_hash=genesis.genesis_hash,
            hash_name=genesis.hasher.name,
            consensus=self._chain.consensus.name,
            dev=genesis.dev,
            head=self._chain.head,
            finalized_height=Height(self._chain.tree.finalized_height),
            pending_transactions=len(self._chain.admission),
        )

    async def submit(
        self, container: str, raws: Sequence[bytes], *, wait_s: float | None = None
    ) -> list[Submission]:
        """Submit a batch; wait_s: wait so long for each to be committed, None: not at all."""
        answers = await self._in_thread(functools.partial(self._chain.admission.submit, container, raws))
        if wait_s is None:
            return [
                Submission(error=a) if isinstance(a, VesselError) else Submission(id=a.id) for a in answers
            ]
        deadline = asyncio.get_running_loop().time() + wait_s
        return [await self._committed(answer, deadline, wait_s) for answer in answers]

    async def _committed(self, answer: Submitted | VesselError, deadline: float, wait_s: float) -> Submission:
        if isinstance(answer, VesselError):
            return Submission(error=answer)
        left_s = max(0.0, deadline - asyncio.get_running_loop().time())
        try:
            # Shielded: the future is the chain's, and a caller that goes away must not cancel it.
            future = asyncio.shield(asyncio.wrap_future(answer.committed))
            place = await asyncio.wait_for(future, left_s)
        except TimeoutError:
            return Submission(
                id=answer.id,
                error=VesselError(
                    f"transaction 0x{answer.id.hex()} was accepted but is in no block after {wait_s:g} s; "
                    "it still waits",
                    reason="NOT_COMMITTED_YET",
                    id=answer.id.hex(),
                ),
            )
        except VesselError as error:
            return Submission(id=answer.id, error=error)
        return Submission(
            id=answer.id,
            committed=CommittedTransaction(executed=place.executed, index=place.index),
        )

    async def transaction(
        self, container: str, transaction_id: bytes
    ) -> CommittedTransaction | WaitingTransaction:
        """Find a transaction; container empty: in any."""
        return await self._in_thread(functools.partial(self._reading.transaction, container, transaction_id))

    async def block(self, reference: BlockReference) -> ExecutedBlock:
        """Return a block with what became of it."""
        return await self._in_thread(functools.partial(self._reading.block, reference))

    async def call(self, container: str, call: Call, *, at: BlockReference) -> tuple[ViewResult, Height]:
        """Run a call and keep nothing."""
        return await self._in_thread(
            functools.partial(self._reading.call, container, call, at=at, estimate=False)
        )

    async def estimate(self, container: str, call: Call, *, at: BlockReference) -> tuple[ViewResult, Height]:
        """Return the least gas limit with which a call succeeds."""
        return await self._in_thread(
            functools.partial(self._reading.call, container, call, at=at, estimate=True)
        )

    async def query(
        self, container: str, method: str, parameters: bytes, *, at: BlockReference
    ) -> tuple[ViewResult, Height]:
        """Ask a container what only it knows."""
        return await self._in_thread(
            functools.partial(self._reading.query, container, method, parameters, at=at)
        )

    async def state(self, keys: Sequence[bytes], *, at: BlockReference, with_proofs: bool) -> StateAnswer:
        """Read raw state, with proofs if asked."""
        return await self._in_thread(
            functools.partial(self._reading.state, keys, at=at, with_proofs=with_proofs)
        )

    async def containers(self) -> list[ContainerStatus]:
        """Say which containers there are and how they do."""
        return [container_status(container) for container in self._chain.containers.values()]

    async def mine(self, blocks: int) -> ExecutedBlock:
        """Make blocks now; only on development chains."""
        if not self._chain.genesis.dev:
            raise InvalidRequest(
                "mining by hand is for development chains: this chain's genesis has dev = false",
                reason="NOT_A_DEV_CHAIN",
            )
        if not 1 <= blocks <= MAX_MINED_AT_ONCE:
            raise InvalidRequest(f"blocks = {blocks}: expected 1 to {MAX_MINED_AT_ONCE}")
        made = await asyncio.wrap_future(self._producer.call(lambda: self._producer.mine(blocks)))
        return made[-1]

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def container_status(container: HostedContainer) -> ContainerStatus:
    """Return how one container does."""
    hosting = container.hosting
    health = "serving"
    if not container.in_service:
        health = "quarantined"
    elif hosting.transport == "grpc" and hosting.pid == 0:
        health = "restarting"
    return ContainerStatus(
        name=container.name,
        kind=container.kind,
        version=container.manifest.version,
        transport=hosting.transport,
        namespace=container.namespace,
        gas_limit=container.gas_limit,
        capabilities=tuple(sorted(container.manifest.capabilities)),
        engine_digest=container.configured.engine_digest,
        health=health,
        restarts=hosting.restarts,
        process_id=hosting.pid,
    )
