# SPDX-License-Identifier: Apache-2.0
"""The collectible keeps the rules of ERC-721, asks receivers, and says what it is by ERC-165."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contracts.conftest import Chain, Contract

ZERO = bytes(20)
WELCOME = bytes.fromhex("150b7a02")


@pytest.fixture
def token(chain: Chain) -> Contract:
    """Give a collection that is alice's, with token 1 alice's and token 2 bob's."""
    token = chain.deploy("collectible/Collectible", "Vessel Ships", "SHIP", "ipfs://ships/")
    token.send("mint", chain.alice)
    token.send("mint", chain.bob)
    return token


def test_metadata(chain: Chain, token: Contract) -> None:
    assert token.read("name") == "Vessel Ships"
    assert token.read("symbol") == "SHIP"
    assert token.read("owner") == chain.alice
    assert token.read("tokenURI", 2) == "ipfs://ships/2"
    bare = chain.deploy("collectible/Collectible", "Bare", "B", "")
    bare.send("mint", chain.bob)
    assert bare.read("tokenURI", 1) == ""


def test_token_uri_has_all_digits(chain: Chain, token: Contract) -> None:
    for _ in range(8):
        token.send("mint", chain.carol)
    assert token.read("totalMinted") == 10
    assert token.read("tokenURI", 10) == "ipfs://ships/10"


@pytest.mark.parametrize(
    ("interface", "has"),
    [("01ffc9a7", True), ("80ac58cd", True), ("5b5e139f", True), ("ffffffff", False), ("780e9d63", False)],
)
def test_interfaces(token: Contract, interface: str, has: bool) -> None:
    assert token.read("supportsInterface", bytes.fromhex(interface)) is has


def test_mint_counts_up_and_is_the_owners(chain: Chain, token: Contract) -> None:
    outcome = token.send("mint", chain.carol)
    assert token.returned("mint", outcome, 1) == 3
    assert token.events(outcome) == [("Transfer", {"from": ZERO, "to": chain.carol, "tokenId": 3})]
    assert token.read("ownerOf", 3) == chain.carol
    assert token.read("balanceOf", chain.carol) == 1
    refused = token.send("mint", chain.bob, sender=chain.bob)
    assert refused.output == token.error("OnlyOwner", chain.bob)
    assert token.send("mint", ZERO).output == token.error("ERC721InvalidReceiver", ZERO)
    assert token.read("totalMinted") == 3


def test_holder_moves_a_token(chain: Chain, token: Contract) -> None:
    outcome = token.send("transferFrom", chain.alice, chain.carol, 1)
    assert outcome.success
    assert token.events(outcome) == [
        ("Transfer", {"from": chain.alice, "to": chain.carol, "tokenId": 1}),
    ]
    assert token.read("ownerOf", 1) == chain.carol
    assert (token.read("balanceOf", chain.alice), token.read("balanceOf", chain.carol)) == (0, 1)


def test_approved_moves_one_token_once(chain: Chain, token: Contract) -> None:
    outcome = token.send("approve", chain.carol, 1)
    assert token.events(outcome) == [
        ("Approval", {"owner": chain.alice, "approved": chain.carol, "tokenId": 1}),
    ]
    assert token.read("getApproved", 1) == chain.carol
    assert token.send("transferFrom", chain.alice, chain.bob, 1, sender=chain.carol).success
    assert token.read("getApproved", 1) == ZERO
    again = token.send("transferFrom", chain.bob, chain.carol, 1, sender=chain.carol)
    assert again.output == token.error("ERC721InsufficientApproval", chain.carol, 1)


def test_operator_moves_and_approves_until_dismissed(chain: Chain, token: Contract) -> None:
    outcome = token.send("setApprovalForAll", chain.carol, True)
    assert token.events(outcome) == [
        ("ApprovalForAll", {"owner": chain.alice, "operator": chain.carol, "approved": True}),
    ]
    assert token.read("isApprovedForAll", chain.alice, chain.carol) is True
    assert token.send("approve", chain.bob, 1, sender=chain.carol).success
    assert token.read("getApproved", 1) == chain.bob
    token.send("setApprovalForAll", chain.carol, False)
    refused = token.send("transferFrom", chain.alice, chain.carol, 1, sender=chain.carol)
    assert refused.output == token.error("ERC721InsufficientApproval", chain.carol, 1)


def test_refusals(chain: Chain, token: Contract) -> None:
    alice, bob, carol = chain.alice, chain.bob, chain.carol
    refused = {
        "stranger moves": (
            token.send("transferFrom", alice, carol, 1, sender=carol),
            token.error("ERC721InsufficientApproval", carol, 1),
        ),
        "not from its holder": (
            token.send("transferFrom", bob, carol, 1),
            token.error("ERC721IncorrectOwner", bob, 1, alice),
        ),
        "to nobody": (token.send("transferFrom", alice, ZERO, 1), token.error("ERC721InvalidReceiver", ZERO)),
        "no such token": (
            token.send("transferFrom", alice, bob, 9),
            token.error("ERC721NonexistentToken", 9),
        ),
        "stranger approves": (
            token.send("approve", carol, 1, sender=carol),
            token.error("ERC721InvalidApprover", carol),
        ),
        "nobody as operator": (
            token.send("setApprovalForAll", ZERO, True),
            token.error("ERC721InvalidOperator", ZERO),
        ),
        "balance of nobody": (token.send("balanceOf", ZERO), token.error("ERC721InvalidOwner", ZERO)),
        "URI of none": (token.send("tokenURI", 9), token.error("ERC721NonexistentToken", 9)),
        "approved of none": (token.send("getApproved", 9), token.error("ERC721NonexistentToken", 9)),
        "approve none": (token.send("approve", bob, 9), token.error("ERC721NonexistentToken", 9)),
    }
    assert {name: expected for name, (_, expected) in refused.items()} == {
        name: outcome.output for name, (outcome, _) in refused.items()
    }
    assert not any(outcome.success for outcome, _ in refused.values())
    assert token.read("ownerOf", 1) == alice


def test_safe_transfer_to_an_account_asks_nobody(chain: Chain, token: Contract) -> None:
    assert token.send("safeTransferFrom", chain.alice, chain.carol, 1).success
    assert token.read("ownerOf", 1) == chain.carol


def test_safe_transfer_hands_data_to_a_willing_contract(chain: Chain, token: Contract) -> None:
    holder = chain.deploy("collectible/CollectibleHolder", WELCOME)
    assert token.send("safeTransferFrom", chain.alice, holder.address, 1, b"with love").success
    assert token.read("ownerOf", 1) == holder.address
    assert holder.read("lastData") == b"with love"


def test_safe_transfer_minds_what_a_contract_answers(chain: Chain, token: Contract) -> None:
    declining = chain.deploy("collectible/CollectibleHolder", bytes(4))
    outcome = token.send("safeTransferFrom", chain.alice, declining.address, 1)
    assert outcome.output == declining.error("Declined", 1)

    mistaken = chain.deploy("collectible/CollectibleHolder", bytes.fromhex("deadbeef"))
    outcome = token.send("safeTransferFrom", chain.alice, mistaken.address, 1)
    assert outcome.output == token.error("ERC721InvalidReceiver", mistaken.address)

    deaf = chain.deploy("counter/Counter")
    outcome = token.send("safeTransferFrom", chain.alice, deaf.address, 1)
    assert outcome.output == token.error("ERC721InvalidReceiver", deaf.address)

    assert token.read("ownerOf", 1) == chain.alice
    assert token.send("transferFrom", chain.alice, deaf.address, 1).success, "unsafe, so nobody is asked"
