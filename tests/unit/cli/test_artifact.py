"""Artifacts of every compiler, and the mend for those that cannot be deployed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vessel.cli.artifact import load_artifact
from vessel.errors import ConfigurationError

ABI = [{"type": "constructor", "inputs": [{"type": "uint256", "name": "x"}], "stateMutability": "payable"}]


def written(folder: Path, document: object) -> Path:
    path = folder / "Thing.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


@pytest.mark.parametrize(
    "document",
    [
        {"contractName": "Thing", "abi": ABI, "bytecode": "0x6001"},
        {"abi": ABI, "bytecode": {"object": "0x6001", "linkReferences": {}}},
        {"contracts": {"a.sol:Thing": {"abi": ABI, "bin": "6001"}}},
        {"contracts": {"a.sol:Thing": {"abi": json.dumps(ABI), "bin": "6001"}}},
        {"contracts": {"a.sol": {"Thing": {"abi": ABI, "evm": {"bytecode": {"object": "6001"}}}}}},
        {"contracts": {"a.sol:I": {"abi": [], "bin": ""}, "a.sol:Thing": {"abi": ABI, "bin": "6001"}}},
    ],
    ids=["hardhat", "foundry", "combined", "combined before 0.8", "standard", "beside an interface"],
)
def test_reads(tmp_path: Path, document: object) -> None:
    artifact = load_artifact(written(tmp_path, document))
    assert (artifact.name, artifact.creation_code()) == ("Thing", b"\x60\x01")
    assert artifact.abi.constructor.described == "constructor(uint256 x)"
    assert artifact.abi.constructor.payable


def test_several_contracts_need_a_choice(tmp_path: Path) -> None:
    contracts = {f"a.sol:{name}": {"abi": [], "bin": "00"} for name in ("One", "Two")}
    path = written(tmp_path, {"contracts": contracts})
    assert load_artifact(path, contract="Two").name == "Two"
    assert load_artifact(path, contract="a.sol:One").name == "One"
    with pytest.raises(ConfigurationError, match="--contract NAME"):
        load_artifact(path)
    with pytest.raises(ConfigurationError, match="has no contract 'Three'"):
        load_artifact(path, contract="Three")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("not json", "is not JSON"),
        ([], "not an artifact"),
        ({"contracts": {}}, "not an artifact"),
        ({"contracts": {"a": 1}}, "not an object"),
        ({"abi": ABI, "bytecode": "0x60__$" + "a" * 34 + "$__"}, "not linked"),
        ({"abi": ABI, "bytecode": "0x6"}, "not hexadecimal"),
        ({"abi": 1, "bytecode": "0x60"}, "not a list"),
    ],
)
def test_refuses(tmp_path: Path, document: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_artifact(written(tmp_path, document))


def test_an_interface_cannot_be_deployed(tmp_path: Path) -> None:
    artifact = load_artifact(written(tmp_path, {"abi": ABI, "bytecode": "0x"}))
    with pytest.raises(ConfigurationError, match="has no bytecode"):
        artifact.creation_code()


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read"):
        load_artifact(tmp_path / "nothing.json")
