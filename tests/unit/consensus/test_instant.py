"""Instant consensus: when a block may be written, what makes one valid."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from vessel.consensus.instant import Instant, InstantParameters
from vessel.consensus.interface import Consensus
from vessel.consensus.registry import make_consensus
from vessel.errors import GenesisError, InvalidBlock
from vessel.primitives.block import Block, Seal
from vessel.primitives.hashing import SHA256
from vessel.primitives.header import BlockResult, Header
from vessel.primitives.units import ZERO_ADDRESS, ZERO_HASH, Address, Gas, Hash32, Height

PROPOSER = Address(b"p" * 20)
PARENT_ID = Hash32(b"i" * 32)
PARENT = Header(height=Height(4), parent_id=ZERO_HASH, time_ms=1000, transactions_root=ZERO_HASH)
RESULT = BlockResult(state_root=Hash32(b"s" * 32), receipts_root=Hash32(b"r" * 32), gas_used=Gas(5))


def instant(**parameters: Any) -> Consensus:
    """Return an engine."""
    return Instant(InstantParameters(proposer=PROPOSER, **parameters), SHA256)


def prepared(consensus: Consensus, *, now_ms: int = 2000) -> Header:
    """Return a header on PARENT that fits."""
    turn = consensus.turn_by_hand(PARENT, now_ms=now_ms)
    assert turn is not None
    preparation = consensus.prepare(PARENT, PARENT_ID, turn, now_ms=now_ms)
    return Header(
        height=Height(5),
        parent_id=PARENT_ID,
        transactions_root=ZERO_HASH,
        time_ms=preparation.time_ms,
        proposer=preparation.proposer,
        randomness=preparation.randomness,
        consensus=preparation.consensus,
    )


def test_auto_writes_at_once_when_something_waits_and_never_for_nothing() -> None:
    turn = instant().next_turn(PARENT, now_ms=2000, pending=True)
    assert turn is not None
    assert (turn.at_ms, turn.proposer, turn.even_empty) == (2000, PROPOSER, False)
    assert instant().next_turn(PARENT, now_ms=2000, pending=False) is None


@pytest.mark.parametrize("pending", [True, False])
def test_an_interval_ticks_from_the_parent_whatever_waits(pending: bool) -> None:
    turn = instant(mode="interval", interval_ms=500).next_turn(PARENT, now_ms=1200, pending=pending)
    assert turn is not None
    assert (turn.at_ms, turn.even_empty) == (1500, True)


def test_manual_waits_for_a_person() -> None:
    assert instant(mode="manual").next_turn(PARENT, now_ms=2000, pending=True) is None


@pytest.mark.parametrize(
    "parameters", [{}, {"mode": "manual"}, {"mode": "interval", "interval_ms": 500}], ids=str
)
def test_a_person_may_ask_in_every_mode(parameters: dict[str, Any]) -> None:
    turn = instant(**parameters).turn_by_hand(PARENT, now_ms=77)
    assert turn is not None
    assert (turn.at_ms, turn.proposer, turn.even_empty) == (77, PROPOSER, True)


@pytest.mark.parametrize(("now_ms", "time_ms"), [(2000, 2000), (1001, 1001), (1000, 1001), (5, 1001)])
def test_time_rises_even_when_the_clock_does_not(now_ms: int, time_ms: int) -> None:
    assert time_ms == prepared(instant(), now_ms=now_ms).time_ms


def test_randomness_follows_from_the_parent() -> None:
    expected = hashlib.sha256(b"vessel/instant/randomness/" + PARENT_ID).digest()
    assert expected == prepared(instant()).randomness


def test_what_is_prepared_is_valid() -> None:
    consensus = instant()
    consensus.verify(prepared(consensus), PARENT, PARENT_ID)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("time_ms", 1000, "block 5 has time 1000 ms; its parent has 1000 ms, time must rise"),
        ("time_ms", 999, "time must rise"),
        ("proposer", ZERO_ADDRESS, f"proposed by 0x{'00' * 20}; expected 0x{PROPOSER.hex()}"),
        ("randomness", ZERO_HASH, "randomness that does not follow"),
        ("consensus", b"x", "randomness that does not follow"),
    ],
)
def test_each_rule_refuses(field: str, value: object, message: str) -> None:
    consensus = instant()
    header = msgspec.structs.replace(prepared(consensus), **{field: value})
    with pytest.raises(InvalidBlock, match=message):
        consensus.verify(header, PARENT, PARENT_ID)


def test_the_seal_states_the_result_and_nothing_else() -> None:
    consensus = instant()
    header = prepared(consensus)
    seal = consensus.seal(header, PARENT_ID, RESULT)
    assert Seal(result=RESULT) == seal
    consensus.verify_seal(Block(header=header, seal=seal), PARENT_ID, RESULT)


@pytest.mark.parametrize(
    ("seal", "message"),
    [
        (Seal(), "states the state root 0x0000"),
        (Seal(result=msgspec.structs.replace(RESULT, gas_used=Gas(6))), "executing it gives"),
        (Seal(result=RESULT, signature=b"x"), "has a signature of 1 bytes"),
    ],
    ids=["none", "gas", "signature"],
)
def test_a_seal_that_says_something_else_is_refused(seal: Seal, message: str) -> None:
    consensus = instant()
    with pytest.raises(InvalidBlock, match=message):
        consensus.verify_seal(Block(header=prepared(consensus), seal=seal), PARENT_ID, RESULT)


def test_every_block_counts_one_and_is_final() -> None:
    consensus = instant()
    assert consensus.score(7, prepared(consensus)) == 8
    assert consensus.finalized_height(prepared(consensus)) == 5


@pytest.mark.parametrize(
    "parameters",
    [
        {"mode": "interval"},
        {"mode": "interval", "interval_ms": 0},
        {"mode": "interval", "interval_ms": -5},
        {"mode": "auto", "interval_ms": 5},
        {"mode": "auto", "interval_ms": -5},
        {"mode": "manual", "interval_ms": 5},
    ],
    ids=str,
)
def test_mode_and_interval_go_together(parameters: dict[str, Any]) -> None:
    with pytest.raises(GenesisError, match='mode "interval" needs interval_ms above 0'):
        make_consensus("instant", parameters, SHA256)


@pytest.mark.parametrize(
    ("engine", "parameters", "message"),
    [
        ("pow", {}, r"\[consensus\] engine = 'pow' is not known; expected one of instant"),
        ("instant", {"mode": "fast"}, r"\[consensus\] Invalid enum value 'fast'"),
        ("instant", {"speed": 1}, "unknown field `speed`"),
        ("instant", {"interval_ms": "5"}, "Expected `int`, got `str`"),
        ("instant", {"proposer": "0x12"}, "'0x12' is not an address"),
        ("instant", {"proposer": 5}, "got `int`"),
    ],
)
def test_the_table_is_read_strictly(engine: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(GenesisError, match=message):
        make_consensus(engine, parameters, SHA256)


def test_the_table_names_a_proposer() -> None:
    consensus = make_consensus("instant", {"proposer": "0x" + PROPOSER.hex(), "mode": "manual"}, SHA256)
    assert consensus.name == "instant"
    assert prepared(consensus).proposer == PROPOSER
