"""The random histories go where something can go wrong; otherwise they would prove nothing."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from containers.transports import Connect
from containers.workloads import BLOCK_MS, WORKLOADS

EXPECTED = {
    "counter": {"OK", "MALFORMED", "DUPLICATE"},
    "order_book": {
        *("OK", "REVERTED", "OUT_OF_GAS", "TRAP", "INVALID", "DENIED"),
        *("WRONG_PROOF", "EXPIRED", "EXPIRES_TOO_LATE", "DUPLICATE", "INSUFFICIENT_FUNDS", "BLOCK_FULL"),
        *("log filled", "log expired", "log summary", "burned"),
    },
    "evm": {"OK", "REVERTED", "OUT_OF_GAS"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKLOADS)
def test_everything_happens(connect: Connect, name: str) -> None:
    workload, random = WORKLOADS[name], Random(5)
    host = workload.host(connect("local", workload.kind))
    seen: Counter[str] = Counter()
    for number in range(1, 40):
        raw = workload.transactions(host, random, number * BLOCK_MS)
        raw += random.choices(raw, k=2) if raw else []
        foreign = [workload.foreign(random)] if number % 5 == 0 else []
        block = host.build(raw, time_ms=number * BLOCK_MS, foreign=foreign)
        for result in block.results:
            seen[result.status.name if result.included else result.reason] += 1
            seen.update(f"log {log.topics[0].decode(errors='replace')}" for log in result.logs if log.topics)
        seen.update(f"log {log.topics[0].decode()}" for log in block.hook_logs)
        seen["burned"] += bool(block.burned)
    assert not {what for what in EXPECTED[name] if not seen[what]}, seen
