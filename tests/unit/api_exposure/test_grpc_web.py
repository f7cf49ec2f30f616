"""gRPC-web, frame by frame: what a browser's client sends and must get back."""

from __future__ import annotations

import base64

import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from unit.api_exposure.serving import CERTIFICATE, KEY, TOKEN, EmptyNode, ask, local, serving
from vessel.api import exposure
from vessel.api.grpc_web import MESSAGE, TRAILERS, frame, only_message, timeout_of, trailers
from vessel.errors import InvalidRequest
from vessel_proto.node.v1 import node_pb2

NODE = "/vessel.node.v1.NodeService"
BINARY, TEXT = "application/grpc-web+proto", "application/grpc-web-text"


def frames(body: bytes) -> list[tuple[int, bytes]]:
    """Take a body apart."""
    found = []
    while body:
        size = int.from_bytes(body[1:5], "big")
        found.append((body[0], body[5 : 5 + size]))
        body = body[5 + size :]
    return found


def trailing(content: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in content.decode().split("\r\n") if line)


def post(
    address: str, path: str, message: bytes = b"", *, text: bool = False, **headers: str
) -> tuple[list[bytes], dict[str, str]]:
    """Make one call; return its messages and trailers."""
    body = frame(MESSAGE, message)
    answer = ask(
        address,
        path,
        method="POST",
        body=base64.b64encode(body) if text else body,
        headers={"Content-Type": TEXT if text else BINARY, **headers},
    )
    assert answer.status == 200
    content = answer.body
    if text:
        content = b"".join(base64.b64decode(part + b"=" * (-len(part) % 4)) for part in _padded(content))
    *messages, last = frames(content)
    assert last[0] == TRAILERS
    return [data for flags, data in messages if flags == MESSAGE], trailing(last[1])


def _padded(content: bytes) -> list[bytes]:
    """Cut base64 behind every padding; what is not padded has whole groups of four."""
    parts, rest = [], content
    while rest:
        at = rest.find(b"=")
        end = len(rest) if at < 0 else at + (2 if rest[at : at + 2] == b"==" else 1)
        parts.append(rest[:end])
        rest = rest[end:]
    return parts


@pytest.mark.parametrize("text", [False, True])
def test_a_call(text: bool) -> None:
    with serving(local()) as (_, http):
        (message,), ends = post(http[""], f"{NODE}/GetServiceInfo", text=text)
    info = node_pb2.GetServiceInfoResponse.FromString(message)
    assert (info.chain_name, info.head.height) == ("test", 7)
    assert ends["grpc-status"] == "0"


def test_a_stream_of_messages_arrives_as_it_comes() -> None:
    with serving(local()) as (_, http):
        messages, ends = post(http[""], "/grpc.health.v1.Health/Watch", **{"grpc-timeout": "200m"})
    assert messages == [b"\x08\x01"]  # SERVING, and then nothing until the time was up
    assert ends["grpc-status"] == "4"


def test_an_error_comes_with_its_details() -> None:
    with serving(local()) as (_, http):
        messages, ends = post(http[""], f"{NODE}/GetBlock")
    assert messages == []
    assert ends["grpc-status"] == "5"
    assert ends["grpc-message"] == "there is no such block %E2%80%94 as the test wants it"
    packed = ends["grpc-status-details-bin"]
    status = Status.FromString(base64.b64decode(packed + "=" * (-len(packed) % 4)))
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.metadata["height"]) == ("NOT_FOUND", "3")


def test_a_method_that_is_none() -> None:
    with serving(local()) as (_, http):
        assert post(http[""], f"{NODE}/Frobnicate")[1]["grpc-status"] == "12"


def test_the_token_is_the_servers_business() -> None:
    with serving(local(token_variable="T"), environment={"T": TOKEN}) as (_, http):
        messages, ends = post(http[""], f"{NODE}/GetServiceInfo", Authorization=f"Bearer {TOKEN}")
        assert (len(messages), ends["grpc-status"]) == (1, "0")


def test_by_tls() -> None:
    with serving(local(tls_certificate=CERTIFICATE, tls_key=KEY)) as (_, http):
        answer = ask(
            http[""],
            f"{NODE}/GetServiceInfo",
            method="POST",
            body=frame(MESSAGE, b""),
            headers={"Content-Type": BINARY},
            trusted=CERTIFICATE,
        )
    assert len(frames(answer.body)) == 2


def test_development_controls_are_on_development_chains_only() -> None:
    node = EmptyNode()
    with serving(local(), node) as (_, http):
        assert post(http[""], "/vessel.dev.v1.DevService/Mine")[1]["grpc-status"] == "0"
    with serving(local(), node, dev=False) as (_, http):
        assert post(http[""], "/vessel.dev.v1.DevService/Mine")[1]["grpc-status"] == "12"
    assert node.mined == 1


def test_development_controls_do_not_leave_loopback_by_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposure, "is_loopback", lambda address: not address.startswith("127.0.0.2"))
    node = EmptyNode()
    with serving(local(http_address="127.0.0.2:0", insecure_expose=True), node) as (_, http):
        ends = post(http[""], "/vessel.dev.v1.DevService/Mine")[1]
        assert (ends["grpc-status"], "--expose-dev" in ends["grpc-message"]) == ("12", True)
    assert node.mined == 0


def test_a_request_that_is_too_large_is_told_the_limit() -> None:
    with serving(local(http_body_bytes=1000)) as (_, http):
        ends = post(http[""], f"{NODE}/GetBlock", bytes(2000))[1]
    assert ends["grpc-status"] == "8"
    assert "1,000 bytes" in ends["grpc-message"]


def test_another_content_type() -> None:
    with serving(local()) as (_, http):
        answer = ask(
            http[""],
            f"{NODE}/GetBlock",
            method="POST",
            body=b"{}",
            headers={"Content-Type": "application/json"},
        )
    assert answer.status == 415
    assert "application/grpc-web+proto" in answer.document["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0",
        b"\0\0\0\0\2a",
        frame(MESSAGE, b"a") + frame(MESSAGE, b"b"),
        frame(1, b"a"),
        frame(0x80, b""),
    ],
)
def test_a_body_that_is_not_one_message(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        only_message(body, text=False)


def test_base64_in_chunks_that_are_padded_each() -> None:
    whole = frame(MESSAGE, b"12345")
    chunks = base64.b64encode(whole[:4]) + base64.b64encode(whole[4:])
    assert only_message(chunks, text=True) == b"12345"
    with pytest.raises(InvalidRequest, match="base64"):
        only_message(b"!!!!", text=True)


def test_timeouts() -> None:
    assert timeout_of(None) is None
    assert timeout_of("1500m") == 1.5
    assert timeout_of("2M") == 120
    with pytest.raises(InvalidRequest, match="grpc-timeout"):
        timeout_of("soon")


def test_trailers_are_one_line_each() -> None:
    content = trailers(3, "two\nlines", [("a-bin", b"\xff\xfe"), ("b", "text")])
    assert content == b"grpc-status: 3\r\ngrpc-message: two%0Alines\r\na-bin: //4\r\nb: text\r\n"
