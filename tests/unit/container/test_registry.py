"""Finding a container, and saying what is wrong when there is none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from containers.counter import CounterContainer
from vessel.container.registry import installed_kinds, load_container
from vessel.container.supervisor import plugin_command
from vessel.errors import UnknownContainer


def test_by_module_and_attribute() -> None:
    assert load_container("containers.counter:CounterContainer").manifest == CounterContainer.manifest


def test_installed_kinds_are_sorted() -> None:
    assert list(installed_kinds()) == sorted(installed_kinds())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("nonesuch", "no container of kind 'nonesuch' is installed; there are: .*module:attribute"),
        ("", "no container of kind '' is installed"),
        ("nowhere_at_all:Container", "cannot be loaded: No module named 'nowhere_at_all'"),
        ("containers.counter:Nothing", "cannot be loaded: .*Nothing"),
        ("containers.counter:", "cannot be loaded"),
        (":Container", "cannot be loaded"),
        ("containers.counter:GAS", "cannot be loaded: .*not callable"),
    ],
)
def test_what_cannot_be_loaded_is_named(kind: str, message: str) -> None:
    with pytest.raises(UnknownContainer, match=message):
        load_container(kind)


def test_the_command_line_of_an_installed_kind() -> None:
    assert plugin_command("evm") == (sys.executable, "-m", "vessel.container.plugin", "evm")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"), [((), "usage: "), (("nonesuch",), "no container of kind 'nonesuch'")]
)
def test_the_command_line_says_what_is_wrong(arguments: tuple[str, ...], message: str) -> None:
    command = (sys.executable, "-W", "error", "-m", "vessel.container.plugin", *arguments)
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(message)


@pytest.mark.slow
def test_a_container_is_written_without_grpc() -> None:
    program = "import sys, vessel.container, vessel.container.local; sys.exit('grpc' in sys.modules)"
    assert subprocess.run((sys.executable, "-c", program), check=False, timeout=30).returncode == 0
