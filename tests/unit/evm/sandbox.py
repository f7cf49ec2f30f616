"""A host of a few lines: state in a dict, blocks driven by hand, and the host's checks on every result."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec
from eth_account import Account
from eth_account.signers.local import LocalAccount

from vessel.container import (
    BlockEndResult,
    BlockStart,
    BlockState,
    Call,
    Configuration,
    ContainerTransaction,
    Execution,
    HookResult,
    Mode,
    Query,
    Range,
    Section,
    TransactionBatch,
    TransactionCheck,
    TransactionResult,
    ValidationRequest,
    ViewRequest,
    ViewResult,
    decode_balance,
    encode_balance,
    ledger_key,
)
from vessel.errors import StorageError
from vessel.primitives.units import Address, Gas, Hash32, Height
from vessel_evm.container import EvmContainer
from vessel_evm.layout import Layout, decode_account, decode_slot

NAMESPACE = 1
CHAIN_ID = 1337
GAS_LIMIT = 30_000_000
GWEI = 10**9
COIN = 10**18
PROPOSER = Address(bytes.fromhex("c0" * 20))
RANDOMNESS = Hash32(bytes.fromhex("ab" * 32))

ALICE: LocalAccount = Account.from_key("0x" + "11" * 32)
BOB: LocalAccount = Account.from_key("0x" + "22" * 32)
CAROL: LocalAccount = Account.from_key("0x" + "33" * 32)


def address_of(account: LocalAccount) -> Address:
    """Return the 20 bytes of an account."""
    return Address(bytes.fromhex(account.address[2:]))


class DictReader:
    """A StateReader over a dict that counts its crossings, and fails from number `fault_at` on."""

    def __init__(self, values: Mapping[bytes, bytes]) -> None:
        self._values = dict(values)
        self.fault_at = sys.maxsize
        self.crossings = 0

    @property
    def version(self) -> int:
        return 1

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        self.crossings += 1
        if self.crossings >= self.fault_at:
            raise StorageError("the disk is gone")
        return [self._values.get(key) for key in keys]

    def range(self, wanted: Range) -> list[tuple[bytes, bytes]]:
        raise AssertionError(f"the EVM reads no ranges, asked for {wanted}")


class Sandbox:
    """One EVM container on a chain of its own."""

    def __init__(self, parameters: Mapping[str, Any] | None = None, *, gas_limit: int = GAS_LIMIT) -> None:
        self.container = EvmContainer()
        self.configuration = Configuration(
            parameters=msgspec.json.encode({"engine": "reference", **(parameters or {})}),
            chain_id=CHAIN_ID,
            genesis_hash=Hash32(bytes(32)),
            instance="evm",
            namespace=NAMESPACE,
        )
        self.container.configure(self.configuration)
        self.layout = Layout(NAMESPACE)
        self.values: dict[bytes, bytes] = {}
        self.gas_limit = gas_limit
        self.height = 0
        self.proposer = PROPOSER
        self.recent_ids: list[bytes] = []
        self.section = Section()
        self.genesis = self._genesis()
        for account in (ALICE, BOB, CAROL):
            self.give(address_of(account), 1_000 * COIN)

    # ---- state

    def give(self, address: Address, balance: int) -> None:
        """Set a balance, as the genesis or another container would."""
        self.apply({ledger_key(address): encode_balance(balance)})

    def apply(self, writes: Mapping[bytes, bytes | None]) -> None:
        """Commit writes."""
        for key, value in writes.items():
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value

    def state(self) -> BlockState:
        """Return the committed state for one piece of work."""
        return BlockState(DictReader(self.values), NAMESPACE)

    def balance(self, address: Address | bytes) -> int:
        return decode_balance(self.values.get(ledger_key(Address(address))))

    def nonce(self, address: bytes) -> int:
        return decode_account(self.values.get(self.layout.account(address))).nonce

    def code(self, address: bytes) -> bytes:
        account = decode_account(self.values.get(self.layout.account(address)))
        return self.values[self.layout.code(account.code_hash)] if account.has_code else b""

    def slot(self, address: bytes, slot: int) -> int:
        incarnation = decode_account(self.values.get(self.layout.account(address))).incarnation
        return decode_slot(self.values.get(self.layout.slot(address, incarnation, slot)))

    def all_coin(self) -> int:
        return sum(decode_balance(value) for key, value in self.values.items() if key[:2] == b"\0\0")

    # ---- blocks

    def start(self, **changes: Any) -> BlockStart:
        """Return the surroundings of the block that comes next."""
        start = BlockStart(
            mode=Mode.BUILD,
            height=Height(self.height + 1),
            time_ms=1_700_000_000_000 + 1_500 * (self.height + 1),
            state_version=1,
            execution_id=f"e{self.height + 1}",
            parent_id=Hash32(self.recent_ids[0] if self.recent_ids else bytes(32)),
            proposer=self.proposer,
            randomness=RANDOMNESS,
            gas_limit=Gas(self.gas_limit),
            parent_section=self.section,
            recent_ids=tuple(self.recent_ids[:256]),
        )
        return msgspec.structs.replace(start, **changes)

    def _genesis(self) -> HookResult:
        start = self.start(mode=Mode.GENESIS, height=Height(0), parent_section=Section())
        execution = self.container.execute(start, self.state())
        result = execution.begin()
        self.section = result.section
        self.apply(result.writes)
        self.recent_ids.insert(0, (1).to_bytes(32, "little"))
        return result

    def open(self, **changes: Any) -> tuple[Execution, DictReader, BlockState]:
        """Begin a block and return what is needed to drive it by hand."""
        reader = DictReader(self.values)
        state = BlockState(reader, NAMESPACE)
        execution = self.container.execute(self.start(**changes), state)
        execution.begin()
        return execution, reader, state

    def block(self, *raws: bytes, **changes: Any) -> list[TransactionResult]:
        """Make a block of one batch, check it as the host does, and commit it."""
        execution, _, _ = self.open(**changes)
        results = list(execution.transactions(batch(*raws, gas_available=self.gas_limit)))
        for result in results:
            self.check(result)
            self.apply(result.writes)
        self.close(execution.end(), results)
        return results

    def close(self, end: BlockEndResult, results: Iterable[TransactionResult]) -> None:
        """Take the section of a finished block for the parent of the next."""
        assert end.section.gas_used == sum(result.gas_used for result in results)
        assert not end.writes
        self.section = end.section
        self.height += 1
        self.recent_ids.insert(0, (self.height + 1).to_bytes(32, "little"))

    def check(self, result: TransactionResult) -> None:
        """Fail where the host would kill the container: coin, namespace, order of the writes."""
        change = 0
        assert list(result.writes) == sorted(result.writes)
        for key, value in result.writes.items():
            assert value != self.values.get(key), f"0x{key.hex()} is written and stays as it was"
            if key[:2] == b"\0\0":
                change += decode_balance(value) - decode_balance(self.values.get(key))
            else:
                assert key[:2] == NAMESPACE.to_bytes(2, "big")
        assert change == -result.burned
        if not result.included:
            assert not result.writes
            assert not result.gas_used

    def send(self, raw: bytes, **changes: Any) -> TransactionResult:
        """Make a block of one transaction, which must get into it."""
        (result,) = self.block(raw, **changes)
        assert result.included, (result.reason, result.message)
        return result

    def deploy(self, init_code: bytes, sender: LocalAccount = ALICE, **fields: Any) -> Address:
        """Create a contract and return its address."""
        result = self.send(self.sign(sender, to=None, data=init_code, gas=5_000_000, **fields))
        created = msgspec.json.decode(result.details)["contractAddress"]
        assert created is not None, result.message
        return Address(bytes.fromhex(created[2:]))

    # ---- the rest of the container

    def admit(self, *raws: bytes) -> list[TransactionCheck]:
        """Ask for admission."""
        request = ValidationRequest(
            raw=raws,
            state_version=1,
            height=Height(self.height + 1),
            time_ms=1_700_000_000_000,
            parent_section=self.section,
        )
        return list(self.container.validate(request, self.state()))

    def call(self, to: bytes, data: bytes = b"", *, estimate: bool = False, **fields: Any) -> ViewResult:
        """Call, or estimate, in the block that comes next."""
        fields.setdefault("sender", address_of(ALICE))
        if "options" in fields:
            fields["options"] = msgspec.json.encode(fields["options"])
        call = Call(to=to, input=data, **fields)
        request = ViewRequest(start=self.start(mode=Mode.VIEW), call=call, estimate=estimate)
        return self.container.view(request, self.state())

    def query(self, method: str, **parameters: Any) -> ViewResult:
        """Put a query."""
        query = Query(method=method, parameters=msgspec.json.encode(parameters))
        return self.container.view(ViewRequest(start=self.start(mode=Mode.VIEW), query=query), self.state())

    def answer(self, method: str, **parameters: Any) -> dict[str, str]:
        """Put a query that has an answer."""
        result = self.query(method, **parameters)
        assert result.json, (result.reason, result.message)
        return cast(dict[str, str], msgspec.json.decode(result.json))

    def sign(self, sender: LocalAccount, **fields: Any) -> bytes:
        """Return a signed type 2 transaction; the nonce is the committed one unless given."""
        to = fields.pop("to", address_of(BOB))
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": CHAIN_ID,
            "nonce": self.nonce(address_of(sender)),
            "gas": 200_000,
            "maxFeePerGas": 10 * GWEI,
            "maxPriorityFeePerGas": GWEI,
            "value": 0,
            "data": b"",
            **fields,
        }
        if to is not None:
            transaction["to"] = to
        return sign(sender, transaction)


def sign(sender: LocalAccount, transaction: Mapping[str, Any]) -> bytes:
    """Return the raw bytes of a signed transaction as eth_account makes them."""
    return bytes(sender.sign_transaction(dict(transaction)).raw_transaction)


def batch(*raws: bytes, first_index: int = 0, gas_available: int | None = None) -> TransactionBatch:
    """Return a batch as replay sends it: nothing prepared."""
    return TransactionBatch(
        first_index=first_index,
        gas_available=None if gas_available is None else Gas(gas_available),
        transactions=tuple(ContainerTransaction(raw=raw) for raw in raws),
    )
