"""The plugin's side of the wire: what the author of a container calls.

    from vessel.container import serve

    serve(MyContainer())

An installed container needs no program of its own: `python -m vessel.container.plugin KIND`.

The process dials the host at VESSEL_HOST_ADDRESS with the one-time VESSEL_HOST_TOKEN, and then serves
container/v1 on a Unix socket of its own. Whatever it prints is a log. It ends when its host ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from pathlib import Path

import grpc

from vessel.container.deep_threads import DeepThreadPool
from vessel.container.frames import MAX_MESSAGE_SIZE_BYTES
from vessel.container.interface import Container
from vessel.container.servicer import Servicer
from vessel.errors import VesselError
from vessel_proto.container.v1 import container_pb2 as pb
from vessel_proto.container.v1 import container_pb2_grpc as rpc

HOST_ADDRESS_VARIABLE = "VESSEL_HOST_ADDRESS"
HOST_TOKEN_VARIABLE = "VESSEL_HOST_TOKEN"

# Of streams and calls at once; the host keeps to fewer. Deep, because a container is configured in one.
_THREADS = 32


def serve(container: Container) -> None:
    """Serve `container` to the host that started this process, until the host ends.

    Exits with 2 and one line on stderr where the process was not started by a host, 3 where the host
    refused it.
    """
    address, token = os.environ.get(HOST_ADDRESS_VARIABLE), os.environ.pop(HOST_TOKEN_VARIABLE, "")
    if not address or not token:
        sys.stderr.write(
            f"this is a Vessel container plugin ({container.manifest.name}): it is started by a node, which "
            f"sets {HOST_ADDRESS_VARIABLE} and {HOST_TOKEN_VARIABLE}. Run `vessel run` or `vessel dev`.\n"
        )
        sys.exit(2)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the host, which ends us in order
    # Beside the host's own socket, where only this user can reach it: it goes when the host's folder goes.
    path = Path(address.removeprefix("unix:")).with_name(f"{os.getpid()}.sock")
    socket = f"unix:{path}"
    try:
        server = grpc.server(
            DeepThreadPool(_THREADS, thread_name_prefix="grpc"),
            options=(
                ("grpc.max_receive_message_length", MAX_MESSAGE_SIZE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_SIZE_BYTES),
            ),
        )
        server.add_generic_rpc_handlers((Servicer(container).handler(),))
        server.add_insecure_port(socket)
        server.start()
        _register(container, address, token, socket)
        sys.stdin.buffer.read()  # the host holds the other end: end of file is the end of the host
        server.stop(0)
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
    os._exit(0)  # threads of an execution in mid-air must not hold the process


def _register(container: Container, address: str, token: str, socket: str) -> None:
    manifest = container.manifest
    with grpc.insecure_channel(address) as channel:
        try:
            stub = rpc.ContainerHostStub(channel)  # type: ignore[no-untyped-call]
            stub.Register(
                pb.RegisterRequest(
                    protocol_major=manifest.protocol_major,
                    protocol_minor=manifest.protocol_minor,
                    name=manifest.name,
                    version=manifest.version,
                    token=token,
                    listen_address=socket,
                    capabilities=sorted(manifest.capabilities),
                    recent_ids=manifest.recent_ids,
                ),
                timeout=30,
                wait_for_ready=True,
            )
        except grpc.RpcError as error:
            sys.stderr.write(f"the host refused this container: {error.details()}\n")
            sys.exit(3)


def main() -> None:
    """Serve an installed container by the name of its kind: `python -m vessel.container.plugin evm`."""
    from vessel.container.registry import load_container

    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m vessel.container.plugin KIND\n")
        sys.exit(2)
    try:
        container = load_container(sys.argv[1])
    except VesselError as error:
        sys.stderr.write(f"{error.message}\n")
        sys.exit(2)
    serve(container)


if __name__ == "__main__":
    main()
