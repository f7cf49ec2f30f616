"""Values survive the wire, and what does not fit is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vessel.container import codec
from vessel.container.messages import (
    BlockEndResult,
    BlockStart,
    Call,
    Configuration,
    Configured,
    ContainerTransaction,
    Fork,
    HookResult,
    KeySet,
    Mode,
    Query,
    TransactionBatch,
    TransactionCheck,
    TransactionResult,
    ValidationRequest,
    ViewRequest,
    ViewResult,
)
from vessel.database.reader import Range
from vessel.errors import ContainerMisbehaved
from vessel.primitives.receipt import Log, Status
from vessel.primitives.section import Section
from vessel_proto.container.v1 import container_pb2 as pb

u64 = st.integers(0, (1 << 64) - 1)
u32 = st.integers(0, (1 << 32) - 1)
coin = st.integers(0, 1 << 256)
short = st.binary(max_size=8)
text = st.text(max_size=8)
hash32 = st.binary(min_size=32, max_size=32)
address = st.binary(min_size=20, max_size=20)
writes = st.dictionaries(short, st.none() | short, max_size=6)
logs = st.lists(
    st.builds(Log, address=short, topics=st.lists(short, max_size=3).map(tuple), data=short), max_size=3
).map(tuple)
sections = st.builds(Section, gas_limit=u64, gas_used=u64, base_fee=coin, extra=short)
ranges = st.builds(Range, start=short, stop=short, reverse=st.booleans(), limit=u32)
key_sets = st.builds(
    KeySet, keys=st.lists(short, max_size=3).map(tuple), ranges=st.lists(ranges, max_size=3).map(tuple)
)
starts = st.builds(
    BlockStart,
    mode=st.sampled_from(Mode),
    height=u64,
    time_ms=u64,
    state_version=u64,
    execution_id=text,
    parent_id=hash32,
    proposer=address,
    randomness=hash32,
    result_version=u64,
    gas_limit=u64,
    parent_section=sections,
    recent_ids=st.lists(hash32, max_size=3).map(tuple),
)
results = st.builds(
    TransactionResult,
    index=u32,
    included=st.just(True),
    status=st.sampled_from(Status),
    gas_used=u64,
    output=short,
    writes=writes,
    burned=coin,
    logs=logs,
    tags=st.lists(short, max_size=3).map(tuple),
    details=short,
    message=text,
    id=short,
    sender=short,
)


@given(writes)
def test_writes(value: dict[bytes, bytes | None]) -> None:
    read = codec.writes_from_wire(codec.writes_to_wire(value))
    assert read == value
    assert list(read) == sorted(value)


@given(st.lists(st.tuples(short, st.none() | short)))
def test_values_keep_the_order_and_the_difference_of_empty_and_absent(
    entries: list[tuple[bytes, bytes | None]],
) -> None:
    values = [value for _, value in entries]
    assert codec.values_from_wire(codec.entries_to_wire([key for key, _ in entries], values)) == values


refused = st.builds(
    TransactionResult,
    index=u32,
    included=st.just(False),
    fits=st.booleans(),
    reason=text,
    message=text,
    id=short,
)


@pytest.mark.slow
@given(st.lists(st.one_of(results, refused), max_size=5))
def test_results(value: list[TransactionResult]) -> None:
    assert codec.results_from_wire(codec.results_to_wire(value)) == value


@given(
    st.builds(
        TransactionCheck,
        accepted=st.booleans(),
        reason=text,
        message=text,
        id=short,
        sender=short,
        sequence=st.none() | u64,
        next_sequence=u64,
        expires_at_ms=u64,
        bid=coin,
        gas_limit=u64,
        hint=key_sets,
        prepared=short,
    )
)
def test_check(value: TransactionCheck) -> None:
    assert codec.check_from_wire(codec.check_to_wire(value)) == value


@given(starts)
def test_start(value: BlockStart) -> None:
    wire = codec.start_to_wire(value, list(value.recent_ids), False)
    assert codec.start_from_wire(wire, value.recent_ids) == value


@given(st.builds(HookResult, writes=writes, burned=coin, logs=logs, section=sections))
def test_hook(value: HookResult) -> None:
    wire = codec.hook_to_wire(value, credit=3)
    assert codec.hook_from_wire(wire) == value
    assert wire.credit == 3


@given(st.builds(BlockEndResult, writes=writes, burned=coin, logs=logs, section=sections))
def test_end(value: BlockEndResult) -> None:
    assert codec.end_from_wire(codec.end_to_wire(value)) == value


@given(
    st.builds(
        TransactionBatch,
        first_index=u32,
        gas_available=st.none() | u64,
        transactions=st.lists(
            st.builds(ContainerTransaction, raw=short, prepared=short, impersonate=short), max_size=3
        ).map(tuple),
    )
)
def test_batch(value: TransactionBatch) -> None:
    assert codec.batch_from_wire(codec.batch_to_wire(value)) == value


@given(
    st.builds(
        ValidationRequest,
        raw=st.lists(short, max_size=3).map(tuple),
        state_version=u64,
        height=u64,
        time_ms=u64,
        parent_section=sections,
    )
)
def test_validation(value: ValidationRequest) -> None:
    assert codec.validation_from_wire(codec.validation_to_wire(value)) == value


@given(
    st.builds(
        Configuration,
        parameters=short,
        chain_id=u64,
        genesis_hash=hash32,
        instance=text,
        namespace=st.integers(0, 0xFFFF),
        reserved_prefix=short,
        forks=st.lists(st.builds(Fork, name=text, height=u64), max_size=3).map(tuple),
        cache_bytes=u64,
        hash_name=text,
    )
)
def test_configuration(value: Configuration) -> None:
    assert codec.configuration_from_wire(codec.configuration_to_wire(value)) == value


calls = st.builds(Call, to=short, sender=address, value=coin, input=short, gas_limit=u64, options=short)


@given(
    st.one_of(
        st.builds(ViewRequest, start=starts, call=calls, estimate=st.booleans(), overrides=writes),
        st.builds(
            ViewRequest,
            start=starts,
            query=st.builds(Query, method=text, parameters=short),
            overrides=writes,
        ),
    )
)
def test_view(value: ViewRequest) -> None:
    wire = codec.view_to_wire(value)
    assert codec.view_from_wire(wire, value.start.recent_ids) == value
    assert (len(wire.start.recent_ids), wire.start.recent_ids_count) == (0, len(value.start.recent_ids))


@given(
    st.builds(
        ViewResult,
        status=st.sampled_from(Status),
        output=short,
        gas_used=u64,
        logs=logs,
        message=text,
        reason=text,
        json=short,
    )
)
def test_view_result(value: ViewResult) -> None:
    assert codec.view_result_from_wire(codec.view_result_to_wire(value)) == value


def test_configured() -> None:
    wire = pb.ConfigureResponse(schema_version=3, engine_digest=b"digest")
    assert codec.configured_from_wire(wire) == Configured(schema_version=3, engine_digest=b"digest")


def test_empty_columns_are_not_sent() -> None:
    rows = [TransactionResult(index=n, included=True, id=b"id") for n in range(3)]
    wire = codec.results_to_wire(rows)
    sent = {field.name for field, _ in wire.ListFields()}
    assert sent == {"index", "status", "gas_used", "id", "write_count", "writes"}
    batch = TransactionBatch(first_index=0, transactions=(ContainerTransaction(raw=b"raw"),))
    assert {field.name for field, _ in codec.batch_to_wire(batch).ListFields()} == {"raw"}


def test_a_result_that_is_not_included_needs_no_status() -> None:
    wire = pb.TransactionResults(index=[4], refusals=[pb.Refusal(reason="EXPIRED", fits=True)])
    [read] = codec.results_from_wire(wire)
    assert (read.index, read.included, read.reason, read.fits) == (4, False, "EXPIRED", True)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (pb.Entries(keys=[b"b", b"a"], values=[b"", b""]), "sorted and distinct"),
        (pb.Entries(keys=[b"a", b"a"], values=[b"", b""]), "sorted and distinct"),
        (pb.Entries(keys=[b"a", b"b"], values=[b""]), "2 keys and 1 values"),
        (pb.Entries(keys=[b"a"], values=[b""], absent=[1]), "position 1 of 1"),
    ],
)
def test_malformed_writes_are_refused(entries: pb.Entries, message: str) -> None:
    with pytest.raises(ContainerMisbehaved, match=message):
        codec.writes_from_wire(entries)
    before = pb.Entries(keys=[b"z"], values=[b""])
    before.MergeFrom(entries)
    if entries.absent:
        before.absent[:] = [2]
        message = "position 2 of 2"
    both = pb.TransactionResults(
        index=[0, 1],
        status=[1, 1],
        writes=before,
        write_count=[1, len(entries.keys)],  # type: ignore[list-item]
    )
    with pytest.raises(ContainerMisbehaved, match=message.replace("2 keys and 1", "3 keys and 2")):
        codec.results_from_wire(both)


def test_the_order_of_keys_begins_anew_with_every_row() -> None:
    rows = [
        TransactionResult(index=0, included=True, writes={b"b": b"1", b"c": None}),
        TransactionResult(index=1, included=True),
        TransactionResult(index=2, included=True, writes={b"a": b"2"}),
        TransactionResult(index=3, included=True, writes={b"a": b"3", b"z": b""}),
    ]
    assert codec.results_from_wire(codec.results_to_wire(rows)) == rows


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "0 refusals came for 1"),
        ({"status": [pb.STATUS_OK], "refusals": [pb.Refusal()]}, "1 refusals came for 0"),
        ({"status": [99]}, "status 99 does not exist"),
        ({"status": [pb.STATUS_OK], "burned": [b"\0\1"]}, "coin is malformed"),
        ({"status": [pb.STATUS_OK] * 2}, "column status has 2 entries for 1 rows"),
        ({"status": [pb.STATUS_OK], "id": [b"", b""]}, "column id has 2 entries for 1 rows"),
        ({"status": [pb.STATUS_OK], "log_count": [1]}, "log_count sums to"),
        ({"status": [pb.STATUS_OK], "logs": [pb.Log()]}, "log_count sums to"),
        ({"status": [pb.STATUS_OK], "tags": [b"a", b"b"], "tag_count": [1]}, "tag_count sums to"),
        ({"status": [pb.STATUS_OK], "write_count": [1]}, "write_count sums to"),
    ],
)
def test_malformed_results_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ContainerMisbehaved, match=message):
        codec.results_from_wire(pb.TransactionResults(index=[0], **fields))
