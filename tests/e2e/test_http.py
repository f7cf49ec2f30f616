"""A browser's own gRPC-web client against a node, under node.js; and the HTTP host of `vessel dev`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.rpc import error_details_pb2, status_pb2

from e2e.node_child import serving, vessel
from vessel_proto.dev.v1 import dev_pb2
from vessel_proto.node.v1 import node_pb2

pytestmark = pytest.mark.slow

BROWSER = Path(__file__).parent / "browser"
TOKEN = "0123456789abcdef-a-token-for-tests"
FREE = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
NPM_TIMEOUT_S = 120


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client installed, and the API's descriptors for it."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip(
            "npm or node is not here: @connectrpc/connect-web comes by npm; on Debian: apt-get install npm"
        )
    folder = Path(shutil.copytree(BROWSER, tmp_path_factory.mktemp("browser") / "page"))
    installed = subprocess.run(
        [npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder, capture_output=True, text=True, timeout=NPM_TIMEOUT_S, check=False,
    )  # fmt: skip
    if installed.returncode:
        pytest.skip(f"npm cannot install @connectrpc/connect-web here: {installed.stderr.strip()[:200]}")
    (folder / "api.binpb").write_bytes(descriptors().SerializeToString())
    return folder


def descriptors() -> descriptor_pb2.FileDescriptorSet:
    """Return what protoc would write of node/v1 and dev/v1, imports included and before their users."""
    found: dict[str, descriptor_pb2.FileDescriptorProto] = {}

    def add(name: str) -> None:
        file = descriptor_pool.Default().FindFileByName(name)
        for dependency in file.dependencies:
            add(dependency.name)
        if name not in found:
            found[name] = descriptor_pb2.FileDescriptorProto.FromString(file.serialized_pb)

    for module in (node_pb2, dev_pb2, status_pb2, error_details_pb2):
        add(module.DESCRIPTOR.name)
    return descriptor_pb2.FileDescriptorSet(file=found.values())


def speak(page: Path, address: str, *words: str) -> dict[str, object]:
    """Run the page."""
    ended = subprocess.run(
        ["node", "calls.js", f"http://{address}", "api.binpb", *words],
        cwd=page, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    said: dict[str, object] = json.loads(ended.stdout)
    return said


def test_connect_web_calls_streams_and_fails_as_it_should(page: Path) -> None:
    with serving("dev", *FREE, "--mining", "manual") as banner:
        said = speak(page, banner["http"])
    assert said["chainId"] == 31337
    assert said["mined"] == 2
    assert said["streamed"] == [0, 1, 2]
    error = said["error"]
    assert isinstance(error, dict)
    assert (error["code"], error["hasDetails"]) == (5, True)
    assert "99" in error["message"]


def test_connect_web_with_a_token(page: Path) -> None:
    with serving("dev", *FREE, "--mining", "manual", VESSEL_TOKEN=TOKEN) as banner:
        refused = speak(page, banner["http"])["error"]
        assert isinstance(refused, dict)
        assert refused["code"] == 16
        assert speak(page, banner["http"], TOKEN)["mined"] == 2


def test_the_banner_says_where_http_is() -> None:
    with serving("dev", *FREE) as banner:
        assert banner["http"].startswith("127.0.0.1:")
        assert banner["http"] != banner["grpc"]


def test_a_gateway_that_is_not_there() -> None:
    said = vessel("dev", *FREE, "--gateway", "nonsense")
    assert said.returncode == 8
    assert "there is no such gateway" in said.stderr
