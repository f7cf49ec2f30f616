"""A token's history, found by address, topic, tag and sender: over gRPC and from the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from eth_hash.auto import keccak
from typer.testing import CliRunner

from e2e.conftest import Open
from e2e.ethereum import Wallet, call_data, init_code, mine, submit
from vessel.cli.main import app
from vessel.client import AsyncNodeClient, NodeClient
from vessel.errors import InvalidRequest, UnknownContainer
from vessel.node import Node
from vessel.primitives.filter import Filter
from vessel.primitives.receipt import Status
from vessel.primitives.units import Height

TRANSFER = keccak(b"Transfer(address,address,uint256)")
ALICE, BOB = b"\xaa" * 20, b"\xbb" * 20


def word(address: bytes) -> bytes:
    """Return an address as a topic."""
    return address.rjust(32, b"\0")


@pytest.fixture
def node(open_node: Open, wallet: Wallet) -> Node:
    """A token that goes to Alice, Bob, Alice, in blocks 2 to 4; block 5 holds a transfer that fails."""
    opened = open_node()
    token = wallet.created(0)
    code = init_code("token/Token", ["string", "string", "uint256"], ["Gold", "GLD", 1_000])
    submit(opened, wallet.sign(None, code, gas=3_000_000))
    mine(opened)
    for receiver in (ALICE, BOB, ALICE):
        submit(opened, wallet.sign(token, call_data("transfer(address,uint256)", receiver, 1)))
        mine(opened)
    submit(opened, wallet.sign(token, call_data("transfer(address,uint256)", ALICE, 10**9), gas=100_000))
    mine(opened)
    return opened


@pytest.fixture
def client(node: Node) -> Iterator[NodeClient]:
    """A client of that node."""
    with NodeClient(node.grpc_address) as connected:
        yield connected


@pytest.mark.slow
def test_logs_by_address_topics_and_range(client: NodeClient, wallet: Wallet) -> None:
    token = wallet.created(0)
    found = list(client.logs(Filter(addresses=(token,), topics=((TRANSFER,), (), (word(ALICE),)))))
    assert [log.block_height for log in found] == [2, 4]
    block = client.block(2)
    (log, _) = found
    assert (log.block_id, log.block_time_ms) == (block.id, block.header.time_ms)
    assert (log.transaction_id, log.transaction_index) == (block.transactions[0].id, 0)
    assert (log.container, log.index) == ("evm", 0)
    assert log.log.topics == [TRANSFER, word(wallet.sender), word(ALICE)]
    both = Filter(topics=((), (), (word(ALICE), word(BOB))), from_height=Height(3), to_height=Height(4))
    assert [log.block_height for log in client.logs(both, page_size=1)] == [3, 4]
    assert list(client.logs(Filter(addresses=(ALICE,)))) == []


@pytest.mark.slow
def test_receipts_and_blocks_by_tag_sender_and_status(client: NodeClient, wallet: Wallet) -> None:
    token = wallet.created(0)
    mine_of = [each.block_height for each in client.receipts(Filter(senders=(wallet.sender,)))]
    assert mine_of == [1, 2, 3, 4, 5]
    # The EVM tags a transaction with its sender and with the contract that it is for or creates.
    tagged = list(client.receipts(Filter(container="evm", tags=(token,))))
    assert [each.block_height for each in tagged] == [1, 2, 3, 4, 5]
    assert token in tagged[0].receipt.tags
    (failed,) = client.receipts(Filter(statuses=(Status.REVERTED,)))
    assert failed.block_height == 5
    assert not failed.receipt.logs
    assert list(client.receipts(Filter(tags=(b"nobody",)))) == []
    heights = [block.header.height for block in client.blocks(Filter(topics=((), (), (word(BOB),))))]
    assert heights == [3]
    everything = list(client.blocks(read_mask=["header"], page_size=2))
    assert [block.header.height for block in everything] == [0, 1, 2, 3, 4, 5]
    assert not everything[1].transactions


@pytest.mark.slow
def test_what_the_development_controls_did_is_found_too(client: NodeClient) -> None:
    client.set_balance(ALICE, 5)
    client.mine()
    heights = [each.block_height for each in client.receipts(Filter(from_height=Height(6)))]
    assert heights == [6]
    assert [each.container for each in client.receipts(Filter(container="vessel"))] == ["vessel"]


@pytest.mark.slow
def test_bad_requests_say_what_to_do(client: NodeClient) -> None:
    with pytest.raises(UnknownContainer, match="it has: evm"):
        list(client.logs(Filter(container="wasm")))
    with pytest.raises(InvalidRequest, match="expected 1 to 10000") as caught:
        list(client.logs(page_size=10_001))
    assert (caught.value.reason, caught.value.details["limit"]) == ("PAGE_TOO_LARGE", "10000")
    with pytest.raises(InvalidRequest, match="a block has id, header"):
        list(client.blocks(read_mask=["nonsense"]))


@pytest.mark.slow
def test_the_asynchronous_client_finds_the_same(node: Node, client: NodeClient) -> None:
    async def all_logs() -> list[bytes]:
        async with AsyncNodeClient(node.grpc_address) as connected:
            return [log.SerializeToString() async for log in connected.logs(page_size=1)]

    assert asyncio.run(all_logs()) == [log.SerializeToString() for log in client.logs()]


@pytest.mark.slow
def test_the_command_line_finds_them(node: Node, wallet: Wallet) -> None:
    def run(*words: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, [*words, "--node", node.grpc_address])
        return result.exit_code, result.stdout, result.stderr

    token = "0x" + wallet.created(0).hex()
    to_alice = ("--topic", f"0x{TRANSFER.hex()}", "--topic", "any", "--topic", f"0x{word(ALICE).hex()}")
    code, out, _ = run("logs", "--address", token, *to_alice, "--json")
    document = json.loads(out)
    assert code == 0
    assert [log["block_height"] for log in document["logs"]] == [2, 4]
    assert document["more"] is False
    code, out, err = run("logs", "--address", token, "--limit", "1")
    assert out.startswith("block 1 log 0 evm " + token)
    assert "there are more than 1: go on with --from" in err
    code, out, err = run("receipts", "--status", "reverted")
    assert out.startswith("block 5 #0 evm 0x")
    code, out, _ = run(
        "watch", "receipts", "--sender", f"0x{wallet.sender.hex()}", "--from", "3", "--to", "4", "--json"
    )
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["next_height"] for line in lines] == [3, 4, 5]
    assert [line["receipt"]["block_height"] for line in lines[1:]] == [3, 4]
    code, out, _ = run("logs", "--follow", "--from", "0", "--to", "5", "--address", token)
    assert [line.split()[1] for line in out.splitlines()] == ["1", "2", "3", "4"]
    code, out, err = run("logs", "--address", "0xzz")
    assert code == 4
    assert "--address '0xzz' is not hexadecimal" in err
    code, out, err = run("receipts", "--status", "fine")
    assert "expected ok, reverted" in err
