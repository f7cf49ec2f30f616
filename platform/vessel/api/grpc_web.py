"""gRPC-web on the HTTP host: what a browser can speak of gRPC, passed on to the gRPC server as it is.

A request is one message in one frame; an answer is any number of messages and then a frame with the
trailers, in the body, because a browser sees no HTTP trailers. The text form is the same in base64.
The bridge knows no method and no message: every rpc that takes one request is answered, also those
that are added later. Token and errors are the gRPC server's own.

    frame    flags (1 byte: 0x00 message, 0x80 trailers; 0x01 compressed) ‖ length (4, big-endian) ‖ bytes
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import grpc
from aiohttp import web

from vessel.api.limits import CHANNEL_OPTIONS
from vessel.api.status import to_status
from vessel.container.http_manners import problem, read_body
from vessel.errors import InvalidRequest, VesselError

PATH = r"/{service:[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+}/{method:[A-Za-z_][A-Za-z0-9_]*}"
DEV_PACKAGE = "vessel.dev."
FRAME_HEAD_SIZE_BYTES = 5
MESSAGE, COMPRESSED, TRAILERS = 0x00, 0x01, 0x80

_TYPES = {
    "application/grpc-web": False,
    "application/grpc-web+proto": False,
    "application/grpc-web-text": True,
    "application/grpc-web-text+proto": True,
}
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNIT_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}

Metadata = Iterable[tuple[str, str | bytes]]


def _as_it_is(message: bytes) -> bytes:
    return message


class GrpcWeb:
    """Answers gRPC-web by asking the gRPC server at `target`."""

    def __init__(self, target: str, *, dev: bool) -> None:
        """Connect, in the running loop. dev: whether development controls may be reached this way."""
        self._channel = grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)
        self._dev = dev

    def mount(self, app: web.Application) -> None:
        """Answer on an application's root."""
        app.router.add_post(PATH, self._answer)

    async def close(self) -> None:
        """Let go of the connection; calls under way are cancelled."""
        await self._channel.close(None)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        text = _TYPES.get(content_type)
        if text is None:
            return problem(
                415,
                "NOT_GRPC_WEB",
                f"Content-Type {content_type or 'missing'!r}: expected one of {', '.join(sorted(_TYPES))}",
            )
        response = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-store"})
        writing = _Writer(request, response, text=text)
        try:
            message = only_message(await read_body(request), text=text)
            timeout_s = timeout_of(request.headers.get("grpc-timeout"))
            service, method = request.match_info["service"], request.match_info["method"]
            if service.startswith(DEV_PACKAGE) and not self._dev:
                raise InvalidRequest(
                    "development controls are not served here: on development chains only, and beyond "
                    "loopback only with --expose-dev",
                    reason="DEV_NOT_SERVED",
                )
        except VesselError as error:
            status = to_status(error)
            details = ("grpc-status-details-bin", status.SerializeToString())
            await writing.end(status.code, status.message, [details])
            return response
        authorization = request.headers.get("Authorization")
        call = self._channel.unary_stream(f"/{service}/{method}", _as_it_is, _as_it_is)(
            message,
            timeout=timeout_s,
            metadata=(("authorization", authorization),) if authorization else None,
        )
        try:
            async for answer in call:
                await writing.send(MESSAGE, answer)
            await writing.end(0, "", await call.trailing_metadata() or ())
        except grpc.aio.AioRpcError as error:
            trailing: Any = error.trailing_metadata() or ()  # pairs; its stub says otherwise
            await writing.end(int(error.code().value[0]), error.details() or "", trailing)
        finally:
            call.cancel()  # where the reader has gone; harmless where the call has ended
        return response


class _Writer:
    """The frames of one answer."""

    def __init__(self, request: web.Request, response: web.StreamResponse, *, text: bool) -> None:
        self._request = request
        self._response = response
        self._text = text

    async def send(self, flags: int, data: bytes) -> None:
        if not self._response.prepared:
            await self._response.prepare(self._request)
        whole = frame(flags, data)
        await self._response.write(base64.b64encode(whole) if self._text else whole)

    async def end(self, status: int, message: str, trailing: Metadata) -> None:
        await self.send(TRAILERS, trailers(status, message, trailing))
        await self._response.write_eof()


def frame(flags: int, data: bytes) -> bytes:
    """Return one frame."""
    return bytes((flags,)) + len(data).to_bytes(4, "big") + data


def only_message(body: bytes, *, text: bool) -> bytes:
    """Return the one message of a request's body; InvalidRequest where it is something else."""
    if text:
        body = _from_base64(body)
    if len(body) < FRAME_HEAD_SIZE_BYTES:
        raise InvalidRequest(f"the body has {len(body)} bytes: expected one frame with a message")
    flags, length = body[0], int.from_bytes(body[1:FRAME_HEAD_SIZE_BYTES], "big")
    if flags & COMPRESSED:
        raise InvalidRequest("the message is compressed; send it as it is")
    if flags != MESSAGE or len(body) != FRAME_HEAD_SIZE_BYTES + length:
        raise InvalidRequest(
            f"the body has {len(body)} bytes and its first frame flags {flags:#04x} and length {length}: "
            "expected exactly one frame with a message"
        )
    return body[FRAME_HEAD_SIZE_BYTES:]


def trailers(status: int, message: str, trailing: Metadata) -> bytes:
    """Return the content of the frame with the trailers."""
    lines = [f"grpc-status: {status}", f"grpc-message: {quote(message, safe=' !#$&()*+,/:;=?@[]')}"]
    for key, value in trailing:
        if isinstance(value, bytes):
            lines.append(f"{key}: {base64.b64encode(value).decode().rstrip('=')}")
        else:
            lines.append(f"{key}: {value}")
    return "".join(f"{line}\r\n" for line in lines).encode()


def timeout_of(header: str | None) -> float | None:
    """Return the seconds of a grpc-timeout header; None where there is none."""
    if header is None:
        return None
    match = _TIMEOUT.fullmatch(header)
    if match is None:
        raise InvalidRequest(f"grpc-timeout {header!r}: expected digits and a unit of H, M, S, m, u, n")
    return int(match[1]) * _UNIT_S[match[2]]


def _from_base64(body: bytes) -> bytes:
    """Return the bytes of base64 in which every chunk may be padded on its own."""
    try:
        return b"".join(
            binascii.a2b_base64(chunk, strict_mode=True) for chunk in re.findall(rb"[^=]+={0,2}", body)
        )
    except binascii.Error as error:
        raise InvalidRequest(f"the body is not base64, which its Content-Type promises: {error}") from error
