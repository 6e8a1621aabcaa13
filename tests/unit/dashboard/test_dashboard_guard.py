from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from dashboard.settings import Settings
from dashboard.web.guard import Guard
from inventory_aws.errors import SettingsError

OWN = "127.0.0.1:8080"
CROSSED = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]
FOLLOWED = [*CROSSED, ("sec-fetch-dest", "document")]
FRAMED = [*CROSSED, ("sec-fetch-dest", "iframe")]


def ask(kind: str, *headers: tuple[str, str]) -> tuple[list[dict[str, Any]], bool]:
    """What a guarded application answers, and whether it was asked."""
    sent: list[Any] = []
    asked: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {}

    raw = [(name.encode(), value.encode()) for name, value in headers]
    guard = Guard(application, Settings().from_env({}).allowed_hosts)
    asyncio.run(guard({"type": kind, "method": "GET", "headers": raw}, receive, send))
    return sent, bool(asked)


@pytest.mark.parametrize("host", [OWN, "localhost:8080", "[::1]:8080", "LOCALHOST:8080"])
@pytest.mark.parametrize("origin", [[], [("origin", f"http://{OWN}")]])
def test_who_names_it_as_it_is_called_is_answered(host: str, origin: list[tuple[str, str]]) -> None:
    sent, asked = ask("http", ("host", host), *origin)
    assert asked
    assert b"content-security-policy" in dict(sent[0]["headers"])


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("host", "evil.example")],
        [("host", "127.0.0.1")],
        [("host", OWN), ("host", "evil.example")],
        [("host", OWN), ("origin", "http://evil.example")],
        [("host", OWN), ("origin", "null")],
        [("host", OWN), ("origin", f"https://{OWN}")],
        [("host", OWN), ("origin", f"http://{OWN}"), ("origin", "http://evil.example")],
        [("host", OWN), ("sec-fetch-site", "cross-site")],
        [("host", OWN), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")],
        [("host", OWN), *FRAMED],
        [("host", OWN), ("origin", "http://evil.example"), *FOLLOWED],
        [("host", "evil.example"), *FOLLOWED],
    ],
)
def test_all_others_are_refused_over_http_and_websockets(headers: list[tuple[str, str]]) -> None:
    for kind, prefix in (("http", "http"), ("websocket", "websocket.http")):
        sent, asked = ask(kind, *headers)
        assert not asked
        assert sent[0]["type"] == f"{prefix}.response.start"
        assert sent[0]["status"] == 403


def test_a_link_from_elsewhere_opens_the_page() -> None:
    assert ask("http", ("host", OWN), *FOLLOWED)[1]


def test_other_names_are_allowed_where_they_are_set() -> None:
    settings = Settings.from_env({"DASHBOARD_ALLOWED_HOSTS": "shop.example:80, 10.0.0.1:8080"})
    assert {"shop.example:80", "10.0.0.1:8080", OWN} <= settings.allowed_hosts


def test_dashboards_of_one_host_have_cookies_of_their_own() -> None:
    published = {"DASHBOARD_ALLOWED_HOSTS": "127.0.0.1:9090,localhost:9090"}
    names = {
        Settings.from_env(environ).session_cookie
        for environ in ({}, {"DASHBOARD_PORT": "8081"}, published)
    }
    assert names == {
        "inventory_session_8080",
        "inventory_session_8081",
        "inventory_session_8080_9090",
    }


def test_as_it_comes_only_this_machine_may_connect_and_nothing_can_be_done() -> None:
    settings = Settings.from_env({})
    assert (settings.host, settings.port, settings.controls) == ("127.0.0.1", 8080, False)
    assert settings.producer_control_url is settings.pipes_crash_url is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DASHBOARD_PORT", "http"),
        ("DASHBOARD_PORT", "0"),
        ("DASHBOARD_PORT", "65536"),
        ("PIPES_METRICS_URL", "file:///etc/passwd"),
        ("PIPES_METRICS_URL", "127.0.0.1:4567"),
        ("PRODUCER_CONTROL_URL", "http://["),
        ("PRODUCER_CONTROL_URL", "http://127.0.0.1:99999"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        Settings.from_env({variable: value})
