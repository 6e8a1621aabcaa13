"""Calls against a server that answers with the bytes that it is told, right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from botocore.session import Session

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import DirectClient, http_client_like
from eventbridge_pipes.record import Position
from eventbridge_pipes.sources.kinesis import KinesisStream
from raw_server import RawServer, answer, raw_server, self_signed
from waiting import eventually

Connect = Callable[..., DirectClient]

STREAM = Arn.parse("arn:aws:kinesis:eu-central-1:000000000000:stream/s")
ROLE = "arn:aws:iam::000000000000:role/r"

EMPTY = answer({"Records": []})


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server() as server:
        yield server


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)


@pytest.fixture(scope="module")
def session() -> Session:
    session = botocore.session.Session()
    session.set_credentials("key", "secret")
    return session


@pytest.fixture
def connect(session: Session) -> Iterator[Connect]:
    made: list[DirectClient] = []

    def to(url: str, service: Any = "kinesis") -> DirectClient:
        config = Config(connect_timeout=2, read_timeout=600)
        client = session.create_client(service, "eu-central-1", endpoint_url=url, config=config)
        made.append(DirectClient(client, http_client_like(client, session)))
        return made[-1]

    yield to
    for calls in made:
        calls.close()


@pytest.fixture
def calls(server: RawServer, connect: Connect) -> DirectClient:
    return connect(server.url)


def read(calls: DirectClient) -> dict[str, Any]:
    """The content of an answer."""
    return content(calls.call("GetRecords", {"ShardIterator": "i", "Limit": 5}))


def content(answered: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answered.items() if name != "ResponseMetadata"}


def test_a_call_is_what_the_service_expects(server: RawServer, calls: DirectClient) -> None:
    server.answers.append(answer({"Records": [{"Data": "aGk=", "Time": 1.5}]}))
    assert read(calls) == {"Records": [{"Data": "aGk=", "Time": 1.5}]}
    [request] = server.requests
    assert request.first_line == "POST / HTTP/1.1"
    assert request.body == {"ShardIterator": "i", "Limit": 5}
    assert request.headers["host"] == server.url.removeprefix("http://")
    assert request.headers["content-type"] == "application/x-amz-json-1.1"
    assert request.headers["x-amz-target"] == "Kinesis_20131202.GetRecords"
    assert "/eu-central-1/kinesis/aws4_request" in request.headers["authorization"]


def test_the_names_of_headers_are_written_as_the_sdk_writes_them(
    server: RawServer, calls: DirectClient
) -> None:
    server.answers.append(EMPTY)
    read(calls)
    [request] = server.requests
    assert {"Host", "Content-Type", "Content-Length", "X-Amz-Target", "X-Amz-Date"} <= {
        *request.header_names
    }


def test_the_stream_of_a_table_is_asked_in_its_own_protocol(
    server: RawServer, connect: Connect
) -> None:
    server.answers.append(EMPTY)
    read(connect(server.url, "dynamodbstreams"))
    [request] = server.requests
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert request.headers["x-amz-target"] == "DynamoDBStreams_20120810.GetRecords"
    assert "/dynamodb/aws4_request" in request.headers["authorization"]


@pytest.mark.parametrize("by_sdk", [False, True])
def test_a_time_is_sent_in_seconds(server: RawServer, calls: DirectClient, by_sdk: bool) -> None:
    server.answers.append(answer({"ShardIterator": "i"}))
    client = DirectClient(calls.client, None) if by_sdk else calls
    assert KinesisStream(client, STREAM, ROLE).shard("s").iterator(Position(at=60.25)) == "i"
    assert server.requests[0].body["Timestamp"] == 60.25


def test_a_connection_is_used_again(server: RawServer, calls: DirectClient) -> None:
    server.answers += [EMPTY] * 3
    for _ in range(3):
        read(calls)
    assert server.connections == 1


def test_a_connection_that_was_closed_while_it_rested_is_made_anew(
    server: RawServer, calls: DirectClient
) -> None:
    server.answers += [EMPTY, answer({"Records": ["new"]})]
    read(calls)
    server.drop_connections()
    assert read(calls) == {"Records": ["new"]}
    assert server.connections == 2


def test_a_request_that_closes_an_old_connection_and_a_new_one_fails(
    server: RawServer, calls: DirectClient
) -> None:
    server.answers += [EMPTY, None, None, EMPTY]
    read(calls)
    with pytest.raises(HTTPClientError):
        read(calls)
    assert len(server.requests) == 3


def test_a_server_that_closes_a_new_connection_is_not_asked_again(
    server: RawServer, calls: DirectClient
) -> None:
    server.answers += [None, EMPTY]
    with pytest.raises(HTTPClientError):
        read(calls)
    assert len(server.requests) == 1


def test_several_calls_are_under_way_at_once(server: RawServer, calls: DirectClient) -> None:
    server.answers += [EMPTY] * 4
    pending = [calls.begin("GetRecords", {"number": number}) for number in range(4)]
    assert [content(call(None)) for call in reversed(pending)] == [{"Records": []}] * 4
    assert server.connections == 4
    assert sorted(request.body["number"] for request in server.requests) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("framed", "connections"),
    [
        (answer({"a": 1}, "Connection: close"), 2),
        (b'HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}', 2),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'4;x=y\r\n{"a"\r\n3\r\n:1}\r\n0\r\nTrailer: t\r\n\r\n',
            1,
        ),
    ],
    ids=["closing", "old HTTP", "chunks"],
)
def test_the_end_of_an_answer_is_found(
    server: RawServer, calls: DirectClient, framed: bytes, connections: int
) -> None:
    server.answers += [framed, answer({"a": 2})]
    assert read(calls) == {"a": 1}
    assert read(calls) == {"a": 2}
    assert server.connections == connections


def test_an_answer_may_end_with_the_connection(server: RawServer, calls: DirectClient) -> None:
    server.answers += [b'HTTP/1.1 200 OK\r\n\r\n{"a":1}', EMPTY]
    pending = calls.begin("GetRecords", {})
    eventually(lambda: server.requests)
    server.drop_connections()
    assert content(pending(None)) == {"a": 1}


@pytest.mark.parametrize(
    "kind",
    [
        "ProvisionedThroughputExceededException",
        "com.amazonaws.kinesis#ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceededException:http://internal.amazon.com/coral/",
    ],
)
@pytest.mark.parametrize("key", ["message", "Message"])
def test_a_refusal_is_the_error_of_the_sdk(
    server: RawServer, calls: DirectClient, kind: str, key: str
) -> None:
    server.answers += [answer({"__type": kind, key: "slow down"}, status="400 Bad Request")]
    with pytest.raises(ClientError) as raised:
        read(calls)
    assert errors.is_throttling(raised.value)
    assert errors.summary(raised.value) == "ProvisionedThroughputExceededException: slow down"


def test_a_refusal_has_the_name_that_sdks_know_from_the_old_protocol(
    server: RawServer, calls: DirectClient
) -> None:
    told = b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"}'
    server.answers += [
        b"HTTP/1.1 400 Bad Request\r\n"
        b"x-amzn-RequestId: 7f\r\n"
        b"x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(told), told)
    ]
    with pytest.raises(ClientError) as raised:
        read(calls)
    assert errors.summary(raised.value) == "AWS.SimpleQueueService.NonExistentQueue: gone"
    assert raised.value.response["ResponseMetadata"]["RequestId"] == "7f"


def test_an_answer_comes_with_what_the_sdk_adds(server: RawServer, calls: DirectClient) -> None:
    server.answers += [answer({}, "X-Amzn-RequestId: 7f", "Date: now")]
    added = calls.call("GetRecords", {})["ResponseMetadata"]
    headers = {"x-amzn-requestid": "7f", "date": "now", "content-length": "2"}
    assert added == {"HTTPStatusCode": 200, "HTTPHeaders": headers, "RequestId": "7f"}


def test_an_error_that_is_not_json_has_its_status_as_code(
    server: RawServer, calls: DirectClient
) -> None:
    server.answers += [answer(status="502 Bad Gateway", body=b"<html>")]
    with pytest.raises(ClientError) as raised:
        read(calls)
    assert errors.code_of(raised.value) == "502"
    assert errors.is_service_error(raised.value)


@pytest.mark.parametrize(
    "broken",
    [
        answer(body=b"<html>"),
        answer(body=b"[]"),
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 two OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_is_no_answer_of_the_service_is_a_fault_of_it(
    server: RawServer, calls: DirectClient, broken: bytes
) -> None:
    server.answers += [broken]
    with pytest.raises(BotoCoreError):
        read(calls)


@pytest.mark.parametrize(
    "part", [b"HTTP/1.1 200 OK\r\nContent-", b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a":1}']
)
def test_an_answer_that_is_cut_off_is_a_fault_and_not_asked_for_again(
    server: RawServer, calls: DirectClient, part: bytes
) -> None:
    server.answers += [EMPTY, part, EMPTY]
    read(calls)
    pending = calls.begin("GetRecords", {})
    eventually(lambda: len(server.requests) == 2)
    server.drop_connections()
    with pytest.raises(HTTPClientError):
        pending(None)
    assert len(server.requests) == 2


def test_a_caller_may_set_the_timeout(server: RawServer, calls: DirectClient) -> None:
    server.answers += [b"", EMPTY]
    with pytest.raises(ReadTimeoutError):
        calls.begin("GetRecords", {})(0.01)
    assert read(calls) == {"Records": []}
    assert server.connections == 2


def test_a_server_that_is_not_there_is_named(connect: Connect) -> None:
    with raw_server() as server:
        url = server.url
    with pytest.raises(EndpointConnectionError, match=url):
        read(connect(url))


def test_a_certificate_is_trusted_when_its_authority_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    context, bundle = self_signed(tmp_path)
    with raw_server([EMPTY] * 2, context) as server:
        with pytest.raises(SSLError):
            read(connect(server.url))
        monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
        trusting = connect(server.url)
        assert read(trusting) == read(trusting) == {"Records": []}
        assert server.connections == 2


def test_a_proxy_is_left_to_the_sdk(monkeypatch: pytest.MonkeyPatch, connect: Connect) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert connect("http://kinesis.example").http is None
    monkeypatch.setenv("NO_PROXY", "kinesis.example")
    assert connect("http://kinesis.example").http is not None


def test_the_sdk_makes_the_same_calls(
    server: RawServer, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    server.answers.append(answer({"Records": [], "MillisBehindLatest": 7}))
    monkeypatch.setenv("HTTP_PROXY", server.url)
    found = read(connect("http://kinesis.example"))
    assert found["MillisBehindLatest"] == 7
    [request] = server.requests
    assert request.first_line == "POST http://kinesis.example/ HTTP/1.1"
    assert request.headers["x-amz-target"] == "Kinesis_20131202.GetRecords"
    assert request.body == {"ShardIterator": "i", "Limit": 5}
