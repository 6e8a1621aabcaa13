"""The page's own session, which a control has to come from."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from nicegui import Client
from starlette.requests import Request


class ForeignSessionError(Exception):
    """A control was asked for over a connection that is not the one of the page's session."""


class PageSession:
    """A page was delivered with a signed cookie that no script can read; the connection over which
    its controls come has to bring the same one. To know the address of a page is not enough."""

    def __init__(self, request: Request, client: Client) -> None:
        self._token = _token(request.session)
        self._client = client

    def check(self) -> None:
        """Raises ForeignSessionError."""
        environ: Mapping[str, Any] = self._client.environ or {}
        theirs = _token(environ.get("asgi.scope", {}).get("session", {}))
        if not self._token or not hmac.compare_digest(self._token, theirs):
            raise ForeignSessionError("this connection is not the page's own: load the page again")


def _token(session: Mapping[str, Any]) -> str:
    return str(session.get("id", ""))
