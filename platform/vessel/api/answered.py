"""The edge of every rpc: errors become gRPC status with details."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from vessel.api.status import abort
from vessel.errors import VesselError

_log = logging.getLogger("vessel.api")

Context = Any  # grpc.aio.ServicerContext; its type parameters say nothing here
M = TypeVar("M")


def answered(
    method: Callable[[Any, Any, Context], Awaitable[M]],
) -> Callable[[Any, Any, Context], Awaitable[M]]:
    """Turn the errors of a method into gRPC status with details."""

    @functools.wraps(method)
    async def call(self: Any, request: Any, context: Context) -> M:
        try:
            return await method(self, request, context)
        except VesselError as error:
            await abort(context, error)
            raise AssertionError("unreachable") from error
        except Exception as error:
            _log.exception("%s failed", method.__name__)
            await abort(context, VesselError(f"internal error: {error}; the node's log has the details"))
            raise AssertionError("unreachable") from error

    return call
