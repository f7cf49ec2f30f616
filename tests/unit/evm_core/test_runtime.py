"""Both ways into wasmtime, and what happens where one fails."""

from __future__ import annotations

import pytest

from unit.evm_core.stage import TARGET, account, core, funded, message, open_block, same
from vessel.container import ContainerError
from vessel_evm.engine.core_module import load_module
from vessel_evm.engine.core_runtime import FUNCTIONS, CoreInstance, is_raw_path_sound

SHA256_OF_MEMORY = bytes.fromhex("60205f60205f60025afa5f5500")


def test_the_raw_path_passes_its_self_test_here() -> None:
    assert is_raw_path_sound(load_module())
    assert CoreInstance(load_module()).raw


@pytest.mark.parametrize(
    "code", ["5f5460010160005500", "600160005260205ff3", "5f35600255fe", SHA256_OF_MEMORY.hex()]
)
def test_both_ways_give_the_same(code: str) -> None:
    entries = funded(account(TARGET, code=bytes.fromhex(code), storage={0: 4}))
    raw, public = core(raw=True), core(raw=False)
    sent = [message(bytes((nonce,)) * 32, nonce=nonce) for nonce in range(4)]
    for ours, theirs in zip(
        *(open_block(engine, entries)[0].run_batch(sent, 10**9) for engine in (raw, public)), strict=True
    ):
        same(ours, theirs)
    same(open_block(raw, entries)[0].run(sent[0]), open_block(public, entries)[0].run(sent[0]))


@pytest.mark.parametrize("raw", [True, False])
def test_widths_are_passed_whole(raw: bool) -> None:
    instance = CoreInstance(load_module(), raw=raw)
    assert instance.call("configure", 0xFFFF_FFFF, 0, 0) == 1  # there is no such fork
    assert instance.call("configure", 6, 0xFFFF, 0xFFFF_FFFF) == 0
    assert instance.call("forget", 2**64 - 1) == 0
    assert set(FUNCTIONS) >= {"run", "resume"}


@pytest.mark.parametrize("raw", [True, False])
def test_a_trap_is_an_error_of_the_container(raw: bool) -> None:
    instance = CoreInstance(load_module(), raw=raw)
    with pytest.raises(ContainerError, match="the EVM core failed in 'resume_precompile'"):
        instance.call("resume_precompile", 1, 0, 2**32 - 1)  # an output that leads out of memory


def test_reading_beyond_the_memory_is_refused() -> None:
    instance = CoreInstance(load_module())
    with pytest.raises(ContainerError, match="beyond its memory"):
        instance.read(instance.size_bytes() - 1, 2)
