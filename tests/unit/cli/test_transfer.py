"""`vessel export` and `vessel import`: the same chain comes out, and bad files are told from good ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_account import Account

from unit.cli.conftest import Outcome, invoke
from vessel.cli.block_file import read_blocks, read_header, write_block, write_header
from vessel.cli.dev_accounts import dev_accounts
from vessel.config import NodeConfig
from vessel.database.key_value import default_engine
from vessel.errors import InvalidBlock, InvalidRequest
from vessel.node import Node

BLOCKS = 5


def transfer(nonce: int) -> bytes:
    """Return a signed payment from the first development account."""
    signed = Account.sign_transaction(
        {
            "type": 2, "chainId": 31337, "nonce": nonce, "to": "0x" + "11" * 20, "value": 10**18,
            "gas": 21_000, "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9, "data": b"",
        },
        dev_accounts()[0].private_key,
    )  # fmt: skip
    return bytes(signed.raw_transaction)


@pytest.fixture(scope="module")
def chain_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A development chain of a few blocks, each with a payment."""
    folder = tmp_path_factory.mktemp("exported")
    config = NodeConfig(
        store=f"{default_engine()}:{folder / 'chain'}",
        transport="local",
        grpc_address="127.0.0.1:0",
        mining="manual",
    )
    node = Node.open(config)
    for nonce in range(BLOCKS):
        (submitted,) = node.chain.admission.submit("evm", [transfer(nonce)])
        assert not isinstance(submitted, Exception), submitted
        head = node.chain.head.block.header
        turn = node.chain.consensus.turn_by_hand(head, now_ms=node.chain.clock())
        assert turn is not None
        made = node.chain.produce(turn, even_empty=False)
        assert made is not None
    node.close()
    return folder


