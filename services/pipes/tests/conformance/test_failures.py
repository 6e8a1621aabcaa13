"""Partial failure, retry, dead letters: which records are sent again, how often, and what then.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-error-troubleshooting.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

import pytest

from embedded import ministack
from pipes_front import DROPPED, Front, front_of
from pipes_functions import Event, Function
from pipes_service import ACCOUNT, PipesProcess, make_function, pipes_process
from pipes_sources import (
    MakeSource,
    QueueSource,
    Run,
    Source,
    StreamSource,
    TableSource,
    start_pipe,
)
from servers import AwsClient
from waiting import eventually

STREAMS = ["kinesis", "dynamodb"]


def failures(*identifiers: Any) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": each} for each in identifiers]}


def raised(event: Event) -> None:
    raise ValueError("the function says no")


def number(record: dict[str, Any]) -> Any:
    """The sequence number of a stream's record, by which Lambda's own mapping names it."""
    return record.get("sequenceNumber") or record["dynamodb"]["SequenceNumber"]


class Case(NamedTuple):
    """What the function answers to three records, and the places of those that come again."""

    name: str
    answer: Callable[[Event], Any]
    again: list[int]


ALL = [0, 1, 2]
CASES = [
    Case("no answer", lambda event: None, []),
    Case("an empty answer", lambda event: "", []),
    Case("an empty object", lambda event: {}, []),
    Case("an empty array", lambda event: [], []),
    Case("text", lambda event: "done", []),
    Case("an object of its own", lambda event: {"done": True}, []),
    Case("an empty list", lambda event: failures(), []),
    Case("a null list", lambda event: {"batchItemFailures": None}, []),
    Case("the second", lambda event: failures(event[1]["eventID"]), [1]),
    Case("the second's number", lambda event: failures(number(event[1])), [1]),
    Case("two, the later first", lambda e: failures(e[2]["eventID"], e[0]["eventID"]), [0, 2]),
    Case("one twice, both ways", lambda e: failures(number(e[0]), e[0]["eventID"]), [0]),
    Case("every one", lambda event: failures(*(r["eventID"] for r in event)), ALL),
    Case("an empty identifier", lambda event: failures(""), ALL),
    Case("a null identifier", lambda event: failures(None), ALL),
    Case("a number as identifier", lambda event: failures(1), ALL),
    Case("a wrong key", lambda e: {"batchItemFailures": [{"item": e[0]["eventID"]}]}, ALL),
    Case("no key", lambda event: {"batchItemFailures": [{}]}, ALL),
    Case("not a list", lambda event: {"batchItemFailures": "all"}, ALL),
    Case("an unknown identifier", lambda event: failures("unknown"), ALL),
    Case("one unknown of two", lambda e: failures(e[0]["eventID"], "unknown"), ALL),
    Case("a function error", raised, ALL),
]


@pytest.fixture
def letters(aws: AwsClient, name: str) -> QueueSource:
    """A queue for dead letters."""
    return QueueSource(aws, f"{name}-letters")


def batches(source: Source, function: Function) -> list[list[str]]:
    return [source.words(event) for event in list(function.invocations)]


def delivered(source: Source, function: Function) -> list[str]:
    return [word for batch in batches(source, function) for word in batch]


def first_time(answer: Callable[[Event], Any]) -> Callable[[Event], Any]:
    """`answer` to the first event, and that all went well to the others."""
    answers = iter([answer])
    return lambda event: next(answers, lambda _: None)(event)


def for_poison(source: Source) -> Callable[[Event], Any]:
    """All fail whenever the word `poison` is among them."""
    return lambda event: failures("") if "poison" in source.words(event) else None


@pytest.mark.parametrize("kind", STREAMS)
def test_what_a_function_answers_says_which_records_come_again(
    kind: str, source: MakeSource, run: Run
) -> None:
    """One batch for each case, one after the other in one pipe."""
    made = source(kind)
    made.put(*(f"{case.name}: {word}" for case in CASES for word in "abc"), key="one")
    answered: set[str] = set()

    def answer(event: Event) -> Any:
        name = made.words(event)[0].partition(":")[0]
        if name in answered:
            return None
        answered.add(name)
        return next(case for case in CASES if case.name == name).answer(event)

    # With so long a window only full batches and retries leave.
    function = run(made, answer, BatchSize=3, MaximumBatchingWindowInSeconds=300)
    expected = [
        [f"{case.name}: {'abc'[place]}" for place in places]
        for case in CASES
        for places in (ALL, case.again)
        if places
    ]
    eventually(lambda: len(function.invocations) >= len(expected), timeout=60)
    assert batches(made, function) == expected


QUEUE_CASES = [
    Case("no answer", lambda event: None, []),
    Case("an empty list", lambda event: failures(), []),
    Case("the second", lambda event: failures(event[1]["messageId"]), [1]),
    Case("a null identifier", lambda event: failures(None), ALL),
    Case("an unknown identifier", lambda event: failures("unknown"), ALL),
    Case("a function error", raised, ALL),
]


@pytest.mark.parametrize("case", QUEUE_CASES, ids=lambda case: case.name)
def test_messages_that_failed_stay_in_the_queue_until_they_come_into_view_again(
    case: Case, source: MakeSource, run: Run
) -> None:
    queue: QueueSource = source("sqs")
    queue.put("a", "b", "c")
    function = run(queue, first_time(case.answer))
    (event,) = function.invoked(1)
    assert queue.words(event) == ["a", "b", "c"]
    eventually(lambda: queue.left() == len(case.again))
    queue.show([event[place] for place in case.again])
    eventually(lambda: queue.left() == 0)
    again = list(chain.from_iterable(function.invocations[1:]))
    assert sorted(queue.words(again)) == ["abc"[place] for place in case.again]
    assert all(record["attributes"]["ApproximateReceiveCount"] == "2" for record in again)


def test_messages_that_fail_for_ever_go_to_the_queues_own_dead_letter_queue(
    aws: AwsClient, letters: QueueSource, source: MakeSource, run: Run
) -> None:
    redrive = json.dumps({"deadLetterTargetArn": letters.arn, "maxReceiveCount": 2})
    attributes = {"VisibilityTimeout": "1", "RedrivePolicy": redrive}
    queue: QueueSource = source("sqs", attributes=attributes)
    queue.put("poison")
    function = run(queue, for_poison(queue))
    assert eventually(letters.taken) == ["poison"]
    function.invoked(2)
    assert delivered(queue, function) == ["poison", "poison"]
    assert queue.left() == 0


def test_a_failed_message_of_a_fifo_queue_holds_its_group_back_and_no_other(
    source: MakeSource, run: Run
) -> None:
    queue: QueueSource = source("fifo", attributes={"VisibilityTimeout": "60"})
    queue.put("a1", "a2", "a3", key="a")
    queue.put("b1", "b2", key="b")

    def second_of_a(event: Event) -> Any:
        return failures(*(record["messageId"] for record in event if record["body"] == "a2"))

    function = run(queue, first_time(second_of_a))
    # What follows the failed message was taken, and comes again behind it all the same.
    eventually(lambda: queue.left() == 2)
    queue.show([record for record in function.invocations[0] if record["body"] in ("a2", "a3")])
    eventually(lambda: queue.left() == 0)
    words = delivered(queue, function)
    assert [word for word in words if word.startswith("a")] == ["a1", "a2", "a3", "a2", "a3"]
    assert [word for word in words if word.startswith("b")] == ["b1", "b2"]


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_so_many_retries_are_one_attempt_more_and_then_the_shard_moves_on(
    retries: int, kind: str, source: MakeSource, run: Run
) -> None:
    made = source(kind)
    made.put("poison", key="one")
    function = run(made, for_poison(made), MaximumRetryAttempts=retries)
    function.invoked(1)
    made.put("after", key="one")
    eventually(lambda: "after" in delivered(made, function))
    poisoned = [batch for batch in batches(made, function) if "poison" in batch]
    assert len(poisoned) == retries + 1


def test_records_that_failed_in_part_are_counted_by_their_own_attempts(
    stream: StreamSource, run: Run
) -> None:
    def refused(event: Event) -> Any:
        words = stream.words(event)
        return failures(
            *(r["eventID"] for r, word in zip(event, words, strict=True) if "no" in word)
        )

    stream.put("a", "no 1", "no 2", "b", "no 3", key="one")
    function = run(stream, refused, MaximumRetryAttempts=2)
    function.invoked(1)
    stream.put("after", key="one")
    eventually(lambda: "after" in delivered(stream, function))
    refused_ones = ["no 1", "no 2", "no 3"]
    assert [batch for batch in batches(stream, function) if "after" not in batch] == [
        ["a", "no 1", "no 2", "b", "no 3"],
        refused_ones,
        refused_ones,
    ]


@pytest.mark.parametrize("place", [0, 3, 7])
def test_a_failed_batch_is_halved_until_a_single_record_is_left_which_is_given_up_on(
    place: int, stream: StreamSource, letters: QueueSource, run: Run
) -> None:
    sent = ["poison" if each == place else f"{each}" for each in range(8)]
    stream.put(*sent, key="one")
    function = run(
        stream,
        for_poison(stream),
        OnPartialBatchItemFailure="AUTOMATIC_BISECT",
        MaximumRetryAttempts=1,
        DeadLetterConfig={"Arn": letters.arn},
    )
    function.invoked(1)
    stream.put("after", key="one")
    eventually(lambda: "after" in delivered(stream, function))
    failed = [batch for batch in batches(stream, function) if "poison" in batch]
    passed = [batch for batch in batches(stream, function) if "poison" not in batch]
    assert [len(batch) for batch in failed] == [8, 4, 2, 1, 1]
    assert sorted(map(len, passed[:-1])) == [1, 2, 4]
    assert list(chain(*passed)) == [word for word in [*sent, "after"] if word != "poison"]
    (body,) = eventually(letters.taken)
    info = json.loads(body)["KinesisBatchInfo"]
    assert info["startSequenceNumber"] == stream.marks()[place].number
    assert info["batchSize"] == 1


@pytest.fixture(params=["sqs", "sns"])
def destination(
    letters: QueueSource, aws: AwsClient, name: str, request: pytest.FixtureRequest
) -> str:
    """The ARN to send dead letters to: the queue itself, or a topic that leads there."""
    if request.param == "sqs":
        return letters.arn
    topic: str = aws("sns").create_topic(Name=name)["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=letters.arn, Attributes=raw)
    return topic


def moment(epoch: float) -> str:
    """As dead letters write it: to the millisecond, in UTC."""
    shown = datetime.fromtimestamp(round(epoch, 3), UTC).isoformat(timespec="milliseconds")
    return shown.replace("+00:00", "Z")


INFO = {"kinesis": "KinesisBatchInfo", "dynamodb": "DDBStreamBatchInfo"}


def letter(
    source: StreamSource | TableSource,
    kind: str,
    condition: str,
    timestamp: str,
    older_by: float = 0.0,
) -> dict[str, Any]:
    """What is sent for all that the source holds, its keys in AWS's order."""
    marks = source.marks()
    return {
        "context": {
            "partnerResourceArn": f"arn:aws:pipes:{ministack.REGION}:{ACCOUNT}:pipe/{source.name}",
            "condition": condition,
        },
        "version": "1.0",
        "timestamp": timestamp,
        INFO[kind]: {
            "shardId": source.shard(),
            "startSequenceNumber": marks[0].number,
            "endSequenceNumber": marks[-1].number,
            "approximateArrivalOfFirstRecord": moment(marks[0].arrived - older_by),
            "approximateArrivalOfLastRecord": moment(marks[-1].arrived - older_by),
            "batchSize": len(marks),
            "streamArn": source.arn,
        },
    }


