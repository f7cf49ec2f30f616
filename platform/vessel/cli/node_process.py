"""A node as a child process: started, killed and cleaned up by whoever holds this object."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from vessel.cli.options import TOKEN_VARIABLE
from vessel.errors import VesselError

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
_LOG_TAIL_LINES = 15


class NodeProcess:
    """`vessel run` on a data directory and a free port, in a session of its own.

    The session is what makes cleaning up certain: whatever the node started is in its process group.
    """

    def __init__(self, data_dir: Path, *, arguments: tuple[str, ...] = ()) -> None:
        """Start it and wait until it serves."""
        self.log = data_dir.parent / f"{data_dir.name}.log"
        command = [
            sys.executable, "-m", "vessel.cli.main", "run", "--json",
            "--data-dir", str(data_dir), "--grpc", "127.0.0.1:0", *arguments,
        ]  # fmt: skip
        # A token in the surroundings is for the person's own node, not for this one.
        kept = {name: os.environ[name] for name in os.environ if not name.startswith(TOKEN_VARIABLE)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=kept,
                start_new_session=True,
            )  # fmt: skip
        self.pid = self._process.pid
        try:
            self.banner = self._first_line()
        except BaseException:
            self.close()
            raise
        self.address = str(self.banner["grpc"])

    def __enter__(self) -> Self:
        """Return the process itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it and everything it started."""
        self.close()

    def kill(self) -> None:
        """End the node as a power cut would: SIGKILL, no goodbye; what it started is left alone."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does; return its exit status."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise VesselError(
                f"the node (process {self.pid}) did not stop within {STOP_TIMEOUT_S:g} s; its log: {self.log}"
            ) from None

    def close(self) -> None:
        """End the node and its whole process group; again is harmless."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _first_line(self) -> dict[str, object]:
        """Return the document that `vessel run --json` writes once it serves."""
        stdout = self._process.stdout
        assert stdout is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise VesselError(f"the node did not serve within {START_TIMEOUT_S:g} s:\n{self._log_tail()}")
            chunk = os.read(stdout.fileno(), 65_536)
            if not chunk:
                raise VesselError(f"the node ended instead of serving:\n{line.decode()}{self._log_tail()}")
            line += chunk
        document = json.loads(line)
        if not isinstance(document, dict) or "error" in document:
            raise VesselError(f"the node refused to start: {line.decode().strip()}")
        return document

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was not waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True  # no /proc here
    return state not in ("Z", "X")


def wait_until_gone(pid: int, timeout_s: float) -> bool:
    """Tell whether a process that is not our child ends within the time."""
    deadline = time.monotonic() + timeout_s
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
