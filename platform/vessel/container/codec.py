"""Between the values of `messages` and the frames of container/v1.

Entries travel as parallel arrays: building and reading them stays in C. A message an entry costs three
times as much, bytes packed in Python half as much again or more (bench/entries.py).
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain
from typing import TypeVar, cast

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
    Writes,
)
from vessel.database.reader import Range
from vessel.errors import ContainerMisbehaved, InvalidRequest
from vessel.primitives.encoding import from_integer, integer
from vessel.primitives.receipt import Log, Status
from vessel.primitives.section import Section
from vessel.primitives.units import Address, Coin, Gas, Hash32, Height
from vessel_proto.container.v1 import container_pb2 as pb

MAX_FRAME_SIZE_BYTES = 1 << 20
MAX_FRAGMENTED_SIZE_BYTES = 64 << 20

S = TypeVar("S", bytes, str)
T = TypeVar("T")

# ---- entries


def entries_to_wire(keys: Sequence[bytes], values: Iterable[bytes | None]) -> pb.Entries:
    """Return keys and values side by side; None marks an absent value."""
    filled = list(values)
    if None in filled:
        absent = [i for i, value in enumerate(filled) if value is None]
        return pb.Entries(keys=keys, values=[value or b"" for value in filled], absent=absent)
    return pb.Entries(keys=keys, values=filled)  # type: ignore[arg-type]


def writes_to_wire(writes: Mapping[bytes, bytes | None]) -> pb.Entries:
    """Return a write set, sorted by key."""
    ordered = sorted(writes)
    return entries_to_wire(ordered, map(writes.__getitem__, ordered))


def values_from_wire(entries: pb.Entries) -> list[bytes | None]:
    """Return the values in the order of the keys; ContainerMisbehaved where the arrays do not fit."""
    values: list[bytes | None] = list(entries.values)
    if len(values) != len(entries.keys):
        raise ContainerMisbehaved(
            f"entries with {len(entries.keys)} keys and {len(values)} values; expected as many of each"
        )
    try:
        for position in entries.absent:
            values[position] = None
    except IndexError:
        raise ContainerMisbehaved(f"entries mark position {position} of {len(values)} as absent") from None
    return values


def writes_from_wire(entries: pb.Entries) -> dict[bytes, bytes | None]:
    """Return a write set; ContainerMisbehaved where keys are not sorted and distinct."""
    keys = list(entries.keys)
    if not all(map(operator.lt, keys, keys[1:])):
        raise ContainerMisbehaved("the keys of a write set must be sorted and distinct")
    return dict(zip(keys, values_from_wire(entries), strict=True))


# ---- small values


def _coin(data: bytes) -> Coin:
    try:
        return Coin(from_integer(data))
    except InvalidRequest as error:
        raise ContainerMisbehaved(f"an amount of coin is malformed: {error}") from error


def _logs_to_wire(logs: Iterable[Log]) -> list[pb.Log]:
    return [pb.Log(address=log.address, topics=log.topics, data=log.data) for log in logs]


def _logs_from_wire(logs: Iterable[pb.Log]) -> tuple[Log, ...]:
    return tuple(Log(address=log.address, topics=tuple(log.topics), data=log.data) for log in logs)


def section_to_wire(section: Section) -> pb.Section:
    """Return a header section as a message."""
    return pb.Section(
        gas_limit=section.gas_limit,
        gas_used=section.gas_used,
        base_fee=integer(section.base_fee),
        extra=section.extra,
    )


def section_from_wire(section: pb.Section) -> Section:
    """Return a header section from a message."""
    return Section(
        gas_limit=Gas(section.gas_limit),
        gas_used=Gas(section.gas_used),
        base_fee=_coin(section.base_fee),
        extra=section.extra,
    )


def range_to_wire(wanted: Range) -> pb.Range:
    """Return a range as a message."""
    return pb.Range(start=wanted.start, stop=wanted.stop, reverse=wanted.reverse, limit=wanted.limit)


def range_from_wire(wanted: pb.Range) -> Range:
    """Return a range from a message."""
    return Range(start=wanted.start, stop=wanted.stop, reverse=wanted.reverse, limit=wanted.limit)


def key_set_to_wire(wanted: KeySet) -> pb.KeySet:
    """Return keys and ranges as a message."""
    return pb.KeySet(keys=wanted.keys, ranges=map(range_to_wire, wanted.ranges))


def key_set_from_wire(wanted: pb.KeySet) -> KeySet:
    """Return keys and ranges from a message."""
    return KeySet(keys=tuple(wanted.keys), ranges=tuple(map(range_from_wire, wanted.ranges)))


# ---- configuration


def configuration_to_wire(configuration: Configuration) -> pb.ConfigureRequest:
    """Return what the genesis says to a container as a message."""
    return pb.ConfigureRequest(
        parameters_json=configuration.parameters,
        chain_id=configuration.chain_id,
        genesis_hash=configuration.genesis_hash,
        forks=[pb.Fork(name=fork.name, height=fork.height) for fork in configuration.forks],
        cache_bytes=configuration.cache_bytes,
        namespace=configuration.namespace,
        reserved_prefix=configuration.reserved_prefix,
        instance=configuration.instance,
        hash_name=configuration.hash_name,
    )


def configuration_from_wire(request: pb.ConfigureRequest) -> Configuration:
    """Return what the genesis says to a container from a message."""
    return Configuration(
        parameters=request.parameters_json,
        chain_id=request.chain_id,
        genesis_hash=Hash32(request.genesis_hash),
        forks=tuple(Fork(name=fork.name, height=Height(fork.height)) for fork in request.forks),
        cache_bytes=request.cache_bytes,
        namespace=request.namespace,
        reserved_prefix=request.reserved_prefix,
        instance=request.instance,
        hash_name=request.hash_name,
    )


def configured_from_wire(response: pb.ConfigureResponse) -> Configured:
    """Return the container's answer from a message."""
    return Configured(schema_version=response.schema_version, engine_digest=response.engine_digest)


