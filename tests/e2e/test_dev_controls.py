"""The controls of a development chain over gRPC, and that such a chain replays from its blocks alone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from eth_account import Account

from vessel.config import NodeConfig
from vessel.errors import InvalidBlock
from vessel.node import Node
from vessel.primitives.block import Block
from vessel.primitives.encoding import integer
from vessel_proto.dev.v1 import dev_pb2 as dev
from vessel_proto.dev.v1 import dev_pb2_grpc
from vessel_proto.node.v1 import node_pb2 as pb
from vessel_proto.node.v1 import node_pb2_grpc

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ALICE = Account.from_key(KEY)
BOB = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
NOBODY = "0x00000000000000000000000000000000000000AA"  # has no key that anybody knows
COIN = 10**18


class Chain:
    """A development node and its two services."""

    def __init__(self, node: Node, channel: grpc.Channel) -> None:
        self.node = node
        self.api = node_pb2_grpc.NodeServiceStub(channel)
        self.dev = dev_pb2_grpc.DevServiceStub(channel)

    def query(self, method: str, **parameters: str) -> dict[str, str]:
        answer = self.api.Query(
            pb.QueryRequest(container="evm", method=method, parameters_json=json.dumps(parameters).encode())
        )
        found: dict[str, str] = json.loads(answer.json)
        return found

    def balance(self, address: str) -> int:
        return int(self.query("account", address=address)["balance"], 16)

    def head(self) -> pb.BlockSummary:
        head: pb.BlockSummary = self.api.GetServiceInfo(pb.GetServiceInfoRequest()).head
        return head

    def send(self, nonce: int, value: int = 1) -> pb.SubmissionResult:
        signed = ALICE.sign_transaction(
            {
                "type": 2,
                "chainId": 31337,
                "nonce": nonce,
                "to": BOB,
                "value": value,
                "gas": 21000,
                "maxFeePerGas": 3 * 10**9,
                "maxPriorityFeePerGas": 10**9,
            }
        )
        request = pb.SubmitTransactionsRequest(
            transactions=[pb.SubmittedTransaction(container="evm", raw=bytes(signed.raw_transaction))],
            wait_for=pb.WAIT_FOR_COMMITTED,
        )
        result: pb.SubmissionResult = self.api.SubmitTransactions(request).results[0]
        return result

    def blocks(self) -> list[Block]:
        head = self.node.chain.head.block.header.height
        return [self.node.chain.store.block(height).block for height in range(1, head + 1)]


@pytest.fixture(params=["local", pytest.param("grpc", marks=pytest.mark.slow)])
def chain(request: pytest.FixtureRequest) -> Iterator[Chain]:
    config = NodeConfig(store="memory:", transport=request.param, grpc_address="127.0.0.1:0")
    with Node.open(config) as node, grpc.insecure_channel(node.grpc_address) as channel:
        yield Chain(node, channel)


def replayed_head(blocks: list[Block]) -> bytes:
    """Return the head of a fresh node that was given the blocks and nothing else."""
    config = NodeConfig(store="memory:", transport="local", grpc_address="127.0.0.1:0")
    with Node.open(config) as other:
        for block in blocks:
            other.chain.import_block(block)
        return other.chain.head.block_id


def unsigned(sender_nonce: int, value: int) -> bytes:
    """Return a type 2 transaction whose signature fields are empty."""
    import rlp

    gwei = 10**9
    fields = [31337, sender_nonce, gwei, 3 * gwei, 21000, bytes.fromhex(BOB[2:]), value, b"", [], 0, 0, 0]
    encode = [integer(f) if isinstance(f, int) else f for f in fields]
    return b"\x02" + bytes(rlp.encode(encode))


def test_a_balance_is_seen_at_once_and_makes_no_block_of_its_own(chain: Chain) -> None:
    chain.dev.SetBalance(dev.SetBalanceRequest(address=bytes.fromhex(NOBODY[2:]), balance=integer(7 * COIN)))
    assert chain.balance(NOBODY) == 7 * COIN
    assert chain.head().height == 0
    chain.dev.Mine(dev.MineRequest())
    assert chain.head().height == 1
    assert chain.balance(NOBODY) == 7 * COIN


def test_raw_state_is_written_and_read_back_by_its_container(chain: Chain) -> None:
    from vessel_evm.layout import Account, Layout

    layout = Layout(1)
    record = Account(nonce=41).encode()
    chain.dev.WriteState(
        dev.WriteStateRequest(
            writes=[dev.StateWrite(key=layout.account(bytes.fromhex(NOBODY[2:])), value=record)]
        )
    )
    assert int(chain.query("account", address=NOBODY)["nonce"], 16) == 41
    assert chain.send(0).HasField("accepted")  # its block holds the write
    assert int(chain.query("account", address=NOBODY)["nonce"], 16) == 41
    assert chain.head().height == 1


def test_somebody_without_a_key_can_be_impersonated(chain: Chain) -> None:
    sender = bytes.fromhex(NOBODY[2:])
    before = chain.balance(BOB)
    chain.dev.SetBalance(dev.SetBalanceRequest(address=sender, balance=integer(COIN)))
    request = dev.ImpersonateRequest(container="evm", sender=sender, raw=unsigned(0, 5), wait=True)
    answer = chain.dev.Impersonate(request)
    assert answer.height == 1
    found = chain.api.GetTransaction(pb.GetTransactionRequest(container="evm", id=answer.id)).committed
    assert found.receipt.status == pb.STATUS_OK
    assert found.receipt.sender == sender
    assert chain.balance(BOB) == before + 5


def test_a_signed_transaction_cannot_be_impersonated(chain: Chain) -> None:
    signed = ALICE.sign_transaction(
        {"chainId": 31337, "nonce": 0, "to": BOB, "value": 1, "gas": 21000, "gasPrice": 3 * 10**9}
    )
    request = dev.ImpersonateRequest(
        container="evm", sender=bytes.fromhex(NOBODY[2:]), raw=bytes(signed.raw_transaction)
    )
    with pytest.raises(grpc.RpcError, match="is signed"):
        chain.dev.Impersonate(request)


def test_time_is_set_once_and_goes_on_from_there(chain: Chain) -> None:
    wanted = chain.head().time_ms + 10**12
    chain.dev.SetNextBlockTime(dev.SetNextBlockTimeRequest(time_ms=wanted))
    chain.dev.Mine(dev.MineRequest())
    assert chain.head().time_ms == wanted
    chain.dev.IncreaseTime(dev.IncreaseTimeRequest(by_ms=3_600_000))
    chain.dev.Mine(dev.MineRequest())
    assert wanted + 3_600_000 <= chain.head().time_ms < wanted + 3_700_000
    with pytest.raises(grpc.RpcError, match="the end of the year 9999"):
        chain.dev.IncreaseTime(dev.IncreaseTimeRequest(by_ms=1 << 62))
    with pytest.raises(grpc.RpcError, match="time must rise"):
        chain.dev.SetNextBlockTime(dev.SetNextBlockTimeRequest(time_ms=wanted))


def test_blocks_are_mined_at_an_interval(chain: Chain) -> None:
    chain.dev.Mine(dev.MineRequest(blocks=4, interval_ms=12_000))
    times = [block.header.time_ms for block in chain.blocks()]
    assert [b - a for a, b in itertools.pairwise(times)] == [12_000] * 3


def test_manual_mining_waits_to_be_asked(chain: Chain) -> None:
    chain.dev.SetMining(dev.SetMiningRequest(mode="manual"))
    signed = ALICE.sign_transaction(
        {"chainId": 31337, "nonce": 0, "to": BOB, "value": 1, "gas": 21000, "gasPrice": 3 * 10**9}
    )
    submitted = pb.SubmittedTransaction(container="evm", raw=bytes(signed.raw_transaction))
    chain.api.SubmitTransactions(pb.SubmitTransactionsRequest(transactions=[submitted]))
    assert chain.api.GetServiceInfo(pb.GetServiceInfoRequest()).pending_transactions == 1
    assert chain.head().height == 0
    chain.dev.Mine(dev.MineRequest())
    assert len(chain.blocks()[0].transactions) == 1
    with pytest.raises(grpc.RpcError, match="mining mode 'never'"):
        chain.dev.SetMining(dev.SetMiningRequest(mode="never"))


def test_revert_goes_back_and_uses_up_later_snapshots(chain: Chain) -> None:
    bob = chain.balance(BOB)
    first = chain.dev.Snapshot(dev.SnapshotRequest()).snapshot
    chain.send(0, value=5)
    second = chain.dev.Snapshot(dev.SnapshotRequest()).snapshot
    chain.send(1, value=7)
    chain.dev.SetBalance(dev.SetBalanceRequest(address=bytes.fromhex(BOB[2:]), balance=b"\x01"))
    assert chain.dev.Revert(dev.RevertRequest(snapshot=second)).height == 1
    assert chain.balance(BOB) == bob + 5
    assert chain.send(1, value=1).HasField("accepted")
    assert chain.dev.Revert(dev.RevertRequest(snapshot=first)).height == 0
    assert chain.balance(BOB) == bob
    assert chain.send(0, value=2).HasField("accepted")
    assert chain.balance(BOB) == bob + 2
    with pytest.raises(grpc.RpcError, match="no snapshot"):
        chain.dev.Revert(dev.RevertRequest(snapshot=second))


def test_what_was_staged_at_a_snapshot_is_staged_again(chain: Chain) -> None:
    address = bytes.fromhex(NOBODY[2:])
    chain.dev.SetBalance(dev.SetBalanceRequest(address=address, balance=b"\x05"))
    snapshot = chain.dev.Snapshot(dev.SnapshotRequest()).snapshot
    chain.dev.Mine(dev.MineRequest(blocks=2))
    chain.dev.SetBalance(dev.SetBalanceRequest(address=address, balance=b"\x09"))
    chain.dev.Revert(dev.RevertRequest(snapshot=snapshot))
    assert chain.balance(NOBODY) == 5
    chain.dev.Mine(dev.MineRequest())
    assert chain.balance(NOBODY) == 5


def test_a_development_chain_replays_from_its_blocks(chain: Chain) -> None:
    sender = bytes.fromhex(NOBODY[2:])
    chain.dev.SetBalance(dev.SetBalanceRequest(address=sender, balance=integer(COIN)))
    chain.dev.Impersonate(
        dev.ImpersonateRequest(container="evm", sender=sender, raw=unsigned(0, 5), wait=True)
    )
    chain.dev.IncreaseTime(dev.IncreaseTimeRequest(by_ms=86_400_000))
    chain.send(0)
    snapshot = chain.dev.Snapshot(dev.SnapshotRequest()).snapshot
    chain.send(1)
    chain.dev.Revert(dev.RevertRequest(snapshot=snapshot))
    chain.dev.SetBalance(dev.SetBalanceRequest(address=bytes.fromhex(BOB[2:]), balance=b"\x01"))
    chain.send(1, value=3)
    assert replayed_head(chain.blocks()) == chain.node.chain.head.block_id


@pytest.mark.slow
def test_other_chains_refuse_the_transactions_of_controls(chain: Chain, tmp_path: Path) -> None:
    chain.dev.SetBalance(dev.SetBalanceRequest(address=bytes.fromhex(NOBODY[2:]), balance=b"\x01"))
    chain.dev.Mine(dev.MineRequest())
    genesis = tmp_path / "chain.toml"
    genesis.write_text(
        '[chain]\nname = "x"\nid = 31337\ntime = 2026-01-01T00:00:00Z\n'
        '[consensus]\nengine = "instant"\n[containers.evm]\naddresses = "open"\n'
    )
    config = NodeConfig(store="memory:", transport="local", grpc_address="127.0.0.1:0", genesis=genesis)
    with Node.open(config) as other:
        assert other.dev is None
        block = chain.blocks()[0]
        from msgspec.structs import replace

        header = replace(
            block.header,
            parent_id=other.chain.head.block_id,
            parent_result=other.chain.head.block.seal.result,
            randomness=other.chain.consensus._randomness(other.chain.head.block_id),  # type: ignore[attr-defined]
            sections=other.chain.head.block.header.sections,
        )
        with pytest.raises(InvalidBlock, match="development controls"):
            other.chain.import_block(replace(block, header=header))