@pytest.fixture(scope="module")
def exported(chain_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file."""
    file = tmp_path_factory.mktemp("file") / "blocks"
    done = invoke("export", str(file), "--data-dir", str(chain_dir), "--json")
    assert done.document == {"file": str(file), "first_height": 1, "last_height": BLOCKS, "blocks": BLOCKS}
    assert not file.with_name("blocks.partial").exists()
    return file


def imported(file: Path | str, folder: Path, *more: str) -> Outcome:
    return invoke("import", str(file), "--data-dir", str(folder), "--json", *more)


@pytest.mark.slow
def test_there_and_back(chain_dir: Path, exported: Path, tmp_path: Path) -> None:
    there = imported(exported, tmp_path).document
    assert (there["imported"], there["known"], there["head_height"]) == (BLOCKS, 0, BLOCKS)
    again = imported(exported, tmp_path).document
    assert (again["imported"], again["known"]) == (0, BLOCKS)
    assert again["state_root"] == there["state_root"]
    second = tmp_path / "second"
    assert invoke("export", str(second), "--data-dir", str(tmp_path)).code == 0
    assert second.read_bytes() == exported.read_bytes()


@pytest.mark.slow
def test_the_other_engine_and_the_other_transport_come_to_the_same(exported: Path, tmp_path: Path) -> None:
    roots = set()
    for engine, transport in ((default_engine(), "local"), ("rocksdb", "grpc")):
        store = f"{engine}:{tmp_path / transport}"
        done = invoke("import", str(exported), "--store", store, "--transport", transport, "--json")
        roots.add(done.document["state_root"])
    assert len(roots) == 1


@pytest.mark.slow
def test_in_parts(chain_dir: Path, tmp_path: Path) -> None:
    source = ("--data-dir", str(chain_dir))
    first, second = tmp_path / "1", tmp_path / "2"
    assert invoke("export", str(first), *source, "--to", "2").code == 0
    assert invoke("export", str(second), *source, "--from", "3").code == 0
    early = imported(second, tmp_path / "data")
    assert early.code == 4
    assert early.document["error"]["reason"] == "UNKNOWN_PARENT"
    assert imported(first, tmp_path / "data").document["head_height"] == 2
    assert imported(second, tmp_path / "data").document["head_height"] == BLOCKS
    for wrong in (("--from", "6"), ("--to", "9"), ("--from", "3", "--to", "2")):
        refused = invoke("export", str(tmp_path / "3"), *source, *wrong)
        assert refused.code == 4
        assert f"the chain has blocks 0 to {BLOCKS}" in refused.stderr


@pytest.mark.slow
def test_a_file_that_is_cut_off_keeps_what_came(exported: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.write_bytes(exported.read_bytes()[:-10])
    error = imported(cut, tmp_path).document["error"]
    assert error["reason"] == "BLOCK_FILE_CUT_OFF"
    assert f"ends in or before block {BLOCKS}" in error["message"]
    assert f"Imported and kept: {BLOCKS - 1} blocks; the chain ends at block {BLOCKS - 1}" in error["message"]
    assert imported(exported, tmp_path).document["known"] == BLOCKS - 1


@pytest.mark.slow
def test_a_damaged_block_is_named(exported: Path, tmp_path: Path) -> None:
    data = bytearray(exported.read_bytes())
    data[-40] ^= 1  # within the last block's result
    data[len(data) // 2] ^= 1
    damaged = tmp_path / "damaged"
    damaged.write_bytes(data)
    outcome = imported(damaged, tmp_path)
    assert outcome.code == 4
    error = outcome.document["error"]
    assert error["code"] == "INVALID_BLOCK"
    assert "block 3" in error["message"]
    assert "Imported and kept: 2 blocks" in error["message"]


@pytest.mark.parametrize("content", [b"", b"\xff" * 20, b"\x05hello", b"PK\x03\x04", b"\x00"])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "other"
    file.write_bytes(content)
    outcome = imported(file, tmp_path / "data")
    assert outcome.code == 4
    assert outcome.document["error"]["reason"] == "NOT_A_BLOCK_FILE"
    assert not (tmp_path / "data").exists()


def test_a_later_format_says_so(tmp_path: Path) -> None:
    from vessel_proto.node.v1.block_file_pb2 import BlockFileHeader

    data = BlockFileHeader(format="vessel-blocks", version=2).SerializeToString()
    file = tmp_path / "later"
    file.write_bytes(bytes([len(data)]) + data)
    with file.open("rb") as opened, pytest.raises(InvalidRequest, match="version 2 of the format"):
        read_header(opened, "later")


@pytest.mark.slow
def test_a_file_of_another_chain_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "foreign"
    with file.open("wb") as out:
        write_header(out, genesis_hash=b"\x07" * 32, hash_name="sha256", first_height=1, last_height=1)
    outcome = imported(file, tmp_path / "data")
    error = outcome.document["error"]
    assert error["code"] == "GENESIS_MISMATCH"
    assert "give --genesis FILE" in error["message"]


@pytest.mark.slow
def test_a_store_in_use_is_refused_with_the_mend(chain_dir: Path, tmp_path: Path, exported: Path) -> None:
    config = NodeConfig(store=f"{default_engine()}:{chain_dir / 'chain'}", transport="local", mining="manual")
    node = Node.open(config)
    try:
        for outcome in (
            invoke("export", str(tmp_path / "f"), "--data-dir", str(chain_dir)),
            invoke("import", str(exported), "--data-dir", str(chain_dir)),
        ):
            assert outcome.code == 7
            assert "stop that node" in outcome.stderr
    finally:
        node.close()
    assert not (tmp_path / "f").exists()


@pytest.mark.slow
def test_what_cannot_be_opened(tmp_path: Path) -> None:
    assert invoke("import", str(tmp_path / "none"), "--data-dir", str(tmp_path)).code == 8
    missing = invoke("export", str(tmp_path / "f"), "--data-dir", str(tmp_path / "nowhere"))
    assert missing.code == 8
    assert "there is no" in missing.stderr
    both = invoke("export", "-", "--node", "127.0.0.1:1", "--data-dir", str(tmp_path))
    assert both.code == 8


def test_a_block_out_of_its_place_is_damage(tmp_path: Path) -> None:
    from vessel.primitives.hashing import SHA256
    from vessel_proto.node.v1.node_pb2 import Block, Header

    file = tmp_path / "swapped"
    with file.open("wb") as out:
        write_header(out, genesis_hash=b"", hash_name="sha256", first_height=1, last_height=1)
        write_block(out, Block(header=Header(height=2)))
    with file.open("rb") as opened:
        header = read_header(opened, "swapped")
        with pytest.raises(InvalidBlock, match="damaged"):
            list(read_blocks(opened, header, "swapped", SHA256))
