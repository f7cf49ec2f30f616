"""Making blocks, replaying them elsewhere, and refusing those that break a rule."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from containers.order_book_transaction import Send
from unit.chain.conftest import GENESIS_MS, Clock, ToyChain, address, order, produce
from vessel.container.manifest import MAX_RECENT_IDS
from vessel.database.namespace import decode_balance, ledger_key
from vessel.errors import InvalidBlock
from vessel.primitives.block import Block, ExecutedBlock, Seal, transactions_root
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.section import Section
from vessel.primitives.transaction import MAX_TRANSACTION_SIZE_BYTES, Transaction
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH, Coin, Gas, Hash32, Height


def balance(toy: ToyChain, container: str, name: str) -> int:
    """Return a trader's coin at the head."""
    state = toy.chain.store.state
    (value,) = state.reader(state.head_version).multi_get([ledger_key(address(container, name))])
    return decode_balance(value)


def send(source: str, name: str, amount: int, *, clock: Clock, salt: int = 0) -> bytes:
    """Return a transaction that sends coin to a trader of either book."""
    book, _, whom = name.partition("/")
    action = Send(to="0x" + address(book, whom).hex(), amount=amount)
    return order(source, action, clock=clock, salt=salt)


def mixed_block(toy: ToyChain, clock: Clock) -> ExecutedBlock:
    """Make a block in which coin passes through three containers' hands."""
    number = toy.chain.head.block.header.height
    toy.submit("counter", b"add x 5 %d" % number)
    toy.submit("east", send("ann", "west/cat", 5000, clock=clock, salt=number))
    if number:  # cat can pay once she has something
        toy.submit("west", send("cat", "east/dan", 70, clock=clock, salt=number))
        toy.submit("counter", b"add y 6 %d" % number)
        toy.submit("east", send("ann", "west/bob", 7, clock=clock, salt=1000 + number))
    return toy.mine()


def test_a_genesis_block_ties_the_chain_to_its_file(toy: ToyChain) -> None:
    genesis = toy.chain.head
    header = genesis.block.header
    assert (header.height, header.time_ms, header.parent_id) == (0, GENESIS_MS, ZERO_HASH)
    assert toy.genesis.genesis_hash == header.consensus
    assert [name for name, _ in header.sections] == ["counter", "east", "west"]
    assert 1_000_000 == balance(toy, "east", "ann") == balance(toy, "west", "bob")


def test_the_same_genesis_gives_the_same_block(toys: Callable[[], ToyChain]) -> None:
    assert toys().chain.head == toys().chain.head


def test_a_block_follows_its_parent(toy: ToyChain, clock: Clock) -> None:
    parent, made = toy.chain.head, toy.mine()
    header = made.block.header
    assert (1, parent.block_id, clock.now_ms) == (header.height, header.parent_id, header.time_ms)
    assert parent.block.seal.result == header.parent_result
    assert made == toy.chain.head == toy.chain.store.block(1)
    assert made.block_id == header.block_id(toy.genesis.hasher)
    assert toy.chain.store.state.head_root == made.block.seal.result.state_root
    sections = dict(header.sections)
    assert (sections["counter"].idle, sections["east"].idle) == (True, False)


def test_nothing_waits_and_nothing_is_made(toy: ToyChain) -> None:
    assert produce(toy.chain) is None
    assert toy.chain.head.block.header.height == 0


def test_coin_passes_between_containers_within_one_block(toy: ToyChain, clock: Clock) -> None:
    mixed_block(toy, clock)
    made = mixed_block(toy, clock)
    assert {"counter", "east", "west"} == {receipt.container for receipt in made.receipts}
    assert len(made.receipts) == 5
    assert balance(toy, "east", "dan") == 70
    west = {receipt.status.name for receipt in made.receipts}
    assert {"OK"} == west


def test_another_chain_replays_blocks_to_the_same_ids_and_roots(
    toys: Callable[[], ToyChain], clock: Clock
) -> None:
    one, other = toys(), toys()
    for number in range(4):
        clock.now_ms += 1000
        made = one.mine() if number == 2 else mixed_block(one, clock)
        assert made == other.chain.import_block(made.block)
    assert one.chain.store.state.head_root == other.chain.store.state.head_root
    assert [one.chain.store.block(h) for h in range(5)] == [other.chain.store.block(h) for h in range(5)]
    assert one.mine() == other.mine()


# ---- bad blocks

Change = Callable[[Block], Block]


def with_header(**fields: Any) -> Change:
    """Change fields of the header."""
    return lambda block: msgspec.structs.replace(
        block, header=msgspec.structs.replace(block.header, **fields)
    )


