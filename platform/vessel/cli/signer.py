"""Whose key signs: a development account, a private key, or an encrypted keystore file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import typer

from vessel.cli.dev_accounts import COUNT, dev_accounts
from vessel.errors import ConfigurationError, InvalidRequest
from vessel.primitives.address import parse_address
from vessel.primitives.units import Address

_KEY_SIZE_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """An address and the key that signs for it; the key stays out of messages."""

    address: Address
    private_key: bytes = field(repr=False)


def choose_signer(
    *, sender: str, private_key: str, keystore: Path | None, password_file: Path | None, dev_chain: bool
) -> Signer:
    """Return the signer that the options name; account 0 of a development chain where they name none.

    `sender` beside a key or a keystore is a check: it must be that key's address.
    """
    if private_key and keystore is not None:
        raise InvalidRequest("give --private-key (or VESSEL_PRIVATE_KEY) or --keystore, not both")
    if password_file is not None and keystore is None:
        raise InvalidRequest("--password-file goes with --keystore FILE")
    if private_key:
        return _checked(_signer(_key_from_hex(private_key)), sender)
    if keystore is not None:
        return _checked(_signer(_key_from_keystore(keystore, password_file)), sender)
    if not dev_chain:
        raise InvalidRequest(
            "this is not a development chain: name who signs with --private-key, VESSEL_PRIVATE_KEY or "
            "--keystore FILE",
            reason="SIGNER_MISSING",
        )
    return dev_signer(sender or "0")


def dev_signer(sender: str) -> Signer:
    """Return a development account by its index or its address."""
    accounts = dev_accounts()
    if sender.isascii() and sender.isdecimal():
        if int(sender) >= COUNT:
            raise InvalidRequest(f"--from {sender}: the development accounts are 0 to {COUNT - 1}")
        account = accounts[int(sender)]
        return Signer(address=parse_address(account.address), private_key=account.private_key)
    wanted = parse_address(sender)
    for account in accounts:
        if parse_address(account.address) == wanted:
            return Signer(address=wanted, private_key=account.private_key)
    raise InvalidRequest(
        f"--from {sender} is not one of the ten development accounts; sign with --private-key or --keystore "
        "(`vessel accounts` lists them)",
        reason="SIGNER_UNKNOWN",
    )


def _signer(key: bytes) -> Signer:
    from eth_account import Account

    try:
        return Signer(address=parse_address(str(Account.from_key(key).address)), private_key=key)
    except ValueError:
        raise InvalidRequest("the private key is not a number that secp256k1 allows") from None


def _checked(signer: Signer, sender: str) -> Signer:
    if sender and parse_address(sender) != signer.address:
        raise InvalidRequest(
            f"--from {sender} is not the key's address 0x{signer.address.hex()}; leave --from out, or give "
            "the other key",
            expected=sender,
            actual="0x" + signer.address.hex(),
        )
    return signer


def _key_from_hex(text: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        key = b""
    if len(key) != _KEY_SIZE_BYTES:  # the text itself stays out of the message
        raise InvalidRequest("the private key is not 32 bytes in hexadecimal (64 digits, 0x optional)")
    return key


def _key_from_keystore(path: Path, password_file: Path | None) -> bytes:
    content = _read(path, "keystore")
    password = _password(path, password_file)
    from eth_account import Account

    try:
        document = json.loads(content)
        if not isinstance(document, dict):
            raise TypeError("not a JSON object")
        return bytes(Account.decrypt(document, password))
    except ValueError as error:
        if "mismatch" in str(error):  # of the MAC or checksum
            raise InvalidRequest(f"the password does not open the keystore {path}") from None
        raise ConfigurationError(f"{path} is not a keystore of version 3: {error}") from None
    except (KeyError, TypeError, NotImplementedError) as error:
        raise ConfigurationError(f"{path} is not a keystore of version 3: {error}") from None


def _password(path: Path, password_file: Path | None) -> str:
    if password_file is None:
        return str(typer.prompt(f"Password of {path.name}", hide_input=True, err=True))
    lines = _read(password_file, "password file").splitlines()
    return lines[0] if lines else ""


def _read(path: Path, what: str) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise ConfigurationError(f"cannot read the {what} {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"the {what} {path} is not text") from None
