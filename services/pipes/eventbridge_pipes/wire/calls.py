"""Calls of one AWS service that speaks JSON over HTTP: Kinesis, DynamoDB, DynamoDB Streams.

An SDK's client spends one or two milliseconds of processor time on a call, most of them on what
these few calls have no use for; and being asked is all that an idle shard does.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from eventbridge_pipes.wire.connection import Answer, Endpoint
from eventbridge_pipes.wire.pool import Exchange, Pool
from eventbridge_pipes.wire.signing import Signer

# In this protocol times are numbers, in seconds.
_encode = json.JSONEncoder(separators=(",", ":"), default=datetime.timestamp).encode


class Pending(Protocol):
    """A call that is under way."""

    def result(self, patience: float | None = None) -> dict[str, Any]:
        """What the service answers, as it is on the wire: blobs in base64, times as numbers.

        Beside it is what an SDK's client adds: ResponseMetadata, with HTTPStatusCode and RequestId.
        To be called once. `patience` is how many seconds of silence to bear, if not the usual.
        Raises botocore's ClientError or BotoCoreError.
        """
        ...


class Calls(Protocol):
    """The calls of a service, by their names in its API; safe for threads.

    Both raise botocore's ClientError or BotoCoreError. No call is made a second time.
    """

    def begin(self, operation: str, arguments: Mapping[str, Any]) -> Pending:
        """Send a call, and do not wait for its answer: several may be under way."""
        ...

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """See Pending.result."""
        ...

    def close(self) -> None:
        """Close the connections that no call is using."""
        ...


class JsonCalls:
    """Calls of the service at `endpoint`. `prefix` is that of its operations' names, `version`
    the one of AWS's JSON protocol: 1.0 or 1.1."""

    def __init__(self, endpoint: Endpoint, signer: Signer, prefix: str, version: str) -> None:
        self._signer = signer
        self._prefix = prefix
        self._content_type = f"application/x-amz-json-{version}"
        self._first_lines = f"POST {endpoint.path} HTTP/1.1\r\nHost: {endpoint.host}\r\n"
        self._pool = Pool(endpoint)

    def begin(self, operation: str, arguments: Mapping[str, Any]) -> Pending:
        body = _encode(arguments).encode()
        headers = self._signer.headers(f"{self._prefix}.{operation}", self._content_type, body)
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        head = f"{self._first_lines}{lines}Content-Length: {len(body)}\r\n\r\n"
        try:
            exchange = self._pool.begin(head.encode() + body)
        except OSError as error:
            raise _not_sent(error, self._pool.endpoint) from error
        return _Pending(exchange, operation, self._pool.endpoint)

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return self.begin(operation, arguments).result()

    def close(self) -> None:
        self._pool.close()


class _Pending:
    def __init__(self, exchange: Exchange, operation: str, endpoint: Endpoint) -> None:
        self._exchange = exchange
        self._operation = operation
        self._endpoint = endpoint

    def result(self, patience: float | None = None) -> dict[str, Any]:
        try:
            answer = self._exchange.answer(patience or self._endpoint.read_timeout)
        except OSError as error:
            raise _not_answered(error, self._endpoint) from error
        content = _content(answer.body)
        if answer.status >= 300:
            raise _refusal(answer, content or {}, self._operation)
        if content is None:
            raise exceptions.HTTPClientError(error="the answer is not a JSON object")
        content["ResponseMetadata"] = _metadata(answer)
        return content


def _not_sent(error: OSError, endpoint: Endpoint) -> BotoCoreError:
    if isinstance(error, TimeoutError):
        return exceptions.ConnectTimeoutError(endpoint_url=endpoint.url, error=error)
    if isinstance(error, ssl.SSLError):
        return exceptions.SSLError(endpoint_url=endpoint.url, error=error)
    return exceptions.EndpointConnectionError(endpoint_url=endpoint.url, error=error)


def _not_answered(error: OSError, endpoint: Endpoint) -> BotoCoreError:
    if isinstance(error, TimeoutError):
        return exceptions.ReadTimeoutError(endpoint_url=endpoint.url, error=error)
    return exceptions.HTTPClientError(error=error)


def _content(body: bytes) -> dict[str, Any] | None:
    """None when it is not a JSON object."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _refusal(answer: Answer, content: dict[str, Any], operation: str) -> ClientError:
    """The error that an SDK would raise. Its type may come with a namespace, or a URL behind it.

    SQS tells in a header what the error was called before it spoke JSON, which is what SDKs use.
    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
    """
    kind = str(content.get("__type") or answer.status).partition(":")[0].rpartition("#")[2]
    code = answer.headers.get("x-amzn-query-error", "").partition(";")[0] or kind
    message = str(content.get("message") or content.get("Message") or "")
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": _metadata(answer),
    }
    return ClientError(response, operation)


def _metadata(answer: Answer) -> dict[str, Any]:
    """As an SDK's client has it in its answers."""
    return {
        "HTTPStatusCode": answer.status,
        "RequestId": answer.headers.get("x-amzn-requestid", ""),
    }
