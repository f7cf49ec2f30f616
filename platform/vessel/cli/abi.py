"""The contract ABI: functions, errors and constructors, from an artifact or from one written signature."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vessel.errors import ConfigurationError, InvalidRequest

SELECTOR_SIZE_BYTES = 4
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_ARRAY_SUFFIX = re.compile(r"\[[0-9]*\]")
_ELEMENTARY = re.compile(r"address|bool|string|function|u?int(?P<bits>[0-9]+)?|bytes(?P<size>[0-9]+)?")
_DATA_LOCATIONS = frozenset({"memory", "calldata", "storage", "indexed", "payable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value in or out: its canonical type (tuples written out) and its name, which may be empty."""

    type: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """Something with arguments: a function, a custom error, or a constructor (whose name is empty).

    outputs: None where nobody said what comes back.
    """

    name: str
    inputs: tuple[Parameter, ...] = ()
    outputs: tuple[Parameter, ...] | None = None
    payable: bool = True

    @property
    def signature(self) -> str:
        """Return the canonical signature, whose hash the selector comes from."""
        return f"{self.name}({','.join(parameter.type for parameter in self.inputs)})"

    @property
    def described(self) -> str:
        """Return the signature with argument names, for messages."""
        inner = ", ".join(f"{each.type} {each.name}".strip() for each in self.inputs)
        return f"{self.name or 'constructor'}({inner})"

    @property
    def selector(self) -> bytes:
        """Return the four bytes that a call begins with."""
        from eth_utils.crypto import keccak

        return bytes(keccak(text=self.signature)[:SELECTOR_SIZE_BYTES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Abi:
    """What a contract can be asked, and what it refuses with."""

    functions: tuple[Function, ...] = ()
    errors: tuple[Function, ...] = ()
    constructor: Function = Function(name="", payable=False)

    def function(self, wanted: str, argument_count: int) -> Function:
        """Return the function of that name or signature; overloads are told apart by argument count."""
        if "(" in wanted:
            signature = parse_signature(wanted).signature
            found = [each for each in self.functions if each.signature == signature]
        else:
            found = [each for each in self.functions if each.name == wanted]
            if len(found) > 1:
                found = [each for each in found if len(each.inputs) == argument_count] or found
        if len(found) == 1:
            return found[0]
        if found:
            raise InvalidRequest(
                f"{wanted!r} may be any of {', '.join(each.signature for each in found)}; write the signature"
            )
        known = ", ".join(sorted(each.signature for each in self.functions)) or "none"
        raise InvalidRequest(f"the ABI has no function {wanted!r}; it has {known}", function=wanted)


def parse_signature(text: str) -> Function:
    """Read `name(types)` or `name(types)(types)`; argument names may stand behind the types."""
    match = _NAME.match(text.strip())
    rest = text.strip()[match.end() :].lstrip() if match else ""
    if match is None or not rest.startswith("("):
        raise _bad_signature(text, "expected name(types) or name(types)(types of what it returns)")
    end = _closing(rest, text)
    inputs = _parameters(rest[1:end], text)
    tail = rest[end + 1 :].strip()
    tail = re.sub(r"^(?:(?:external|public|view|pure|payable|returns)\b\s*)+", "", tail)
    if not tail:
        return Function(name=match[0], inputs=inputs)
    if not tail.startswith("(") or _closing(tail, text) != len(tail) - 1:
        raise _bad_signature(text, f"did not expect {tail!r} behind the arguments")
    return Function(name=match[0], inputs=inputs, outputs=_parameters(tail[1:-1], text))


def parse_abi(entries: object, *, source: str) -> Abi:
    """Read a JSON ABI; ConfigurationError names the source where it is not one."""
    if not isinstance(entries, list):
        raise ConfigurationError(f"{source}: its ABI is not a list")
    functions: list[Function] = []
    errors: list[Function] = []
    constructor = Function(name="", payable=False)
    for entry in entries:
        if not isinstance(entry, Mapping):
            raise ConfigurationError(f"{source}: its ABI has an entry that is not an object")
        kind = entry.get("type", "function")
        if kind not in ("function", "error", "constructor"):
            continue
        made = Function(
            name=str(entry.get("name", "")),
            inputs=_json_parameters(entry.get("inputs", []), source),
            outputs=_json_parameters(entry.get("outputs", []), source) if kind == "function" else None,
            payable=entry.get("stateMutability") == "payable" or bool(entry.get("payable")),
        )
        if kind == "constructor":
            constructor = made
        else:
            (functions if kind == "function" else errors).append(made)
    return Abi(functions=tuple(functions), errors=tuple(errors), constructor=constructor)


def split_top(text: str) -> list[str]:
    """Split at the commas outside of brackets and quotes; nothing but blanks is no part at all."""
    parts, depth, start, quote, index = [], 0, 0, "", 0
    while index < len(text):
        letter = text[index]
        if quote:
            if letter == "\\":
                index += 1
            elif letter == quote:
                quote = ""
        elif letter in "\"'":
            quote = letter
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
        index += 1
    last = text[start:].strip()
    return [*parts, last] if parts or last else []


def array_of(kind: str) -> tuple[str, int | None] | None:
    """Return element type and length (None: any) of an array type; None where it is no array."""
    if not kind.endswith("]"):
        return None
    opening = kind.rindex("[")
    length = kind[opening + 1 : -1]
    return kind[:opening], int(length) if length else None


def tuple_of(kind: str) -> list[str] | None:
    """Return the member types of a tuple type; None where it is no tuple."""
    return split_top(kind[1:-1]) if kind.startswith("(") and kind.endswith(")") else None


def _parameters(text: str, whole: str) -> tuple[Parameter, ...]:
    made = []
    for part in split_top(text):
        if part.startswith(("(", "tuple(")):
            part = part.removeprefix("tuple")
            end = _closing(part, whole) + 1
            inner = ",".join(each.type for each in _parameters(part[1 : end - 1], whole))
            kind, words = f"({inner})", part[end:]
            suffixes = re.match(r"(?:\[[0-9]*\])*", words)
            kind += suffixes[0] if suffixes else ""
            words = words[suffixes.end() :] if suffixes else words
        else:
            first, _, words = part.partition(" ")
            kind = _canonical(first, whole)
        names = [word for word in words.split() if word not in _DATA_LOCATIONS]
        if len(names) > 1 or not all(_NAME.fullmatch(name) for name in names):
            raise _bad_signature(whole, f"{part!r} is not a type with a name")
        made.append(Parameter(type=kind, name=names[0] if names else ""))
    return tuple(made)


def _canonical(kind: str, whole: str) -> str:
    base = kind.partition("[")[0]
    suffix = kind[len(base) :]
    match = _ELEMENTARY.fullmatch(base)
    if match is None or _ARRAY_SUFFIX.sub("", suffix):
        raise _bad_signature(
            whole, f"{kind!r} is not an ABI type; expected for instance uint256, address, bytes"
        )
    bits, size = match["bits"], match["size"]
    if (bits and (int(bits) % 8 or not 8 <= int(bits) <= 256)) or (size and not 1 <= int(size) <= 32):
        raise _bad_signature(whole, f"there is no type {base!r}")
    return base + ("256" if base in ("int", "uint") else "") + suffix


def _closing(text: str, whole: str) -> int:
    """Return where the bracket that opens `text` closes."""
    depth = 0
    for index, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return index
    raise _bad_signature(whole, "a bracket is not closed")


def _json_parameters(entries: object, source: str) -> tuple[Parameter, ...]:
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise ConfigurationError(f"{source}: its ABI has arguments that are not a list")
    if not all(isinstance(entry, Mapping) for entry in entries):
        raise ConfigurationError(f"{source}: its ABI has an argument that is not an object")
    return tuple(
        Parameter(type=_json_type(entry, source), name=str(entry.get("name") or "")) for entry in entries
    )


def _json_type(entry: Mapping[str, object], source: str) -> str:
    kind = str(entry.get("type", ""))
    if kind.startswith("tuple"):
        members = _json_parameters(entry.get("components", []), source)
        return f"({','.join(member.type for member in members)}){kind.removeprefix('tuple')}"
    if _ELEMENTARY.fullmatch(kind.partition("[")[0]) is None:
        raise ConfigurationError(f"{source}: its ABI has an argument of the unknown type {kind!r}")
    return kind


def _bad_signature(text: str, what: str) -> InvalidRequest:
    return InvalidRequest(
        f"{text!r} is not a function signature: {what}; an example: 'balanceOf(address)(uint256)'",
        signature=text,
    )
