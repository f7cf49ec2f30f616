"""What every HTTP endpoint of a node does alike: Host, Origin, token, size; gateways reuse it.

A browser lets any page send requests to this machine. Two lists keep strangers' pages out: a request
whose Host is a name that is not listed comes by DNS rebinding, one whose Origin is not listed from a
foreign page; both are refused with 403 before anything reads them. Addresses as Host are fine: no page
can be served under one it does not come from. Without Origin it is no browser, and CORS is no concern.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from vessel.container.bearer_token import BearerToken
from vessel.errors import InvalidRequest

BODY_TIMEOUT_S = 30.0
PREFLIGHT_AGE_S = 600

HEALTH_PATH = "/health"
_ALWAYS_HOSTS = ("localhost",)
_ALLOWED_METHODS = "GET, POST, OPTIONS"
_EXPOSED_HEADERS = "grpc-status, grpc-message, grpc-status-details-bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpManners:
    """What an endpoint accepts.

    origins: patterns in which `*` stands for one label or port, as `https://*.example.org` or
    `http://localhost:*`; the pattern `*` alone is any. hosts: names by which this machine may be
    called, beside localhost and addresses; `*` is any. open_paths: beginnings of paths that need no
    token.
    """

    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    token: BearerToken | None = None
    body_bytes_max: int = 16 << 20
    open_paths: tuple[str, ...] = ()
    _origins: tuple[re.Pattern[str], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Compile the patterns."""
        object.__setattr__(self, "_origins", tuple(map(_pattern, self.origins)))

    def application(self) -> web.Application:
        """Return an application that has these manners; what is mounted on it need not care."""
        application = web.Application(middlewares=[self._middleware()], client_max_size=self.body_bytes_max)
        application.on_response_prepare.append(self._headers)
        return application

    def allows_host(self, host: str) -> bool:
        """Tell whether the value of a Host header is a name of this machine."""
        name = host.rpartition(":")[0] if re.search(r":[0-9]+\Z", host) else host
        name = name.lower().removesuffix(".")
        if name in _ALWAYS_HOSTS or name in map(str.lower, self.hosts) or "*" in self.hosts:
            return True
        try:
            ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True

    def allows_origin(self, origin: str, host: str = "") -> bool:
        """Tell whether a page of this origin may speak; one that came from `host` itself always may."""
        if host and origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}"):
            return True
        return any(pattern.fullmatch(origin) for pattern in self._origins)

    def _middleware(self) -> Middleware:
        @web.middleware
        async def manners(request: web.Request, handler: Handler) -> web.StreamResponse:
            refusal = self._refusal(request)
            if refusal is not None:
                return refusal
            if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
                return self._preflight(request)
            try:
                return await handler(request)
            except web.HTTPRequestEntityTooLarge:
                return problem(413, "REQUEST_TOO_LARGE", _too_large(self.body_bytes_max))
            except web.HTTPException as error:
                if error.status < 400:
                    raise
                return problem(error.status, error.reason.upper().replace(" ", "_"), _explain(request, error))

        return manners

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self.allows_host(request.host):
            return problem(
                403,
                "HOST_NOT_ALLOWED",
                f"this node does not answer to the name {request.host!r}; if it is meant to, start it with "
                "--http-host NAME",
            )
        origin = request.headers.get("Origin")
        if origin is not None and not self.allows_origin(origin, request.host):
            return problem(
                403,
                "ORIGIN_NOT_ALLOWED",
                f"pages of {origin!r} may not speak to this node; if they are meant to, start it with "
                "--http-origin ORIGIN",
            )
        if request.method == "OPTIONS" or self.token is None or self._is_open(request.path):
            return None
        if self.token.allows(request.headers.get("Authorization", "")):
            return None
        refusal = problem(
            401, "UNAUTHENTICATED", "this node asks for a token: send it as `Authorization: Bearer TOKEN`"
        )
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal

    def _is_open(self, path: str) -> bool:
        return path == HEALTH_PATH or any(
            open_path == "/" or path == open_path or path.startswith(f"{open_path}/")
            for open_path in self.open_paths
        )

    def _preflight(self, request: web.Request) -> web.Response:
        wanted = request.headers.get("Access-Control-Request-Headers", "")
        headers = {
            "Access-Control-Allow-Methods": _ALLOWED_METHODS,
            "Access-Control-Allow-Headers": wanted or "content-type, authorization",
            "Access-Control-Max-Age": str(PREFLIGHT_AGE_S),
        }
        if request.headers.get("Access-Control-Request-Private-Network") == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        return web.Response(status=204, headers=headers)

    async def _headers(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Vary"] = "Origin"
        origin = request.headers.get("Origin")
        if origin is not None and self.allows_origin(origin, request.host) and self.allows_host(request.host):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS


async def read_body(request: web.Request, *, timeout_s: float = BODY_TIMEOUT_S) -> bytes:
    """Return the whole body.

    InvalidRequest, reason REQUEST_TOO_LARGE or REQUEST_TOO_SLOW, states the limit that it exceeds.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        limit = request.client_max_size
        raise InvalidRequest(_too_large(limit), reason="REQUEST_TOO_LARGE", limit_bytes=limit) from error
    except TimeoutError as error:
        raise InvalidRequest(
            f"the request's body was not there after {timeout_s:g} s; send it faster, or in parts",
            reason="REQUEST_TOO_SLOW",
            limit_s=f"{timeout_s:g}",
        ) from error


def problem(status: int, reason: str, message: str) -> web.Response:
    """Return a refusal as JSON: {"error": {"reason", "message"}}."""
    return web.json_response({"error": {"reason": reason, "message": message}}, status=status)


def _too_large(limit_bytes: int) -> str:
    return f"the request is larger than the {limit_bytes:,} bytes that this node takes; send it in parts"


def _explain(request: web.Request, error: web.HTTPException) -> str:
    if error.status == 404:
        return f"there is nothing at {request.path}"
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{request.path} takes {', '.join(sorted(error.allowed_methods))}, not {request.method}"
    return error.text or error.reason


def _pattern(origin: str) -> re.Pattern[str]:
    if origin == "*":
        return re.compile(r".*")
    parts = (re.escape(part) for part in origin.removesuffix("/").split("*"))
    return re.compile(r"[A-Za-z0-9_-]+".join(parts), re.IGNORECASE)
