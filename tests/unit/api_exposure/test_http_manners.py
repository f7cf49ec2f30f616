"""Host, Origin, token, size: what every HTTP endpoint of a node does alike."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unit.api_exposure.serving import TOKEN, EmptyNode, ask, local, serving
from vessel.config import DEFAULT_HTTP_ORIGINS
from vessel.container.bearer_token import BearerToken
from vessel.container.http_manners import HttpManners

EVIL = "http://evil.example"
PATH = "/vessel.node.v1.NodeService/GetServiceInfo"


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:4601", "127.0.0.1:1", "[::1]:4601", "192.0.2.7", "node.example:1", "LOCALHOST."],
)
def test_names_of_this_machine(host: str) -> None:
    assert HttpManners(hosts=("node.example",)).allows_host(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4601", "", "127.0.0.1.evil.example", "localhost.evil"]
)
def test_names_that_are_not(host: str) -> None:
    assert not HttpManners(hosts=("node.example",)).allows_host(host)
    assert HttpManners(hosts=("*",)).allows_host(host)


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:5173", "http://127.0.0.1", "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn"],
)
def test_pages_that_may_speak_by_default(origin: str) -> None:
    assert HttpManners(origins=DEFAULT_HTTP_ORIGINS).allows_origin(origin)


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://localhost.evil.example", "http://localhost:1.evil.example"]
)
def test_pages_that_may_not(origin: str) -> None:
    assert not HttpManners(origins=DEFAULT_HTTP_ORIGINS).allows_origin(origin)
    assert HttpManners(origins=("*",)).allows_origin(origin)


def test_patterns_stand_for_one_label() -> None:
    manners = HttpManners(origins=("https://*.example.org",))
    assert manners.allows_origin("https://app.example.org")
    assert not manners.allows_origin("https://a.b.example.org")
    assert not manners.allows_origin("https://app.example.org.evil.example")


def test_a_page_of_the_node_itself_may_speak() -> None:
    assert HttpManners().allows_origin("http://localhost:4601", "localhost:4601")


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN, f"Bearer  {TOKEN}"]
)
def test_a_token_that_is_not_the_one(shown: str) -> None:
    assert not BearerToken.of(TOKEN, source="the test").allows(shown)


def test_a_foreign_host_or_page_gets_nothing() -> None:
    node = EmptyNode()
    with serving(local(), node) as (_, http):
        rebound = ask(http[""], "/health", headers={"Host": "evil.example"})
        assert (rebound.status, rebound.document["error"]["reason"]) == (403, "HOST_NOT_ALLOWED")
        assert "--http-host" in rebound.document["error"]["message"]
        foreign = ask(http[""], "/vessel.dev.v1.DevService/Mine", method="POST", body=b"\0" * 5, headers={
            "Origin": EVIL, "Content-Type": "application/grpc-web",
        })  # fmt: skip
        assert (foreign.status, foreign.document["error"]["reason"]) == (403, "ORIGIN_NOT_ALLOWED")
        assert "Access-Control-Allow-Origin" not in foreign.headers
        preflight = ask(http[""], PATH, method="OPTIONS", headers={
            "Origin": EVIL, "Access-Control-Request-Method": "POST",
        })  # fmt: skip
        assert preflight.status == 403
    assert node.mined == 0


def test_a_preflight_of_a_page_that_may() -> None:
    origin = "http://localhost:5173"
    with serving(local(token_variable="T"), environment={"T": TOKEN}) as (_, http):
        answer = ask(http[""], PATH, method="OPTIONS", headers={
            "Origin": origin, "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-grpc-web",
        })  # fmt: skip
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type,x-grpc-web"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


def test_health_needs_no_token_and_everything_else_does() -> None:
    with serving(local(token_variable="T"), environment={"T": TOKEN}) as (_, http):
        health = ask(http[""], "/health")
        assert (health.status, health.document) == (
            200,
            {"status": "serving", "height": 7, "containers": {"evm": "serving"}},
        )
        refused = ask(http[""], "/nothing")
        assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert ask(http[""], "/nothing", headers={"Authorization": f"Bearer {TOKEN}"}).status == 404


def test_health_says_when_a_container_is_out_of_service() -> None:
    node = EmptyNode()
    node.health = "quarantined"
    with serving(local(), node) as (_, http):
        assert ask(http[""], "/health").document["status"] == "degraded"


def test_a_wrong_method_names_the_right_one() -> None:
    with serving(local()) as (_, http):
        answer = ask(http[""], PATH)
    assert answer.status == 405
    assert "takes POST, not GET" in answer.document["error"]["message"]


def test_containers_do_without_aiohttp() -> None:
    program = "import sys, vessel.container, vessel.container.gateway; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
