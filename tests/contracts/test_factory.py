# SPDX-License-Identifier: Apache-2.0
"""The factory makes children where it said it would, by CREATE and by CREATE2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

if TYPE_CHECKING:
    from tests.contracts.conftest import Chain, Contract

SALT = b"\x5a" * 32
NO_SALT = bytes(32)


@pytest.fixture
def factory(chain: Chain) -> Contract:
    """Give a factory without children."""
    return chain.deploy("factory/Factory")


def test_make_follows_the_nonce(chain: Chain, factory: Contract) -> None:
    # A contract's nonce begins at 1.
    for nonce in (1, 2):
        expected = factory.read("foretellByNonce", nonce)
        outcome = factory.send("make", 41 + nonce, value=nonce)
        address = factory.returned("make", outcome, 1)
        assert expected == address
        assert expected == keccak(b"\xd6\x94" + factory.address + bytes([nonce]))[12:]
        assert factory.events(outcome) == [
            ("ChildMade", {"child": address, "number": 41 + nonce, "salt": NO_SALT}),
        ]
        child = chain.at("factory/Child", address)
        assert child.read("maker") == factory.address
        assert child.read("number") == 41 + nonce
        assert chain.balance(address) == nonce
        assert factory.read("children", nonce - 1) == address
    assert factory.read("count") == 2


def test_make_at_follows_salt_and_code(chain: Chain, factory: Contract) -> None:
    code = bytes.fromhex(chain.artifact("factory/Child")["bytecode"][2:]) + encode(["uint256"], [7])
    expected = keccak(b"\xff" + factory.address + SALT + keccak(code))[12:]
    assert factory.read("foretell", SALT, 7) == expected
    assert factory.read("foretell", SALT, 8) != expected
    assert factory.read("foretell", NO_SALT, 7) != expected

    outcome = factory.send("makeAt", SALT, 7, value=5)
    assert factory.returned("makeAt", outcome, 2) == expected
    assert factory.events(outcome) == [("ChildMade", {"child": expected, "number": 7, "salt": SALT})]
    assert chain.at("factory/Child", expected).read("number") == 7
    assert chain.balance(expected) == 5


def test_make_at_one_place_twice_fails(factory: Contract) -> None:
    assert factory.send("makeAt", SALT, 7).success
    outcome = factory.send("makeAt", SALT, 7)
    assert not outcome.success
    assert outcome.output == b""
    assert factory.read("count") == 1
    assert factory.send("makeAt", SALT, 8).success, "another number is another code, so another place"


def test_child_without_a_number_is_refused_with_its_own_error(chain: Chain, factory: Contract) -> None:
    expected = chain.at("factory/Child", bytes(20)).error("NoNumber")
    assert factory.send("make", 0).output == expected
    assert factory.send("makeAt", SALT, 0).output == expected
    assert factory.read("count") == 0


def test_second_failure_unmakes_the_first_child(chain: Chain, factory: Contract) -> None:
    first = factory.read("foretellByNonce", 1)
    assert not factory.send("makeTwo", 1, 0).success
    assert chain.code(first) == b""
    assert factory.read("makeTwo", 1, 2) == (first, factory.read("foretellByNonce", 2))
    assert chain.at("factory/Child", first).read("number") == 1


def test_nonce_beyond_one_byte_of_rlp_is_refused(chain: Chain, factory: Contract) -> None:
    for nonce in (0, 128):
        outcome = factory.send("foretellByNonce", nonce)
        assert outcome.output == chain.message("Factory: nonce must be 1 to 127")
