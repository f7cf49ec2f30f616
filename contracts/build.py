# SPDX-License-Identifier: Apache-2.0
"""Rebuild the artifacts beside the contracts' sources, or compare them with a rebuild.

    python contracts/build.py                     rebuild all
    python contracts/build.py --check             compare, write nothing
    python contracts/build.py --compiler vyper    only what this compiler makes (may be repeated)

Artifacts are committed so that nobody needs a compiler to use the contracts; `--check` is how one finds out
that a source and its artifact have drifted apart. Exit status: 0 done or all the same, 1 something differs
or does not compile, 3 a compiler is missing (and, under `--check`, what the others make is the same).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).resolve().parent
EVM = CONTRACTS / "evm"
PREDEPLOYS = EVM / "predeploys.json"

EVM_VERSION = "prague"
VYPER_VERSION = "0.4.3"
ASSEMBLER_VERSION = "1"

SAME, DIFFERENT, COMPILER_MISSING = 0, 1, 3

# What Hardhat writes, so that the tools which read its artifacts read ours; our own keys come after.
ARTIFACT_FORMAT = "hh-sol-artifact-1"

Artifact = dict[str, Any]
Artifacts = dict[Path, Artifact]


class BuildError(Exception):
    """A source that does not compile, with what its compiler said."""


class CompilerMissing(Exception):
    """A compiler that is not installed in its pinned version, with how to install it."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(description="Rebuild the contracts' artifacts.")
    parser.add_argument("--check", action="store_true", help="compare with a rebuild and write nothing")
    parser.add_argument("--compiler", action="append", choices=list(COMPILERS), help="only this one's")
    options = parser.parse_args(arguments)
    compilers: list[str] = options.compiler or list(COMPILERS)

    built: Artifacts = {}
    present: list[str] = []
    missing: list[str] = []
    for compiler in compilers:
        try:
            built |= COMPILERS[compiler]()
            present.append(compiler)
        except CompilerMissing as error:
            missing.append(str(error))
        except BuildError as error:
            print(f"{compiler}: {error}", file=sys.stderr)
            return DIFFERENT

    if options.check:
        differences = [*compare(built), *orphans(built, present)]
        for difference in differences:
            print(difference, file=sys.stderr)
        if differences:
            print("Rebuild with: python contracts/build.py", file=sys.stderr)
        else:
            by = ", ".join(present) or "no compiler"
            print(f"{len(built)} artifacts are as their sources make them, checked with {by}")
        status = DIFFERENT if differences else SAME
    elif missing:
        # All or nothing: half a rebuild would look like a whole one.
        print("Nothing was written.", file=sys.stderr)
        status = SAME
    else:
        for path, artifact in built.items():
            path.write_text(render(artifact), encoding="utf-8", newline="\n")
            print(path.relative_to(CONTRACTS))
        status = SAME

    for reason in missing:
        print(reason, file=sys.stderr)
    return COMPILER_MISSING if missing and status == SAME else status


def render(artifact: Mapping[str, Any]) -> str:
    """Give the one text an artifact has on disk."""
    return json.dumps(artifact, indent=2, ensure_ascii=False) + "\n"


def compare(built: Artifacts) -> Iterable[str]:
    """Yield a line for each artifact that is not on disk as it was built, saying what differs."""
    for path, artifact in built.items():
        name = path.relative_to(CONTRACTS.parent)
        if not path.exists():
            yield f"{name}: missing"
            continue
        text = path.read_text(encoding="utf-8")
        if text == render(artifact):
            continue
        try:
            committed = json.loads(text)
        except ValueError as error:
            yield f"{name}: not JSON: {error}"
            continue
        keys = [key for key in {**artifact, **committed} if artifact.get(key) != committed.get(key)]
        for key in keys:
            yield f"{name}: {key}: {_excerpts(committed.get(key), artifact.get(key))}"
        if not keys:
            yield f"{name}: same content, other formatting"


def orphans(built: Artifacts, compilers: Iterable[str]) -> Iterable[str]:
    """Yield a line for each artifact on disk that none of these compilers makes any more."""
    names = set(compilers)
    for path in sorted(EVM.glob("*/*.json")):
        if path not in built and json.loads(path.read_text(encoding="utf-8"))["compiler"]["name"] in names:
            yield f"{path.relative_to(CONTRACTS.parent)}: no source makes this; delete it"


def _excerpts(committed: object, rebuilt: object) -> str:
    """Show where two values part, in a line short enough to read."""
    ours, theirs = (json.dumps(value, ensure_ascii=False) for value in (committed, rebuilt))
    shorter = min(len(ours), len(theirs))
    at = next((i for i in range(shorter) if ours[i] != theirs[i]), shorter)
    around = slice(max(0, at - 20), at + 40)
    return f"at character {at} the file has …{ours[around]}… and a rebuild …{theirs[around]}…"


