"""A Kinesis stream as target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.path import resolve
from eventbridge_pipes.targets import batch, refusals
from eventbridge_pipes.targets.batch import BatchApi, Entry, UnsendableError
from eventbridge_pipes.targets.calling import make
from eventbridge_pipes.targets.refusals import Refusal
from eventbridge_pipes.targets.target import Answer, Calls, Message

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

_CALL_BYTES = 5 * 1024 * 1024
_RECORD_BYTES = 10 * 1024 * 1024
"""A record may have 1 MiB, or what the stream was set to, up to 10 MiB, its key included; the
stream decides. A call may have 10 MiB, and had 5 for years, which not all emulators have changed.
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html"""

_KEY_LENGTH = 256


class StreamTarget:
    """Each message becomes a record. Those that Kinesis does not take lose their place in the
    order, as on AWS: PutRecords goes on with the records behind them.
    """

    def __init__(self, client: KinesisClient, stream: Arn, partition_key: str) -> None:
        """`partition_key` is a text or a path."""
        self._client = client
        self._stream = stream
        self._partition_key = partition_key
        self._api = BatchApi("kinesis", _CALL_BYTES, _RECORD_BYTES, self._entry)

    def send(self, messages: Sequence[Message], calls: Calls) -> Answer:
        return batch.send(messages, self._api, lambda entries: self._call(entries, calls))

    def _entry(self, position: int, message: Message) -> Entry:
        key = resolve(self._partition_key, message.record)
        if not 1 <= len(key) <= _KEY_LENGTH:
            raise UnsendableError(f"a partition key of {len(key)} characters; 1 to 256 may be")
        request = {"Data": message.body, "PartitionKey": key}
        return Entry(position, request, len(message.body.encode()) + len(key.encode()))

    def _call(self, entries: Sequence[Entry], calls: Calls) -> Mapping[int, Refusal]:
        request = {
            "StreamARN": self._stream.text,
            "Records": [entry.request for entry in entries],
        }
        answer = make(self._client.put_records, request, calls)
        return refusals.of_results("kinesis", answer, answer["Records"])
