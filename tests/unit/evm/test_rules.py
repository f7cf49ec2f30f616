"""Small rules on their own: base fee, intrinsic gas, revert data, the layout, the configuration."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from eth_abi.abi import encode

from unit.evm.sandbox import CHAIN_ID, Sandbox
from vessel.container import (
    ESTIMATE,
    Call,
    Configuration,
    ConfigurationError,
    ContainerError,
    Fork,
    Mode,
    Outcome,
    Section,
    VesselError,
    ViewRequest,
)
from vessel.primitives.units import Address, Coin, Gas, Hash32, Height
from vessel_evm.configuration import read_configuration
from vessel_evm.container import EvmContainer
from vessel_evm.fees import effective_gas_price, next_base_fee
from vessel_evm.intrinsic_gas import intrinsic_gas
from vessel_evm.keccak import EMPTY_CODE_HASH, keccak
from vessel_evm.layout import NO_ACCOUNT, Account, Layout, decode_account, decode_slot, encode_slot
from vessel_evm.revert import describe_revert
from vessel_evm.transaction import Access


def configuration(parameters: Any, *forks: Fork) -> Configuration:
    encoded = parameters if isinstance(parameters, bytes) else msgspec.json.encode(parameters)
    return Configuration(
        parameters=encoded,
        chain_id=CHAIN_ID,
        genesis_hash=Hash32(bytes(32)),
        instance="evm",
        namespace=1,
        forks=forks,
    )


@pytest.mark.parametrize(
    ("gas_used", "base_fee", "expected"),
    [
        (15_000_000, 10**9, 10**9),
        (30_000_000, 10**9, 1_125_000_000),
        (0, 10**9, 875_000_000),
        (15_000_001, 10, 11),  # by one at least
        (0, 7, 7),  # an eighth of seven is nothing
        (30_000_000, 0, 1),
        (0, 0, 0),
    ],
)
def test_next_base_fee(gas_used: int, base_fee: int, expected: int) -> None:
    parent = Section(gas_limit=Gas(30_000_000), gas_used=Gas(gas_used), base_fee=Coin(base_fee))
    assert next_base_fee(parent) == expected


def test_next_base_fee_without_a_parent() -> None:
    assert next_base_fee(Section(base_fee=Coin(5))) == 5


def test_effective_gas_price() -> None:
    assert effective_gas_price(100, 3, 50) == 53
    assert effective_gas_price(51, 3, 50) == 51


def test_intrinsic_gas() -> None:
    access = (Access(address=Address(bytes(20)), slots=(1, 2)), Access(address=Address(bytes(20))))
    assert intrinsic_gas(creates=False, data=b"", access_list=(), authorizations=0) == (21_000, 21_000)
    assert intrinsic_gas(creates=False, data=b"\0\1", access_list=(), authorizations=0) == (21_020, 21_050)
    assert intrinsic_gas(creates=True, data=bytes(33), access_list=(), authorizations=0) == (53_136, 21_330)
    assert intrinsic_gas(creates=False, data=b"", access_list=access, authorizations=2) == (79_600, 21_000)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (b"", "reverted without a reason"),
        (bytes.fromhex("08c379a0") + encode(["string"], ["not yours"]), "reverted: not yours"),
        (bytes.fromhex("08c379a0") + encode(["string"], ["çà"]), "reverted: çà"),
        (bytes.fromhex("08c379a0") + b"\xff" * 64, "custom error 0x08c379a0"),
        (bytes.fromhex("08c379a0"), "custom error 0x08c379a0"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [0x12]), "panic 0x12 (division or modulo by zero)"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [0x99]), "panic 0x99 (unknown code)"),
        (b"\1\2\3\4", "reverted with custom error 0x01020304"),
        (b"\1\2\3\4\5", "custom error 0x01020304, arguments 0x05"),
        (b"\1\2", "reverted with data 0x0102"),
        (b"\1" * 5_000, "…"),
    ],
)
def test_describe_revert(output: bytes, words: str) -> None:
    described = describe_revert(output)
    assert words in described
    assert len(described) < 2_200


def test_accounts_are_stored_and_read_back() -> None:
    for account in (
        NO_ACCOUNT,
        Account(nonce=2**64 - 1),
        Account(incarnation=1),
        Account(nonce=1, incarnation=2, code_hash=keccak(b"x")),
    ):
        assert decode_account(account.encode()) == account
    assert NO_ACCOUNT.encode() is None
    assert Account(nonce=1, code_hash=EMPTY_CODE_HASH).encode() == (1).to_bytes(8, "big") + bytes(4)
    with pytest.raises(VesselError, match="12 or 44 bytes"):
        decode_account(b"\1" * 13)


def test_slots_are_stored_in_the_fewest_bytes() -> None:
    assert encode_slot(0) is None
    assert encode_slot(256) == b"\1\0"
    assert decode_slot(b"\1\0") == 256
    assert decode_slot(None) == 0


def test_keys() -> None:
    layout = Layout(258)
    address = b"\x11" * 20
    assert layout.account(address) == b"\1\2a" + address
    assert layout.slot(address, 3, 5) == b"\1\2s" + address + b"\0\0\0\3" + (5).to_bytes(32, "big")
    assert layout.code(b"\x22" * 32) == b"\1\2c" + b"\x22" * 32


def test_defaults_of_the_configuration() -> None:
    read = read_configuration(configuration({}))
    assert (read.engine, read.fork, read.code_size_limit) == ("core", "osaka", 24_576)
    assert read.initial_base_fee == 10**9
    assert read_configuration(configuration({"initial_base_fee": "0x10"})).initial_base_fee == 16


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"engin": "x"}, "engin"),
        ({"engine": "warp"}, "expected one of core, reference"),
        ({"code_size_limit": 0}, "code_size_limit"),
        ({"code_size_limit": "big"}, "code_size_limit"),
        ({"initial_base_fee": -1}, "initial_base_fee"),
        ({"engine": "reference", "system_calls": True}, "system_calls"),
        ({"predeploys": {"0x12": {}}}, "predeploys"),
        ({"predeploys": {"0x" + "11" * 20: {"code": "60"}}}, "code"),
        ({"predeploys": {"0x" + "11" * 20: {"code": "0x6"}}}, "code"),
        ({"predeploys": {"0x" + "11" * 20: {"cod": "0x60"}}}, "cod"),
        ({"predeploys": {"0x" + "11" * 20: {"storage": {"x": 1}}}}, "storage"),
        ({"predeploys": {"0x" + "11" * 20: {"storage": {"0x1": 1, "1": 2}}}}, "named twice"),
        ({"predeploys": {"0x" + "11" * 20: {"nonce": 0, "storage": {"1": 2}}}}, "needs an account"),
        ({"predeploys": {"0x" + "aa" * 20: {}, "0x" + "AA" * 20: {}}}, "named twice"),
        (b"{", "parameters of container 'evm'"),
    ],
)
def test_a_wrong_configuration_is_named(parameters: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_configuration(configuration(parameters))


def test_unknown_keys_come_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="known keys are code_size_limit, engine"):
        read_configuration(configuration({"gas": 1}))


def test_forks() -> None:
    prague = Fork(name="prague", height=Height(0))
    assert read_configuration(configuration({}, prague)).fork == "prague"
    with pytest.raises(
        ConfigurationError, match="'osaka' is unknown to the reference engine; it knows prague"
    ):
        read_configuration(
            configuration({"engine": "reference"}, prague, Fork(name="osaka", height=Height(9)))
        )
    osaka = Fork(name="osaka", height=Height(9))
    assert read_configuration(configuration({}, prague, osaka)).fork_at(9) == "osaka"
    with pytest.raises(ConfigurationError, match="must begin at height 0"):
        read_configuration(configuration({}, Fork(name="prague", height=Height(3))))


def test_the_container_says_what_it_is() -> None:
    container = EvmContainer()
    assert container.manifest.name == "evm"
    assert container.manifest.recent_ids == 256
    assert ESTIMATE in container.manifest.capabilities
    first = container.configure(configuration({}))
    assert first.schema_version == 1
    assert len(first.engine_digest) == 32
    assert container.configure(configuration({})) == first
    container.finish("e1", Outcome.COMMIT)


def test_nothing_works_before_the_configuration() -> None:
    box = Sandbox()
    with pytest.raises(ContainerError, match="not configured"):
        EvmContainer().execute(box.start(), box.state())


def test_a_view_of_nothing_is_invalid() -> None:
    box = Sandbox()
    result = box.container.view(ViewRequest(start=box.start(mode=Mode.VIEW)), box.state())
    assert result.reason == "UNKNOWN_METHOD"
    # An estimate whose call runs out of nonces is refused as well.
    box.apply({box.layout.account(bytes(20)): Account(nonce=2**64 - 1).encode()})
    request = ViewRequest(start=box.start(mode=Mode.VIEW), call=Call(to=bytes(20)), estimate=True)
    assert box.container.view(request, box.state()).reason == "NONCE_MAX"
