"""The NodeApi of this process: async edges around the synchronous chain."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

from vessel.chain.admission import Submitted
from vessel.chain.chain import Chain
from vessel.chain.producer import Producer
from vessel.chain.reading import Reading
from vessel.chain.search import Search
from vessel.chain.subscriptions import Subscriptions
from vessel.container.deep_threads import DeepThreadPool
from vessel.container.hosted import HostedContainer
from vessel.container.messages import Call, ViewResult
from vessel.container.node_api import (
    BlockReference,
    ChainInfo,
    CommittedTransaction,
    ContainerStatus,
    Item,
    Notice,
    Page,
    PlacedLog,
    StateAnswer,
    Submission,
    WaitingTransaction,
    Watermark,
    What,
)
from vessel.errors import VesselError
from vessel.primitives.block import ExecutedBlock
from vessel.primitives.filter import Filter
from vessel.primitives.units import Height
from vessel.processing.dev_transaction import HOST

T = TypeVar("T")


class LocalNode:
    """Answers NodeApi from the chain in this process; blocking work goes to threads."""

    def __init__(self, chain: Chain, producer: Producer, *, threads: int = 8) -> None:
        """Serve `chain`. threads: how many reads and admissions run side by side."""
        self._chain = chain
        self._producer = producer
        self._reading = Reading(chain)
        self._threads = DeepThreadPool(threads, thread_name_prefix="api")
        # A development chain has transactions of its own, addressed to the host.
        names = [*chain.containers, HOST] if chain.genesis.dev else list(chain.containers)
        self._search = Search(chain.store, names)
        self._subscriptions = Subscriptions(chain.store, chain.events, self._search)
        # Subscribers that read what is past share two threads of their own: no call waits for them.
        self._history = ThreadPoolExecutor(2, thread_name_prefix="subscriptions")

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

    async def when_committed(self, submitted: Submitted, wait_s: float) -> Submission:
        """Return what became of a transaction, after at most so long."""
        return await self._committed(submitted, asyncio.get_running_loop().time() + wait_s, wait_s)

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

    async def list_blocks(
        self, wanted: Filter, *, page_size: int = 0, page_token: bytes = b""
    ) -> Page[ExecutedBlock]:
        """Return blocks, oldest first."""
        return cast(Page[ExecutedBlock], await self._page(What.BLOCKS, wanted, page_size, page_token))

    async def list_receipts(
        self, wanted: Filter, *, page_size: int = 0, page_token: bytes = b""
    ) -> Page[CommittedTransaction]:
        """Return transactions with what became of them, oldest first."""
        page = await self._page(What.RECEIPTS, wanted, page_size, page_token)
        return cast(Page[CommittedTransaction], page)

    async def list_logs(
        self, wanted: Filter, *, page_size: int = 0, page_token: bytes = b""
    ) -> Page[PlacedLog]:
        """Return logs, oldest first."""
        return cast(Page[PlacedLog], await self._page(What.LOGS, wanted, page_size, page_token))

    async def _page(self, what: What, wanted: Filter, page_size: int, page_token: bytes) -> Page[Item]:
        page = functools.partial(self._search.page, what, wanted, page_size=page_size, page_token=page_token)
        return await self._in_thread(page)

    async def subscribe(
        self, what: What, wanted: Filter, *, after: Watermark | None = None
    ) -> AsyncGenerator[Notice, None]:
        """Tell of what is past and of what comes; see `NodeApi.subscribe`."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has closed, and with it who would listen
                loop.call_soon_threadsafe(woken.set)

        subscription = self._subscriptions.open(what, wanted, wake=wake)
        try:
            for notice in await loop.run_in_executor(self._history, subscription.begin, after):
                yield notice
            while not subscription.ended:
                woken.clear()
                notices = subscription.poll()
                if notices is None:
                    notices = await loop.run_in_executor(self._history, subscription.catch_up)
                for notice in notices:
                    yield notice
                if not notices and subscription.waits:
                    await woken.wait()
        finally:
            self._subscriptions.close(subscription)

    def end_subscriptions(self) -> None:
        """Tell the subscribers that the node is going away."""
        self._subscriptions.end_all()

    def close(self) -> None:
        """Let the threads go."""
        self.end_subscriptions()
        self._history.shutdown(wait=False, cancel_futures=True)
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
