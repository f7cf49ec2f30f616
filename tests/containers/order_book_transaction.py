"""What traders send to the order book, and how it is written."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec

NAME_SIZE_BYTES = 8
PROOF_SIZE_BYTES = 8
LEAST_GAS = 20  # of any transaction

Natural = Annotated[int, msgspec.Meta(ge=1, le=(1 << 32) - 1)]
Symbol = Annotated[str, msgspec.Meta(pattern="^[A-Z]{1,8}$")]


class Action(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """What a transaction does; `do` says which."""


class Place(Action, frozen=True, kw_only=True, tag="place"):
    """Buy or sell at a price or better; what finds no match stands in the book."""

    side: Literal["buy", "sell"]
    symbol: Symbol
    price: Natural
    quantity: Natural


class Cancel(Action, frozen=True, kw_only=True, tag="cancel"):
    """Take an order of one's own back."""

    order: str


class Issue(Action, frozen=True, kw_only=True, tag="issue"):
    """Make more of an asset: only its issuer may."""

    symbol: Symbol
    quantity: Natural


class Send(Action, frozen=True, kw_only=True, tag="send"):
    """Move coin to any address of the ledger."""

    to: str
    amount: Natural


class Draw(Action, frozen=True, kw_only=True, tag="draw"):
    """Name one holder of an asset by lot, from the block `back` before the parent."""

    symbol: Symbol
    back: int


class Fail(Action, frozen=True, kw_only=True, tag="fail"):
    """Write, move coin, and then refuse."""

    keys: int


class Trap(Action, frozen=True, kw_only=True, tag="trap"):
    """Do what the machine forbids."""


class Spin(Action, frozen=True, kw_only=True, tag="spin"):
    """Use gas."""

    steps: int


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a trader puts a proof to. salt makes two that are otherwise alike differ."""

    expires_at_ms: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
    gas_limit: Annotated[int, msgspec.Meta(ge=LEAST_GAS, lt=1 << 32)]
    action: Place | Cancel | Issue | Send | Draw | Fail | Trap | Spin
    salt: int = 0


def proof(trader: bytes, body: bytes) -> bytes:
    """Return the stand-in for a signature."""
    return hashlib.sha256(b"toy/" + trader + body).digest()[:PROOF_SIZE_BYTES]


def sign(trader: bytes, body: Body) -> bytes:
    """Return the raw transaction."""
    text = msgspec.json.encode(body)
    return trader + proof(trader, text) + text


def decode(raw: bytes, prepared: bytes = b"") -> tuple[bytes, Body] | str:
    """Return trader and body, or the reason why there are none."""
    trader, rest = raw[:NAME_SIZE_BYTES], raw[NAME_SIZE_BYTES:]
    if prepared:  # admission has looked at it already
        return trader, msgspec.msgpack.decode(prepared, type=Body)
    if rest[:PROOF_SIZE_BYTES] != proof(trader, rest[PROOF_SIZE_BYTES:]):
        return "WRONG_PROOF"
    try:
        return trader, msgspec.json.decode(rest[PROOF_SIZE_BYTES:], type=Body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "MALFORMED"
