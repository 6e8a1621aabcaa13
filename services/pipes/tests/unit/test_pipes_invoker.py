"""Invocations made directly, beside those of the SDK's client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from eventbridge_pipes.aws import errors
from eventbridge_pipes.aws.clients import DirectClient, http_client_like
from raw_server import RawServer, answer, raw_server

FUNCTION = "arn:aws:lambda:eu-central-1:000000000000:function:orders:live"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with raw_server() as server:
        yield server


@pytest.fixture(scope="module")
def core() -> botocore.session.Session:
    core = botocore.session.Session()
    core.set_credentials("key", "secret", "token")
    return core


@pytest.fixture
def client(server: RawServer, core: botocore.session.Session) -> Iterator[Any]:
    config = Config(retries={"total_max_attempts": 1}, user_agent="test")
    session = boto3.Session(botocore_session=core, region_name="eu-central-1")
    client = session.client("lambda", endpoint_url=server.url, config=config)
    yield client
    client.close()


@pytest.fixture
def invoker(client: Any, core: botocore.session.Session) -> Iterator[DirectClient]:
    invoker = DirectClient(client, http_client_like(client, core))
    assert invoker.http
    yield invoker
    invoker.close()


def invoke(by: Any) -> dict[str, Any]:
    """The answer; its payload is read."""
    answered = by.invoke(FunctionName=FUNCTION, InvocationType="RequestResponse", Payload=b"[1]")
    return {**answered, "Payload": answered["Payload"].read()}


def test_an_invocation_is_the_request_that_the_sdk_makes(
    server: RawServer, client: Any, invoker: DirectClient
) -> None:
    server.answers += [answer([1]), answer([1])]
    invoke(client)
    invoke(invoker)
    by_sdk, direct = server.requests
    assert direct.first_line == by_sdk.first_line
    assert direct.body == by_sdk.body == [1]
    for name in ("host", "x-amz-invocation-type", "x-amz-security-token"):
        assert direct.headers[name] == by_sdk.headers[name]
    assert "/eu-central-1/lambda/aws4_request" in direct.headers["authorization"]
    assert "x-amz-invocation-type" in direct.headers["authorization"]


@pytest.mark.parametrize("more", [(), ("X-Amz-Function-Error: Unhandled",)])
def test_what_is_answered_is_what_the_sdk_says(
    server: RawServer, client: Any, invoker: DirectClient, more: tuple[str, ...]
) -> None:
    server.answers += [answer({"a": 1}, "x-amzn-RequestId: 7f", *more)] * 2
    by_sdk, direct = invoke(client), invoke(invoker)
    request_ids = [found.pop("ResponseMetadata")["RequestId"] for found in (by_sdk, direct)]
    assert direct == by_sdk
    assert request_ids == ["7f", "7f"]


@pytest.mark.parametrize(
    "refused",
    [
        answer({"Message": "no"}, "x-amzn-ErrorType: ResourceNotFoundException", status="404 N"),
        answer({"message": "no"}, "x-amzn-ErrorType: ServiceException:http://a", status="500 N"),
        answer({"__type": "TooManyRequestsException", "message": "no"}, status="429 N"),
        answer({"code": "ResourceConflictException", "message": "no"}, status="409 N"),
    ],
)
def test_a_refusal_is_the_error_of_the_sdk(
    server: RawServer, client: Any, invoker: DirectClient, refused: bytes
) -> None:
    server.answers += [refused, refused]
    told = []
    for by in (client, invoker):
        with pytest.raises(ClientError) as raised:
            invoke(by)
        told.append((errors.summary(raised.value), errors.status_of(raised.value)))
    assert told[0] == told[1]