# ---- admission


def validation_to_wire(request: ValidationRequest) -> pb.ValidateRequest:
    """Return a batch for admission as a message."""
    return pb.ValidateRequest(
        raw=request.raw,
        state_version=request.state_version,
        height=request.height,
        time_ms=request.time_ms,
        parent_section=section_to_wire(request.parent_section),
        impersonate=request.impersonate,
    )


def validation_from_wire(request: pb.ValidateRequest) -> ValidationRequest:
    """Return a batch for admission from a message."""
    return ValidationRequest(
        raw=tuple(request.raw),
        impersonate=tuple(request.impersonate),
        state_version=request.state_version,
        height=Height(request.height),
        time_ms=request.time_ms,
        parent_section=section_from_wire(request.parent_section),
    )


def check_to_wire(check: TransactionCheck) -> pb.TransactionCheck:
    """Return one admission as a message."""
    return pb.TransactionCheck(
        accepted=check.accepted,
        reason=check.reason,
        message=check.message,
        id=check.id,
        sender=check.sender,
        sequence=check.sequence,
        next_sequence=check.next_sequence,
        expires_at_ms=check.expires_at_ms,
        bid=integer(check.bid),
        gas_limit=check.gas_limit,
        hint=key_set_to_wire(check.hint),
        prepared=check.prepared,
    )


def check_from_wire(check: pb.TransactionCheck) -> TransactionCheck:
    """Return one admission from a message."""
    return TransactionCheck(
        accepted=check.accepted,
        reason=check.reason,
        message=check.message,
        id=check.id,
        sender=check.sender,
        sequence=check.sequence if check.HasField("sequence") else None,
        next_sequence=check.next_sequence,
        expires_at_ms=check.expires_at_ms,
        bid=_coin(check.bid),
        gas_limit=Gas(check.gas_limit),
        hint=key_set_from_wire(check.hint),
        prepared=check.prepared,
    )


