"""`vessel demo`: a chain, a contract and calls from start to finish, and what happens when things die."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from vessel.cli import options
from vessel.cli.abi import parse_signature
from vessel.cli.arguments import decode_values, encode_arguments, encode_call
from vessel.cli.artifact import Artifact, load_artifact
from vessel.cli.evm import Draft, SignedTransaction, account_nonce, base_fee, complete, sign
from vessel.cli.node_process import NodeProcess, wait_until_gone
from vessel.cli.output import emit_json, hexadecimal
from vessel.cli.replay import fetch_blocks, replay_roots
from vessel.cli.signer import Signer, dev_signer
from vessel.client.blocks import result_from_message
from vessel.client.node import NodeClient
from vessel.client.request import SubmissionOutcome
from vessel.errors import ConfigurationError, ContainerError, NotFound, VesselError
from vessel_proto.node.v1 import node_pb2

TOKEN_ARTIFACT = Path("contracts", "evm", "token", "Token.json")
CONTAINER = "evm"
SUPPLY = 1_000_000
IN_FLIGHT = 60  # transfers around the plugin's death
ACKNOWLEDGED = 25  # transfers before the node's
_TRANSFER_GAS_LIMIT = 100_000
_TRANSFER = parse_signature("transfer(address,uint256)")
_BALANCE_OF = parse_signature("balanceOf(address)(uint256)")
_PATIENCE_S = 30.0
_KNOWN = frozenset({"ALREADY_KNOWN", "ALREADY_COMMITTED"})  # of a transaction that is sent again


class DemoFailed(VesselError):
    """Something did not come out as it must."""

    code = "DEMO_FAILED"


def demo(
    artifact: Annotated[
        Path | None,
        typer.Option(
            "--artifact",
            metavar="FILE",
            help="A token whose constructor is (string,string,uint256); default: the repository's.",
            show_default=False,
        ),
    ] = None,
    as_json: options.JsonOption = False,
    debug: options.DebugOption = False,
) -> None:
    """Show a chain from start to finish: deploy, transfer, kill, restart, replay."""
    token = load_artifact(artifact or find_token())
    story = Story(quiet=as_json)
    with tempfile.TemporaryDirectory(prefix="vessel-demo-") as folder:
        Demo(story, token, Path(folder) / "data").play()
    if as_json:
        emit_json({"ok": True, "seconds": round(story.elapsed_s(), 3), "steps": story.lines})
    else:
        typer.echo(f"took {story.elapsed_s():.1f} s")
        typer.echo("demo: ok")


def find_token() -> Path:
    """Return the token's artifact in the repository, from here upwards or from where vessel lies."""
    for base in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        if (base / TOKEN_ARTIFACT).is_file():
            return base / TOKEN_ARTIFACT
    raise ConfigurationError(
        f"the demo's token was not found ({TOKEN_ARTIFACT}); run it in a checkout of the repository, or give "
        "an ERC-20 artifact with --artifact FILE"
    )


class Story:
    """What the demo tells, with the time each line took."""

    def __init__(self, *, quiet: bool) -> None:
        """Begin; quiet keeps the lines for later."""
        self.lines: list[str] = []
        self._quiet = quiet
        self._began = self._last = time.monotonic()

    def elapsed_s(self) -> float:
        """Return how long it has been going on."""
        return time.monotonic() - self._began

    def step(self, title: str) -> None:
        """Begin a step."""
        self._tell(f"== {title}")

    def tell(self, text: str) -> None:
        """Tell a line, with the milliseconds since the one before."""
        now = time.monotonic()
        self._tell(f"{(now - self._last) * 1000:8.0f} ms  {text}")

    def _tell(self, line: str) -> None:
        self._last = time.monotonic()
        self.lines.append(line)
        if not self._quiet:
            typer.echo(line)


@dataclass(slots=True, kw_only=True)
class Account:
    """Who signs, and the nonce that comes next; only the demo sends for it."""

    signer: Signer
    nonce: int
    chain_id: int
    max_fee: int

    def sign(self, *, to: bytes, data: bytes, gas_limit: int = _TRANSFER_GAS_LIMIT) -> SignedTransaction:
        """Sign the next transaction."""
        draft = Draft(to=to, data=data, gas_limit=gas_limit, nonce=self.nonce, max_fee=self.max_fee)
        self.nonce += 1
        return sign(draft, self.signer, self.chain_id)


