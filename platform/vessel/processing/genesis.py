"""The genesis: everything that makes one chain another than the next, in one TOML file."""

from __future__ import annotations

import datetime
import re
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec
from eth_utils.address import is_checksum_address, to_checksum_address

from vessel.errors import GenesisError, InvalidRequest
from vessel.primitives.address import parse_address
from vessel.primitives.hashing import Hasher, hasher_by_name
from vessel.primitives.units import Address, Coin, Hash32
from vessel.processing.dev_transaction import HOST

_TAG = b"vessel/genesis/"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}\Z")
_AMOUNT = re.compile(r"([0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?) *(coin|ether|gwei|wei)?\Z")
_UNITS = {"coin": 10**18, "ether": 10**18, "gwei": 10**9, "wei": 1, None: 1}

MAX_CONTAINERS = 255
MAX_SUPPLY = (1 << 256) - 1  # so that no sum of balances leaves the 256 bits that an EVM has for it


class ForkEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[containers.NAME.forks]]`: from `height` on the rules called `name` hold."""

    name: str
    height: int = 0


class ContainerEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[containers.NAME]`: one container of the chain.

    kind: which container it is, the table's name by default. gas_limit: of a block. addresses: "open"
    where it may debit every address that no other has reserved (the EVM), "reserved" where only those
    of its own reserved space. parameters: the container's own.
    """

    kind: str = ""
    gas_limit: int = 30_000_000
    addresses: Literal["open", "reserved"] = "reserved"
    parameters: dict[str, Any] = {}
    forks: tuple[ForkEntry, ...] = ()


class ChainEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[chain]`. id: what signatures bind to. hash: of state, blocks and lists."""

    name: str
    id: int
    time: datetime.datetime
    hash: str = "sha256"
    dev: bool = False


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    chain: ChainEntry
    consensus: dict[str, Any]
    containers: dict[str, ContainerEntry]
    accounts: dict[str, int | str] = {}


class Genesis(msgspec.Struct, frozen=True, kw_only=True):
    """A checked genesis. containers keep the order of the file: it numbers their namespaces."""

    name: str
    chain_id: int
    time_ms: int
    hasher: Hasher
    dev: bool
    consensus_engine: str
    consensus: dict[str, Any]
    containers: dict[str, ContainerEntry]
    accounts: dict[Address, Coin]
    genesis_hash: Hash32


