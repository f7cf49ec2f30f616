# SPDX-License-Identifier: Apache-2.0
"""The CREATE2 deployer puts code at the place that salt and code name, and is silent about failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from eth.exceptions import Revert
from eth_abi.abi import encode
from eth_utils.address import to_canonical_address
from eth_utils.crypto import keccak

if TYPE_CHECKING:
    from tests.contracts.conftest import Chain, Contract

SALT = b"\x07" * 32


@pytest.fixture
def deployer(chain: Chain) -> Contract:
    """Give the deployer at its usual address."""
    return chain.predeploys()["Create2Deployer"]


def _place(deployer: Contract, salt: bytes, code: bytes) -> bytes:
    return keccak(b"\xff" + deployer.address + salt + keccak(code))[12:]


def _child(chain: Chain, number: int) -> bytes:
    return bytes.fromhex(chain.artifact("factory/Child")["bytecode"][2:]) + encode(["uint256"], [number])


def test_is_at_its_usual_address(deployer: Contract) -> None:
    assert deployer.address == to_canonical_address("0x4e59b44847b379578588920ca78fbf26c0b4956c")


def test_creation_code_returns_the_runtime(chain: Chain, deployer: Contract) -> None:
    made = chain.deploy("create2_deployer/Create2Deployer")
    assert chain.code(deployer.address) == chain.code(made.address)


def test_deploys_where_salt_and_code_say(chain: Chain, deployer: Contract) -> None:
    code = _child(chain, 7)
    outcome = chain.send(deployer.address, SALT + code, value=3, sender=chain.bob)
    assert outcome.success
    assert outcome.output == _place(deployer, SALT, code), "20 bytes, without padding"
    child = chain.at("factory/Child", outcome.output)
    assert child.read("number") == 7
    assert child.read("maker") == deployer.address
    assert chain.balance(child.address) == 3


def test_same_place_twice_reverts(chain: Chain, deployer: Contract) -> None:
    code = _child(chain, 7)
    assert chain.send(deployer.address, SALT + code).success
    outcome = chain.send(deployer.address, SALT + code)
    assert isinstance(outcome.error, Revert)
    assert outcome.output == b""
    assert chain.send(deployer.address, bytes(32) + code).success


def test_failing_constructor_reverts_without_its_reason(chain: Chain, deployer: Contract) -> None:
    code = _child(chain, 0)
    outcome = chain.send(deployer.address, SALT + code, value=3)
    assert isinstance(outcome.error, Revert)
    assert outcome.output == b""
    assert chain.code(_place(deployer, SALT, code)) == b""
    assert chain.balance(deployer.address) == 0


def test_salt_alone_makes_an_empty_contract(chain: Chain, deployer: Contract) -> None:
    outcome = chain.send(deployer.address, SALT)
    assert outcome.output == _place(deployer, SALT, b"")
    assert chain.code(outcome.output) == b""


def test_less_than_a_salt_takes_all_gas(chain: Chain, deployer: Contract) -> None:
    # The size of the code is below zero, so more memory is asked for than there is gas.
    outcome = chain.send(deployer.address, SALT[1:], gas=100_000)
    assert not outcome.success
    assert outcome.gas_used == 100_000
