"""Compiler output: a contract's ABI and bytecode, in the formats that the compilers and tools write.

Hardhat, Truffle        {"abi": [...], "bytecode": "0x..."}
Foundry                 {"abi": [...], "bytecode": {"object": "0x..."}}
solc --combined-json    {"contracts": {"file:Name": {"abi": ..., "bin": "..."}}}
solc --standard-json    {"contracts": {"file": {"Name": {"abi": ..., "evm": {"bytecode": {"object": ...}}}}}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vessel.cli.abi import Abi, parse_abi
from vessel.errors import ConfigurationError

_PLACEHOLDER = re.compile(r"__[$A-Za-z].{0,36}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One compiled contract. bytecode: empty for an interface or an abstract contract."""

    name: str
    abi: Abi
    bytecode: bytes
    source: str

    def creation_code(self) -> bytes:
        """Return the bytecode; ConfigurationError where there is none to deploy."""
        if not self.bytecode:
            raise ConfigurationError(
                f"{self.source}: {self.name} has no bytecode, it is an interface or abstract; deploy a "
                "contract that implements it"
            )
        return self.bytecode


def load_artifact(path: Path, *, contract: str = "") -> Artifact:
    """Read an artifact; `contract` chooses where a file has several."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"cannot read the artifact {path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(
            f"{path} is not JSON ({error}); expected an artifact as Hardhat, Foundry or solc write it"
        ) from None
    found = list(_contracts(document, path))
    if contract:
        found = [each for each in found if contract in (each[0], each[0].rpartition(":")[2])]
        if not found:
            names = ", ".join(name for name, _, _ in _contracts(document, path))
            raise ConfigurationError(f"{path} has no contract {contract!r}; it has {names or 'none'}")
    if len(found) > 1:  # helpers without code of their own do not make a choice hard
        found = [each for each in found if _hex_of(each[2])] or found
    if len(found) != 1:
        names = ", ".join(name for name, _, _ in found)
        raise ConfigurationError(f"{path} has several contracts: {names}; choose with --contract NAME")
    name, abi, bytecode = found[0]
    return Artifact(
        name=name.rpartition(":")[2],
        abi=parse_abi(json.loads(abi) if isinstance(abi, str) else abi, source=str(path)),
        bytecode=_bytecode(_hex_of(bytecode), path),
        source=str(path),
    )


def _contracts(document: object, path: Path) -> Iterator[tuple[str, object, object]]:
    """Yield name, ABI and bytecode of every contract of a document."""
    if isinstance(document, Mapping) and "abi" in document:
        yield str(document.get("contractName") or path.stem), document["abi"], document.get("bytecode")
        return
    contracts = document.get("contracts") if isinstance(document, Mapping) else None
    if not isinstance(contracts, Mapping) or not contracts:
        raise ConfigurationError(
            f"{path} is not an artifact: expected {{abi, bytecode}} of Hardhat or Foundry, or the output of "
            "solc with --combined-json abi,bin"
        )
    for name, entry in contracts.items():
        if not isinstance(entry, Mapping):
            raise ConfigurationError(f"{path}: its contract {name} is not an object")
        if "abi" in entry or "bin" in entry:
            yield str(name), entry.get("abi", []), entry.get("bin")
            continue
        for inner, output in entry.items():
            evm = output.get("evm", {}) if isinstance(output, Mapping) else {}
            if isinstance(output, Mapping):
                yield f"{name}:{inner}", output.get("abi", []), evm.get("bytecode")


def _hex_of(bytecode: object) -> str:
    if isinstance(bytecode, Mapping):
        bytecode = bytecode.get("object")
    return bytecode.removeprefix("0x") if isinstance(bytecode, str) else ""


def _bytecode(digits: str, path: Path) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        placeholder = _PLACEHOLDER.search(digits)
        if placeholder:
            raise ConfigurationError(
                f"{path}: the bytecode is not linked, it still names a library ({placeholder[0]}); link it "
                "with the compiler first"
            ) from None
        raise ConfigurationError(f"{path}: the bytecode is not hexadecimal") from None
