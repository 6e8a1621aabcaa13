"""The table: scanned once, then followed by its stream."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dashboard.model.rows import RowChange
from dashboard.sources.hub import Hub
from inventory.items import row_of
from operations.table import read
from operations.table_stream import Change, Start, TableFollower

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

MOST_PAGES = 20


class TableSource:
    """After a failure, or if changes were lost, it starts again with a scan."""

    def __init__(
        self, hub: Hub, dynamodb: DynamoDBClient, streams: DynamoDBStreamsClient, table: str
    ) -> None:
        self._hub = hub
        self._dynamodb = dynamodb
        self._streams = streams
        self._table = table
        self._follower: TableFollower | None = None

    def read(self) -> None:
        try:
            follower = self._follower or self._start()
            for _ in range(MOST_PAGES):
                if not self._report(follower.look()):
                    return
        except Exception:
            self._lose()
            raise

    def _start(self) -> TableFollower:
        self._follower = follower = TableFollower(
            self._streams, self._table, start=Start.NEWEST, note=self._lose
        )
        changes = follower.look()  # takes the place in the stream: nothing is missed meanwhile
        scanned_at = time.time()
        rows = read(self._dynamodb, self._table)
        with self._hub.pipeline() as pipeline:
            pipeline.scanned(list(rows.values()), scanned_at)
        self._report(changes)
        return follower

    def _report(self, changes: list[Change]) -> bool:
        now = time.time()
        with self._hub.pipeline() as pipeline:
            pipeline.changed([row_change(change, now) for change in changes])
        return bool(changes)

    def _lose(self, _reason: str = "") -> None:
        self._follower = None


def row_change(change: Change, read_at: float) -> RowChange:
    """LocalStack cuts the change's own time to the minute, so it gets the time of reading."""
    return RowChange(
        product_id=change.keys["product_id"]["S"],
        before=row_of(change.before) if change.before else None,
        after=row_of(change.after) if change.after else None,
        at=read_at,
    )
