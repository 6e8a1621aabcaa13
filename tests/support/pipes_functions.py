"""Lambda functions of the emulator that ask the test what to return."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pipes_service import make_function
from servers import AwsClient
from waiting import eventually

Event = list[dict[str, Any]]
Answer = Callable[[Event], Any]
"""What the function returns for an event; raising anything is an error of the function."""

SOURCE = """
import json, os
from http.client import HTTPConnection

def handler(event, context):
    test = HTTPConnection("127.0.0.1", int(os.environ["TEST_PORT"]))
    test.request("POST", "/", json.dumps(event))
    answer = test.getresponse()
    returned = answer.read()
    test.close()
    if answer.status != 200:
        raise ValueError(returned.decode())
    return json.loads(returned)
"""


def nothing(event: Event) -> None:
    return None


@dataclass
class Function:
    """The function of one test: its ARN, what it is to answer, and the events that it got."""

    arn: str
    answer: Answer = nothing
    invocations: list[Event] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    """For answers that have to wait; it is set when the test ends at the latest."""

    def invoked(self, times: int, timeout: float = 20.0) -> list[Event]:
        """The events so far, once there are `times` of them or more."""

        def enough() -> list[Event]:
            assert len(self.invocations) >= times, self.invocations
            return list(self.invocations)

        return eventually(enough, timeout)

    def received(self, count: int, timeout: float = 20.0) -> list[Event]:
        """The events so far, once there are `count` records in them or more."""

        def enough() -> list[Event]:
            events = list(self.invocations)
            assert sum(map(len, events)) >= count, events
            return events

        return eventually(enough, timeout)


def source_name(event: Event) -> str:
    """The name of the stream, table or queue that the records are from."""
    resource: str = event[0]["eventSourceARN"].split(":", 5)[5]
    return resource.split("/")[1] if "/" in resource else resource


class Functions:
    """One function of the emulator for all tests, told apart by where their records are from."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self._of_source: dict[str, Function] = {}

    @contextmanager
    def of(self, source: str, answer: Answer = nothing) -> Iterator[Function]:
        """The function as it is for the records of one source."""
        function = self._of_source[source] = Function(self.arn, answer)
        try:
            yield function
        finally:
            function.answer = nothing
            function.released.set()

    def called(self, event: Event) -> Any:
        function = self._of_source[source_name(event)]
        function.invocations.append(event)
        return function.answer(event)


@contextmanager
def asking_functions(aws: AwsClient, name: str) -> Iterator[Functions]:
    """The function called `name` in the emulator, answered by this process."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, returned = 200, json.dumps(functions.called(event))
            except Exception as error:
                status, returned = 500, str(error)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(returned.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        arn = make_function(aws, name, SOURCE, TEST_PORT=str(server.server_port))
        functions = Functions(arn)
        try:
            yield functions
        finally:
            server.shutdown()
