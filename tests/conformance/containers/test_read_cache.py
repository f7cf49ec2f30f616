"""What a plugin keeps for questions belongs to a version too: other heights, branches, times."""

from __future__ import annotations

import msgspec
import pytest

from containers.host import Host, Reader
from containers.transports import TRANSPORTS, Connect
from containers.workloads import BLOCK_MS, COUNTER
from vessel.container import Query, ViewRequest, namespace_prefix
from vessel.primitives.units import Height

VALUE = namespace_prefix(1) + b"value/a"


@pytest.fixture(params=TRANSPORTS)
def counter(request: pytest.FixtureRequest, connect: Connect) -> Host:
    """A counter of which `a` has come to 1 in block 1, and has been asked for."""
    host = Host(connect(request.param, COUNTER.kind), instance="counter")
    host.build([b"add a 1 first"], time_ms=BLOCK_MS, admit=False)
    assert value(host) == 1
    return host


@pytest.fixture
def remote(connect: Connect) -> Host:
    """The same, over gRPC for certain."""
    host = Host(connect("grpc", COUNTER.kind), instance="counter")
    host.build([b"add a 1 first"], time_ms=BLOCK_MS, admit=False)
    assert value(host) == 1
    return host


def asked(host: Host, version: int | None = None) -> tuple[int, list[bytes]]:
    """Return a value at a version, the head's by default, and what the host was asked for."""
    version = host.version if version is None else version
    reader = Reader(version, host.states[version])
    start = host.view_start()
    request = ViewRequest(
        start=msgspec.structs.replace(start, state_version=version),
        query=Query(method="value", parameters=b'{"name": "a"}'),
    )
    result = host.connection.view(request, reader)
    return int(result.json.partition(b":")[2].strip(b" }")), reader.asked


def value(host: Host) -> int:
    return asked(host)[0]


def test_what_is_known_is_not_asked_for_again(remote: Host) -> None:
    assert asked(remote) == (1, [])


def test_a_blocks_own_writes_move_it(remote: Host) -> None:
    remote.build([b"add a 2 second"], time_ms=2 * BLOCK_MS, admit=False)
    remote.build([b"add b 2 third"], time_ms=3 * BLOCK_MS, admit=False)
    assert asked(remote) == (3, [])


def test_what_others_wrote_moves_it(remote: Host) -> None:
    remote.pass_by({VALUE: b"500"}, time_ms=2 * BLOCK_MS)
    assert asked(remote) == (500, [])


def test_the_past_is_never_told_from_it(counter: Host) -> None:
    versions = {1: counter.version}
    for total in (2, 3):
        counter.build([b"add a 1 n%d" % total], time_ms=total * BLOCK_MS)
        versions[total] = counter.version
    assert value(counter) == 3
    assert {total: asked(counter, version)[0] for total, version in versions.items()} == {1: 1, 2: 2, 3: 3}
    assert value(counter) == 3


def test_another_block_at_the_same_height_that_was_asked_for(counter: Host) -> None:
    counter.build([b"add a 10 left"], time_ms=2 * BLOCK_MS)
    left = counter.version
    assert value(counter) == 11
    counter.rewind(1)
    assert value(counter) == 1
    counter.build([b"add a 100 right"], time_ms=2 * BLOCK_MS)
    assert value(counter) == 101
    assert asked(counter, left)[0] == 11
    counter.build([b"add a 1000 right"], time_ms=3 * BLOCK_MS)
    assert value(counter) == 1101


def test_a_lost_delta_empties_it(remote: Host) -> None:
    remote.build([b"add a 2 second"], time_ms=2 * BLOCK_MS, admit=False)
    delta = remote.connection._delta  # type: ignore[attr-defined]
    assert delta.to(remote.version)[0]  # taken, and never sent
    remote.build([b"add a 3 third"], time_ms=3 * BLOCK_MS, admit=False)
    assert asked(remote) == (6, [VALUE])
    assert asked(remote) == (6, [])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_question_sees_the_ring_of_ids_without_being_sent_it(connect: Connect, transport: str) -> None:
    host = Host(connect(transport, "containers.misbehaving:MisbehavingContainer"), instance="toy")
    host.ids = [b"%032d" % number for number in range(700)]  # newest first
    start = msgspec.structs.replace(host.view_start(), height=Height(len(host.ids)))
    query = Query(method="ids", parameters=b"[0, 1, 255, 256, 599, -1]")
    result = host.view(ViewRequest(start=start, query=query))
    assert msgspec.json.decode(result.json) == [
        600,
        [host.ids[index].hex() for index in (0, 1, 255, 256, 599, 599)],
    ]
