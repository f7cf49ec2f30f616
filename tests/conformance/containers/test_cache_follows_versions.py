"""A plugin's cache saves reads, and belongs to a version: never to a height, a branch or a lost block."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from containers import order_book_transaction as book
from containers.host import Host, applied
from containers.transports import TRANSPORTS, Connect
from containers.workloads import BLOCK_MS, BOOK, COUNTER, ORDER_BOOK, TRADERS, trader_address
from vessel.container import (
    ContainerTransaction,
    Mode,
    TransactionBatch,
    encode_balance,
    ledger_key,
    namespace_prefix,
)

VALUE = namespace_prefix(1) + b"value/a"


@pytest.fixture(params=TRANSPORTS)
def counter(request: pytest.FixtureRequest, connect: Connect) -> Host:
    """A counter of which `a` has come to 1 in block 1."""
    host = Host(connect(request.param, COUNTER.kind), instance="counter")
    host.build([b"add a 1 first"], time_ms=BLOCK_MS)
    return host


@pytest.fixture
def remote(connect: Connect) -> Host:
    """The same, over gRPC for certain."""
    host = Host(connect("grpc", COUNTER.kind), instance="counter")
    host.build([b"add a 1 first"], time_ms=BLOCK_MS, admit=False)
    return host


def value(host: Host) -> object:
    return host.query("value", name="a")


def test_what_a_block_wrote_is_not_read_again(remote: Host) -> None:
    remote.build([b"add a 1 second"], time_ms=2 * BLOCK_MS, admit=False)
    assert VALUE not in remote.reader.asked
    assert value(remote) == {"value": 2}


def test_blocks_of_others_keep_the_cache(remote: Host) -> None:
    for number in range(2, 5):
        remote.pass_by({ledger_key(trader_address(TRADERS[0])): b"\x01"}, time_ms=number * BLOCK_MS)
    remote.build([b"add a 1 second"], time_ms=9 * BLOCK_MS, admit=False)
    assert VALUE not in remote.reader.asked


def test_what_was_pushed_is_not_asked_for(remote: Host) -> None:
    start = remote._start(remote.blocks[-1].start.mode, time_ms=2 * BLOCK_MS)
    remote.connection.observe(0, 0, {}, took_part=True, written={})
    key = namespace_prefix(1) + b"value/never"
    block = remote.execute(start, [b"add never 1"], pushed=[key])
    assert block.results[0].output == b"1"
    assert key not in remote.reader.asked


def test_a_gap_empties_the_cache(remote: Host) -> None:
    remote.version = next(iter(remote.states))  # a version that the plugin was not told the way to
    start = remote._start(remote.blocks[-1].start.mode, time_ms=2 * BLOCK_MS)
    block = remote.execute(start, [b"add a 1 second"])
    assert block.results[0].output == b"1"
    assert VALUE in remote.reader.asked


def test_a_block_taken_that_the_plugin_never_ended(remote: Host) -> None:
    start = remote._start(Mode.BUILD, time_ms=2 * BLOCK_MS)
    session = remote.connection.open(start, remote.reader)
    session.begin({})
    session.begun()
    transaction = ContainerTransaction(raw=b"add a 10 half")
    session.submit(TransactionBatch(first_index=0, transactions=(transaction,)), {}, {})
    [result] = session.results()
    session.close()
    remote.connection.observe(start.state_version, start.result_version, {}, took_part=True, written={})
    remote.states[start.result_version] = applied(remote.state, result.writes)
    remote.version = start.result_version
    remote.build([b"add a 100 next"], time_ms=3 * BLOCK_MS)
    assert value(remote) == {"value": 111}


def test_another_block_at_the_same_height(counter: Host) -> None:
    counter.build([b"add a 10 left"], time_ms=2 * BLOCK_MS)
    counter.rewind(1)
    counter.build([b"add a 100 right"], time_ms=2 * BLOCK_MS)
    assert value(counter) == {"value": 101}
    counter.build([b"add a 1000 right"], time_ms=3 * BLOCK_MS)
    assert value(counter) == {"value": 1101}


def test_another_block_at_the_same_height_in_which_only_others_wrote(counter: Host) -> None:
    counter.build([b"add a 10 left"], time_ms=2 * BLOCK_MS)
    counter.rewind(1)
    counter.pass_by({VALUE: b"500"}, time_ms=2 * BLOCK_MS)  # as dev controls do
    counter.build([b"add a 1000 right"], time_ms=3 * BLOCK_MS)
    assert value(counter) == {"value": 1500}


def test_a_block_that_came_back_whole_and_was_not_taken(counter: Host) -> None:
    counter.abandon([b"add a 10 lost"], time_ms=2 * BLOCK_MS, after_batches=None)
    counter.build([b"add a 100 kept"], time_ms=2 * BLOCK_MS)
    assert value(counter) == {"value": 101}


def test_a_block_given_up_half_way(counter: Host) -> None:
    raw = [b"add a 10 %d" % number for number in range(6)]
    counter.abandon(raw, time_ms=2 * BLOCK_MS, after_batches=1)
    counter.build([b"add a 100 kept"], time_ms=2 * BLOCK_MS)
    assert value(counter) == {"value": 101}


def test_back_to_a_block_whose_sibling_was_cached(counter: Host) -> None:
    left = counter.build([b"add a 10 left"], time_ms=2 * BLOCK_MS)
    counter.rewind(1)
    counter.build([b"add a 100 right"], time_ms=2 * BLOCK_MS)
    counter.rewind(1)
    again = counter.replay(left)
    assert again.results == left.results
    counter.commit(again)
    counter.build([b"add a 1 top"], time_ms=3 * BLOCK_MS)
    assert value(counter) == {"value": 12}


Tell = Callable[[Host, bytes, int], None]


def _before_begin(host: Host, key: bytes, coins: int) -> None:
    host.build([], time_ms=2 * BLOCK_MS, foreign=[{key: encode_balance(coins)}])


def _between_batches(host: Host, key: bytes, coins: int) -> None:
    host.build([b"junk"], time_ms=2 * BLOCK_MS, foreign=[{}, {key: encode_balance(coins)}])


def _before_end(host: Host, key: bytes, coins: int) -> None:
    host.build([], time_ms=2 * BLOCK_MS, foreign=[{}, {key: encode_balance(coins)}])


def _after_the_end(host: Host, key: bytes, coins: int) -> None:
    host.build([], time_ms=2 * BLOCK_MS, untold={key: encode_balance(coins)})


def _in_a_block_of_their_own(host: Host, key: bytes, coins: int) -> None:
    host.pass_by({key: encode_balance(coins)}, time_ms=2 * BLOCK_MS)


@pytest.mark.parametrize(
    "tell", [_before_begin, _between_batches, _before_end, _after_the_end, _in_a_block_of_their_own]
)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_what_others_write_arrives(connect: Connect, transport: str, tell: Tell) -> None:
    host = Host(
        connect(transport, ORDER_BOOK.kind),
        instance=BOOK,
        parameters=ORDER_BOOK.parameters,
        coins=ORDER_BOOK.coins,
    )
    trader, receiver = TRADERS[0], TRADERS[1]

    def pay(salt: int, now_ms: int, amount: int) -> bytes:
        action = book.Send(to=f"0x{trader_address(receiver).hex()}", amount=amount)
        body = book.Body(expires_at_ms=now_ms + 1, gas_limit=100, salt=salt, action=action)
        return book.sign(trader, body)

    host.build([pay(1, BLOCK_MS, 10)], time_ms=BLOCK_MS)  # the balance is in the cache now
    tell(host, ledger_key(trader_address(trader)), 5_000)
    block = host.build([pay(2, 3 * BLOCK_MS, 4_000), pay(3, 3 * BLOCK_MS, 4_000)], time_ms=3 * BLOCK_MS)
    assert [result.status.name for result in block.results] == ["OK", "INVALID"]


def test_block_ids_of_another_branch_are_forgotten(connect: Connect) -> None:
    def draws(transport: str) -> list[bytes]:
        host = ORDER_BOOK.host(connect(transport, ORDER_BOOK.kind))
        drawn: list[bytes] = []
        times = iter(range(BLOCK_MS, 100 * BLOCK_MS, BLOCK_MS))

        def draw() -> None:
            now_ms = next(times)
            bodies = [
                book.Body(expires_at_ms=now_ms + 1, gas_limit=100, action=book.Draw(symbol="GOLD", back=back))
                for back in range(4)
            ]
            block = host.build([book.sign(TRADERS[0], body) for body in bodies], time_ms=now_ms)
            drawn.extend(result.output for result in block.results)

        for back in (1, 2, 3):
            draw()
            draw()
            host.rewind(back)
            for other in range(back):
                coins = {ledger_key(trader_address(TRADERS[1])): bytes([back, other + 1])}
                host.pass_by(coins, time_ms=next(times))
            draw()
        return drawn

    local, remote = map(draws, TRANSPORTS)
    assert remote == local
    assert len(set(local)) > 20
