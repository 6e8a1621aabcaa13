"""Section "Logs and metrics" of the semantics: what is told of a pipe, and to whom.

Beside MiniStack: its CloudWatch Logs and its CloudWatch, the service's own /metrics and /health,
and the lines of its log. A pipe of these tests runs from a Kinesis stream, through an enrichment
in some, to a function.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipes_conformance import Queue, Stream, arn, handled, pipes_of, refused, whole
from pipes_functions import Event, Functions
from pipes_service import ACCOUNT, PipesProcess, in_state, make_function, pipes_process, unique
from servers import AwsClient
from waiting import eventually

Members = dict[str, Any]


@pytest.fixture(scope="module")
def pipes(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    """A service that tells much, and soon."""
    process = PipesProcess(emulator, tmp_path_factory.mktemp("watched") / "state")
    try:
        process.start("--metrics-interval", "0.1", "--log-format", "json", "--log-level", "debug")
        yield process
    finally:
        process.stop()


@pytest.fixture
def source(aws: AwsClient, name: str) -> Stream:
    return Stream(aws, name)


@pytest.fixture(scope="module")
def log_group(aws: AwsClient) -> str:
    """Its name; pipes have log streams of their own in it."""
    group = f"/aws/vendedlogs/pipes/{unique('test_log_group')}"
    aws("logs").create_log_group(logGroupName=group)
    return group


def log_to(group: str, level: str, *data: str) -> Members:
    destination = {"LogGroupArn": arn("logs", f"log-group:{group}")}
    return {
        "LogConfiguration": {
            "Level": level,
            "CloudwatchLogsLogDestination": destination,
            **({"IncludeExecutionData": list(data)} if data else {}),
        }
    }


def pipe(source: Stream, target: str, *, retries: int = 0, **members: Any) -> Members:
    parameters = {"KinesisStreamParameters": {"MaximumRetryAttempts": retries}}
    return {
        "Name": source.name,
        "Source": source.arn,
        "SourceParameters": parameters,
        "Target": target,
        **members,
    }


def what_it_says(event: Event) -> Any:
    """How the target ends, which the first record says."""
    words = [json.loads(record["text"]) for record in event]
    match words[0]:
        case "raise":
            raise ValueError("the function says no")
        case "partly":
            return {"batchItemFailures": [{"itemIdentifier": event[1]["eventID"]}]}
    return None


# The execution log

ENTERED = [
    "ExecutionStarted",
    "EnrichmentStageEntered",
    "EnrichmentTransformationStarted",
    "EnrichmentTransformationSucceeded",
    "EnrichmentInvocationStarted",
]
ENRICHED = [
    *ENTERED,
    "EnrichmentInvocationSucceeded",
    "EnrichmentStageSucceeded",
    "TargetStageEntered",
    "TargetTransformationStarted",
    "TargetTransformationSucceeded",
    "TargetInvocationStarted",
]
STEPS = {
    "take": [*ENRICHED, "TargetInvocationSucceeded", "TargetStageSucceeded", "ExecutionSucceeded"],
    "raise": [*ENRICHED, "TargetInvocationFailed", "TargetStageFailed", "ExecutionFailed"],
    "partly": [
        *ENRICHED,
        "TargetInvocationPartiallyFailed",
        "TargetStagePartiallyFailed",
        "ExecutionPartiallyFailed",
    ],
    "nothing": [
        *ENTERED,
        "EnrichmentInvocationSucceeded",
        "EnrichmentStageSucceeded",
        "TargetStageSkipped",
        "ExecutionSucceeded",
    ],
    "unenriched": [
        *ENTERED,
        "EnrichmentInvocationFailed",
        "EnrichmentStageFailed",
        "ExecutionFailed",
    ],
}
"""The steps of an execution, by what the records have as their word.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-logs.html"""

AT_INFO = {
    "ExecutionStarted",
    "ExecutionSucceeded",
    "EnrichmentStageEntered",
    "EnrichmentStageSucceeded",
    "TargetStageEntered",
    "TargetStageSucceeded",
}


def level_of(step: str) -> str:
    if step.endswith("Failed"):
        return "ERROR"
    return "INFO" if step in AT_INFO else "TRACE"


TOLD_AT = {"ERROR": ["ERROR"], "INFO": ["ERROR", "INFO"], "TRACE": ["ERROR", "INFO", "TRACE"]}


def enrich(event: Event) -> Any:
    match event[0]["word"]:
        case "nothing":
            return []
        case "unenriched":
            raise ValueError("the enrichment says no")
    return [{**record, "text": json.dumps(record["word"])} for record in event]


BEFORE = (
    '{"eventID": <$.eventID>, "eventSourceARN": <$.eventSourceARN>, "word": <$.data.word>, '
    '"fill": <$.data.fill>}'
)
AFTER = '{"eventID": <$.eventID>, "eventSourceARN": <$.eventSourceARN>, "text": <$.text>}'


def logged(aws: AwsClient, group: str, stream: str) -> list[Members]:
    """What is in a log stream; nothing when it is not there."""
    logs = aws("logs")
    try:
        found = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [json.loads(event["message"]) for event in found["events"]]


def at_least(count: int, found: list[Any]) -> list[Any]:
    assert len(found) >= count, found
    return found


TellOf = Callable[..., list[Members]]


@pytest.fixture
def tell_of(
    aws: AwsClient,
    pipes: PipesProcess,
    enrichments: Functions,
    functions: Functions,
    source: Stream,
    log_group: str,
) -> TellOf:
    """`tell_of(["take", "raise"], "INFO", count=5)` runs a batch of two records for each of the
    words, and returns the execution log once there is so much in it.
    """

    def run(words: list[str], level: str, *data: str, count: int, fill: str = "") -> list[Members]:
        with (
            enrichments.of(source.name, enrich) as enrichment,
            functions.of(source.name, what_it_says) as target,
        ):
            definition = pipe(
                source,
                target.arn,
                Enrichment=enrichment.arn,
                EnrichmentParameters={"InputTemplate": BEFORE},
                TargetParameters={"InputTemplate": AFTER},
                **log_to(log_group, level, *data),
            )
            with pipes_of(pipes, [definition]):
                for number, word in enumerate(words, start=1):
                    source.put_json(*[{"word": word, "fill": fill}] * 2)
                    handled(pipes, {source.name: 2 * number})
                return eventually(lambda: at_least(count, logged(aws, log_group, source.name)))

    return run


@pytest.mark.parametrize("level", TOLD_AT)
def test_each_level_tells_its_own_steps_and_those_of_the_levels_before(
    tell_of: TellOf, source: Stream, level: str
) -> None:
    expected = [[step for step in of if level_of(step) in TOLD_AT[level]] for of in STEPS.values()]
    log = tell_of(list(STEPS), level, count=sum(map(len, expected)))
    executions: dict[str, list[str]] = {}
    for record in log:
        executions.setdefault(record["executionId"], []).append(record["messageType"])
        assert record["logLevel"] == level_of(record["messageType"])
        assert record["resourceArn"] == arn("pipes", f"pipe/{source.name}")
        assert not DATA & record.keys()
    assert list(executions.values()) == [steps for steps in expected if steps]
    times = [record["timestamp"] for record in log]
    assert times == sorted(times)
    assert abs(times[-1] / 1000 - datetime.now(UTC).timestamp()) < 60


DATA = {"payload", "awsRequest", "awsResponse"}
SHOWN = {
    "ExecutionStarted": {"payload"},
    "EnrichmentTransformationSucceeded": {"payload"},
    "EnrichmentInvocationSucceeded": {"awsRequest", "awsResponse"},
    "EnrichmentInvocationFailed": {"awsRequest", "awsResponse"},
    "EnrichmentStageSucceeded": {"payload"},
    "TargetTransformationSucceeded": {"payload"},
    "TargetInvocationSucceeded": {"awsRequest", "awsResponse"},
    "TargetInvocationPartiallyFailed": {"awsRequest", "awsResponse"},
    "TargetInvocationFailed": {"awsRequest", "awsResponse"},
    "TargetStageSucceeded": {"payload"},
}


def test_with_execution_data_the_steps_show_what_went_through_them(
    tell_of: TellOf, source: Stream
) -> None:
    log = tell_of(list(STEPS), "TRACE", "ALL", count=sum(map(len, STEPS.values())))
    for record in log:
        assert DATA & record.keys() == SHOWN.get(record["messageType"], set())
    first = {record["messageType"]: record for record in log[: len(STEPS["take"])]}
    payloads = {step: json.loads(r["payload"]) for step, r in first.items() if "payload" in r}
    started = payloads["ExecutionStarted"]
    assert [each["eventSourceARN"] for each in started] == [source.arn] * 2
    ids = [each["eventID"] for each in started]
    template = [{"eventID": id_, "eventSourceARN": source.arn} for id_ in ids]
    to_enrichment = [each | {"word": "take", "fill": ""} for each in template]
    to_target = [each | {"text": '"take"'} for each in template]
    assert payloads["EnrichmentTransformationSucceeded"] == to_enrichment
    assert payloads["TargetTransformationSucceeded"] == to_target
    request = json.loads(first["TargetInvocationSucceeded"]["awsRequest"])
    response = json.loads(first["TargetInvocationSucceeded"]["awsResponse"])
    assert json.loads(request["Payload"]) == to_target
    assert response["Payload"] == "null"


def test_what_went_wrong_is_in_the_log(tell_of: TellOf) -> None:
    (called, stage, execution) = tell_of(["raise"], "ERROR", count=3)
    error = called["error"]
    assert called["messageType"] == "TargetInvocationFailed"
    assert error["awsService"] == "lambda"
    assert error["httpStatusCode"] == 200
    assert error["requestId"]
    assert "the function says no" in error["message"]
    assert error["details"]
    assert stage["error"] == execution["error"] == error


def test_a_target_that_is_gone_is_in_the_log(
    aws: AwsClient, pipes: PipesProcess, source: Stream, log_group: str
) -> None:
    queue = Queue(aws, f"{source.name}-gone")
    definition = pipe(source, queue.arn, **log_to(log_group, "ERROR"))
    with pipes_of(pipes, [definition]):
        in_state(pipes.client(), source.name, "RUNNING")
        aws("sqs").delete_queue(QueueUrl=queue.url)
        source.put_json({})
        (called, *_) = eventually(lambda: logged(aws, log_group, source.name))
    assert called["messageType"] == "TargetInvocationFailed"
    assert called["error"]["awsService"] == "sqs"
    assert called["error"]["httpStatusCode"] == 400
    assert called["error"]["details"].endswith("NonExistentQueue")
    assert called["error"]["requestId"]


def test_long_fields_are_cut_and_named(tell_of: TellOf) -> None:
    """To 256 KB a record; what is left is the beginning."""
    fill = "x" * 150_000
    log = tell_of(["take"], "TRACE", "ALL", count=len(STEPS["take"]), fill=fill)
    for record in log:
        size = len(json.dumps(record, separators=(",", ":")))
        cut = record["truncatedFields"]
        if record["messageType"] in ("ExecutionStarted", "EnrichmentTransformationSucceeded"):
            assert cut == ["payload"]
            assert record["payload"].startswith("[{")
            assert 255 * 1024 < size <= 256 * 1024
        elif record["messageType"] == "EnrichmentInvocationSucceeded":
            assert cut[0] == "awsRequest"
            assert 255 * 1024 < size <= 256 * 1024
        elif "payload" not in record:
            assert not cut


def test_a_pipe_whose_log_is_off_tells_nothing(
    aws: AwsClient, pipes: PipesProcess, functions: Functions, source: Stream, log_group: str
) -> None:
    """Another one fails at the same time, and tells it."""
    source.put_json({})
    with functions.of(source.name, raises) as target:
        off = pipe(source, target.arn, **log_to(log_group, "OFF"))
        on = pipe(source, target.arn, **log_to(log_group, "ERROR")) | {"Name": f"{source.name}-on"}
        with pipes_of(pipes, [off, on]):
            handled(pipes, {off["Name"]: 1, on["Name"]: 1})
            assert eventually(lambda: logged(aws, log_group, on["Name"]))
    assert logged(aws, log_group, off["Name"]) == []


def raises(event: Event) -> Any:
    raise ValueError("the function says no")


def test_throttling_is_in_the_log_and_no_attempt(
    aws: AwsClient, pipes: PipesProcess, source: Stream, log_group: str
) -> None:
    """Nothing is given up on, although there is to be no retry."""
    function = make_function(aws, source.name, "def handler(event, context): pass")
    aws("lambda").put_function_concurrency(FunctionName=source.name, ReservedConcurrentExecutions=0)
    source.put_json({}, {})
    with pipes_of(pipes, [pipe(source, function, **log_to(log_group, "ERROR"))]):
        *_, execution = eventually(lambda: at_least(3, logged(aws, log_group, source.name))[:3])
        assert execution["messageType"] == "ExecutionThrottled"
        assert execution["error"]["httpStatusCode"] == 429
        aws("lambda").delete_function_concurrency(FunctionName=source.name)
        counted = handled(pipes, {source.name: 2})[source.name]
        assert (counted["delivered"], counted["dropped"]) == (2, 0)
        assert eventually(lambda: summed(aws, source.name, "ExecutionThrottled"))
    assert summed(aws, source.name, "ExecutionFailed") == 0


FIREHOSE = {"DeliveryStreamArn": arn("firehose", "deliverystream/d")}
S3 = {"BucketName": "logs", "BucketOwner": ACCOUNT}


@pytest.mark.parametrize(
    ("configuration", "field", "words"),
    [
        (
            {"FirehoseLogDestination": FIREHOSE},
            ".firehoseLogDestination",
            "FirehoseLogDestination is not supported",
        ),
        ({"S3LogDestination": S3}, ".s3LogDestination", "S3LogDestination is not supported"),
        ({}, "", "needs a destination"),
    ],
    ids=["Firehose", "S3", "none"],
)
def test_a_log_that_goes_nowhere_is_refused(
    pipes: PipesProcess, configuration: Members, field: str, words: str
) -> None:
    source, function = arn("kinesis", "stream/nothing"), arn("lambda", "function:nothing")
    definition = whole({"Name": "refused", "Source": source, "Target": function})
    definition["LogConfiguration"] = {"Level": "INFO", **configuration}
    told = dict(refused(pipes, definition))
    assert words in told[f"logConfiguration{field}"]


# CloudWatch


def statistics(aws: AwsClient, metric: str, **dimension: str) -> Members:
    """Sum and SampleCount of a metric over the last hour, both 0 when there is none."""
    ((name, value),) = dimension.items()
    now = datetime.now(UTC)
    found = aws("cloudwatch").get_metric_statistics(
        Namespace="AWS/EventBridge/Pipes",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=86400,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return {of: sum(point[of] for point in found) for of in ("Sum", "SampleCount")}


def summed(aws: AwsClient, pipe_name: str, metric: str) -> float:
    total: float = statistics(aws, metric, PipeName=pipe_name)["Sum"]
    return total


def test_the_metrics_of_a_pipe_are_in_cloudwatch(
    aws: AwsClient, pipes: PipesProcess, tell_of: TellOf, source: Stream
) -> None:
    """One execution of two records for each of the words."""
    tell_of(list(STEPS), "ERROR", count=1)

    def of(metric: str) -> Members:
        return statistics(aws, metric, PipeName=source.name)

    assert eventually(lambda: of("Invocations")["Sum"] == 5)
    assert of("EventCount") == {"Sum": 10, "SampleCount": 5}
    counts = {
        metric: of(metric)["Sum"]
        for metric in (
            "ExecutionFailed",
            "ExecutionPartiallyFailed",
            "ExecutionThrottled",
            "ExecutionTimeout",
            "EnrichmentStageFailed",
            "TargetStageFailed",
            "TargetStagePartiallyFailed",
            "TargetStageSkipped",
        )
    }
    assert counts == {
        "ExecutionFailed": 2,
        "ExecutionPartiallyFailed": 1,
        "ExecutionThrottled": 0,
        "ExecutionTimeout": 0,
        "EnrichmentStageFailed": 1,
        "TargetStageFailed": 1,
        "TargetStagePartiallyFailed": 1,
        "TargetStageSkipped": 1,
    }
    entered = {"Duration": 5, "EnrichmentStageDuration": 5, "TargetStageDuration": 3}
    for metric, times in entered.items():
        assert of(metric)["SampleCount"] == times
        assert of(metric)["Sum"] > 0
    data = [len(base64.b64encode(record["Data"])) for record in source.records()]
    assert sum(data) < of("EventSize")["Sum"] < sum(data) + 10 * 1000
    account = statistics(aws, "Invocations", AwsAccountId=ACCOUNT)
    assert account["Sum"] >= 5
    assert statistics(aws, "Concurrency", AwsAccountId=ACCOUNT)["SampleCount"] > 0


# /metrics and /health


def samples(process: PipesProcess, name: str) -> dict[tuple[str, ...], float]:
    """What /metrics has of a pipe, by the metric's name and its other labels' values."""
    with urllib.request.urlopen(f"{process.url}/metrics") as answer:  # noqa: S310
        assert answer.headers["Content-Type"].startswith("text/plain")
        text = answer.read().decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            of_pipe = ("pipe", "account", "region")
            others = [value for label, value in sample.labels.items() if label not in of_pipe]
            if sample.labels.get("pipe") == name and not sample.name.endswith("_created"):
                short = sample.name.removeprefix("eventbridge_pipes_")
                found[short, *others] = sample.value
    return found


def test_the_counters_tell_what_became_of_the_records(
    aws: AwsClient, pipes: PipesProcess, functions: Functions, source: Stream
) -> None:
    letters = Queue(aws, f"{source.name}-letters")
    policy = {"MaximumRetryAttempts": 1, "DeadLetterConfig": {"Arn": letters.arn}}
    source.put_json({"n": 0}, {"n": 1}, {"n": 2}, {"left": "out"})

    def the_second(event: Event) -> Any:
        number = event[1 if len(event) > 1 else 0]["eventID"]
        return {"batchItemFailures": [{"itemIdentifier": number}]}

    with functions.of(source.name, the_second) as target:
        definition = pipe(source, target.arn)
        definition["SourceParameters"] = {
            "KinesisStreamParameters": policy,
            "FilterCriteria": {"Filters": [{"Pattern": '{"data": {"n": [{"exists": true}]}}'}]},
        }
        with pipes_of(pipes, [definition]):
            letters.received(1)
            handled(pipes, {source.name: 4})
            found = samples(pipes, source.name)
        assert eventually(lambda: not samples(pipes, source.name))
    assert {key: value for key, value in found.items() if value} == {
        ("records_read_total",): 4,
        ("records_filtered_total",): 1,
        ("records_delivered_total",): 2,
        ("records_failed_total",): 2,
        ("records_dead_lettered_total",): 1,
        ("executions_total", "partially_failed"): 1,
        ("executions_total", "failed"): 1,
        ("pipe_state", "RUNNING"): 1,
    }
    assert ("shard_lag_seconds", "shardId-000000000000") in found


def test_each_shard_has_a_lag_of_its_own(
    aws: AwsClient, pipes: PipesProcess, functions: Functions, name: str
) -> None:
    source, released = Stream(aws, name, shards=2), threading.Event()

    def waits(event: Event) -> None:
        released.wait(30)

    with functions.of(name, waits) as function, pipes_of(pipes, [pipe(source, function.arn)]):
        source.put_data([(b"{}", "k")], place=2**128 - 1)
        function.invoked(1)
        first, second = (("shard_lag_seconds", f"shardId-00000000000{n}") for n in (0, 1))
        found = eventually(lambda: late(samples(pipes, name), second))
        assert found["batches_in_flight",] == 1
        assert eventually(lambda: first in samples(pipes, name))
        assert eventually(lambda: samples(pipes, name)[first] == 0)
        assert samples(pipes, name)[second] > 0
        released.set()
        assert eventually(lambda: samples(pipes, name)[second] == 0)
        assert eventually(lambda: samples(pipes, name)["batches_in_flight",] == 0)


def late(found: dict[tuple[str, ...], float], shard: tuple[str, str]) -> Any:
    assert found.get(shard, 0) > 0, found
    return found


def test_health_counts_the_pipes_by_their_states(
    emulator: str, source: Stream, tmp_path: Path
) -> None:
    with pipes_process(emulator, tmp_path / "state") as process:
        client = process.client()
        running = pipe(source, source.arn, **source.signed("k"))
        client.create_pipe(**whole(running))
        client.create_pipe(**whole(running | {"Name": "stopped"}), DesiredState="STOPPED")
        absent = source.signed("k") | {"Target": source.arn + "-absent"}
        client.create_pipe(**whole(running | absent | {"Name": "failed"}))
        in_state(client, source.name, "RUNNING")
        in_state(client, "stopped", "STOPPED")
        in_state(client, "failed", "CREATE_FAILED")
        with urllib.request.urlopen(f"{process.url}/health") as answer:  # noqa: S310
            health = json.load(answer)
    states = {"CREATE_FAILED": 1, "RUNNING": 1, "STOPPED": 1}
    assert health == {"status": "ok", "pipes": states}


# The service's own log

HOSTILE = "no\n2024-01-01T00:00:00.000Z INFO    forged\x1b[31m\u2028line"
"""What a function may say; in a log it would look like lines of its own."""

LIFE = [
    "started: ",
    "reading shard ",
    "batch of 2 ",
    "retrying 2 records of shardId-000000000000 (try 1 failed: ",
    "gave up on 2 records of shardId-000000000000, ",
    "stopped",
    "deleted",
]
"""How lines begin, in the order in which they have to be there."""


def live(pipes: PipesProcess, functions: Functions, source: Stream) -> None:
    """A pipe is made, fails with its batch twice, gives up on it, is stopped, and deleted."""

    def says(event: Event) -> Any:
        raise ValueError(HOSTILE)

    source.put_json({}, {})
    client = pipes.client()
    with (
        functions.of(source.name, says) as target,
        pipes_of(pipes, [pipe(source, target.arn, retries=1)]),
    ):
        handled(pipes, {source.name: 2})
        client.stop_pipe(Name=source.name)
        in_state(client, source.name, "STOPPED")
    eventually(lambda: re.search(f"{source.name}.*deleted", pipes.log.read_text()))


def lived(messages: list[str]) -> bool:
    """Whether among the messages are those that LIFE has, in its order."""
    rest = iter(messages)
    return all(any(message.startswith(start) for message in rest) for start in LIFE)


def test_the_log_tells_an_event_a_line_in_json(
    pipes: PipesProcess, functions: Functions, source: Stream
) -> None:
    live(pipes, functions, source)
    lines = [json.loads(line) for line in pipes.log.read_text().splitlines()]
    for line in lines:
        assert {"time", "level", "message"} <= line.keys() <= {*line, "pipe", "exception"}
        assert datetime.fromisoformat(line["time"]).tzinfo
        assert line["level"] in ("DEBUG", "INFO", "WARNING", "ERROR")
    own = [line["message"] for line in lines if line.get("pipe") == source.name]
    assert lived(own), own
    assert any(HOSTILE in message for message in own)


def test_the_log_tells_an_event_a_line_in_text(
    emulator: str, functions: Functions, source: Stream, tmp_path: Path
) -> None:
    """What comes from outside neither breaks a line nor colours it."""
    process = PipesProcess(emulator, tmp_path / "state")
    try:
        process.start("--log-level", "debug")
        live(process, functions, source)
    finally:
        process.stop()
    lines = process.log.read_text().splitlines()
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) +(.*)")
    told = [matched[2] for line in lines if (matched := form.fullmatch(line))]
    assert len(told) == len(lines)
    own = [text.removeprefix(f"{source.name}: ") for text in told if source.name in text]
    assert lived(own), own
    assert not any(text.startswith("forged") or "\x1b" in text for text in told)