def _artifact(
    source: Path,
    name: str,
    language: str,
    compiler: Mapping[str, Any],
    *,
    abi: list[Any],
    bytecode: str,
    deployed_bytecode: str,
    extras: Mapping[str, Any] | None = None,
) -> tuple[Path, Artifact]:
    """Put one contract's artifact together, beside its source."""
    artifact: Artifact = {
        "_format": ARTIFACT_FORMAT,
        "contractName": name,
        "sourceName": _source_name(source),
        "abi": abi,
        "bytecode": bytecode,
        "deployedBytecode": deployed_bytecode,
        "linkReferences": {},
        "deployedLinkReferences": {},
        "language": language,
        "compiler": dict(compiler),
        **(extras or {}),
    }
    return source.parent / f"{name}.json", artifact


def _source_name(source: Path) -> str:
    """Name a source from the repository's root, the same on every machine: it is hashed into the code."""
    return source.relative_to(CONTRACTS.parent).as_posix()


def _hex(code: str) -> str:
    return "0x" + code.removeprefix("0x")


def _predeployed() -> set[Path]:
    """List the artifacts that dev chains have from their first block."""
    paths: dict[str, str] = json.loads(PREDEPLOYS.read_text(encoding="utf-8"))
    return {EVM / path for path in paths.values()}


# Solidity


def build_solidity() -> Artifacts:
    """Compile each .sol by itself, so that no artifact depends on another source."""
    sources = sorted(EVM.glob("*/*.sol"))
    predeployed = _predeployed()
    inputs: list[dict[str, Any]] = []
    for source in sources:
        settings: dict[str, Any] = {
            "optimizer": {"enabled": True, "runs": 200},
            "evmVersion": EVM_VERSION,
        }
        if source.with_suffix(".json") in predeployed:
            # The code is part of the genesis state: a word changed in a comment must not change its root.
            settings["metadata"] = {"appendCBOR": False}
        inputs.append(
            {
                "language": "Solidity",
                "sources": {_source_name(source): {"content": source.read_text(encoding="utf-8")}},
                "settings": {
                    **settings,
                    "outputSelection": {
                        "*": {
                            "*": [
                                "abi",
                                "evm.bytecode.object",
                                "evm.deployedBytecode.object",
                                "evm.deployedBytecode.immutableReferences",
                                "storageLayout",
                            ]
                        }
                    },
                },
            }
        )

    version, outputs = _run_solc(inputs)
    built: Artifacts = {}
    for source, request, output in zip(sources, inputs, outputs, strict=True):
        # Warnings too: samples are there to be read and copied.
        if errors := output.get("errors"):
            raise BuildError("\n".join(error["formattedMessage"] for error in errors))
        settings = {k: v for k, v in request["settings"].items() if k != "outputSelection"}
        for name, contract in output["contracts"][_source_name(source)].items():
            code = contract["evm"]
            if not code["bytecode"]["object"]:
                continue  # an interface
            path, artifact = _artifact(
                source,
                name,
                "Solidity",
                {"name": "solc", "version": version, "settings": settings},
                abi=contract["abi"],
                bytecode=_hex(code["bytecode"]["object"]),
                deployed_bytecode=_hex(code["deployedBytecode"]["object"]),
                extras={
                    "immutableReferences": code["deployedBytecode"].get("immutableReferences", {}),
                    "storageLayout": _storage_layout(contract["storageLayout"]),
                },
            )
            if path in built:
                raise BuildError(f"{path.name} would be made by two sources of {path.parent.name}/")
            built[path] = artifact
    return built


