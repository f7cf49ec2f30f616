"""Frames over 1 MiB, thousands of reads, and batches ahead of their answers."""

from __future__ import annotations

import msgspec
import pytest

from containers.host import Host
from containers.transports import TRANSPORTS, Connect
from containers.workloads import BLOCK_MS, COUNTER
from vessel.container import BlockStart, Mode, TransactionBatch
from vessel.container.messages import ContainerTransaction
from vessel.primitives.units import Gas, Height

MISBEHAVING = "containers.misbehaving:MisbehavingContainer"
RAW = [b"add a %d" % number for number in range(1, 9)]


def host_of(connect: Connect, transport: str, **parameters: object) -> Host:
    given = msgspec.json.encode(parameters)
    return Host(connect(transport, MISBEHAVING), instance="toy", parameters=given)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["giant", "many_reads"])
def test_large_answers_and_large_questions_are_cut_and_joined(connect: Connect, fault: str) -> None:
    blocks = [host_of(connect, t, fault=fault).build(RAW, time_ms=BLOCK_MS) for t in TRANSPORTS]
    assert blocks[0].digests == blocks[1].digests
    if fault == "giant":
        assert blocks[1].results[0].output == b"\xa5" * (2 << 20)


@pytest.mark.slow
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_large_deltas_batches_and_pushes(connect: Connect, transport: str) -> None:
    host = Host(connect(transport, COUNTER.kind), instance="counter", gas_limit=Gas(50_000))
    foreign = {b"\0\1large/%06d" % n: b"v" * 100 for n in range(15_000)}
    raw = [b"add a 1 %s" % (b"n" * 700 + b"%d" % n) for n in range(2_000)]
    block = host.build(raw, time_ms=BLOCK_MS, batch_size=2_000, foreign=[foreign, {}], untold=foreign)
    assert len(block.raw) == len(raw)
    host.build([b"add a 1 last"], time_ms=2 * BLOCK_MS)
    assert host.query("value", name="a") == {"value": 2_001}


def start_of(host: Host) -> BlockStart:
    return BlockStart(
        mode=Mode.BUILD,
        height=Height(1),
        time_ms=BLOCK_MS,
        state_version=host.version,
        result_version=1_000_000,
        execution_id="by hand",
        gas_limit=Gas(5),
    )


def batch_of(index: int, *raw: bytes, gas: int | None = None) -> TransactionBatch:
    return TransactionBatch(
        first_index=index,
        transactions=tuple(ContainerTransaction(raw=r) for r in raw),
        gas_available=None if gas is None else Gas(gas),
    )


def test_credit_is_spent_by_batches_and_given_back_by_results(connect: Connect) -> None:
    host = Host(connect("grpc", COUNTER.kind), instance="counter")
    session = host.connection.open(start_of(host), host.reader)
    session.begin({})
    session.begun()
    credit = session.credit
    assert credit > 1
    for number in range(credit):  # all reads of the first come while the last are on their way
        session.submit(batch_of(number, RAW[number]), {}, {})
    assert session.credit == 0
    for number in range(credit):
        [result] = session.results()
        assert result.index == number
        assert session.credit == number + 1
    session.end({})
    session.ended()
    session.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_is_executed_behind_what_does_not_fit(connect: Connect, transport: str) -> None:
    host = Host(connect(transport, COUNTER.kind), instance="counter")
    session = host.connection.open(start_of(host), host.reader)
    session.begin({})
    session.begun()
    answers = []
    session.submit(batch_of(0, *RAW[:3], gas=2), {}, {})
    if session.credit:
        session.submit(batch_of(3, RAW[3], gas=2), {}, {})
        answers.append(session.results())
    else:
        answers.append(session.results())
        session.submit(batch_of(3, RAW[3], gas=2), {}, {})
    answers.append(session.results())
    assert [[r.included for r in answer] for answer in answers] == [[True, True, False], []]
    assert not answers[0][2].fits
    session.end({})
    assert session.ended().section.gas_used == 2
    session.close()
    session.close()
