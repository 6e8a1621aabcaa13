"""Each target's calls, against botocore's models of the services: no network."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.parsers import ResponseParserError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import DirectClient
from eventbridge_pipes.outcome import SUCCEEDED, Outcome
from eventbridge_pipes.targets import log_group
from eventbridge_pipes.targets.target import Answer
from pipes_targets import STARTED, Seen, Unseen, message, messages, pipe_to, target_to, text

ACCOUNT = "us-east-1:000000000000"
QUEUE = f"arn:aws:sqs:{ACCOUNT}:orders"
FIFO = f"arn:aws:sqs:{ACCOUNT}:orders.fifo"
TOPIC = f"arn:aws:sns:{ACCOUNT}:orders"
STREAM = f"arn:aws:kinesis:{ACCOUNT}:stream/orders"
BUS = f"arn:aws:events:{ACCOUNT}:event-bus/orders"
GROUP = f"arn:aws:logs:{ACCOUNT}:log-group:/aws/orders:*"
MACHINE = f"arn:aws:states:{ACCOUNT}:stateMachine:orders"
FUNCTION = f"arn:aws:lambda:{ACCOUNT}:function:orders:live"
URL = "https://queue/orders"


class Service(Stubber):
    """A client of botocore's that answers what the test says, and checks what it is asked."""

    client: Any


Stub = Callable[[str], Service]


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    return boto3.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )


@pytest.fixture
def stub(session: boto3.Session) -> Iterator[Stub]:
    """`stub("sqs")` stands in for a service; all that it expects must have been asked."""
    made: list[Service] = []

    def of(service: Any) -> Service:
        stubber = Service(session.client(service))
        stubber.activate()
        made.append(stubber)
        return stubber

    yield of
    for stubber in made:
        stubber.assert_no_pending_responses()


def failed(answer: Answer) -> bool:
    return isinstance(answer, Outcome) and bool(answer.failed) and not answer.service_error


def met_service_error(answer: Answer) -> bool:
    return isinstance(answer, Outcome) and answer.service_error


def of(service: Service) -> Any:
    """Clients that are all this one."""
    client = service.client
    names = ("sns", "kinesis", "events", "logs", "stepfunctions", "invoker")
    return SimpleNamespace(sqs_calls=DirectClient(client, None), **dict.fromkeys(names, client))


def expect_url(sqs: Service, queue: str = QUEUE) -> None:
    asked = {"QueueName": Arn.parse(queue).resource, "QueueOwnerAWSAccountId": "000000000000"}
    sqs.add_response("get_queue_url", {"QueueUrl": URL}, asked)


def succeeded(id_: str) -> dict[str, str]:
    return {"Id": id_, "MessageId": "m", "MD5OfMessageBody": "0"}


def expect_batch(sqs: Service, *entries: dict[str, str], **answer: Any) -> None:
    numbered = [{"Id": str(place), **entry} for place, entry in enumerate(entries)]
    failed = {entry["Id"] for entry in answer.get("Failed", ())}
    successful = [succeeded(e["Id"]) for e in numbered if e["Id"] not in failed]
    taken = {"Successful": successful, "Failed": [], **answer}
    sqs.add_response("send_message_batch", taken, {"QueueUrl": URL, "Entries": numbered})


def test_messages_go_to_a_queue_and_its_url_is_asked_for_once(stub: Stub) -> None:
    sqs = stub("sqs")
    expect_url(sqs)
    expect_batch(sqs, {"MessageBody": '{"a": 1}'}, {"MessageBody": "plain"})
    expect_batch(sqs, {"MessageBody": "again"})
    target = target_to(of(sqs), QUEUE, {})
    assert target([message({"a": 1}), text("plain")], Unseen()) == SUCCEEDED
    assert target([text("again")], Unseen()) == SUCCEEDED


