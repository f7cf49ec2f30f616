"""Gateways: which are mounted, where, and what they are told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from aiohttp import web

from unit.api_exposure.serving import TOKEN, ask, local, serving
from vessel.api import exposure
from vessel.api.http_host import MountedGateway, choose_gateways
from vessel.container.gateway import Gateway, GatewayChain
from vessel.container.http_manners import problem, read_body
from vessel.container.node_api import NodeApi
from vessel.errors import ConfigurationError, VesselError


class Greeter:
    """A gateway that greets."""

    name, kind, path, default_port = "greeter", "evm", "/greeter", 8700

    def mount(self, app: web.Application, node: NodeApi, chain: GatewayChain) -> None:
        """Greet on the root, whichever form it has."""

        async def greet(request: web.Request) -> web.Response:
            height = (await node.info()).head.block.header.height
            return web.json_response(
                {
                    "height": height,
                    "container": chain.container,
                    "dev": chain.dev is not None,
                    "id": chain.chain_id,
                }
            )

        async def count(request: web.Request) -> web.Response:
            try:
                return web.json_response(len(await read_body(request)))
            except VesselError as error:
                return problem(413, error.reason, error.message)

        for root in ("", "/"):
            app.router.add_get(root, greet)
            app.router.add_post(root, count)


GREETER = Greeter()
MOUNTED: Sequence[MountedGateway] = (MountedGateway(gateway=GREETER, container="main"),)


def test_under_its_path_on_the_host() -> None:
    with serving(local(), gateways=MOUNTED) as (_, http):
        assert http.keys() == {""}
        expected = {"height": 7, "container": "main", "dev": True, "id": 5}
        assert ask(http[""], "/greeter").document == expected
        assert ask(http[""], "/greeter/").document == expected
        assert ask(http[""], "/").status == 404


def test_at_an_address_of_its_own() -> None:
    with serving(local(gateways={"greeter": "127.0.0.1:0"}), gateways=MOUNTED) as (_, http):
        assert ask(http["greeter"], "/").document["height"] == 7
        assert ask(http["greeter"], "/health").status == 200
        assert ask(http[""], "/greeter").status == 404
        assert ask(http["greeter"], "/", headers={"Host": "evil.example"}).status == 403


def test_it_is_told_that_development_controls_stay_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "is_loopback", lambda address: not address.startswith("127.0.0.2"))
    with serving(local(http_address="127.0.0.2:0", insecure_expose=True), gateways=MOUNTED) as (_, http):
        assert ask(http[""], "/greeter").document["dev"] is False


def test_the_token_guards_it_unless_it_is_open() -> None:
    environment = {"T": TOKEN}
    with serving(local(token_variable="T"), gateways=MOUNTED, environment=environment) as (_, http):
        assert ask(http[""], "/greeter").status == 401
        assert ask(http[""], "/greeter", headers={"Authorization": f"Bearer {TOKEN}"}).status == 200
    opened = local(token_variable="T", open_gateways=("greeter",))
    with serving(opened, gateways=MOUNTED, environment=environment) as (_, http):
        assert ask(http[""], "/greeter").status == 200
        assert ask(http[""], "/greeterer").status == 401
        assert ask(http[""], "/other").status == 401


def test_what_is_too_large_for_it() -> None:
    with serving(local(http_body_bytes=100), gateways=MOUNTED) as (_, http):
        assert ask(http[""], "/greeter", method="POST", body=bytes(100)).document == 100
        refused = ask(http[""], "/greeter", method="POST", body=bytes(101))
    assert refused.status == 413
    assert "100 bytes" in refused.document["error"]["message"]


def test_only_what_the_chain_has_a_container_for() -> None:
    installed: dict[str, Gateway] = {"greeter": GREETER}
    assert choose_gateways(installed, {"a": "wasm", "main": "evm", "second": "evm"}, local()) == list(MOUNTED)
    assert choose_gateways(installed, {"a": "wasm"}, local()) == []
    assert choose_gateways(installed, {"main": "evm"}, local(gateways={"greeter": "off"})) == []


@pytest.mark.parametrize(
    ("fields", "kinds", "why"),
    [
        ({"gateways": {"greter": "off"}}, {"main": "evm"}, "it is not installed; there are: greeter"),
        ({"open_gateways": ("greeter",)}, {"main": "wasm"}, "no container of kind 'evm'"),
    ],
)
def test_one_that_is_not_to_be_had(fields: dict[str, object], kinds: dict[str, str], why: str) -> None:
    installed: dict[str, Gateway] = {"greeter": GREETER}
    with pytest.raises(ConfigurationError, match=why):
        choose_gateways(installed, kinds, local(**fields))
