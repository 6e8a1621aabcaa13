"""The emulator's own calls, at the least cost to whoever makes them.

What they take is the emulator's time: no SDK, one connection that stays open, requests that are
written beforehand.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from embedded.ministack import REGION


class Calls:
    """For one thread."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc)

    def invoke(self, function: str, payload: bytes) -> None:
        path = f"/2015-03-31/functions/{function}/invocations"
        self._post(path, payload, {"Authorization": _credential("lambda")})

    def send_batch(self, request: bytes) -> None:
        answer = json.loads(self._json("sqs", "1.0", "AmazonSQS.SendMessageBatch", request))
        assert not answer.get("Failed"), answer

    def count_messages(self, queue_url: str) -> int:
        name = "ApproximateNumberOfMessages"
        request = json.dumps({"QueueUrl": queue_url, "AttributeNames": [name]}).encode()
        answer = self._json("sqs", "1.0", "AmazonSQS.GetQueueAttributes", request)
        return int(json.loads(answer)["Attributes"][name])

    def kinesis(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """The answer as it is on the wire: data in base64, times as numbers."""
        answer: dict[str, Any] = json.loads(self.kinesis_unread(operation, **arguments))
        return answer

    def kinesis_unread(self, operation: str, **arguments: Any) -> bytes:
        request = json.dumps(arguments).encode()
        return self._json("kinesis", "1.1", f"Kinesis_20131202.{operation}", request)

    def _json(self, service: str, version: str, target: str, request: bytes) -> bytes:
        headers = {
            "Authorization": _credential(service),
            "Content-Type": f"application/x-amz-json-{version}",
            "X-Amz-Target": target,
        }
        return self._post("/", request, headers)

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        self._connection.request("POST", path, body, headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200 or response.headers.get("X-Amz-Function-Error"):
            raise RuntimeError(f"{path}: {response.status}: {answer[:200]!r}")
        return answer


def _credential(service: str) -> str:
    """MiniStack reads the service from it, and verifies nothing."""
    scope = f"test/20260101/{REGION}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
