"""Which requests are answered: table of Host, Origin and what browsers say of a page."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from eventbridge_pipes.guard import Admitted, Guard, refusal

OWN = ("host", "127.0.0.1:4567")
ADMITTED = Admitted(frozenset({"pipes", "10.0.0.5"}), frozenset({"http://localhost:3000"}))


def raw(*headers: tuple[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:4567",
        "127.9.9.9:80",
        "[::1]:4567",
        "localhost",
        "LOCALHOST:4567",
        "localhost.:4567",
        "orders.s3.localhost:4567",
        "sqs.us-east-1.localhost.localstack.cloud:4566",
        "localhost.localstack.cloud",
        "host.docker.internal:4567",
        "pipes:4567",
        "10.0.0.5:4567",
    ],
)
def test_a_local_or_admitted_name_is_answered(host: str) -> None:
    assert refusal(raw(("host", host)), ADMITTED) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:4567",
        "localhost.evil.example",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1:4567:80",
        "0.0.0.0:4567",
        "10.0.0.6",
        "192.168.1.5",
        "[::2]",
        "host.docker.internal.evil.example",
        "pipes.evil.example",
        "\u2125\u00b9",
    ],
)
def test_any_other_name_is_refused(host: str) -> None:
    assert "is no name of this machine" in (refusal(raw(("host", host)), ADMITTED) or "")


@pytest.mark.parametrize("hosts", [[], [OWN, OWN], [OWN, ("host", "evil.example")]])
def test_a_request_names_one_host(hosts: list[tuple[str, str]]) -> None:
    assert refusal(raw(*hosts), ADMITTED) == "A request names one Host."


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("sec-fetch-site", "same-origin")],
        [("sec-fetch-site", "none")],
        [("origin", "http://127.0.0.1:4567")],
        [("origin", "http://127.0.0.1:4567"), ("sec-fetch-site", "same-origin")],
        [("origin", "http://localhost:3000"), ("sec-fetch-site", "cross-site")],
    ],
)
def test_what_is_no_page_or_an_own_or_an_admitted_one_is_answered(
    headers: list[tuple[str, str]],
) -> None:
    assert refusal(raw(OWN, *headers), ADMITTED) is None


@pytest.mark.parametrize(
    "headers",
    [
        [("origin", "http://evil.example")],
        [("origin", "null")],
        [("origin", "")],
        [("origin", "http://localhost:3001")],
        [("origin", "http://127.0.0.1")],
        [("origin", "http://127.0.0.1:4567.evil.example")],
        [("origin", "http://localhost:3000"), ("origin", "http://evil.example")],
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("sec-fetch-site", "")],
        [("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
    ],
)
def test_a_page_of_another_origin_is_refused(headers: list[tuple[str, str]]) -> None:
    assert "web page of" in (refusal(raw(OWN, *headers), ADMITTED) or "")


def answer(kind: str, *headers: tuple[str, str]) -> tuple[list[Any], bool]:
    """What a guarded application sends, and whether it was asked."""
    sent: list[Any] = []
    asked: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {}

    scope = {"type": kind, "headers": raw(*headers)}
    asyncio.run(Guard(application, ADMITTED)(scope, receive, send))
    return sent, bool(asked)


def test_a_refusal_is_an_error_as_aws_words_them_in_one_line() -> None:
    (start, body), asked = answer("http", ("host", "evil.example"))
    assert not asked
    assert start["status"] == 403
    assert dict(start["headers"])[b"x-amzn-errortype"] == b"AccessDeniedException"
    assert body["body"].count(b"\n") == 1
    told = json.loads(body["body"])["message"]
    assert told == "Host 'evil.example' is no name of this machine (PIPES_ALLOW_HOST admits one)."


def test_a_websocket_is_closed() -> None:
    sent, asked = answer("websocket", OWN, ("origin", "http://evil.example"))
    assert (sent, asked) == ([{"type": "websocket.close", "code": 1008}], False)


def test_all_others_reach_the_application() -> None:
    assert answer("http", OWN) == ([], True)
