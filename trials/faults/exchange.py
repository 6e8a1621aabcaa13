"""What goes over the wire between the parts: AWS requests, and their answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")

_XML = (
    "<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code>"
    "<Message>injected</Message></Error><RequestId>injected</RequestId></ErrorResponse>"
)


@dataclass(frozen=True)
class Request:
    """`service` and `operation` are the API's names; empty where the request does not say."""

    service: str
    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """Of an answer that is cut off only a share is `written`; then the connection is closed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    written: float = 1.0


CUT = Answer(0, {}, b"", written=0.0)
"""No answer at all: the connection is closed."""


def recognised(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Request:
    """The request, by its signature's scope and by what its protocol names the operation with."""
    scope = _SCOPE.search(headers.get("Authorization", ""))
    service = scope[1] if scope else ""
    return Request(service, _operation(path, headers, body), method, path, headers, body)


def _operation(path: str, headers: Mapping[str, str], body: bytes) -> str:
    if target := headers.get("X-Amz-Target"):
        return target.rpartition(".")[2]
    if unquote(path).endswith("/invocations"):
        return "Invoke"
    if "form-urlencoded" in headers.get("Content-Type", ""):
        return parse_qs(body.decode()).get("Action", [""])[0]
    return ""


def answer(content: object, status: int = 200, **headers: str) -> Answer:
    """An answer whose body is `content`, in JSON unless it is bytes."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(status, {"Content-Type": "application/x-amz-json-1.0", **headers}, body)


def error(service: str, status: int, code: str) -> Answer:
    """An error in the shape that the service gives it."""
    if service == "sns":
        return Answer(status, {"Content-Type": "text/xml"}, _XML.format(code=code).encode())
    told = answer({"__type": code, "message": "injected"}, status)
    return Answer(status, {**told.headers, "x-amzn-errortype": code}, told.body)
