"""The ten accounts of a development chain, from the mnemonic that every Ethereum tool uses."""

from __future__ import annotations

import functools
from dataclasses import dataclass

MNEMONIC = "test test test test test test test test test test test junk"
DERIVATION = "m/44'/60'/0'/0/{index}"
COUNT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DevAccount:
    """An account whose key everybody knows; never to hold anything on a real chain."""

    index: int
    address: str  # 0x and 40 digits, with checksum
    private_key: bytes


@functools.cache
def dev_accounts() -> tuple[DevAccount, ...]:
    """Return the accounts in the order of their index."""
    from eth_account import Account
    from eth_account.hdaccount import key_from_seed, seed_from_mnemonic

    seed = seed_from_mnemonic(MNEMONIC, "")
    keys = [key_from_seed(seed, DERIVATION.format(index=index)) for index in range(COUNT)]
    return tuple(
        DevAccount(index=index, address=str(Account.from_key(key).address), private_key=key)
        for index, key in enumerate(keys)
    )
