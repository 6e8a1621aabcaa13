"""What a user of a page does, which has to come over the page's own session."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from typing import TypeVar

from nicegui import Client, run, ui
from starlette.requests import Request

from dashboard.controls.actions import ControlError
from dashboard.model.pipeline import Mark
from dashboard.sources.hub import EXPECTED, Hub, in_words
from inventory_aws.shown import shown

R = TypeVar("R")


class PageSession:
    """The server delivers a page with a signed cookie that no script can read. The connection that
    carries the page's actions has to bring the same cookie: to know a page's address is not enough.
    """

    def __init__(self, request: Request, client: Client, hub: Hub) -> None:
        self._token = str(request.session["id"])
        self._client = client
        self._hub = hub

    async def do(self, action: Callable[[], R], *, done: str = "", mark: str = "") -> R | None:
        """Return the result of `action`, after saying `done` and putting `mark` on the charts.

        If the action fails, say why and return None.
        """
        try:
            self._check()
            result = await run.io_bound(action)
        except EXPECTED as error:
            say(f"Not done: {in_words(error)}", bad=True)
            return None
        if mark:
            with self._hub.pipeline() as pipeline:
                pipeline.marks.append(Mark(time.time(), shown(mark)))
        if done:
            say(done)
        return result

    def _check(self) -> None:
        environ = self._client.environ or {}
        theirs = environ.get("asgi.scope", {}).get("session", {}).get("id", "")
        if not hmac.compare_digest(self._token, str(theirs)):
            raise ControlError("this session has ended: reload the page")


def say(text: str, *, bad: bool = False) -> None:
    """Show a notification. Its text may come from an event."""
    ui.notify(shown(text)[:400], type="negative" if bad else "positive")
