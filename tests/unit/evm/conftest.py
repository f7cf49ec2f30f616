"""What the tests of the EVM share: a thread with the stack that the plugin's runtime gives its work."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

STACK_SIZE_BYTES = 64 << 20


@pytest.fixture
def deep_stack() -> Callable[[Callable[[], None]], None]:
    """Run a function in a thread with 64 MiB of stack; what it raises is raised here."""

    def run(work: Callable[[], None]) -> None:
        faults: list[BaseException] = []

        def body() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                faults.append(error)

        before = threading.stack_size(STACK_SIZE_BYTES)
        try:
            thread = threading.Thread(target=body)
            thread.start()
        finally:
            threading.stack_size(before)
        thread.join()
        if faults:
            raise faults[0]

    return run
