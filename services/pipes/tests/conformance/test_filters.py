"""Section "Filters" of the semantics: the table in data/filters.json, through real sources.

The records of a group are put to one stream or table, or to a queue for each pattern. Then each
pattern gets a pipe of its own, all with one Kinesis stream as their target. Which records have
passed is known by their sequence numbers or message ids, and that the others will not come by the
pipe's own counters. Everything here runs beside MiniStack.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipes_conformance import Queue, Stream, arn, counters, handled, pipes_of, refused, whole
from pipes_service import PipesProcess, in_state, unique
from servers import AwsClient
from waiting import eventually

TABLE = Path(__file__).parent / "data" / "filters.json"
GROUPS = json.loads(TABLE.read_text(encoding="utf-8"))["groups"]
SOURCES = {
    "kinesis": arn("kinesis", "stream/nothing"),
    "sqs": arn("sqs", "nothing"),
    "dynamodb": arn("dynamodb", "table/nothing/stream/2024-01-01T00:00:00.000"),
}

Case = dict[str, Any]


def patterns_of(case: Case) -> tuple[str, ...]:
    """The texts of the patterns."""
    given = case["patterns"] if "patterns" in case else [case["pattern"]]
    return tuple(each if isinstance(each, str) else json.dumps(each) for each in given)


def criteria(patterns: Sequence[str]) -> dict[str, Any]:
    return {"FilterCriteria": {"Filters": [{"Pattern": pattern} for pattern in patterns]}}


def payload_of(case: Case) -> bytes:
    if "base64" in case:
        return base64.b64decode(case["base64"])
    text: str = case["text"] if "text" in case else json.dumps(case["json"])
    return text.encode()


# What passes


class Filled(NamedTuple):
    """The ARN of a source, how many records are in it, and what those of the cases are known by."""

    source: str
    total: int
    known: list[str]


def put_to_stream(aws: AwsClient, name: str, cases: Sequence[Case]) -> Filled:
    stream = Stream(aws, name)
    put = stream.put_data([(payload_of(case), case.get("partition_key", "any")) for case in cases])
    return Filled(stream.arn, len(put), [each["SequenceNumber"] for each in put])


def write_to_table(aws: AwsClient, name: str, cases: Sequence[Case]) -> Filled:
    """Item 1 is made, changed and removed as the cases have it, one after the other."""
    dynamodb, streams = aws("dynamodb"), aws("dynamodbstreams")
    stream = dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]["LatestStreamArn"]
    writes, key = 0, {"id": {"S": "1"}}
    ends = []
    for case in cases:
        change = case["event"]["dynamodb"]
        images = [change[image] for image in ("OldImage", "NewImage") if image in change]
        for image in images:
            dynamodb.put_item(TableName=name, Item=image)
        dynamodb.delete_item(TableName=name, Key=key)
        # A removal is what the case is about when there is no new image.
        ends.append(writes + len(images) - ("NewImage" in change))
        writes += len(images) + 1
    (shard,) = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    events = streams.get_records(ShardIterator=iterator)["Records"]
    assert len(events) == writes
    assert [events[end]["eventName"] for end in ends] == [c["event"]["eventName"] for c in cases]
    return Filled(stream, writes, [events[end]["dynamodb"]["SequenceNumber"] for end in ends])


PUT = {"kinesis": put_to_stream, "dynamodb": write_to_table}
STARTS = {
    "kinesis": {"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 500}},
    "dynamodb": {
        "DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON", "BatchSize": 500}
    },
}


def known_by(record: Any) -> str:
    """The sequence number of a stream's record, the id of a message."""
    found: str = (
        record.get("messageId")
        or record.get("sequenceNumber")
        or record["dynamodb"]["SequenceNumber"]
    )
    return found


def by_pattern(cases: Sequence[Case]) -> dict[tuple[str, ...], list[Case]]:
    found: dict[tuple[str, ...], list[Case]] = {}
    for case in cases:
        found.setdefault(patterns_of(case), []).append(case)
    return found


STREAM_GROUPS = [group for group in GROUPS if group["source"] in PUT]


@pytest.mark.parametrize(
    "group",
    [group for group in STREAM_GROUPS if any("passes" in case for case in group["cases"])],
    ids=lambda group: group["group"],
)
def test_what_passes_of_a_stream(
    aws: AwsClient, pipes: PipesProcess, group: dict[str, Any], name: str
) -> None:
    kind, cases = group["source"], [case for case in group["cases"] if "passes" in case]
    source, total, known = PUT[kind](aws, name, cases)
    sink = Stream(aws, f"{name}-sink")
    groups = {f"{name}-{number}": it for number, it in enumerate(by_pattern(cases).items())}
    definitions = [
        {
            "Name": pipe,
            "Source": source,
            "SourceParameters": {**STARTS[kind], **criteria(patterns)},
            **sink.signed(pipe),
        }
        for pipe, (patterns, _) in groups.items()
    ]
    with pipes_of(pipes, definitions):
        found = handled(pipes, dict.fromkeys(groups, total))
    arrived = {pipe: [known_by(each) for each in sink.jsons(pipe)] for pipe in groups}
    for pipe in groups:
        assert found[pipe]["read"] == total == len(arrived[pipe]) + found[pipe]["filtered"]
    of = dict(zip((case["name"] for case in cases), known, strict=True))
    times = {
        case["name"]: arrived[pipe].count(of[case["name"]])
        for pipe, (_, own) in groups.items()
        for case in own
    }
    assert times == {case["name"]: int(case["passes"]) for case in cases}


