"""Ethereum transactions: the types 0 to 4 from their bytes, strictly.

type 0  legacy, with or without a chain id (EIP-155)
type 1  with an access list (EIP-2930)
type 2  with a fee cap and a tip (EIP-1559)
type 3  with blobs (EIP-4844): there is no blob space here, so no mempool takes one; engines know them
type 4  with authorizations to set code (EIP-7702)
"""

from __future__ import annotations

import msgspec

from vessel.primitives.units import Address, Coin, Gas, Hash32
from vessel_evm import refusal, rlp
from vessel_evm.hexadecimal import U64_MAX, U256_MAX
from vessel_evm.keccak import keccak
from vessel_evm.refusal import Refusal
from vessel_evm.rlp import Fields, Item, MalformedRlp
from vessel_evm.signature import recover

LEGACY = 0
ACCESS_LIST = 1
DYNAMIC_FEE = 2
BLOB = 3
SET_CODE = 4

MAX_SIZE_BYTES = 131_072
_AUTHORIZATION_MAGIC = b"\x05"

_FIELDS = {
    LEGACY: ("nonce", "gasPrice", "gas", "to", "value", "data", "v", "r", "s"),
    ACCESS_LIST: (
        *("chainId", "nonce", "gasPrice", "gas", "to", "value", "data", "accessList"),
        *("yParity", "r", "s"),
    ),
    DYNAMIC_FEE: (
        *("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "data"),
        *("accessList", "yParity", "r", "s"),
    ),
    BLOB: (
        *("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "data"),
        *("accessList", "maxFeePerBlobGas", "blobVersionedHashes", "yParity", "r", "s"),
    ),
    SET_CODE: (
        *("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "data"),
        *("accessList", "authorizationList", "yParity", "r", "s"),
    ),
}


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """An address and those of its slots that a transaction pays for in advance (EIP-2930)."""

    address: Address
    slots: tuple[int, ...] = ()


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """A signature that lets an account borrow the code at `address` (EIP-7702). chain_id 0: any."""

    chain_id: int
    address: Address
    nonce: int
    y_parity: int
    r: int
    s: int

    def authority(self) -> Address:
        """Return the account that signed; ValueError where the signature is none."""
        body = rlp.encode_list(
            [
                rlp.encode_integer(self.chain_id),
                rlp.encode_bytes(self.address),
                rlp.encode_integer(self.nonce),
            ]
        )
        return recover(keccak(_AUTHORIZATION_MAGIC + body), self.y_parity, self.r, self.s)


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction as it was signed.

    id: keccak of the raw bytes. chain_id: None for a legacy one that binds to no chain. to: empty
    creates a contract. max_fee_per_gas, max_priority_fee_per_gas: both the gas price before type 2.
    signing_hash: what the signature (y_parity, r, s) is over.
    """

    type: int
    id: Hash32
    chain_id: int | None
    nonce: int
    max_priority_fee_per_gas: Coin
    max_fee_per_gas: Coin
    gas_limit: Gas
    to: bytes
    value: Coin
    data: bytes
    access_list: tuple[Access, ...]
    authorizations: tuple[Authorization, ...]
    y_parity: int
    r: int
    s: int
    signing_hash: Hash32
    max_fee_per_blob_gas: Coin = Coin(0)
    blob_hashes: tuple[Hash32, ...] = ()

    def sender(self) -> Address:
        """Return who signed; Refusal (BAD_SIGNATURE) where nobody did."""
        try:
            return recover(self.signing_hash, self.y_parity, self.r, self.s)
        except ValueError as error:
            raise Refusal(
                refusal.BAD_SIGNATURE, f"the signature of 0x{self.id.hex()} cannot be used: {error}"
            ) from None


def decode(raw: bytes, *, blobs: bool = False) -> Transaction:
    """Return the transaction of `raw`; Refusal (MALFORMED, SIZE, BLOB_…, BAD_SIGNATURE) where it is none.

    blobs: whether a transaction with blobs is one; its blobs themselves are never part of it.
    """
    if len(raw) > MAX_SIZE_BYTES:
        raise Refusal(
            refusal.SIZE, f"the transaction has {len(raw)} bytes; at most {MAX_SIZE_BYTES} are taken"
        )
    if not raw:
        raise Refusal(refusal.MALFORMED, "the transaction is empty: no bytes at all")
    try:
        if raw[0] >= 0xC0:
            return _decode_legacy(raw)
        if raw[0] == BLOB and not blobs:
            raise Refusal(
                refusal.BLOB_TRANSACTIONS_UNSUPPORTED,
                "blob transactions (type 3, EIP-4844) are not supported on this chain: there is no blob "
                "space; put the data into the input of a type 2 transaction",
            )
        if raw[0] not in _FIELDS or raw[0] == LEGACY:
            raise Refusal(
                refusal.MALFORMED,
                f"0x{raw[0]:02x} is not a transaction type: expected 1, 2 or 4, or a legacy list",
            )
        return _decode_typed(raw)
    except MalformedRlp as error:
        raise Refusal(refusal.MALFORMED, f"the transaction is not canonical RLP: {error}") from None


def _decode_legacy(raw: bytes) -> Transaction:
    fields = Fields(raw)
    item = _named(fields, LEGACY)
    v = _integer(item, "v", U256_MAX)
    signed = fields.encoded_prefix(6)
    chain_id: int | None = None
    if v in (27, 28):
        y_parity = v - 27
    elif v >= 35:
        chain_id, y_parity = divmod(v - 35, 2)
        signed += rlp.encode_integer(chain_id) + b"\x80\x80"
    else:
        raise Refusal(
            refusal.BAD_SIGNATURE,
            f"v is {v}: expected 27 or 28, or 35 + 2 × chain id + recovery bit (EIP-155)",
        )
    price = Coin(_integer(item, "gasPrice", U256_MAX))
    return Transaction(
        type=LEGACY,
        id=keccak(raw),
        chain_id=chain_id,
        nonce=_integer(item, "nonce", U64_MAX),
        max_priority_fee_per_gas=price,
        max_fee_per_gas=price,
        gas_limit=Gas(_integer(item, "gas", U64_MAX)),
        to=_recipient(item, LEGACY),
        value=Coin(_integer(item, "value", U256_MAX)),
        data=_bytes(item, "data"),
        access_list=(),
        authorizations=(),
        y_parity=y_parity,
        r=_integer(item, "r", U256_MAX),
        s=_integer(item, "s", U256_MAX),
        signing_hash=keccak(rlp.encode_list([signed])),
    )


def _decode_typed(raw: bytes) -> Transaction:
    kind = raw[0]
    fields = Fields(raw, 1)
    item = _named(fields, kind)
    fee_name = "gasPrice" if kind == ACCESS_LIST else "maxFeePerGas"
    tip_name = "gasPrice" if kind == ACCESS_LIST else "maxPriorityFeePerGas"
    signed = fields.encoded_prefix(len(fields.items) - 3)
    authorizations = _authorizations(item["authorizationList"]) if kind == SET_CODE else ()
    blob_fee = _integer(item, "maxFeePerBlobGas", U256_MAX) if kind == BLOB else 0
    blob_hashes = _blob_hashes(item["blobVersionedHashes"]) if kind == BLOB else ()
    return Transaction(
        type=kind,
        id=keccak(raw),
        chain_id=_integer(item, "chainId", U256_MAX),
        nonce=_integer(item, "nonce", U64_MAX),
        max_priority_fee_per_gas=Coin(_integer(item, tip_name, U256_MAX)),
        max_fee_per_gas=Coin(_integer(item, fee_name, U256_MAX)),
        gas_limit=Gas(_integer(item, "gas", U64_MAX)),
        to=_recipient(item, kind),
        value=Coin(_integer(item, "value", U256_MAX)),
        data=_bytes(item, "data"),
        access_list=_access_list(item["accessList"]),
        authorizations=authorizations,
        y_parity=_integer(item, "yParity", U256_MAX),
        r=_integer(item, "r", U256_MAX),
        s=_integer(item, "s", U256_MAX),
        signing_hash=keccak(raw[:1] + rlp.encode_list([signed])),
        max_fee_per_blob_gas=Coin(blob_fee),
        blob_hashes=blob_hashes,
    )


def _named(fields: Fields, kind: int) -> dict[str, Item]:
    names = _FIELDS[kind]
    if len(fields.items) != len(names):
        raise Refusal(
            refusal.MALFORMED,
            f"a type {kind} transaction has {len(names)} fields ({', '.join(names)}), "
            f"this one has {len(fields.items)}",
        )
    return dict(zip(names, fields.items, strict=True))


def _bytes(item: dict[str, Item], name: str) -> bytes:
    value = item[name]
    if isinstance(value, list):
        raise Refusal(refusal.MALFORMED, f"{name} is a list, expected bytes")
    return value


def _integer(item: dict[str, Item], name: str, maximum: int) -> int:
    encoded = _bytes(item, name)
    if encoded[:1] == b"\0":
        raise Refusal(refusal.MALFORMED, f"{name} 0x{encoded.hex()} has leading zeros")
    value = int.from_bytes(encoded, "big")
    if value > maximum:
        raise Refusal(
            refusal.MALFORMED, f"{name} needs {value.bit_length()} bits, at most {maximum.bit_length()} fit"
        )
    return value


def _recipient(item: dict[str, Item], kind: int) -> bytes:
    to = _bytes(item, "to")
    if not to and kind in (BLOB, SET_CODE):
        raise Refusal(refusal.MALFORMED, f"a type {kind} transaction cannot create a contract: `to` is empty")
    if len(to) not in (0, 20):
        raise Refusal(refusal.MALFORMED, f"to has {len(to)} bytes: expected 20, or none to create a contract")
    return to


def _address(item: dict[str, Item], name: str) -> Address:
    address = _bytes(item, name)
    if len(address) != 20:
        raise Refusal(refusal.MALFORMED, f"{name} has {len(address)} bytes: expected the 20 of an address")
    return Address(address)


def _entries(value: Item, name: str, fields: tuple[str, ...]) -> list[dict[str, Item]]:
    if not isinstance(value, list):
        raise Refusal(refusal.MALFORMED, f"{name} is not a list")
    entries = []
    for position, entry in enumerate(value):
        if not isinstance(entry, list) or len(entry) != len(fields):
            raise Refusal(refusal.MALFORMED, f"{name}[{position}] is not a list of {', '.join(fields)}")
        entries.append({f"{name}.{field}": item for field, item in zip(fields, entry, strict=True)})
    return entries


def _access_list(value: Item) -> tuple[Access, ...]:
    accesses = []
    for entry in _entries(value, "accessList", ("address", "storageKeys")):
        slots = entry["accessList.storageKeys"]
        if not isinstance(slots, list):
            raise Refusal(refusal.MALFORMED, "accessList.storageKeys is not a list")
        keys = []
        for slot in slots:
            if isinstance(slot, list) or len(slot) != 32:
                raise Refusal(refusal.MALFORMED, "accessList.storageKeys has a key that is not of 32 bytes")
            keys.append(int.from_bytes(slot, "big"))
        accesses.append(Access(address=_address(entry, "accessList.address"), slots=tuple(keys)))
    return tuple(accesses)


def _blob_hashes(value: Item) -> tuple[Hash32, ...]:
    if not isinstance(value, list):
        raise Refusal(refusal.MALFORMED, "blobVersionedHashes is not a list")
    hashes = []
    for entry in value:
        if isinstance(entry, list) or len(entry) != 32:
            raise Refusal(refusal.MALFORMED, "blobVersionedHashes has a hash that is not of 32 bytes")
        hashes.append(Hash32(entry))
    return tuple(hashes)


def _authorizations(value: Item) -> tuple[Authorization, ...]:
    name = "authorizationList"
    entries = _entries(value, name, ("chainId", "address", "nonce", "yParity", "r", "s"))
    if not entries:
        raise Refusal(
            refusal.MALFORMED, "the authorization list of a type 4 transaction is empty: use type 2 instead"
        )
    return tuple(
        Authorization(
            chain_id=_integer(entry, f"{name}.chainId", U256_MAX),
            address=_address(entry, f"{name}.address"),
            nonce=_integer(entry, f"{name}.nonce", U64_MAX),
            y_parity=_integer(entry, f"{name}.yParity", 255),
            r=_integer(entry, f"{name}.r", U256_MAX),
            s=_integer(entry, f"{name}.s", U256_MAX),
        )
        for entry in entries
    )
