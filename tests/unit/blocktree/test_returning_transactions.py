"""What blocks of others and reorganisations do to transactions with nonces that wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest
from eth_account import Account

from vessel.chain.admission import Submitted
from vessel.chain.chain import Chain
from vessel.cli.dev_accounts import dev_accounts
from vessel.config import NodeConfig
from vessel.errors import RejectedTransaction
from vessel.node import Node
from vessel.primitives.block import ExecutedBlock

pytestmark = pytest.mark.slow

Open = Callable[[], Chain]


def payment(nonce: int, *, account: int = 0, value: int = 1, tip: int = 10**9) -> bytes:
    """Return a signed payment of a development account."""
    signed = Account.sign_transaction(
        {
            "type": 2, "chainId": 31337, "nonce": nonce, "to": "0x" + "11" * 20, "value": value,
            "gas": 21_000, "maxFeePerGas": 10**11, "maxPriorityFeePerGas": tip, "data": b"",
        },
        dev_accounts()[account].private_key,
    )  # fmt: skip
    return bytes(signed.raw_transaction)


@pytest.fixture
def open_chain(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens another node's development chain whose blocks are not final."""
    text = resources.files("vessel").joinpath("templates/dev.toml").read_text(encoding="utf-8")
    genesis = tmp_path / "genesis.toml"
    genesis.write_text(text.replace("[consensus]\n", "[consensus]\nfinal = false\n"))
    nodes = []

    def make() -> Chain:
        config = NodeConfig(store="memory:", genesis=genesis, transport="local", mining="manual")
        nodes.append(Node.open(config))
        return nodes[-1].chain

    yield make
    for node in nodes:
        node.close()


def submit(chain: Chain, *raws: bytes) -> list[Submitted]:
    answers = []
    for answer in chain.admission.submit("evm", raws):
        assert isinstance(answer, Submitted), answer
        answers.append(answer)
    return answers


def mine(chain: Chain, count: int = 1) -> list[ExecutedBlock]:
    made = []
    for _ in range(count):
        turn = chain.consensus.turn_by_hand(chain.head.block.header, now_ms=chain.clock())
        assert turn is not None
        block = chain.produce(turn, even_empty=True)
        assert block is not None
        made.append(block)
    return made


def nonces_ready(chain: Chain) -> list[int | None]:
    """Return the nonces of what could go into a block now."""
    found = chain.admission.ready({"evm"}, limit=100)
    chain.admission.settle()
    return [pending.check.sequence for pending in found]


def test_a_block_of_another_node_spends_nonces(open_chain: Open) -> None:
    one, other = open_chain(), open_chain()
    own = submit(one, payment(0), payment(1), payment(3))
    elsewhere = submit(one, payment(0, account=1))
    submit(other, payment(0, value=2), payment(1, value=2), payment(2, value=2))
    for executed in mine(other):
        one.import_block(executed.block)
    for spent in own[:2]:
        error = spent.committed.exception(timeout=0)
        assert isinstance(error, RejectedTransaction)
        assert error.reason == "NONCE_TOO_LOW"
    assert sorted(nonces_ready(one), key=str) == [0, 3]  # the other account's, and what was behind the gap
    (made,) = mine(one)
    assert own[2].committed.result(timeout=0).executed == made
    assert elsewhere[0].committed.result(timeout=0).executed == made


def test_a_branch_without_them_gives_nonces_back(open_chain: Open) -> None:
    one, other = open_chain(), open_chain()
    submit(one, payment(0), payment(1))
    mine(one)
    submit(one, payment(2))
    mine(one)
    (waiting,) = submit(one, payment(3))
    for executed in mine(other, 3):
        one.import_block(executed.block)
    assert nonces_ready(one) == [0, 1, 2, 3]
    (made,) = mine(one)
    assert len(made.receipts) == 4
    assert waiting.committed.result(timeout=0).executed == made


def test_a_branch_that_spent_the_nonce_otherwise(open_chain: Open, caplog: pytest.LogCaptureFixture) -> None:
    one, other = open_chain(), open_chain()
    submit(one, payment(0), payment(1))
    mine(one)
    submit(other, payment(0, value=5))
    for executed in mine(other, 2):
        one.import_block(executed.block)
    assert "left the chain with its block and cannot wait" in caplog.text
    assert nonces_ready(one) == [1]
    mine(one)
    assert nonces_ready(one) == []


def test_a_check_from_before_a_reorganisation_is_made_again(open_chain: Open) -> None:
    """The chain moves while a container validates: what is admitted fits the chain that stands then."""
    one, other = open_chain(), open_chain()
    submit(one, payment(0))
    mine(one)
    blocks = mine(other, 2)
    validate = one.admission._validate
    moved: list[ExecutedBlock] = []

    def slow(*arguments: object, **more: object) -> object:
        checks = validate(*arguments, **more)  # type: ignore[arg-type]
        while blocks:
            moved.append(blocks.pop(0))
            one.import_block(moved[-1].block)
        return checks

    one.admission._validate = slow  # type: ignore[method-assign, assignment]
    submit(one, payment(1))
    assert one.head == moved[-1]
    assert nonces_ready(one) == [0, 1]
