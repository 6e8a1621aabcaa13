"""A table's stream, with botocore's stubs in place of DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.aws.clients import DirectClient
from eventbridge_pipes.record import LATEST, OLDEST, Position, Shard
from eventbridge_pipes.sources.dynamodb import DynamoDbStream
from eventbridge_pipes.sources.source import (
    AwsShard,
    ExpiredIteratorError,
    PositionLostError,
    SourceError,
    SourceNotFoundError,
    ThrottledError,
)

ARN = Arn.parse("arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2023-06-10T19:26:16")
SHARD = "shardId-00000001541626099285-f35f62ef"
ITERATOR = f"{ARN.text}|1|AAAA"


@pytest.fixture
def client() -> Any:
    return boto3.client(
        "dynamodbstreams",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture
def answers(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def shard(client: Any, answers: Stubber) -> AwsShard:
    return DynamoDbStream(DirectClient(client, None), ARN).shard(SHARD)


def record(number: int) -> dict[str, Any]:
    return {
        "eventID": str(number),
        "eventName": "INSERT",
        "dynamodb": {
            "Keys": {"Id": {"N": str(number)}},
            "SequenceNumber": f"{number:021d}",
            "ApproximateCreationDateTime": 1700000000,
        },
    }


def describe(answers: Stubber, shards: list[dict[str, str]], **arguments: str) -> None:
    last = {"LastEvaluatedShardId": shards[-1]["ShardId"]} if len(shards) == 2 else {}
    answers.add_response(
        "describe_stream",
        {"StreamDescription": {"Shards": shards, **last}},
        {"StreamArn": ARN.text, **arguments},
    )


def test_all_pages_of_shards_are_read_with_their_parents(client: Any, answers: Stubber) -> None:
    names = [f"shardId-{number:020d}-00000000" for number in range(3)]
    describe(answers, [{"ShardId": names[0]}, {"ShardId": names[1], "ParentShardId": names[0]}])
    describe(
        answers, [{"ShardId": names[2], "ParentShardId": names[1]}], ExclusiveStartShardId=names[1]
    )
    assert DynamoDbStream(DirectClient(client, None), ARN).shards() == [
        Shard(names[0]),
        Shard(names[1], (names[0],)),
        Shard(names[2], (names[1],)),
    ]


@pytest.mark.parametrize(
    ("position", "arguments"),
    [
        (OLDEST, {"ShardIteratorType": "TRIM_HORIZON"}),
        (LATEST, {"ShardIteratorType": "LATEST"}),
        # The reader leaves out what came before.
        (Position(at=1700000000.0), {"ShardIteratorType": "TRIM_HORIZON"}),
        (
            Position(after="111111111111111111111"),
            {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": "111111111111111111111",
            },
        ),
    ],
)
def test_dynamodb_is_asked_for_a_position_in_its_own_terms(
    shard: AwsShard, answers: Stubber, position: Position, arguments: dict[str, str]
) -> None:
    answers.add_response(
        "get_shard_iterator",
        {"ShardIterator": ITERATOR},
        {"StreamArn": ARN.text, "ShardId": SHARD, **arguments},
    )
    assert shard.iterator(position) == ITERATOR


def test_no_more_is_asked_for_than_dynamodb_gives(shard: AwsShard, answers: Stubber) -> None:
    answers.add_response("get_records", {"Records": []}, {"ShardIterator": ITERATOR, "Limit": 1000})
    shard.begin_read(ITERATOR, 10_000)(None)


@pytest.mark.parametrize(("count", "behind"), [(0, False), (1, False), (2, True)])
def test_a_full_page_means_that_there_is_more(
    shard: AwsShard, answers: Stubber, count: int, behind: bool
) -> None:
    given = [record(number) for number in range(count)]
    answers.add_response("get_records", {"Records": given, "NextShardIterator": ITERATOR})
    page = shard.begin_read(ITERATOR, 2)(None)
    assert (len(page.records), page.behind, page.next_iterator) == (count, behind, ITERATOR)


def test_a_closed_shard_ends_without_an_iterator(shard: AwsShard, answers: Stubber) -> None:
    answers.add_response("get_records", {"Records": []})
    assert shard.begin_read(ITERATOR, 100)(None).next_iterator is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredIteratorException", ExpiredIteratorError),
        ("TrimmedDataAccessException", ExpiredIteratorError),
        ("ResourceNotFoundException", SourceNotFoundError),
        ("LimitExceededException", ThrottledError),
        ("InternalServerError", SourceError),
    ],
)
def test_an_error_of_reading_says_what_to_do(
    shard: AwsShard, answers: Stubber, code: str, kind: type[SourceError]
) -> None:
    answers.add_client_error("get_records", code)
    with pytest.raises(SourceError) as raised:
        shard.begin_read(ITERATOR, 100)(None)
    assert type(raised.value) is kind


def test_a_position_that_was_trimmed_is_lost_and_the_error_says_what_that_means(
    shard: AwsShard, answers: Stubber
) -> None:
    answers.add_client_error("get_shard_iterator", "TrimmedDataAccessException")
    with pytest.raises(PositionLostError, match="some may have gone unread"):
        shard.iterator(Position(after="111111111111111111111"))
