"""CloudWatch log groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.decision import Observed
from provisioner.kinds.rounds import AllAtOnce
from provisioner.resources import LogGroup
from provisioner.tags import known

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


class LogGroups(AllAtOnce[LogGroup]):
    # A function that may, makes its log group itself, without tags, when it first logs something.
    adopts = True

    def __init__(self, logs: CloudWatchLogsClient) -> None:
        self._logs = logs

    def look(self, desired: LogGroup) -> Observed[LogGroup]:
        pages = self._logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=desired.name
        )
        for page in pages:
            for group in page["logGroups"]:
                if group["logGroupName"] == desired.name:
                    tags = self._logs.list_tags_for_resource(resourceArn=desired.arn)["tags"]
                    return LogGroup(
                        name=desired.name,
                        arn=desired.arn,
                        tags=known(tags),
                        retention_days=group.get("retentionInDays"),
                    )
        return None

    def create(self, desired: LogGroup) -> None:
        self._logs.create_log_group(logGroupName=desired.name, tags=desired.tags)
        self._set_retention(desired)

    def update(self, desired: LogGroup, actual: LogGroup) -> None:
        if actual.tags != desired.tags:
            self._logs.tag_resource(resourceArn=desired.arn, tags=desired.tags)
        if actual.retention_days != desired.retention_days:
            self._set_retention(desired)

    def delete(self, desired: LogGroup) -> None:
        self._logs.delete_log_group(logGroupName=desired.name)

    def _set_retention(self, group: LogGroup) -> None:
        if group.retention_days is not None:
            self._logs.put_retention_policy(
                logGroupName=group.name, retentionInDays=group.retention_days
            )
