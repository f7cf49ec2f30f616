"""What goes into the core: a block and a batch of messages, packed as core.c and input.c read them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from vessel_evm.engine.interface import Message, Surroundings
from vessel_evm.hexadecimal import U64_MAX

CREATES: Final = 1
SYSTEM_CALL: Final = 2
CHECKED: Final = 4

_HEADER: Final = struct.Struct("<II20s20s32s32s32s32sQQQQIIII")
_AUTHORIZATION: Final = struct.Struct("<20s20sQ")
_ACCESS: Final = struct.Struct("<20sI")
_NO_WORD: Final = bytes(32)
_NOBODY: Final = bytes(20)


def pack_block(surroundings: Surroundings) -> tuple[bytes, int]:
    """Return the block's bytes and how many recent ids are among them."""
    recent_ids = list(surroundings.recent_ids[:256])
    words = (
        surroundings.timestamp_s,
        surroundings.height,
        int.from_bytes(surroundings.randomness, "big"),
        surroundings.gas_limit,
        surroundings.chain_id,
        surroundings.base_fee,
        surroundings.blob_base_fee,
    )
    packed = b"".join((surroundings.coinbase, *(word.to_bytes(32, "big") for word in words), *recent_ids))
    return packed, len(recent_ids)


def pack_message(message: Message, chain_id: int, flags: int = 0) -> bytes:
    """Return a message's bytes.

    Of the authorizations (EIP-7702) those go along that can count: for this chain, with a nonce to
    follow and a signature by somebody.
    """
    to = message.to
    if not to:
        flags |= CREATES
        to = _NOBODY
    tail, access_count, authorization_count = b"", 0, 0
    if message.access_list or message.authorizations or message.blob_hashes:
        authorizations = _pack_authorizations(message, chain_id)
        authorization_count = len(authorizations)
        access_count = len(message.access_list)
        accesses = [
            part
            for access in message.access_list
            for part in (
                _ACCESS.pack(access.address, len(access.slots)),
                *(slot.to_bytes(32, "big") for slot in access.slots),
            )
        ]
        tail = b"".join((*message.blob_hashes, *authorizations, *accesses))
    price, value, data = message.gas_price, message.value, message.data
    return b"".join(
        (
            _HEADER.pack(
                _HEADER.size + len(tail) + len(data),
                flags,
                message.sender,
                to,
                value.to_bytes(32, "little") if value else _NO_WORD,
                price.to_bytes(32, "little") if price else _NO_WORD,
                message.blob_fee.to_bytes(32, "little") if message.blob_fee else _NO_WORD,
                message.max_cost.to_bytes(32, "little") if message.max_cost else _NO_WORD,
                message.gas_limit,
                message.intrinsic_gas,
                message.floor_gas,
                message.nonce,
                len(data),
                access_count,
                authorization_count,
                len(message.blob_hashes),
            ),
            tail,
            data,
        )
    )


def _pack_authorizations(message: Message, chain_id: int) -> Sequence[bytes]:
    packed = []
    for authorization in message.authorizations:
        if authorization.chain_id not in (0, chain_id) or authorization.nonce >= U64_MAX:
            continue
        try:
            authority = authorization.authority()
        except ValueError:
            continue
        packed.append(_AUTHORIZATION.pack(authority, authorization.address, authorization.nonce))
    return packed
