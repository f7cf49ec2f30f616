"""An address that cannot be had: why, who has it, and what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path

from vessel.api.exposure import split
from vessel.errors import ConfigurationError

_LISTENING = "0A"


def cannot_listen(address: str, option: str) -> ConfigurationError:
    """Return the error of an address that could not be listened on, with its mend.

    Reason ADDRESS_IN_USE with the other's process id where it is known, or ADDRESS_NOT_USABLE.
    """
    _, port = split(address)
    failure = refusal(address)
    if failure is not None and failure.errno != errno.EADDRINUSE:
        return ConfigurationError(
            f"cannot listen on {address!r}: {failure.strerror or failure}; name an address of this machine "
            f"with {option}",
            reason="ADDRESS_NOT_USABLE",
            address=address,
        )
    holder = listener(port)
    who = f"process {holder} listens there" if holder else "it is taken"
    error = ConfigurationError(
        f"cannot listen on {address!r}: {who}; another node may be running. Stop it, or choose another "
        f"address with {option} (port 0 takes a free one).",
        reason="ADDRESS_IN_USE",
        address=address,
    )
    if holder:
        error.details["process_id"] = str(holder)
    return error


def refusal(address: str) -> OSError | None:
    """Return why an address cannot be listened on at this moment; None where it can."""
    host, port = split(address)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(place)
            trial.listen()
    except OSError as error:  # socket.gaierror is one
        return error
    return None


def listener(port: int) -> int | None:
    """Return the process that listens on a TCP port; None where there is none, or nobody tells."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    sockets.add(f"socket:[{fields[9]}]")
    if not sockets:
        return None
    for process in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError), os.scandir(f"/proc/{process}/fd") as descriptors:
            for descriptor in descriptors:
                with contextlib.suppress(OSError):
                    if os.readlink(descriptor.path) in sockets:
                        return int(process)
    return None
