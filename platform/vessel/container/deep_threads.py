"""Threads with room for deep calls: an interpreter of 1,024 nested frames needs a stack to match."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

STACK_SIZE_BYTES = 64 << 20  # address space, not memory: pages come as they are touched

_starting = threading.Lock()  # threading.stack_size is one setting for the whole process


def start_deep_thread(target: Callable[[], None], *, name: str) -> threading.Thread:
    """Start a daemon thread with a deep stack."""
    with _starting:
        before = threading.stack_size(STACK_SIZE_BYTES)
        try:
            thread = threading.Thread(target=target, name=name, daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
    return thread


class DeepThreadPool(ThreadPoolExecutor):
    """A thread pool whose threads have deep stacks."""

    def _adjust_thread_count(self) -> None:
        with _starting:
            before = threading.stack_size(STACK_SIZE_BYTES)
            try:
                super()._adjust_thread_count()
            finally:
                threading.stack_size(before)
