"""Whatever happens to a container, both transports come to the same digests and roots."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from containers.host import Host, root
from containers.transports import TRANSPORTS, Connect
from containers.workloads import BLOCK_MS, WORKLOADS, Workload
from vessel.container import TransactionResult


def new_host(connect: Connect, transport: str, workload: Workload) -> Host:
    return workload.host(connect(transport, workload.kind))


def history(host: Host, workload: Workload, seed: int, steps: int) -> list[str]:
    """Do random things, and write down everything that came back."""
    random = Random(seed)
    told: list[str] = []
    for _ in range(steps):
        time_ms = host.blocks[-1].start.time_ms + BLOCK_MS
        raw = workload.transactions(host, random, time_ms)
        if raw and random.random() < 0.5:
            raw += random.choices(raw, k=2)  # the same bytes again
        foreign = [
            workload.foreign(random) if random.random() < 0.4 else {} for _ in range(random.randrange(4))
        ]
        untold = workload.foreign(random) if random.random() < 0.3 else None
        match random.randrange(8):
            case 0:
                host.pass_by(workload.foreign(random), time_ms=time_ms)
            case 1:
                after = random.choice((1, 2, None))
                told += host.abandon(raw, time_ms=time_ms, after_batches=after).digests
            case 2 if host.height > 3:
                host.rewind(random.randrange(1, 3))
            case _:
                block = host.build(
                    raw,
                    time_ms=time_ms,
                    admit=random.random() < 0.7,
                    batch_size=random.randrange(1, 6),
                    foreign=foreign,
                    untold=untold,
                )
                told += block.digests
        told += [root(host.state), host.ids[0].hex(), repr(host.section)]
        told += [repr(host.query(method, **parameters)) for method, parameters in workload.queries]
    return told


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", WORKLOADS)
def test_random_histories(connect: Connect, name: str, seed: int) -> None:
    workload = WORKLOADS[name]
    local, remote = (
        history(new_host(connect, transport, workload), workload, seed, steps=25) for transport in TRANSPORTS
    )
    assert remote == local


def without_index(results: list[TransactionResult]) -> list[TransactionResult]:
    return [msgspec.structs.replace(r, index=0) for r in results if r.included]


@pytest.mark.slow
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", WORKLOADS)
def test_a_replay_gives_what_the_build_gave(connect: Connect, name: str, transport: str) -> None:
    workload, random = WORKLOADS[name], Random(99)
    host = new_host(connect, transport, workload)
    replayer = new_host(connect, "local", workload)
    included = 0
    for _ in range(15):
        time_ms = host.blocks[-1].start.time_ms + BLOCK_MS
        raw = workload.transactions(host, random, time_ms)
        foreign = [workload.foreign(random)]  # before begin: a replay is cut into other batches
        block = host.build(raw, time_ms=time_ms, foreign=foreign)
        replayer.states[block.start.state_version] = host.states[block.start.state_version]
        again = replayer.replay(block)
        assert without_index(again.results) == without_index(block.results)
        assert (again.writes, again.section, again.burned) == (block.writes, block.section, block.burned)
        included += len(block.raw)
    assert included > 30


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", WORKLOADS)
def test_the_same_execution_twice_gives_the_same(connect: Connect, name: str, transport: str) -> None:
    workload, random = WORKLOADS[name], Random(3)
    host = new_host(connect, transport, workload)
    raw = workload.transactions(host, random, BLOCK_MS)
    first = host.abandon(raw, time_ms=BLOCK_MS, after_batches=None)
    second = host.abandon(raw, time_ms=BLOCK_MS, after_batches=None)
    host.abandon(raw, time_ms=BLOCK_MS, after_batches=2)
    third = host.abandon(raw, time_ms=BLOCK_MS, after_batches=None)
    assert first.digests == second.digests == third.digests
