"""The domain's types that are bytes or integers underneath."""

from __future__ import annotations

from typing import NewType

Address = NewType("Address", bytes)  # 20 bytes: an account of the host's native-coin ledger
Hash32 = NewType("Hash32", bytes)  # 32 bytes: a digest by the chain's hash
Height = NewType("Height", int)  # of a block; genesis is 0
Gas = NewType("Gas", int)  # of one container; containers do not share a scale
Coin = NewType("Coin", int)  # native coin in its smallest unit (10**-18 of a coin, as wei)

ADDRESS_SIZE_BYTES = 20
HASH_SIZE_BYTES = 32
ZERO_HASH = Hash32(bytes(HASH_SIZE_BYTES))
ZERO_ADDRESS = Address(bytes(ADDRESS_SIZE_BYTES))
