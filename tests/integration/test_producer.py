"""The producer against an emulator: as a library, as a command, and as a program."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler as ProxiesOf
from urllib.request import Request, build_opener

import pytest

import producer.cli
from front_door import invoke
from inventory_aws.outbox import MEBIBYTE
from inventory_aws.sender import Accepted, Sender
from producer.generator import Spec, events
from servers import AwsClient
from waiting import eventually

DIRECT = build_opener(ProxiesOf({}))  # whatever the environment of a test says

FOLLOWED = ("--rate", "20")  # Fast, and slow enough for each event to be shown.


@dataclass(frozen=True)
class Stream:
    """A stream of one test."""

    name: str
    kinesis: Any

    def records(self) -> list[dict[str, Any]]:
        """All records, each with its `ShardId`, shard by shard in the order of the shard."""
        shards = self.kinesis.list_shards(StreamName=self.name)["Shards"]
        return [record for shard in shards for record in self._shard(shard["ShardId"])]

    def _shard(self, shard_id: str) -> Iterator[dict[str, Any]]:
        iterator = self.kinesis.get_shard_iterator(
            StreamName=self.name, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while True:
            page = self.kinesis.get_records(ShardIterator=iterator, Limit=10_000)
            yield from ({**record, "ShardId": shard_id} for record in page["Records"])
            if not page["Records"] and page["MillisBehindLatest"] == 0:
                return
            iterator = page["NextShardIterator"]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        assert self.lines[-1]["type"] == "summary"
        return self.lines[-1]


class Call(Enum):
    """What happens to a call."""

    ANSWERED = auto()
    REQUEST_LOST = auto()
    ANSWER_LOST = auto()


def all_answered(number: int) -> Call:
    return Call.ANSWERED


class Proxy(ThreadingHTTPServer):
    """The way to the emulator. A test decides on each PutRecords call, by its number from 1 on."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.target = target
        self.decide: Callable[[int], Call] = all_answered
        self.puts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class ProxyHandler(BaseHTTPRequestHandler):
    server: Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        call = Call.ANSWERED
        if self.headers["X-Amz-Target"].endswith(".PutRecords"):
            self.server.puts += 1
            call = self.server.decide(self.server.puts)
        if call is Call.REQUEST_LOST:
            self.close_connection = True
            return
        request = Request(self.server.target, body, dict(self.headers))  # noqa: S310
        try:
            with DIRECT.open(request) as response:
                status, answer = response.status, response.read()
        except HTTPError as error:
            with error:
                status, answer = error.code, error.read()
        if call is Call.ANSWER_LOST:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stream(aws: AwsClient) -> Stream:
    kinesis = aws("kinesis")
    name = f"producer-{uuid.uuid4().hex}"
    kinesis.create_stream(StreamName=name, ShardCount=3)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    return Stream(name, kinesis)


@pytest.fixture
def proxy(emulator: str) -> Iterator[Proxy]:
    with Proxy(emulator) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def environment(emulator: str, stream: Stream) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PRODUCER_"))}
    return {
        **inherited,
        "HTTP_PROXY": "http://127.0.0.1:9",  # nothing on this machine is asked of a proxy
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": emulator,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "STREAM_NAME": stream.name,
    }


@contextmanager
def started(
    options: Sequence[str], environment: dict[str, str], **streams: Any
) -> Iterator[subprocess.Popen[str]]:
    """`python -m producer`, ended at the latest when the block is left."""
    argv = [sys.executable, "-m", "producer", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.PIPE}
    with subprocess.Popen(argv, env=environment, text=True, **{**pipes, **streams}) as process:
        try:
            yield process
        finally:
            process.kill()


def produce(*options: str, environment: dict[str, str], stdin: str = "") -> Ended:
    """Run the command in this process, which is faster."""
    result = invoke(producer.cli.produce, options, environ=environment, stdin=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)


def end_of(process: subprocess.Popen[str], shown_before: str = "") -> Ended:
    """What the process has written by the time it has ended; `shown_before` is read already."""
    out, err = process.communicate()
    return Ended(process.returncode, shown_before + out, err)


def next_line(process: subprocess.Popen[str], kind: str) -> str:
    """Everything that is written up to and with the next line of that type."""
    assert process.stdout
    read = ""
    for line in process.stdout:
        read += line
        if json.loads(line)["type"] == kind:
            return read
    raise AssertionError(f"ended without a line of type {kind}: {read}")


