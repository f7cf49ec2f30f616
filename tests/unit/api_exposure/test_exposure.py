"""What may be served where: decided before anything listens, and refused with the options that lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.api_exposure.serving import CERTIFICATE, KEY, TOKEN, local
from vessel.api.exposure import beside, decide, is_loopback, readable_by_others, split
from vessel.errors import ConfigurationError

BEYOND = "0.0.0.0:4600"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text(TOKEN + "\n")
    return path


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"])
def test_loopback(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address", ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "example.org:1", "localhost.org:1"]
)
def test_not_loopback(address: str) -> None:
    assert not is_loopback(address)


@pytest.mark.parametrize("address", ["4600", "host:", ":1", "host:70000", "host:x", "::1:4600", "[a]b:1"])
def test_no_address(address: str) -> None:
    with pytest.raises(ConfigurationError, match="is not HOST:PORT"):
        split(address)


def test_loopback_needs_nothing() -> None:
    exposure = decide(local(), dev=True, environment={})
    assert (exposure.tls, exposure.token) == (None, None)
    assert exposure.dev_at("127.0.0.1:1")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"grpc_address": BEYOND}, "--grpc 0.0.0.0:4600 .* give --tls-cert .* and --token-file FILE"),
        ({"http_address": BEYOND}, "--http 0.0.0.0:4600 .* give --tls-cert .* and --token-file FILE"),
        ({"gateways": {"eth": BEYOND}}, "--gateway eth 0.0.0.0:4600 "),
        (
            {"grpc_address": BEYOND, "tls_certificate": CERTIFICATE, "tls_key": KEY},
            "give --token-file FILE, or",
        ),
    ],
)
def test_beyond_loopback_needs_tls_and_a_token(fields: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as raised:
        decide(local(**fields), dev=False, environment={})
    assert raised.value.reason == "EXPOSED"
    assert "--insecure-expose" in raised.value.message


def test_beyond_loopback_with_a_token_needs_tls(token_file: Path) -> None:
    with pytest.raises(ConfigurationError, match="give --tls-cert FILE --tls-key FILE, or"):
        decide(local(grpc_address=BEYOND, token_file=token_file), dev=False, environment={})


def test_beyond_loopback_with_both(token_file: Path) -> None:
    config = local(grpc_address=BEYOND, tls_certificate=CERTIFICATE, tls_key=KEY, token_file=token_file)
    exposure = decide(config, dev=True, environment={})
    assert exposure.token is not None
    assert exposure.token.allows(f"Bearer {TOKEN}")
    assert not exposure.dev_at(BEYOND)
    assert exposure.dev_at("127.0.0.1:1")


def test_the_explicit_way_out() -> None:
    exposure = decide(local(grpc_address=BEYOND, insecure_expose=True), dev=True, environment={})
    assert not exposure.dev_at(BEYOND)


def test_development_controls_beyond_loopback_have_to_be_asked_for() -> None:
    config = local(grpc_address=BEYOND, insecure_expose=True, expose_dev=True)
    assert decide(config, dev=True, environment={}).dev_at(BEYOND)
    assert not decide(config, dev=False, environment={}).dev_at(BEYOND)
    assert not decide(local(), dev=False, environment={}).dev_at("127.0.0.1:1")


def test_a_token_from_the_environment() -> None:
    exposure = decide(local(token_variable="MINE"), dev=False, environment={"MINE": TOKEN})
    assert exposure.token is not None
    assert exposure.token.allows(f"bearer {TOKEN}")
    with pytest.raises(ConfigurationError, match="MINE, which token_variable names, is not set"):
        decide(local(token_variable="MINE"), dev=False, environment={})


@pytest.mark.parametrize("text", ["short", "", "with a blank in the middle", "ünicode-is-not-for-headers"])
def test_a_token_that_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="openssl rand -hex 32"):
        decide(local(token_file=path), dev=False, environment={})


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    with pytest.raises(ConfigurationError, match=r"token file .*absent cannot be read"):
        decide(local(token_file=absent), dev=False, environment={})
    with pytest.raises(ConfigurationError, match=r"--tls-key .*absent cannot be read"):
        decide(local(tls_certificate=CERTIFICATE, tls_key=absent), dev=False, environment={})
    with pytest.raises(ConfigurationError, match="TLS needs both"):
        decide(local(tls_key=KEY), dev=False, environment={})
    with pytest.raises(ConfigurationError, match="no certificate with its unencrypted key"):
        decide(local(tls_certificate=KEY, tls_key=KEY), dev=False, environment={})


def test_the_http_host_is_off_unless_asked_for_or_needed() -> None:
    config = local(http_address=None, grpc_address="127.0.0.1:4640")
    assert decide(config, dev=True, environment={}).http_address is None
    assert decide(config, dev=True, has_gateways=True, environment={}).http_address == "127.0.0.1:4641"
    assert beside("127.0.0.1:0") == "127.0.0.1:0"


def test_a_secret_that_others_can_read(token_file: Path) -> None:
    assert not readable_by_others(token_file)
    token_file.chmod(0o644)
    assert readable_by_others(token_file)