@pytest.mark.parametrize("kind", STREAMS)
def test_what_is_out_of_attempts_becomes_a_dead_letter_whose_text_is_that_of_aws(
    kind: str, destination: str, letters: QueueSource, source: MakeSource, run: Run
) -> None:
    made: StreamSource | TableSource = source(kind)
    begun = datetime.now(UTC)
    made.put("a", "poison", "c")
    limits = {"MaximumRetryAttempts": 0, "MaximumRecordAgeInSeconds": 3600}
    function = run(made, for_poison(made), DeadLetterConfig={"Arn": destination}, **limits)
    (body,) = eventually(letters.taken)
    timestamp = json.loads(body)["timestamp"]
    assert begun - timedelta(milliseconds=1) < datetime.fromisoformat(timestamp)
    expected = letter(made, kind, "RetryAttemptsExhausted", timestamp)
    assert in_order(body) == in_order(json.dumps(expected))
    made.put("after")
    eventually(lambda: "after" in delivered(made, function))
    assert letters.taken() == []


AGED_BY = 58.0


@pytest.fixture(scope="module")
def ageing(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    """A service to which records look AGED_BY seconds older: no limit is less than a minute."""
    state = tmp_path_factory.mktemp("ageing") / "state"
    with front_of(emulator) as front:
        front.older_by = AGED_BY
        services = ("KINESIS", "DYNAMODB_STREAMS")
        environment = {f"AWS_ENDPOINT_URL_{service}": front.url for service in services}
        with pipes_process(emulator, state, environment) as process:
            yield process


@pytest.mark.parametrize("kind", STREAMS)
def test_what_is_too_old_becomes_a_dead_letter_before_its_attempts_are_used_up(
    kind: str,
    letters: QueueSource,
    source: MakeSource,
    run: Run,
    ageing: PipesProcess,
) -> None:
    made: StreamSource | TableSource = source(kind)
    made.put("poison")
    limits = {"MaximumRetryAttempts": 10_000, "MaximumRecordAgeInSeconds": 60}
    function = run(
        made, for_poison(made), on=ageing, DeadLetterConfig={"Arn": letters.arn}, **limits
    )
    (body,) = eventually(letters.taken)
    assert delivered(made, function)
    told = json.loads(body)["timestamp"]
    expected = letter(made, kind, "RecordAgeExceeded", told, older_by=AGED_BY)
    assert in_order(body) == in_order(json.dumps(expected))


def in_order(text: str) -> Any:
    """JSON whose objects differ when their members come in another order."""
    return json.loads(text, object_pairs_hook=list)


def test_records_apart_in_the_batch_are_dead_letters_apart(
    stream: StreamSource, letters: QueueSource, run: Run
) -> None:
    """A letter names its records by the first and the last: one over a gap would name others."""

    def refused(event: Event) -> Any:
        words = zip(event, stream.words(event), strict=True)
        return failures(*(record["eventID"] for record, word in words if "no" in word))

    stream.put("a", "no 1", "no 2", "b", "no 3", key="one")
    numbers = [mark.number for mark in stream.marks()]
    run(stream, refused, MaximumRetryAttempts=0, DeadLetterConfig={"Arn": letters.arn})
    found: set[tuple[str, str, int]] = set()

    def both() -> bool:
        for body in letters.taken():
            info = json.loads(body)["KinesisBatchInfo"]
            found.add((info["startSequenceNumber"], info["endSequenceNumber"], info["batchSize"]))
        return len(found) == 2

    eventually(both)
    assert found == {(numbers[1], numbers[2], 2), (numbers[4], numbers[4], 1)}


def test_a_shard_that_fails_blocks_only_itself(source: MakeSource, run: Run) -> None:
    stream: StreamSource = source("kinesis", shards=2)
    first, second = 0, 2**128 - 1

    mended = threading.Event()

    def answer(event: Event) -> Any:
        broken = not mended.is_set() and event[0]["eventID"].startswith(f"{stream.shard()}:")
        return failures("") if broken else None

    stream.put_data([(b"a", "one")], place=first)
    function = run(stream, answer)
    function.invoked(2)
    stream.put_data([(b"b", "one")], place=first)
    for word in "xyz":
        stream.put_data([(word.encode(), "one")], place=second)
    eventually(lambda: "z" in delivered(stream, function))
    assert "b" not in delivered(stream, function)
    mended.set()
    eventually(lambda: "b" in delivered(stream, function))


@pytest.fixture(scope="module")
def front(emulator: str) -> Iterator[Front]:
    with front_of(emulator) as front:
        yield front


@pytest.fixture(scope="module")
def fronted(
    emulator: str, front: Front, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PipesProcess]:
    """A service that calls Lambda through the front."""
    environment = {"AWS_ENDPOINT_URL_LAMBDA": front.url}
    state = tmp_path_factory.mktemp("fronted") / "state"
    with pipes_process(emulator, state, environment) as process:
        yield process


@pytest.mark.parametrize(
    "trouble", [DROPPED, 429, 500, 503, "ExpiredTokenException", "InvalidSignatureException"]
)
def test_a_service_that_does_not_carry_a_call_out_uses_up_no_attempt(
    trouble: int | str,
    front: Front,
    fronted: PipesProcess,
    stream: StreamSource,
    letters: QueueSource,
    run: Run,
) -> None:
    limits = {"MaximumRetryAttempts": 1, "DeadLetterConfig": {"Arn": letters.arn}}
    function = run(stream, first_time(raised), on=fronted, **limits)
    front.troubles.append(trouble)
    stream.put("a", key="one")
    function.invoked(2)
    assert front.troubles == []
    assert letters.taken() == []


def test_a_service_that_cannot_be_reached_uses_up_no_attempt(
    front: Front, fronted: PipesProcess, stream: StreamSource, letters: QueueSource, run: Run
) -> None:
    limits = {"MaximumRetryAttempts": 1, "DeadLetterConfig": {"Arn": letters.arn}}
    function = run(stream, first_time(raised), on=fronted, **limits)
    front.close()
    try:
        stream.put("a", key="one")
        eventually(lambda: f"{stream.name}: retrying" in fronted.log.read_text())
    finally:
        front.open()
    function.invoked(2)
    assert letters.taken() == []


def test_a_function_that_is_throttled_uses_up_no_attempt(
    pipes: PipesProcess, stream: StreamSource, letters: QueueSource, aws: AwsClient, name: str
) -> None:
    lambda_ = aws("lambda")
    arn = make_function(aws, name, "def handler(event, context): raise ValueError")
    lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    limits = {"MaximumRetryAttempts": 0, "DeadLetterConfig": {"Arn": letters.arn}}
    start_pipe(pipes, stream, arn, **limits)
    stream.put("a", key="one")
    eventually(lambda: f"{name}: retrying" in pipes.log.read_text())
    assert letters.taken() == []
    # The first call that is carried out is the only attempt.
    lambda_.delete_function_concurrency(FunctionName=name)
    assert eventually(letters.taken)
    pipes.client().delete_pipe(Name=name)


def test_a_function_that_is_gone_uses_up_attempts(
    pipes: PipesProcess, stream: StreamSource, letters: QueueSource, aws: AwsClient, name: str
) -> None:
    """It is the caller's error, as one of permissions is."""
    arn = make_function(aws, name, "def handler(event, context): pass")
    limits = {"MaximumRetryAttempts": 1, "DeadLetterConfig": {"Arn": letters.arn}}
    start_pipe(pipes, stream, arn, **limits)
    aws("lambda").delete_function(FunctionName=name)
    stream.put("a", key="one")
    (body,) = eventually(letters.taken)
    assert json.loads(body)["context"]["condition"] == "RetryAttemptsExhausted"
    pipes.client().delete_pipe(Name=name)
