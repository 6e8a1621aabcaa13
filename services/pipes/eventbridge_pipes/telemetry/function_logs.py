"""Follows log groups for the metrics embedded in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from eventbridge_pipes.aws import errors
from eventbridge_pipes.telemetry.embedded_metrics import Embedded, embedded_metrics

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

LATE_MILLISECONDS = 10_000
"""Instances of a function log side by side: an event may come after one that is younger."""

_ONLY_WITH_METRICS = '"CloudWatchMetrics"'

Line = tuple[str, int, str]
"""Stream, time and text of a log event; ids, not every emulator gives."""


@dataclass(frozen=True)
class _Place:
    """From when on a group is to be read, and what of that has been read."""

    start: int
    seen: frozenset[Line] = frozenset()

    def after(self, lines: Iterable[Line]) -> _Place:
        seen = self.seen.union(lines)
        newest = max((at for _, at, _ in seen), default=0)
        start = max(self.start, newest - LATE_MILLISECONDS)
        return _Place(start, frozenset(line for line in seen if line[1] >= start))


class FunctionLogs:
    """The groups whose names begin with `prefix`, from `since` (seconds since the epoch) on."""

    def __init__(self, logs: CloudWatchLogsClient, prefix: str, since: float) -> None:
        self._logs = logs
        self._prefix = prefix
        self._beginning = _Place(int(since * 1000))
        self._places: Mapping[str, _Place] = {}

    def collect(self) -> list[Embedded]:
        """What is new. When a call fails nothing counts as read."""
        data: list[Embedded] = []
        places = {}
        for group in list(self._groups()):
            place = self._places.get(group, self._beginning)
            lines = [_line(event) for event in self._events(group, place.start)]
            new = [line for line in lines if line not in place.seen]
            data += [datum for _, _, message in new for datum in embedded_metrics(message)]
            places[group] = place.after(new)
        self._places = places
        return data

    def _groups(self) -> Iterator[str]:
        pages = self._logs.get_paginator("describe_log_groups")
        for page in pages.paginate(logGroupNamePrefix=self._prefix):
            yield from (group["logGroupName"] for group in page["logGroups"])

    def _events(self, group: str, start: int) -> Iterator[FilteredLogEventTypeDef]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=start, filterPattern=_ONLY_WITH_METRICS
        )
        try:
            for page in pages:
                yield from page["events"]
        except ClientError as error:
            # One that has been deleted since it was listed has nothing more to tell.
            if errors.code_of(error) != "ResourceNotFoundException":
                raise


def _line(event: FilteredLogEventTypeDef) -> Line:
    return event.get("logStreamName", ""), event["timestamp"], event["message"]
