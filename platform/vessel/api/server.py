"""The node's servers, gRPC and HTTP: one event loop in a thread of its own, for as long as the node runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from vessel.api.authentication import TokenInterceptor
from vessel.api.dev_service import DevService
from vessel.api.exposure import Exposure, split
from vessel.api.limits import SERVER_OPTIONS
from vessel.api.node_service import NodeService
from vessel.api.taken_port import cannot_listen
from vessel.container.dev_api import DevApi
from vessel.container.node_api import NodeApi
from vessel_proto.dev.v1 import dev_pb2, dev_pb2_grpc
from vessel_proto.node.v1 import node_pb2, node_pb2_grpc

if TYPE_CHECKING:
    from vessel.api.http_host import HttpHost

STOP_GRACE_S = 1.0

_log = logging.getLogger("vessel.api")


class GrpcServer:
    """Serves node/v1, health and reflection, dev/v1 where the exposure allows it, and the HTTP host."""

    def __init__(
        self,
        node: NodeApi,
        exposure: Exposure,
        *,
        version: str,
        dev: DevApi | None = None,
        http: HttpHost | None = None,
    ) -> None:
        """Prepare. version: of the software. http: started and stopped with this server."""
        self._node = node
        self._dev = dev
        self._exposure = exposure
        self._version = version
        self._http = http
        self.address = exposure.grpc_address
        self._loop = _new_loop()
        self._stop = asyncio.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; ConfigurationError where an address cannot be had."""
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
                _log.exception("the server failed")
        finally:
            self._loop.close()

    async def _serve(self, ready: Future[str]) -> None:
        token = self._exposure.token
        server = grpc.aio.server(
            options=SERVER_OPTIONS, interceptors=[TokenInterceptor(token)] if token is not None else None
        )
        services = self._add_services(server)
        healthy = health.aio.HealthServicer()  # type: ignore[attr-defined]
        health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
        for service in ("", *services):
            await healthy.set(service, health_pb2.HealthCheckResponse.SERVING)
        names = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        address = self._listen(server)
        folder = tempfile.mkdtemp(prefix="vessel-http-") if self._http is not None else ""  # mode 0700
        try:
            if self._http is not None:
                server.add_insecure_port(f"unix:{folder}/grpc.sock")
            await server.start()
            try:
                if self._http is not None:
                    await self._http.start(f"unix:{folder}/grpc.sock")
                ready.set_result(address)
                await self._stop.wait()
                await healthy.enter_graceful_shutdown()
            finally:
                if self._http is not None:
                    await self._http.close()
                await server.stop(STOP_GRACE_S)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _add_services(self, server: grpc.aio.Server) -> Sequence[str]:
        node_pb2_grpc.add_NodeServiceServicer_to_server(NodeService(self._node, self._version), server)  # type: ignore[no-untyped-call]
        services = [node_pb2.DESCRIPTOR.services_by_name["NodeService"].full_name]
        if self._dev is not None and self._exposure.dev_at(self._exposure.grpc_address):
            dev_pb2_grpc.add_DevServiceServicer_to_server(DevService(self._dev), server)  # type: ignore[no-untyped-call]
            services.append(dev_pb2.DESCRIPTOR.services_by_name["DevService"].full_name)
        return services

    def _listen(self, server: grpc.aio.Server) -> str:
        wanted, tls = self._exposure.grpc_address, self._exposure.tls
        split(wanted, "--grpc")
        try:
            if tls is None:
                bound = server.add_insecure_port(wanted)
            else:
                credentials = grpc.ssl_server_credentials([(tls.key, tls.certificate)])
                bound = server.add_secure_port(wanted, credentials)
        except RuntimeError as error:
            raise cannot_listen(wanted, "--grpc HOST:PORT") from error
        if not bound:
            raise cannot_listen(wanted, "--grpc HOST:PORT")
        return f"{wanted.rpartition(':')[0]}:{bound}"

    def close(self) -> None:
        """Stop listening."""
        if self._thread is None:
            self._loop.close()
        elif self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # it failed to start, and the loop is closed already
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()


def _new_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop: uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
