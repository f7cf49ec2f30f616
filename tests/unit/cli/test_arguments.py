"""What a person writes for a value of an ABI type, and what the message says where it does not fit."""

from __future__ import annotations

import pytest

from vessel.cli.abi import Parameter, parse_signature
from vessel.cli.arguments import decode_values, encode_arguments, example, parse_value, to_plain, to_text
from vessel.errors import InvalidRequest

ADDRESS = "0x" + "ab" * 20
CHECKSUMMED = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("uint256", "7", 7),
        ("uint256", "1_000", 1000),
        ("uint256", "0xff", 255),
        ("uint256", "1.5ether", 15 * 10**17),
        ("uint8", "255", 255),
        ("int8", "-128", -128),
        ("int256", "-0x10", -16),
        ("bool", "true", True),
        ("bool", "0", False),
        ("address", ADDRESS, ADDRESS),
        (
            "address",
            "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
        ),
        ("bytes", "0x", b""),
        ("bytes", "0xabcd", b"\xab\xcd"),
        ("bytes2", "0xabcd", b"\xab\xcd"),
        ("string", " as it is, (really) ", " as it is, (really) "),
        ("uint8[]", "[]", []),
        ("uint8[]", "[1, 2]", [1, 2]),
        ("uint8[2][]", "[[1,2],[3,4]]", [[1, 2], [3, 4]]),
        ("(uint8,bytes)", "(1,0xab)", (1, b"\xab")),
        ("(uint8,(bool,string))[]", "[(1,(true,hi))]", [(1, (True, "hi"))]),
        ("string[]", "[\"a,b\",'c]',d e]", ["a,b", "c]", "d e"]),
    ],
)
def test_reads(kind: str, text: str, value: object) -> None:
    assert parse_value(text, kind) == value


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("uint8", "256", "does not fit uint8"),
        ("uint8", "-1", "does not fit uint8"),
        ("int8", "128", "-128 to 127"),
        ("uint256", "many", "not uint256"),
        ("uint256", "1.5", "fraction of a wei"),
        ("uint128", "1ether", "not uint128"),
        ("bool", "yes", "true or false"),
        ("address", "0xab", "40 hexadecimal digits"),
        ("address", "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "checksum"),
        ("bytes", "abcd", "expected 0x"),
        ("bytes", "0xabc", "pairs"),
        ("bytes4", "0xab", "expected 4 bytes, got 1"),
        ("uint8[]", "1,2", "expected […]"),
        ("uint8[2]", "[1]", "has 2 elements, got 1"),
        ("(uint8,bool)", "(1)", "has 2 members, got 1"),
        ("uint8[]", "[1,300]", "does not fit uint8"),
    ],
)
def test_refuses_and_names_argument_type_and_example(kind: str, text: str, message: str) -> None:
    function = parse_signature(f"f(bool, {kind} amount)")
    with pytest.raises(InvalidRequest) as raised:
        encode_arguments(function, ["true", text])
    said = raised.value.message
    assert "argument 2 (amount)" in said
    assert message in said
    assert f"an example of {kind}: {example(kind)}" in said
    assert raised.value.details["type"] == kind


@pytest.mark.parametrize(
    "kind",
    ["uint256[]", "int8", "address", "bool", "string", "bytes", "bytes32", "function", "(uint8,string[2])[]"],
)
def test_the_example_is_one(kind: str) -> None:
    if kind.startswith("uint256"):
        kind = "uint16[]"  # of uint256 the example shows three ways to write it
    encode_arguments(parse_signature(f"f({kind})"), [example(kind)])


def test_count() -> None:
    with pytest.raises(InvalidRequest, match=r"f\(uint256 a\) takes 1 argument, got 2"):
        encode_arguments(parse_signature("f(uint256 a)"), ["1", "2"])


def test_decoded_values_are_plain() -> None:
    function = parse_signature("f(uint256,(address,bytes)[],bool,string)")
    data = encode_arguments(function, ["1", f"[({ADDRESS},0x01)]", "true", "x"])
    values = decode_values(function.inputs, data, what="f")
    assert values[0] == "1"
    assert to_text(values[1]).lower() == f"[[{ADDRESS}, 0x01]]"
    assert to_text(values[2]) == "true"
    assert values[3] == "x"


def test_bytes_that_are_not_of_these_types() -> None:
    with pytest.raises(InvalidRequest, match="check the signature"):
        decode_values([Parameter(type="uint256")], b"\1", what="f")


def test_plain_keeps_what_it_does_not_know() -> None:
    assert to_plain(b"\1", "bytes") == "0x01"
    assert to_plain(2**255, "uint256") == str(2**255)
