"""How a connection to a node is secured: TLS, and the bearer token."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import grpc

from vessel.config import METADATA_SIZE_BYTES
from vessel.errors import ConfigurationError

PUBLIC = "public"  # as authorities: those that gRPC ships, which sign public web sites

_MAX_MESSAGE_SIZE_BYTES = 256 << 20

Tls = bool | Path  # False: none. True: the public authorities. A path: those of a PEM file


def credentials(tls: Tls) -> grpc.ChannelCredentials | None:
    """Return what the channel checks the node's certificate with; None without TLS."""
    if tls is False:
        return None
    if tls is True:
        return grpc.ssl_channel_credentials()
    try:
        authorities = tls.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the certificates {tls} cannot be read: {error.strerror}") from error
    if b"BEGIN CERTIFICATE" not in authorities:
        raise ConfigurationError(
            f"{tls} holds no certificate in PEM: expected the node's, or its authority's"
        )
    return grpc.ssl_channel_credentials(root_certificates=authorities)


def metadata(token: str | None, *, address: str, tls: Tls) -> tuple[tuple[str, str], ...] | None:
    """Return the metadata of every call; ConfigurationError rather than a token sent in the clear."""
    if token is None:
        return None
    if tls is False and not _on_this_machine(address):
        raise ConfigurationError(
            f"the token would travel to {address} for everybody to read; speak TLS: --tls-ca FILE, in Python "
            "tls=Path(...)",
            reason="TOKEN_IN_THE_CLEAR",
            address=address,
        )
    return (("authorization", f"Bearer {token}"),)


def read_token(path: Path) -> str:
    """Return the token of a file, without the end of its line."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the token file {path} cannot be read: {error}") from error
    if not token:
        raise ConfigurationError(f"the token file {path} is empty")
    return token


def options(service_config: str | None) -> list[Any]:
    """Return the channel's options; service_config: which calls are repeated."""
    chosen: list[tuple[str, object]] = [
        ("grpc.max_receive_message_length", _MAX_MESSAGE_SIZE_BYTES),
        ("grpc.max_send_message_length", _MAX_MESSAGE_SIZE_BYTES),
        ("grpc.max_metadata_size", METADATA_SIZE_BYTES),
        ("grpc.absolute_max_metadata_size", 2 * METADATA_SIZE_BYTES),
        ("grpc.enable_http_proxy", 0),  # a node is not a web site
    ]
    if service_config is None:
        return [*chosen, ("grpc.enable_retries", 0)]
    return [*chosen, ("grpc.service_config", service_config)]


def _on_this_machine(address: str) -> bool:
    host = address.removeprefix("ipv4:").removeprefix("ipv6:").rpartition(":")[0]
    if host == "localhost" or address.startswith("unix:"):
        return True
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False
