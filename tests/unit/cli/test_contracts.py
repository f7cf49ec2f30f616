"""deploy, call and send: what they sign, what they show, and their exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from unit.cli.conftest import Vessel
from unit.client.fake_node import BASE_FEE, CHAIN_ID, FIRST_ACCOUNT, FakeNode
from vessel.errors import ContainerUnavailable, InvalidRequest, RejectedTransaction
from vessel_proto.node.v1 import node_pb2

CONTRACT = "0x" + "11" * 20
RECEIVER = "0x" + "22" * 20
OTHER_KEY = "0x" + "0a" * 32


def sent(node: FakeNode) -> tuple[dict[str, object], str]:
    """Return the transaction that the node was sent, and who signed it."""
    (request,) = [each for each in node.requests if isinstance(each, node_pb2.SubmitTransactionsRequest)]
    (transaction,) = request.transactions
    assert transaction.container == "evm"
    fields = TypedTransaction.from_bytes(HexBytes(transaction.raw)).as_dict()
    return dict(fields), str(Account.recover_transaction(transaction.raw))


def integer_of(value: object) -> int:
    return int.from_bytes(value, "big") if isinstance(value, bytes) else int(str(value))


def test_send_coin(vessel: Vessel, node: FakeNode) -> None:
    outcome = vessel("send", RECEIVER, "--value", "1ether", "--json")
    assert outcome.code == 0
    fields, signer = sent(node)
    assert signer == FIRST_ACCOUNT
    assert integer_of(fields["value"]) == 10**18
    assert integer_of(fields["chainId"]) == CHAIN_ID
    assert integer_of(fields["nonce"]) == 7
    assert integer_of(fields["maxFeePerGas"]) == 2 * BASE_FEE + 10**9
    assert integer_of(fields["maxPriorityFeePerGas"]) == 10**9
    assert outcome.document["receipt"]["status"] == "ok"
    assert outcome.document["block_height"] == 3


def test_send_calls_with_a_fifth_more_gas_than_estimated(vessel: Vessel, node: FakeNode) -> None:
    assert vessel("send", CONTRACT, "transfer(address,uint256)", RECEIVER, "5gwei").code == 0
    fields, _ = sent(node)
    assert integer_of(fields["gas"]) == 60_000
    data = bytes(HexBytes(fields["data"]))  # type: ignore[arg-type]
    assert data.hex() == "a9059cbb" + encode(["address", "uint256"], [RECEIVER, 5 * 10**9]).hex()


def test_what_is_given_is_not_asked_for(vessel: Vessel, node: FakeNode) -> None:
    words = ("--nonce", "0", "--gas-limit", "90000", "--max-fee", "3gwei", "--tip", "2gwei")
    assert vessel("send", RECEIVER, "--value", "1", *words).code == 0
    fields, _ = sent(node)
    assert (integer_of(fields["nonce"]), integer_of(fields["gas"])) == (0, 90_000)
    assert integer_of(fields["maxFeePerGas"]) == 3 * 10**9
    kinds = {type(each).__name__ for each in node.requests}
    assert kinds == {"GetServiceInfoRequest", "SubmitTransactionsRequest"}


@pytest.mark.parametrize("nonce", [7, "7", "0x7"])
def test_a_nonce_may_be_number_or_string(vessel: Vessel, node: FakeNode, nonce: object) -> None:
    node.nonce = nonce
    assert vessel("send", RECEIVER, "--value", "1").code == 0
    assert integer_of(sent(node)[0]["nonce"]) == 7


def test_another_dev_account_or_key(vessel: Vessel, node: FakeNode) -> None:
    assert vessel("send", RECEIVER, "--value", "1", "--from", "1").code == 0
    assert sent(node)[1] == "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def test_the_key_may_come_from_the_environment(vessel: Vessel, node: FakeNode) -> None:
    node.dev = False
    assert vessel("send", RECEIVER, "--value", "1").code == 4
    assert vessel("send", RECEIVER, "--value", "1", env={"VESSEL_PRIVATE_KEY": OTHER_KEY}).code == 0
    assert sent(node)[1] == Account.from_key(OTHER_KEY).address


def test_no_wait_is_pending(vessel: Vessel, node: FakeNode) -> None:
    outcome = vessel("send", RECEIVER, "--value", "1", "--no-wait", "--json")
    assert outcome.code == 0
    assert outcome.document["place"] == "pending"


def test_a_reverted_transaction_is_shown_with_its_reason_and_status_5(vessel: Vessel, node: FakeNode) -> None:
    node.receipt.status = node_pb2.STATUS_REVERTED
    node.receipt.output = bytes.fromhex("08c379a0") + encode(["string"], ["not today"])
    outcome = vessel("send", CONTRACT, "f()")
    assert outcome.code == 5
    assert "reverted: not today" in outcome.stdout
    outcome = vessel("send", CONTRACT, "f()", "--json")
    assert (outcome.code, outcome.document["reason"]) == (5, "not today")


def test_an_estimate_that_reverts_sends_nothing(vessel: Vessel, node: FakeNode, token: Path) -> None:
    data = bytes.fromhex("e450d38c") + encode(["address", "uint256", "uint256"], [RECEIVER, 1, 2])
    node.fails["EstimateGas"] = InvalidRequest(
        "reverted", reason="EXECUTION_REVERTED", status="REVERTED", output="0x" + data.hex()
    )
    outcome = vessel("send", CONTRACT, "--abi", str(token), "transfer", RECEIVER, "2", "--json")
    assert outcome.code == 5
    assert "ERC20InsufficientBalance" in outcome.document["error"]["message"]
    assert not [each for each in node.requests if isinstance(each, node_pb2.SubmitTransactionsRequest)]


def test_refused_and_container_errors(vessel: Vessel, node: FakeNode) -> None:
    node.refuses[0] = RejectedTransaction("nonce too low", reason="NONCE_TOO_LOW")
    assert vessel("send", RECEIVER, "--value", "1").code == 4
    node.fails["EstimateGas"] = ContainerUnavailable("being restarted")
    assert vessel("send", RECEIVER, "--value", "1").code == 9


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((RECEIVER,), "nothing to send"),
        ((RECEIVER, "--value", "much"), "--value 'much' is not an amount"),
        (("0x12", "--value", "1"), "not an address"),
        ((CONTRACT, "f"), "name without types"),
        ((CONTRACT, "f(uint"), "bracket"),
        ((CONTRACT, "f(uint8)", "300"), "does not fit uint8"),
        ((CONTRACT, "f(uint8)"), "takes 1 argument, got 0"),
        ((RECEIVER, "--value", "1", "--tip", "9gwei", "--max-fee", "1gwei"), "tip"),
    ],
)
def test_send_refuses(vessel: Vessel, words: tuple[str, ...], text: str) -> None:
    outcome = vessel("send", *words)
    assert outcome.code == 4
    assert text in outcome.stderr


def test_deploy(vessel: Vessel, node: FakeNode, token: Path) -> None:
    outcome = vessel("deploy", str(token), "A Token", "TOK", "1_000", "--json")
    assert outcome.code == 0
    fields, _ = sent(node)
    data = bytes(HexBytes(fields["data"]))  # type: ignore[arg-type]
    assert data.endswith(encode(["string", "string", "uint256"], ["A Token", "TOK", 1000]))
    assert not fields["to"]
    # keccak(rlp([0xf39F…, 7]))[12:], as go-ethereum computes it
    assert outcome.document["address"].lower() == "0xa513e6e4b8f2a923d98304ec87f64353c4d5c853"


def test_deploy_names_the_constructor_where_arguments_do_not_fit(vessel: Vessel, token: Path) -> None:
    outcome = vessel("deploy", str(token), "A Token")
    assert outcome.code == 4
    assert "constructor(string name_, string symbol_, uint256 initialSupply) takes 3" in outcome.stderr
    outcome = vessel("deploy", str(token), "A Token", "TOK", "many")
    assert "argument 3 (initialSupply)" in outcome.stderr
    outcome = vessel("deploy", str(token), "A Token", "TOK", "1", "--value", "1")
    assert "not payable" in outcome.stderr


def test_deploy_without_an_artifact(vessel: Vessel, tmp_path: Path) -> None:
    assert vessel("deploy", str(tmp_path / "nothing.json")).code == 8


def test_call_decodes_what_the_signature_names(vessel: Vessel, node: FakeNode) -> None:
    node.answer.output = encode(["uint256", "string", "address[]"], [5, "five", [RECEIVER]])
    words = ("call", CONTRACT, "f(int8)(uint256 count, string, address[])", "-5")
    outcome = vessel(*words)
    assert outcome.code == 0
    assert outcome.stdout.splitlines() == ["5", "five", f"[{RECEIVER}]"]
    values = vessel(*words, "--json").document["values"]
    assert values[0] == {"name": "count", "type": "uint256", "value": "5"}
    assert node.requests[-1].input[4:] == encode(["int8"], [-5])


def test_call_without_outputs_shows_bytes(vessel: Vessel, node: FakeNode) -> None:
    node.answer.output = b"\xab"
    assert vessel("call", CONTRACT, "f()").stdout == "0xab\n"


def test_call_by_name_with_an_abi(vessel: Vessel, node: FakeNode, token: Path) -> None:
    node.answer.output = encode(["uint256"], [9])
    assert vessel("call", CONTRACT, "--abi", str(token), "balanceOf", RECEIVER).stdout == "9\n"
    outcome = vessel("call", CONTRACT, "--abi", str(token), "balanceof", RECEIVER)
    assert outcome.code == 4
    assert "balanceOf(address)" in outcome.stderr


def test_call_of_nothing_asks_whether_there_is_a_contract(vessel: Vessel) -> None:
    outcome = vessel("call", CONTRACT, "f()(uint256)")
    assert outcome.code == 4
    assert "is there a contract" in outcome.stderr


@pytest.mark.parametrize(
    ("status", "output", "message"),
    [
        (node_pb2.STATUS_REVERTED, b"", "reverted without a reason"),
        (
            node_pb2.STATUS_REVERTED,
            bytes.fromhex("4e487b71") + bytes(31) + b"\x12",
            "division or modulo by zero",
        ),
        (node_pb2.STATUS_REVERTED, b"\1\2\3\4", "revert data 0x01020304"),
        (node_pb2.STATUS_OUT_OF_GAS, b"", "out of gas"),
        (node_pb2.STATUS_TRAP, b"", "trap"),
    ],
)
def test_a_call_that_fails(vessel: Vessel, node: FakeNode, status: int, output: bytes, message: str) -> None:
    node.answer = node_pb2.CallResponse(status=status, output=output, gas_used=9)  # type: ignore[arg-type]
    outcome = vessel("call", CONTRACT, "f()", "--json")
    assert outcome.code == 5
    assert message in outcome.document["error"]["message"]
    assert outcome.document["error"]["details"]["output"] == "0x" + output.hex()


def test_a_mistyped_option_behind_arguments_is_no_argument(vessel: Vessel) -> None:
    outcome = vessel("call", CONTRACT, "f(string)", "--jsn")
    assert outcome.code == 2
    assert "No such option: --jsn" in outcome.stderr


def test_a_keystore_signs(vessel: Vessel, node: FakeNode, tmp_path: Path) -> None:
    from eth_keyfile.keyfile import create_keyfile_json

    keystore, password = tmp_path / "key.json", tmp_path / "password"
    made = create_keyfile_json(bytes.fromhex(OTHER_KEY[2:]), b"open sesame", kdf="pbkdf2", iterations=2)
    keystore.write_text(json.dumps(made))
    password.write_text("open sesame\n")
    words = ("send", RECEIVER, "--value", "1", "--keystore", str(keystore))
    node.dev = False
    assert vessel(*words, "--password-file", str(password)).code == 0
    assert sent(node)[1] == Account.from_key(OTHER_KEY).address
    assert vessel(*words, input="open sesame\n").code == 0
    assert vessel(*words, input="guess\n").code == 4
    assert vessel(*words, "--private-key", OTHER_KEY).code == 4
    keystore.write_text("{}")
    assert vessel(*words, "--password-file", str(password)).code == 8
