"""The host's side of a test: a container by engine and forks, and blocks driven through its own door."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from conformance.evm.cases import Surroundings
from conformance.evm.world import NAMESPACE, Reader
from vessel.container import (
    BlockStart,
    BlockState,
    Configuration,
    ConfigurationError,
    Fork,
    Mode,
    Outcome,
    Section,
)
from vessel.primitives.units import Address, Coin, Gas, Hash32, Height
from vessel_evm.blobs import GAS_PER_BLOB, BlobGas, encode_blob_gas, next_excess
from vessel_evm.configuration import ENGINES
from vessel_evm.container import EvmContainer
from vessel_evm.forks import RULES

_versions = itertools.count(1)  # a state version is issued once in a process, as by a host


def knows(engine: str, forks: Sequence[tuple[str, int]]) -> bool:
    """Say whether an engine has the rules of all these forks."""
    return all(name.lower() in ENGINES.get(engine, ()) for name, _ in forks)


@cache
def has_system_calls(engine: str) -> bool:
    """Say whether an engine does the calls of the block itself: EIP-2935, 4788, 7002, 7251."""
    try:
        container_of(engine, 1, (), True)
    except ConfigurationError:
        return False
    return True


@cache
def container_of(
    engine: str, chain_id: int, forks: tuple[tuple[str, int], ...], system_calls: bool
) -> EvmContainer:
    """Return a configured container; one for all cases alike, so that nothing may stick to it."""
    parameters: dict[str, Any] = {"engine": engine}
    if system_calls:
        parameters["system_calls"] = True
    container = EvmContainer()
    container.configure(
        Configuration(
            parameters=msgspec.json.encode(parameters),
            chain_id=chain_id,
            genesis_hash=Hash32(bytes(32)),
            instance="evm",
            namespace=NAMESPACE,
            forks=tuple(Fork(name=name.lower(), height=Height(height)) for name, height in forks),
        )
    )
    return container


def _parent_of(surroundings: Surroundings, fork: str) -> Section:
    """Return a parent whose child has this base fee and this excess of blob gas."""
    # One that met its target exactly hands its base fee on.
    parent = Section(
        gas_limit=Gas(surroundings.gas_limit),
        gas_used=Gas(surroundings.gas_limit // 2),
        base_fee=Coin(surroundings.base_fee),
    )
    schedule, excess = RULES[fork.lower()].blobs, surroundings.excess_blob_gas
    if schedule is None or not excess:
        return parent
    target, full = schedule.target * GAS_PER_BLOB, schedule.maximum * GAS_PER_BLOB
    # Which of them fits depends on the price that the fork reserves (EIP-7918).
    for before, used in (
        (excess + target, 0),
        (excess - full + target, full),
        (0, excess + target),
        (0, 3 * excess),
    ):
        if before >= 0:
            parent = msgspec.structs.replace(parent, extra=encode_blob_gas(BlobGas(before, used)))
            if next_excess(parent, schedule) == excess:
                return parent
    raise AssertionError(f"no parent leads to an excess of {excess} blob gas")


class Block:
    """One block in the making on a flat state."""

    def __init__(
        self,
        container: EvmContainer,
        surroundings: Surroundings,
        entries: Mapping[bytes, bytes],
        *,
        fork: str,
        recent_ids: Sequence[bytes],
        parent: Section | None = None,
        version: int | None = None,
    ) -> None:
        """Open the execution; nothing has begun yet.

        parent: the section of the block before; made up to fit where there is none. version: of the
        entries, where a block made them.
        """
        self._container = container
        version = next(_versions) if version is None else version
        self.result_version = next(_versions)
        self._start = BlockStart(
            mode=Mode.BUILD,
            height=Height(surroundings.height),
            time_ms=surroundings.timestamp_s * 1000,
            state_version=version,
            result_version=self.result_version,
            execution_id=f"e{version}",
            # There is no beacon chain: the parent's id stands for its root.
            parent_id=Hash32(surroundings.beacon_root or (recent_ids[0] if recent_ids else bytes(32))),
            proposer=Address(surroundings.coinbase),
            randomness=Hash32(surroundings.randomness),
            gas_limit=Gas(surroundings.gas_limit),
            parent_section=_parent_of(surroundings, fork) if parent is None else parent,
            recent_ids=tuple(recent_ids),
        )
        self.execution = container.execute(self._start, BlockState(Reader(entries, version), NAMESPACE))

    def finish(self) -> None:
        """Tell the container that the block is on the chain."""
        self._container.finish(self._start.execution_id, Outcome.COMMIT)