def test_group_and_deduplication_id_are_texts_or_paths(stub: Stub) -> None:
    sqs = stub("sqs")
    expect_url(sqs, FIFO)
    expect_batch(
        sqs,
        {
            "MessageBody": '{"id": 7}',
            "MessageGroupId": "all",
            "MessageDeduplicationId": "7",
        },
    )
    parameters = {"MessageGroupId": "all", "MessageDeduplicationId": "$.id"}
    answer = target_to(of(sqs), FIFO, parameters)(messages({"id": 7}, {}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset({1})
    assert "$.id" in answer.reason


def test_a_queue_tells_which_entries_it_refused(stub: Stub) -> None:
    sqs = stub("sqs")
    expect_url(sqs)
    refused = {"Id": "1", "SenderFault": True, "Code": "InvalidMessageContents", "Message": "why"}
    expect_batch(sqs, *[{"MessageBody": "{}"}] * 3, Failed=[refused])
    answer = target_to(of(sqs), QUEUE, {})(messages({}, {}, {}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset({1})
    assert answer.reason == "InvalidMessageContents: why"


def test_an_entry_that_the_queue_is_to_blame_for_meets_a_fault(stub: Stub) -> None:
    sqs = stub("sqs")
    expect_url(sqs)
    refused = {"Id": "0", "SenderFault": False, "Code": "InternalError"}
    expect_batch(sqs, *[{"MessageBody": "{}"}] * 2, Failed=[refused])
    answer = target_to(of(sqs), QUEUE, {})(messages({}, {}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.service_error
    assert answer.failed == frozenset({0})


@pytest.mark.parametrize(("queue", "failed"), [(FIFO, {0, 10}), (QUEUE, {0})])
def test_only_in_a_fifo_queue_a_refused_message_holds_its_group_back(
    stub: Stub, queue: str, failed: set[int]
) -> None:
    sqs = stub("sqs")
    expect_url(sqs, queue)
    entry = {"MessageBody": "{}", "MessageGroupId": "all"}
    refused = {"Id": "0", "SenderFault": True, "Code": "InvalidMessageContents"}
    expect_batch(sqs, *[entry] * 10, Failed=[refused])
    if 10 not in failed:
        expect_batch(sqs, entry)
    target = target_to(of(sqs), queue, {"MessageGroupId": "all"})
    answer = target(messages(*[{}] * 11), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == failed


def test_the_url_of_a_queue_that_went_away_is_asked_for_again(stub: Stub) -> None:
    sqs = stub("sqs")
    expect_url(sqs)
    sqs.add_client_error(
        "send_message_batch", "AWS.SimpleQueueService.NonExistentQueue", http_status_code=400
    )
    expect_url(sqs)
    expect_batch(sqs, {"MessageBody": "{}"})
    target = target_to(of(sqs), QUEUE, {})
    assert failed(target(messages({}), Unseen()))
    assert target(messages({}), Unseen()) == SUCCEEDED


def test_messages_go_to_a_topic(stub: Stub) -> None:
    sns = stub("sns")
    sns.add_response(
        "publish_batch",
        {
            "Successful": [{"Id": "1"}],
            "Failed": [{"Id": "0", "SenderFault": True, "Code": "InvalidParameter"}],
        },
        {
            "TopicArn": TOPIC,
            "PublishBatchRequestEntries": [
                {"Id": "0", "Message": "{}"},
                {"Id": "1", "Message": "plain"},
            ],
        },
    )
    answer = target_to(of(sns), TOPIC)([message({}), text("plain")], Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset({0})


def test_a_large_message_goes_to_the_topic_alone(stub: Stub) -> None:
    sns, large = stub("sns"), "x" * (256 * 1024 + 1)
    for body in ("a", large, "b"):
        entries = [{"Id": "0", "Message": body}]
        asked = {"TopicArn": TOPIC, "PublishBatchRequestEntries": entries}
        sns.add_response("publish_batch", {"Successful": [{"Id": "0"}]}, asked)
    sent = [text("a"), text(large), text("b")]
    assert target_to(of(sns), TOPIC)(sent, Unseen()) == SUCCEEDED


def test_records_go_to_a_stream_and_throttled_ones_meet_a_fault(stub: Stub) -> None:
    kinesis = stub("kinesis")
    throttled = {
        "ErrorCode": "ProvisionedThroughputExceededException",
        "ErrorMessage": "Rate exceeded",
    }
    kinesis.add_response(
        "put_records",
        {"FailedRecordCount": 1, "Records": [{"SequenceNumber": "1"}, throttled]},
        {
            "StreamARN": STREAM,
            "Records": [
                {"Data": '{"key": "a"}', "PartitionKey": "a"},
                {"Data": '{"key": 2}', "PartitionKey": "2"},
            ],
        },
    )
    target = target_to(of(kinesis), STREAM, {"PartitionKey": "$.key"})
    answer = target(messages({"key": "a"}, {"key": 2}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.service_error
    assert answer.failed == frozenset({1})
    assert answer.error
    assert answer.error.throttled


@pytest.mark.parametrize("key", ["", "k" * 257])
def test_a_partition_key_that_kinesis_does_not_know_fails_its_message(stub: Stub, key: str) -> None:
    answer = target_to(of(stub("kinesis")), STREAM, {"PartitionKey": "$.key"})(
        messages({"key": key}), Unseen()
    )
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert "partition key" in answer.reason


def put_events(stub: Stub, *entries: dict[str, Any], results: list[Any] | None = None) -> Service:
    events = stub("events")
    whole = [{"EventBusName": BUS, **entry} for entry in entries]
    results = results or [{"EventId": "1"} for _ in entries]
    answer = {"FailedEntryCount": 0, "Entries": results}
    events.add_response("put_events", answer, {"Entries": whole})
    return events


def test_an_event_has_the_source_and_type_that_aws_gives_it(stub: Stub) -> None:
    events = put_events(
        stub,
        {"Source": "Pipe mine", "DetailType": "Event from aws:kinesis", "Detail": '{"a": 1}'},
    )
    target = target_to(of(events), BUS, {})
    assert target(messages({"a": 1}), Unseen()) == SUCCEEDED


def test_an_events_members_are_texts_or_paths(stub: Stub) -> None:
    event = {"kind": "sale", "at": "2024-05-01T10:00:00Z", "arn": "arn:x"}
    events = put_events(
        stub,
        {
            "Source": "shop",
            "DetailType": "sale",
            "Detail": json.dumps(event),
            "Resources": ["arn:x", "arn:y"],
            "Time": "2024-05-01T10:00:00Z",
        },
    )
    parameters = {
        "Source": "shop",
        "DetailType": "$.kind",
        "Resources": ["$.arn", "arn:y"],
        "Time": "$.at",
    }
    target = target_to(of(events), BUS, parameters)
    assert target(messages(event), Unseen()) == SUCCEEDED


@pytest.mark.parametrize("at", ["yesterday", "2024-05-01T10:00:00", 1714557600])
def test_a_time_that_is_not_rfc_3339_fails_its_message(stub: Stub, at: Any) -> None:
    target = target_to(of(stub("events")), BUS, {"Time": "$.at"})
    assert failed(target(messages({"at": at}), Unseen()))


def test_a_detail_is_a_json_object(stub: Stub) -> None:
    sent = [message([1]), text("{plain"), message({})]
    events = put_events(
        stub, {"Source": "Pipe mine", "DetailType": "Event from aws:kinesis", "Detail": "{}"}
    )
    answer = target_to(of(events), BUS, {})(sent, Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset({0, 1})


@pytest.mark.parametrize(
    ("code", "service_error"),
    [
        ("NotAuthorizedForSourceException", False),
        ("InternalFailure", True),
        ("ThrottlingException", True),
    ],
)
def test_a_bus_tells_which_entries_it_refused(stub: Stub, code: str, service_error: bool) -> None:
    entry = {"Source": "s", "DetailType": "t", "Detail": "{}"}
    events = put_events(stub, entry, entry, results=[{"EventId": "1"}, {"ErrorCode": code}])
    target = target_to(of(events), BUS, {"Source": "s", "DetailType": "t"})
    answer = target(messages({}, {}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.service_error is service_error
    assert answer.failed == frozenset({1})


def expect_events(logs: Service, *events: tuple[int, str], **answer: Any) -> None:
    asked = {
        "logGroupName": "/aws/orders",
        "logStreamName": "mine",
        "logEvents": [{"timestamp": time, "message": body} for time, body in events],
    }
    logs.add_response("put_log_events", answer, asked)


def test_log_events_go_in_the_order_of_their_time(stub: Stub) -> None:
    logs = stub("logs")
    day = 24 * 60 * 60 * 1000
    expect_events(logs, (3, '{"at": 3}'), (5, '{"at": "5"}'))
    expect_events(logs, (day + 4, json.dumps({"at": day + 4})))
    target = target_to(of(logs), GROUP, {"Timestamp": "$.at"})
    sent = messages({"at": day + 4}, {"at": "5"}, {"at": 3})
    assert target(sent, Unseen()) == SUCCEEDED


def test_log_events_that_are_too_old_or_too_new_fail(stub: Stub) -> None:
    logs = stub("logs")
    bodies = [(at, json.dumps({"at": at})) for at in range(1, 6)]
    rejected = {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 4}
    expect_events(logs, *bodies, rejectedLogEventsInfo=rejected)
    target = target_to(of(logs), GROUP, {"Timestamp": "$.at"})
    answer = target(messages(*({"at": at} for at in (5, 4, 3, 2, 1))), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset({0, 4})


def test_a_log_stream_that_is_not_there_is_made(stub: Stub) -> None:
    logs = stub("logs")
    logs.add_client_error("put_log_events", "ResourceNotFoundException", http_status_code=400)
    place = {"logGroupName": "/aws/orders", "logStreamName": "mine"}
    logs.add_response("create_log_stream", {}, place)
    expect_events(logs, (1500, "{}"))
    target = log_group.connect(pipe_to(GROUP), of(logs), now=lambda: 1.5)
    assert target(messages({}), Unseen()) == SUCCEEDED


def test_a_log_group_that_is_not_there_fails_all(stub: Stub) -> None:
    logs = stub("logs")
    logs.add_client_error("put_log_events", "ResourceNotFoundException", http_status_code=400)
    logs.add_client_error("create_log_stream", "ResourceNotFoundException", http_status_code=400)
    answer = target_to(of(logs), GROUP, {})(messages({}, {}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset({0, 1})


@pytest.mark.parametrize("at", ["2024-05-01T10:00:00Z", -1, 1.5, True])
def test_a_timestamp_that_is_no_milliseconds_fails_its_message(stub: Stub, at: Any) -> None:
    target = target_to(of(stub("logs")), GROUP, {"Timestamp": "$.at"})
    assert failed(target(messages({"at": at}), Unseen()))


def expect_sync(states: Service, **answer: Any) -> None:
    ended = {"executionArn": "arn", "startDate": 0, "stopDate": 0, **answer}
    asked = {"stateMachineArn": MACHINE, "input": '[{"a": 1},"plain"]'}
    states.add_response("start_sync_execution", ended, asked)


def test_the_output_of_an_execution_is_returned(stub: Stub) -> None:
    states = stub("stepfunctions")
    expect_sync(states, status="SUCCEEDED", output='{"x": 1}')
    sent = [message({"a": 1}), text("plain")]
    assert target_to(of(states), MACHINE)(sent, Unseen()) == b'{"x": 1}'


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT"])
def test_an_execution_that_does_not_succeed_fails_all(stub: Stub, status: str) -> None:
    states = stub("stepfunctions")
    expect_sync(states, status=status, error="Bad", cause="because")
    sent = [message({"a": 1}), text("plain")]
    answer = target_to(of(states), MACHINE)(sent, Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.failed == frozenset({0, 1})
    assert answer.error
    assert (answer.error.message, answer.error.details) == ("because", "Bad")
    assert answer.error.timed_out == (status == "TIMED_OUT")


def test_an_execution_may_only_be_started(stub: Stub) -> None:
    states = stub("stepfunctions")
    asked = {"stateMachineArn": MACHINE, "input": "[{}]"}
    states.add_response("start_execution", {"executionArn": "arn", "startDate": 0}, asked)
    assert target_to(of(states), MACHINE, STARTED)(messages({}), Unseen()) == b""


def test_more_than_a_state_machine_takes_is_not_sent(stub: Stub) -> None:
    sent = messages({"a": "x" * 262_144})
    answer = target_to(of(stub("stepfunctions")), MACHINE)(sent, Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert "262144" in answer.reason


def expect_invocation(
    lambda_: Service, how: str, returned: bytes, payload: bytes = b"[{}]", **answer: Any
) -> None:
    body = StreamingBody(io.BytesIO(returned), len(returned))
    asked = {"FunctionName": FUNCTION, "InvocationType": how, "Payload": payload}
    lambda_.add_response("invoke", {"StatusCode": 200, "Payload": body, **answer}, asked)


def test_a_function_is_waited_for(stub: Stub) -> None:
    lambda_ = stub("lambda")
    expect_invocation(lambda_, "RequestResponse", b"[1]")
    assert target_to(of(lambda_), FUNCTION)(messages({}), Unseen()) == b"[1]"


def test_a_function_may_only_be_started(stub: Stub) -> None:
    lambda_ = stub("lambda")
    expect_invocation(lambda_, "Event", b"", StatusCode=202)
    assert target_to(of(lambda_), FUNCTION, STARTED)(messages({}), Unseen()) == b""


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (b'{"errorType": "ValueError", "errorMessage": "no"}', "function error: ValueError: no"),
        (b"out of memory", "function error: Unhandled: out of memory"),
    ],
)
def test_a_function_that_raises_fails_all(stub: Stub, returned: bytes, reason: str) -> None:
    lambda_ = stub("lambda")
    expect_invocation(lambda_, "RequestResponse", returned, FunctionError="Unhandled")
    answer = target_to(of(lambda_), FUNCTION)(messages({}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert answer.reason == reason


@pytest.mark.parametrize(
    ("code", "status", "service_error"),
    [
        ("ResourceNotFoundException", 404, False),
        ("ResourceConflictException", 409, True),
        ("TooManyRequestsException", 429, True),
        ("ServiceException", 500, True),
    ],
)
def test_an_invocation_that_lambda_refuses(
    stub: Stub, code: str, status: int, service_error: bool
) -> None:
    lambda_ = stub("lambda")
    lambda_.add_client_error("invoke", code, "why", http_status_code=status)
    answer = target_to(of(lambda_), FUNCTION)(messages({}), Unseen())
    assert isinstance(answer, Outcome)
    assert answer.service_error is service_error
    assert answer.error
    assert (answer.error.service, answer.error.status) == ("lambda", status)
    assert (answer.error.message, answer.error.details) == ("why", code)
    assert answer.error.throttled == (status == 429)


class Silent:
    """A client whose every call gets no answer in time."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            raise ReadTimeoutError(endpoint_url="http://localhost:1")

        return call


@pytest.mark.parametrize("arn", [FUNCTION, MACHINE])
def test_no_answer_in_time_is_a_failed_attempt_only_of_who_waits(arn: str) -> None:
    silent = SimpleNamespace(invoker=Silent(), stepfunctions=Silent())
    waited = target_to(silent, arn)(messages({}), Unseen())
    assert isinstance(waited, Outcome)
    assert waited.failed
    assert not waited.service_error
    assert waited.error
    assert waited.error.timed_out
    assert met_service_error(target_to(silent, arn, STARTED)(messages({}), Unseen()))


@pytest.mark.parametrize(("parameters", "limit"), [({}, 6 * 1024 * 1024), (STARTED, 1024 * 1024)])
def test_more_than_a_function_takes_is_not_sent(
    stub: Stub, parameters: dict[str, str], limit: int
) -> None:
    function = target_to(of(stub("lambda")), FUNCTION, parameters)
    answer = function([text("x" * (limit - 3))], Unseen())
    assert isinstance(answer, Outcome)
    assert answer.failed
    assert not answer.service_error
    assert str(limit) in answer.reason


def test_who_wants_to_see_the_calls_sees_them_as_text(stub: Stub) -> None:
    lambda_, kinesis, seen = stub("lambda"), stub("kinesis"), Seen()
    expect_invocation(lambda_, "RequestResponse", b"[1]")
    answer = {"Records": [{"SequenceNumber": "1", "ShardId": "s"}]}
    kinesis.add_response("put_records", answer)
    target_to(of(lambda_), FUNCTION)(messages({}), seen)
    target_to(of(kinesis), STREAM, {"PartitionKey": "all"})(messages({}), seen)
    assert seen.requests == [
        {"FunctionName": FUNCTION, "InvocationType": "RequestResponse", "Payload": "[{}]"},
        {"StreamARN": STREAM, "Records": [{"Data": "{}", "PartitionKey": "all"}]},
    ]
    assert seen.responses == [{"StatusCode": 200, "Payload": "[1]"}, answer]
    assert json.dumps([seen.requests, seen.responses])
    unseen = Unseen()
    expect_invocation(lambda_, "RequestResponse", b"[1]")
    target_to(of(lambda_), FUNCTION)(messages({}), unseen)
    assert unseen.requests == unseen.responses == []


class Answering:
    """A client whose every call has this answer."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **parameters: Any) -> Any:
            if arguments and arguments[0] == "GetQueueUrl":
                return {"QueueUrl": URL}
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer

        return call


NO_BODY = ResponseParserError("Unable to parse response: invalid XML received")


@pytest.mark.parametrize(
    ("target", "answer", "lacks"),
    [
        (STREAM, {}, "kinesis answered without Records"),
        (STREAM, {"Records": "no list"}, "kinesis answered without Records"),
        (STREAM, {"Records": [1, 2]}, "kinesis answered without Records"),
        (STREAM, {"Records": [{}]}, "kinesis answered without a result for each entry"),
        (STREAM, NO_BODY, "kinesis answered without a valid body"),
        (BUS, {}, "events answered without Entries"),
        (QUEUE, {}, "sqs answered without a result for each entry"),
        (QUEUE, {"Successful": [{"Id": "0"}]}, "sqs answered without a result for each entry"),
        (QUEUE, {"Failed": [{"Id": "7"}]}, "sqs answered without a result for each entry"),
        (QUEUE, {"Failed": "all"}, "sqs answered without Failed"),
        (TOPIC, {}, "sns answered without a result for each entry"),
        (TOPIC, NO_BODY, "sns answered without a valid body"),
        (
            GROUP,
            {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 9}},
            "logs answered without places in rejectedLogEventsInfo",
        ),
        (MACHINE, {}, "states answered without status"),
    ],
)
def test_a_malformed_answer_is_a_fault_of_the_service(target: str, answer: Any, lacks: str) -> None:
    client = Answering(answer)
    names = ("sqs_calls", "sns", "kinesis", "events", "logs", "stepfunctions")
    clients = SimpleNamespace(**dict.fromkeys(names, client))
    outcome = target_to(clients, target, {"PartitionKey": "all"})(messages({}, {}), Unseen())
    assert isinstance(outcome, Outcome)
    assert outcome.service_error
    assert outcome.reason == f"{lacks}. Does the endpoint offer this service?"
    assert outcome.failed == {0, 1}
    assert outcome.error
