"""The committed protobuf code is what proto/generate.py writes today."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TOOL_MISSING = 3

SAMPLE = """\
syntax = "proto3";
package vessel.sample.v1;
message Ping {
  uint64 number = 1;
}
service Sample {
  rpc Echo(Ping) returns (Ping);
}
"""


def generate(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repository / "proto" / "generate.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == TOOL_MISSING:
        pytest.skip(done.stderr.strip())
    return done


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a tree with one .proto and the code generated from it."""
    package = tmp_path / "proto" / "vessel_proto" / "sample" / "v1"
    package.mkdir(parents=True)
    (package / "sample.proto").write_text(SAMPLE)
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    shutil.copy(REPOSITORY / "proto" / "generate.py", tmp_path / "proto")
    done = generate(tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_generated_code_is_fresh() -> None:
    done = generate(REPOSITORY, "--check")
    assert done.returncode == 0, done.stderr


def test_writes_messages_stubs_and_services_beside_the_source(repository: Path) -> None:
    package = repository / "proto" / "vessel_proto" / "sample" / "v1"
    assert sorted(path.name for path in package.iterdir()) == [
        "sample.proto",
        "sample_pb2.py",
        "sample_pb2.pyi",
        "sample_pb2_grpc.py",
    ]
    assert "vessel_proto.sample.v1" in (package / "sample_pb2_grpc.py").read_text()
    assert generate(repository, "--check").returncode == 0


@pytest.mark.slow
def test_check_finds_stale_missing_and_left_over_code_and_writes_nothing(repository: Path) -> None:
    package = repository / "proto" / "vessel_proto" / "sample" / "v1"
    (package / "sample.proto").write_text(SAMPLE.replace("number", "count"))
    (package / "sample_pb2.pyi").unlink()
    (package / "gone_pb2.py").touch()

    done = generate(repository, "--check")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "proto/vessel_proto/sample/v1/sample_pb2.pyi: missing",
        "proto/vessel_proto/sample/v1/gone_pb2.py: left over, no .proto makes it",
        "proto/vessel_proto/sample/v1/sample_pb2.py: stale",
        "mend it with: make proto",
    ]
    assert not (package / "sample_pb2.pyi").exists()

    assert generate(repository).returncode == 0
    assert not (package / "gone_pb2.py").exists()
    assert generate(repository, "--check").returncode == 0


def test_refuses_another_version_of_the_tool(repository: Path) -> None:
    pyproject = repository / "pyproject.toml"
    installed = importlib.metadata.version("grpcio-tools")
    pyproject.write_text(pyproject.read_text().replace(f"grpcio-tools=={installed}", "grpcio-tools==0.0.1"))
    command = [sys.executable, str(repository / "proto" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == TOOL_MISSING
    assert f"is written with grpcio-tools 0.0.1, here is {installed}" in done.stderr
