"""Which requests the servers answer: each that we start, by Host, Origin and content type."""

from __future__ import annotations

import http.client
import itertools
import os
import re
import urllib.request
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from inventory_cli.embedded import ministack
from inventory_cli.embedded.processes import free_port
from producer.control import Pace, serve
from stack import Backend

HOSTS = {
    "127.0.0.1": True,
    "localhost": True,
    "[::1]": True,
    "evil.example": False,
    "localhost.evil.example": False,
}
ORIGINS: dict[tuple[str, ...], bool] = {
    (): True,
    ("http://evil.example",): False,
    ("null",): False,
    ("http://localhost:1",): False,
}
TYPES = ["text/plain", "application/x-www-form-urlencoded", "application/x-amz-json-1.1"]


@pytest.fixture(scope="module")
def control() -> Iterator[str]:
    server = serve(Pace(1.0, lambda rate: repeat(1.0)), "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def asked(url: str, method: str, headers: list[tuple[str, str]]) -> int:
    """The status of the answer to a request with these headers and no others."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.putrequest(method, "/", skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.putheader("Content-Length", "2")
    connection.endheaders(b"{}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_a_page_that_somebody_admits_may_send_what_an_sdk_sends_and_read_the_answer(
    tmp_path: Path,
) -> None:
    own = "http://localhost:3000"
    port = free_port()
    emulator = ministack.start(port, tmp_path, {**os.environ, "PIPES_ALLOW_ORIGIN": own})
    try:
        emulator.wait_until(lambda: ministack.ready(port), timeout=60)
        sent = "authorization,content-type,x-amz-date,x-amz-target"
        for method, headers in (
            ("OPTIONS", {"Access-Control-Request-Headers": sent}),
            ("GET", {"Sec-Fetch-Site": "cross-site"}),
        ):
            told = {"Origin": own, "Access-Control-Request-Method": "POST", **headers}
            request = urllib.request.Request(  # noqa: S310
                ministack.url(port), headers=told, method=method
            )
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                assert answer.headers.get_all("Access-Control-Allow-Origin") in ([own], ["*"])
                allowed = answer.headers.get("Access-Control-Allow-Headers", "")
            assert method == "GET" or set(sent.split(",")) <= set(re.split(", ?", allowed.lower()))
    finally:
        emulator.kill()


@pytest.mark.parametrize("server", ["emulator", "pipes", "control"])
def test_a_request_is_refused_unless_its_host_is_local_and_no_page_of_others_sent_it(
    embedded: Backend, control: str, server: str
) -> None:
    url = {
        "emulator": embedded.variables["AWS_ENDPOINT_URL"],
        "pipes": embedded.variables["AWS_ENDPOINT_URL_PIPES"],
        "control": control,
    }[server]
    port = urlsplit(url).port
    for (host, local), (origins, own), kind, method in itertools.product(
        HOSTS.items(), ORIGINS.items(), TYPES, ("POST", "GET", "PUT")
    ):
        if server == "control" and method == "POST":
            continue  # it has none
        headers = [("Host", f"{host}:{port}"), ("Content-Type", kind)]
        headers += [("Origin", origin) for origin in origins]
        refused = asked(url, method, headers) == 403
        assert refused is not (local and own), (host, origins, kind, method)
