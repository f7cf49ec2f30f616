"""One chain: makes blocks, replays blocks of others, and commits both the same way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from vessel.blocktree.tree import BlockTree
from vessel.chain.admission import Admission, Surroundings
from vessel.chain.events import Events
from vessel.consensus.interface import Consensus, Preparation, Turn
from vessel.container.hosted import HostedContainer
from vessel.container.messages import Mode, Outcome
from vessel.database.chain_store import ChainStore
from vessel.errors import ContainerMisbehaved, ContainerQuarantined, InvalidBlock, RejectedTransaction
from vessel.primitives.block import Block, ExecutedBlock, Seal, receipts_root, transactions_root
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.section import Section
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH, Gas, Height
from vessel.processing.executor import Candidate, Executed, Executor, Plan
from vessel.processing.genesis import Genesis
from vessel.processing.ledger import genesis_writes
from vessel.processing.mempool import PendingTransaction

MAX_BLOCK_TRANSACTIONS = 10_000

_log = logging.getLogger("vessel.chain")


class Chain:
    """The writing side of one chain. Its methods may be called from any thread, one works at a time."""

    def __init__(
        self,
        genesis: Genesis,
        store: ChainStore,
        containers: Mapping[str, HostedContainer],
        consensus: Consensus,
        *,
        clock: Callable[[], int],
    ) -> None:
        """Open the chain; an empty store gets its genesis block.

        containers: in the order of their namespaces. clock: milliseconds since the Unix epoch.
        """
        self.genesis = genesis
        self.store = store
        self.containers = containers
        self.consensus = consensus
        self.clock = clock
        self.events = Events()
        self._hasher = genesis.hasher
        self._executor = Executor(containers, store.state)
        self._writing = threading.RLock()
        self._executions = 0
        self.changed = threading.Condition()
        self.tree = BlockTree(store, consensus)
        if store.is_empty:
            self._begin()
        self.admission = Admission(containers, store, self._surroundings, clock, self.wake)

    # ---- what stands

    @property
    def head(self) -> ExecutedBlock:
        """The newest committed block."""
        return self.store.head

    def serving(self) -> frozenset[str]:
        """Return the containers whose transactions may go into blocks."""
        return frozenset(name for name, container in self.containers.items() if container.in_service)

    def wake(self) -> None:
        """Let the producer look again."""
        with self.changed:
            self.changed.notify_all()

    def _surroundings(self) -> Surroundings:
        with self._writing:  # head and version move together
            return Surroundings(
                header=self.head.block.header,
                reader=self.store.state.reader(self.store.state.head_version),
            )

    # ---- genesis

    def _begin(self) -> None:
        genesis = self.genesis
        plan = Plan(
            mode=Mode.GENESIS,
            execution_id=self._execution_id(Height(0)),
            height=Height(0),
            time_ms=genesis.time_ms,
            parent_id=ZERO_HASH,
            parent_version=self.store.state.head_version,
            proposer=ZERO_ADDRESS,
            randomness=ZERO_HASH,
            sections={
                name: Section(gas_limit=container.gas_limit) for name, container in self.containers.items()
            },
            takes_part=frozenset(self.containers),
            recent_ids=lambda limit: (),
            initial_writes=genesis_writes(genesis.accounts),
        )
        executed = self._executor.execute(plan, ())
        header = Header(
            height=Height(0),
            parent_id=ZERO_HASH,
            time_ms=genesis.time_ms,
            transactions_root=transactions_root(self._hasher, ()),
            sections=executed.sections,
            consensus=genesis.genesis_hash,  # ties every id of the chain to every word of the file
        )
        self._commit(plan, executed, header, (), None)

    # ---- making blocks

    def produce(self, turn: Turn, *, even_empty: bool) -> ExecutedBlock | None:
        """Make and commit one block of what waits; None where nothing could go in and it may not be empty.

        ContainerQuarantined where no block can be made without a container that is out of service.
        """
        with self._writing:
            parent = self.head
            preparation = self.consensus.prepare(
                parent.block.header, parent.block_id, turn, now_ms=self.clock()
            )
            while True:
                serving = self.serving()
                pending = self.admission.ready(serving, limit=MAX_BLOCK_TRANSACTIONS)
                if not pending and not even_empty:
                    return None
                try:
                    return self._build(parent, preparation, pending, serving, even_empty=even_empty)
                except ContainerQuarantined as error:
                    _log.error("%s", error.message)
                except ContainerMisbehaved as error:
                    name = error.details.get("container", "")
                    if name not in self.containers:
                        raise
                    _log.error("%s; it is taken out of service", error.message)
                    self.containers[name].quarantine(error.message)

    def _build(
        self,
        parent: ExecutedBlock,
        preparation: Preparation,
        pending: list[PendingTransaction],
        serving: frozenset[str],
        *,
        even_empty: bool,
    ) -> ExecutedBlock | None:
        height = Height(parent.block.header.height + 1)
        plan = Plan(
            mode=Mode.BUILD,
            execution_id=self._execution_id(height),
            height=height,
            time_ms=preparation.time_ms,
            parent_id=parent.block_id,
            parent_version=self.store.state.head_version,
            proposer=preparation.proposer,
            randomness=preparation.randomness,
            sections=dict(parent.block.header.sections),
            takes_part=frozenset(n for n in serving if self.containers[n].has_hooks),
            recent_ids=self.tree.recent_ids,
        )
        candidates = [
            Candidate(
                transaction=p.transaction,
                prepared=p.check.prepared,
                hint=p.check.hint.keys,
                gas_limit=p.check.gas_limit or None,
            )
            for p in pending
        ]
        executed = self._executor.execute(plan, candidates)
        self._drop_unfit(pending, executed)
        if not executed.included and not even_empty:
            self._executor.finish(plan, executed, Outcome.ABORT)
            self.store.state.discard(executed.version)
            return None
        transactions = tuple(candidates[position].transaction for position in executed.included)
        header = Header(
            height=height,
            parent_id=parent.block_id,
            time_ms=preparation.time_ms,
            transactions_root=transactions_root(self._hasher, transactions),
            proposer=preparation.proposer,
            randomness=preparation.randomness,
            sections=executed.sections,
            parent_result=parent.block.seal.result,
            consensus=preparation.consensus,
        )
        block = self._commit(plan, executed, header, transactions, None)
        self.admission.committed(block, {p.check.id: p.check for p in pending})
        return block

    def _drop_unfit(self, pending: list[PendingTransaction], executed: Executed) -> None:
        """Drop what turned out invalid, and what would not fit an empty block either.

        Of one sender only the first: those behind it failed because it did, and get another chance.
        """
        filled = {pending[position].transaction.container for position in executed.included}
        failed: set[tuple[str, bytes]] = set()
        for left in executed.left:
            candidate = pending[left.position]
            container = candidate.transaction.container
            sender = (container, candidate.check.sender)
            if left.fits:
                if candidate.check.sequence is not None and sender in failed:
                    continue
                failed.add(sender)
            elif container in filled or not left.reason or left.reason == "QUARANTINED":
                continue
            filled.add(container)  # only the first that met an empty block can be told it never fits
            self.admission.drop(
                candidate,
                RejectedTransaction(
                    left.message or f"it cannot go into a block: {left.reason}",
                    reason=left.reason or "REJECTED",
                    id=candidate.check.id.hex(),
                ),
            )

    # ---- blocks of others

    def import_block(self, block: Block) -> ExecutedBlock:
        """Replay and commit a block made elsewhere; InvalidBlock says which rule it breaks."""
        with self._writing:
            parent = self.tree.check_place(block)
            header = block.header
            self._verify(block, parent)
            plan = Plan(
                mode=Mode.REPLAY,
                execution_id=self._execution_id(header.height),
                height=header.height,
                time_ms=header.time_ms,
                parent_id=header.parent_id,
                parent_version=self.store.state.head_version,
                proposer=header.proposer,
                randomness=header.randomness,
                sections=dict(parent.block.header.sections),
                takes_part=frozenset(
                    name
                    for name, section in header.sections
                    if not section.idle and self.containers[name].has_hooks
                ),
                recent_ids=self.tree.recent_ids,
            )
            executed = self._executor.execute(plan, [Candidate(transaction=t) for t in block.transactions])
            try:
                if executed.sections != header.sections:
                    raise InvalidBlock(
                        f"the sections of block {header.height} are {header.sections}; executing it gives "
                        f"{executed.sections}",
                        reason="SECTIONS",
                    )
                imported = self._commit(plan, executed, header, block.transactions, block.seal)
            except BaseException:
                self._executor.finish(plan, executed, Outcome.ABORT)
                self.store.state.discard(executed.version)
                raise
            self.admission.committed(imported, {})
            return imported

    def _verify(self, block: Block, parent: ExecutedBlock) -> None:
        header = block.header
        if header.transactions_root != transactions_root(self._hasher, block.transactions):
            raise InvalidBlock(
                f"block {header.height} has a transactions root that is not that of its transactions",
                reason="TRANSACTIONS_ROOT",
            )
        if header.parent_result != parent.block.seal.result:
            raise InvalidBlock(
                f"block {header.height} states the result {header.parent_result} for its parent; "
                f"executing that gave {parent.block.seal.result}",
                reason="PARENT_RESULT",
            )
        if [name for name, _ in header.sections] != sorted(self.containers):
            raise InvalidBlock(
                f"block {header.height} has sections {[name for name, _ in header.sections]}; "
                f"this chain has containers {sorted(self.containers)}",
                reason="SECTIONS",
            )
        for transaction in block.transactions:
            if transaction.container not in self.containers:
                raise InvalidBlock(
                    f"block {header.height} holds a transaction for the container "
                    f"{transaction.container!r}, which this chain does not have",
                    reason="UNKNOWN_CONTAINER",
                )
        self.consensus.verify(header, parent.block.header, parent.block_id)

    # ---- committing

    def _commit(
        self,
        plan: Plan,
        executed: Executed,
        header: Header,
        transactions: tuple[Transaction, ...],
        seal: Seal | None,
    ) -> ExecutedBlock:
        """Make the root, seal (or check the seal), and write everything in one synced batch."""
        result = BlockResult(
            state_root=self.store.state.root(executed.version),
            receipts_root=receipts_root(self._hasher, executed.receipts, executed.hooks),
            gas_used=Gas(sum(receipt.gas_used for receipt in executed.receipts)),
        )
        block_id = header.block_id(self._hasher)
        if seal is None:
            seal = self.consensus.seal(header, block_id, result)
        else:
            sealed = Block(header=header, transactions=transactions, seal=seal)
            self.consensus.verify_seal(sealed, block_id, result)
        block = ExecutedBlock(
            block_id=block_id,
            block=Block(header=header, transactions=transactions, seal=seal),
            receipts=executed.receipts,
            hooks=executed.hooks,
        )
        self.tree.insert(block, executed.version)
        self._executor.finish(plan, executed, Outcome.COMMIT)
        _log.info(
            "block %d %s: %d transactions, %d gas, root %s",
            header.height,
            block_id.hex()[:16],
            len(transactions),
            result.gas_used,
            result.state_root.hex()[:16],
        )
        self.events.publish(block)
        return block

    def _execution_id(self, height: Height) -> str:
        self._executions += 1
        return f"{self.genesis.genesis_hash[:4].hex()}/{height}/{self._executions}"
