"""The container's table of the genesis: `[containers.evm.parameters]`, decoded strictly."""

from __future__ import annotations

import itertools

import msgspec

from vessel.container import Configuration, ConfigurationError
from vessel.primitives.units import Address, Coin
from vessel_evm import hexadecimal

DEFAULT_INITIAL_BASE_FEE = 10**9  # 1 gwei, Ethereum's
DEFAULT_CODE_SIZE_LIMIT = 24_576  # EIP-170; init code may have twice as much (EIP-3860)
MAX_CODE_SIZE_LIMIT = 1 << 20
ENGINES = {"reference": ("prague",)}  # engine: the forks it knows


class _PredeployTable(msgspec.Struct, forbid_unknown_fields=True):
    code: str = "0x"
    nonce: int | str = 1
    storage: dict[str, str | int] = {}


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    engine: str = "reference"
    code_size_limit: int = DEFAULT_CODE_SIZE_LIMIT
    initial_base_fee: int | str = DEFAULT_INITIAL_BASE_FEE
    predeploys: dict[str, _PredeployTable] = {}
    system_calls: bool = False


class Predeploy(msgspec.Struct, frozen=True, kw_only=True):
    """A contract that is there from the genesis on. Its balance is the host's to give."""

    address: Address
    code: bytes
    nonce: int
    storage: tuple[tuple[int, int], ...]  # slot, word; ascending, without zeros


class EvmConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """What the genesis says of this EVM. code_size_limit: bytes; initial_base_fee: of block 0."""

    chain_id: int
    namespace: int
    engine: str
    fork: str
    code_size_limit: int
    initial_base_fee: Coin
    predeploys: tuple[Predeploy, ...]


def read_configuration(configuration: Configuration) -> EvmConfiguration:
    """Return what the host's configuration means; ConfigurationError names the key and the mend."""
    try:
        table = msgspec.json.decode(configuration.parameters or b"{}", type=_Table)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            f"parameters of container {configuration.instance!r}: {error}; "
            f"known keys are {', '.join(sorted(_Table.__struct_fields__))}"
        ) from None
    if table.engine not in ENGINES:
        raise ConfigurationError(
            f"engine: {table.engine!r} is unknown; expected one of {', '.join(sorted(ENGINES))}"
        )
    if not 1 <= table.code_size_limit <= MAX_CODE_SIZE_LIMIT:
        raise ConfigurationError(
            f"code_size_limit: {table.code_size_limit} bytes; expected 1 to {MAX_CODE_SIZE_LIMIT}"
        )
    if table.system_calls:
        raise ConfigurationError(
            "system_calls: the system calls of EIP-2935 and EIP-4788 are not built yet; "
            "leave the key out or set it to false"
        )
    try:
        initial_base_fee = hexadecimal.parse_quantity(table.initial_base_fee, "initial_base_fee", 2**128 - 1)
        predeploys = sorted(
            (_predeploy(address, predeploy) for address, predeploy in table.predeploys.items()),
            key=lambda predeploy: predeploy.address,
        )
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    for before, after in itertools.pairwise(predeploys):
        if before.address == after.address:
            raise ConfigurationError(f"predeploys: 0x{after.address.hex()} is named twice")
    return EvmConfiguration(
        chain_id=configuration.chain_id,
        namespace=configuration.namespace,
        engine=table.engine,
        fork=_fork(configuration, table.engine),
        code_size_limit=table.code_size_limit,
        initial_base_fee=Coin(initial_base_fee),
        predeploys=tuple(predeploys),
    )


def _predeploy(address: str, table: _PredeployTable) -> Predeploy:
    name = f"predeploys.{address}"
    words: dict[int, int] = {}
    for slot, word in table.storage.items():
        number = hexadecimal.parse_quantity(slot, f"{name}.storage")
        if number in words:
            raise ValueError(f"{name}.storage: slot {slot} is named twice")
        words[number] = hexadecimal.parse_quantity(word, f"{name}.storage.{slot}")
    code = hexadecimal.parse_data(table.code, f"{name}.code")
    nonce = hexadecimal.parse_quantity(table.nonce, f"{name}.nonce", hexadecimal.U64_MAX)
    if words and not code and not nonce:
        raise ValueError(f"{name}: storage needs an account: give it code or a nonce of at least 1")
    return Predeploy(
        address=hexadecimal.parse_address(address, "predeploys"),
        code=code,
        nonce=nonce,
        storage=tuple(sorted((slot, word) for slot, word in words.items() if word)),
    )


def _fork(configuration: Configuration, engine: str) -> str:
    """Return the rules that hold from height 0 on: so far an engine knows one fork only."""
    known = ENGINES[engine]
    for fork in configuration.forks:
        if fork.name not in known:
            raise ConfigurationError(
                f"fork {fork.name!r} is unknown to the {engine} engine; it knows {', '.join(known)}"
            )
    if configuration.forks and configuration.forks[0].height != 0:
        raise ConfigurationError(
            f"fork {configuration.forks[0].name!r} begins at height {configuration.forks[0].height}: "
            "the first fork must begin at height 0"
        )
    return configuration.forks[0].name if configuration.forks else known[0]
