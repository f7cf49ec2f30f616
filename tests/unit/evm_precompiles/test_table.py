"""Which precompiled contracts there are in which fork, and what holds for all of them."""

from __future__ import annotations

import random
import threading

import pytest

from vessel_evm.engine.precompiles import FORKS, Precompiles


@pytest.mark.parametrize(
    ("fork", "highest", "count"),
    [
        ("berlin", 0x09, 9),
        ("london", 0x09, 9),
        ("paris", 0x09, 9),
        ("shanghai", 0x09, 9),
        ("cancun", 0x0A, 10),
        ("prague", 0x11, 17),
        ("osaka", 0x100, 18),
    ],
)
def test_each_fork_has_its_addresses(fork: str, highest: int, count: int) -> None:
    addresses = Precompiles(fork).addresses
    assert max(addresses) == highest
    assert len(addresses) == count


def test_an_unknown_fork_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="berlin, london"):
        Precompiles("Prague")


def test_modexp_costs_more_from_osaka_on() -> None:
    data = bytes(31) + b"\x20" + bytes(31) + b"\x01" + bytes(31) + b"\x20"
    assert [Precompiles(fork).gas(5, data) for fork in FORKS] == [200] * 6 + [500]


def test_modexp_of_operands_beyond_1024_bytes_is_refused_from_osaka_on() -> None:
    data = (1_025).to_bytes(32, "big") + bytes(31) + b"\x01" + bytes(31) + b"\x01" + b"\x03" * 1_027
    assert Precompiles("prague").run(5, data) == b"\x00"
    assert Precompiles("osaka").run(5, data) is None


def test_a_price_that_nobody_can_pay_is_capped() -> None:
    data = bytes(32) + b"\xff" * 32 + bytes(31) + b"\x01"
    assert Precompiles("osaka").gas(5, data) == 2**64 - 1


def test_noise_is_answered_or_refused_and_never_raises() -> None:
    contracts = Precompiles("osaka")
    chance = random.Random(7)
    for address in sorted(contracts.addresses):
        for _ in range(40):
            size = chance.choice((0, 1, 32, 64, 96, 128, 160, 192, 213, 256, 288, 384, 512))
            data = chance.randbytes(size)
            if contracts.gas(address, data) > 10**6:
                continue
            output = contracts.run(address, data)
            assert output is None or isinstance(output, bytes)


def test_threads_do_not_disturb_one_another() -> None:
    contracts = Precompiles("osaka")
    points = [(1).to_bytes(32, "big") + (2).to_bytes(32, "big") + k.to_bytes(32, "big") for k in range(1, 9)]
    expected = [contracts.run(7, point) for point in points]
    found: list[list[bytes | None]] = []

    def work() -> None:
        found.append([contracts.run(7, point) for point in points])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
