# SPDX-License-Identifier: Apache-2.0
"""Multicall3 gives what the widely deployed one gives, in results, failures and coin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from eth_utils.address import to_canonical_address

if TYPE_CHECKING:
    from tests.contracts.conftest import Chain, Contract

FAILED = "Multicall3: call failed"
MISMATCH = "Multicall3: value mismatch"


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


@pytest.fixture
def multicall(chain: Chain) -> Contract:
    """Give the multicall contract at its usual address."""
    return chain.predeploys()["Multicall3"]


@pytest.fixture
def counter(chain: Chain) -> Contract:
    """Give a counter to call."""
    return chain.deploy("counter/Counter")


@pytest.fixture
def reverter(chain: Chain) -> Contract:
    """Give a contract that fails on demand."""
    return chain.deploy("reverter/Reverter")


def test_is_at_its_usual_address(multicall: Contract) -> None:
    assert multicall.address == to_canonical_address("0xca11bde05977b3631167028862be2a173976ca11")


def test_aggregate(chain: Chain, multicall: Contract, counter: Contract) -> None:
    calls = [(counter.address, counter.data("increment")), (counter.address, counter.data("add", 5))]
    assert multicall.read("aggregate", calls) == (chain.number, (_word(1), _word(6)))
    assert multicall.read("aggregate", []) == (chain.number, ())
    assert counter.read("number") == 6


def test_aggregate_fails_as_a_whole(
    chain: Chain, multicall: Contract, counter: Contract, reverter: Contract
) -> None:
    calls = [(counter.address, counter.data("increment")), (reverter.address, reverter.data("revertError"))]
    for name, arguments in {
        "aggregate": (calls,),
        "blockAndAggregate": (calls,),
        "tryAggregate": (True, calls),
        "tryBlockAndAggregate": (True, calls),
    }.items():
        outcome = multicall.send(name, *arguments)
        assert not outcome.success, name
        assert outcome.output == chain.message(FAILED), name
    assert counter.read("number") == 0


def test_try_aggregate_goes_on_after_a_failure(
    chain: Chain, multicall: Contract, counter: Contract, reverter: Contract
) -> None:
    calls = [
        (counter.address, counter.data("increment")),
        (reverter.address, reverter.data("revertMessage", "no")),
        (b"\x77" * 20, b"nobody is there"),
        (counter.address, counter.data("increment")),
    ]
    results = ((True, _word(1)), (False, chain.message("no")), (True, b""), (True, _word(2)))
    assert multicall.read("tryAggregate", False, calls) == results
    results = ((True, _word(3)), (False, chain.message("no")), (True, b""), (True, _word(4)))
    # A block does not know its own hash while it runs.
    assert multicall.read("tryBlockAndAggregate", False, calls) == (chain.number, bytes(32), results)


def test_block_and_aggregate(chain: Chain, multicall: Contract, counter: Contract) -> None:
    calls = [(counter.address, counter.data("increment"))]
    expected = (chain.number, bytes(32), ((True, _word(1)),))
    assert multicall.read("blockAndAggregate", calls) == expected


def test_aggregate3_asks_each_call(
    chain: Chain, multicall: Contract, counter: Contract, reverter: Contract
) -> None:
    may = (reverter.address, True, reverter.data("panicAssert"))
    may_not = (reverter.address, False, reverter.data("panicAssert"))
    count = (counter.address, False, counter.data("increment"))
    assert multicall.read("aggregate3", [count, may, count]) == (
        (True, _word(1)),
        (False, chain.panic(0x01)),
        (True, _word(2)),
    )
    outcome = multicall.send("aggregate3", [count, may_not])
    assert outcome.output == chain.message(FAILED)
    assert counter.read("number") == 2


def test_aggregate3_value_passes_coin_on(chain: Chain, multicall: Contract) -> None:
    vault = chain.deploy("vault/Vault")
    calls = [
        (vault.address, False, 3, vault.data("depositFor", chain.bob)),
        (chain.carol, False, 4, b""),
        (vault.address, False, 0, vault.data("total")),
    ]
    before = chain.balance(chain.carol)
    outcome = multicall.send("aggregate3Value", calls, value=7)
    assert multicall.returned("aggregate3Value", outcome, 1) == ((True, b""), (True, b""), (True, _word(3)))
    assert vault.read("balanceOf", chain.bob) == 3
    assert chain.balance(chain.carol) == before + 4
    assert chain.balance(multicall.address) == 0


@pytest.mark.parametrize("value", [6, 8])
def test_aggregate3_value_must_add_up(chain: Chain, multicall: Contract, value: int) -> None:
    calls = [(chain.carol, True, 3, b""), (chain.carol, True, 4, b"")]
    outcome = multicall.send("aggregate3Value", calls, value=value)
    assert not outcome.success
    assert outcome.output == chain.message(MISMATCH)


def test_aggregate3_value_failures(chain: Chain, multicall: Contract, counter: Contract) -> None:
    # The counter takes no coin; what it was to be sent counts and stays behind.
    may = (counter.address, True, 3, counter.data("increment"))
    may_not = (counter.address, False, 3, counter.data("increment"))
    outcome = multicall.send("aggregate3Value", [may], value=3)
    assert multicall.returned("aggregate3Value", outcome, 1) == ((False, b""),)
    assert chain.balance(multicall.address) == 3
    assert multicall.send("aggregate3Value", [may_not], value=3).output == chain.message(FAILED)


def test_coin_sent_without_a_call_is_refused(chain: Chain, multicall: Contract) -> None:
    outcome = chain.send(multicall.address, b"", value=1)
    assert not outcome.success
    assert outcome.output == b""


def test_reads_of_the_chain(chain: Chain, multicall: Contract) -> None:
    assert multicall.read("getBlockNumber") == chain.number
    assert multicall.read("getBlockHash", chain.number - 2) == chain.block_hash(chain.number - 2)
    assert multicall.read("getBlockHash", chain.number) == bytes(32)
    assert multicall.read("getBlockHash", chain.number - 257) == bytes(32)
    assert multicall.read("getLastBlockHash") == chain.block_hash(chain.number - 1)
    assert multicall.read("getCurrentBlockCoinbase") == chain.coinbase
    assert multicall.read("getCurrentBlockDifficulty") == int.from_bytes(chain.mix_hash, "big")
    assert multicall.read("getCurrentBlockGasLimit") == chain.gas_limit
    assert multicall.read("getCurrentBlockTimestamp") == chain.timestamp
    assert multicall.read("getEthBalance", chain.bob) == chain.balance(chain.bob)
    assert multicall.read("getBasefee") == chain.base_fee
    assert multicall.read("getChainId") == chain.chain_id


def test_calls_come_from_the_contract_itself(chain: Chain, multicall: Contract) -> None:
    vault = chain.deploy("vault/Vault")
    calls = [(vault.address, False, 5, vault.data("deposit"))]
    assert multicall.send("aggregate3Value", calls, value=5).success
    assert vault.read("balanceOf", multicall.address) == 5
