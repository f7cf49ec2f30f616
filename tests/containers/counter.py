"""A counter: transactions are the text `add NAME AMOUNT [NOTE]`. The same bytes count only once."""

import hashlib
import json
from collections.abc import Iterator, Sequence

from vessel import container as vc
from vessel.primitives.units import Gas

GAS = Gas(1)  # of every transaction


def decode(raw: bytes, state: vc.BlockState) -> tuple[bytes, bytes, int, str]:
    """Return id, name, amount and, where the transaction has no place in a block, the reason."""
    transaction_id = hashlib.sha256(raw).digest()
    match raw.split():
        case [b"add", name, amount, *note] if amount.isdigit() and len(amount) <= 9 and len(note) <= 1:
            seen = state.get(b"seen/" + transaction_id) is not None
            return transaction_id, name, int(amount), "DUPLICATE" if seen else ""
    return transaction_id, b"", 0, "MALFORMED"


class Counting:
    """One block: the host asks it to begin, to execute batches, to end."""

    def __init__(self, start: vc.BlockStart, state: vc.BlockState) -> None:
        self.start, self.state = start, state
        self.gas_left, self.gas_used = start.gas_limit, 0

    def begin(self) -> vc.HookResult:
        return vc.HookResult()

    def transactions(self, batch: vc.TransactionBatch) -> Iterator[vc.TransactionResult]:
        self.gas_left = self.gas_left if batch.gas_available is None else batch.gas_available
        for index, transaction in enumerate(batch.transactions, batch.first_index):
            id_, name, amount, reason = decode(transaction.raw, self.state)
            if reason or self.gas_left < GAS:
                fits = bool(reason)  # false: the block is full, and over for this container
                yield vc.TransactionResult(index=index, included=False, fits=fits, reason=reason, id=id_)
                if fits:
                    continue
                return
            value = b"%d" % (int(self.state.get(b"value/" + name) or 0) + amount)
            self.state.put(b"value/" + name, value)
            self.state.put(b"seen/" + id_, b"")
            self.gas_left, self.gas_used = Gas(self.gas_left - GAS), self.gas_used + GAS
            log = vc.Log(address=b"counter", topics=(b"added", name), data=value)
            writes = self.state.take_writes()
            yield vc.TransactionResult(
                index=index, included=True, id=id_, gas_used=GAS, output=value, writes=writes, logs=(log,)
            )

    def end(self) -> vc.BlockEndResult:
        return vc.BlockEndResult(
            section=vc.Section(gas_limit=self.start.gas_limit, gas_used=Gas(self.gas_used))
        )


class CounterContainer:
    """What the host drives; `validate` and `view` may run beside a block, so they share nothing with it."""

    manifest = vc.Manifest(name="counter", version="1.0.0")

    def configure(self, configuration: vc.Configuration) -> vc.Configured:
        return vc.Configured(schema_version=1)

    def validate(self, request: vc.ValidationRequest, state: vc.BlockState) -> Sequence[vc.TransactionCheck]:
        return [self.check(raw, state) for raw in request.raw]

    def check(self, raw: bytes, state: vc.BlockState) -> vc.TransactionCheck:
        id_, _, _, reason = decode(raw, state)
        why = {"MALFORMED": "expected: add NAME AMOUNT [NOTE]", "DUPLICATE": "it has counted: add a NOTE"}
        return vc.TransactionCheck(
            accepted=not reason, reason=reason, message=why.get(reason, ""), id=id_, gas_limit=GAS
        )

    def execute(self, start: vc.BlockStart, state: vc.BlockState) -> Counting:
        return Counting(start, state)

    def finish(self, execution_id: str, outcome: vc.Outcome) -> None:
        """Nothing is kept in memory between blocks, so there is nothing to do."""

    def view(self, request: vc.ViewRequest, state: vc.BlockState) -> vc.ViewResult:
        if request.query is None or request.query.method != "value":
            return vc.ViewResult(status=vc.Status.INVALID, reason="UNKNOWN_METHOD", message="query: value")
        name = json.loads(request.query.parameters)["name"].encode()
        return vc.ViewResult(json=b'{"value": %d}' % int(state.get(b"value/" + name) or 0))
