"""Python and the libraries that a node stands on."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from vessel.cli.finding import Finding, fail, ok, warn
from vessel.errors import ConfigurationError

PYTHON_MIN = (3, 11)
PYTHON_TESTED = (3, 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """An installed distribution. lack: what goes without it; empty where nothing does."""

    module: str
    distribution: str
    lack: str = ""


LIBRARIES = (
    Library(module="grpc", distribution="grpcio"),
    Library(module="google.protobuf", distribution="protobuf"),
    Library(module="msgspec", distribution="msgspec"),
    Library(module="coincurve", distribution="coincurve"),
    Library(module="sha3", distribution="safe-pysha3"),
    Library(module="eth", distribution="py-evm"),
    Library(module="rocksdict", distribution="rocksdict"),
    Library(module="aiohttp", distribution="aiohttp"),
    Library(
        module="plyvel",
        distribution="plyvel",
        lack="LevelDB stores cannot be opened; new chains are kept in RocksDB. There are wheels for CPython "
        "3.11 and 3.12 on x86-64 Linux and macOS",
    ),
    Library(module="uvloop", distribution="uvloop", lack="the servers run on asyncio's own, slower loop"),
)


def examine_machine() -> Iterator[Finding]:
    """Yield what there is to say of the interpreter and the libraries."""
    version = f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}"
    if sys.version_info[:2] < PYTHON_MIN:
        needed = ".".join(map(str, PYTHON_MIN))
        yield fail("python", ConfigurationError(f"{version}; vessel needs {needed} or later"))
    elif sys.version_info[:2] > PYTHON_TESTED:
        tested = ".".join(map(str, PYTHON_TESTED))
        yield warn("python", f"{version} is newer than {tested}, the last that is tested", f"use {tested}")
    else:
        yield ok("python", version)
    yield from map(_library, LIBRARIES)


def _library(library: Library) -> Finding:
    what = f"library {library.distribution}"
    try:
        importlib.import_module(library.module)
        return ok(what, importlib.metadata.version(library.distribution))
    except (ImportError, importlib.metadata.PackageNotFoundError) as error:
        mend = f"pip install {library.distribution}"
        if library.lack:
            return warn(what, f"is not there: {library.lack}", mend)
        return fail(what, ConfigurationError(f"cannot be loaded: {error}"), mend=mend)