# ---- one block


def start_to_wire(start: BlockStart, recent_ids: Sequence[bytes], continued: bool) -> pb.BlockStart:
    """Return the start of an execution; the ids are those that the container has not been told.

    The grpc transport adds what places the cache and what others have written.
    """
    return pb.BlockStart(
        execution_id=start.execution_id,
        mode=cast(pb.Mode, 0 if start.mode is Mode.VIEW else start.mode.value),
        height=start.height,
        time_ms=start.time_ms,
        parent_id=start.parent_id,
        proposer=start.proposer,
        randomness=start.randomness,
        state_version=start.state_version,
        result_version=start.result_version,
        gas_limit=start.gas_limit,
        parent_section=section_to_wire(start.parent_section),
        recent_ids=recent_ids,
        recent_ids_continue=continued,
    )


def start_from_wire(start: pb.BlockStart, recent_ids: Sequence[bytes]) -> BlockStart:
    """Return the start of an execution with the whole ring of ids beside it."""
    return BlockStart(
        execution_id=start.execution_id,
        mode=Mode(start.mode) if start.mode else Mode.VIEW,
        height=Height(start.height),
        time_ms=start.time_ms,
        parent_id=Hash32(start.parent_id),
        proposer=Address(start.proposer),
        randomness=Hash32(start.randomness),
        state_version=start.state_version,
        result_version=start.result_version,
        gas_limit=Gas(start.gas_limit),
        parent_section=section_from_wire(start.parent_section),
        recent_ids=recent_ids,
    )


def batch_to_wire(batch: TransactionBatch) -> pb.TransactionBatch:
    """Return a batch as a message."""
    transactions = batch.transactions
    return pb.TransactionBatch(
        first_index=batch.first_index,
        gas_available=batch.gas_available,
        raw=[t.raw for t in transactions],
        prepared=_column([t.prepared for t in transactions]),
        impersonate=_column([t.impersonate for t in transactions]),
    )


def batch_from_wire(batch: pb.TransactionBatch) -> TransactionBatch:
    """Return a batch from a message."""
    raws = list(batch.raw)
    prepared = _rows("prepared", list(batch.prepared), len(raws), b"")
    impersonate = _rows("impersonate", list(batch.impersonate), len(raws), b"")
    return TransactionBatch(
        first_index=batch.first_index,
        gas_available=Gas(batch.gas_available) if batch.HasField("gas_available") else None,
        transactions=tuple(
            [
                ContainerTransaction(raw=raw, prepared=form, impersonate=sender)
                for raw, form, sender in zip(raws, prepared, impersonate, strict=True)
            ]
        ),
    )


def results_to_wire(results: Sequence[TransactionResult]) -> pb.TransactionResults:
    """Return the answer to a batch as a message, column by column."""
    keys: list[bytes] = []
    values: list[bytes | None] = []
    write_count = []
    for result in results:
        writes = result.writes
        ordered = sorted(writes)
        keys += ordered
        values += map(writes.__getitem__, ordered)
        write_count.append(len(ordered))
    logs = [result.logs for result in results]
    tags = [result.tags for result in results]
    return pb.TransactionResults(
        index=[result.index for result in results],
        status=[int(result.status) if result.included else 0 for result in results],  # type: ignore[misc]
        gas_used=[result.gas_used for result in results],
        id=[result.id for result in results],
        sender=_column([result.sender for result in results]),
        output=_column([result.output for result in results]),
        burned=_column([integer(result.burned) if result.burned else b"" for result in results]),
        write_count=write_count,
        writes=entries_to_wire(keys, values),
        log_count=list(map(len, logs)) if any(logs) else (),
        logs=_logs_to_wire(chain.from_iterable(logs)),
        tag_count=list(map(len, tags)) if any(tags) else (),
        tags=chain.from_iterable(tags),
        details=_column([result.details for result in results]),
        message=_column([result.message for result in results]),
        refusals=[pb.Refusal(fits=r.fits, reason=r.reason, later=r.later) for r in results if not r.included],
    )


