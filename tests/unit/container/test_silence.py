"""Only a silence in which somebody waits is one."""

from __future__ import annotations

import threading
import time

import pytest

from vessel.container.silence import SilenceWatch


class Waited:
    """Something that is waited for, or not."""

    def __init__(self, *, waiting: bool) -> None:
        self.waiting_since = time.monotonic() if waiting else 0.0
        self.given_up = threading.Event()

    def give_up(self) -> None:
        self.given_up.set()


@pytest.mark.slow
def test_who_waits_too_long_is_given_up_and_who_does_not_wait_is_left_alone() -> None:
    watch = SilenceWatch(0.05)
    idle, removed, silent = Waited(waiting=False), Waited(waiting=True), Waited(waiting=True)
    for waited in (idle, removed, silent):
        watch.add(waited)
    watch.remove(removed)
    assert silent.given_up.wait(20)
    assert not idle.given_up.is_set()
    assert not removed.given_up.is_set()
    watch.close()
