"""The Pipes API in this process, for requests that need no server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

from eventbridge_pipes.api.http import application
from eventbridge_pipes.api.operations import PipesService
from eventbridge_pipes.guard import Admitted
from eventbridge_pipes.lifecycle import Lifecycle, reason_of
from eventbridge_pipes.pipe import Pipe, State
from eventbridge_pipes.store import Store
from eventbridge_pipes.telemetry.prometheus import PrometheusMetrics
from pipes_requests import SCOPE, definition
from pipes_shapes import MODEL


@dataclass
class AtOnce:
    """Pipes are at once in the state that was asked for; no resource is asked for."""

    store: Store

    def settle(self, pipe: Pipe) -> None:
        if pipe.current is State.DELETING:
            self.store.delete(pipe.arn)
        else:
            self.store.complete(pipe.arn, pipe.updated.desired, reason_of(pipe))


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Api:
    """The application, on a store in memory, with a pipe `p`."""

    def __init__(self, store: Store) -> None:
        service = PipesService(store, cast(Lifecycle, AtOnce(store)), SCOPE)
        service.create_pipe(definition())
        prometheus = PrometheusMetrics(store.pipes)
        self._app = application(MODEL, service, prometheus, Admitted())

    def ask(self, method: str, target: str, body: bytes = b"") -> Answer:
        return asyncio.run(self._ask(method, target, body))

    async def _ask(self, method: str, target: str, body: bytes) -> Answer:
        answer = Answer()
        path, _, query = target.partition("?")

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            answer.body += message.get("body", b"")

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost")],
        }
        await self._app(scope, receive, send)
        return answer
