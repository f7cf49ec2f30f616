"""What the two clients ask, written once: each function makes one request and says how to read its answer.

The synchronous and the asynchronous client have the same methods; they differ in how they wait.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from vessel.client.failure import error_from_status
from vessel.client.reference import BlockAt, block_reference
from vessel.errors import ExecutionError, VesselError
from vessel.primitives.encoding import integer
from vessel_proto.dev.v1 import dev_pb2
from vessel_proto.node.v1 import node_pb2

Wait = Literal["accepted", "committed"]
Mining = Literal["auto", "interval", "manual"]
SubmissionOutcome = node_pb2.AcceptedTransaction | VesselError | ExecutionError
T = TypeVar("T")

DEFAULT_TIMEOUT_S = 10.0
COMMIT_TIMEOUT_S = 30.0
EXECUTION_TIMEOUT_S = 60.0  # of calls and estimates: a block's worth of gas may take this long
MINE_TIMEOUT_S = 120.0

NODE, DEV = "vessel.node.v1.NodeService", "vessel.dev.v1.DevService"

# Asked again where the connection is lost in the middle: asking twice is asking once.
REPEATABLE = (
    "GetServiceInfo",
    "GetTransaction",
    "GetBlock",
    "Call",
    "EstimateGas",
    "Query",
    "GetState",
    "ListContainers",
    "ListBlocks",
    "ListReceipts",
    "ListLogs",
)
_WAITS = {"accepted": node_pb2.WAIT_FOR_ACCEPTED, "committed": node_pb2.WAIT_FOR_COMMITTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Generic[T]):
    """One call. read: makes what the caller gets of the answer's message.

    timeout_s: instead of the client's own; more_s: on top of it, what the node may wait.
    """

    method: str
    message: Any
    read: Callable[[Any], T]
    service: str = NODE
    timeout_s: float | None = None
    more_s: float = 0.0

    def patience_s(self, default_s: float) -> float:
        """Return for how long to wait for the answer."""
        return (default_s if self.timeout_s is None else self.timeout_s) + self.more_s


def service_config(attempts: int) -> str | None:
    """Return which calls gRPC repeats by itself, and how; None where nothing is repeated."""
    if attempts < 2:
        return None
    policy = {
        "maxAttempts": attempts,
        "initialBackoff": "0.05s",
        "maxBackoff": "1s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    names = [{"service": NODE, "method": method} for method in REPEATABLE]
    return json.dumps({"methodConfig": [{"name": names, "retryPolicy": policy}]})


def as_sent(answer: T) -> T:
    """Return the answer as it is."""
    return answer


# ---- the chain


def service_info() -> Ask[node_pb2.GetServiceInfoResponse]:
    """Ask who answers."""
    return Ask(method="GetServiceInfo", message=node_pb2.GetServiceInfoRequest(), read=as_sent)


def block(at: BlockAt, read_mask: Sequence[str]) -> Ask[node_pb2.Block]:
    """Ask for a block."""
    message = node_pb2.GetBlockRequest(block=block_reference(at))
    if read_mask:
        message.read_mask.paths.extend(read_mask)
    return Ask(method="GetBlock", message=message, read=lambda answer: answer.block)


def containers() -> Ask[list[node_pb2.ContainerInfo]]:
    """Ask for the containers."""
    return Ask(
        method="ListContainers",
        message=node_pb2.ListContainersRequest(),
        read=lambda answer: list(answer.containers),
    )


# ---- transactions


def submit_many(
    transactions: Iterable[tuple[str, bytes]], wait: Wait, timeout_s: float
) -> Ask[list[SubmissionOutcome]]:
    """Ask to take transactions in."""
    return Ask(
        method="SubmitTransactions",
        message=node_pb2.SubmitTransactionsRequest(
            transactions=[
                node_pb2.SubmittedTransaction(container=container, raw=raw) for container, raw in transactions
            ],
            wait_for=_WAITS[wait],
            timeout_ms=int(timeout_s * 1000),
        ),
        read=lambda answer: [
            error_from_status(result.error) if result.WhichOneof("outcome") == "error" else result.accepted
            for result in answer.results
        ],
        more_s=timeout_s if wait == "committed" else 0.0,
    )


def only(outcomes: list[SubmissionOutcome]) -> node_pb2.AcceptedTransaction:
    """Return the one acceptance; raise what the transaction was refused with."""
    (outcome,) = outcomes
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def transaction(identity: bytes, container: str) -> Ask[node_pb2.GetTransactionResponse]:
    """Ask for a transaction."""
    message = node_pb2.GetTransactionRequest(container=container, id=identity)
    return Ask(method="GetTransaction", message=message, read=as_sent)


# ---- calls and queries


def call_message(
    container: str,
    *,
    to: bytes,
    input: bytes,
    sender: bytes,
    value: int,
    gas_limit: int,
    options: object,
    at: BlockAt,
) -> node_pb2.CallRequest:
    """Return the message of a call."""
    return node_pb2.CallRequest(
        container=container,
        at=block_reference(at),
        sender=sender,
        to=to,
        value=integer(value),
        input=input,
        gas_limit=gas_limit,
        options_json=b"" if options is None else json.dumps(options).encode(),
    )


def call(message: node_pb2.CallRequest) -> Ask[node_pb2.CallResponse]:
    """Ask to run a call."""
    return Ask(method="Call", message=message, read=as_sent, timeout_s=EXECUTION_TIMEOUT_S)


def estimate(message: node_pb2.CallRequest) -> Ask[int]:
    """Ask how much gas a call needs."""
    return Ask(
        method="EstimateGas",
        message=node_pb2.EstimateGasRequest(call=message),
        read=lambda answer: int(answer.gas_limit),
        timeout_s=EXECUTION_TIMEOUT_S,
    )


def query(container: str, method: str, parameters: object, at: BlockAt) -> Ask[Any]:
    """Ask a container what only it knows."""
    return Ask(
        method="Query",
        message=node_pb2.QueryRequest(
            container=container,
            at=block_reference(at),
            method=method,
            parameters_json=json.dumps({} if parameters is None else parameters).encode(),
        ),
        read=lambda answer: json.loads(answer.json) if answer.json else None,
    )


def state(keys: Sequence[bytes], with_proofs: bool, at: BlockAt) -> Ask[node_pb2.GetStateResponse]:
    """Ask for raw state."""
    message = node_pb2.GetStateRequest(keys=list(keys), at=block_reference(at), with_proofs=with_proofs)
    return Ask(method="GetState", message=message, read=as_sent)


# ---- development chains


def mine(blocks: int, interval_ms: int) -> Ask[int]:
    """Ask to make blocks."""
    return Ask(
        service=DEV,
        method="Mine",
        message=dev_pb2.MineRequest(blocks=blocks, interval_ms=interval_ms),
        read=lambda answer: int(answer.height),
        timeout_s=MINE_TIMEOUT_S,
    )


def set_mining(mode: Mining, interval_ms: int) -> Ask[None]:
    """Ask to make blocks otherwise."""
    message = dev_pb2.SetMiningRequest(mode=mode, interval_ms=interval_ms)
    return Ask(service=DEV, method="SetMining", message=message, read=lambda answer: None)


def snapshot() -> Ask[int]:
    """Ask to remember where the chain stands."""
    message = dev_pb2.SnapshotRequest()
    return Ask(service=DEV, method="Snapshot", message=message, read=lambda answer: int(answer.snapshot))


def revert(snapshot: int) -> Ask[int]:
    """Ask to go back."""
    message = dev_pb2.RevertRequest(snapshot=snapshot)
    return Ask(
        service=DEV,
        method="Revert",
        message=message,
        read=lambda answer: int(answer.height),
        timeout_s=MINE_TIMEOUT_S,
    )


def set_next_block_time(time_ms: int) -> Ask[None]:
    """Ask for the next block's time."""
    message = dev_pb2.SetNextBlockTimeRequest(time_ms=time_ms)
    return Ask(service=DEV, method="SetNextBlockTime", message=message, read=lambda answer: None)


