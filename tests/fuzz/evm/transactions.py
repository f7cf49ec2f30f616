"""Signed transactions of every type but blobs, made as quickly as a fuzzer wants them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from coincurve import PrivateKey

from vessel_evm import rlp
from vessel_evm.keccak import keccak

AccessList = Sequence[tuple[bytes, Sequence[int]]]


class Key(NamedTuple):
    """A private key and the address of its account."""

    private: PrivateKey
    address: bytes


def key(number: int) -> Key:
    """Return the key of a number."""
    private = PrivateKey(number.to_bytes(32, "big"))
    return Key(private, keccak(private.public_key.format(compressed=False)[1:])[12:])


class Authorization(NamedTuple):
    """A wish to borrow code, not signed yet."""

    signer: Key
    chain_id: int
    address: bytes
    nonce: int
    spoil: bool = False  # sign with an s that is too high


class Fields(NamedTuple):
    """A transaction, not signed yet."""

    type: int
    chain_id: int
    nonce: int
    fee_cap: int
    tip: int
    gas: int
    to: bytes
    value: int
    data: bytes
    access_list: AccessList = ()
    authorizations: Sequence[Authorization] = ()


def sign(fields: Fields, signer: Key) -> bytes:
    """Return the raw bytes."""
    integer, text = rlp.encode_integer, rlp.encode_bytes
    middle = [integer(fields.gas), text(fields.to), integer(fields.value), text(fields.data)]
    if fields.type == 0:
        body = [integer(fields.nonce), integer(fields.fee_cap), *middle]
        digest = keccak(rlp.encode_list([*body, integer(fields.chain_id), integer(0), integer(0)]))
        parity, r, s = _signature(signer, digest)
        return rlp.encode_list([*body, integer(35 + 2 * fields.chain_id + parity), integer(r), integer(s)])
    body = [integer(fields.chain_id), integer(fields.nonce)]
    body += [integer(fields.fee_cap)] if fields.type == 1 else [integer(fields.tip), integer(fields.fee_cap)]
    body += [*middle, _access_list(fields.access_list)]
    if fields.type == 4:
        body.append(rlp.encode_list([_authorization(entry) for entry in fields.authorizations]))
    prefix = bytes((fields.type,))
    parity, r, s = _signature(signer, keccak(prefix + rlp.encode_list(body)))
    return prefix + rlp.encode_list([*body, integer(parity), integer(r), integer(s)])


def _access_list(accesses: AccessList) -> bytes:
    return rlp.encode_list(
        [
            rlp.encode_list(
                [
                    rlp.encode_bytes(address),
                    rlp.encode_list([rlp.encode_bytes(slot.to_bytes(32, "big")) for slot in slots]),
                ]
            )
            for address, slots in accesses
        ]
    )


def _authorization(entry: Authorization) -> bytes:
    body = [
        rlp.encode_integer(entry.chain_id),
        rlp.encode_bytes(entry.address),
        rlp.encode_integer(entry.nonce),
    ]
    parity, r, s = _signature(entry.signer, keccak(b"\x05" + rlp.encode_list(body)))
    if entry.spoil:
        s = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141 - s
        parity = 1 - parity
    return rlp.encode_list([*body, rlp.encode_integer(parity), rlp.encode_integer(r), rlp.encode_integer(s)])


def _signature(signer: Key, digest: bytes) -> tuple[int, int, int]:
    signed = signer.private.sign_recoverable(digest, hasher=None)
    return signed[64], int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:64], "big")
