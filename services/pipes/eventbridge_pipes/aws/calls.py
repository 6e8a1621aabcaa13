"""Calls of one AWS service that speaks JSON over HTTP: Kinesis, DynamoDB Streams, SQS.

An SDK's client spends one or two milliseconds of processor time on a call, most of them on what
these few calls have no use for; and being asked is all that an idle shard does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import HTTPClientError

from eventbridge_pipes.aws.service import Request, Service, content, metadata, refusal

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
    """Calls of `service`. `prefix` is that of its operations' names, `version` the one of AWS's
    JSON protocol: 1.0 or 1.1."""

    def __init__(self, service: Service, prefix: str, version: str) -> None:
        self._service = service
        self._prefix = prefix
        self._content_type = f"application/x-amz-json-{version}"

    def begin(self, operation: str, arguments: Mapping[str, Any]) -> Pending:
        headers = {
            "X-Amz-Target": f"{self._prefix}.{operation}",
            "Content-Type": self._content_type,
        }
        return _Pending(self._service.post(headers, _encode(arguments).encode()), operation)

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return self.begin(operation, arguments).result()

    def close(self) -> None:
        self._service.close()


class _Pending:
    def __init__(self, request: Request, operation: str) -> None:
        self._request = request
        self._operation = operation

    def result(self, patience: float | None = None) -> dict[str, Any]:
        answer = self._request.answer(patience)
        if answer.status >= 300:
            raise refusal(answer, self._operation)
        found = content(answer)
        if found is None:
            raise HTTPClientError(error="the answer is not a JSON object")
        return {**found, "ResponseMetadata": metadata(answer)}
