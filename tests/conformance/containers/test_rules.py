"""What a container may not do is found out on both transports, and in the same words."""

from __future__ import annotations

import msgspec
import pytest

from containers.host import Host
from containers.misbehaving import VICTIM
from containers.transports import TRANSPORTS, Connect
from containers.workloads import BLOCK_MS
from vessel.errors import ConfigurationError, ContainerMisbehaved, ContainerUnavailable
from vessel.primitives.address import reserved_address

MISBEHAVING = "containers.misbehaving:MisbehavingContainer"
COINS = {VICTIM: 500, reserved_address("toy", b"misbehav"): 100}
RAW = [b"add a 1", b"add a 2"]


def host_of(connect: Connect, transport: str, **parameters: object) -> Host:
    return Host(
        connect(transport, MISBEHAVING),
        instance="toy",
        parameters=msgspec.json.encode(parameters),
        coins=COINS,
    )


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("foreign_namespace", "outside of its namespace"),
        ("foreign_ledger", "not its own address"),
        ("make_coin", "changed the ledger by 1000 while it burned 0"),
        ("burn_too_little", "changed the ledger by -100 while it burned 99"),
        ("overspend", "used 20001 gas where 20000 was available"),
        ("long_key", "a key of 514 bytes"),
        ("long_value", "a value of 4194305 bytes"),
    ],
)
def test_broken_by_a_transaction(connect: Connect, transport: str, fault: str, message: str) -> None:
    host = host_of(connect, transport, fault=fault, at="batch")
    before = dict(host.state)
    with pytest.raises(ContainerMisbehaved, match=message):
        host.build(RAW, time_ms=BLOCK_MS)
    assert host.state == before


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("fault", ["foreign_namespace", "make_coin"])
def test_broken_at_the_end_of_a_block(connect: Connect, transport: str, fault: str) -> None:
    with pytest.raises(ContainerMisbehaved):
        host_of(connect, transport, fault=fault, at="end")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("at", ["begin", "batch", "end", "validate", "view"])
def test_an_exception_is_a_lost_container(connect: Connect, transport: str, at: str) -> None:
    def everything() -> None:
        host = host_of(connect, transport, fault="raise", at=at)
        host.build(RAW, time_ms=BLOCK_MS)
        host.query("value", name="a")

    with pytest.raises(ContainerUnavailable, match=f"RuntimeError: raised on purpose at {at}"):
        everything()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_parameters_that_do_not_fit_are_the_configurations_fault(connect: Connect, transport: str) -> None:
    connection = connect(transport, "containers.order_book:OrderBookContainer")
    with pytest.raises(ConfigurationError, match=r"\[containers\.book\] .*assetz"):
        Host(connection, instance="book", parameters=b'{"assetz": {}}')
