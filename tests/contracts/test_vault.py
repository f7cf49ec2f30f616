# SPDX-License-Identifier: Apache-2.0
"""The Vyper vault keeps accounts apart, pays back what it holds, and cannot be entered twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contracts.conftest import Chain, Contract

ZERO = bytes(20)


@pytest.fixture
def vault(chain: Chain) -> Contract:
    """Give an empty vault."""
    return chain.deploy("vault/Vault")


def test_deposit_is_the_callers(chain: Chain, vault: Contract) -> None:
    outcome = vault.send("deposit", value=100)
    assert outcome.success
    assert vault.events(outcome) == [("Deposited", {"account": chain.alice, "amount": 100})]
    vault.send("deposit", value=11, sender=chain.bob)
    assert vault.read("balanceOf", chain.alice) == 100
    assert vault.read("balanceOf", chain.bob) == 11
    assert vault.read("total") == chain.balance(vault.address) == 111
    assert vault.read("surplus") == 0


def test_deposit_for_another(chain: Chain, vault: Contract) -> None:
    outcome = vault.send("depositFor", chain.bob, value=3)
    assert vault.events(outcome) == [("Deposited", {"account": chain.bob, "amount": 3})]
    assert vault.read("balanceOf", chain.bob) == 3
    assert vault.send("depositFor", ZERO, value=3).output == chain.message("Vault: no account")


def test_coin_without_a_call_is_a_deposit(chain: Chain, vault: Contract) -> None:
    assert chain.send(vault.address, b"", value=9, sender=chain.carol).success
    assert vault.read("balanceOf", chain.carol) == 9
    refused = chain.send(vault.address, b"\x01\x02\x03\x04", value=9)
    assert refused.output == chain.message("Vault: no such function")


def test_withdraw_pays_the_caller(chain: Chain, vault: Contract) -> None:
    vault.send("deposit", value=100)
    before = chain.balance(chain.alice)
    outcome = vault.send("withdraw", 40)
    assert outcome.success
    assert vault.events(outcome) == [
        ("Withdrawn", {"account": chain.alice, "to": chain.alice, "amount": 40}),
    ]
    assert chain.balance(chain.alice) == before + 40
    assert vault.read("balanceOf", chain.alice) == 60
    assert vault.read("total") == 60


def test_withdraw_to_another(chain: Chain, vault: Contract) -> None:
    vault.send("deposit", value=100)
    receiver = b"\x99" * 20
    assert vault.send("withdraw", 100, receiver).success
    assert chain.balance(receiver) == 100
    assert vault.send("withdraw", 0, ZERO).output == chain.message("Vault: no receiver")


def test_refusals_change_nothing(chain: Chain, vault: Contract) -> None:
    vault.send("deposit", value=100)
    assert vault.send("withdraw", 101).output == chain.message("Vault: not enough")
    assert vault.send("withdraw", 1, sender=chain.bob).output == chain.message("Vault: not enough")
    assert vault.send("deposit").output == chain.message("Vault: nothing sent")
    assert not vault.send("withdraw", 1, value=1).success, "it takes no coin while paying"
    deaf = chain.deploy("counter/Counter")
    assert not vault.send("withdraw", 1, deaf.address).success, "a receiver that takes no coin"
    assert vault.read("balanceOf", chain.alice) == vault.read("total") == 100


def test_robber_is_repelled(chain: Chain, vault: Contract) -> None:
    vault.send("deposit", value=1_000)
    robber = chain.deploy("vault/Robber", vault.address)
    assert robber.send("rob", value=100).success
    assert (robber.read("repelled"), robber.read("succeeded")) == (1, 0)
    assert chain.balance(robber.address) == 50
    assert vault.read("balanceOf", robber.address) == 50, "the other half is still its own"
    assert vault.read("total") == chain.balance(vault.address) == 1_050


def test_lock_is_open_again_after_a_failure(vault: Contract) -> None:
    vault.send("deposit", value=1)
    vault.send("withdraw", 2)
    assert vault.send("withdraw", 1).success
