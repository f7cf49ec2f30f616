"""Signatures as people write them, and ABIs as compilers do."""

from __future__ import annotations

import pytest

from vessel.cli.abi import Parameter, parse_abi, parse_signature, split_top
from vessel.errors import ConfigurationError, InvalidRequest


@pytest.mark.parametrize(
    ("text", "signature", "outputs"),
    [
        ("f()", "f()", None),
        ("balanceOf(address)(uint256)", "balanceOf(address)", ["uint256"]),
        ("f(uint,int[2][])(bytes32[])", "f(uint256,int256[2][])", ["bytes32[]"]),
        ("f((uint,address)[] pairs, string memory why)", "f((uint256,address)[],string)", None),
        ("f(tuple(uint8,(bool,bytes))) external view returns (bool ok)", "f((uint8,(bool,bytes)))", ["bool"]),
        ("f(address payable to)()", "f(address)", []),
    ],
)
def test_reads_a_signature(text: str, signature: str, outputs: list[str] | None) -> None:
    function = parse_signature(text)
    assert function.signature == signature
    found = None if function.outputs is None else [each.type for each in function.outputs]
    assert found == outputs


@pytest.mark.parametrize(
    "text",
    ["", "f", "f(", "(uint256)", "f(uint257)", "f(uint7)", "f(bytes33)", "f(number)", "f()x",
     "f(uint256 a b)", "f(uint256[)", "f()()()", "1f()"],
)  # fmt: skip
def test_refuses_a_signature(text: str) -> None:
    with pytest.raises(InvalidRequest, match="not a function signature"):
        parse_signature(text)


def test_names_are_kept() -> None:
    (to, amount) = parse_signature("transfer(address to, uint256 amount)").inputs
    assert (to, amount) == (
        Parameter(type="address", name="to"),
        Parameter(type="uint256", name="amount"),
    )


def test_selector() -> None:
    assert parse_signature("transfer(address,uint256)").selector.hex() == "a9059cbb"


def test_overloads_are_told_apart() -> None:
    def entry(*kinds: str) -> dict[str, object]:
        return {"type": "function", "name": "f", "inputs": [{"type": kind, "name": ""} for kind in kinds]}

    abi = parse_abi([entry("uint256"), entry("uint256", "bool"), entry("address")], source="x")
    assert abi.function("f", 2).signature == "f(uint256,bool)"
    assert abi.function("f(address)", 1).signature == "f(address)"
    with pytest.raises(InvalidRequest, match="may be any of"):
        abi.function("f", 1)
    with pytest.raises(InvalidRequest, match="has no function"):
        abi.function("g", 0)


def test_tuples_of_a_json_abi_are_written_out() -> None:
    components = [{"type": "uint256"}, {"type": "tuple", "components": [{"type": "bool"}]}]
    entry = {"type": "error", "name": "E", "inputs": [{"type": "tuple[]", "components": components}]}
    (error,) = parse_abi([entry], source="x").errors
    assert error.signature == "E((uint256,(bool))[])"


@pytest.mark.parametrize(
    "entries",
    [{}, ["x"], [{"type": "function", "inputs": 1}], [{"type": "function", "inputs": [{"type": "u"}]}],
     [{"type": "function", "inputs": ["x"]}]],
)  # fmt: skip
def test_refuses_what_is_no_abi(entries: object) -> None:
    with pytest.raises(ConfigurationError, match=r"token\.json"):
        parse_abi(entries, source="token.json")


@pytest.mark.parametrize(
    ("text", "parts"),
    [("", []), ("1", ["1"]), ("1, (2,3),[4]", ["1", "(2,3)", "[4]"]), ('"a,b",c', ['"a,b"', "c"]),
     ("'(',2", ["'('", "2"]), (r'"\",",2', [r'"\","', "2"]), ("a,", ["a", ""])],
)  # fmt: skip
def test_splits_outside_of_brackets_and_quotes(text: str, parts: list[str]) -> None:
    assert split_top(text) == parts
