"""Readers while the chain moves from branch to branch: block, state and proof always belong together."""

from __future__ import annotations

import threading

import pytest

from containers.toy_chain import Ticking, ToyChain
from vessel.chain.reading import Reading
from vessel.container.node_api import Tag
from vessel.database.key_value import Batch
from vessel.database.layout import score_key
from vessel.database.memory import MemoryKeyValue
from vessel.database.proof import Proof, verify
from vessel.database.tree import value_hash
from vessel.primitives.hashing import SHA256
from vessel.primitives.units import Height

KEY = b"\x00\x01value/a"


@pytest.mark.slow
def test_block_state_and_proof_belong_together_while_the_chain_moves() -> None:
    clock = Ticking()
    chain, rival = ToyChain(clock), ToyChain(clock)
    chain.mine(2)
    rival.follow(chain, 2)
    reading = Reading(chain.chain)
    reads: list[int] = []
    over = threading.Event()

    def read() -> None:  # what fails here fails the test: pytest warns of it
        while not over.is_set():
            for at in (Tag.LATEST, Height(2)):
                answer = reading.state([KEY], at=at, with_proofs=True)
                (entry,) = answer.entries
                proven = verify(Proof.from_bytes(entry.proof), answer.state_root, KEY, SHA256)
                assert proven == (None if entry.value is None else value_hash(SHA256, entry.value))
                assert answer.state_root == answer.executed.block.seal.result.state_root
                result, height = reading.query("counter", "value", b'{"name": "a"}', at=at)
                assert result.json.startswith(b'{"value"')
                reads.append(height)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(60):
            fork = max(2, chain.height - number % 4)
            rival.follow(chain, fork)
            rival.count(b"add a 1 %d" % number)
            chain.take(rival.mine(chain.height - fork + 1))
            assert chain.head == rival.head
    finally:
        over.set()
        reader.join()
    assert len(reads) > 10
    for each in (chain, rival):
        each.close()


def test_a_store_without_scores_gets_them_worked_out() -> None:
    store = MemoryKeyValue()
    chain = ToyChain(Ticking(), store)
    chain.mine(5)
    assert chain.chain.tree.score == 6
    store.write(Batch((score_key(height), None) for height in range(6)), sync=True)
    assert ToyChain(Ticking(), store).chain.tree.score == 6