def with_section(name: str, **fields: Any) -> Change:
    """Change fields of a section."""

    def change(block: Block) -> Block:
        sections = tuple(
            (n, msgspec.structs.replace(s, **fields) if n == name else s) for n, s in block.header.sections
        )
        return with_header(sections=sections)(block)

    return change


def with_transactions(change: Callable[[tuple[Transaction, ...]], tuple[Transaction, ...]]) -> Change:
    """Change the transactions, with a root that fits."""

    def apply(block: Block) -> Block:
        transactions = change(block.transactions)
        from vessel.primitives.hashing import SHA256

        header = msgspec.structs.replace(
            block.header, transactions_root=transactions_root(SHA256, transactions)
        )
        return msgspec.structs.replace(block, header=header, transactions=transactions)

    return apply


def with_seal(**fields: Any) -> Change:
    """Change fields of the sealed result."""
    return lambda block: msgspec.structs.replace(
        block, seal=Seal(result=msgspec.structs.replace(block.seal.result, **fields))
    )


OTHER = Hash32(b"x" * 32)
ALIEN = Transaction(container="alien", raw=b"x")


@pytest.mark.parametrize(
    ("change", "reason", "message"),
    [
        (with_header(version=2), "HEADER_VERSION", "header of version 2"),
        (with_header(mainchain_link=b"x"), "MAINCHAIN_LINK", "no sidechain"),
        (with_header(parent_id=OTHER), "UNKNOWN_PARENT", "is not known; the head is 1"),
        (with_header(height=Height(3)), "", "says height 3; its parent has height 1"),
        (with_header(height=Height(1)), "", "says height 1; its parent has height 1"),
        (with_header(time_ms=GENESIS_MS), "", "time must rise"),
        (with_header(proposer=b"p" * 20), "", "is proposed by"),
        (with_header(randomness=OTHER), "", "randomness that does not follow"),
        (with_header(consensus=b"x"), "", "randomness that does not follow"),
        (with_header(transactions_root=OTHER), "TRANSACTIONS_ROOT", "root that is not that of its"),
        (with_header(parent_result=BlockResult()), "PARENT_RESULT", "states the result"),
        (with_header(sections=()), "SECTIONS", r"has sections \[\]"),
        (
            lambda b: with_header(sections=b.header.sections[::-1])(b),
            "SECTIONS",
            r"has sections \['west', 'east', 'counter'\]",
        ),
        (
            lambda b: with_header(sections=(*b.header.sections, b.header.sections[-1]))(b),
            "SECTIONS",
            "has sections",
        ),
        (with_section("counter", gas_used=Gas(9)), "SECTIONS", "executing it gives"),
        (with_section("counter", idle=True), "SECTIONS", "executing it gives"),
        (with_section("counter", extra=b"x"), "SECTIONS", "executing it gives"),
        (with_section("east", base_fee=Coin(99)), "SECTIONS", "executing it gives"),
        (with_section("west", gas_limit=Gas(1)), "SECTIONS", "executing it gives"),
        (with_section("west", idle=True), "SECTIONS", "executing it gives"),
        (with_transactions(lambda t: ()), "SECTIONS", "executing it gives"),
        (with_transactions(lambda t: (*t, t[0])), "", "cannot be in it"),
        (with_transactions(lambda t: (*t, ALIEN)), "UNKNOWN_CONTAINER", "'alien', which this chain does not"),
        (
            with_transactions(lambda t: (*t, Transaction(container="counter", raw=b""))),
            "SIZE",
            "a transaction of 0 bytes",
        ),
        (
            with_transactions(
                lambda t: (*t, Transaction(container="counter", raw=bytes(MAX_TRANSACTION_SIZE_BYTES + 1)))
            ),
            "SIZE",
            "expected 1 to",
        ),
        (
            with_transactions(lambda t: (*t, Transaction(container="counter", raw=b"nonsense"))),
            "MALFORMED",
            "cannot be in it: MALFORMED",
        ),
        (lambda b: msgspec.structs.replace(b, transactions=()), "TRANSACTIONS_ROOT", "not that of its"),
        (with_seal(state_root=OTHER), "", "states the state root 0x7878"),
        (with_seal(receipts_root=OTHER), "", "the receipts root 0x7878"),
        (with_seal(gas_used=Gas(1)), "", "states the state root"),
        (lambda b: msgspec.structs.replace(b, seal=Seal()), "", "states the state root 0x0000"),
        (
            lambda b: msgspec.structs.replace(b, seal=Seal(result=b.seal.result, signature=b"s")),
            "SEAL",
            "a signature of 1 bytes",
        ),
    ],
)
def test_a_tampered_block_is_refused_with_its_reason_and_nothing_is_left_of_it(
    toys: Callable[[], ToyChain], clock: Clock, change: Change, reason: str, message: str
) -> None:
    one, other = toys(), toys()
    other.chain.import_block(mixed_block(one, clock).block)
    clock.now_ms += 1000
    good = mixed_block(one, clock)
    before = other.chain.head
    with pytest.raises(InvalidBlock, match=message) as caught:
        other.chain.import_block(change(good.block))
    if reason:
        assert reason == caught.value.reason
    assert before == other.chain.head
    assert good == other.chain.import_block(good.block)


