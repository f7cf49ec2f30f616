"""The same transactions on both transports give the same roots."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.conftest import Open
from e2e.ethereum import Wallet, mine, replay, submit, token_story
from vessel.primitives.receipt import Status


@pytest.mark.slow
def test_a_plugin_process_and_an_object_come_to_the_same(
    open_node: Open, wallet: Wallet, tmp_path: Path
) -> None:
    local = open_node()
    process = open_node(store=f"leveldb:{tmp_path / 'chain'}", transport="grpc")
    assert local.chain.head == process.chain.head
    statuses = []
    for number, raws in enumerate(token_story(wallet)):
        maker, follower = (local, process) if number % 2 else (process, local)
        submit(maker, *raws)
        made = mine(maker)
        followed = replay(follower, made)
        assert made == followed
        assert maker.chain.store.state.head_root == follower.chain.store.state.head_root
        statuses += [receipt.status for receipt in made.receipts]
    assert statuses == [
        Status.OK, Status.OK,
        Status.OK, Status.REVERTED, Status.OUT_OF_GAS, Status.OK,
        Status.OK, Status.TRAP,
    ]  # fmt: skip
    assert process.chain.containers["evm"].hosting.pid > 0


@pytest.mark.slow
def test_a_store_that_is_opened_again_goes_on(open_node: Open, wallet: Wallet, tmp_path: Path) -> None:
    store = f"leveldb:{tmp_path / 'chain'}"
    first = open_node(store=store)
    blocks = []
    for raws in token_story(wallet):
        submit(first, *raws)
        blocks.append(mine(first))
    first.close()
    again = open_node(store=store)
    assert blocks == [again.chain.store.block(height) for height in range(1, 4)]
    submit(again, wallet.sign(Wallet(1).sender, value=1, gas=21_000))
    assert blocks[-1].block_id == mine(again).block.header.parent_id