def results_from_wire(answer: pb.TransactionResults) -> list[TransactionResult]:
    """Return the answer to a batch from a message; ContainerMisbehaved where its columns do not fit."""
    count = len(answer.index)
    refusals = iter(list(answer.refusals))
    statuses = _rows("status", list(map(int, answer.status)), count, 0)
    if len(answer.refusals) != statuses.count(0):
        raise ContainerMisbehaved(
            f"{len(answer.refusals)} refusals came for {statuses.count(0)} transactions that are not included"
        )
    known = {0: Status.OK} | {number: _status(number) for number in sorted(set(statuses)) if number}
    columns = zip(
        answer.index,
        statuses,
        [None if status else next(refusals) for status in statuses],
        _rows("gas_used", cast(list[Gas], list(answer.gas_used)), count, Gas(0)),
        _rows("id", list(answer.id), count, b""),
        _rows("sender", list(answer.sender), count, b""),
        _rows("output", list(answer.output), count, b""),
        _rows("burned", list(map(_coin, answer.burned)), count, Coin(0)),
        _write_sets(answer, count),
        _parts("log_count", answer.log_count, _logs_from_wire(answer.logs), count),
        _parts("tag_count", answer.tag_count, tuple(answer.tags), count),
        _rows("details", list(answer.details), count, b""),
        _rows("message", list(answer.message), count, ""),
        strict=True,
    )
    return [
        TransactionResult(
            index=index,
            included=refusal is None,
            status=known[status],
            gas_used=gas,
            output=output,
            writes=writes,
            burned=burned,
            logs=logs,
            tags=tags,
            details=details,
            fits=refusal is None or refusal.fits,
            later=refusal is not None and refusal.later,
            reason="" if refusal is None else refusal.reason,
            message=message,
            id=id_,
            sender=sender,
        )
        for (
            index, status, refusal, gas, id_, sender, output, burned, writes, logs, tags, details, message
        ) in columns
    ]  # fmt: skip


def _column(values: list[S]) -> list[S]:
    """Return a column as it is sent: none at all where every row is empty."""
    return values if any(values) else []


def _rows(name: str, values: list[T], count: int, default: T) -> list[T]:
    """Return a column as long as the rows; ContainerMisbehaved where it has another length."""
    if not values:
        return [default] * count
    if len(values) != count:
        raise ContainerMisbehaved(f"the column {name} has {len(values)} entries for {count} rows")
    return values


def _cuts(name: str, counts: Sequence[int], total: int, count: int) -> list[int]:
    """Return where each row's part ends; ContainerMisbehaved where the parts are not the whole."""
    ends = list(accumulate(_rows(name, list(counts), count, 0)))
    if (ends[-1] if ends else 0) != total:
        raise ContainerMisbehaved(f"the column {name} sums to {ends[-1:]}; there are {total}")
    return ends


