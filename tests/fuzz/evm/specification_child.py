"""Runs scenarios on Ethereum's specification in Python: one JSON a line in, one out.

It is started with the interpreter of an environment that has ethereum-execution, and imports nothing else.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from importlib import import_module
from typing import Any

from ethereum.exceptions import EthereumException
from ethereum_rlp import rlp
from ethereum_types.bytes import Bytes, Bytes20, Bytes32
from ethereum_types.numeric import U64, U256, Uint

sys.setrecursionlimit(30_000)


class Fork:
    """The modules of one fork, with the outcome of the outermost frame laid open."""

    def __init__(self, name: str) -> None:
        base = f"ethereum.forks.{name}"
        self.fork = import_module(f"{base}.fork")
        self.state = import_module(f"{base}.state")
        self.vm = import_module(f"{base}.vm")
        self.transactions = import_module(f"{base}.transactions")
        self.account = import_module(f"{base}.fork_types").Account
        self.exceptions = import_module(f"{base}.vm.exceptions")
        self.outcome: Any = None
        inner = self.fork.process_message_call

        def process(message: Any) -> Any:
            self.outcome = inner(message)
            return self.outcome

        self.fork.process_message_call = process

    def run(self, scenario: dict[str, Any]) -> dict[str, Any]:
        """Return what every transaction did, and the world after the last block."""
        state = self.state.State()
        for address, account in scenario["pre"].items():
            where = Bytes20(_data(address))
            self.state.set_account(
                state,
                where,
                self.account(
                    nonce=Uint(account["nonce"]),
                    balance=U256(int(account["balance"], 16)),
                    code=Bytes(_data(account["code"])),
                ),
            )
            for slot, value in account["storage"].items():
                self.state.set_storage(state, where, _word(slot), U256(int(value, 16)))
        hashes = [Bytes32(_data(block)) for block in scenario["blockHashes"]]
        results = []
        for index, block in enumerate(scenario["blocks"]):
            environment = self._environment(scenario, scenario["height"] + index, state, hashes[-256:])
            output = self.vm.BlockOutput()
            results += [
                self._transaction(environment, output, number, raw) for number, raw in enumerate(block)
            ]
            hashes.append(Bytes32(b"\xbb" * 24 + (scenario["height"] + index).to_bytes(8, "big")))
        return {"transactions": results, "post": self._world(state)}

    def _environment(self, scenario: dict[str, Any], number: int, state: Any, hashes: list[Bytes32]) -> Any:
        known = {
            "chain_id": U64(scenario["chainId"]),
            "state": state,
            "block_gas_limit": Uint(scenario["gasLimit"]),
            "block_hashes": hashes,
            "coinbase": Bytes20(_data(scenario["coinbase"])),
            "number": Uint(number),
            "base_fee_per_gas": Uint(scenario["baseFee"]),
            "time": U256(number * 12),
            "prev_randao": Bytes32(_data(scenario["randomness"])),
            "difficulty": Uint(int(scenario["randomness"], 16)),
            "excess_blob_gas": U64(0),
            "parent_beacon_block_root": Bytes32(bytes(32)),
        }
        kind = self.vm.BlockEnvironment
        return kind(**{field.name: known[field.name] for field in dataclasses.fields(kind)})

    def _transaction(self, environment: Any, output: Any, number: int, raw: str) -> dict[str, Any]:
        before = output.block_gas_used
        try:
            data = _data(raw)
            if data[0] >= 0xC0:
                transaction = rlp.decode_to(self.transactions.LegacyTransaction, data)
            else:
                transaction = self.transactions.decode_transaction(Bytes(data))
            self.fork.process_transaction(environment, output, transaction, Uint(number))
        except EthereumException as error:
            return {"included": False, "reason": f"{type(error).__name__}: {error}"}
        outcome = self.outcome
        return {
            "included": True,
            "status": self._status(outcome.error),
            "gas": int(output.block_gas_used - before),
            # The specification's older forks do not hand out what a transaction returns.
            "output": "0x" + bytes(outcome.return_data).hex() if hasattr(outcome, "return_data") else None,
            "logs": [
                [
                    "0x" + log.address.hex(),
                    ["0x" + topic.hex() for topic in log.topics],
                    "0x" + bytes(log.data).hex(),
                ]
                for log in outcome.logs
            ],
            "fault": "" if outcome.error is None else repr(outcome.error),
        }

    def _status(self, error: Any) -> str:
        if error is None:
            return "OK"
        if isinstance(error, self.exceptions.Revert):
            return "REVERTED"
        return "OUT_OF_GAS" if isinstance(error, self.exceptions.OutOfGasError) else "TRAP"

    def _world(self, state: Any) -> dict[str, Any]:
        world = {}
        for address, account in state._main_trie._data.items():
            if account is None:
                continue
            tree = state._storage_tries.get(address)
            storage = (
                {}
                if tree is None
                else {hex(int.from_bytes(k, "big")): hex(int(v)) for k, v in tree._data.items()}
            )
            if account.nonce or account.balance or account.code or storage:
                world["0x" + address.hex()] = {
                    "nonce": int(account.nonce),
                    "balance": hex(int(account.balance)),
                    "code": "0x" + bytes(account.code).hex(),
                    "storage": storage,
                }
        return world


def _data(value: str) -> bytes:
    return bytes.fromhex(value[2:])


def _word(value: str) -> Bytes32:
    return Bytes32(int(value, 16).to_bytes(32, "big"))


def main() -> None:
    """Answer until there is nothing more to read."""
    forks: dict[str, Fork] = {}
    for line in sys.stdin:
        scenario = json.loads(line)
        name = scenario["fork"]
        if name not in forks:
            forks[name] = Fork(name)
        print(json.dumps(forks[name].run(scenario)), flush=True)


if __name__ == "__main__":
    main()