class Demo:
    """One run of the demo on one data directory."""

    def __init__(self, story: Story, token: Artifact, data_dir: Path) -> None:
        """Keep what it needs; nothing starts yet."""
        self._story = story
        self._artifact = token
        self._data_dir = data_dir
        self._token = b""
        self._receiver = dev_signer("1").address
        self._sent = 0  # transfers of one unit each to the receiver
        self._plugins: list[int] = []

    def play(self) -> None:
        """Play every step; DemoFailed, or what went wrong, ends it. No process outlives it."""
        self._story.step("1. A node on disk, its EVM a process of its own behind gRPC")
        with self._start() as node:
            with NodeClient(node.address) as client:
                account = self._account(client)
                self._deploy(client, account)
                self._show_blocks(client)
                self._kill_plugin_between_blocks(client, account)
                self._kill_plugin_in_flight(client, account)
            acknowledged = self._kill_node_in_mid_stream(node, account)
        with self._start() as node:
            with NodeClient(node.address) as client:
                self._check_acknowledged(client, acknowledged)
                blocks = fetch_blocks(client)
            self._replay(blocks)
            self._story.step("7. No process is left behind")
            status = node.stop()
            _require(status == 0, f"the node ended with status {status}, expected 0")
            self._check_gone(node)

    def _start(self) -> NodeProcess:
        node = NodeProcess(self._data_dir, arguments=("--transport", "grpc"))
        try:
            with NodeClient(node.address) as client:
                info, plugin = client.service_info(), _plugin(client)
        except BaseException:
            node.close()
            raise
        self._plugins.append(plugin.process_id)
        self._story.tell(f"node {node.pid} serves {info.chain_name} (id {info.chain_id}) on {node.address}")
        self._story.tell(f"store {node.banner['store']}, head {info.head.height}")
        self._story.tell(
            f"container {plugin.name}: {plugin.kind} {plugin.version}, process {plugin.process_id}"
        )
        return node

    def _account(self, client: NodeClient) -> Account:
        signer = dev_signer("0")
        return Account(
            signer=signer,
            nonce=account_nonce(client, CONTAINER, signer.address),
            chain_id=client.service_info().chain_id,
            max_fee=base_fee(client, CONTAINER) * 4 + 2 * 10**9,
        )

    def _deploy(self, client: NodeClient, account: Account) -> None:
        self._story.step("2. A Solidity token: deploy, transfer, read back over gRPC")
        arguments = encode_arguments(self._artifact.abi.constructor, ["Demo", "DEMO", str(SUPPLY)])
        code = self._artifact.creation_code() + arguments
        gas_limit = complete(client, CONTAINER, account.signer.address, Draft(data=code)).gas_limit or 0
        signed = account.sign(to=b"", data=code, gas_limit=gas_limit)
        committed = _committed(client, signed)
        self._token = signed.created
        self._story.tell(
            f"{self._artifact.name} is at {hexadecimal(self._token)}, "
            f"{committed.receipt.gas_used:,} gas, block {committed.block_height}"
        )
        for _ in range(3):
            _committed(client, self._transfer(account))
        self._story.tell("3 transfers of 1 unit, each in a block of its own")
        self._check_balance(client)

    def _show_blocks(self, client: NodeClient) -> None:
        self._story.step("3. Blocks and state roots")
        for block in fetch_blocks(client):
            self._story.tell(
                f"block {block.header.height} id {hexadecimal(block.id)} "
                f"root {hexadecimal(block.result.state_root)}"
            )

    def _kill_plugin_between_blocks(self, client: NodeClient, account: Account) -> None:
        self._story.step("4. kill -9 the EVM, between blocks and with transactions in flight")
        before = self._kill_plugin(client)
        _until_known(client, [signed := self._transfer(account)])
        after = _plugin(client).process_id
        self._plugins.append(after)
        _require(after not in (0, before), f"the plugin {before} was not started anew")
        height = _wait_committed(client, signed)
        self._story.tell(f"it runs anew as {after}; the next transfer is in block {height}")

    def _kill_plugin_in_flight(self, client: NodeClient, account: Account) -> None:
        signed = [self._transfer(account) for _ in range(IN_FLIGHT)]
        _until_known(client, signed[: IN_FLIGHT // 2])
        before = self._kill_plugin(client)
        _until_known(client, signed[IN_FLIGHT // 2 :])
        heights = {_wait_committed(client, each) for each in signed}
        after = _plugin(client)
        self._plugins.append(after.process_id)
        _require(after.process_id != before, f"the plugin {before} was not started anew")
        self._story.tell(
            f"{IN_FLIGHT} transfers around its death are all committed, in {len(heights)} blocks; "
            f"it runs anew as {after.process_id}, restarts: {after.restarts}"
        )
        self._check_balance(client)

    def _kill_node_in_mid_stream(
        self, node: NodeProcess, account: Account
    ) -> list[node_pb2.TransactionInBlock]:
        self._story.step("5. kill -9 the node in the middle of a stream of transfers")
        stream = Stream(node.address, [self._transfer(account) for _ in range(20 * ACKNOWLEDGED)])
        stream.start()
        _require(
            stream.enough.wait(_PATIENCE_S), f"no {ACKNOWLEDGED} transfers in {_PATIENCE_S:g} s: {stream.end}"
        )
        node.kill()
        stream.join(_PATIENCE_S)
        _require(not stream.is_alive(), "the stream goes on without a node")
        _require(
            len(stream.acknowledged) < len(stream.transactions),
            "the stream was over before the node was killed",
        )
        self._story.tell(
            f"node {node.pid} is dead; {len(stream.acknowledged)} transfers were acknowledged as committed"
        )
        plugin = self._plugins[-1]
        _require(wait_until_gone(plugin, _PATIENCE_S), f"the plugin {plugin} outlives its node")
        self._story.tell(f"its plugin {plugin} saw that and ended by itself")
        self._sent -= len(stream.transactions)  # what of them lasted is counted from the chain
        return stream.acknowledged

    def _check_acknowledged(
        self, client: NodeClient, acknowledged: Sequence[node_pb2.TransactionInBlock]
    ) -> None:
        for each in acknowledged:
            try:
                found = client.transaction(each.id).committed
            except NotFound:
                raise DemoFailed(f"transaction {hexadecimal(each.id)} was acknowledged and is lost") from None
            _require(
                found.block_id == each.block_id,
                f"transaction {hexadecimal(each.id)} was acknowledged in another block",
            )
        head = client.service_info().head
        self._story.tell(
            f"all {len(acknowledged)} are there, in the blocks they were acknowledged in; head {head.height}"
        )
        received = self._balance(client)
        _require(received >= self._sent + len(acknowledged), f"the receiver has {received} units, too few")
        self._story.tell(f"the receiver has {received} units")

    def _replay(self, blocks: Sequence[node_pb2.Block]) -> None:
        self._story.step("6. The same blocks on the local transport, in memory, in this process")
        results = replay_roots(blocks)
        for block, result in zip(blocks, results, strict=True):
            expected = result_from_message(block.result)
            _require(
                result == expected,
                f"block {block.header.height}: the replay came to root {hexadecimal(result.state_root)}, the "
                f"node to {hexadecimal(expected.state_root)}",
            )
        self._story.tell(f"{len(blocks)} blocks executed again, every state and receipts root the same")
        if results:
            self._story.tell(
                f"root of block {blocks[-1].header.height}: {hexadecimal(results[-1].state_root)}"
            )

    def _check_gone(self, node: NodeProcess) -> None:
        for pid in self._plugins:
            _require(wait_until_gone(pid, _PATIENCE_S), f"the plugin {pid} is still there")
        self._story.tell(f"node {node.pid} and all {len(set(self._plugins))} plugins have ended")

    def _transfer(self, account: Account) -> SignedTransaction:
        self._sent += 1
        return account.sign(to=self._token, data=encode_call(_TRANSFER, [hexadecimal(self._receiver), "1"]))

    def _kill_plugin(self, client: NodeClient) -> int:
        pid = _plugin(client).process_id
        _require(pid > 0, "the EVM is not a process of its own")
        self._plugins.append(pid)
        os.kill(pid, signal.SIGKILL)
        self._story.tell(f"killed the plugin {pid}")
        return pid

    def _balance(self, client: NodeClient) -> int:
        data = encode_call(_BALANCE_OF, [hexadecimal(self._receiver)])
        answer = client.call(CONTAINER, to=self._token, input=data)
        (units,) = decode_values(_BALANCE_OF.outputs or (), answer.output, what="balanceOf")
        return int(str(units))

    def _check_balance(self, client: NodeClient) -> None:
        received = self._balance(client)
        _require(received == self._sent, f"the receiver has {received} units, expected {self._sent}")
        self._story.tell(f"balanceOf(receiver) = {received}")


class Stream(threading.Thread):
    """Transfers one after the other, each acknowledged as committed before the next, until the node dies."""

    def __init__(self, address: str, transactions: list[SignedTransaction]) -> None:
        """Keep what to send; `enough` is set after ACKNOWLEDGED of them, or at the end."""
        super().__init__(name="demo-stream", daemon=True)
        self.transactions = transactions
        self.acknowledged: list[node_pb2.TransactionInBlock] = []
        self.enough = threading.Event()
        self.end: VesselError | None = None
        self._address = address

    def run(self) -> None:
        """Send until there is nobody to send to."""
        with NodeClient(self._address) as client:
            try:
                for signed in self.transactions:
                    self.acknowledged.append(_committed(client, signed))
                    if len(self.acknowledged) >= ACKNOWLEDGED:
                        self.enough.set()
            except VesselError as error:
                self.end = error


def _plugin(client: NodeClient) -> node_pb2.ContainerInfo:
    for container in client.containers():
        if container.name == CONTAINER:
            return container
    raise DemoFailed(f"the chain has no container {CONTAINER!r}")


def _committed(client: NodeClient, signed: SignedTransaction) -> node_pb2.TransactionInBlock:
    """Submit and wait for the block; DemoFailed where the transaction did not succeed."""
    accepted = client.submit(CONTAINER, signed.raw)
    _require(accepted.HasField("committed"), f"{hexadecimal(signed.identity)} is in no block yet")
    receipt = accepted.committed.receipt
    _require(receipt.status == node_pb2.STATUS_OK, f"{hexadecimal(signed.identity)} has failed")
    return accepted.committed


def _until_known(client: NodeClient, transactions: Sequence[SignedTransaction]) -> None:
    """Submit until the node has each one; a container that is being restarted is asked again."""
    deadline = time.monotonic() + _PATIENCE_S
    waiting = list(transactions)
    while waiting:
        batch = [(CONTAINER, each.raw) for each in waiting]
        outcomes: Sequence[SubmissionOutcome]
        try:
            outcomes = client.submit_many(batch, wait="accepted")
        except ContainerError as error:
            outcomes = [error] * len(batch)
        retry = []
        for each, outcome in zip(waiting, outcomes, strict=True):
            if isinstance(outcome, ContainerError) and time.monotonic() < deadline:
                retry.append(each)
            elif isinstance(outcome, Exception) and getattr(outcome, "reason", "") not in _KNOWN:
                raise outcome
        waiting = retry
        if waiting:
            time.sleep(0.05)


def _wait_committed(client: NodeClient, signed: SignedTransaction) -> int:
    """Return the height of the block that a transaction gets into."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        answer = client.transaction(signed.identity)
        if answer.WhichOneof("place") == "committed":
            _require(
                answer.committed.receipt.status == node_pb2.STATUS_OK,
                f"{hexadecimal(signed.identity)} has failed",
            )
            return answer.committed.block_height
        _require(time.monotonic() < deadline, f"{hexadecimal(signed.identity)} gets into no block")
        time.sleep(0.02)


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise DemoFailed(otherwise)
