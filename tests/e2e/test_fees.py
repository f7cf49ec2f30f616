"""A fee cap that is too low for one block is not too low for ever: what was accepted is not lost."""

from __future__ import annotations

from eth_account import Account

from vessel.chain.admission import Submitted
from vessel.config import NodeConfig
from vessel.node import Node

ALICE = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
GWEI = 10**9


def raw(nonce: int, max_fee: int) -> bytes:
    signed = ALICE.sign_transaction(
        {
            "type": 2,
            "chainId": 31337,
            "nonce": nonce,
            "to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
            "value": 1,
            "gas": 21000,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": 0,
        }
    )
    return bytes(signed.raw_transaction)


def test_a_transaction_under_the_base_fee_goes_in_when_the_fee_has_fallen() -> None:
    config = NodeConfig(store="memory:", transport="local", grpc_address="127.0.0.1:0", mining="manual")
    with Node.open(config) as node:
        chain = node.chain
        # The base fee of the first block is 1 gwei less an eighth; the first transaction offers less.
        answers = chain.admission.submit("evm", [raw(0, 8 * GWEI // 10), raw(1, 5 * GWEI)])
        assert all(isinstance(answer, Submitted) for answer in answers)
        first = node.producer.call(chain.produce_by_hand).result()
        assert first.receipts == ()
        assert len(chain.admission) == 2
        second = node.producer.call(chain.produce_by_hand).result()
        assert len(second.receipts) == 2


def test_there_is_nothing_to_make_a_block_of_while_one_must_wait() -> None:
    config = NodeConfig(store="memory:", transport="local", grpc_address="127.0.0.1:0", mining="manual")
    with Node.open(config) as node:
        chain = node.chain
        chain.admission.submit("evm", [raw(0, GWEI // 10)])
        assert chain.admission.has_ready({"evm"})
        turn = chain.consensus.turn_by_hand(chain.head.block.header, now_ms=chain.clock())
        assert turn is not None
        made = node.producer.call(lambda: chain.produce(turn, even_empty=False)).result()
        assert made is None
        assert not chain.admission.has_ready({"evm"})  # or automatic mining would try for ever
        assert len(chain.admission) == 1
