"""One chain: makes blocks, replays blocks of others, and commits both the same way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from vessel.blocktree.tree import MAX_SIDE_BRANCH, BlockTree, Inserted, Parent
from vessel.chain.admission import Admission, Surroundings
from vessel.chain.events import Events, Reorganisation
from vessel.consensus.interface import Consensus, Preparation, Turn
from vessel.container.hosted import HostedContainer
from vessel.container.messages import Mode, Outcome, TransactionCheck
from vessel.database.chain_store import ChainStore
from vessel.database.reader import StateReader
from vessel.errors import (
    ConfigurationError,
    ContainerMisbehaved,
    ContainerQuarantined,
    HeightNotKept,
    InvalidBlock,
    InvalidRequest,
    NotFound,
    RejectedTransaction,
    StorageError,
)
from vessel.primitives.block import Block, ExecutedBlock, Seal, receipts_root, transactions_root
from vessel.primitives.header import HEADER_VERSION, BlockResult, Header
from vessel.primitives.section import Section
from vessel.primitives.transaction import MAX_TRANSACTION_SIZE_BYTES, Transaction
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH, Gas, Hash32, Height
from vessel.processing.dev_transaction import (
    HOST,
    Impersonate,
    SetBalance,
    WriteState,
    action_id,
    action_writes,
    decode_action,
    encode_action,
)
from vessel.processing.executor import Candidate, Executed, Executor, Plan
from vessel.processing.genesis import Genesis
from vessel.processing.ledger import genesis_writes
from vessel.processing.mempool import PendingTransaction

MAX_BLOCK_TRANSACTIONS = 10_000
PRUNED_HEIGHTS_A_BLOCK = 16

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
        keep_heights: int = 0,
        max_side_branch: int = MAX_SIDE_BRANCH,
    ) -> None:
        """Open the chain; an empty store gets its genesis block.

        containers: in the order of their namespaces. clock: milliseconds since the Unix epoch.
        keep_heights: how many heights' states are kept, 0: all. max_side_branch: how far below the head a
        competing branch may begin.
        """
        if keep_heights < 0 or max_side_branch < 0 or 0 < keep_heights <= max_side_branch:
            raise ConfigurationError(
                f"keep_heights = {keep_heights} with max_side_branch = {max_side_branch}: what a competing "
                "branch may undo has to be kept; set keep_heights to more, or to 0 to keep everything"
            )
        self._keep_heights = keep_heights
        self.genesis = genesis
        self.store = store
        self.containers = containers
        self.consensus = consensus
        self.clock = clock
        self.events = Events()
        self._hasher = genesis.hasher
        self._executor = Executor(containers, store.state)
        self._writing = threading.RLock()
        self._staged: tuple[PendingTransaction, ...] = ()
        self._staged_reader: StateReader | None = None
        self._executions = 0
        self.changed = threading.Condition()
        self.tree = BlockTree(store, consensus, max_side_branch=max_side_branch)
        if store.is_empty:
            self._begin()
        self.admission = Admission(containers, store, self._surroundings, clock, self.wake)
        self.admission.readmit(self.tree.left_transactions())

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
        staged = self._staged_reader
        if staged is not None:
            return Surroundings(header=self.head.block.header, reader=staged)
        # By height, so that both are of one block without waiting for the one that is being made.
        while True:
            head = self.head
            try:
                reader, root = self.store.state.state_at(head.block.header.height)
            except HeightNotKept:  # a shorter branch took over in between
                continue
            if root == head.block.seal.result.state_root:
                return Surroundings(header=head.block.header, reader=reader)

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
        self._commit(plan, executed, header, (), None, None)

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
                waiting = self.admission.ready(serving, limit=MAX_BLOCK_TRANSACTIONS)
                pending = [*self._staged, *waiting]
                try:
                    if not waiting and not even_empty:
                        return None
                    return self._build(parent, preparation, pending, serving, even_empty=even_empty)
                except ContainerQuarantined as error:
                    _log.error("%s", error.message)
                    self.admission.abandon_quarantined()
                except ContainerMisbehaved as error:
                    name = error.details.get("container", "")
                    if name not in self.containers:
                        raise
                    _log.error("%s; it is taken out of service", error.message)
                    self.containers[name].quarantine(error.message)
                    self.admission.abandon_quarantined()
                finally:
                    self.admission.settle()

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
                transaction=p.in_block,
                prepared=p.check.prepared,
                hint=p.check.hint.keys,
                gas_limit=p.check.gas_limit or None,
                action=p.action,
            )
            for p in pending
        ]
        executed = self._executor.execute(plan, candidates)
        self._drop_unfit(pending, executed)
        if len(executed.included) == len(self._staged) and not even_empty:
            self._give_up(plan, executed)
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
        state = self.store.state
        standing = Parent(
            executed=parent,
            version=state.head_version,
            score=self.tree.score,
            fork=parent.block.header.height,
        )
        block, inserted = self._commit(plan, executed, header, transactions, None, standing)
        self._stage(())
        self._settle(inserted, {p.key: p.check for p in pending})
        return block

    def _drop_unfit(self, pending: list[PendingTransaction], executed: Executed) -> None:
        """Drop what turned out invalid, and what would not fit an empty block either.

        Of one sender only the first: those behind it failed because it did, and get another chance. What
        may go into a later block waits for the next one.
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
                if left.later:
                    self.admission.hold(candidate)
                    continue
            elif container in filled or not self.containers[container].in_service:
                continue
            filled.add(container)  # only the first that met an empty block can be told it never fits
            self.admission.drop(
                candidate,
                RejectedTransaction(
                    left.message or f"it cannot go into a block: {left.reason or 'no reason given'}",
                    reason=left.reason or "REJECTED",
                    id=candidate.check.id.hex(),
                ),
            )

    # ---- blocks of others

    def import_block(self, block: Block) -> ExecutedBlock:
        """Replay a block made elsewhere and take it in; InvalidBlock says which rule it breaks.

        It becomes the head where that makes the best branch, by a reorganisation if need be; otherwise it
        is kept beside the chain. One that is known already changes nothing.
        """
        with self._writing:
            header = block.header
            block_id = header.block_id(self._hasher)
            known = self.tree.find(block_id)
            if known is not None:
                return known
            self.tree.check_known_invalid(block, block_id)
            if header.transactions_root != transactions_root(self._hasher, block.transactions):
                raise InvalidBlock(
                    f"block {header.height} has a transactions root that is not that of its transactions",
                    reason="TRANSACTIONS_ROOT",
                )
            try:
                parent = self.tree.parent_of(block)
            except InvalidBlock as error:
                if error.reason in ("INVALID_PARENT", "HEIGHT"):  # other places may be free later
                    self.tree.remember_invalid(block_id, error.message)
                raise
            try:
                self._verify(block, parent.executed)
                plan, executed = self._replay(block, parent)
            except InvalidBlock as error:
                self.tree.remember_invalid(block_id, error.message)
                raise
            imported, inserted = self._commit(plan, executed, header, block.transactions, block.seal, parent)
            self._settle(inserted, {})
            self.wake()
            return imported

    def _replay(self, block: Block, parent: Parent) -> tuple[Plan, Executed]:
        """Execute a block on its parent, whatever branch that is on."""
        header = block.header
        plan = Plan(
            mode=Mode.REPLAY,
            execution_id=self._execution_id(header.height),
            height=header.height,
            time_ms=header.time_ms,
            parent_id=header.parent_id,
            parent_version=parent.version,
            proposer=header.proposer,
            randomness=header.randomness,
            sections=dict(parent.executed.block.header.sections),
            takes_part=frozenset(
                name
                for name, section in header.sections
                if not section.idle and self.containers[name].has_hooks
            ),
            recent_ids=lambda limit: self.tree.recent_ids_on(parent, limit),
        )
        executed = self._executor.execute(plan, [self._candidate(t, header) for t in block.transactions])
        if executed.sections != header.sections:
            self._give_up(plan, executed)
            raise InvalidBlock(
                f"the sections of block {header.height} are {header.sections}; executing it gives "
                f"{executed.sections}",
                reason="SECTIONS",
            )
        return plan, executed

    def _candidate(self, transaction: Transaction, header: Header) -> Candidate:
        """Return a transaction of a block from elsewhere, ready to be executed."""
        if transaction.container != HOST:
            return Candidate(transaction=transaction)
        try:
            action = decode_action(transaction)
        except InvalidRequest as error:
            raise InvalidBlock(f"block {header.height}: {error.message}", reason="DEV_TRANSACTION") from error
        if isinstance(action, Impersonate) and action.container not in self.containers:
            raise InvalidBlock(
                f"block {header.height} holds a transaction for the container {action.container!r}, which "
                "this chain does not have",
                reason="UNKNOWN_CONTAINER",
            )
        return Candidate(transaction=transaction, action=action)

    def _verify(self, block: Block, parent: ExecutedBlock) -> None:
        header = block.header
        if header.version != HEADER_VERSION:
            raise InvalidBlock(
                f"block {header.height} has a header of version {header.version}; this node knows "
                f"version {HEADER_VERSION}",
                reason="HEADER_VERSION",
            )
        if header.mainchain_link:
            raise InvalidBlock(
                f"block {header.height} links to a mainchain; this chain is no sidechain",
                reason="MAINCHAIN_LINK",
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
            if transaction.container == HOST and not self.genesis.dev:
                raise InvalidBlock(
                    f"block {header.height} holds a transaction of the development controls; this chain's "
                    "genesis has dev = false",
                    reason="DEV_TRANSACTION",
                )
            if transaction.container not in self.containers and transaction.container != HOST:
                raise InvalidBlock(
                    f"block {header.height} holds a transaction for the container "
                    f"{transaction.container!r}, which this chain does not have",
                    reason="UNKNOWN_CONTAINER",
                )
            if not 1 <= len(transaction.raw) <= MAX_TRANSACTION_SIZE_BYTES:
                raise InvalidBlock(
                    f"block {header.height} holds a transaction of {len(transaction.raw)} bytes; expected 1 "
                    f"to {MAX_TRANSACTION_SIZE_BYTES}",
                    reason="SIZE",
                )
        self.consensus.verify(header, parent.block.header, parent.block_id)

    # ---- development chains

    @property
    def staged(self) -> tuple[PendingTransaction, ...]:
        """What the controls have set and the next block will hold."""
        return self._staged

    def latest_reader(self) -> StateReader | None:
        """Return the latest state with what is staged on top; None where nothing is."""
        return self._staged_reader

    def stage(self, action: SetBalance | WriteState) -> tuple[Height, bytes]:
        """Put an action into the next block and let every reader of the latest state see it at once.

        Returns the height of that block and the id of the transaction. InvalidRequest where it cannot be.
        """
        with self._writing:
            action_writes(action)
            transaction = encode_action(action)
            if len(transaction.raw) > MAX_TRANSACTION_SIZE_BYTES:
                raise InvalidRequest(
                    f"the writes take {len(transaction.raw)} bytes; at most {MAX_TRANSACTION_SIZE_BYTES} fit "
                    "into a transaction: write them in parts"
                )
            check = TransactionCheck(accepted=True, id=action_id(transaction))
            staged = PendingTransaction(transaction=transaction, check=check, arrival=0, action=action)
            self._stage((*self._staged, staged))
            return Height(self.head.block.header.height + 1), check.id

    def _stage(self, staged: tuple[PendingTransaction, ...]) -> None:
        """Hold these for the next block; readers see them on a version of their own."""
        state = self.store.state
        reader = None
        if staged:
            version = state.begin(state.head_version)
            for pending in staged:
                if isinstance(pending.action, SetBalance | WriteState):
                    state.apply(version, action_writes(pending.action))
            reader = state.reader(version)
            state.discard(version)  # the reader stays
        self._staged, self._staged_reader = staged, reader

    def revert_to(self, height: Height, block_id: Hash32, staged: tuple[PendingTransaction, ...]) -> None:
        """Undo every block above a canonical one; what it costs follows from what is undone."""
        with self._writing:
            if height > self.head.block.header.height or self.store.block_id(height) != block_id:
                raise NotFound(f"block {height} 0x{block_id.hex()} is not on the chain any more")
            removed = self.tree.rollback(height)
            self._stage(staged)
            if removed:
                self.events.publish(Reorganisation(removed=tuple(removed[::-1])))
            self.admission.reverted()
            self.wake()

    def produce_by_hand(self) -> ExecutedBlock:
        """Make a block now because a person asks; InvalidRequest where consensus does not allow it."""
        turn = self.consensus.turn_by_hand(self.head.block.header, now_ms=self.clock())
        if turn is None:
            raise InvalidRequest(
                f"the consensus {self.consensus.name} does not make blocks by hand", reason="NOT_BY_HAND"
            )
        block = self.produce(turn, even_empty=True)
        assert block is not None
        return block

    # ---- committing

    def _commit(
        self,
        plan: Plan,
        executed: Executed,
        header: Header,
        transactions: tuple[Transaction, ...],
        seal: Seal | None,
        parent: Parent | None,
    ) -> tuple[ExecutedBlock, Inserted]:
        """Make the root, seal (or check the seal), and write everything in one synced batch."""
        try:
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
            inserted = self.tree.insert(block, executed.version, parent)
        except BaseException:
            self._give_up(plan, executed)
            raise
        # Committed: from here on nothing may fail, or it would be made a second time.
        # Off the straight way containers are told nothing: their caches are bound to versions, and find
        # out by themselves where the chain goes on.
        straight = inserted.canonical and len(inserted.added) == 1 and not inserted.removed
        self._executor.finish(plan, executed, Outcome.COMMIT if straight else Outcome.ABORT)
        _log.info(
            "block %d %s%s: %d transactions, %d gas, root %s",
            header.height,
            block_id.hex()[:16],
            "" if inserted.canonical else " beside the chain",
            len(transactions),
            result.gas_used,
            result.state_root.hex()[:16],
        )
        return block, inserted

    def _settle(self, inserted: Inserted, checks: Mapping[tuple[str, bytes], TransactionCheck]) -> None:
        """Tell everybody of what was committed, and prune; nothing of this undoes it."""
        if self._staged:
            self._stage(self._staged)  # on the head that is now
        if inserted.removed:
            _log.warning(
                "reorganisation: %d blocks left the chain, %d came; the head is %d %s",
                len(inserted.removed),
                len(inserted.added),
                self.head.block.header.height,
                self.head.block_id.hex()[:16],
            )
            self.events.publish(Reorganisation(removed=inserted.removed[::-1], added=inserted.added))
        else:
            for executed in inserted.added:
                self.events.publish(executed)
        if inserted.removed:
            self.admission.reorganised(inserted.removed, inserted.added)
        else:
            for executed in inserted.added:
                self.admission.committed(executed, checks)
        self._prune()

    def _prune(self) -> None:
        """Forget some of the states that are too old: a few heights a block, so that no block waits."""
        if not self._keep_heights:
            return
        first = self.store.state.first_height
        wanted = self.head.block.header.height - self._keep_heights + 1
        if wanted > first:
            try:
                self.store.prune(min(wanted, first + PRUNED_HEIGHTS_A_BLOCK))
            except StorageError as error:
                _log.warning("old states could not be pruned, the next block tries again: %s", error.message)

    def _give_up(self, plan: Plan, executed: Executed) -> None:
        """Forget what was executed."""
        self._executor.finish(plan, executed, Outcome.ABORT)
        self.store.state.discard(executed.version)

    def _execution_id(self, height: Height) -> str:
        self._executions += 1
        return f"{self.genesis.genesis_hash[:4].hex()}/{height}/{self._executions}"
