"""A connection to one node: its gRPC API as plain, typed calls.

Synchronous and safe to use from several threads. Every call has a timeout and fails with an error of
`vessel.errors`: what the node raised, or NodeUnreachable, NodeTimeout and Unauthenticated for what lies
between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar

import grpc

from vessel.client import request
from vessel.client.failure import error_from_call
from vessel.client.reference import BlockAt
from vessel.client.request import (
    COMMIT_TIMEOUT_S,
    DEFAULT_TIMEOUT_S,
    DEV,
    Ask,
    Mining,
    SubmissionOutcome,
    Wait,
    service_config,
)
from vessel.client.search import SearchCalls
from vessel.client.security import Tls, credentials, metadata, options
from vessel.config import DEFAULT_GRPC_ADDRESS
from vessel_proto.dev.v1 import dev_pb2, dev_pb2_grpc
from vessel_proto.node.v1 import node_pb2, node_pb2_grpc

DEFAULT_ATTEMPTS = 3

T = TypeVar("T")


class NodeClient(SearchCalls):
    """The node at `address` (host:port). Close it, or use it as a context manager."""

    def __init__(
        self,
        address: str = DEFAULT_GRPC_ADDRESS,
        *,
        tls: Tls = False,
        token: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        attempts: int = DEFAULT_ATTEMPTS,
    ) -> None:
        """Keep what is needed; the connection is made by the first call.

        tls: a PEM file of the authorities to trust, the node's own certificate for instance; True: the
        public ones. token: what the node asks for; ConfigurationError rather than sending it beyond this
        machine without TLS. timeout_s: of calls that do not execute or wait for blocks. attempts: how
        often a call that only reads is made where the connection is lost in the middle; 1: once.
        """
        self.address = address
        self.timeout_s = timeout_s
        self._metadata = metadata(token, address=address, tls=tls)
        self._channel = _channel(address, tls, attempts)
        self._node = node_pb2_grpc.NodeServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._dev = dev_pb2_grpc.DevServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; again is harmless."""
        self._channel.close()

    # ---- the chain

    def service_info(self) -> node_pb2.GetServiceInfoResponse:
        """Return who answers: chain, software, head."""
        return self.run(request.service_info())

    def block(self, at: BlockAt = "latest", *, read_mask: Sequence[str] = ()) -> node_pb2.Block:
        """Return a block; NotFound where there is none.

        read_mask: paths of Block (id, header, transactions, receipts, result); empty: all but receipts.
        """
        return self.run(request.block(at, read_mask))

    def containers(self) -> list[node_pb2.ContainerInfo]:
        """Return the containers of the chain with their health."""
        return self.run(request.containers())

    # ---- transactions

    def submit(
        self, container: str, raw: bytes, *, wait: Wait = "committed", timeout_s: float = COMMIT_TIMEOUT_S
    ) -> node_pb2.AcceptedTransaction:
        """Submit one signed transaction; raise what the node refused it with.

        Never repeated by itself: after a NodeUnreachable ask `transaction` whether it arrived, or submit
        the same bytes again, which can take effect only once.
        """
        return request.only(self.run(request.submit_many([(container, raw)], wait, timeout_s)))

    def submit_many(
        self,
        transactions: Iterable[tuple[str, bytes]],
        *,
        wait: Wait = "committed",
        timeout_s: float = COMMIT_TIMEOUT_S,
    ) -> list[SubmissionOutcome]:
        """Submit pairs of container and raw bytes; return, in their order, acceptances and errors.

        timeout_s: how long the node may wait for blocks when `wait` is "committed".
        """
        return self.run(request.submit_many(transactions, wait, timeout_s))

    def transaction(self, identity: bytes, *, container: str = "") -> node_pb2.GetTransactionResponse:
        """Return a transaction, committed or pending; NotFound where the node knows none of that id."""
        return self.run(request.transaction(identity, container))

    # ---- calls and queries

    def call(
        self,
        container: str,
        *,
        to: bytes = b"",
        input: bytes = b"",
        sender: bytes = b"",
        value: int = 0,
        gas_limit: int = 0,
        options: object = None,
        at: BlockAt = "latest",
    ) -> node_pb2.CallResponse:
        """Run a call in a container and keep nothing; a revert is an answer, not an error."""
        message = request.call_message(
            container,
            to=to,
            input=input,
            sender=sender,
            value=value,
            gas_limit=gas_limit,
            options=options,
            at=at,
        )
        return self.run(request.call(message))

    def estimate(
        self,
        container: str,
        *,
        to: bytes = b"",
        input: bytes = b"",
        sender: bytes = b"",
        value: int = 0,
        options: object = None,
        at: BlockAt = "latest",
    ) -> int:
        """Return the least gas limit with which a call succeeds; ExecutionReverted where none does."""
        message = request.call_message(
            container, to=to, input=input, sender=sender, value=value, gas_limit=0, options=options, at=at
        )
        return self.run(request.estimate(message))

    def query(
        self, container: str, method: str, parameters: object = None, *, at: BlockAt = "latest"
    ) -> Any:  # JSON as the container answers it
        """Ask a container what only it knows; parameters and answer are JSON values."""
        return self.run(request.query(container, method, parameters, at))

    def state(
        self, keys: Sequence[bytes], *, with_proofs: bool = False, at: BlockAt = "latest"
    ) -> node_pb2.GetStateResponse:
        """Return the raw values of full state keys (namespace, two bytes, then key), with proofs if asked."""
        return self.run(request.state(keys, with_proofs, at))

    # ---- development chains; InvalidRequest, reason NOT_SERVED, on others

    def mine(self, blocks: int = 1, *, interval_ms: int = 0) -> int:
        """Make blocks now; return the height of the last. interval_ms: between their times."""
        return self.run(request.mine(blocks, interval_ms))

    def set_mining(self, mode: Mining, *, interval_ms: int = 0) -> None:
        """Make a block on every transaction ("auto"), every so often ("interval"), or by hand ("manual")."""
        self.run(request.set_mining(mode, interval_ms))

    def snapshot(self) -> int:
        """Remember where the chain stands; return a number for `revert`."""
        return self.run(request.snapshot())

    def revert(self, snapshot: int) -> int:
        """Go back to a snapshot, which is used up by it; return the height of the head."""
        return self.run(request.revert(snapshot))

    def set_next_block_time(self, time_ms: int) -> None:
        """Set the time of the next block, in milliseconds since the Unix epoch."""
        self.run(request.set_next_block_time(time_ms))

    def increase_time(self, by_ms: int) -> int:
        """Move the chain's clock forward for good; return how far it is ahead, all together."""
        return self.run(request.increase_time(by_ms))

    def set_balance(self, address: bytes, balance: int) -> dev_pb2.DevResponse:
        """Set the native coin of an address."""
        return self.run(request.set_balance(address, balance))

    def write_state(self, writes: Iterable[tuple[bytes, bytes | None]]) -> dev_pb2.DevResponse:
        """Write raw state: pairs of full state key and value, None deletes."""
        return self.run(request.write_state(writes))

    def impersonate(
        self,
        container: str,
        sender: bytes,
        raw: bytes,
        *,
        wait: Wait = "committed",
        timeout_s: float = COMMIT_TIMEOUT_S,
    ) -> dev_pb2.ImpersonateResponse:
        """Submit a transaction that its sender has not signed."""
        return self.run(request.impersonate(container, sender, raw, wait, timeout_s))

    # ---- any call

    def run(self, ask: Ask[T]) -> T:
        """Make one call and read its answer; errors as everywhere here."""
        patience_s = ask.patience_s(self.timeout_s)
        call = getattr(self._dev if ask.service == DEV else self._node, ask.method)
        try:
            answer = call(ask.message, timeout=patience_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise error_from_call(
                error, address=self.address, method=ask.method, timeout_s=patience_s
            ) from error
        return ask.read(answer)

    def stream(self, ask: Ask[T], *, timeout_s: float | None = None) -> Iterator[T]:
        """Yield the answers of a call that has many; close the iterator to end it.

        timeout_s: of the whole stream; None: none.
        """
        call = getattr(self._dev if ask.service == DEV else self._node, ask.method)(
            ask.message, timeout=timeout_s, metadata=self._metadata
        )
        try:
            for answer in call:
                yield ask.read(answer)
        except grpc.RpcError as error:
            raise error_from_call(
                error, address=self.address, method=ask.method, timeout_s=timeout_s or 0.0
            ) from error
        finally:
            call.cancel()


def _channel(address: str, tls: Tls, attempts: int) -> grpc.Channel:
    chosen, secret = options(service_config(attempts)), credentials(tls)
    if secret is None:
        return grpc.insecure_channel(address, options=chosen)
    return grpc.secure_channel(address, secret, options=chosen)
