"""The precompiled contracts against the answers of Ethereum's specification; generate.py says whence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vessel_evm.engine.precompiles import Precompiles

VECTORS = Path(__file__).parent / "vectors"


def vectors() -> Iterator[Any]:
    """Yield every vector with a name that says which it is."""
    for path in sorted(VECTORS.glob("*.json")):
        for vector in json.loads(path.read_bytes())["vectors"]:
            yield pytest.param(
                vector, id=f"{path.stem} {vector['address']} {vector['fork']} {vector['name']}"
            )


@pytest.mark.parametrize("vector", tuple(vectors()))
def test_answers_and_charges_as_the_specification(vector: dict[str, Any]) -> None:
    contracts = Precompiles(vector["fork"])
    address = int(vector["address"], 16)
    data = bytes.fromhex(vector["input"][2:])

    gas = contracts.gas(address, data)
    if vector["gas"] is None:  # refused before it was priced, or beyond what anybody can pay
        if gas < 2**64 - 1:
            assert contracts.run(address, data) is None
        return
    assert gas == vector["gas"]
    output = contracts.run(address, data)
    assert (None if output is None else "0x" + output.hex()) == vector["output"]
