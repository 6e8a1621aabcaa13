"""Which requests an ASGI application answers: none that a web page of another origin sends.

A page that a browser on this machine shows can send requests to 127.0.0.1, and read the answers
once its own name leads here (DNS rebinding). Browsers tell the page's origin and how it relates to
ours, and pages cannot change that. SDKs and the `aws` CLI send neither header.
https://www.w3.org/TR/fetch-metadata/
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # not every program that imports this has it installed
    from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL_NAMES = frozenset({"localhost", "localhost.localstack.cloud", "host.docker.internal"})
LOCAL_SUFFIXES = (".localhost", ".localhost.localstack.cloud")
ERROR_CODE = "AccessDeniedException"
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/@]+)(:[0-9]+)?", re.IGNORECASE)
"""A name or an address, and perhaps a port."""

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/@?#*]+", re.IGNORECASE)


@dataclass(frozen=True)
class Admitted:
    """What is answered besides: `hosts` are names without a port, `origins` are of pages, such as
    http://localhost:3000."""

    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()


def refusal(headers: Sequence[tuple[bytes, bytes]], admitted: Admitted) -> str | None:
    """Why a request with `headers` is refused, or None."""
    hosts, origins, sites = (
        [value.decode("latin-1") for key, value in headers if key.lower() == name]
        for name in (b"host", b"origin", b"sec-fetch-site")
    )
    if len(hosts) != 1:
        return "A request names one Host."
    if not is_local(hosts[0], admitted.hosts):
        return f"Host {hosts[0]!r} is no name of this machine (PIPES_ALLOW_HOST admits one)."
    if len(origins) == 1 and origins[0].lower() in admitted.origins:
        return None
    own = {f"{scheme}://{hosts[0]}".lower() for scheme in ("http", "https")}
    for origin in origins:
        if origin.lower() not in own:
            return f"A web page of {origin!r} sent this: refused (--allow-origin admits one)."
    if not {"same-origin", "none"}.issuperset(sites):
        return "A web page of another origin sent this: refused (--allow-origin admits one)."
    return None


def is_local(host: str, admitted: frozenset[str] = frozenset()) -> bool:
    """Whether a `host`, perhaps with a port, is this machine by its name, or is `admitted`."""
    if not (parts := HOST.fullmatch(host)):
        return False
    name = parts[1].lower().strip("[]").removesuffix(".")
    if name in admitted or name in LOCAL_NAMES or name.endswith(LOCAL_SUFFIXES):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def as_error(why: str) -> dict[str, str]:
    """What the SDKs of JSON protocols take for AWS's error."""
    return {"__type": ERROR_CODE, "message": why}


@dataclass(frozen=True)
class Guard:
    """Answers 403 in the place of `app`, as AWS words errors; closes a WebSocket."""

    app: ASGIApp
    admitted: Admitted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        why = refusal(scope["headers"], self.admitted) if "headers" in scope else None
        if why is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            body = json.dumps(as_error(why)).encode() + b"\n"
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"x-amzn-errortype", ERROR_CODE.encode()),
                (b"x-content-type-options", b"nosniff"),
            ]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": body})


def cors(admitted: Admitted) -> dict[str, Any]:
    """The arguments of Starlette's CORSMiddleware that let admitted pages read the answers."""
    return {
        "allow_origins": sorted(admitted.origins),
        "allow_methods": METHODS,
        "allow_headers": ["*"],
        "expose_headers": ["*"],
        "allow_private_network": True,
    }


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that `admitted` reads."""
    add = partial(parser.add_argument, action="append", default=[])
    name = "Accept this host name too, such as the container's. Repeatable."
    add("--allow-host", type=_host, metavar="NAME", help=name)
    page = (
        "Let web pages of this origin use the service, such as http://localhost:3000. Repeatable."
    )
    add("--allow-origin", type=origin, metavar="ORIGIN", help=page)


def options(environ: Mapping[str, str]) -> list[str]:
    """The options that are set by variables: PIPES_ALLOW_HOST, PIPES_ALLOW_ORIGIN."""
    return [
        f"--allow-{kind}={each.strip()}"
        for kind in ("host", "origin")
        for each in environ.get(f"PIPES_ALLOW_{kind.upper()}", "").split(",")
        if each.strip()
    ]


def admitted(given: dict[str, Any]) -> Admitted:
    """What the options say; they are taken out of `given`."""
    return Admitted(frozenset(given.pop("allow_host")), frozenset(given.pop("allow_origin")))


def _host(text: str) -> str:
    parts = HOST.fullmatch(text)
    if not parts or parts[2]:
        raise argparse.ArgumentTypeError(f"{text!r} is not a host's name, without a port")
    return parts[1].lower().strip("[]").removesuffix(".")


def origin(text: str) -> str:
    """As browsers send it. Raises argparse.ArgumentTypeError."""
    if not ORIGIN.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an origin, such as http://localhost:3000 (with no / at its end)"
        )
    text = text.lower()  # browsers leave the scheme's own port out
    return text.removesuffix(":80" if text.startswith("http:") else ":443")
