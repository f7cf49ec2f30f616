"""The host trusts no container: what every result must satisfy before anything of it is kept.

Three rules, the same on every transport: a container writes to its own namespace and the ledger only;
it spends no more gas than it was given; it makes no native coin, and debits only addresses that are
its own.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NoReturn

from vessel.container.messages import TransactionResult, Writes
from vessel.database.namespace import LEDGER_PREFIX, decode_balance, namespace_prefix
from vessel.errors import ContainerMisbehaved, InvalidRequest
from vessel.primitives.units import ADDRESS_SIZE_BYTES

MAX_KEY_SIZE_BYTES = 512
MAX_VALUE_SIZE_BYTES = 4 << 20

_burned = operator.attrgetter("burned")
_LEDGER_KEY_SIZE_BYTES = len(LEDGER_PREFIX) + ADDRESS_SIZE_BYTES


class Guard:
    """The rules for one container of a chain."""

    def __init__(
        self,
        container: str,
        namespace: int,
        *,
        reserved_prefix: bytes,
        foreign_prefixes: Sequence[bytes] = (),
        owns_open_addresses: bool = False,
    ) -> None:
        """Say what is the container's own.

        reserved_prefix: of addresses that are this container's. foreign_prefixes: of the others'.
        owns_open_addresses: whether it may also debit addresses that nobody has reserved.
        """
        self._container = container
        self._prefix = namespace_prefix(namespace)
        self._reserved = reserved_prefix
        self._foreign = tuple(foreign_prefixes)
        self._owns_open = owns_open_addresses

    def check_writes(
        self, writes: Writes, burned: int, read: Callable[[Sequence[bytes]], list[bytes | None]]
    ) -> list[bytes]:
        """Return the ledger keys of a write set; ContainerMisbehaved where it breaks a rule.

        read: current values of ledger keys, before the writes.
        """
        ledger: list[bytes] = []
        for key, value in writes.items():
            if key.startswith(self._prefix):
                if len(key) > MAX_KEY_SIZE_BYTES:
                    self._refuse(f"wrote a key of {len(key)} bytes; at most {MAX_KEY_SIZE_BYTES}")
            elif key.startswith(LEDGER_PREFIX):
                ledger.append(key)
            else:
                self._refuse(f"wrote 0x{key.hex()}, which is outside of its namespace 0x{self._prefix.hex()}")
            if value is not None and len(value) > MAX_VALUE_SIZE_BYTES:
                self._refuse(f"wrote a value of {len(value)} bytes; at most {MAX_VALUE_SIZE_BYTES}")
        if burned < 0:
            self._refuse(f"burned {burned} coin; expected none or more")
        change = 0
        for key, before in zip(ledger, read(ledger), strict=True) if ledger else ():
            change += self._balance_change(key, before, writes[key])
        if change != -burned:
            self._refuse(
                f"changed the ledger by {change} while it burned {burned}; expected a change of {-burned}"
            )
        return ledger

    def all_plain(self, results: Sequence[TransactionResult]) -> bool:
        """Return whether all the write sets keep to the container's own keys, and no coin is burned.

        That is all that `check_writes` would find, at a tenth of the price: what lies between two keys
        of a prefix has it too. Where it is False, `check_writes` says which one is why.
        """
        if any(map(_burned, results)):
            return False
        writes = [result.writes for result in results]
        keys = list(chain.from_iterable(writes))
        if not keys:
            return True
        values = filter(None, chain.from_iterable([w.values() for w in writes]))
        return (
            min(keys).startswith(self._prefix)
            and max(keys).startswith(self._prefix)
            and max(map(len, keys)) <= MAX_KEY_SIZE_BYTES
            and max(map(len, values), default=0) <= MAX_VALUE_SIZE_BYTES
        )

    def _balance_change(self, key: bytes, before: bytes | None, after: bytes | None) -> int:
        if len(key) != _LEDGER_KEY_SIZE_BYTES:
            self._refuse(f"wrote the ledger key 0x{key.hex()}, which is not a 20-byte address")
        if after == b"":
            self._refuse("wrote an empty balance; zero is the absence of one")
        try:
            change = decode_balance(after) - decode_balance(before)
        except InvalidRequest as error:
            self._refuse(f"wrote a malformed balance: {error}")
        if change < 0 and not self._owns(key[len(LEDGER_PREFIX) :]):
            self._refuse(f"debited 0x{key[len(LEDGER_PREFIX) :].hex()}, which is not its own address")
        return change

    def _owns(self, address: bytes) -> bool:
        if self._reserved and address.startswith(self._reserved):
            return True
        return self._owns_open and not address.startswith(self._foreign)

    def check_gas(self, gas_used: int, gas_available: int) -> None:
        """Raise ContainerMisbehaved where more gas was used than was there."""
        if gas_used > gas_available:
            self._refuse(f"used {gas_used} gas where {gas_available} was available")

    def _refuse(self, what: str) -> NoReturn:
        raise ContainerMisbehaved(f"container {self._container!r} {what}", container=self._container)
