# SPDX-License-Identifier: Apache-2.0
"""Each function of the reverter fails in its own way, with exactly the data of that way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from eth.exceptions import InvalidInstruction, OutOfGas, Revert, VMError

if TYPE_CHECKING:
    from tests.contracts.conftest import Chain, Contract

MAX = 2**256 - 1
LONG = "a message that does not fit into one word of thirty-two bytes ✓"

# Message, name and arguments of the call, in the order they stand in the contract.
PANICS: list[tuple[int, str, tuple[Any, ...]]] = [
    (0x01, "panicAssert", ()),
    (0x11, "sum", (MAX, 1)),
    (0x11, "difference", (0, 1)),
    (0x12, "quotient", (1, 0)),
    (0x21, "colour", (3,)),
    (0x22, "panicEncoding", ()),
    (0x31, "panicPop", ()),
    (0x32, "element", (3,)),
    (0x41, "allocate", (2**64,)),
    (0x51, "panicPointer", ()),
]
SILENT = ["requireNothing", "bareRevert"]
HALTS: list[tuple[str, type[VMError]]] = [
    ("invalidOpcode", InvalidInstruction),
    ("outOfGas", OutOfGas),
    ("outOfMemory", OutOfGas),
]
NOTHING, MESSAGE, PANIC, BYTES = range(4)


@pytest.fixture
def reverter(chain: Chain) -> Contract:
    """Give a reverter."""
    return chain.deploy("reverter/Reverter")


def test_every_function_is_tested(reverter: Contract) -> None:
    tested = {name for _, name, _ in PANICS} | set(SILENT) | {name for name, _ in HALTS}
    tested |= {"requireMessage", "revertMessage", "requireError", "revertError", "revertErrorBecause"}
    tested |= {"revertBytes", "nested", "caught", "writeThenRevert", "attempt", "writeInStaticCall"}
    tested |= {"writes", "attempts"}
    assert tested == {entry["name"] for entry in reverter.abi if entry["type"] == "function"}


@pytest.mark.parametrize(("code", "name", "arguments"), PANICS)
def test_panic(chain: Chain, reverter: Contract, code: int, name: str, arguments: tuple[Any, ...]) -> None:
    outcome = reverter.send(name, *arguments)
    assert isinstance(outcome.error, Revert)
    assert outcome.output == chain.panic(code)
    assert outcome.gas_used < 100_000, "a panic leaves the gas"


def test_arithmetic_within_bounds_does_not_panic(reverter: Contract) -> None:
    assert reverter.read("sum", MAX - 1, 1) == MAX
    assert reverter.read("difference", 1, 1) == 0
    assert reverter.read("quotient", 7, 2) == 3
    assert reverter.read("colour", 2) == 2
    assert reverter.read("element", 2) == 30
    assert reverter.read("allocate", 5) == 5


@pytest.mark.parametrize("name", ["requireMessage", "revertMessage"])
@pytest.mark.parametrize("text", ["", "short", LONG])
def test_message(chain: Chain, reverter: Contract, name: str, text: str) -> None:
    outcome = reverter.send(name, text)
    assert isinstance(outcome.error, Revert)
    assert outcome.output == chain.message(text)


@pytest.mark.parametrize("name", SILENT)
def test_silent_revert(reverter: Contract, name: str) -> None:
    outcome = reverter.send(name)
    assert isinstance(outcome.error, Revert)
    assert outcome.output == b""


def test_custom_errors(chain: Chain, reverter: Contract) -> None:
    refused = reverter.error("Refused")
    assert len(refused) == 4
    assert reverter.send("requireError").output == refused
    assert reverter.send("revertError").output == refused
    because = reverter.error("RefusedBecause", chain.bob, 7, LONG)
    assert reverter.send("revertErrorBecause", 7, LONG, sender=chain.bob).output == because


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x08\xc3\x79\xa0", b"\xff" * 33, bytes(1_000)])
def test_any_bytes(reverter: Contract, data: bytes) -> None:
    outcome = reverter.send("revertBytes", data)
    assert isinstance(outcome.error, Revert)
    assert outcome.output == data


@pytest.mark.parametrize(("name", "kind"), HALTS)
def test_halt_takes_all_gas(reverter: Contract, name: str, kind: type[VMError]) -> None:
    outcome = reverter.send(name, gas=100_000)
    assert isinstance(outcome.error, kind)
    assert outcome.output == b""
    assert outcome.gas_used == 100_000


@pytest.mark.parametrize("depth", [1, 3])
def test_nested_failure_comes_up_byte_for_byte(chain: Chain, reverter: Contract, depth: int) -> None:
    # The reverter is the caller of what is nested.
    because = reverter.error("RefusedBecause", reverter.address, 1, "x")
    inner = {
        reverter.data("revertMessage", LONG): chain.message(LONG),
        reverter.data("bareRevert"): b"",
        reverter.data("revertErrorBecause", 1, "x"): because,
        reverter.data("panicAssert"): chain.panic(0x01),
    }
    for data, expected in inner.items():
        for _ in range(depth - 1):
            data = reverter.data("nested", data)
        outcome = reverter.send("nested", data)
        assert isinstance(outcome.error, Revert)
        assert outcome.output == expected


def test_nested_halt_leaves_the_caller_a_little_gas(reverter: Contract) -> None:
    outcome = reverter.send("nested", reverter.data("invalidOpcode"), gas=640_000)
    assert isinstance(outcome.error, Revert), "the caller still had gas to revert"
    assert outcome.output == b""
    assert 620_000 < outcome.gas_used < 640_000


def test_nested_success_is_returned(reverter: Contract) -> None:
    assert reverter.read("nested", reverter.data("sum", 2, 3)) == (5).to_bytes(32, "big")
    assert reverter.read("nested", reverter.data("requireNothing")) == b""


def test_catch_tells_the_kinds_apart(chain: Chain, reverter: Contract) -> None:
    def caught(name: str, *arguments: Any) -> Any:
        return reverter.read("caught", reverter.data(name, *arguments))

    assert caught("quotient", 6, 2) == (NOTHING, "", 0, (3).to_bytes(32, "big"))
    assert caught("revertMessage", LONG) == (MESSAGE, LONG, 0, b"")
    for code, name, arguments in PANICS:
        assert caught(name, *arguments) == (PANIC, "", code, b""), name
    assert caught("bareRevert") == (BYTES, "", 0, b"")
    assert caught("revertError") == (BYTES, "", 0, reverter.error("Refused"))
    assert caught("revertBytes", b"\x08\xc3\x79\xa0") == (BYTES, "", 0, b"\x08\xc3\x79\xa0")


def test_write_does_not_outlast_its_revert(reverter: Contract) -> None:
    outcome = reverter.send("writeThenRevert")
    assert outcome.output == reverter.error("Refused")
    assert outcome.logs == ()
    assert reverter.read("writes") == 0


def test_caught_revert_undoes_the_inner_write_only(reverter: Contract) -> None:
    outcome = reverter.send("attempt")
    assert outcome.success
    assert outcome.logs == ()
    assert (reverter.read("attempts"), reverter.read("writes")) == (1, 0)


def test_static_call_cannot_write(reverter: Contract) -> None:
    assert reverter.read("writeInStaticCall") is False
    assert reverter.read("attempts") == 0


def test_constructor_that_refuses_makes_no_contract(chain: Chain) -> None:
    outcome, stillborn = chain.create("reverter/Stillborn", 7)
    assert isinstance(outcome.error, Revert)
    assert outcome.output == stillborn.error("NotBorn", 7)
    assert chain.code(stillborn.address) == b""
