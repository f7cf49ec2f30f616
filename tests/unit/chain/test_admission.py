"""From submission to a block or a refusal: nobody who waits is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from unit.chain.conftest import Clock, ScriptedChain, ToyChain, produce
from vessel.chain.admission import Place, Submitted
from vessel.errors import (
    ConfigurationError,
    ContainerMisbehaved,
    ContainerQuarantined,
    ContainerUnavailable,
    RejectedTransaction,
    StorageError,
    UnknownContainer,
    VesselError,
)
from vessel.primitives.transaction import MAX_TRANSACTION_SIZE_BYTES


def error_of(submitted: Submitted) -> BaseException:
    """Return why a transaction was dropped; it must be known by now."""
    error = submitted.committed.exception(timeout=0)
    assert error is not None
    return error


def sequenced(scripted: ScriptedChain, raw: bytes, sequence: int, **more: Any) -> None:
    """Let admission give a transaction of sender `s` a sequence number."""
    scripted.plain.script.checks[raw] = {"sender": b"s", "sequence": sequence} | more


# ---- in


def test_a_batch_succeeds_and_fails_item_by_item(toy: ToyChain) -> None:
    large = bytes(MAX_TRANSACTION_SIZE_BYTES + 1)
    answers = toy.chain.admission.submit(
        "counter", [b"add x 1", b"", b"nonsense", large, b"add x 1", b"add y 2"]
    )
    reasons = [answer.reason if isinstance(answer, VesselError) else "" for answer in answers]
    assert reasons == ["", "SIZE", "MALFORMED", "SIZE", "ALREADY_KNOWN", ""]
    assert len(toy.chain.admission) == 2


def test_an_unknown_container_is_named(toy: ToyChain) -> None:
    with pytest.raises(UnknownContainer, match="no container 'vm'; it has: counter, east, west"):
        toy.chain.admission.submit("vm", [b"x"])


def test_what_is_in_a_block_is_not_admitted_again(scripted: ScriptedChain) -> None:
    scripted.submit("plain", b"a")
    scripted.mine()
    (answer,) = scripted.chain.admission.submit("plain", [b"a"])
    assert isinstance(answer, RejectedTransaction)
    assert answer.reason == "ALREADY_COMMITTED"


def test_too_few_checks_are_misbehaviour_and_admit_nothing(scripted: ScriptedChain) -> None:
    connection = scripted.plain.hosting.connection()
    connection.validate = lambda request, reader: []  # type: ignore[method-assign]
    with pytest.raises(ContainerMisbehaved, match="gave 0 checks for 1 transactions"):
        scripted.chain.admission.submit("plain", [b"a"])
    assert len(scripted.chain.admission) == 0


def test_admission_goes_on_while_a_block_is_made(scripted: ScriptedChain) -> None:
    """In the midst of an execution another thread must not have to wait for its end."""
    import threading

    admitted: list[Submitted] = []

    def from_elsewhere() -> None:
        thread = threading.Thread(target=lambda: admitted.extend(scripted.submit("plain", b"late")))
        thread.start()
        thread.join(timeout=20)
        assert not thread.is_alive()

    scripted.submit("plain", b"a")
    scripted.plain.script.during["submit"] = from_elsewhere
    assert [r.transaction_id for r in scripted.mine().receipts] == [b"a"]
    assert [r.transaction_id for r in scripted.mine().receipts] == [b"late"]
    assert admitted[0].committed.done()


def test_the_check_is_set_in_the_block_that_comes_next(scripted: ScriptedChain, clock: Clock) -> None:
    scripted.mine()
    scripted.submit("plain", b"a")
    request = scripted.plain.script.named("validate")[0].given
    assert (2, clock.now_ms, (b"a",)) == (request.height, request.time_ms, request.raw)
    assert scripted.chain.store.state.head_version == request.state_version


# ---- out


def test_who_waits_learns_the_place(toy: ToyChain) -> None:
    first, second = toy.submit("counter", b"add x 1", b"add y 1")
    made = toy.mine()
    assert Place(executed=made, index=0) == first.committed.result(timeout=0)
    assert Place(executed=made, index=1) == second.committed.result(timeout=0)
    assert len(toy.chain.admission) == 0


def test_who_waits_learns_of_a_block_from_elsewhere(toys: Callable[[], ToyChain]) -> None:
    one, other = toys(), toys()
    (here,) = one.submit("counter", b"add x 1")
    (there,) = other.submit("counter", b"add x 1")
    imported = other.chain.import_block(one.mine().block)
    assert here.committed.done()
    assert Place(executed=imported, index=0) == there.committed.result(timeout=0)
    assert len(other.chain.admission) == 0


def test_what_turns_out_invalid_is_dropped_with_the_containers_words(scripted: ScriptedChain) -> None:
    scripted.plain.script.answers[b"bad"] = {"included": False, "reason": "NO_FUNDS", "message": "poor"}
    good, bad = scripted.submit("plain", b"good", b"bad")
    made = scripted.mine()
    assert len(made.receipts) == 1
    error = error_of(bad)
    assert isinstance(error, RejectedTransaction)
    assert ("NO_FUNDS", "poor", {"id": b"bad".hex()}) == (error.reason, error.message, error.details)
    assert good.committed.done()
    assert len(scripted.chain.admission) == 0


def test_of_a_sender_only_the_first_that_failed_is_dropped(scripted: ScriptedChain) -> None:
    for number in range(3):
        sequenced(scripted, b"s%d" % number, number)
        scripted.plain.script.answers[b"s%d" % number] = {"included": False, "reason": "POOR"}
    first, second, third = scripted.submit("plain", b"s0", b"s1", b"s2")
    scripted.mine()
    assert error_of(first).reason == "POOR"  # type: ignore[attr-defined]
    assert not second.committed.done()
    assert not third.committed.done()
    assert len(scripted.chain.admission) == 2
    assert produce(scripted.chain) is None  # behind a gap now: nothing to do, and no end of blocks


@pytest.mark.parametrize("reason", ["", "BLOCK_FULL", "QUARANTINED"])
def test_what_fits_into_no_block_is_dropped_whatever_the_container_calls_it(
    scripted: ScriptedChain, reason: str
) -> None:
    scripted.plain.script.answers[b"big"] = {"included": False, "fits": False, "reason": reason}
    (big,) = scripted.submit("plain", b"big")
    assert produce(scripted.chain) is None
    assert isinstance(error_of(big), RejectedTransaction)
    assert len(scripted.chain.admission) == 0
    assert scripted.live_versions() == []


def test_what_does_not_fit_behind_others_waits_for_the_next_block(scripted: ScriptedChain) -> None:
    scripted.plain.script.answers[b"big"] = {"included": False, "fits": False, "reason": "BLOCK_FULL"}
    small, big, last = scripted.submit("plain", b"small", b"big", b"last")
    scripted.mine()
    assert small.committed.done()
    assert not big.committed.done()
    assert not last.committed.done()
    del scripted.plain.script.answers[b"big"]
    assert [receipt.transaction_id for receipt in scripted.mine().receipts] == [b"big", b"last"]


def test_another_containers_transactions_do_not_make_a_block_full(scripted: ScriptedChain) -> None:
    scripted.plain.script.answers[b"big"] = {"included": False, "fits": False}
    _, big = scripted.submit("hooked", b"h")[0], scripted.submit("plain", b"big")[0]
    assert len(scripted.mine().receipts) == 1
    assert isinstance(error_of(big), RejectedTransaction)


def test_what_has_expired_is_dropped(scripted: ScriptedChain, clock: Clock) -> None:
    scripted.plain.script.checks[b"short"] = {"expires_at_ms": clock.now_ms + 10}
    (short,) = scripted.submit("plain", b"short")
    clock.now_ms += 10
    assert produce(scripted.chain) is None
    assert error_of(short).reason == "EXPIRED"  # type: ignore[attr-defined]


def test_a_replaced_one_is_told(scripted: ScriptedChain) -> None:
    sequenced(scripted, b"old", 0, bid=10)
    sequenced(scripted, b"new", 0, bid=20)
    (old,) = scripted.submit("plain", b"old")
    (new,) = scripted.submit("plain", b"new")
    assert error_of(old).reason == "REPLACED"  # type: ignore[attr-defined]
    scripted.mine()
    assert new.committed.result(timeout=0).index == 0


@pytest.mark.parametrize("goes_in", [True, False])
def test_one_that_is_replaced_while_it_goes_into_a_block_is_told_what_became_of_it(
    scripted: ScriptedChain, goes_in: bool
) -> None:
    sequenced(scripted, b"old", 0, bid=10)
    sequenced(scripted, b"new", 0, bid=20)
    if not goes_in:
        scripted.plain.script.answers[b"old"] = {"included": False, "fits": False}
        scripted.plain.script.checks[b"before"] = {"bid": 50}
        scripted.submit("plain", b"before")
    (old,) = scripted.submit("plain", b"old")
    late: list[Submitted] = []
    scripted.plain.script.during["submit"] = lambda: late.extend(scripted.submit("plain", b"new"))
    made = scripted.mine()
    (new,) = late
    if goes_in:
        assert Place(executed=made, index=0) == old.committed.result(timeout=0)
        assert error_of(new).reason == "NONCE_TOO_LOW"  # type: ignore[attr-defined]
    else:
        assert error_of(old).reason == "REPLACED"  # type: ignore[attr-defined]
        assert not new.committed.done()


def test_a_block_ends_what_competes_with_it(toys: Callable[[], ToyChain], scripted: ScriptedChain) -> None:
    for raw, sequence in ((b"s0", 0), (b"s1", 1)):
        sequenced(scripted, raw, sequence)
    first, second = scripted.submit("plain", b"s0", b"s1")
    made = scripted.mine()
    assert [first.committed.result(0).index, second.committed.result(0).index] == [0, 1]
    sequenced(scripted, b"again", 1)
    (answer,) = scripted.chain.admission.submit("plain", [b"again"])
    assert isinstance(answer, RejectedTransaction)
    assert answer.reason == "NONCE_TOO_LOW"
    assert len(made.receipts) == 2


def test_two_containers_may_use_the_same_id(scripted: ScriptedChain) -> None:
    sequenced(scripted, b"x", 0)
    plain, hooked = scripted.submit("plain", b"x")[0], scripted.submit("hooked", b"x")[0]
    made = scripted.mine()
    assert {0, 1} == {plain.committed.result(0).index, hooked.committed.result(0).index}
    for submitted, name in ((plain, "plain"), (hooked, "hooked")):
        assert name == made.receipts[submitted.committed.result(0).index].container


def test_what_a_waiter_does_when_it_is_told_may_lead_back_to_admission(scripted: ScriptedChain) -> None:
    (first,) = scripted.submit("plain", b"a")
    seen: list[int] = []

    def again(done: Future[Place]) -> None:
        scripted.submit("plain", b"b")
        seen.append(len(scripted.chain.admission))

    first.committed.add_done_callback(again)
    scripted.mine()
    assert seen == [1]


def test_a_waiter_cannot_cancel_what_the_chain_will_tell_others(scripted: ScriptedChain) -> None:
    first, second = scripted.submit("plain", b"a", b"b")
    assert not first.committed.cancel()
    scripted.mine()
    assert first.committed.done()
    assert second.committed.done()


def test_closing_tells_everybody_and_lets_nobody_in(scripted: ScriptedChain) -> None:
    (first,) = scripted.submit("plain", b"a")
    scripted.chain.admission.close()
    assert error_of(first).reason == "SHUTTING_DOWN"  # type: ignore[attr-defined]
    (answer,) = scripted.chain.admission.submit("plain", [b"b"])
    assert isinstance(answer, VesselError)
    assert answer.reason == "SHUTTING_DOWN"


# ---- faults while a block is made


def test_a_plain_container_that_keeps_dying_is_left_out_and_its_senders_are_told(
    scripted: ScriptedChain,
) -> None:
    scripted.plain.script.lose["submit"] = 1_000
    poisonous, behind = scripted.submit("plain", b"x", b"y")
    (good,) = scripted.submit("hooked", b"h")
    made = scripted.mine()
    assert [receipt.transaction_id for receipt in made.receipts] == [b"h"]
    assert good.committed.done()
    for submitted in (poisonous, behind):
        assert isinstance(error_of(submitted), ContainerQuarantined)
    assert frozenset({"hooked"}) == scripted.chain.serving()
    assert scripted.live_versions() == []
    with pytest.raises(ContainerQuarantined, match="out of service"):
        scripted.chain.admission.submit("plain", [b"z"])


def test_a_hook_container_that_keeps_dying_is_left_out_and_the_chain_goes_on(scripted: ScriptedChain) -> None:
    scripted.hooked.script.lose["begin"] = 1_000
    scripted.submit("plain", b"a")
    made = scripted.mine()
    assert [receipt.transaction_id for receipt in made.receipts] == [b"a"]
    assert dict(made.block.header.sections)["hooked"].idle
    assert scripted.live_versions() == []
    assert scripted.mine().block.header.height == 2


@pytest.mark.parametrize("when", ["begin", "submit", "end"])
def test_one_that_misbehaves_is_left_out_and_nothing_of_it_is_kept(
    scripted: ScriptedChain, when: str
) -> None:
    forbidden = {"writes": {b"\xff\xffhost": b"x"}}
    if when == "submit":
        scripted.hooked.script.answers[b"h"] = forbidden
    else:
        setattr(scripted.hooked.script, when, forbidden)
    (bad,) = scripted.submit("hooked", b"h")
    (good,) = scripted.submit("plain", b"a")
    made = scripted.mine()
    assert [receipt.transaction_id for receipt in made.receipts] == [b"a"]
    assert good.committed.done()
    assert isinstance(error_of(bad), ContainerQuarantined)
    assert scripted.chain.store.state.reader_at(1).multi_get([b"\xff\xffhost"]) == [None]


@pytest.mark.parametrize(
    "error",
    [ContainerQuarantined("it died at last"), ConfigurationError("gone"), ContainerUnavailable("gone")],
)
def test_a_plugin_that_dies_right_after_the_commit_does_not_make_the_block_twice(
    scripted: ScriptedChain, error: VesselError
) -> None:
    (first,) = scripted.submit("plain", b"a")

    def die() -> None:
        scripted.plain.hosting.refuses = error

    scripted.plain.script.during["end"] = die
    made = scripted.mine()
    assert Place(executed=made, index=0) == first.committed.result(timeout=0)
    assert scripted.chain.head.block.header.height == 1


def test_a_store_that_refuses_a_block_loses_nothing(scripted: ScriptedChain) -> None:
    (first,) = scripted.submit("plain", b"a")
    append = scripted.chain.store.append

    def refuse(*_: object, **__: object) -> None:
        raise StorageError("no space left on device")

    scripted.chain.store.append = refuse  # type: ignore[method-assign]
    with pytest.raises(StorageError, match="no space"):
        scripted.mine()
    assert scripted.live_versions() == []
    assert not first.committed.done()
    scripted.chain.store.append = append  # type: ignore[method-assign]
    made = scripted.mine()
    assert Place(executed=made, index=0) == first.committed.result(timeout=0)


def test_nothing_is_left_of_a_block_that_would_be_empty(scripted: ScriptedChain) -> None:
    scripted.plain.script.answers[b"bad"] = {"included": False, "reason": "BAD"}
    scripted.submit("plain", b"bad")
    assert produce(scripted.chain) is None
    assert scripted.live_versions() == []
    assert scripted.chain.head.block.header.height == 0
    outcomes = [call.given[1].name for call in scripted.plain.script.named("finish")]
    assert outcomes == ["ABORT"]
