"""The bearer token of the gRPC server: asked for by every call but those of the health service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from vessel.api.status import abort
from vessel.container.bearer_token import BearerToken
from vessel.errors import InvalidRequest

OPEN_METHODS = "/grpc.health.v1.Health/"
_HEADER = "authorization"


class TokenInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Turns calls without the token away before their message is read."""

    def __init__(self, token: BearerToken) -> None:
        """Ask for `token`."""
        self._token = token

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Let a call pass, or answer it with UNAUTHENTICATED."""
        if handler_call_details.method.startswith(OPEN_METHODS):
            return await continuation(handler_call_details)
        shown = [value for key, value in handler_call_details.invocation_metadata or () if key == _HEADER]
        if len(shown) == 1 and isinstance(shown[0], str) and self._token.allows(shown[0]):
            return await continuation(handler_call_details)
        # Whatever the method is: a handler of streams is called before there is a message.
        return grpc.stream_stream_rpc_method_handler(_refuse)


async def _refuse(requests: Any, context: Any) -> None:
    await abort(
        context,
        InvalidRequest(
            "this node asks for a token: send the metadata `authorization: Bearer TOKEN`; the command line "
            "takes it from --token-file FILE or the environment variable VESSEL_TOKEN",
            reason="UNAUTHENTICATED",
        ),
    )
