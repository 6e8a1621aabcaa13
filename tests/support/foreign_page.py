"""A web page of another origin, what it tries on our servers, and whether any of it was done."""

from __future__ import annotations

import base64
import http.client
import io
import itertools
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

from stack import client_at

# Without a referrer: some servers take a request that says nothing of a page for one of an SDK.
FETCH = """(attack) => fetch(attack.url, {
    mode: 'no-cors', referrerPolicy: 'no-referrer', ...attack.init,
}).then((answer) => answer.text()).catch(String)"""


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


class Elsewhere(BaseHTTPRequestHandler):
    """A page of somebody else."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[int]:
    """The port of a server that serves the page, under any name."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def attack(page: Page, variables: Mapping[str, str], control: str | None = None) -> None:
    """Try all that a page can send, and fail if any of it is done."""
    pipes = client_at("pipes", variables)
    before = pipes.describe_pipe(Name="inventory-pipe")["LastModifiedTime"]
    for each in attacks(variables, control):
        page.evaluate(FETCH, each)
    assert_nothing_happened(variables)
    assert pipes.describe_pipe(Name="inventory-pipe")["LastModifiedTime"] == before


def attacks(variables: Mapping[str, str], control: str | None) -> list[dict[str, Any]]:
    emulator, pipes = variables["AWS_ENDPOINT_URL"], variables["AWS_ENDPOINT_URL_PIPES"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("evil.py", "def handler(event, context): pass")
    function = {
        "FunctionName": "evil",
        "Runtime": "python3.13",
        "Handler": "evil.handler",
        "Role": "arn:aws:iam::000000000000:role/evil",
        "Code": {"ZipFile": base64.b64encode(code.getvalue()).decode()},
    }
    pipe = client_at("pipes", variables).describe_pipe(Name="inventory-pipe")
    copied = {key: pipe[key] for key in ("Source", "SourceParameters", "Target", "RoleArn")}
    return [
        {"url": url, "init": {"method": method, "body": body}}
        for url, method, body in (
            (f"{emulator}/2015-03-31/functions", "POST", json.dumps(function)),
            (f"{emulator}/?Action=CreateQueue&QueueName=evil", "GET", None),
            (emulator, "POST", "Action=CreateQueue&QueueName=evil"),
            (f"{pipes}/v1/pipes/evil", "POST", json.dumps(copied, default=str)),
            (f"{pipes}/v1/pipes/inventory-pipe/stop", "POST", None),
            (f"{pipes}/crash", "POST", None),
            *([(control, "POST", '{"paused": true}')] if control else []),
        )
    ]


def assert_nothing_happened(variables: Mapping[str, str]) -> None:
    functions = client_at("lambda", variables).list_functions()["Functions"]
    assert "evil" not in {function["FunctionName"] for function in functions}
    assert (
        client_at("sqs", variables).list_queues(QueueNamePrefix="evil").get("QueueUrls", []) == []
    )
    pipes = client_at("pipes", variables).list_pipes()["Pipes"]
    assert {(pipe["Name"], pipe["CurrentState"]) for pipe in pipes} == {
        ("inventory-pipe", "RUNNING")
    }


def assert_only_ours_is_answered(url: str, methods: Sequence[str]) -> None:
    """Each Host with each Origin, content type and method, on its own connection."""
    port = urlsplit(url).port
    for (host, local), (origins, own), kind, method in itertools.product(
        HOSTS.items(), ORIGINS.items(), TYPES, methods
    ):
        headers = [("Host", f"{host}:{port}"), ("Content-Type", kind)]
        headers += [("Origin", origin) for origin in origins]
        refused = asked(url, method, headers) == 403
        assert refused is not (local and own), (host, origins, kind, method)


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
