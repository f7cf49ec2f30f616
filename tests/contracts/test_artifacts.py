# SPDX-License-Identifier: Apache-2.0
"""The committed artifacts are complete, well-formed and name nothing of the machine they were made on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import is_checksum_address
from eth_utils.crypto import keccak

EVM = Path(__file__).resolve().parents[2] / "contracts" / "evm"
SOURCES = sorted(path for path in EVM.glob("*/*") if path.suffix in {".sol", ".vy", ".easm"})
ARTIFACTS = sorted(EVM.glob("*/*.json"))
LANGUAGES = {".sol": "Solidity", ".vy": "Vyper", ".easm": "Assembly"}


def _name(path: Path) -> str:
    return path.relative_to(EVM).as_posix()


def _read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def test_there_are_sources() -> None:
    stems = {source.stem for source in SOURCES}
    assert stems >= {"Counter", "Token", "Collectible", "Reverter", "Factory", "Vault"}
    assert stems >= {"Create2Deployer", "Multicall3"}


@pytest.mark.parametrize("source", SOURCES, ids=_name)
def test_source_has_its_artifact(source: Path) -> None:
    artifact = _read(source.with_suffix(".json"))
    assert artifact["contractName"] == source.stem
    assert artifact["sourceName"] == f"contracts/evm/{_name(source)}"
    assert artifact["language"] == LANGUAGES[source.suffix]


@pytest.mark.parametrize("source", SOURCES, ids=_name)
def test_source_is_licensed_and_self_contained(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    assert "SPDX-License-Identifier: Apache-2.0" in text.splitlines()[0]
    assert re.search(r"^\s*(import|from)\s", text, re.MULTILINE) is None


@pytest.mark.parametrize("path", ARTIFACTS, ids=_name)
def test_artifact_is_well_formed(path: Path) -> None:
    artifact = _read(path)
    assert path.stem == artifact["contractName"]
    assert (EVM.parents[1] / artifact["sourceName"]).is_file()
    for key in ("bytecode", "deployedBytecode"):
        assert re.fullmatch(r"0x([0-9a-f]{2})+", artifact[key]), key
    assert {"name", "version", "settings"} == set(artifact["compiler"])
    assert {entry["type"] for entry in artifact["abi"]} <= {
        "constructor", "error", "event", "fallback", "function", "receive"
    }  # fmt: skip
    # The limits of EIP-170 and EIP-3860, in hexadecimal digits after 0x.
    assert len(artifact["deployedBytecode"]) - 2 <= 2 * 24_576
    assert len(artifact["bytecode"]) - 2 <= 2 * 49_152


@pytest.mark.parametrize("path", ARTIFACTS, ids=_name)
def test_artifact_has_one_spelling(path: Path) -> None:
    raw = path.read_bytes()
    assert raw == (json.dumps(json.loads(raw), indent=2, ensure_ascii=False) + "\n").encode()


@pytest.mark.parametrize("path", ARTIFACTS, ids=_name)
def test_artifact_names_no_absolute_path(path: Path) -> None:
    assert re.search(r'"(/|[A-Za-z]:\\\\|file:)', path.read_text(encoding="utf-8")) is None


def test_predeploys_resolve() -> None:
    predeploys = _read(EVM / "predeploys.json")
    assert set(predeploys) == {
        "0x4e59b44847b379578588920cA78FbF26c0B4956C",
        "0xcA11bde05977b3631167028862bE2a173976CA11",
    }
    for address, path in predeploys.items():
        assert is_checksum_address(address)
        artifact = _read(EVM / path)
        # Their code is put in place without a constructor having run.
        assert not artifact.get("immutableReferences")
        assert not [entry for entry in artifact["abi"] if entry["type"] == "constructor"]
        assert artifact.get("storageLayout", {"storage": []})["storage"] == []


def test_create2_deployer_is_the_code_that_tools_know() -> None:
    code = bytes.fromhex(_read(EVM / "create2_deployer/Create2Deployer.json")["deployedBytecode"][2:])
    assert len(code) == 69
    assert keccak(code).hex() == "2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989"


def test_multicall3_has_the_selectors_that_tools_know() -> None:
    known = {
        "aggregate((address,bytes)[])": "252dba42",
        "aggregate3((address,bool,bytes)[])": "82ad56cb",
        "aggregate3Value((address,bool,uint256,bytes)[])": "174dea71",
        "blockAndAggregate((address,bytes)[])": "c3077fa9",
        "getBasefee()": "3e64a696",
        "getBlockHash(uint256)": "ee82ac5e",
        "getBlockNumber()": "42cbb15c",
        "getChainId()": "3408e470",
        "getCurrentBlockCoinbase()": "a8b0574e",
        "getCurrentBlockDifficulty()": "72425d9d",
        "getCurrentBlockGasLimit()": "86d516e8",
        "getCurrentBlockTimestamp()": "0f28c97d",
        "getEthBalance(address)": "4d2301cc",
        "getLastBlockHash()": "27e86d6e",
        "tryAggregate(bool,(address,bytes)[])": "bce38bd7",
        "tryBlockAndAggregate(bool,(address,bytes)[])": "399542e9",
    }
    signatures = set()
    for entry in _read(EVM / "multicall3/Multicall3.json")["abi"]:
        parts = []
        for argument in entry["inputs"]:
            inner = ",".join(component["type"] for component in argument.get("components", []))
            parts.append(argument["type"].replace("tuple", f"({inner})"))
        signatures.add(f"{entry['name']}({','.join(parts)})")
    assert signatures == set(known)
    assert {signature: keccak(text=signature)[:4].hex() for signature in known} == known
