"""Write the protobuf code anew from every .proto under proto/vessel_proto.

    python proto/generate.py            write it beside each .proto
    python proto/generate.py --check    write nothing; fail where what lies there is not what would be written

The import root is proto/, so that a file's path is its import path. The output names the version of
grpcio-tools that wrote it: only the version pinned in pyproject.toml may write or compare.

Exit status: 0 done or fresh, 1 stale, 3 the pinned grpcio-tools is not installed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.resources
import importlib.util
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

PROTO = Path(__file__).resolve().parent
PACKAGE = PROTO / "vessel_proto"
PYPROJECT = PROTO.parent / "pyproject.toml"
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")

STALE = 1
TOOL_MISSING = 3


def pinned_version() -> str:
    """Return the version of grpcio-tools that the `dev` extra pins."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    for requirement in project["optional-dependencies"]["dev"]:
        name, pinned, version = str(requirement).partition("==")
        if pinned and name.strip() == "grpcio-tools":
            return version.strip()
    raise SystemExit(f"{PYPROJECT.name}: the dev extra does not pin grpcio-tools with ==")


def installed_version() -> str:
    """Return the version of grpcio-tools of this interpreter; empty where there is none."""
    try:
        return importlib.metadata.version("grpcio-tools")
    except importlib.metadata.PackageNotFoundError:
        return ""


def import_roots() -> list[Path]:
    """Return where protoc looks for imports: proto/, Google's well-known types, google.rpc."""
    roots = [PROTO, Path(str(importlib.resources.files("grpc_tools"))) / "_proto"]
    google_rpc = importlib.util.find_spec("google.rpc")
    if google_rpc is not None and google_rpc.submodule_search_locations:
        roots.append(Path(next(iter(google_rpc.submodule_search_locations))).parents[1])
    return roots


def generate(into: Path) -> None:
    """Write the code of every .proto under `into`, which mirrors proto/."""
    sources = sorted(PACKAGE.rglob("*.proto"))
    if not sources:
        raise SystemExit(f"there is no .proto under {PACKAGE.name}/")
    command = [sys.executable, "-m", "grpc_tools.protoc"]
    command += [f"-I{root}" for root in import_roots()]
    command += [f"--{kind}_out={into}" for kind in ("python", "pyi", "grpc_python")]
    if subprocess.run([*command, *map(str, sources)]).returncode != 0:
        raise SystemExit("protoc refused the sources; what is wrong with them is above")


def generated_files(folder: Path) -> dict[Path, bytes]:
    """Return the generated files under `folder` by their path relative to it."""
    return {
        path.relative_to(folder): path.read_bytes() for pattern in GENERATED for path in folder.rglob(pattern)
    }


def write(fresh: dict[Path, bytes]) -> None:
    """Put the fresh code beside each .proto and remove what no .proto makes any more."""
    for path in generated_files(PROTO).keys() - fresh.keys():
        (PROTO / path).unlink()
    for path, content in fresh.items():
        (PROTO / path).write_bytes(content)


def differences(fresh: dict[Path, bytes]) -> list[str]:
    """Return a line for every generated file that is missing, stale or without its .proto."""
    present = generated_files(PROTO)
    return [
        *(f"{path}: missing" for path in sorted(fresh.keys() - present.keys())),
        *(f"{path}: left over, no .proto makes it" for path in sorted(present.keys() - fresh.keys())),
        *(f"{path}: stale" for path in sorted(fresh.keys() & present.keys()) if fresh[path] != present[path]),
    ]


def main() -> int:
    """Write or compare, as asked."""
    parser = argparse.ArgumentParser(description="Write the protobuf code anew from proto/vessel_proto.")
    parser.add_argument("--check", action="store_true", help="compare with what lies there and write nothing")
    check = parser.parse_args().check

    pinned, installed = pinned_version(), installed_version()
    if installed != pinned:
        sys.stderr.write(
            f"the protobuf code is written with grpcio-tools {pinned}, here is {installed or 'none'}; "
            f"pip install grpcio-tools=={pinned}\n"
        )
        return TOOL_MISSING

    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = generated_files(Path(folder))
    if not check:
        write(fresh)
        return 0
    found = differences(fresh)
    for line in found:
        sys.stderr.write(f"proto/{line}\n")
    if found:
        sys.stderr.write("mend it with: make proto\n")
    return STALE if found else 0


if __name__ == "__main__":
    sys.exit(main())
