"""`vessel dev` from one run to the next: --state, --load-state, --dump-state, --block-time, --no-mining."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vessel.cli.dev_state import mining_of
from vessel.client import NodeClient
from vessel.errors import ConfigurationError

pytestmark = pytest.mark.slow

BOB = bytes.fromhex("70997970C51812dc3A010C7d01b50e0d17dc79C8")


@contextmanager
def dev_node(*options: str) -> Iterator[str]:
    """Run `vessel dev` as a person does, yield its address, and end it by Ctrl-C."""
    command = [sys.executable, "-m", "vessel", "dev", "--json", "--grpc", "127.0.0.1:0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ)
    assert process.stdout is not None
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            try:
                document = json.loads(b"".join(lines))
            except ValueError:
                continue
            break
        else:
            raise AssertionError(process.communicate()[1].decode())
        yield document["grpc"]
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said.decode()


def send(address: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vessel", "send", "0x" + BOB.hex(), "--value", "1", "--node", address],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_a_chain_goes_on_in_the_next_run(tmp_path: Path) -> None:
    state = tmp_path / "chain.blocks"
    with dev_node("--state", str(state)) as address:
        send(address)
        send(address)
        with NodeClient(address) as node:
            head = node.service_info().head
    assert state.exists()
    with dev_node("--state", str(state)) as address, NodeClient(address) as node:
        assert node.service_info().head == head
        send(address)
        assert node.service_info().head.height == head.height + 1
    other = tmp_path / "other.blocks"
    with (
        dev_node("--load-state", str(state), "--dump-state", str(other)) as address,
        NodeClient(address) as node,
    ):
        assert node.service_info().head.height == head.height + 1
    assert other.read_bytes() == state.read_bytes()


def test_a_state_that_is_none_is_refused(tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_bytes(b"not blocks")
    for path, words in ((junk, "not a file of blocks"), (tmp_path / "missing", "cannot read the state")):
        command = [sys.executable, "-m", "vessel", "dev", "--grpc", "127.0.0.1:0", "--load-state", str(path)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        assert done.returncode in (4, 8)
        assert words in done.stderr.decode().replace("\n", " ")


def test_mining_options() -> None:
    assert mining_of(None, 1.5, False) == "interval:1500"
    assert mining_of(None, None, True) == "manual"
    assert mining_of("auto", None, False) == "auto"
    with pytest.raises(ConfigurationError, match="--block-time, --no-mining"):
        mining_of(None, 1, True)