def _parts(name: str, counts: Sequence[int], whole: tuple[T, ...], count: int) -> Iterable[tuple[T, ...]]:
    if not whole and not counts:
        return [()] * count
    ends = _cuts(name, counts, len(whole), count)
    return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _write_sets(answer: pb.TransactionResults, count: int) -> list[Writes]:
    """Return each row's write set, from the writes of all of them."""
    keys, values = list(answer.writes.keys), values_from_wire(answer.writes)
    ends = _cuts("write_count", answer.write_count, len(keys), count)
    rising = bytearray(map(operator.lt, keys, keys[1:]))
    for end in ends:  # from one row to the next the order begins anew
        if 0 < end <= len(rising):
            rising[end - 1] = 1
    if 0 in rising:
        raise ContainerMisbehaved("the keys of a write set must be sorted and distinct")
    pairs = list(zip(keys, values, strict=True))
    return [dict(pairs[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def _status(number: int) -> Status:
    try:
        return Status(number)
    except ValueError:
        raise ContainerMisbehaved(
            f"status {number} does not exist; expected one of {', '.join(s.name for s in Status)}"
        ) from None


def hook_to_wire(hook: HookResult, *, credit: int) -> pb.BlockBegun:
    """Return what was done at the begin of a block as a message, with the batches it takes unanswered."""
    return pb.BlockBegun(
        credit=credit,
        writes=writes_to_wire(hook.writes),
        burned=integer(hook.burned),
        logs=_logs_to_wire(hook.logs),
        section=section_to_wire(hook.section),
    )


def hook_from_wire(begun: pb.BlockBegun) -> HookResult:
    """Return what was done at the begin of a block from a message."""
    return HookResult(
        writes=writes_from_wire(begun.writes),
        burned=_coin(begun.burned),
        logs=_logs_from_wire(begun.logs),
        section=section_from_wire(begun.section),
    )


def end_to_wire(end: BlockEndResult) -> pb.BlockResult:
    """Return what was done at the end of a block as a message."""
    return pb.BlockResult(
        writes=writes_to_wire(end.writes),
        burned=integer(end.burned),
        logs=_logs_to_wire(end.logs),
        section=section_to_wire(end.section),
    )


def end_from_wire(result: pb.BlockResult) -> BlockEndResult:
    """Return what was done at the end of a block from a message."""
    return BlockEndResult(
        writes=writes_from_wire(result.writes),
        burned=_coin(result.burned),
        logs=_logs_from_wire(result.logs),
        section=section_from_wire(result.section),
    )


# ---- reading


def view_to_wire(request: ViewRequest) -> pb.ViewRequest:
    """Return read-only work as a message. Of the recent ids it says the number: they are asked for."""
    message = pb.ViewRequest(
        start=start_to_wire(request.start, (), False), overrides=writes_to_wire(request.overrides)
    )
    message.start.recent_ids_count = len(request.start.recent_ids)
    if request.query is not None:
        message.query.method = request.query.method
        message.query.parameters_json = request.query.parameters
    elif request.call is not None:
        call = request.call
        wire = pb.Call(
            sender=call.sender,
            to=call.to,
            value=integer(call.value),
            input=call.input,
            gas_limit=call.gas_limit,
            options_json=call.options,
        )
        (message.estimate if request.estimate else message.call).CopyFrom(wire)
    return message


def view_from_wire(message: pb.ViewRequest, recent_ids: Sequence[bytes]) -> ViewRequest:
    """Return read-only work from a message, with the ring of ids beside it."""
    start = start_from_wire(message.start, recent_ids)
    overrides = writes_from_wire(message.overrides)
    kind = message.WhichOneof("view")
    if kind == "query":
        query = Query(method=message.query.method, parameters=message.query.parameters_json)
        return ViewRequest(start=start, query=query, overrides=overrides)
    wire = message.estimate if kind == "estimate" else message.call
    call = Call(
        sender=Address(wire.sender),
        to=wire.to,
        value=_coin(wire.value),
        input=wire.input,
        gas_limit=Gas(wire.gas_limit),
        options=wire.options_json,
    )
    return ViewRequest(start=start, call=call, estimate=kind == "estimate", overrides=overrides)


def view_result_to_wire(result: ViewResult) -> pb.ViewResult:
    """Return what came out of read-only work as a message."""
    return pb.ViewResult(
        status=cast(pb.Status, result.status.value),
        output=result.output,
        gas_used=result.gas_used,
        logs=_logs_to_wire(result.logs),
        message=result.message,
        json=result.json,
        reason=result.reason,
    )


def view_result_from_wire(result: pb.ViewResult) -> ViewResult:
    """Return what came out of read-only work from a message."""
    return ViewResult(
        status=_status(result.status),
        output=result.output,
        gas_used=Gas(result.gas_used),
        logs=_logs_from_wire(result.logs),
        message=result.message,
        json=result.json,
        reason=result.reason,
    )
