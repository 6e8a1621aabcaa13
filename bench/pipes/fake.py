"""A small server in place of AWS: a stream with one shard, a queue and a function.

A read returns as many records as it asks for, however large they are, as emulators do.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

from bench.figures import kinesis_record
from bench.pipes.servers import Servers, arn, service

STREAM = arn("kinesis", "stream/bench")
QUEUE = arn("sqs", "bench")
FUNCTION = arn("lambda", "function:bench")
PIPE = "bench"
PATTERN = '{"data": {"type": ["product_added"]}}'
TEMPLATE = '{"id": <$.data.id>, "quantity": <$.data.product.quantity>}'

Watch = Callable[[str, int], object]
"""Called before an answer is sent: the operation, and the records in the request or answer."""


class FakeAws:
    """The server, on a free port of 127.0.0.1."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._records: list[dict[str, Any]] = []
        self._created = time.time()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakeAws:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, *records: bytes) -> None:
        """Add the records to the stream."""
        for data in records:
            self._records.append(kinesis_record(len(self._records), "key", data, time.time()))

    def answer(self, operation: str, request: Any) -> tuple[dict[str, Any], int]:
        """The answer, and how many records it or the request has."""
        match operation:
            case "DescribeStreamSummary":
                return {"StreamDescriptionSummary": {"StreamCreationTimestamp": self._created}}, 0
            case "ListShards":
                return {"Shards": [{"ShardId": "shardId-000000000000"}]}, 0
            case "GetShardIterator":
                last = request.get("StartingSequenceNumber")
                return {"ShardIterator": str(int(last) + 1 if last else 0)}, 0
            case "GetRecords":
                return self._page(int(request["ShardIterator"]), request["Limit"])
            case "GetQueueUrl":
                return {"QueueUrl": f"{self.url}/bench"}, 0
            case "SendMessageBatch":
                entries = request["Entries"]
                sent = [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in entries]
                return {"Successful": sent, "Failed": []}, len(entries)
            case "Invoke":
                return {}, len(request)
        return {}, 0

    def _page(self, start: int, limit: int) -> tuple[dict[str, Any], int]:
        found = self._records[start : start + limit]
        following = start + len(found)
        behind = following < len(self._records)
        answer = {
            "Records": found,
            "NextShardIterator": str(following),
            "MillisBehindLatest": int(behind),
        }
        return answer, len(found)


def _handler(aws: FakeAws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._send({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            target = self.headers.get("X-Amz-Target")
            operation = target.rpartition(".")[2] if target else "Invoke"
            answer, records = aws.answer(operation, json.loads(body or b"{}"))
            aws.watch(operation, records)
            self._send(answer)

        def _send(self, answer: Mapping[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def beside(aws: FakeAws) -> Iterator[Servers]:
    """A Pipes service that calls `aws`."""
    with tempfile.TemporaryDirectory(prefix="bench-pipes-") as name:
        folder = Path(name)
        with service(folder, aws.url) as (process, url):
            yield Servers(folder, process, psutil.Process(), aws.url, url)
