# SPDX-License-Identifier: Apache-2.0
"""The token keeps the rules of ERC-20 and refuses with the errors of ERC-6093."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contracts.conftest import Chain, Contract

SUPPLY = 1_000 * 10**18
MAX = 2**256 - 1
ZERO = bytes(20)


@pytest.fixture
def token(chain: Chain) -> Contract:
    """Give a token whose whole supply is alice's."""
    return chain.deploy("token/Token", "Vessel Token", "VSL", SUPPLY)


def test_metadata_and_first_supply(chain: Chain) -> None:
    outcome, token = chain.create("token/Token", "Vessel Token", "VSL", SUPPLY)
    assert token.read("name") == "Vessel Token"
    assert token.read("symbol") == "VSL"
    assert token.read("decimals") == 18
    assert token.read("totalSupply") == SUPPLY
    assert token.read("balanceOf", chain.alice) == SUPPLY
    assert token.events(outcome) == [("Transfer", {"from": ZERO, "to": chain.alice, "value": SUPPLY})]


def test_long_name_is_kept_whole(chain: Chain) -> None:
    name = "A name that is longer than the thirty-two bytes of a slot, and not only in ASCII: ✓"
    assert chain.deploy("token/Token", name, "", 0).read("name") == name


@pytest.mark.parametrize("value", [0, 1, SUPPLY])
def test_transfer_moves_units(chain: Chain, token: Contract, value: int) -> None:
    outcome = token.send("transfer", chain.bob, value)
    assert token.returned("transfer", outcome, 2) is True
    assert token.read("balanceOf", chain.alice) == SUPPLY - value
    assert token.read("balanceOf", chain.bob) == value
    assert token.events(outcome) == [("Transfer", {"from": chain.alice, "to": chain.bob, "value": value})]


def test_transfer_to_oneself_changes_nothing(chain: Chain, token: Contract) -> None:
    assert token.send("transfer", chain.alice, 5).success
    assert token.read("balanceOf", chain.alice) == SUPPLY
    assert token.read("totalSupply") == SUPPLY


def test_transfer_of_more_than_held_is_refused(chain: Chain, token: Contract) -> None:
    outcome = token.send("transfer", chain.alice, 1, sender=chain.bob)
    assert not outcome.success
    assert outcome.output == token.error("ERC20InsufficientBalance", chain.bob, 0, 1)
    assert outcome.logs == ()


def test_transfer_to_nobody_is_refused(token: Contract) -> None:
    assert token.send("transfer", ZERO, 1).output == token.error("ERC20InvalidReceiver", ZERO)


def test_transfer_from_nobody_is_refused(token: Contract) -> None:
    outcome = token.send("transfer", token.chain.alice, 0, sender=ZERO)
    assert outcome.output == token.error("ERC20InvalidSender", ZERO)


def test_allowance_is_used_up(chain: Chain, token: Contract) -> None:
    approved = token.send("approve", chain.bob, 10)
    assert token.returned("approve", approved, 2) is True
    assert token.events(approved) == [
        ("Approval", {"owner": chain.alice, "spender": chain.bob, "value": 10}),
    ]
    moved = token.send("transferFrom", chain.alice, chain.carol, 7, sender=chain.bob)
    assert token.returned("transferFrom", moved, 3) is True
    assert token.events(moved) == [("Transfer", {"from": chain.alice, "to": chain.carol, "value": 7})]
    assert token.read("allowance", chain.alice, chain.bob) == 3
    assert token.read("balanceOf", chain.carol) == 7
    over = token.send("transferFrom", chain.alice, chain.carol, 4, sender=chain.bob)
    assert over.output == token.error("ERC20InsufficientAllowance", chain.bob, 3, 4)


def test_approval_replaces_the_one_before(chain: Chain, token: Contract) -> None:
    token.send("approve", chain.bob, 10)
    token.send("approve", chain.bob, 2)
    assert token.read("allowance", chain.alice, chain.bob) == 2


def test_greatest_allowance_is_not_used_up(chain: Chain, token: Contract) -> None:
    token.send("approve", chain.bob, MAX)
    assert token.send("transferFrom", chain.alice, chain.bob, SUPPLY, sender=chain.bob).success
    assert token.read("allowance", chain.alice, chain.bob) == MAX


def test_failed_transfer_gives_the_allowance_back(chain: Chain, token: Contract) -> None:
    token.send("approve", chain.bob, SUPPLY + 1)
    outcome = token.send("transferFrom", chain.alice, chain.carol, SUPPLY + 1, sender=chain.bob)
    assert outcome.output == token.error("ERC20InsufficientBalance", chain.alice, SUPPLY, SUPPLY + 1)
    assert token.read("allowance", chain.alice, chain.bob) == SUPPLY + 1


def test_nobody_neither_approves_nor_is_approved(chain: Chain, token: Contract) -> None:
    assert token.send("approve", ZERO, 1).output == token.error("ERC20InvalidSpender", ZERO)
    outcome = token.send("approve", chain.bob, 1, sender=ZERO)
    assert outcome.output == token.error("ERC20InvalidApprover", ZERO)
    outcome = token.send("transferFrom", ZERO, chain.bob, 0)
    assert outcome.output == token.error("ERC20InvalidApprover", ZERO)
