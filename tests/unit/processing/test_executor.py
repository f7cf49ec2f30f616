"""The executor against scripted containers."""

from __future__ import annotations

import pytest

from unit.processing.conftest import FUNDS, Bench
from unit.processing.fakes import balances
from vessel.container.messages import BlockStart, Mode, Outcome, TransactionResult
from vessel.database.namespace import ledger_key
from vessel.errors import (
    ConfigurationError,
    ContainerMisbehaved,
    ContainerQuarantined,
    ContainerUnavailable,
    InvalidBlock,
    ProtocolMismatch,
    StorageError,
)
from vessel.primitives.receipt import Log
from vessel.primitives.section import MAX_SECTION_EXTRA_SIZE_BYTES, Section
from vessel.primitives.transaction import Transaction
from vessel.primitives.units import Gas
from vessel.processing.executor import (
    MAX_BATCH_SIZE_BYTES,
    MAX_BATCH_TRANSACTIONS,
    MAX_LOSSES,
    Candidate,
    Executed,
)

ALL = frozenset({"alpha", "beta"})


def started(bench: Bench, name: str) -> BlockStart:
    """Return the start that a container was last given."""
    given = bench.fakes[name].script.named("open")[-1].given
    assert isinstance(given, BlockStart)
    return given


# ---- runs, batches, order


def test_the_block_is_cut_into_runs_of_one_container(bench: Bench) -> None:
    executed = bench.execute("alpha:a", "alpha:b", "beta:c", "alpha:d")
    batches = {
        name: [
            (call.given.first_index, [t.raw for t in call.given.transactions])
            for call in fake.script.named("submit")
        ]
        for name, fake in bench.fakes.items()
    }
    assert batches == {"alpha": [(0, [b"a", b"b"]), (3, [b"d"])], "beta": [(2, [b"c"])]}
    assert executed.included == (0, 1, 2, 3)
    assert [receipt.transaction_id for receipt in executed.receipts] == [b"a", b"b", b"c", b"d"]
    assert executed.took_part == ALL


def test_each_container_gets_one_session_whatever_it_alternates_with(bench: Bench) -> None:
    bench.execute("alpha:a", "beta:b", "alpha:c", "beta:d")
    for fake in bench.fakes.values():
        assert [call.name for call in fake.script.calls] == [
            "open",
            "begin",
            "submit",
            "results",
            "submit",
            "results",
            "end",
        ]


def test_a_container_without_transactions_takes_no_part(bench: Bench) -> None:
    before = Section(gas_limit=Gas(100), gas_used=Gas(7), base_fee=9, extra=b"x")  # type: ignore[arg-type]
    executed = bench.execute("alpha:a", sections={"alpha": Section(), "beta": before})
    assert bench.beta.script.calls == []
    assert before.carried() == dict(executed.sections)["beta"]
    assert dict(executed.sections)["beta"].idle


def test_who_takes_part_whatever_comes_is_asked_in_the_order_of_namespaces(bench: Bench) -> None:
    order: list[str] = []
    for fake in bench.fakes.values():
        fake.script.calls = order_of(order, fake.name)  # type: ignore[assignment]
    bench.execute(takes_part=ALL)
    assert order == ["alpha.open", "alpha.begin", "beta.open", "beta.begin", "alpha.end", "beta.end"]


class order_of(list):  # type: ignore[type-arg]
    """A list of calls that also writes `container.call` into a shared list."""

    def __init__(self, order: list[str], name: str) -> None:
        """Share `order`."""
        super().__init__()
        self._order, self._name = order, name

    def append(self, call: object) -> None:
        """Note in both."""
        super().append(call)
        self._order.append(f"{self._name}.{call.name}")  # type: ignore[attr-defined]