def _run_solc(inputs: list[dict[str, Any]]) -> tuple[str, list[Any]]:
    """Compile standard-JSON inputs with the pinned solc and give its long version and outputs."""
    pinned = json.loads((CONTRACTS / "package.json").read_text(encoding="utf-8"))["dependencies"]["solc"]
    mend = f"Install solc {pinned} with: npm ci --prefix contracts"
    node = shutil.which("node")
    if node is None:
        raise CompilerMissing(f"solc: Node.js is not on the PATH. Install Node.js 18 or later. {mend}")
    done = subprocess.run(
        [node, str(CONTRACTS / "solc.cjs")],
        input=json.dumps(inputs),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == COMPILER_MISSING:
        raise CompilerMissing(f"solc: not in contracts/node_modules. {mend}")
    if done.returncode != 0:
        raise BuildError(f"solc.cjs failed with status {done.returncode}:\n{done.stderr}")
    answer = json.loads(done.stdout)
    version = answer["version"].removesuffix(".Emscripten.clang")
    if version.partition("+")[0] != pinned:
        raise CompilerMissing(f"solc: {version} is in contracts/node_modules. {mend}")
    return version, answer["outputs"]


def _storage_layout(layout: dict[str, Any]) -> dict[str, Any]:
    """Keep of solc's layout what a reader of storage needs; node ids only say where the parser was."""
    slots = [{key: slot[key] for key in ("label", "offset", "slot", "type")} for slot in layout["storage"]]
    return {"storage": slots, "types": layout["types"] or {}}


# Vyper


def build_vyper() -> Artifacts:
    """Compile each .vy through the compiler's standard-JSON entry, in this process."""
    try:
        installed = importlib.metadata.version("vyper")
    except importlib.metadata.PackageNotFoundError:
        installed = "no version"
    if installed != VYPER_VERSION:
        raise CompilerMissing(
            f"vyper: {installed} is installed for {sys.executable}. "
            f"Install vyper {VYPER_VERSION} with: pip install vyper=={VYPER_VERSION}"
        )
    compile_json = importlib.import_module("vyper.cli.vyper_json").compile_json
    built: Artifacts = {}
    for source in sorted(EVM.glob("*/*.vy")):
        name = _source_name(source)
        settings = {"optimize": "gas", "evmVersion": EVM_VERSION}
        output = compile_json(
            {
                "language": "Vyper",
                "sources": {name: {"content": source.read_text(encoding="utf-8")}},
                "settings": {
                    **settings,
                    "outputSelection": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode", "layout"]},
                },
            }
        )
        if errors := output.get("errors"):
            raise BuildError("\n".join(error["formattedMessage"] for error in errors))
        (contract,) = output["contracts"][name].values()
        path, artifact = _artifact(
            source,
            source.stem,
            "Vyper",
            {"name": "vyper", "version": output["compiler"].removeprefix("vyper-"), "settings": settings},
            abi=contract["abi"],
            bytecode=_hex(contract["evm"]["bytecode"]["object"]),
            deployed_bytecode=_hex(contract["evm"]["deployedBytecode"]["object"]),
            extras={"storageLayout": contract["layout"]},
        )
        built[path] = artifact
    return built


# Assembly

# The instructions that our sources use, by their numbers.
OPCODES = {
    "ADD": 0x01, "ISZERO": 0x15, "CALLVALUE": 0x34, "CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36,
    "CALLDATACOPY": 0x37, "CODECOPY": 0x39, "POP": 0x50, "MSTORE": 0x52, "JUMPI": 0x57, "JUMPDEST": 0x5B,
    "PUSH0": 0x5F, "CREATE2": 0xF5, "RETURN": 0xF3, "REVERT": 0xFD,
    **{f"PUSH{n}": 0x5F + n for n in range(1, 33)},
    **{f"DUP{n}": 0x7F + n for n in range(1, 17)},
}  # fmt: skip

_LINE = re.compile(r"(?:(?P<label>\w+):\s*)?(?:(?P<name>[A-Z]+\d*)(?:\s+(?P<operand>0x[0-9a-f]+|@\w+))?)?")


def build_assembly() -> Artifacts:
    """Assemble each .easm; its creation code does nothing but return it."""
    built: Artifacts = {}
    for source in sorted(EVM.glob("*/*.easm")):
        runtime = assemble(source.read_text(encoding="utf-8"))
        path, artifact = _artifact(
            source,
            source.stem,
            "Assembly",
            {"name": "assembler", "version": ASSEMBLER_VERSION, "settings": {"evmVersion": EVM_VERSION}},
            # No functions: whatever it is sent is salt and code, with coin or without.
            abi=[{"type": "fallback", "stateMutability": "payable"}],
            bytecode=_hex((_creation_prefix(len(runtime)) + runtime).hex()),
            deployed_bytecode=_hex(runtime.hex()),
        )
        built[path] = artifact
    return built


def assemble(text: str) -> bytes:
    """Turn a listing into code: a line an instruction, `label:` before it, `@label` for its offset."""
    code = bytearray()
    labels: dict[str, int] = {}
    uses: list[tuple[int, int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line.partition(";")[0].strip())
        if match is None:
            raise BuildError(f"line {number} is no instruction: {line.strip()}")
        label, name, operand = match["label"], match["name"], match["operand"]
        if label:
            labels[label] = len(code)
        if not name:
            continue
        if name not in OPCODES:
            raise BuildError(f"line {number}: {name} is not in the table of instructions")
        code.append(OPCODES[name])
        size = int(name.removeprefix("PUSH")) if name.startswith("PUSH") else 0
        if (operand is not None) != (size > 0):
            raise BuildError(f"line {number}: {name} takes {size} bytes of operand")
        if operand is None:
            continue
        if operand.startswith("@"):
            uses.append((len(code), size, operand[1:]))
            code += bytes(size)
        else:
            code += int(operand, 16).to_bytes(size, "big")
    for at, size, label in uses:
        if label not in labels:
            raise BuildError(f"@{label} is used and nowhere set")
        code[at : at + size] = labels[label].to_bytes(size, "big")
    return bytes(code)


def _creation_prefix(size: int) -> bytes:
    """Make the code that returns the `size` bytes after itself."""
    listing = f"PUSH1 {size:#04x}\nDUP1\nPUSH1 @runtime\nPUSH0\nCODECOPY\nPUSH0\nRETURN\nruntime:"
    return assemble(listing)


COMPILERS: dict[str, Callable[[], Artifacts]] = {
    "solc": build_solidity,
    "vyper": build_vyper,
    "assembler": build_assembly,
}

if __name__ == "__main__":
    raise SystemExit(main())
