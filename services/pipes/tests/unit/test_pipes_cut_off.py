"""An answer that is cut off, wherever it is, is no answer."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import Clients, connect
from raw_server import answer, read_request


class CuttingServer:
    """Gives the first `count` bytes of `whole`, and closes the connection; each time anew."""

    def __init__(self, listener: socket.socket) -> None:
        self.whole = b""
        self.count = 0
        self._listener = listener

    def run(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            with accepted, accepted.makefile("rb") as incoming:
                read_request(incoming)
                accepted.sendall(self.whole[: self.count])


@pytest.fixture
def server() -> Iterator[tuple[CuttingServer, str]]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = CuttingServer(listener)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield server, f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.fixture
def clients(
    server: tuple[CuttingServer, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Clients]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    settings = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_ENDPOINT_URL": server[1],
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    aws = connect()
    clients = aws.of(aws.home)
    yield clients
    clients.sqs_calls.close()
    clients.invoker.close()


def send_to_queue(clients: Clients) -> Any:
    entries: Any = [{"Id": "0", "MessageBody": "{}"}]
    return clients.sqs_calls.client.send_message_batch(
        QueueUrl="http://queue/name", Entries=entries
    )


def invoke(clients: Clients) -> Any:
    return clients.lambda_.invoke(FunctionName="function", Payload=b"[]")["Payload"].read()


def send_to_queue_directly(clients: Clients) -> Any:
    request = {"QueueUrl": "http://queue/name", "Entries": [{"Id": "0", "MessageBody": "{}"}]}
    return clients.sqs_calls.call("SendMessageBatch", request)


def invoke_directly(clients: Clients) -> Any:
    answered = clients.invoker.invoke(
        FunctionName="function", InvocationType="RequestResponse", Payload=b"[]"
    )
    return answered["Payload"].read()


QUEUE = answer({"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]})
FUNCTION = answer({"batchItemFailures": [{"itemIdentifier": "1"}]}, "X-Amzn-RequestId: 1")


@pytest.mark.parametrize(
    ("call", "whole"),
    [
        (send_to_queue, QUEUE),
        (send_to_queue_directly, QUEUE),
        (invoke, FUNCTION),
        (invoke_directly, FUNCTION),
    ],
)
def test_what_is_left_of_an_answer_is_a_fault_of_the_service(
    server: tuple[CuttingServer, str], clients: Clients, call: Any, whole: bytes
) -> None:
    server[0].whole = whole
    for count in range(len(whole)):
        server[0].count = count
        with pytest.raises(errors.CallError) as raised:
            call(clients)
        assert errors.is_service_error(raised.value), whole[:count]


@pytest.mark.parametrize(
    "whole",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["the connection", "chunks", "its length"],
)
@pytest.mark.parametrize("call", [invoke, invoke_directly])
def test_an_answer_may_end_with(
    server: tuple[CuttingServer, str], clients: Clients, call: Any, whole: bytes
) -> None:
    server[0].whole, server[0].count = whole, len(whole)
    assert call(clients) == b"{}"


@pytest.mark.parametrize("call", [invoke, invoke_directly])
def test_an_answer_without_a_body_needs_no_length(
    server: tuple[CuttingServer, str], clients: Clients, call: Any
) -> None:
    whole = b"HTTP/1.1 204 No Content\r\n\r\n"
    server[0].whole, server[0].count = whole, len(whole)
    assert call(clients) == b""
