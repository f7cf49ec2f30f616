"""Arguments of a contract call: what a person writes on the command line, by ABI type, and back.

An integer is decimal, hexadecimal, or for uint256 an amount with a unit; bytes are 0x-hexadecimal;
arrays are [1,2], tuples (1,0xab), nested at will. Strings need quotes only inside of those, and there
only where they hold commas or brackets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from vessel.cli.abi import Function, Parameter, array_of, split_top, tuple_of
from vessel.cli.quantity import parse_quantity
from vessel.errors import InvalidRequest

_INTEGER = re.compile(r"-?(?:[0-9][0-9_]*|0x[0-9a-f]+)", re.IGNORECASE)
_ADDRESS_DIGITS = 40


def encode_call(function: Function, arguments: Sequence[str]) -> bytes:
    """Return selector and arguments."""
    return function.selector + encode_arguments(function, arguments)


def encode_arguments(function: Function, arguments: Sequence[str]) -> bytes:
    """Return the ABI encoding of what was written; InvalidRequest names the argument that does not fit."""
    if len(arguments) != len(function.inputs):
        raise InvalidRequest(
            f"{function.described} takes {len(function.inputs)} "
            f"argument{'' if len(function.inputs) == 1 else 's'}, got {len(arguments)}",
            reason="ARGUMENT_COUNT",
            expected=len(function.inputs),
            actual=len(arguments),
        )
    if not function.inputs:
        return b""
    values = []
    for place, (parameter, text) in enumerate(zip(function.inputs, arguments, strict=True), start=1):
        try:
            values.append(parse_value(text, parameter.type))
        except InvalidRequest as error:
            label = f"argument {place}" + (f" ({parameter.name})" if parameter.name else "")
            raise InvalidRequest(
                f"{label} of {function.described}: {error.message}; an example of {parameter.type}: "
                f"{example(parameter.type)}",
                reason="ARGUMENT",
                argument=parameter.name or place,
                type=parameter.type,
                value=text,
            ) from None
    from eth_abi.abi import encode

    return bytes(encode([parameter.type for parameter in function.inputs], values))


def parse_value(text: str, kind: str) -> object:
    """Return the value of ABI type `kind` that `text` writes; InvalidRequest says what was wrong."""
    array = array_of(kind)
    if array is not None:
        element, length = array
        items = _items(text, "[", "]", kind)
        if length is not None and len(items) != length:
            raise InvalidRequest(f"{kind} has {length} elements, got {len(items)}")
        return [parse_value(_unquoted(item, element), element) for item in items]
    members = tuple_of(kind)
    if members is not None:
        items = _items(text, "(", ")", kind)
        if len(items) != len(members):
            raise InvalidRequest(f"{kind} has {len(members)} members, got {len(items)}")
        pairs = zip(items, members, strict=True)
        return tuple(parse_value(_unquoted(item, member), member) for item, member in pairs)
    if kind == "string":
        return text
    if kind == "bool":
        return _boolean(text)
    if kind == "address":
        return _address(text)
    if kind.startswith("bytes") or kind == "function":
        return _bytes(text, kind)
    return _integer(text, kind)


def decode_values(parameters: Sequence[Parameter], data: bytes, *, what: str) -> tuple[object, ...]:
    """Return the values that `data` encodes; InvalidRequest where it is not of these types."""
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        values = decode([parameter.type for parameter in parameters], data)
    except (DecodingError, OverflowError, ValueError):
        kinds = ",".join(parameter.type for parameter in parameters)
        raise InvalidRequest(
            f"{what} came back with {len(data)} bytes that are not ({kinds})"
            + ("; is there a contract at that address?" if not data else "; check the signature"),
            reason="OUTPUT",
            output="0x" + data.hex(),
        ) from None
    return tuple(to_plain(value, parameter.type) for value, parameter in zip(values, parameters, strict=True))


def to_plain(value: object, kind: str) -> object:
    """Return a decoded value for JSON: bytes as hexadecimal, integers as decimal strings."""
    array, members = array_of(kind), tuple_of(kind)
    if array is not None and isinstance(value, Sequence):
        return [to_plain(item, array[0]) for item in value]
    if members is not None and isinstance(value, Sequence):
        return [to_plain(item, member) for item, member in zip(value, members, strict=True)]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool):
        return value
    if kind == "address":
        return checksummed(str(value))
    return str(value)


def to_text(value: object) -> str:
    """Return a plain value as one line for a person."""
    if isinstance(value, list):
        return "[" + ", ".join(to_text(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def checksummed(address: str) -> str:
    """Return an address with the checksum in the case of its letters."""
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(address))


def example(kind: str) -> str:
    """Return how a value of this type is written."""
    array, members = array_of(kind), tuple_of(kind)
    if array is not None:
        return "[" + ",".join([example(array[0])] * (array[1] or 2)) + "]"
    if members is not None:
        return "(" + ",".join(example(member) for member in members) + ")"
    if kind.startswith("bytes") and kind != "bytes":
        return "0x" + "ab" * int(kind.removeprefix("bytes"))
    fixed = {
        "address": "0x" + "f3" * 20,
        "bool": "true",
        "string": "hello",
        "bytes": "0xabcd",
        "function": "0x" + "ab" * 24,
        "uint256": "100, 0x64 or 1ether",
    }
    return fixed.get(kind, "-7" if kind.startswith("int") else "7")


def _items(text: str, opening: str, closing: str, kind: str) -> list[str]:
    stripped = text.strip()
    if not (stripped.startswith(opening) and stripped.endswith(closing)) or len(stripped) < 2:
        raise InvalidRequest(f"{text!r} is not {kind}: expected {opening}…{closing}")
    return split_top(stripped[1:-1])


def _unquoted(item: str, kind: str) -> str:
    if len(item) >= 2 and item[0] == item[-1] and item[0] in "\"'":
        if item[0] == '"':
            try:
                return str(json.loads(item))
            except ValueError:
                raise InvalidRequest(f"{item} is not a string as JSON writes them") from None
        return item[1:-1]
    return item if kind == "string" else item.strip()


def _boolean(text: str) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False}
    if text.strip().lower() not in words:
        raise InvalidRequest(f"{text!r} is not a bool: expected true or false")
    return words[text.strip().lower()]


def _address(text: str) -> str:
    digits = text.strip().removeprefix("0x")
    if len(digits) != _ADDRESS_DIGITS or not re.fullmatch(r"[0-9a-fA-F]+", digits):
        raise InvalidRequest(
            f"{text!r} is not an address: expected 0x and {_ADDRESS_DIGITS} hexadecimal digits"
        )
    address = "0x" + digits
    mixed = digits != digits.lower() and digits != digits.upper()
    if mixed and checksummed(address.lower()) != address:
        raise InvalidRequest(f"{text!r} fails its checksum: a digit is mistyped, or write it in lower case")
    return address.lower()


def _bytes(text: str, kind: str) -> bytes:
    stripped = text.strip()
    if not stripped.startswith("0x"):
        raise InvalidRequest(f"{text!r} is not {kind}: expected 0x and hexadecimal digits")
    try:
        data = bytes.fromhex(stripped[2:])
    except ValueError:
        raise InvalidRequest(f"{text!r} is not {kind}: expected pairs of hexadecimal digits") from None
    size = 24 if kind == "function" else int(kind.removeprefix("bytes") or 0)
    if size and len(data) != size:
        raise InvalidRequest(f"{text!r} is not {kind}: expected {size} bytes, got {len(data)}")
    return data


def _integer(text: str, kind: str) -> int:
    stripped = text.strip()
    if _INTEGER.fullmatch(stripped):
        sign, digits = (-1, stripped[1:]) if stripped.startswith("-") else (1, stripped)
        value = sign * (int(digits, 16) if digits[:2].lower() == "0x" else int(digits.replace("_", "")))
    elif kind == "uint256" and stripped[:1].isdigit():
        value = parse_quantity(stripped)
    else:
        raise InvalidRequest(f"{text!r} is not {kind}: expected a whole number, decimal or 0x-hexadecimal")
    bits = int(kind.lstrip("uint"))
    low, high = (0, 1 << bits) if kind.startswith("u") else (-(1 << (bits - 1)), 1 << (bits - 1))
    if not low <= value < high:
        raise InvalidRequest(f"{value} does not fit {kind}: expected {low} to {high - 1}")
    return value
