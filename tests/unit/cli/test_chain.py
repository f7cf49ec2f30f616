"""Commands that look at a chain: their documents and what a person reads."""

from __future__ import annotations

import pytest

from unit.cli.conftest import Vessel, invoke
from unit.client.fake_node import FIRST_ACCOUNT, UNKNOWN, FakeNode
from vessel.errors import StoreLocked
from vessel_proto.node.v1 import node_pb2


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("info",), {"chain_id", "dev", "genesis_hash", "head", "consensus"}),
        (("block",), {"height", "id", "parent_id", "sections", "result", "transactions"}),
        (("tx", "0x" + "02" * 32), {"id", "block_height", "receipt", "place"}),
        (("containers",), {"containers"}),
        (("balance", FIRST_ACCOUNT), {"address", "balance", "height"}),
        (("accounts",), {"accounts", "height"}),
        (("mine", "2"), {"blocks", "height"}),
        (("prove", FIRST_ACCOUNT), {"key", "value", "state_root", "proof", "proof_size_bytes", "verified"}),
        (("version",), {"vessel", "python"}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_json_is_one_document(vessel: Vessel, words: tuple[str, ...], keys: set[str]) -> None:
    outcome = vessel(*words, "--json")
    assert outcome.code == 0
    assert keys <= set(outcome.document)


def test_info_for_people(vessel: Vessel) -> None:
    outcome = vessel("info")
    assert outcome.code == 0
    assert "dev, id 31337, development" in outcome.stdout


def test_no_line_of_a_pipe_wraps_or_is_padded(vessel: Vessel) -> None:
    lines = vessel("block").stdout.splitlines()
    assert all(line == line.rstrip() for line in lines)
    assert any(line.startswith("receipts root  0x" + "04" * 32) for line in lines)
    assert "\x1b" not in "".join(lines)


def test_block_shows_base_fee_and_transactions(vessel: Vessel) -> None:
    document = vessel("block", "3", "--json").document
    assert document["sections"]["evm"]["base_fee"] == str(10**9)
    assert document["transactions"][0]["raw"] == "0x010203"


def test_a_block_that_is_not_there(vessel: Vessel) -> None:
    assert vessel("block", "99").code == 6
    assert vessel("block", "newest").code == 4


def test_tx_tells_why_it_reverted(vessel: Vessel, node: FakeNode) -> None:
    node.receipt.status = node_pb2.STATUS_REVERTED
    node.receipt.output = bytes.fromhex("4e487b71") + (0x11).to_bytes(32, "big")
    outcome = vessel("tx", "0x" + "02" * 32)
    assert outcome.code == 0
    assert "reverted: panic 0x11: arithmetic overflow" in outcome.stdout


def test_tx_pending_unknown_and_unreadable(vessel: Vessel, node: FakeNode) -> None:
    assert vessel("tx", "0x" + UNKNOWN.hex()).code == 6
    assert vessel("tx", "0xzz").code == 4
    node.commits = False
    assert vessel("tx", "0x" + "02" * 32, "--json").document["place"] == "pending"


def test_containers_for_people(vessel: Vessel) -> None:
    head, line = vessel("containers").stdout.splitlines()
    assert head.split()[:4] == ["name", "kind", "transport", "pid"]
    assert line.split() == ["evm", "evm", "0.1.0", "grpc", "4242", "serving", "1", "1", "30000000"]


def test_balance(vessel: Vessel) -> None:
    assert vessel("balance", FIRST_ACCOUNT).stdout == "10000 ether\n"
    assert vessel("balance", "0x" + "01" * 20, "--json").document["balance"] == "0"
    assert vessel("balance", "0x12").code == 4


def test_accounts_are_of_a_development_chain_only(vessel: Vessel, node: FakeNode) -> None:
    listed = vessel("accounts", "--json").document["accounts"]
    assert [each["index"] for each in listed] == list(range(10))
    assert listed[0] == {"index": 0, "address": FIRST_ACCOUNT, "balance": str(10**22)}
    assert "private_key" in vessel("accounts", "--keys", "--json").document["accounts"][9]
    node.dev = False
    assert vessel("accounts").code == 4


def test_prove_inclusion_absence_and_any_key(vessel: Vessel) -> None:
    assert vessel("prove", FIRST_ACCOUNT, "--json").document["balance"] == str(10**22)
    absent = vessel("prove", "0x" + "01" * 20, "--json").document
    assert (absent["value"], absent["balance"], absent["verified"]) == (None, "0", True)
    assert vessel("prove", "--key", "0x0001ab", "--json").document["value"] is None
    assert "verified" in vessel("prove", FIRST_ACCOUNT).stdout


def test_prove_finds_out_a_node_that_lies(vessel: Vessel, node: FakeNode) -> None:
    node.lies = True
    outcome = vessel("prove", FIRST_ACCOUNT, "--json")
    assert outcome.code == 4
    assert outcome.document["error"]["reason"] == "PROOF_MISMATCH"


def test_prove_against_a_root_of_your_own(vessel: Vessel) -> None:
    root = vessel("prove", FIRST_ACCOUNT, "--json").document["state_root"]
    assert vessel("prove", FIRST_ACCOUNT, "--root", root).code == 0
    assert vessel("prove", FIRST_ACCOUNT, "--root", "0x" + "01" * 32).code == 4
    assert vessel("prove", FIRST_ACCOUNT, "--root", "0x01").code == 4
    assert vessel("prove", "--key", "0x0001").code == 4
    assert vessel("prove", FIRST_ACCOUNT, "--key", "0x0001ab").code == 2


def test_storage_trouble_of_the_node(vessel: Vessel, node: FakeNode) -> None:
    node.fails["GetState"] = StoreLocked("locked")
    assert vessel("balance", FIRST_ACCOUNT).code == 7


@pytest.mark.slow
def test_every_command_has_help() -> None:
    words = [line.split()[0] for line in invoke("--help").stdout.splitlines() if line.startswith("  ")]
    commands = {"run", "dev", "deploy", "call", "send", "tx", "block", "prove", "containers", "demo"}
    assert commands <= set(words)
    for command in sorted(commands):
        outcome = invoke(command, "--help")
        assert outcome.code == 0
        assert "--json" in outcome.stdout
