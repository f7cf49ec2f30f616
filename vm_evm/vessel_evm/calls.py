"""Calls that leave no trace, and how much gas a transaction will need."""

from __future__ import annotations

import msgspec

from vessel.container import BlockState, Call, Status, ViewRequest, ViewResult, decode_balance, ledger_key
from vessel.primitives.units import Address, Coin, Gas
from vessel_evm import hexadecimal, refusal
from vessel_evm.configuration import EvmConfiguration
from vessel_evm.engine.interface import Engine, EngineBlock, EngineResult, Message
from vessel_evm.execution import base_fee_of, describe_outcome, surroundings_of
from vessel_evm.fees import effective_gas_price
from vessel_evm.hexadecimal import U64_MAX
from vessel_evm.intrinsic_gas import TRANSACTION, intrinsic_gas
from vessel_evm.layout import Layout, decode_account
from vessel_evm.refusal import Refusal
from vessel_evm.transaction import Access, Authorization

_CALL_STIPEND = 2_300
_REASONS = {
    Status.REVERTED: refusal.REVERTED,
    Status.OUT_OF_GAS: refusal.OUT_OF_GAS,
    Status.TRAP: refusal.TRAP,
}


class _AccessOption(msgspec.Struct, forbid_unknown_fields=True):
    address: str
    storageKeys: list[str] = []


class _AuthorizationOption(msgspec.Struct, forbid_unknown_fields=True):
    chainId: int | str
    address: str
    nonce: int | str
    yParity: int | str
    r: int | str
    s: int | str


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    gasPrice: int | str | None = None
    maxFeePerGas: int | str | None = None
    maxPriorityFeePerGas: int | str | None = None
    accessList: list[_AccessOption] = []
    authorizationList: list[_AuthorizationOption] = []


