"""What `vessel run` and `vessel dev` say when they serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from vessel.cli.dev_accounts import DERIVATION, MNEMONIC, dev_accounts
from vessel.cli.documents import container_document
from vessel.cli.output import fields, hexadecimal, rows
from vessel_proto.node.v1 import node_pb2


class GenesisView(Protocol):
    """What of a genesis is shown."""

    @property
    def name(self) -> str:
        """The chain's name."""
        ...

    @property
    def chain_id(self) -> int:
        """The chain's number."""
        ...


class RunningNode(Protocol):
    """What of a node the command line uses; `vessel.node.Node` is one."""

    @property
    def grpc_address(self) -> str:
        """Where it serves, host:port."""
        ...

    @property
    def http_addresses(self) -> Mapping[str, str]:
        """Where it serves HTTP: by gateway that has an address of its own, "" for the HTTP host."""
        ...

    @property
    def genesis(self) -> GenesisView:
        """What the chain began with."""
        ...

    @property
    def genesis_hash(self) -> bytes:
        """Its hash."""
        ...

    @property
    def is_dev(self) -> bool:
        """Whether this is the built-in development chain."""
        ...

    @property
    def store_url(self) -> str:
        """Where it keeps the chain."""
        ...

    def containers(self) -> Sequence[node_pb2.ContainerInfo]:
        """The containers and how they run."""
        ...

    def start(self) -> None:
        """Serve."""
        ...

    def close(self) -> None:
        """Stop and release everything."""
        ...


def banner_document(node: RunningNode, version: str) -> dict[str, object]:
    """Return the banner for a program: one line that says where to connect."""
    return {
        "version": version,
        "chain_name": node.genesis.name,
        "chain_id": node.genesis.chain_id,
        "genesis_hash": hexadecimal(node.genesis_hash),
        "dev": node.is_dev,
        "store": node.store_url,
        "grpc": node.grpc_address,
        "http": node.http_addresses.get(""),
        "gateways": {name: address for name, address in node.http_addresses.items() if name},
        "containers": [container_document(each) for each in node.containers()],
    }


def banner(node: RunningNode, version: str) -> Iterator[object]:
    """Yield the parts of the banner for a person."""
    yield f"Vessel {version}"
    yield ""
    yield fields(
        [
            ("chain", f"{node.genesis.name}, id {node.genesis.chain_id}"),
            ("genesis", hexadecimal(node.genesis_hash)),
            ("store", _store(node.store_url)),
            *((f"container {each.name}", _container_line(each)) for each in node.containers()),
            ("gRPC", node.grpc_address),
            *((f"gateway {name}" if name else "HTTP", at) for name, at in node.http_addresses.items()),
        ]
    )
    if node.is_dev:
        accounts = dev_accounts()
        yield ""
        yield "Accounts, funded (never use these keys on a real chain: everybody knows them)"
        yield rows(
            ["#", "address", "private key"],
            [(each.index, each.address, hexadecimal(each.private_key)) for each in accounts],
        )
        yield ""
        yield fields([("mnemonic", MNEMONIC), ("derivation", DERIVATION.format(index="i"))])
    yield ""
    yield f"Serving on {node.grpc_address}. Stop with Ctrl-C."


def _container_line(container: node_pb2.ContainerInfo) -> str:
    process = f", process {container.process_id}" if container.process_id else ", in this process"
    return f"{container.kind} {container.version}, {container.transport}{process}"


def _store(url: str) -> str:
    return f"{url} (in memory, gone with this process)" if url.startswith("memory:") else url