def test_the_start_says_what_the_plan_says(bench: Bench) -> None:
    sections = {"alpha": Section(gas_limit=Gas(100), gas_used=Gas(3)), "beta": Section()}
    executed = bench.execute("alpha:a", sections=sections)
    start = started(bench, "alpha")
    assert (start.mode, start.execution_id, start.height, start.time_ms) == (Mode.BUILD, "block-1", 1, 1000)
    assert (bench.state.head_version, executed.version) == (start.state_version, start.result_version)
    assert (100, sections["alpha"]) == (start.gas_limit, start.parent_section)
    assert list(start.recent_ids) == [b"parent", b"grandparent"]


def test_a_run_is_cut_by_count(bench: Bench) -> None:
    bench.alpha.hosted.gas_limit = Gas(10_000)
    count = 2 * MAX_BATCH_TRANSACTIONS + 1
    executed = bench.execute(*(f"alpha:{number}" for number in range(count)))
    sizes = [len(call.given.transactions) for call in bench.alpha.script.named("submit")]
    assert sizes == [MAX_BATCH_TRANSACTIONS, MAX_BATCH_TRANSACTIONS, 1]
    assert tuple(range(count)) == executed.included


def test_a_run_is_cut_by_size_and_a_large_one_travels_alone(bench: Bench) -> None:
    half, large = b"h" * (MAX_BATCH_SIZE_BYTES // 2), b"l" * (MAX_BATCH_SIZE_BYTES + 1)
    raws = [half, half, b"s", large, b"t"]
    candidates = [Candidate(transaction=Transaction(container="alpha", raw=raw)) for raw in raws]
    for raw in raws:
        bench.alpha.script.answers[raw] = {"writes": {}}
    bench.execute(*candidates)
    cut = [[t.raw for t in call.given.transactions] for call in bench.alpha.script.named("submit")]
    assert [[half, half], [b"s"], [large], [b"t"]] == cut


def test_what_admission_prepared_counts_for_the_size_and_is_passed_on(bench: Bench) -> None:
    prepared = b"p" * (MAX_BATCH_SIZE_BYTES - 1)
    first = Candidate(transaction=Transaction(container="alpha", raw=b"a"), prepared=prepared)
    bench.execute(first, "alpha:b")
    batches = [call.given.transactions for call in bench.alpha.script.named("submit")]
    assert [len(batch) for batch in batches] == [1, 1]
    assert prepared == batches[0][0].prepared


def test_hints_are_read_and_pushed_to_a_process(remote_bench: Bench) -> None:
    bench = remote_bench
    known, unknown = ledger_key(bench.alpha.address(1)), bench.alpha.key(b"nothing")
    hinted = Candidate(transaction=Transaction(container="alpha", raw=b"a"), hint=(known, unknown, known))
    bench.execute(hinted)
    assert {known: FUNDS.to_bytes(1, "big"), unknown: None} == bench.alpha.script.named("submit")[0].pushed


def test_hints_are_not_read_for_an_object_in_this_process(bench: Bench) -> None:
    key = ledger_key(bench.alpha.address(1))
    bench.execute(Candidate(transaction=Transaction(container="alpha", raw=b"a"), hint=(key,)))
    assert bench.alpha.script.named("submit")[0].pushed == {}


# ---- what others wrote


def test_each_foreign_write_is_told_once_before_the_next_thing_that_is_done(bench: Bench) -> None:
    a, b = bench.alpha.address(1), bench.beta.address(1)
    shared = bench.alpha.address(2)
    bench.alpha.script.answers[b"pay"] = {"writes": balances({a: 90, b: 110})}
    bench.alpha.script.answers[b"save"] = {"writes": balances({a: 80, shared: 10})}
    bench.beta.script.answers[b"back"] = {"writes": balances({b: 105, a: 95})}
    bench.alpha.script.answers[b"again"] = {"writes": balances({a: 90, b: 110})}
    executed = bench.execute("alpha:pay", "beta:back", "alpha:again", "beta:idle")
    assert [balances({b: 105, a: 95})] == bench.told("alpha")
    assert [balances({a: 90, b: 110}), balances({a: 90, b: 110})] == bench.told("beta")
    final = balances({a: 90, b: 110})
    assert list(final.values()) == bench.values(executed.version, list(final))
    assert executed.untold == {"alpha": {}, "beta": {}}


def test_the_last_word_of_several_others_is_told_and_own_words_are_not(bench: Bench) -> None:
    a, b = bench.alpha.address(1), bench.beta.address(1)
    bench.alpha.script.answers[b"one"] = {"writes": balances({a: 90, b: 110})}
    bench.alpha.script.answers[b"two"] = {"writes": balances({a: 80, b: 120})}
    bench.execute("alpha:one", "alpha:two", "beta:x")
    assert bench.told("alpha") == []
    assert [balances({a: 80, b: 120})] == bench.told("beta")


def test_what_only_the_namespace_holds_is_told_to_nobody(bench: Bench) -> None:
    bench.execute("alpha:x", "beta:y", "alpha:z", takes_part=ALL)
    assert bench.told("alpha") + bench.told("beta") == []


def test_hooks_hear_of_what_was_written_before_them(bench: Bench) -> None:
    a, b = bench.alpha.address(1), bench.beta.address(1)
    bench.alpha.script.answers[b"pay"] = {"writes": balances({a: 99, b: 101})}
    bench.beta.script.end = {"writes": balances({b: 100, a: 100})}
    executed = bench.execute("alpha:pay", takes_part=frozenset({"beta"}))
    assert balances({a: 99, b: 101}) == bench.beta.script.named("end")[0].foreign
    assert {"alpha": balances({b: 100, a: 100}), "beta": {}} == executed.untold


def test_who_took_no_part_is_untold_of_everything_that_moved_coin(bench: Bench) -> None:
    a, b = bench.alpha.address(1), bench.beta.address(1)
    bench.alpha.script.answers[b"pay"] = {"writes": balances({a: 60, b: 140}) | {bench.alpha.key(b"k"): b"v"}}
    executed = bench.execute("alpha:pay")
    assert balances({a: 60, b: 140}) == executed.untold["beta"]
    bench.executor.finish(bench.plan(), executed, Outcome.COMMIT)
    parent = bench.state.head_version
    assert [("observe", (parent, executed.version, False), balances({a: 60, b: 140}))] == [
        (call.name, call.given, call.foreign) for call in bench.beta.script.calls
    ]


def test_the_hosts_own_writes_of_a_genesis_are_told_to_all(bench: Bench) -> None:
    funded = balances({bench.alpha.address(9): 5})
    executed = bench.execute(mode=Mode.GENESIS, takes_part=ALL, initial_writes=funded)
    assert [funded] == bench.told("alpha") == bench.told("beta")
    assert list(funded.values()) == bench.values(executed.version, list(funded))


# ---- gas


def test_gas_available_is_what_the_block_has_left(bench: Bench) -> None:
    bench.alpha.script.answers |= {b"a": {"gas_used": Gas(40)}, b"b": {"gas_used": Gas(25)}}
    executed = bench.execute("alpha:a", "beta:x", "alpha:b", "beta:x", "alpha:c")
    assert [call.given.gas_available for call in bench.alpha.script.named("submit")] == [100, 60, 35]
    assert dict(executed.sections)["alpha"].gas_used == 66
    assert dict(executed.sections)["beta"].gas_used == 2


def test_in_replay_batches_follow_each_other_without_their_gas_being_told(bench: Bench) -> None:
    bench.alpha.hosted.gas_limit = Gas(10_000)
    bench.alpha.script.credits = 2
    count = 3 * MAX_BATCH_TRANSACTIONS
    bench.execute(*(f"alpha:{n}" for n in range(count)), mode=Mode.REPLAY)
    names = [call.name for call in bench.alpha.script.named("submit", "results")]
    assert names == ["submit", "submit", "results", "submit", "results", "results"]
    told = [call.given.gas_available for call in bench.alpha.script.named("submit")]
    assert told == [10_000, None, None]


def test_a_builder_waits_for_the_answer_to_each_batch(bench: Bench) -> None:
    bench.alpha.hosted.gas_limit = Gas(10_000)
    bench.alpha.script.credits = 2
    bench.execute(*(f"alpha:{n}" for n in range(2 * MAX_BATCH_TRANSACTIONS)))
    names = [call.name for call in bench.alpha.script.named("submit", "results")]
    assert names == ["submit", "results", "submit", "results"]


@pytest.mark.parametrize(
    ("gas_limit", "gas_used", "sound"), [(None, 100, True), (None, 101, False), (5, 6, False)]
)
def test_more_gas_than_there_is_is_misbehaviour(
    bench: Bench, gas_limit: int | None, gas_used: int, sound: bool
) -> None:
    bench.alpha.script.answers[b"a"] = {"gas_used": Gas(gas_used)}
    what = Candidate(
        transaction=Transaction(container="alpha", raw=b"a"),
        gas_limit=None if gas_limit is None else Gas(gas_limit),
    )
    if sound:
        assert bench.execute(what).included == (0,)
        return
    with pytest.raises(ContainerMisbehaved, match="used"):
        bench.execute(what)
    assert set() == bench.live()


# ---- what does not go in


def test_what_does_not_fit_ends_the_containers_part_and_no_others(bench: Bench) -> None:
    bench.alpha.script.answers[b"big"] = {"included": False, "fits": False, "reason": "BLOCK_FULL"}
    executed = bench.execute("alpha:a", "alpha:big", "alpha:c", "beta:d", "alpha:e")
    assert executed.included == (0, 3)
    assert [(left.position, left.fits) for left in executed.left] == [(1, False), (2, False), (4, False)]
    assert len(bench.alpha.script.named("submit")) == 1


def test_batches_after_one_that_was_full_are_not_sent(bench: Bench) -> None:
    bench.alpha.hosted.gas_limit = Gas(10_000)
    bench.alpha.script.answers[b"0"] = {"included": False, "fits": False}
    executed = bench.execute(*(f"alpha:{n}" for n in range(MAX_BATCH_TRANSACTIONS + 2)))
    assert executed.included == ()
    assert list(range(MAX_BATCH_TRANSACTIONS + 2)) == [left.position for left in executed.left]
    assert len(bench.alpha.script.named("submit")) == 1


def test_an_invalid_one_is_left_and_the_rest_goes_on(bench: Bench) -> None:
    bench.alpha.script.answers[b"bad"] = {
        "included": False, "fits": True, "reason": "NONCE", "message": "no", "writes": {b"anything": b""},
    }  # fmt: skip
    executed = bench.execute("alpha:a", "alpha:bad", "alpha:c")
    assert executed.included == (0, 2)
    (left,) = executed.left
    assert (left.position, left.fits, left.reason, left.message) == (1, True, "NONCE", "no")


@pytest.mark.parametrize("fits", [True, False])
def test_in_replay_what_is_not_included_makes_the_block_invalid(bench: Bench, fits: bool) -> None:
    bench.alpha.script.answers[b"bad"] = {"included": False, "fits": fits, "reason": "NONCE", "message": "no"}
    with pytest.raises(InvalidBlock, match="transaction 1 of block 1 cannot be in it: no") as caught:
        bench.execute("alpha:a", "alpha:bad", mode=Mode.REPLAY)
    assert caught.value.reason == "NONCE"
    assert set() == bench.live()
    assert [call.given for call in bench.alpha.script.named("finish")] == [("block-1", Outcome.ABORT)]


def test_a_container_out_of_service_leaves_its_transactions_and_the_rest_goes_on(bench: Bench) -> None:
    bench.alpha.hosted.quarantine("it is broken")
    executed = bench.execute("alpha:a", "beta:b", "alpha:c")
    assert executed.included == (1,)
    assert [(e.position, e.reason) for e in executed.left] == [(0, "QUARANTINED"), (2, "QUARANTINED")]
    assert dict(executed.sections)["alpha"].idle


def test_in_replay_a_container_out_of_service_is_never_skipped(bench: Bench) -> None:
    bench.alpha.hosted.quarantine("it is broken")
    with pytest.raises(ContainerQuarantined, match="it is broken"):
        bench.execute("alpha:a", mode=Mode.REPLAY)
    with pytest.raises(ContainerQuarantined, match="it is broken"):
        bench.execute(mode=Mode.REPLAY, takes_part=frozenset({"alpha"}))


# ---- nobody is trusted


def test_results_out_of_order_are_misbehaviour(bench: Bench) -> None:
    bench.alpha.script.answers[b"b"] = {"index": 5}
    with pytest.raises(ContainerMisbehaved, match="answered for transaction 5 where 1 was next"):
        bench.execute("alpha:a", "alpha:b")
    assert set() == bench.live()


def test_missing_results_are_misbehaviour(bench: Bench) -> None:
    bench.alpha.script.short_by = 1
    with pytest.raises(ContainerMisbehaved, match="gave 1 results for 2 transactions"):
        bench.execute("alpha:a", "alpha:b")


def test_too_many_results_are_misbehaviour(bench: Bench) -> None:
    bench.alpha.script.extra_results = [TransactionResult(index=2, included=True)]
    with pytest.raises(ContainerMisbehaved, match="gave 3 results for 2 transactions"):
        bench.execute("alpha:a", "alpha:b")


def test_going_on_after_what_did_not_fit_is_misbehaviour(bench: Bench) -> None:
    bench.alpha.script.answers[b"a"] = {"included": False, "fits": False}
    bench.alpha.script.extra_results = [TransactionResult(index=1, included=True)]
    with pytest.raises(ContainerMisbehaved, match="went on with transaction 1"):
        bench.execute("alpha:a", "alpha:b")
    assert set() == bench.live()


@pytest.mark.parametrize("kind", ["namespace", "coin", "debit"])
def test_the_guard_stands_before_every_result(bench: Bench, kind: str) -> None:
    a, b = bench.alpha.address(1), bench.beta.address(1)
    writes = {
        "namespace": {bench.beta.key(b"k"): b"v"},
        "coin": dict(balances({a: FUNDS + 1})),
        "debit": dict(balances({a: FUNDS + 1, b: FUNDS - 1})),
    }[kind]
    bench.alpha.script.answers[b"a"] = {"writes": writes}
    with pytest.raises(ContainerMisbehaved) as caught:
        bench.execute("alpha:a")
    assert caught.value.details["container"] == "alpha"
    assert set() == bench.live()


def test_the_guard_sees_what_was_written_before_in_the_block(bench: Bench) -> None:
    a, b = bench.alpha.address(1), bench.beta.address(1)
    bench.alpha.script.answers[b"pay"] = {"writes": balances({a: 0, b: 2 * FUNDS})}
    bench.alpha.script.answers[b"twice"] = {"writes": balances({a: 0, b: 2 * FUNDS}), "burned": 0}
    bench.beta.script.answers[b"spend"] = {"writes": balances({b: 0}), "burned": 2 * FUNDS}
    executed = bench.execute("alpha:pay", "alpha:twice", "beta:spend")
    assert bench.values(executed.version, [ledger_key(a), ledger_key(b)]) == [None, None]


@pytest.mark.parametrize("when", ["begin", "end"])
@pytest.mark.parametrize("what", ["writes", "logs", "burned"])
def test_who_has_no_hooks_does_nothing_outside_of_transactions(bench: Bench, when: str, what: str) -> None:
    done = {
        "writes": {"writes": {bench.alpha.key(b"k"): b"v"}},
        "logs": {"logs": (Log(address=b"x"),)},
        "burned": {"burned": 1},
    }[what]
    setattr(bench.alpha.script, when, done)
    with pytest.raises(ContainerMisbehaved, match="without the capability block_hooks"):
        bench.execute("alpha:a")
    assert set() == bench.live()


def test_hooks_write_burn_and_log(bench: Bench) -> None:
    b, log = bench.beta.address(1), Log(address=b"beta", data=b"hook")
    bench.beta.script.begin = {"writes": {bench.beta.key(b"begun"): b"1"}, "logs": (log,)}
    bench.beta.script.end = {"writes": balances({b: FUNDS - 1}), "burned": 1}
    executed = bench.execute(takes_part=frozenset({"beta"}))
    assert [(False, 0, (log,)), (True, 1, ())] == [(h.at_end, h.burned, h.logs) for h in executed.hooks]
    assert bench.values(executed.version, [bench.beta.key(b"begun")]) == [b"1"]


def test_in_genesis_everybody_may_write_at_the_begin(bench: Bench) -> None:
    bench.alpha.script.begin = {"writes": {bench.alpha.key(b"code"): b"x"}}
    executed = bench.execute(mode=Mode.GENESIS, takes_part=ALL)
    assert bench.values(executed.version, [bench.alpha.key(b"code")]) == [b"x"]


def test_the_section_must_state_the_gas_that_its_transactions_used(bench: Bench) -> None:
    bench.alpha.script.section = {"gas_used": Gas(2)}
    with pytest.raises(ContainerMisbehaved, match="says it used 2 gas in the block; its transactions used 1"):
        bench.execute("alpha:a")
    assert set() == bench.live()


@pytest.mark.parametrize("over", [0, 1])
def test_the_sections_extra_has_a_limit(bench: Bench, over: int) -> None:
    bench.alpha.script.section = {"extra": bytes(MAX_SECTION_EXTRA_SIZE_BYTES + over)}
    if over:
        with pytest.raises(ContainerMisbehaved, match="put 4097 bytes into its section"):
            bench.execute("alpha:a")
    else:
        bench.execute("alpha:a")


def test_the_gas_limit_of_a_section_is_the_hosts_and_idle_is_not_the_containers_to_say(bench: Bench) -> None:
    bench.alpha.script.section = {"gas_limit": Gas(1), "base_fee": 7, "extra": b"x", "idle": True}
    executed = bench.execute("alpha:a")
    expected = Section(gas_limit=Gas(100), gas_used=Gas(1), base_fee=7, extra=b"x")  # type: ignore[arg-type]
    assert expected == dict(executed.sections)["alpha"]


# ---- a container is lost


def outcome(bench: Bench, executed: Executed) -> tuple[object, ...]:
    """Return what must be the same however often it was tried."""
    return (
        executed.included,
        executed.receipts,
        executed.hooks,
        executed.sections,
        dict(executed.untold),
        bench.state.root(executed.version),
    )


BLOCK = ("alpha:pay", "beta:back", "alpha:more")


def scripted(bench: Bench) -> Bench:
    """Let coin go to and fro, with hooks at both ends."""
    a, b = bench.alpha.address(1), bench.beta.address(1)
    bench.alpha.script.answers[b"pay"] = {"writes": balances({a: 90, b: 110})}
    bench.beta.script.answers[b"back"] = {"writes": balances({b: 105, a: 95})}
    bench.beta.script.begin = {"writes": {bench.beta.key(b"begun"): b"1"}}
    bench.beta.script.end = {"writes": balances({b: 104}), "burned": 1}
    return bench


@pytest.mark.parametrize("mode", [Mode.BUILD, Mode.REPLAY])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("call", ["open", "begin", "submit", "results", "end"])
@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_a_container_lost_in_any_call_costs_the_attempt_and_nothing_else(
    name: str, call: str, times: int, mode: Mode
) -> None:
    calm, shaken = scripted(Bench()), scripted(Bench())
    takes_part = frozenset({"beta"})
    expected = outcome(calm, calm.execute(*BLOCK, mode=mode, takes_part=takes_part))
    shaken.fakes[name].script.lose[call] = times
    executed = shaken.execute(*BLOCK, mode=mode, takes_part=takes_part)
    assert expected == outcome(shaken, executed)
    assert times == len(shaken.fakes[name].hosting.lost_connections)
    starts = [c.given for fake in shaken.fakes.values() for c in fake.script.named("open")]
    assert {"block-1"} == {start.execution_id for start in starts}
    assert times + 1 == len(shaken.versions())
    assert {executed.version} == shaken.live()
    aborted = [c.given for fake in shaken.fakes.values() for c in fake.script.named("finish")]
    assert {("block-1", Outcome.ABORT)} >= set(aborted)
    assert shaken.fakes[name].hosting.served_times == 1


def test_every_session_of_a_lost_attempt_is_closed(bench: Bench) -> None:
    bench.beta.script.lose["end"] = 1
    bench.execute("alpha:a", "beta:b")
    for fake in bench.fakes.values():
        assert len(fake.script.named("close")) == 1


def test_what_was_lost_too_often_is_taken_out_of_service(bench: Bench) -> None:
    bench.alpha.script.lose["submit"] = 1_000
    with pytest.raises(ContainerQuarantined, match="lost in submit") as caught:
        bench.execute("alpha:a")
    assert caught.value.details["container"] == "alpha"
    assert not bench.alpha.hosted.in_service
    assert len(bench.alpha.hosting.lost_connections) == MAX_LOSSES
    assert set() == bench.live()


def test_a_container_that_cannot_be_reached_at_all_is_the_callers_to_wait_for(bench: Bench) -> None:
    bench.alpha.hosting.refuses = ContainerUnavailable("it is being closed")
    with pytest.raises(ContainerUnavailable, match="being closed"):
        bench.execute("alpha:a")
    assert bench.alpha.hosted.in_service


@pytest.mark.parametrize("error", [ConfigurationError("no such command"), ProtocolMismatch("major 9")])
def test_a_plugin_that_cannot_be_started_again_is_taken_out_of_service(
    bench: Bench, error: ConfigurationError | ProtocolMismatch
) -> None:
    bench.alpha.hosting.refuses = error
    with pytest.raises(ContainerQuarantined, match=error.message):
        bench.execute("beta:b", "alpha:a")
    assert not bench.alpha.hosted.in_service
    assert set() == bench.live()


def test_a_fault_of_the_host_is_passed_on_and_nothing_is_kept(bench: Bench) -> None:
    bench.alpha.script.raises["results"] = StorageError("the disk is gone")
    with pytest.raises(StorageError, match="the disk is gone"):
        bench.execute("beta:b", "alpha:a")
    assert set() == bench.live()
    for fake in bench.fakes.values():
        assert [call.given for call in fake.script.named("finish")] == [("block-1", Outcome.ABORT)]
        assert bench.alpha.hosted.in_service


# ---- the end of it


@pytest.mark.parametrize("how", [Outcome.COMMIT, Outcome.ABORT])
def test_finish_tells_who_took_part_what_became_of_it(bench: Bench, how: Outcome) -> None:
    executed = bench.execute("alpha:a")
    bench.executor.finish(bench.plan(), executed, how)
    assert [("block-1", how)] == [call.given for call in bench.alpha.script.named("finish")]
    assert bench.beta.script.named("finish") == []
    observed = [fake.script.named("observe") for fake in bench.fakes.values()]
    assert ([1, 1] if how is Outcome.COMMIT else [0, 0]) == [len(calls) for calls in observed]


@pytest.mark.parametrize(
    "error",
    [ContainerUnavailable("dead"), ContainerQuarantined("dead for good"), ConfigurationError("not there")],
)
def test_a_block_that_is_decided_does_not_fail_because_somebody_cannot_be_told(
    bench: Bench, error: Exception
) -> None:
    executed = bench.execute("alpha:a", "beta:b")
    bench.alpha.hosting.refuses = error
    bench.executor.finish(bench.plan(), executed, Outcome.COMMIT)
    assert len(bench.beta.script.named("observe")) == 1


def test_no_plugin_is_started_only_to_be_told(remote_bench: Bench) -> None:
    executed = remote_bench.execute("alpha:a")
    remote_bench.alpha.hosting.pid = 0
    remote_bench.alpha.hosting.refuses = AssertionError("it was started")
    remote_bench.executor.finish(remote_bench.plan(), executed, Outcome.COMMIT)
