"""What a node says of an AWS call that failed."""

from __future__ import annotations

import socket
import threading

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)

from dashboard.controls.actions import ControlError, ProducerControl, RefusedConnectionError
from dashboard.model.pipeline import Pipeline
from dashboard.sources.figures import read_producer
from dashboard.sources.hub import Hub, in_words, read_once
from inventory_aws.errors import explain


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            EndpointConnectionError(endpoint_url="http://127.0.0.1:4567/v1/pipes/inventory-pipe"),
            "no answer at 127.0.0.1:4567",
        ),
        (
            ReadTimeoutError(endpoint_url="http://127.0.0.1:4566/"),
            "no answer at 127.0.0.1:4566",
        ),
        (ConnectionClosedError(endpoint_url="http://localhost:1/"), "no answer at localhost:1"),
        (HTTPClientError(error=OSError("[Errno 5]")), "no answer"),
        (NoCredentialsError(), explain(NoCredentialsError())),
        (ControlError("one\n  two"), "one two"),
        (ValueError("[Errno 111]"), "unexpected error; see the dashboard's log"),
        (
            ClientError({"Error": {"Code": "NotFound", "Message": "m" * 999}}, "DescribePipe"),
            "DescribePipe: NotFound: ".ljust(300, "m"),
        ),
    ],
)
def test_the_reason_of_a_failed_call_fits_in_a_box(error: Exception, said: str) -> None:
    assert in_words(error) == said


def test_a_producer_whose_port_refuses_connections_does_not_run() -> None:
    pipeline = Pipeline()
    pipeline.figures.producer_reports({"rate": 2, "paused": True})
    with socket.socket() as unheard:  # bound, but nobody listens
        unheard.bind(("127.0.0.1", 0))
        netloc = f"127.0.0.1:{unheard.getsockname()[1]}"
        control = ProducerControl(f"http://{netloc}")
        read_producer(Hub(pipeline), control)
        with pytest.raises(RefusedConnectionError, match=f"^no answer at {netloc}$"):
            control.set(rate=1)
    figures = pipeline.figures
    assert figures.producer_runs is False
    assert (figures.producer_rate, figures.producer_paused) == (None, False)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\n<html>", "the answer of {} is not JSON"),
        (b"nonsense\r\n\r\n", "no answer at {}"),
        (b"", "no answer at {}"),
    ],
)
def test_a_wrong_answer_of_the_producer_is_explained(answer: bytes, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        netloc = f"127.0.0.1:{listener.getsockname()[1]}"

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        with pytest.raises(ControlError) as caught:
            ProducerControl(f"http://{netloc}").status()
        server.join()
    assert str(caught.value) == said.format(netloc)
    assert not isinstance(caught.value, RefusedConnectionError)


def test_an_unexpected_error_is_logged_once_and_only_named_on_the_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def ask() -> None:
        raise ValueError("[Errno 5]")

    pipeline = Pipeline()
    for _ in range(2):
        read_once(Hub(pipeline), "pipe", ask)
    assert pipeline.figures.trouble == {"pipe": "unexpected error; see the dashboard's log"}
    assert caplog.text.count("ValueError: [Errno 5]") == 1


def test_a_source_that_answers_again_is_no_longer_in_trouble() -> None:
    pipeline = Pipeline()
    pipeline.figures.trouble["pipe"] = "no answer"
    read_once(Hub(pipeline), "pipe", lambda: None)
    assert pipeline.figures.trouble == {}
    assert "pipe" in pipeline.figures.answered_at


def test_an_error_of_aws_is_an_answer_and_a_lost_connection_is_none() -> None:
    pipeline = Pipeline()

    def failing(error: Exception) -> None:
        raise error

    read_once(
        Hub(pipeline),
        "table",
        lambda: failing(ClientError({"Error": {"Code": "Denied"}}, "DescribeTable")),
    )
    read_once(Hub(pipeline), "stream", lambda: failing(NoCredentialsError()))
    assert pipeline.figures.answered_at.keys() == {"table"}
    assert pipeline.figures.trouble.keys() == {"table", "stream"}
