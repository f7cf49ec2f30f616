"""Options that several commands share, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vessel.config import DEFAULT_GRPC_ADDRESS

NodeOption = Annotated[
    str,
    typer.Option("--node", envvar="VESSEL_NODE", metavar="HOST:PORT", help="The node's gRPC address."),
]
TlsCaOption = Annotated[
    str | None,
    typer.Option(
        "--tls-ca",
        envvar="VESSEL_TLS_CA",
        metavar="FILE|public",
        help="Speak TLS and trust the certificates of this file (PEM), or the public authorities.",
        show_default=False,
    ),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        envvar="VESSEL_TOKEN_FILE",
        metavar="FILE",
        help="The node's bearer token; without it the environment variable VESSEL_TOKEN.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document; errors too, as {error: {...}}.")
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
ContainerOption = Annotated[
    str, typer.Option("--container", metavar="NAME", help="The container by its name on the chain.")
]
AtOption = Annotated[
    str,
    typer.Option("--at", metavar="BLOCK", help="The state after a block: height, id, latest or finalized."),
]

FromOption = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="INDEX|ADDRESS",
        help="A development account, by index or address; only on a development chain. Default 0.",
    ),
]
PrivateKeyOption = Annotated[
    str,
    typer.Option(
        "--private-key",
        envvar="VESSEL_PRIVATE_KEY",
        show_envvar=True,
        metavar="HEX",
        help="Sign with this key. Other users of the machine may see a command line: prefer the variable.",
    ),
]
KeystoreOption = Annotated[
    Path | None,
    typer.Option(
        "--keystore",
        metavar="FILE",
        help="Sign with an encrypted keystore file (version 3).",
    ),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="The keystore's password, first line; without it you are asked.",
    ),
]

ValueOption = Annotated[
    str,
    typer.Option("--value", metavar="AMOUNT", help="Native coin to send along: 1ether, 5gwei, 100 (wei)."),
]
GasLimitOption = Annotated[
    int,
    typer.Option("--gas-limit", min=0, help="Gas limit; 0 estimates and adds a fifth."),
]
NonceOption = Annotated[
    int, typer.Option("--nonce", min=-1, help="Nonce; -1 asks the node.", show_default=False)
]
MaxFeeOption = Annotated[
    str,
    typer.Option(
        "--max-fee", metavar="AMOUNT", help="Most to pay per gas; default: twice the base fee plus tip."
    ),
]
TipOption = Annotated[str, typer.Option("--tip", metavar="AMOUNT", help="Tip per gas to the proposer.")]
NoWaitOption = Annotated[
    bool, typer.Option("--no-wait", help="Return once the transaction is accepted, not committed.")
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.1, metavar="SECONDS", help="How long to wait for the block.")
]

TOKEN_VARIABLE = "VESSEL_TOKEN"
DEFAULT_NODE = DEFAULT_GRPC_ADDRESS
DEFAULT_CONTAINER = "evm"
DEFAULT_TIP = "1gwei"
DEFAULT_TIMEOUT_S = 30.0