def by_product(items: Sequence[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    """Partition keys and payloads: the payloads of each key, in order."""
    found: dict[str, list[bytes]] = {}
    for key, payload in items:
        found.setdefault(key, []).append(payload)
    return found


def on_stream(stream: Stream) -> dict[str, list[bytes]]:
    return by_product([(r["PartitionKey"], r["Data"]) for r in stream.records()])


def expected(spec: Spec, count: int) -> dict[str, list[bytes]]:
    return by_product([(e.partition_key, e.payload) for e in islice(events(spec), count)])


def is_one_line(text: str) -> bool:
    return text.startswith("Error: ") and text.count("\n") == 1


def test_a_batch_puts_the_events_of_its_seed_on_the_stream_in_order(
    stream: Stream, environment: dict[str, str]
) -> None:
    options = "--batch --count 3000 --seed 7 --products 1200 --invalid-share 0.1"
    ended = produce(*options.split(), environment=environment)
    assert (ended.code, ended.err) == (0, "")
    spec = Spec(seed=7, products=1200, invalid_share=0.1)
    assert on_stream(stream) == expected(spec, 3000)
    kinds = Counter("invalid" if e.invalid else e.kind for e in islice(events(spec), 3000))
    assert ended.summary["sent"] == 3000
    assert ended.summary["invalid"] == kinds.pop("invalid")
    assert ended.summary["by_type"] == kinds
    assert {line["type"] for line in ended.lines} <= {"progress", "summary"}


def test_each_event_is_shown_with_its_place_on_the_stream(
    stream: Stream, environment: dict[str, str]
) -> None:
    ended = produce(*FOLLOWED, "--count", "5", environment=environment)
    assert [line["type"] for line in ended.lines] == ["event"] * 5 + ["summary"]
    shown = {
        (line["shard_id"], line["sequence_number"], line["partition_key"]): line["event"]
        for line in ended.lines[:-1]
    }
    assert shown == {
        (r["ShardId"], r["SequenceNumber"], r["PartitionKey"]): json.loads(r["Data"])
        for r in stream.records()
    }


def test_a_duration_ends_the_run(stream: Stream, environment: dict[str, str]) -> None:
    ended = produce("--duration", "0.3", "--rate", "50", environment=environment)
    assert ended.code == 0
    assert 1 <= ended.summary["sent"] == len(stream.records())


@pytest.mark.parametrize(("pace", "number"), [((), signal.SIGTERM), (FOLLOWED, signal.SIGINT)])
def test_a_signal_ends_the_run_with_a_summary(
    stream: Stream, environment: dict[str, str], number: int, pace: tuple[str, ...]
) -> None:
    with started(pace, environment) as process:
        shown = next_line(process, "event")
        process.send_signal(number)
        ended = end_of(process, shown)
    assert (ended.code, ended.err) == (0, "")
    assert ended.summary["sent"] == len(stream.records()) >= 1
    assert ended.summary["unconfirmed"] == 0


def test_one_that_stays_is_healthy_after_its_last_event_until_a_signal(
    stream: Stream, environment: dict[str, str], tmp_path: Path
) -> None:
    alive = tmp_path / "alive"
    options = ("--batch", "--count", "1", "--stay", "--heartbeat", str(alive))
    with started(options, environment) as process:
        shown = next_line(process, "summary")
        beat = alive.read_text()
        eventually(lambda: alive.read_text() > beat, timeout=20)
        process.send_signal(signal.SIGTERM)
        ended = end_of(process, shown)
    assert (ended.code, ended.err) == (0, "")
    assert ended.summary["sent"] == len(stream.records()) == 1


def test_a_signal_in_the_middle_of_a_batch_loses_nothing_that_was_taken(
    stream: Stream, environment: dict[str, str], proxy: Proxy
) -> None:
    environment["AWS_ENDPOINT_URL"] = proxy.url
    pid: Future[int] = Future()

    def signal_in_the_second(number: int) -> Call:
        if number == 2:
            os.kill(pid.result(timeout=20), signal.SIGTERM)
        return Call.ANSWERED

    proxy.decide = signal_in_the_second
    with started(["--batch", "--seed", "1"], environment) as process:
        pid.set_result(process.pid)
        ended = end_of(process)
    assert ended.code == 0
    assert "stopping" in [line["type"] for line in ended.lines]
    assert on_stream(stream) == expected(Spec(seed=1), ended.summary["sent"])


def test_after_an_outage_every_event_arrives_in_order(
    stream: Stream, environment: dict[str, str], proxy: Proxy
) -> None:
    environment["AWS_ENDPOINT_URL"] = proxy.url
    proxy.decide = lambda number: Call.REQUEST_LOST if number in (2, 3) else Call.ANSWERED
    options = "--rate 200 --batch --seed 1 --products 10 --count 100"
    ended = produce(*options.split(), environment=environment)
    assert ended.code == 0
    assert "refused" in [line["type"] for line in ended.lines]
    assert ended.summary["refused"] >= 2
    assert ended.summary["sent"] == 100
    assert on_stream(stream) == expected(Spec(seed=1, products=10), 100)


def test_when_an_answer_is_lost_the_event_is_sent_again_under_its_id(
    stream: Stream, environment: dict[str, str], proxy: Proxy
) -> None:
    environment["AWS_ENDPOINT_URL"] = proxy.url
    proxy.decide = lambda number: Call.ANSWER_LOST if number in (2, 3) else Call.ANSWERED
    ended = produce(*FOLLOWED, "--products", "1", "--count", "3", environment=environment)
    assert ended.code == 0
    kinds = [line["type"] for line in ended.lines]
    assert kinds == ["event", "refused", "refused", "event", "event", "summary"]
    ids = [json.loads(record["Data"])["event_id"] for record in stream.records()]
    assert ids == sorted(ids)
    assert len(ids) == 5
    assert len(set(ids)) == ended.summary["sent"] == 3


def test_a_line_without_an_id_has_the_same_id_each_time_it_is_sent(
    stream: Stream, environment: dict[str, str], proxy: Proxy
) -> None:
    environment["AWS_ENDPOINT_URL"] = proxy.url
    proxy.decide = lambda number: Call.ANSWER_LOST if number == 1 else Call.ANSWERED
    kind = '"event_type": "product_quantity_changed"'
    line = f'{{{kind}, "product": {{"product_id": "P4", "quantity_change": -4}}}}'
    assert produce("--from-file", "-", environment=environment, stdin=line).code == 0
    first, again = (record["Data"] for record in stream.records())
    assert first == again
    event_id = json.loads(first)["event_id"]
    assert first.decode() == f'{line[:-1]}, "event_id": "{event_id}"}}'


def test_an_outage_that_lasts_ends_the_run_with_the_number_of_unconfirmed_events(
    stream: Stream, environment: dict[str, str], proxy: Proxy
) -> None:
    environment["AWS_ENDPOINT_URL"] = proxy.url
    proxy.decide = lambda number: Call.REQUEST_LOST if number > 1 else Call.ANSWERED
    ended = produce(*FOLLOWED, "--retry-for", "0.3", environment=environment)
    assert ended.code == 1
    assert is_one_line(ended.err)
    assert ended.summary["unconfirmed"] >= 1
    assert f"Events not confirmed: {ended.summary['unconfirmed']}\n" in ended.err
    assert ended.summary["sent"] == len(stream.records()) == 1


def test_a_second_sigint_stops_at_once_and_tells_how_many_are_unconfirmed(
    stream: Stream, environment: dict[str, str], proxy: Proxy
) -> None:
    environment["AWS_ENDPOINT_URL"] = proxy.url
    proxy.decide = lambda number: Call.REQUEST_LOST if number > 1 else Call.ANSWERED
    with started(["--batch"], environment) as process:
        shown = next_line(process, "refused")
        process.send_signal(signal.SIGINT)
        shown += next_line(process, "stopping")
        process.send_signal(signal.SIGINT)
        ended = end_of(process, shown)
    assert ended.code == 1
    unconfirmed = ended.summary["unconfirmed"]
    assert unconfirmed > 0
    assert is_one_line(ended.err)
    assert ended.err.endswith(f"Stopped at once. Events not confirmed: {unconfirmed}\n")


def test_a_stream_that_is_deleted_during_the_run_ends_it(
    stream: Stream, environment: dict[str, str], proxy: Proxy
) -> None:
    environment["AWS_ENDPOINT_URL"] = proxy.url

    def delete_before_the_second(number: int) -> Call:
        if number == 2:
            stream.kinesis.delete_stream(StreamName=stream.name)
        return Call.ANSWERED

    proxy.decide = delete_before_the_second
    ended = produce(*FOLLOWED, environment=environment)
    assert ended.code == 1
    assert [line["type"] for line in ended.lines] == ["event", "summary"]
    assert is_one_line(ended.err)
    assert stream.name in ended.err


@pytest.mark.parametrize("output", ["text", "jsonl"])
def test_it_ends_quietly_when_nothing_reads_the_output(
    stream: Stream, environment: dict[str, str], output: str
) -> None:
    with started([*FOLLOWED, "--output", output], environment) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.wait() == 128 + signal.SIGPIPE
        assert process.stderr.read() == ""


def test_it_counts_unconfirmed_events_when_nothing_reads_the_output(
    stream: Stream, environment: dict[str, str]
) -> None:
    arguments = ["--batch", "--count", "100000", "--output", "jsonl"]
    with started(arguments, environment) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.wait() == 1
        said = process.stderr.read()
    assert "Stopped because nothing reads the output. Events not confirmed: " in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"STREAM_NAME": "no-such-stream"}, "The stream no-such-stream does not exist at http://"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "Cannot reach Kinesis at http://"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, "Invalid endpoint: nonsense"),
        ({"AWS_DEFAULT_REGION": None}, "No AWS Region"),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "No AWS credentials"),
        ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found"),
        (
            {"PRODUCER_RATE": "fast"},
            "PRODUCER_RATE must be a number above 0, such as 20 (it is 'fast')",
        ),
    ],
)
def test_what_cannot_start_is_one_line_and_exit_2(
    stream: Stream, environment: dict[str, str], changes: dict[str, str | None], text: str
) -> None:
    for name, value in changes.items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value
    ended = produce("--count", "1", environment=environment)
    assert (ended.code, ended.out) == (2, "")
    assert is_one_line(ended.err)
    assert text in ended.err
    assert stream.records() == []


