"""Who may reach a node: decided from its configuration, before anything listens.

Loopback is for whoever is on this machine, and needs nothing. An address beyond it needs TLS and a
bearer token, gRPC and HTTP alike, unless the configuration says in so many words that it does not
(`insecure_expose`: behind a proxy or in a container whose port is published to loopback only).
Development controls stay on loopback unless `expose_dev` says otherwise, and are on development chains
only. Where there is a token it is asked for everywhere, loopback too; health answers without it.
"""

from __future__ import annotations

import os
import re
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from vessel.config import NodeConfig
from vessel.container.bearer_token import BearerToken
from vessel.errors import ConfigurationError

MAKE_A_TOKEN = "python -c 'import secrets; print(secrets.token_hex(32))' > token; chmod 600 token"
OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """A certificate and its key, as PEM, checked to belong together."""

    certificate: bytes
    key: bytes
    context: ssl.SSLContext  # the same pair, for the HTTP host


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What is served to whom.

    http_address: None where there is no HTTP host. gateway_addresses: of gateways that have one of their
    own. open_gateways: those that ask for no token. dev: whether it is a development chain.
    """

    grpc_address: str
    http_address: str | None
    gateway_addresses: Mapping[str, str]
    open_gateways: frozenset[str]
    tls: TlsFiles | None
    token: BearerToken | None
    dev: bool
    dev_beyond_loopback: bool

    def dev_at(self, address: str) -> bool:
        """Tell whether development controls are served at an address."""
        return self.dev and (self.dev_beyond_loopback or is_loopback(address))


def decide(
    config: NodeConfig, *, dev: bool, has_gateways: bool = False, environment: Mapping[str, str] = os.environ
) -> Exposure:
    """Return who may reach the node; ConfigurationError says which options are missing.

    dev: whether it is a development chain. has_gateways: whether there is a gateway that could be
    mounted. environment: where `token_variable` is looked up.
    """
    own = {name: address for name, address in config.gateways.items() if address != OFF}
    http = config.http_address
    if http is None and has_gateways:
        http = beside(config.grpc_address)
    exposed = {"--grpc": config.grpc_address}
    if http is not None:
        exposed["--http"] = http
    exposed |= {f"--gateway {name}=": address for name, address in own.items()}
    for option, address in exposed.items():
        split(address, option)
    tls = _tls(config)
    token = _token(config, environment)
    lacking = [
        *([] if tls else ["--tls-cert FILE --tls-key FILE"]),
        *([] if token else ["--token-file FILE"]),
    ]
    beyond = [(option, address) for option, address in exposed.items() if not is_loopback(address)]
    if beyond and lacking and not config.insecure_expose:
        option, address = beyond[0]
        raise ConfigurationError(
            f"{option.rstrip('=')} {address} can be reached from other machines and needs TLS and a token: "
            f"give {' and '.join(lacking)}, or serve on 127.0.0.1. Only where something else keeps strangers "
            f"out, --insecure-expose serves it as it is. To make a token: {MAKE_A_TOKEN}",
            reason="EXPOSED",
            address=address,
        )
    return Exposure(
        grpc_address=config.grpc_address,
        http_address=http,
        gateway_addresses=own,
        open_gateways=frozenset(config.open_gateways),
        tls=tls,
        token=token,
        dev=dev,
        dev_beyond_loopback=config.expose_dev,
    )


def split(address: str, option: str = "") -> tuple[str, int]:
    """Return host (without brackets) and port of host:port; ConfigurationError where it is none."""
    host, colon, port = address.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    named = re.fullmatch(r"[A-Za-z0-9._-]+", host) or (bare != host and re.fullmatch(r"[0-9A-Fa-f:.]+", bare))
    if not colon or not named or not port.isdecimal() or int(port) > 65_535:
        raise ConfigurationError(
            f"{option + ' ' if option else ''}{address!r} is not HOST:PORT, as in 127.0.0.1:4600 or "
            "[::1]:4600"
        )
    return bare, int(port)


def is_loopback(address: str) -> bool:
    """Tell whether only this machine can reach host:port. Of names, only localhost is taken to be so."""
    host, _ = split(address)
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def beside(grpc_address: str) -> str:
    """Return where the HTTP host is by default: on loopback, one port above gRPC; free beside free."""
    _, port = split(grpc_address)
    return f"127.0.0.1:{port + 1 if 0 < port < 65_535 else 0}"


def readable_by_others(path: Path) -> bool:
    """Tell whether other users of this machine may read a file that holds a secret."""
    return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _tls(config: NodeConfig) -> TlsFiles | None:
    certificate, key = config.tls_certificate, config.tls_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigurationError("TLS needs both: --tls-cert FILE and --tls-key FILE, in PEM")
    pems = []
    for path, option in ((certificate, "--tls-cert"), (key, "--tls-key")):
        try:
            pems.append(path.read_bytes())
        except OSError as error:
            raise ConfigurationError(f"{option} {path} cannot be read: {error.strerror}") from error
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An encrypted key would ask a terminal that may not be there.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(
            f"{certificate} and {key} are no certificate with its unencrypted key in PEM: {error}",
            reason="TLS_FILES",
        ) from error
    return TlsFiles(certificate=pems[0], key=pems[1], context=context)


def _token(config: NodeConfig, environment: Mapping[str, str]) -> BearerToken | None:
    if config.token_file is not None and config.token_variable is not None:
        raise ConfigurationError("give token_file or token_variable, not both")
    if config.token_file is not None:
        try:
            text = config.token_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"the token file {config.token_file} cannot be read: {error}") from error
        return BearerToken.of(text, source=f"the token file {config.token_file}")
    if config.token_variable is not None:
        if config.token_variable not in environment:
            raise ConfigurationError(
                f"the environment variable {config.token_variable}, which token_variable names, is not set"
            )
        return BearerToken.of(
            environment[config.token_variable],
            source=f"the token in the environment variable {config.token_variable}",
        )
    return None
