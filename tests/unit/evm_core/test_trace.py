"""Tracing: the same outcome as without, and all that happened on the way."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from unit.evm_core.stage import (
    OTHER,
    SENDER,
    SURROUNDINGS,
    TARGET,
    Reader,
    account,
    configuration,
    core,
    funded,
    message,
    open_block,
    same,
)
from unit.evm_core.test_against_reference import PROGRAMS
from vessel.container import BlockState, Status
from vessel_evm.engine.core_trace import CoreTracer, Trace

TRACER = CoreTracer(configuration())


def trace(entries: Any, **more: Any) -> Trace:
    options = {name: more.pop(name) for name in ("with_steps", "with_memory") if name in more}
    return TRACER.trace(SURROUNDINGS, BlockState(Reader(entries), 1), message(**more), **options)


def test_instructions_with_stack_gas_and_cost() -> None:
    found = trace(funded(account(TARGET, code=bytes.fromhex("600160020160005500"))))
    assert [(step.pc, step.opcode, step.stack) for step in found.steps] == [
        (0, 0x60, ()),
        (2, 0x60, (1,)),
        (4, 0x01, (1, 2)),
        (5, 0x60, (3,)),
        (7, 0x55, (3, 0)),
        (8, 0x00, ()),
    ]
    assert [step.cost for step in found.steps] == [3, 3, 3, 3, 22_100, 0]
    assert found.steps[0].gas == 1_000_000 - 21_000
    assert sum(step.cost for step in found.steps) == found.result.gas_used - 21_000


def test_memory_where_it_is_asked_for() -> None:
    found = trace(funded(account(TARGET, code=bytes.fromhex("602a5f5200"))), with_memory=True)
    assert found.steps[-1].memory == (42).to_bytes(32, "big")
    assert found.steps[0].memory == b""


def test_a_tree_of_calls() -> None:
    inner = bytes.fromhex("60aa5f5260205ff3")
    failing = bytes.fromhex("60bb5f5260205ffd")
    code = (
        "5f5f60205f6001" + "73" + OTHER.hex() + "5af1"  # one wei and 32 bytes
        "5f5f5f5f" + "73" + (b"\x09" * 20).hex() + "61ffff" + "fa"  # reverts
        "60205f60205f6002" + "61ffff" + "fa"  # SHA256
        "00"
    )
    entries = funded(
        account(TARGET, code=bytes.fromhex(code), balance=5),
        account(OTHER, code=inner),
        account(b"\x09" * 20, code=failing),  # type: ignore[arg-type]
    )
    found = trace(entries)
    root = found.call
    assert (root.kind, root.sender, root.to, root.error) == ("CALL", SENDER, TARGET, "")
    paid, reverted, digest = root.calls
    assert (paid.kind, paid.to, paid.value, paid.input, paid.error) == ("CALL", OTHER, 1, bytes(32), "")
    assert paid.output == (0xAA).to_bytes(32, "big")
    assert paid.gas_used == 3 + 2 + 3 + 3 + 3 + 2
    assert (reverted.kind, reverted.error) == ("STATICCALL", "reverted")
    assert reverted.output == (0xBB).to_bytes(32, "big")
    assert (digest.to, digest.input, len(digest.output)) == (bytes(19) + b"\x02", bytes(32), 32)
    assert found.after[OTHER].balance == 1
    assert found.before[TARGET].balance == 5


def test_a_creation_and_what_it_leaves() -> None:
    init_code = bytes.fromhex("60fe5f5360015ff3")
    found = trace(funded(), to=b"", data=init_code)
    assert found.result.created is not None
    assert (found.call.kind, found.call.to, found.call.input) == ("CREATE", found.result.created, init_code)
    assert found.after[found.result.created].code == b"\xfe"
    assert found.executed == {init_code: frozenset({0, 2, 3, 4, 6, 7})}


def test_state_before_and_after() -> None:
    found = trace(funded(account(TARGET, code=bytes.fromhex("5f5460010160015500"), storage={0: 41})))
    assert found.before[TARGET].storage == {0: 41, 1: 0}
    assert found.after[TARGET].storage == {1: 42}
    assert found.before[SENDER].nonce == 0
    assert found.after[SENDER].nonce == 1


def test_a_transfer_has_no_instructions() -> None:
    found = trace(funded(), to=OTHER, value=3)
    assert found.steps == ()
    assert found.call.calls == []
    assert found.result.status is Status.OK


@settings(max_examples=60, deadline=None)
@given(PROGRAMS, PROGRAMS)
def test_random_programs_do_the_same_with_tracing(first: bytes, second: bytes) -> None:
    entries = funded(account(TARGET, code=first, balance=9, storage={0: 1}), account(OTHER, code=second))
    found = trace(entries, gas=60_000)
    same(found.result, open_block(core(), entries)[0].run(message(gas=60_000)))
