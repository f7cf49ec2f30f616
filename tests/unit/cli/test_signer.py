"""Whose key signs, and that a key never gets into a message."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_account import Account

from vessel.cli.dev_accounts import COUNT, DERIVATION, MNEMONIC, dev_accounts
from vessel.cli.signer import Signer, choose_signer
from vessel.errors import ConfigurationError, InvalidRequest

KEY = "0x" + "0a" * 32
OWNER = str(Account.from_key(KEY).address)


def choose(
    sender: str = "",
    key: str = "",
    keystore: Path | None = None,
    password: Path | None = None,
    dev: bool = True,
) -> Signer:
    return choose_signer(
        sender=sender, private_key=key, keystore=keystore, password_file=password, dev_chain=dev
    )


def test_the_dev_accounts_are_those_of_the_mnemonic() -> None:
    accounts = dev_accounts()
    assert len(accounts) == COUNT
    assert accounts[0].address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert accounts[9].address == "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"
    assert accounts[0].private_key.hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    assert (MNEMONIC.split()[-1], DERIVATION.format(index=3)) == ("junk", "m/44'/60'/0'/0/3")


def test_by_default_account_0_of_a_development_chain() -> None:
    assert choose().private_key == dev_accounts()[0].private_key


def test_by_index_or_address() -> None:
    assert choose("3").private_key == dev_accounts()[3].private_key
    assert choose(dev_accounts()[4].address).private_key == dev_accounts()[4].private_key


def test_by_key_with_or_without_prefix() -> None:
    assert choose(key=KEY, dev=False).address.hex() == OWNER[2:].lower()
    assert choose(key=KEY[2:], dev=False).address == choose(key=KEY).address
    assert choose(sender=OWNER, key=KEY).address == choose(key=KEY).address


@pytest.mark.parametrize("sender", ["10", "0x" + "01" * 20, "me"])
def test_nobody_of_that_name(sender: str) -> None:
    with pytest.raises(InvalidRequest):
        choose(sender)


def test_a_real_chain_needs_a_key() -> None:
    with pytest.raises(InvalidRequest, match="not a development chain"):
        choose("0", dev=False)


def test_a_sender_that_is_not_the_keys() -> None:
    with pytest.raises(InvalidRequest, match="is not the key's address"):
        choose(sender=dev_accounts()[0].address, key=KEY)


@pytest.mark.parametrize("key", ["0x12", "zz" * 32, "0x" + "00" * 32, "0x" + "ff" * 32])
def test_what_is_no_key_is_not_repeated(key: str) -> None:
    with pytest.raises(InvalidRequest, match="private key is not") as raised:
        choose(key=key)
    assert key not in raised.value.message


def test_the_key_is_not_in_the_repr() -> None:
    assert "0a0a" not in repr(choose(key=KEY))
    assert str(bytes.fromhex(KEY[2:])) not in repr(choose(key=KEY))


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="not both"):
        choose(key=KEY, keystore=tmp_path)
    with pytest.raises(InvalidRequest, match="goes with --keystore"):
        choose(password=tmp_path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the keystore"):
        choose(keystore=tmp_path / "nothing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is not text"):
        choose(keystore=tmp_path / "binary")
