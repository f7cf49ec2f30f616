"""What a person wrote: the configuration, the genesis, addresses, certificates and the token."""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from vessel.api.exposure import Exposure, decide, is_loopback, readable_by_others, split
from vessel.api.taken_port import cannot_listen, refusal
from vessel.cli.finding import Finding, fail, ok, warn
from vessel.cli.store_holder import store_path
from vessel.config import NodeConfig
from vessel.container.gateway import installed_gateways
from vessel.errors import ConfigurationError, VesselError
from vessel.processing.genesis import Genesis

_EXPIRY_WARNING_DAYS = 14


def examine_exposure(config: NodeConfig, genesis: Genesis) -> Iterator[Finding]:
    """Yield whether the node may be reached as configured, and whether its addresses are free."""
    try:
        kinds = {entry.kind or name for name, entry in genesis.containers.items()}
        mountable = any(gateway.kind in kinds for gateway in installed_gateways().values())
        exposure = decide(config, dev=genesis.dev, has_gateways=mountable)
    except VesselError as error:
        yield fail("exposure", error)
        return
    yield _reach(config, exposure)
    yield from _secrets(config)
    wanted = {"--grpc": exposure.grpc_address}
    if exposure.http_address is not None:
        wanted["--http"] = exposure.http_address
    wanted |= {f"--gateway {name}": address for name, address in exposure.gateway_addresses.items()}
    for option, address in wanted.items():
        yield _address(option, address)


def _reach(config: NodeConfig, exposure: Exposure) -> Finding:
    addresses = [exposure.grpc_address, exposure.http_address, *exposure.gateway_addresses.values()]
    beyond = [address for address in addresses if address is not None and not is_loopback(address)]
    guarded = f"TLS {'on' if exposure.tls else 'off'}, token {'asked for' if exposure.token else 'none'}"
    if not beyond:
        return ok("exposure", f"this machine only; {guarded}")
    reach = f"other machines reach {', '.join(beyond)}; {guarded}"
    if exposure.tls is None or exposure.token is None:
        return warn("exposure", reach, "leave --insecure-expose out, and give TLS and a token")
    if config.expose_dev and exposure.dev:
        return warn("exposure", f"{reach}; development controls too", "leave --expose-dev out")
    return ok("exposure", reach)


def _secrets(config: NodeConfig) -> Iterator[Finding]:
    for what, path in (("token file", config.token_file), ("TLS key", config.tls_key)):
        if path is not None and readable_by_others(path):
            yield warn(what, f"other users of this machine can read {path}", f"chmod 600 {path}")
    if config.tls_certificate is not None:
        yield _certificate(config.tls_certificate)


def _certificate(path: Path) -> Finding:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    ends = [
        datetime.datetime.fromtimestamp(ssl.cert_time_to_seconds(str(each["notAfter"])), tz=datetime.UTC)
        for each in context.get_ca_certs()
        if "notAfter" in each
    ]
    if not ends:  # signed by an authority: it is not one itself, and ssl does not tell of it
        return ok("certificate", str(path))
    left = min(ends) - datetime.datetime.now(datetime.UTC)
    if left.days < _EXPIRY_WARNING_DAYS:
        return warn(
            "certificate", f"{path} is valid until {min(ends):%Y-%m-%d %H:%M} UTC", "have it renewed in time"
        )
    return ok("certificate", f"{path}, valid until {min(ends):%Y-%m-%d}")


def _address(option: str, address: str) -> Finding:
    what = f"address {option}"
    if split(address)[1] and refusal(address) is not None:
        return fail(what, cannot_listen(address, f"{option} HOST:PORT"))
    return ok(what, f"{address} is free")


def examine_places(config: NodeConfig) -> Iterator[Finding]:
    """Yield whether the store's directory can be written, where it is not there yet."""
    path = store_path(config.store)
    if path is None or path.exists():
        return
    parent = next(each for each in (path, *path.parents) if each.exists() or each == each.parent)
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        yield fail(
            "store", ConfigurationError(f"{path} cannot be made: {parent} cannot be written by this user")
        )
