"""Which process has a store open."""

from __future__ import annotations

import os
from pathlib import Path

from vessel.errors import StoreLocked


def store_path(url: str) -> Path | None:
    """Return the directory of a storage URL; None for memory."""
    scheme, _, path = url.partition(":")
    return Path(path) if scheme in ("leveldb", "rocksdb") and path else None


def holder(url: str) -> int | None:
    """Return the process that holds the lock of a store; None where there is none, or nobody tells."""
    path = store_path(url)
    try:
        if path is None:
            return None
        status = (path / "LOCK").stat()
        locks = Path("/proc/locks").read_text()
    except OSError:
        return None
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in locks.splitlines():
        words = line.split()
        if place in words and "->" not in words:
            process = int(words[words.index(place) - 1])
            return process if process > 0 else None
    return None


def with_holder(error: StoreLocked, url: str) -> StoreLocked:
    """Return the error with the process that is in the way, where that is known."""
    process = holder(url)
    if process is not None and process != os.getpid():
        error.message += f"; it is process {process}{_command(process)}"
        error.details["process_id"] = str(process)
    return error


def _command(process: int) -> str:
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return f" ({b' '.join(words).decode(errors='replace').strip()[:80]})"