def test_the_lines_of_a_file_are_sent_as_they_are(
    stream: Stream, environment: dict[str, str], tmp_path: Path
) -> None:
    lines = [
        b'{"event_id": "e1",  "product": {"product_id": "P4", "quantity": 1.0}}',
        b'{"event_id": "e2", "product": {"product_id": "P4"}, "text": "\\u001b[2J"}',
        b'"no product"',
    ]
    path = tmp_path / "orders.jsonl"
    path.write_bytes(b"\r\n".join(lines))
    ended = produce("--from-file", str(path), *FOLLOWED, environment=environment)
    assert ended.code == 0
    assert "\x1b" not in ended.out
    arrived = on_stream(stream)
    assert arrived.pop("P4") == lines[:2]
    assert list(arrived.values()) == [lines[2:]]


def test_a_broken_line_stops_a_file_before_anything_is_sent(
    stream: Stream, environment: dict[str, str]
) -> None:
    text = '{"event_id": "e1", "product": {"product_id": "P4"}}\n{"product": \n'
    ended = produce("--from-file", "-", environment=environment, stdin=text)
    assert ended.code == 2
    assert is_one_line(ended.err)
    assert "stdin:2: invalid JSON: Expecting value, column 13" in ended.err
    assert stream.records() == []

    options = ["--from-file", "-", "--send-broken", *FOLLOWED]
    ended = produce(*options, environment=environment, stdin=text)
    assert ended.code == 0
    assert sorted(r["Data"] for r in stream.records()) == sorted(text.encode().splitlines())


