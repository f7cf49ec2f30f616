"""Who runs a scenario: an engine of ours through the container, or Ethereum's specification as a child."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import IO, Any, Protocol

from conformance.evm.cases import Surroundings
from conformance.evm.host import Block, container_of
from conformance.evm.run import with_deep_stack
from conformance.evm.world import PlainAccount, accounts_of, apply, coin, flat
from fuzz.evm.scenario import BASE_FEE, CHAIN_ID, COINBASE, GAS_LIMIT, RANDOMNESS, Scenario, block_hash
from vessel.container import ContainerTransaction, TransactionBatch, TransactionResult

Outcome = dict[str, Any]  # as specification_child.py writes it


class Machine(Protocol):
    """Runs scenarios."""

    name: str

    def run(self, scenario: Scenario) -> Outcome:
        """Return what every transaction did, and the world after the last block."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class EngineMachine:
    """An engine through the container's own door: batches, a version after each block."""

    def __init__(self, engine: str) -> None:
        self.name = engine

    def run(self, scenario: Scenario) -> Outcome:
        return with_deep_stack(lambda: self._run(scenario))

    def close(self) -> None:
        pass

    def _run(self, scenario: Scenario) -> Outcome:
        container = container_of(self.name, CHAIN_ID, ((scenario.fork, 0),), False)
        entries = flat(
            {
                address: PlainAccount(a.nonce, a.balance, a.code, {k: v for k, v in a.storage.items() if v})
                for address, a in scenario.pre.items()
            }
        )
        results: list[Outcome] = []
        version: int | None = None
        for index, raws in enumerate(scenario.blocks):
            height = scenario.height + index
            block = Block(
                container,
                Surroundings(
                    height=height,
                    timestamp_s=height * 12,
                    coinbase=COINBASE,
                    gas_limit=GAS_LIMIT,
                    base_fee=BASE_FEE,
                    randomness=RANDOMNESS,
                    excess_blob_gas=0,
                ),
                entries,
                fork=scenario.fork,
                recent_ids=[block_hash(n) for n in range(height - 1, max(-1, height - 257), -1)],
                version=version,
            )
            block.execution.begin()
            transactions = tuple(ContainerTransaction(raw=raw) for raw in raws)
            batch = TransactionBatch(first_index=0, transactions=transactions)
            for result in block.execution.transactions(batch):
                before = coin(entries)
                apply(entries, result.writes)
                if coin(entries) - before != -result.burned:
                    raise AssertionError(f"coin changed by {coin(entries) - before}, burned {result.burned}")
                results.append(_outcome(result))
            block.execution.end()
            block.finish()
            version = block.result_version
        return {"transactions": results, "post": _world(entries)}


def _outcome(result: TransactionResult) -> Outcome:
    if not result.included:
        return {"included": False, "reason": f"{result.reason}: {result.message}"}
    return {
        "included": True,
        "status": result.status.name,
        "gas": int(result.gas_used),
        "output": "0x" + result.output.hex(),
        "logs": [
            ["0x" + log.address.hex(), ["0x" + topic.hex() for topic in log.topics], "0x" + log.data.hex()]
            for log in result.logs
        ],
        "fault": result.message,
        "created": b'"contractAddress":"0x' in result.details,
    }


def _world(entries: dict[bytes, bytes]) -> dict[str, Any]:
    return {
        "0x" + address.hex(): {
            "nonce": account.nonce,
            "balance": hex(account.balance),
            "code": "0x" + account.code.hex(),
            "storage": {hex(slot): hex(word) for slot, word in account.storage.items()},
        }
        for address, account in accounts_of(entries).items()
    }


class Specification:
    """EELS in an interpreter of its own."""

    name = "specification"

    def __init__(self, python: Path) -> None:
        """Start it. python: an interpreter, or the folder of a virtual environment."""
        if python.is_dir():
            python = python / "bin" / "python"
        program = Path(__file__).with_name("specification_child.py")
        self._process = subprocess.Popen(
            [str(python), str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, scenario: Scenario) -> Outcome:
        to_child, from_child = self._process.stdin, self._process.stdout
        assert isinstance(to_child, IO) or to_child is not None
        assert from_child is not None
        to_child.write(json.dumps(json.loads(scenario.to_json())) + "\n")
        to_child.flush()
        line = from_child.readline()
        if not line:
            raise RuntimeError(f"the specification ended with {self._process.wait()} on {scenario.name}")
        outcome: Outcome = json.loads(line)
        return outcome

    def close(self) -> None:
        with self._process:
            if self._process.stdin is not None:
                self._process.stdin.close()
