"""Requests to one AWS service, signed, and what its refusals mean."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from typing import Any

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from eventbridge_pipes.aws.connection import Answer, Endpoint
from eventbridge_pipes.aws.pool import Exchange, Pool
from eventbridge_pipes.aws.signing import Signer


class Service:
    """The service at `endpoint`; safe for threads. No request is made a second time."""

    def __init__(self, endpoint: Endpoint, signer: Signer) -> None:
        self._signer = signer
        self._endpoint = endpoint
        self._pool = Pool(endpoint)

    def post(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Request:
        """Send a request, and do not wait for its answer. Raises BotoCoreError.

        `path` follows that of the endpoint, quoted; it begins with a slash, or is empty.
        """
        signed = self._signer.headers(headers, body, path)
        lines = "".join([f"{name}: {value}\r\n" for name, value in signed.items()])
        whole = f"{self._endpoint.path.rstrip('/')}{path}" or "/"
        head = (
            f"POST {whole} HTTP/1.1\r\nHost: {self._endpoint.host}\r\n{lines}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            exchange = self._pool.begin(head.encode() + body)
        except OSError as error:
            raise _not_sent(error, self._endpoint) from error
        return Request(exchange, self._endpoint)

    def close(self) -> None:
        """Close the connections that no request is using."""
        self._pool.close()


class Request:
    """A request that is under way."""

    def __init__(self, exchange: Exchange, endpoint: Endpoint) -> None:
        self._exchange = exchange
        self._endpoint = endpoint

    def answer(self, patience: float | None = None) -> Answer:
        """To be called once. Raises BotoCoreError.

        `patience` is how many seconds of silence to bear, if not as many as the endpoint says.
        """
        try:
            return self._exchange.answer(patience or self._endpoint.read_timeout)
        except OSError as error:
            raise _not_answered(error, self._endpoint) from error


def content(answer: Answer) -> dict[str, Any] | None:
    """None when it is not a JSON object."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def metadata(answer: Answer) -> dict[str, Any]:
    """As an SDK's client has it in its answers."""
    return {
        "HTTPStatusCode": answer.status,
        "RequestId": answer.headers.get("x-amzn-requestid", ""),
    }


def refusal(answer: Answer, operation: str) -> ClientError:
    """The error that an SDK would raise. Its type may come with a namespace, or a URL behind it.

    SQS tells in a header what the error was called before it spoke JSON, which is what SDKs use.
    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
    https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
    """
    told = content(answer) or {}
    kind = answer.headers.get("x-amzn-errortype") or told.get("__type") or told.get("code")
    name = str(kind or answer.status).partition(":")[0].rpartition("#")[2]
    code = answer.headers.get("x-amzn-query-error", "").partition(";")[0] or name
    message = str(told.get("message") or told.get("Message") or "")
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": metadata(answer),
    }
    return ClientError(response, operation)


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