def load_genesis(path: Path) -> Genesis:
    """Read and check a genesis file; GenesisError names the file, the field and the mend."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GenesisError(f"cannot read the genesis {path}: {error}") from error
    return parse_genesis(text, source=str(path))


def development_genesis() -> Genesis:
    """Return the built-in genesis of development chains: chain 31337, ten funded accounts."""
    text = resources.files("vessel").joinpath("templates/dev.toml").read_text(encoding="utf-8")
    return parse_genesis(text, source="the development genesis")


def parse_genesis(text: str, *, source: str) -> Genesis:
    """Check the text of a genesis; `source` names it in messages."""
    try:
        file = msgspec.toml.decode(text, type=_File)
    except (msgspec.DecodeError, ValueError) as error:
        raise GenesisError(f"{source}: {error}") from error
    try:
        return _check(file)
    except GenesisError as error:
        raise GenesisError(f"{source}: {error.message}", **error.details) from error


def _check(file: _File) -> Genesis:
    chain = file.chain
    hasher = hasher_by_name(chain.hash)
    if not 0 < chain.id < 1 << 63:
        raise GenesisError(f"[chain] id = {chain.id}: expected 1 to {(1 << 63) - 1}")
    if chain.time.tzinfo is None:
        raise GenesisError(f"[chain] time = {chain.time} has no offset; write it as 2026-01-01T00:00:00Z")
    if not 0 < len(file.containers) <= MAX_CONTAINERS:
        raise GenesisError(
            f"a chain has 1 to {MAX_CONTAINERS} containers; this genesis has {len(file.containers)}"
        )
    for name, entry in file.containers.items():
        _check_container(name, entry)
    consensus = dict(file.consensus)
    engine = consensus.pop("engine", None)
    if not isinstance(engine, str):
        raise GenesisError('[consensus] needs engine, e.g. engine = "instant"')
    _refuse_floats(consensus, "consensus")
    delta = chain.time - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    time_ms = delta // datetime.timedelta(milliseconds=1)
    if time_ms < 0:
        raise GenesisError(f"[chain] time = {chain.time} lies before 1970")
    # Everything that was said, defaults filled in, keys sorted within tables; the order of the
    # containers counts because it numbers their namespaces, and it is kept as a list beside.
    canonical = msgspec.json.encode([list(file.containers), file], order="sorted")
    return Genesis(
        name=chain.name,
        chain_id=chain.id,
        time_ms=time_ms,
        hasher=hasher,
        dev=chain.dev,
        consensus_engine=engine,
        consensus=consensus,
        containers=file.containers,
        accounts=_accounts(file.accounts),
        genesis_hash=hasher(_TAG + canonical),
    )


def _check_container(name: str, entry: ContainerEntry) -> None:
    if name == HOST:
        raise GenesisError(f"[containers.{name}]: the name {name!r} is the host's own; choose another")
    if not _NAME.match(name):
        raise GenesisError(
            f"[containers.{name}]: a container's name has 1 to 32 of a-z, 0-9, _ and -, "
            "beginning with a letter"
        )
    if not 0 < entry.gas_limit < 1 << 63:
        raise GenesisError(
            f"[containers.{name}] gas_limit = {entry.gas_limit}: expected 1 to {(1 << 63) - 1}"
        )
    heights = [fork.height for fork in entry.forks]
    if heights != sorted(set(heights)) or (heights and heights[0] != 0):
        raise GenesisError(
            f"[[containers.{name}.forks]] heights {heights}: expected to begin at 0 and to rise strictly"
        )
    _refuse_floats(entry.parameters, f"containers.{name}.parameters")


def _refuse_floats(value: object, where: str) -> None:
    if isinstance(value, float):
        raise GenesisError(f"[{where}] holds {value}, a floating-point number; consensus knows none")
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_floats(inner, f"{where}.{name}")
    if isinstance(value, list):
        for inner in value:
            _refuse_floats(inner, where)


def _accounts(entries: dict[str, int | str]) -> dict[Address, Coin]:
    accounts: dict[Address, Coin] = {}
    for text, amount in entries.items():
        try:
            address = parse_address(text)
        except InvalidRequest as error:
            raise GenesisError(f"[accounts] {error.message}") from error
        digits = text.removeprefix("0x")
        if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(text):
            raise GenesisError(
                f"[accounts] {text} fails its checksum: a digit is mistyped, or its letters' case is; "
                f"expected {to_checksum_address(address)}, or all in lower case (EIP-55)"
            )
        if address in accounts:
            raise GenesisError(f"[accounts] 0x{address.hex()} is there twice")
        accounts[address] = parse_amount(amount, where=f"[accounts] {text}")
    if sum(accounts.values()) > MAX_SUPPLY:
        raise GenesisError("[accounts] hold more than 2**256 - 1 of the smallest unit together")
    return accounts


def parse_amount(amount: int | str, *, where: str) -> Coin:
    """Read an amount of native coin: an integer of the smallest unit, or "10000 coin", "5 gwei"."""
    if isinstance(amount, int):
        if amount < 0:
            raise GenesisError(f"{where} = {amount}: an amount is not negative")
        return Coin(amount)
    match = _AMOUNT.match(amount)
    value = Fraction(match[1].replace("_", "")) * _UNITS[match[2]] if match else None
    if value is None or value.denominator != 1:
        raise GenesisError(
            f'{where} = "{amount}": expected an integer of the smallest unit, or a number with coin, ether, '
            'gwei or wei, such as "10000 coin"'
        )
    return Coin(value.numerator)