class CallRunner:
    """One call of a view: the message that it means, run as often as need be."""

    def __init__(
        self,
        request: ViewRequest,
        call: Call,
        state: BlockState,
        configuration: EvmConfiguration,
        layout: Layout,
        engine: Engine,
    ) -> None:
        """Read the options and the sender; Refusal where the call cannot be."""
        for name, address, sizes in (("to", call.to, (0, 20)), ("sender", call.sender, (20,))):
            if len(address) not in sizes:
                raise Refusal(
                    refusal.MALFORMED, f"{name} has {len(address)} bytes; an address has 20 of them"
                )
        start = request.start
        base_fee = base_fee_of(start, configuration)
        self._call = call
        self._state = state
        self._layout = layout
        self._configuration = configuration
        self._rules = configuration.rules_at(start.height)
        self._block: EngineBlock = engine.open(surroundings_of(start, base_fee, configuration), state)
        self._access_list, self._authorizations, fee_cap, tip = _read_options(call.options)
        self._price = Coin(0)
        if fee_cap:
            if fee_cap < base_fee:
                raise Refusal(
                    refusal.FEE_CAP_BELOW_BASE_FEE,
                    f"the fee cap is {fee_cap}; the base fee is {base_fee}: raise it, or leave it out",
                )
            self._price = effective_gas_price(fee_cap, tip, base_fee)
        self._fee_cap = fee_cap
        self._gas_cap = self._allowed_gas(start.gas_limit or start.parent_section.gas_limit)

    def _allowed_gas(self, block_limit: int) -> int:
        """Return the most gas that the call may have: its own limit, the block's, the sender's funds."""
        call = self._call
        record, coin = self._state.read((self._layout.account(call.sender), ledger_key(Address(call.sender))))
        balance = decode_balance(coin)
        if decode_account(record).nonce >= U64_MAX:
            raise Refusal(refusal.NONCE_MAX, f"the nonce of 0x{call.sender.hex()} is used up (EIP-2681)")
        if balance < call.value:
            raise Refusal(
                refusal.INSUFFICIENT_FUNDS,
                f"0x{call.sender.hex()} has {balance}, the value of the call is {call.value}; "
                f"{call.value - balance} are missing",
            )
        gas = min(call.gas_limit or block_limit, block_limit)
        if self._fee_cap:
            affordable = (balance - call.value) // self._fee_cap
            if call.gas_limit and affordable < gas:
                needed = gas * self._fee_cap + call.value
                raise Refusal(
                    refusal.INSUFFICIENT_FUNDS,
                    f"0x{call.sender.hex()} has {balance}, needed are {needed}: gas {gas} × "
                    f"{self._fee_cap} + value {call.value}; {needed - balance} are missing",
                )
            gas = min(gas, affordable)
        return gas

    def _run(self, gas_limit: int) -> EngineResult:
        call = self._call
        creates = not call.to
        init_code_limit = 2 * self._configuration.code_size_limit
        if self._rules.limits_init_code and creates and len(call.input) > init_code_limit:
            raise Refusal(
                refusal.INIT_CODE_TOO_LARGE,
                f"the init code has {len(call.input)} bytes; at most {init_code_limit} are taken (EIP-3860)",
            )
        needed, floor = intrinsic_gas(
            creates=creates,
            data=call.input,
            access_list=self._access_list,
            authorizations=len(self._authorizations),
            rules=self._rules,
        )
        if gas_limit < max(needed, floor):
            raise Refusal(
                refusal.INTRINSIC_GAS_TOO_LOW,
                f"the gas limit is {gas_limit}; at least {max(needed, floor)} is needed before the first "
                "instruction",
            )
        return self._block.run(
            Message(
                sender=Address(call.sender),
                to=call.to,
                value=call.value,
                data=call.input,
                gas_limit=Gas(gas_limit),
                gas_price=self._price,
                intrinsic_gas=needed,
                floor_gas=floor,
                access_list=self._access_list,
                authorizations=self._authorizations,
            )
        )

    def call(self) -> ViewResult:
        """Run it once with all the gas that it may have."""
        return _view(self._run(self._gas_cap))

    def estimate(self) -> ViewResult:
        """Return the least gas limit with which it succeeds; what it did at the most where it never does."""
        high = self._gas_cap
        if self._is_plain_transfer() and high >= TRANSACTION and self._succeeds(TRANSACTION):
            return ViewResult(gas_used=Gas(TRANSACTION))
        outcome = self._run(high)
        if outcome.status is not Status.OK:
            failed = _view(outcome)
            if outcome.status is Status.OUT_OF_GAS:
                message = f"it needs more than {high} gas, the most that it may have: {failed.message}"
                failed = msgspec.structs.replace(failed, message=message)
            return failed
        # Below what it used it cannot succeed; a little above what it took at its height it mostly does.
        low = outcome.gas_used - 1
        guess = (outcome.gas_used + outcome.gas_refunded + _CALL_STIPEND) * 64 // 63
        if guess < high:
            if self._succeeds(guess):
                high = guess
            else:
                low = guess
        while low + 1 < high:
            middle = min((low + high) // 2, 2 * low)
            if self._succeeds(middle):
                high = middle
            else:
                low = middle
        return ViewResult(gas_used=Gas(high))

    def _is_plain_transfer(self) -> bool:
        call = self._call
        if call.input or not call.to or self._access_list or self._authorizations:
            return False
        return not decode_account(self._state.read((self._layout.account(call.to),))[0]).has_code

    def _succeeds(self, gas_limit: int) -> bool:
        try:
            return self._run(gas_limit).status is Status.OK
        except Refusal as error:
            if error.reason == refusal.INTRINSIC_GAS_TOO_LOW:
                return False
            raise


def _view(outcome: EngineResult) -> ViewResult:
    return ViewResult(
        status=outcome.status,
        output=outcome.output,
        gas_used=outcome.gas_used,
        logs=outcome.logs,
        message=describe_outcome(outcome),
        reason=_REASONS.get(outcome.status, ""),
    )


def _read_options(
    encoded: bytes,
) -> tuple[tuple[Access, ...], tuple[Authorization, ...], int, int]:
    """Return access list, authorizations, fee cap and tip; Refusal (BAD_OPTIONS) names what is wrong."""
    try:
        options = msgspec.json.decode(encoded or b"{}", type=_Options)
        fee_cap, tip = _read_fees(options)
        return (
            tuple(
                Access(
                    address=hexadecimal.parse_address(entry.address, "accessList.address"),
                    slots=tuple(
                        hexadecimal.parse_quantity(key, "accessList.storageKeys") for key in entry.storageKeys
                    ),
                )
                for entry in options.accessList
            ),
            tuple(_read_authorization(entry) for entry in options.authorizationList),
            fee_cap,
            tip,
        )
    except (msgspec.MsgspecError, ValueError) as error:
        raise Refusal(
            refusal.BAD_OPTIONS,
            f"the options of the call cannot be read: {error}; "
            f"known are {', '.join(_Options.__struct_fields__)}",
        ) from None


def _read_fees(options: _Options) -> tuple[int, int]:
    if options.gasPrice is not None:
        if options.maxFeePerGas is not None or options.maxPriorityFeePerGas is not None:
            raise ValueError("gasPrice goes neither with maxFeePerGas nor with maxPriorityFeePerGas")
        price = hexadecimal.parse_quantity(options.gasPrice, "gasPrice")
        return price, price
    fee_cap = hexadecimal.parse_quantity(options.maxFeePerGas or 0, "maxFeePerGas")
    tip = hexadecimal.parse_quantity(options.maxPriorityFeePerGas or 0, "maxPriorityFeePerGas")
    if fee_cap and tip > fee_cap:
        raise ValueError(f"maxPriorityFeePerGas {tip} is above maxFeePerGas {fee_cap}")
    return fee_cap, tip


def _read_authorization(entry: _AuthorizationOption) -> Authorization:
    name = "authorizationList"
    return Authorization(
        chain_id=hexadecimal.parse_quantity(entry.chainId, f"{name}.chainId"),
        address=hexadecimal.parse_address(entry.address, f"{name}.address"),
        nonce=hexadecimal.parse_quantity(entry.nonce, f"{name}.nonce", U64_MAX),
        y_parity=hexadecimal.parse_quantity(entry.yParity, f"{name}.yParity", 255),
        r=hexadecimal.parse_quantity(entry.r, f"{name}.r"),
        s=hexadecimal.parse_quantity(entry.s, f"{name}.s"),
    )