QUEUE_CASES = [
    case
    for group in GROUPS
    for case in group["cases"]
    if group["source"] == "sqs" and "passes" in case
]


def test_what_passes_of_a_queue_and_the_rest_is_deleted(
    aws: AwsClient, pipes: PipesProcess, name: str
) -> None:
    sink = Stream(aws, f"{name}-sink")
    queues = [
        (Queue(aws, f"{name}-{number}"), it)
        for number, it in enumerate(by_pattern(QUEUE_CASES).items())
    ]
    known = {
        case["name"]: queue.send(payload_of(case).decode())
        for queue, (_, own) in queues
        for case in own
    }
    definitions = [
        {
            "Name": queue.name,
            "Source": queue.arn,
            "SourceParameters": criteria(patterns),
            **sink.signed(queue.name),
        }
        for queue, (patterns, _) in queues
    ]
    with pipes_of(pipes, definitions):
        handled(pipes, {queue.name: len(own) for queue, (_, own) in queues})
        assert eventually(lambda: not any(queue.left() for queue, _ in queues))
    arrived = [known_by(each) for queue, _ in queues for each in sink.jsons(queue.name)]
    times = {case: arrived.count(message_id) for case, message_id in known.items()}
    assert times == {case["name"]: int(case["passes"]) for case in QUEUE_CASES}


def test_what_passes_is_as_it_was_put(aws: AwsClient, pipes: PipesProcess, name: str) -> None:
    """The filter sees the decoded data; the target gets the record."""
    source, sink = Stream(aws, name), Stream(aws, f"{name}-sink")
    data = b' {"a" : 1.0e0,\n "b": "\\u00e6",  "a2": [ ] } '
    (put,) = source.put_data([(data, "k")])
    parameters = criteria(['{"data": {"a": [1], "b": ["\\u00e6"]}}'])
    definition = {"Name": name, "Source": source.arn, "SourceParameters": parameters}
    with pipes_of(pipes, [{**definition, **sink.signed("k")}]):
        (record,) = eventually(lambda: sink.jsons("k"))
    assert (record["sequenceNumber"], base64.b64decode(record["data"])) == (
        put["SequenceNumber"],
        data,
    )


# What is done with


def test_records_left_out_do_not_come_again_after_the_service_was_killed(
    aws: AwsClient, mortal: PipesProcess, name: str
) -> None:
    source, sink = Stream(aws, name), Stream(aws, f"{name}-sink")
    source.put_json(*({"n": number} for number in range(40)))
    definition = {
        "Name": name,
        "Source": source.arn,
        "SourceParameters": criteria(['{"data": {"keep": [true]}}']),
        **sink.signed("k"),
    }
    mortal.client().create_pipe(**whole(definition))
    assert handled(mortal, {name: 40})[name]["filtered"] == 40
    # A page is counted before the position is written down: with the next one it surely is.
    source.put_json({"n": 40})
    handled(mortal, {name: 41})
    mortal.kill()
    mortal.start()
    source.put_json({"keep": True})
    assert eventually(sink.records)
    assert counters(mortal)[name]["read"] <= 2
    assert len(sink.records()) == 1


# What is refused

REFUSED = [
    pytest.param(group["source"], case, id=f"{group['group']}-{case['name']}")
    for group in GROUPS
    for case in group["cases"]
    if "refused" in case
]


@pytest.mark.parametrize(("source", "case"), REFUSED)
def test_a_pattern_is_refused_when_a_pipe_is_made(
    pipes: PipesProcess, source: str, case: Case
) -> None:
    definition = {
        "Name": "refused",
        "Source": SOURCES[source],
        "Target": arn("lambda", "function:nothing"),
        "SourceParameters": {**STARTS.get(source, {}), **criteria(patterns_of(case))},
    }
    ((field, said),) = refused(pipes, whole(definition))
    assert field.startswith("sourceParameters.filterCriteria.filters.")
    assert case["refused"] in said


@pytest.fixture(scope="module")
def stopped(aws: AwsClient, pipes: PipesProcess) -> dict[str, str]:
    """The names of a pipe of a stream and of one of a queue, which do not run."""
    names = {"kinesis": unique("test_stopped_stream"), "sqs": unique("test_stopped_queue")}
    target = Stream(aws, unique("test_target")).signed("k")
    sources = {
        "kinesis": Stream(aws, names["kinesis"]).arn,
        "sqs": Queue(aws, names["sqs"]).arn,
    }
    for kind, name in names.items():
        definition = {"Name": name, "Source": sources[kind], **target}
        pipes.client().create_pipe(**whole(definition), DesiredState="STOPPED")
    for name in names.values():
        in_state(pipes.client(), name, "STOPPED")
    return names


@pytest.mark.parametrize(
    ("source", "case"), [param for param in REFUSED if param.values[0] in ("kinesis", "sqs")][::4]
)
def test_a_pattern_is_refused_when_a_pipe_is_updated(
    pipes: PipesProcess, stopped: dict[str, str], source: str, case: Case
) -> None:
    name = stopped[source]
    update = whole({"Name": name, "Source": "", "SourceParameters": criteria(patterns_of(case))})
    del update["Source"]
    before = pipes.client().describe_pipe(Name=name)
    ((_, said),) = refused(pipes, update, "update_pipe")
    assert case["refused"] in said
    after = pipes.client().describe_pipe(Name=name)
    assert after["SourceParameters"] == before["SourceParameters"]
