"""The gRPC server: one event loop in a thread of its own, for as long as the node runs."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from vessel.api.node_service import DevService, NodeService
from vessel.container.node_api import NodeApi
from vessel.errors import ConfigurationError
from vessel_proto.dev.v1 import dev_pb2, dev_pb2_grpc
from vessel_proto.node.v1 import node_pb2, node_pb2_grpc

MAX_MESSAGE_SIZE_BYTES = 64 << 20
STOP_GRACE_S = 1.0

_log = logging.getLogger("vessel.api")


class GrpcServer:
    """Serves node/v1, health and reflection, and dev/v1 where `dev`."""

    def __init__(self, node: NodeApi, *, address: str, version: str, dev: bool) -> None:
        """Prepare. address: host:port; port 0 takes a free one."""
        self._node = node
        self._wanted = address
        self._version = version
        self._dev = dev
        self.address = address
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; ConfigurationError where the address cannot be had."""
        ready: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="grpc-api", daemon=True)
        self._thread.start()
        self.address = ready.result()

    def _run(self, ready: Future[str]) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(ready))
        except Exception as error:  # noqa: BLE001 - the edge of the thread
            if not ready.done():
                ready.set_exception(error)
            else:
                _log.exception("the gRPC server failed")
        finally:
            self._loop.close()

    async def _serve(self, ready: Future[str]) -> None:
        server = grpc.aio.server(
            options=(
                ("grpc.max_receive_message_length", MAX_MESSAGE_SIZE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_SIZE_BYTES),
                ("grpc.so_reuseport", 0),  # a taken port is an error, not a share of it
            )
        )
        node_pb2_grpc.add_NodeServiceServicer_to_server(NodeService(self._node, self._version), server)  # type: ignore[no-untyped-call]
        services = [node_pb2.DESCRIPTOR.services_by_name["NodeService"].full_name]
        if self._dev:
            dev_pb2_grpc.add_DevServiceServicer_to_server(DevService(self._node), server)  # type: ignore[no-untyped-call]
            services.append(dev_pb2.DESCRIPTOR.services_by_name["DevService"].full_name)
        healthy = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
        for service in ("", *services):
            await healthy.set(service, health_pb2.HealthCheckResponse.SERVING)
        names = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        host, _, _ = self._wanted.rpartition(":")
        try:
            bound = server.add_insecure_port(self._wanted)
        except RuntimeError:
            bound = 0
        if not host or not bound:
            raise ConfigurationError(
                f"cannot listen on {self._wanted!r}: expected host:port that is free; another node may be "
                "running. Choose another with --grpc HOST:PORT (port 0 takes a free one).",
                reason="ADDRESS_IN_USE",
                address=self._wanted,
            )
        await server.start()
        ready.set_result(f"{host}:{bound}")
        await self._stop.wait()
        await healthy.enter_graceful_shutdown()
        await server.stop(STOP_GRACE_S)

    def close(self) -> None:
        """Stop listening."""
        if self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
