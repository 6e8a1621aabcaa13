"""Streams, tables and queues for a pipe to read, all filled with words."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from embedded import ministack
from pipes_functions import Event, Function
from pipes_service import ACCOUNT, ROLE, PipesProcess, in_state
from servers import AwsClient

MakeSource = Callable[..., Any]
Run = Callable[..., Function]
"""The fixtures `source` and `run` of the conformance tests."""


class Mark(NamedTuple):
    """How a dead letter names a record: its sequence number, and its time in epoch seconds."""

    number: str
    arrived: float


class Source(Protocol):
    """What a pipe reads. Words that share a key keep their order."""

    name: str
    arn: str

    def put(self, *words: str, key: str | None = None) -> None:
        """Put a record for each word, in order; each is a key of its own unless one is given."""
        ...

    def words(self, event: Event) -> list[str]:
        """The words in what a function got."""
        ...

    def parameters(self, **members: Any) -> dict[str, Any]:
        """SourceParameters with these members of the source's own."""
        ...


@dataclass
class StreamSource:
    """A Kinesis stream, read from its oldest record."""

    aws: AwsClient
    name: str
    shards: int = 1
    arn: str = field(init=False)

    def __post_init__(self) -> None:
        self.create()

    def create(self) -> None:
        kinesis = self.aws("kinesis")
        kinesis.create_stream(StreamName=self.name, ShardCount=self.shards)
        described = kinesis.describe_stream_summary(StreamName=self.name)
        self.arn = described["StreamDescriptionSummary"]["StreamARN"]

    def put(self, *words: str, key: str | None = None) -> None:
        self.put_data([(word.encode(), key or word) for word in words])

    def put_data(
        self, records: Sequence[tuple[bytes, str]], place: int | None = None
    ) -> list[dict[str, Any]]:
        """Put (data, partition key) pairs; `place` is the hash key that says which shard."""
        explicit = {} if place is None else {"ExplicitHashKey": str(place)}
        answer = self.aws("kinesis").put_records(
            StreamName=self.name,
            Records=[{"Data": data, "PartitionKey": key, **explicit} for data, key in records],
        )
        assert answer["FailedRecordCount"] == 0
        results: list[dict[str, Any]] = answer["Records"]
        return results

    def words(self, event: Event) -> list[str]:
        return [base64.b64decode(record["data"]).decode() for record in event]

    def parameters(self, **members: Any) -> dict[str, Any]:
        return {"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON", **members}}

    def shard(self) -> str:
        """The id of the first shard."""
        return "shardId-000000000000"

    def marks(self) -> list[Mark]:
        """Those of the first shard's records."""
        kinesis = self.aws("kinesis")
        iterator = kinesis.get_shard_iterator(
            StreamName=self.name, ShardId=self.shard(), ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return [
            Mark(record["SequenceNumber"], record["ApproximateArrivalTimestamp"].timestamp())
            for record in kinesis.get_records(ShardIterator=iterator)["Records"]
        ]


@dataclass
class TableSource:
    """A table with a stream, read from its oldest record. The key of an item is `key`."""

    aws: AwsClient
    name: str
    view: str = "NEW_IMAGE"
    arn: str = field(init=False)

    def __post_init__(self) -> None:
        made = self.aws("dynamodb").create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": self.view},
        )
        self.arn = made["TableDescription"]["LatestStreamArn"]

    def put(self, *words: str, key: str | None = None) -> None:
        items = [{"key": {"S": key or word}, "word": {"S": word}} for word in words]
        # No call may write an item twice.
        at_once = 1 if key else 25
        for start in range(0, len(items), at_once):
            requests = [{"PutRequest": {"Item": item}} for item in items[start : start + at_once]]
            self.aws("dynamodb").batch_write_item(RequestItems={self.name: requests})

    def words(self, event: Event) -> list[str]:
        return [record["dynamodb"]["NewImage"]["word"]["S"] for record in event]

    def parameters(self, **members: Any) -> dict[str, Any]:
        return {"DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON", **members}}

    def shard(self) -> str:
        described = self.aws("dynamodbstreams").describe_stream(StreamArn=self.arn)
        (shard,) = described["StreamDescription"]["Shards"]
        shard_id: str = shard["ShardId"]
        return shard_id

    def marks(self) -> list[Mark]:
        changes = [record["dynamodb"] for record in self.records()]
        return [
            Mark(change["SequenceNumber"], change["ApproximateCreationDateTime"].timestamp())
            for change in changes
        ]

    def records(self) -> list[dict[str, Any]]:
        """What GetRecords gives."""
        streams = self.aws("dynamodbstreams")
        iterator = streams.get_shard_iterator(
            StreamArn=self.arn, ShardId=self.shard(), ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found: list[dict[str, Any]] = streams.get_records(ShardIterator=iterator)["Records"]
        return found


@dataclass
class QueueSource:
    """A standard queue; FIFO when its name says so, and then `key` is the group."""

    aws: AwsClient
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    arn: str = field(init=False)
    url: str = field(init=False)

    def __post_init__(self) -> None:
        fifo = {"FifoQueue": "true"} if self.is_fifo else {}
        made = self.aws("sqs").create_queue(
            QueueName=self.name, Attributes={**fifo, **self.attributes}
        )
        self.url = made["QueueUrl"]
        self.arn = f"arn:aws:sqs:{ministack.REGION}:{ACCOUNT}:{self.name}"

    @property
    def is_fifo(self) -> bool:
        return self.name.endswith(".fifo")

    def put(self, *words: str, key: str | None = None) -> None:
        for start in range(0, len(words), 10):
            entries = [
                {"Id": str(position), "MessageBody": word, **self._grouped(key or word)}
                for position, word in enumerate(words[start : start + 10])
            ]
            answer = self.aws("sqs").send_message_batch(QueueUrl=self.url, Entries=entries)
            assert not answer.get("Failed")

    def _grouped(self, group: str) -> dict[str, str]:
        if not self.is_fifo:
            return {}
        return {"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex}

    def words(self, event: Event) -> list[str]:
        return [record["body"] for record in event]

    def parameters(self, **members: Any) -> dict[str, Any]:
        return {"SqsQueueParameters": members}

    def left(self) -> int:
        """How many messages it holds, those that are hidden included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.aws("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def show(self, event: Event) -> None:
        """Let messages that were received come into view again, as their time's end would."""
        for record in event:
            self.aws("sqs").change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
            )

    def taken(self) -> list[str]:
        """The bodies of the messages that can be received now; they are taken out."""
        sqs = self.aws("sqs")
        found = sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in found]


def start_pipe(pipes: PipesProcess, source: Source, target: str, **parameters: Any) -> str:
    """The name of a pipe that runs from `source`; `parameters` are those of the source's kind."""
    client = pipes.client()
    name = source.name.removesuffix(".fifo")
    client.create_pipe(
        Name=name,
        Source=source.arn,
        SourceParameters=source.parameters(**parameters),
        Target=target,
        RoleArn=ROLE,
    )
    in_state(client, name, "RUNNING")
    return name
