"""Plugin processes that do not start, die, hang or shout: what the host makes of each."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import msgspec
import pytest

from containers.host import Host
from containers.launch import TESTS, plugin_command
from containers.transports import no_wait
from vessel.container import Configuration
from vessel.container.plugin import HOST_TOKEN_VARIABLE
from vessel.container.remote import RemoteConnection
from vessel.container.supervisor import BACKOFF_S, MAX_DEATHS_IN_A_ROW, ContainerHost, Supervisor
from vessel.errors import (
    ConfigurationError,
    ContainerMisbehaved,
    ContainerQuarantined,
    ContainerUnavailable,
    ProtocolMismatch,
)
from vessel.primitives.units import Hash32
from vessel_proto.container.v1 import container_pb2 as pb
from vessel_proto.container.v1 import container_pb2_grpc as rpc

COUNTER = "containers.counter:CounterContainer"
MISBEHAVING = "containers.misbehaving:MisbehavingContainer"
RAW = [b"add a %d" % number for number in range(1, 7)]


@pytest.fixture
def plugin_host() -> Iterator[ContainerHost]:
    """Where plugins dial in."""
    host = ContainerHost()
    yield host
    host.close()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is to be closed when the test is over."""
    with ExitStack() as closing:
        yield closing


class Pauses:
    """Counts the backoffs instead of sitting them out."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, pause_s: float) -> None:
        self.taken.append(pause_s)


def supervise(
    host: ContainerHost,
    stack: ExitStack,
    command: tuple[str, ...],
    *,
    timeout_s: float = 20,
    pauses: Pauses | None = None,
) -> Supervisor:
    supervisor = Supervisor(
        "toy", command, host, timeout_s=timeout_s, start_timeout_s=20, wait=pauses or no_wait
    )
    stack.callback(supervisor.close)
    return supervisor


def parameters(**chosen: object) -> bytes:
    return msgspec.json.encode(chosen)


def configuration(given: bytes = b"{}") -> Configuration:
    return Configuration(
        chain_id=7, genesis_hash=Hash32(bytes(32)), instance="toy", namespace=1, parameters=given
    )


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


# ---- the handshake


def register(host: ContainerHost, **fields: object) -> grpc.RpcError:
    with grpc.insecure_channel(host.address) as channel:
        stub = rpc.ContainerHostStub(channel)  # type: ignore[no-untyped-call]
        request = pb.RegisterRequest(**fields)  # type: ignore[arg-type]
        with pytest.raises(grpc.RpcError) as caught:
            stub.Register(request, timeout=10)
    return caught.value


@pytest.mark.parametrize("token", ["", "guessed", "0" * 64, "ümlaut"])
def test_a_wrong_token_is_refused(plugin_host: ContainerHost, token: str) -> None:
    plugin_host.expect()
    error = register(plugin_host, name="counter", token=token)
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "token" in (error.details() or "")


def test_a_token_is_valid_once(plugin_host: ContainerHost) -> None:
    token, registered = plugin_host.expect()
    with grpc.insecure_channel(plugin_host.address) as channel:
        stub = rpc.ContainerHostStub(channel)  # type: ignore[no-untyped-call]
        request = pb.RegisterRequest(
            name="counter", token=token, protocol_minor=7, capabilities=["block_hooks", "of_the_future"]
        )
        answer = stub.Register(request, timeout=10)
    assert list(answer.enabled) == ["block_hooks"]  # what the host does not know falls away
    assert answer.protocol_minor == 1
    manifest, _ = registered.result(timeout=10)
    assert manifest.capabilities == {"block_hooks"}
    assert register(plugin_host, token=token).code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.slow
def test_another_major_is_refused_with_both_numbers_and_the_mend(
    plugin_host: ContainerHost, stack: ExitStack
) -> None:
    supervisor = supervise(plugin_host, stack, plugin_command("containers.misbehaving:OtherMajor"))
    with pytest.raises(ProtocolMismatch, match=r"9\.9\.9 speaks .* 99\.3.*host speaks 0\.1.*install"):
        supervisor.connection()


def test_a_missing_command_is_named(plugin_host: ContainerHost, stack: ExitStack) -> None:
    supervisor = supervise(plugin_host, stack, ("/nowhere/plugin", "--fast"))
    with pytest.raises(
        ConfigurationError, match=r"/nowhere/plugin --fast: No such file.*\[containers\.toy\]"
    ):
        supervisor.connection()


def test_a_plugin_that_ends_before_it_registers_is_quoted(
    plugin_host: ContainerHost, stack: ExitStack
) -> None:
    text = "import sys; print('on the way'); sys.exit('no libfoo here')"
    supervisor = supervise(plugin_host, stack, program(text))
    with pytest.raises(ContainerUnavailable, match=r"ended with 1 before it registered(.|\n)*no libfoo here"):
        supervisor.connection()


@pytest.mark.slow
def test_an_unknown_kind_ends_with_the_kinds_there_are(plugin_host: ContainerHost, stack: ExitStack) -> None:
    supervisor = supervise(plugin_host, stack, plugin_command("nonesuch"))
    with pytest.raises(ContainerUnavailable, match=r"no container of kind 'nonesuch'.*there are: .*evm"):
        supervisor.connection()


def test_a_plugin_that_never_registers_is_ended(plugin_host: ContainerHost, stack: ExitStack) -> None:
    supervisor = Supervisor(
        "toy",
        program("import sys; sys.stdin.read()"),
        plugin_host,
        timeout_s=1,
        start_timeout_s=0.05,
        wait=no_wait,
    )
    stack.callback(supervisor.close)
    with pytest.raises(ContainerUnavailable, match=r"did not register within 0\.05 s"):
        supervisor.connection()


@pytest.mark.slow
def test_a_plugin_without_a_host_says_who_starts_it() -> None:
    environment = {k: v for k, v in os.environ.items() if k != HOST_TOKEN_VARIABLE}
    ended = subprocess.run(
        plugin_command(COUNTER), env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert ended.returncode == 2
    assert "started by a node" in ended.stderr
    assert ended.stderr.count("\n") == 1


# ---- death


@pytest.mark.slow
def test_a_killed_plugin_is_replaced_by_a_configured_one(
    plugin_host: ContainerHost, stack: ExitStack
) -> None:
    supervisor = supervise(plugin_host, stack, plugin_command(COUNTER))
    prepared: list[RemoteConnection] = []

    def prepare(connection: RemoteConnection) -> None:
        connection.configure(configuration())
        prepared.append(connection)

    supervisor.on_start(prepare)
    connection = supervisor.connection()
    host = Host(connection, instance="toy")
    expected = host.abandon(RAW, time_ms=1, after_batches=None)
    os.kill(supervisor.pid, signal.SIGKILL)
    with pytest.raises(ContainerUnavailable):
        host.abandon(RAW, time_ms=1, after_batches=None)
    supervisor.lost(connection)  # the stream breaks a moment before the process is gone
    host.connection = supervisor.connection()
    assert host.abandon(RAW, time_ms=1, after_batches=None).digests == expected.digests
    assert prepared[1:] == [host.connection]
    assert supervisor.restarts == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("at", "fault"),
    [
        *((at, "die") for at in ("begin", "read", "batch", "end", "validate", "view")),
        ("batch", "exit"),
    ],
)
def test_a_death_at_any_frame_changes_nothing(
    plugin_host: ContainerHost, stack: ExitStack, tmp_path: Path, at: str, fault: str
) -> None:
    supervisor = supervise(plugin_host, stack, plugin_command(MISBEHAVING))
    given = parameters(fault=fault, at=at, times=2, memory=str(tmp_path / "deaths"))
    supervisor.on_start(lambda connection: void(connection.configure(configuration(given))))
    host: Host | None = None
    deaths = 0
    while True:
        connection = supervisor.connection()
        try:
            host = host or Host(connection, instance="toy", parameters=given)
            host.connection = connection
            checks = host.validate(RAW, time_ms=1)
            block = host.abandon(RAW, time_ms=1, after_batches=None)
            value = host.query("value", name="a")
            break
        except ContainerUnavailable:
            deaths += 1
            supervisor.lost(connection)
    supervisor.served()
    assert deaths == 2
    assert not supervisor.quarantined
    good = supervise(plugin_host, stack, plugin_command(COUNTER))
    other = Host(good.connection(), instance="toy")
    assert [check.id for check in checks] == [check.id for check in other.validate(RAW, time_ms=1)]
    assert block.digests == other.abandon(RAW, time_ms=1, after_batches=None).digests
    assert value == other.query("value", name="a")


@pytest.mark.slow
def test_repeated_deaths_quarantine(plugin_host: ContainerHost, stack: ExitStack) -> None:
    pauses = Pauses()
    supervisor = supervise(plugin_host, stack, plugin_command(COUNTER), pauses=pauses)
    for _ in range(MAX_DEATHS_IN_A_ROW + 1):
        supervisor.lost(supervisor.connection())
    with pytest.raises(ContainerQuarantined, match=r"died 7 times in a row.*Mend the plugin and restart"):
        supervisor.connection()
    assert supervisor.quarantined
    assert pauses.taken == [pause_s for pause_s in BACKOFF_S if pause_s]
    with pytest.raises(ContainerQuarantined):
        supervisor.connection()


@pytest.mark.slow
def test_work_that_comes_back_forgives_the_deaths_before_it(
    plugin_host: ContainerHost, stack: ExitStack
) -> None:
    pauses = Pauses()
    supervisor = supervise(plugin_host, stack, plugin_command(COUNTER), pauses=pauses)
    for _ in range(3):
        supervisor.lost(supervisor.connection())
        supervisor.connection()
        supervisor.served()
    assert pauses.taken == []
    assert supervisor.restarts == 3


@pytest.mark.slow
def test_a_hung_plugin_counts_as_lost(plugin_host: ContainerHost, stack: ExitStack, tmp_path: Path) -> None:
    supervisor = supervise(plugin_host, stack, plugin_command(MISBEHAVING), timeout_s=0.5)
    given = parameters(fault="hang", at="batch", times=1, memory=str(tmp_path / "hangs"))
    host = Host(supervisor.connection(), instance="toy", parameters=given)
    with pytest.raises(ContainerUnavailable, match=r"said nothing for 0\.5 s"):
        host.abandon(RAW, time_ms=1)
    supervisor.lost(supervisor.connection())
    host.connection = supervisor.connection()
    host.connection.configure(configuration(given))
    assert len(host.abandon(RAW, time_ms=1, after_batches=None).results) == len(RAW)


@pytest.mark.slow
def test_an_exception_in_the_container_is_no_outcome(plugin_host: ContainerHost, stack: ExitStack) -> None:
    supervisor = supervise(plugin_host, stack, plugin_command(MISBEHAVING))
    given = parameters(fault="raise", at="batch")
    host = Host(supervisor.connection(), instance="toy", parameters=given)
    with pytest.raises(ContainerUnavailable, match="RuntimeError: raised on purpose at batch"):
        host.abandon(RAW, time_ms=1, after_batches=None)


@pytest.mark.slow
def test_an_unsorted_write_set_is_refused(plugin_host: ContainerHost, stack: ExitStack) -> None:
    supervisor = supervise(plugin_host, stack, plugin_command(MISBEHAVING))
    host = Host(supervisor.connection(), instance="toy", parameters=parameters(fault="unsorted"))
    with pytest.raises(ContainerMisbehaved, match="sorted and distinct"):
        host.abandon(RAW, time_ms=1)


# ---- logs


@pytest.mark.slow
def test_a_flood_on_stdout_and_stderr_does_not_block(
    plugin_host: ContainerHost, stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # eight hundred thousand lines are read and thrown away
    supervisor = supervise(plugin_host, stack, plugin_command(MISBEHAVING))
    given = parameters(fault="flood", at="batch")
    host = Host(supervisor.connection(), instance="toy", parameters=given)
    assert len(host.abandon(RAW[:1], time_ms=1, after_batches=None).results) == 1


@pytest.mark.slow
def test_what_a_plugin_prints_is_a_log_with_its_level(
    plugin_host: ContainerHost, stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    text = "import sys; print('plain'); sys.stderr.write('ERROR it broke\\nWARNING hot\\n'); sys.exit(1)"
    supervisor = supervise(plugin_host, stack, program(text))
    with pytest.raises(ContainerUnavailable):
        supervisor.connection()
    said = {(r.name, r.levelname, r.message) for r in caplog.records}
    assert said >= {
        ("vessel.container.toy", "INFO", "plain"),
        ("vessel.container.toy", "ERROR", "it broke"),
        ("vessel.container.toy", "WARNING", "hot"),
    }


# ---- the end of the host

_HOST = """
import os, sys
from vessel.container.supervisor import ContainerHost, Supervisor
command = (sys.executable, "-c", sys.argv[1], *sys.argv[2:])
host = ContainerHost()
supervisor = Supervisor("toy", command, host, timeout_s=20, start_timeout_s=20)
supervisor.connection()
print(supervisor.pid, host.address.removeprefix("unix:"), flush=True)
sys.stdin.read()
"""

# The plugin holds the writing end of a pipe: whoever reads the other end sees when it is gone.
_PLUGIN = """
import os, sys
os.open(sys.argv[1], os.O_WRONLY)
sys.path.insert(0, sys.argv[2])
from containers.counter import CounterContainer
from vessel.container import serve
serve(CounterContainer())
"""


@pytest.mark.slow
def test_a_plugin_ends_when_its_host_is_killed(tmp_path: Path) -> None:
    pipe = tmp_path / "held-by-the-plugin"
    os.mkfifo(pipe)
    host = subprocess.Popen(
        (sys.executable, "-c", _HOST, _PLUGIN, str(pipe), str(TESTS)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with host, pipe.open("rb") as held:
        assert host.stdout is not None
        pid, address = host.stdout.readline().split()
        os.kill(int(pid), 0)  # it is there
        host.kill()
        assert held.read() == b""  # returns when the last writer is gone: the plugin's end
    folder = Path(address.decode()).parent
    assert sorted(path.name for path in folder.iterdir()) == ["host.sock"]
    (folder / "host.sock").unlink()
    folder.rmdir()


@pytest.mark.slow
def test_closing_ends_the_plugin_in_order(plugin_host: ContainerHost, stack: ExitStack) -> None:
    supervisor = supervise(plugin_host, stack, plugin_command(COUNTER))
    supervisor.connection()
    process = supervisor._process
    assert process is not None
    supervisor.close()
    assert process._process.returncode == 0
    with pytest.raises(ContainerUnavailable, match="being closed"):
        supervisor.connection()


def void(_: object) -> None:
    """Take a value and return none."""
