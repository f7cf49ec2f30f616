# SPDX-License-Identifier: Apache-2.0
"""The counter counts, says who did it, and does not overflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.contracts.conftest import Chain

MAX = 2**256 - 1


def test_counts_and_logs(chain: Chain) -> None:
    counter = chain.deploy("counter/Counter")
    assert counter.read("number") == 0
    assert counter.read("increment") == 1
    outcome = counter.send("add", 41, sender=chain.bob)
    assert counter.returned("add", outcome, 1) == 42
    assert counter.read("number") == 42
    assert counter.events(outcome) == [("Raised", {"by": chain.bob, "number": 42})]


def test_overflow_panics_and_keeps_the_number(chain: Chain) -> None:
    counter = chain.deploy("counter/Counter")
    assert counter.send("add", MAX).success
    outcome = counter.send("increment")
    assert not outcome.success
    assert outcome.output == chain.panic(0x11)
    assert outcome.logs == ()
    assert counter.read("number") == MAX


def test_takes_no_coin_and_no_unknown_call(chain: Chain) -> None:
    counter = chain.deploy("counter/Counter")
    for outcome in (counter.send("increment", value=1), chain.send(counter.address, b"\x01\x02\x03\x04")):
        assert not outcome.success
        assert outcome.output == b""
    assert chain.balance(counter.address) == 0


def test_two_counters_count_apart(chain: Chain) -> None:
    one, two = chain.deploy("counter/Counter"), chain.deploy("counter/Counter")
    assert one.address != two.address
    one.send("increment")
    assert (one.read("number"), two.read("number")) == (1, 0)