def test_a_block_that_is_known_changes_nothing(toys: Callable[[], ToyChain]) -> None:
    one, other = toys(), toys()
    genesis = one.chain.head
    first, second = one.mine(), one.mine()
    other.chain.import_block(first.block)
    other.chain.import_block(second.block)
    for again in (genesis, first, second):
        assert other.chain.import_block(again.block) == again
    assert other.chain.head == second


def test_a_block_on_an_older_block_is_refused_where_the_chain_is_final(
    toys: Callable[[], ToyChain], clock: Clock
) -> None:
    one, other = toys(), toys()
    one.mine()
    clock.now_ms += 5000
    rival = other.mine()
    with pytest.raises(InvalidBlock, match="up to block 1 the chain is final") as caught:
        one.chain.import_block(rival.block)
    assert caught.value.reason == "BELOW_FINALITY"


# ---- around the blocks


def test_listeners_hear_of_every_block_made_or_imported(toys: Callable[[], ToyChain]) -> None:
    one, other = toys(), toys()
    heard: list[ExecutedBlock] = []
    end = other.chain.events.subscribe(heard.append)
    first = one.mine()
    other.chain.import_block(first.block)
    second = other.mine()
    assert [first, second] == heard
    end()
    end()
    other.mine()
    assert len(heard) == 2


def test_a_listener_that_fails_is_taken_off_and_nobody_else_notices(
    toy: ToyChain, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    def fails(executed: ExecutedBlock) -> None:
        heard.append(-1)
        raise RuntimeError("no")

    toy.chain.events.subscribe(fails)
    toy.chain.events.subscribe(lambda executed: heard.append(executed.block.header.height))
    with caplog.at_level(logging.CRITICAL):
        toy.mine()
        toy.mine()
    assert heard == [-1, 1, 2]


def test_recent_ids_reach_back_from_any_block(toy: ToyChain) -> None:
    ids = [toy.chain.head.block_id] + [toy.mine().block_id for _ in range(6)]
    tree = toy.chain.tree
    assert ids[::-1] == list(tree.recent_ids(100))
    assert ids[:-3:-1] == list(tree.recent_ids(2))
    for height in range(7):
        expected = ids[: height + 1][::-1]
        for limit in (0, 1, 3, 100):
            assert expected[:limit] == list(tree.recent_ids_from(height, limit)), (height, limit)


def test_recent_ids_are_right_while_a_block_is_being_inserted(toy: ToyChain) -> None:
    """A reader may see the new head before the window of ids has it."""
    ids = [toy.chain.head.block_id] + [toy.mine().block_id for _ in range(3)]
    tree, seen = toy.chain.tree, []
    append = toy.chain.store.append

    def observed(executed: ExecutedBlock, version: int, score: int) -> None:
        append(executed, version, score)
        seen.extend([list(tree.recent_ids_from(height, 2)) for height in (2, 3, 4)])

    toy.chain.store.append = observed  # type: ignore[method-assign]
    ids.append(toy.mine().block_id)
    assert [ids[2:0:-1], ids[3:1:-1], ids[4:2:-1]] == seen


def test_the_window_of_ids_is_cut_and_stays_right(toy: ToyChain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vessel.blocktree.tree.MAX_RECENT_IDS", 3)
    assert MAX_RECENT_IDS > 3
    ids = [toy.chain.head.block_id]
    window = toy.chain.tree.recent_ids(3)
    for _ in range(12):
        ids.append(toy.mine().block_id)
        height = len(ids) - 1
        for back in range(min(3, height)):
            expected = ids[max(0, height - back - 1) : height - back + 1][::-1]
            assert expected == list(toy.chain.tree.recent_ids_from(height - back, 2))[: len(expected)]
        assert ids[:-4:-1] == list(toy.chain.tree.recent_ids(3))
    assert ids[:1] == list(window)


def test_a_section_says_what_its_container_said(toy: ToyChain, clock: Clock) -> None:
    made = mixed_block(toy, clock)
    sections = dict(made.block.header.sections)
    assert Section(gas_limit=Gas(100_000), gas_used=Gas(1)) == sections["counter"]
    assert sum(section.gas_used for section in sections.values()) == made.block.seal.result.gas_used
    assert made.block.header.proposer == ZERO_ADDRESS
    assert isinstance(made.block.header, Header)