def test_the_largest_records_are_taken_within_the_limits_of_a_call(
    stream: Stream, environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "large.jsonl"
    lines = [
        f'{{"event_id": "e", "product": {{"product_id": "P{n}"}}}}'.ljust(MEBIBYTE - 2).encode()
        for n in range(7)
    ]
    path.write_bytes(b"\n".join(lines))
    ended = produce("--from-file", str(path), "--batch", environment=environment)
    assert (ended.code, ended.summary["sent"]) == (0, 7)
    assert sorted(r["Data"] for r in stream.records()) == lines


def test_on_a_terminal_events_and_the_summary_are_text(
    stream: Stream, environment: dict[str, str]
) -> None:
    controller, terminal = pty.openpty()
    environment["TERM"] = "xterm"
    options = ["--count", "3", *FOLLOWED]
    with started(options, environment, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        written = b""
        with suppress(OSError):  # EIO: the process has closed its end.
            while chunk := os.read(controller, 65_536):
                written += chunk
        os.close(controller)
        assert process.wait() == 0
    for record in stream.records():
        product = json.loads(record["Data"])["product"]
        assert product["product_id"].encode() in written
        assert record["SequenceNumber"].encode() in written
    assert b"3 events sent to " in written


def test_as_a_library_it_reports_what_the_stream_has_accepted(stream: Stream) -> None:
    accepted: list[Accepted] = []
    sender = Sender(
        stream.kinesis, stream.name, on_accepted=accepted.append, clock=monotonic, wait=sleep
    )
    start = monotonic()
    sender.send(islice(events(Spec(seed=1, products=50, invalid_share=0.2)), 700))
    assert {(a.shard_id, a.sequence_number, a.event.payload) for a in accepted} == {
        (r["ShardId"], r["SequenceNumber"], r["Data"]) for r in stream.records()
    }
    assert len(accepted) == 700
    assert all(start <= a.sent_at <= a.accepted_at <= monotonic() for a in accepted)
