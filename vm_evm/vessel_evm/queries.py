"""What only the EVM knows of its state, asked by name: the questions that gateways and tools put."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from vessel.container import BlockStart, BlockState, Query, ViewResult, decode_balance, ledger_key
from vessel.container import Status as ViewStatus
from vessel.primitives.units import Address
from vessel_evm import hexadecimal, refusal
from vessel_evm.configuration import EvmConfiguration
from vessel_evm.fees import next_base_fee
from vessel_evm.layout import Layout, decode_account, decode_slot
from vessel_evm.refusal import Refusal

Answer = dict[str, str]
_Parameters = TypeVar("_Parameters")


class _OfAccount(msgspec.Struct, forbid_unknown_fields=True):
    address: str


class _OfSlot(msgspec.Struct, forbid_unknown_fields=True):
    address: str
    slot: int | str


class _OfNothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Questions:
    """The state and the block in whose surroundings questions are answered.

    account {address} -> {nonce, balance, codeHash, codeSize}    code {address} -> {code}
    nonce {address} -> {nonce}    storage {address, slot} -> {value}, 32 bytes
    base_fee -> {baseFee} of the block that comes next    chain -> {chainId, fork, gasLimit}
    Numbers are 0x quantities.
    """

    def __init__(
        self, start: BlockStart, state: BlockState, configuration: EvmConfiguration, layout: Layout
    ) -> None:
        """Stand in the block `start`; nothing is read yet."""
        self._start = start
        self._state = state
        self._configuration = configuration
        self._layout = layout
        self._methods: dict[str, Callable[[bytes], Answer]] = {
            "account": self._account,
            "base_fee": self._base_fee,
            "chain": self._chain,
            "code": self._code,
            "nonce": self._nonce,
            "storage": self._storage,
        }

    def answer(self, query: Query) -> ViewResult:
        """Answer one question; INVALID with UNKNOWN_METHOD or BAD_PARAMETERS where there is no answer."""
        method = self._methods.get(query.method)
        if method is None:
            return ViewResult(
                status=ViewStatus.INVALID,
                reason=refusal.UNKNOWN_METHOD,
                message=f"there is no query {query.method!r}; expected one of {', '.join(self._methods)}",
            )
        try:
            return ViewResult(json=msgspec.json.encode(method(query.parameters)))
        except Refusal as error:
            return ViewResult(
                status=ViewStatus.INVALID,
                reason=error.reason,
                message=f"query {query.method!r}: {error.message}",
            )

    def _account(self, parameters: bytes) -> Answer:
        address = _address(_read(parameters, _OfAccount).address)
        record, balance = self._state.read((self._layout.account(address), ledger_key(address)))
        account = decode_account(record)
        return {
            "nonce": hexadecimal.quantity(account.nonce),
            "balance": hexadecimal.quantity(decode_balance(balance)),
            "codeHash": hexadecimal.data(account.code_hash),
            "codeSize": hexadecimal.quantity(len(self._code_of(address))),
        }

    def _code(self, parameters: bytes) -> Answer:
        return {"code": hexadecimal.data(self._code_of(_address(_read(parameters, _OfAccount).address)))}

    def _nonce(self, parameters: bytes) -> Answer:
        address = _address(_read(parameters, _OfAccount).address)
        account = decode_account(self._state.read((self._layout.account(address),))[0])
        return {"nonce": hexadecimal.quantity(account.nonce)}

    def _storage(self, parameters: bytes) -> Answer:
        asked = _read(parameters, _OfSlot)
        address = _address(asked.address)
        try:
            slot = hexadecimal.parse_quantity(asked.slot, "slot")
        except ValueError as error:
            raise Refusal(refusal.BAD_PARAMETERS, str(error)) from None
        account = decode_account(self._state.read((self._layout.account(address),))[0])
        value = self._state.read((self._layout.slot(address, account.incarnation, slot),))[0]
        return {"value": hexadecimal.data(decode_slot(value).to_bytes(32, "big"))}

    def _base_fee(self, parameters: bytes) -> Answer:
        _read(parameters, _OfNothing)
        return {"baseFee": hexadecimal.quantity(next_base_fee(self._start.parent_section))}

    def _chain(self, parameters: bytes) -> Answer:
        _read(parameters, _OfNothing)
        return {
            "chainId": hexadecimal.quantity(self._configuration.chain_id),
            "fork": self._configuration.fork_at(self._start.height),
            "gasLimit": hexadecimal.quantity(self._start.gas_limit or self._start.parent_section.gas_limit),
        }

    def _code_of(self, address: Address) -> bytes:
        account = decode_account(self._state.read((self._layout.account(address),))[0])
        if not account.has_code:
            return b""
        return self._state.read((self._layout.code(account.code_hash),))[0] or b""


def _read(parameters: bytes, kind: type[_Parameters]) -> _Parameters:
    try:
        return msgspec.json.decode(parameters or b"{}", type=kind)
    except msgspec.MsgspecError as error:
        raise Refusal(refusal.BAD_PARAMETERS, str(error)) from None


def _address(value: str) -> Address:
    try:
        return hexadecimal.parse_address(value, "address")
    except ValueError as error:
        raise Refusal(refusal.BAD_PARAMETERS, str(error)) from None
