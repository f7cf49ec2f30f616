"""The container's table of the genesis: `[containers.evm.parameters]`, decoded strictly."""

from __future__ import annotations

import itertools

import msgspec

from vessel.container import Configuration, ConfigurationError
from vessel.primitives.units import Address, Coin
from vessel_evm import hexadecimal
from vessel_evm.forks import RULES, Rules

DEFAULT_INITIAL_BASE_FEE = 10**9  # 1 gwei, Ethereum's
DEFAULT_CODE_SIZE_LIMIT = 24_576  # EIP-170; init code may have twice as much (EIP-3860)
MAX_CODE_SIZE_LIMIT = 1 << 20
# engine: the forks it knows, the one that holds where the genesis names none first
ENGINES = {
    "core": ("osaka", "prague", "cancun", "shanghai", "paris", "london", "berlin"),
    "reference": ("prague",),
}


class _PredeployTable(msgspec.Struct, forbid_unknown_fields=True):
    code: str = "0x"
    nonce: int | str = 1
    storage: dict[str, str | int] = {}


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    engine: str = "core"
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
    """What the genesis says of this EVM.

    forks: height and name, ascending, from height 0 on; fork: the first. code_size_limit: bytes;
    initial_base_fee: of block 0. system_calls: blocks call the system contracts (EIP-2935, EIP-4788, …).
    """

    chain_id: int
    namespace: int
    engine: str
    fork: str
    code_size_limit: int
    initial_base_fee: Coin
    predeploys: tuple[Predeploy, ...]
    system_calls: bool = False
    forks: tuple[tuple[int, str], ...] = ()

    def fork_at(self, height: int) -> str:
        """Return the name of the fork that holds at a height."""
        names = [name for start, name in self.forks if start <= height]
        return names[-1] if names else self.fork

    def rules_at(self, height: int) -> Rules:
        """Return the rules that hold at a height."""
        return RULES[self.fork_at(height)]


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
    if table.system_calls and table.engine == "reference":
        raise ConfigurationError(
            "system_calls: the reference engine has no calls of the block itself (EIP-2935, EIP-4788); "
            'leave the key out, or set engine to "core"'
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
    forks = _forks(configuration, table.engine)
    return EvmConfiguration(
        chain_id=configuration.chain_id,
        namespace=configuration.namespace,
        engine=table.engine,
        fork=forks[0][1],
        forks=forks,
        system_calls=table.system_calls,
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


def _forks(configuration: Configuration, engine: str) -> tuple[tuple[int, str], ...]:
    """Return the forks and where they begin; without any in the genesis the engine's default from 0 on."""
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
    forks = tuple((int(fork.height), fork.name) for fork in configuration.forks)
    order = tuple(RULES)
    for (height, name), (next_height, next_name) in itertools.pairwise(forks):
        if next_height <= height or order.index(next_name) <= order.index(name):
            raise ConfigurationError(
                f"fork {next_name!r} at height {next_height} cannot follow {name!r} at height {height}: "
                f"heights ascend, and the order is {', '.join(order)}"
            )
    return forks or ((0, known[0]),)