def increase_time(by_ms: int) -> Ask[int]:
    """Ask to move the clock."""
    message = dev_pb2.IncreaseTimeRequest(by_ms=by_ms)
    return Ask(service=DEV, method="IncreaseTime", message=message, read=lambda answer: int(answer.offset_ms))


def set_balance(address: bytes, balance: int) -> Ask[dev_pb2.DevResponse]:
    """Ask to set an account's coin."""
    message = dev_pb2.SetBalanceRequest(address=address, balance=integer(balance))
    return Ask(service=DEV, method="SetBalance", message=message, read=as_sent, timeout_s=EXECUTION_TIMEOUT_S)


def write_state(writes: Iterable[tuple[bytes, bytes | None]]) -> Ask[dev_pb2.DevResponse]:
    """Ask to write raw state."""
    message = dev_pb2.WriteStateRequest(
        writes=[dev_pb2.StateWrite(key=key, value=value) for key, value in writes]
    )
    return Ask(service=DEV, method="WriteState", message=message, read=as_sent, timeout_s=EXECUTION_TIMEOUT_S)


def impersonate(
    container: str, sender: bytes, raw: bytes, wait: Wait, timeout_s: float
) -> Ask[dev_pb2.ImpersonateResponse]:
    """Ask to take in a transaction that its sender has not signed."""
    return Ask(
        service=DEV,
        method="Impersonate",
        message=dev_pb2.ImpersonateRequest(
            container=container,
            sender=sender,
            raw=raw,
            wait=wait == "committed",
            timeout_ms=int(timeout_s * 1000),
        ),
        read=as_sent,
        more_s=timeout_s if wait == "committed" else 0.0,
    )
