"""The options by which `vessel run` and `vessel dev` are told who may reach the node."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vessel.cli.options import TOKEN_VARIABLE, TokenFileOption
from vessel.config import DEFAULT_HTTP_ADDRESS
from vessel.errors import ConfigurationError

__all__ = ["TokenFileOption", "exposing"]

HttpOption = Annotated[
    str | None,
    typer.Option(
        "--http",
        metavar="HOST:PORT",
        help=f"Serve HTTP too: gRPC-web, /health and gateways; usually {DEFAULT_HTTP_ADDRESS}.",
        show_default=False,
    ),
]
HttpOriginOption = Annotated[
    list[str] | None,
    typer.Option(
        "--http-origin",
        metavar="ORIGIN",
        help="Web pages that may speak to it, as https://*.example.org; default: local ones. Repeatable.",
        show_default=False,
    ),
]
HttpHostOption = Annotated[
    list[str] | None,
    typer.Option(
        "--http-host",
        metavar="NAME",
        help="A name by which this machine is called, beside localhost and its addresses. Repeatable.",
        show_default=False,
    ),
]
GatewayOption = Annotated[
    list[str] | None,
    typer.Option(
        "--gateway",
        metavar="NAME[=HOST:PORT|off]",
        help="An address of its own for a gateway; by itself: its usual port on loopback. Repeatable.",
        show_default=False,
    ),
]
OpenGatewayOption = Annotated[
    list[str] | None,
    typer.Option(
        "--open-gateway",
        metavar="NAME",
        help="A gateway that answers without the token. Repeatable.",
        show_default=False,
    ),
]
TlsCertOption = Annotated[
    Path | None,
    typer.Option("--tls-cert", metavar="FILE", help="Certificate, PEM: serve by TLS.", show_default=False),
]
TlsKeyOption = Annotated[
    Path | None, typer.Option("--tls-key", metavar="FILE", help="Its key, PEM.", show_default=False)
]
InsecureExposeOption = Annotated[
    bool, typer.Option("--insecure-expose", help="Serve beyond loopback even without TLS and token.")
]
ExposeDevOption = Annotated[
    bool, typer.Option("--expose-dev", help="Serve development controls beyond loopback, too.")
]


def exposing(
    *,
    http: str | None = None,
    http_origins: Sequence[str] | None = None,
    http_hosts: Sequence[str] | None = None,
    gateways: Sequence[str] | None = None,
    open_gateways: Sequence[str] | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    token_file: Path | None = None,
    insecure_expose: bool = False,
    expose_dev: bool = False,
) -> dict[str, object]:
    """Return the fields of NodeConfig that these options set; what was not given is not there.

    Without a token file the token is taken from the environment variable VESSEL_TOKEN, if it is set.
    """
    from vessel.api.exposure import split

    if http is not None:
        split(http, "--http")
    fields: dict[str, object] = {
        "http_address": http,
        "http_origins": tuple(http_origins) if http_origins else None,
        "http_hosts": tuple(http_hosts) if http_hosts else None,
        "gateways": _gateways(gateways) if gateways else None,
        "open_gateways": tuple(open_gateways) if open_gateways else None,
        "tls_certificate": tls_cert,
        "tls_key": tls_key,
        "token_file": token_file,
        "insecure_expose": insecure_expose or None,
        "expose_dev": expose_dev or None,
    }
    if token_file is None and os.environ.get(TOKEN_VARIABLE):
        fields["token_variable"] = TOKEN_VARIABLE
    return {name: value for name, value in fields.items() if value is not None}


def _gateways(words: Sequence[str]) -> dict[str, str]:
    from vessel.api.exposure import OFF, split
    from vessel.container.gateway import installed_gateways

    addresses: dict[str, str] = {}
    for word in words:
        name, equals, address = word.partition("=")
        if not equals:
            installed = installed_gateways()
            if name not in installed:
                raise ConfigurationError(
                    f"--gateway {name}: there is no such gateway; there are: {', '.join(installed) or 'none'}"
                )
            address = f"127.0.0.1:{installed[name].default_port}"
        elif address != OFF:
            split(address, f"--gateway {name}=")
        addresses[name] = address
    return addresses
