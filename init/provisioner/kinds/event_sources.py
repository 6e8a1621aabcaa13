"""Lambda's event source mappings: of queues, and of the streams of tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from provisioner.decision import Observed, Pending
from provisioner.errors import NotYetError
from provisioner.kinds.rounds import AllAtOnce
from provisioner.resources import EventSource, QueueSource, TableSource
from provisioner.tags import known

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import EventSourceMappingConfigurationTypeDef as Mapping

S = TypeVar("S", bound=EventSource)


class EventSources(AllAtOnce[S]):
    """What both kinds have in common. A mapping has no name: it is known by function and source."""

    def __init__(self, lambda_: LambdaClient) -> None:
        self._lambda = lambda_

    def look(self, desired: S) -> Observed[S]:
        mapping = next(self._mappings(desired), None)
        if mapping is None:
            return None
        if mapping["State"] not in ("Enabled", "Disabled"):
            return Pending(mapping["State"].lower())
        tags = self._lambda.list_tags(Resource=mapping["EventSourceMappingArn"])["Tags"]
        common = {
            "name": desired.name,
            "tags": known(tags),
            "function": desired.function,
            "source": self._source(desired, mapping),
            "batch_size": mapping["BatchSize"],
            "batching_window_seconds": mapping.get("MaximumBatchingWindowInSeconds", 0),
            "enabled": mapping["State"] == "Enabled",
        }
        return self._resource(common, mapping)

    def create(self, desired: S) -> None:
        arn = self._event_source_arn(desired)
        if arn is None:
            raise NotYetError(f"{desired.source} has no stream yet")
        self._lambda.create_event_source_mapping(
            FunctionName=desired.function,
            EventSourceArn=arn,
            Tags=desired.tags,
            **self._at_first(desired),
            **self._parameters(desired),
        )

    def toward(self, desired: S, actual: S) -> S | None:
        """A stream that was made anew needs a mapping made anew: the old one goes first."""
        return desired if actual.source == desired.source else None

    def update(self, desired: S, actual: S) -> None:
        mapping = next(self._mappings(desired))
        if actual.tags != desired.tags:
            arn = mapping["EventSourceMappingArn"]
            self._lambda.tag_resource(Resource=arn, Tags=desired.tags)
        self._lambda.update_event_source_mapping(UUID=mapping["UUID"], **self._parameters(desired))

    def delete(self, desired: S) -> None:
        for mapping in self._mappings(desired):
            self._lambda.delete_event_source_mapping(UUID=mapping["UUID"])

    def _mappings(self, desired: S) -> Iterator[Mapping]:
        """Those from the source, or from a stream that it has or had, to the function."""
        pages = self._lambda.get_paginator("list_event_source_mappings").paginate(
            FunctionName=desired.function
        )
        try:
            for page in pages:
                for mapping in page["EventSourceMappings"]:
                    arn = mapping["EventSourceArn"]
                    if arn == desired.source or arn.startswith(f"{desired.source}/stream/"):
                        yield mapping
        except self._lambda.exceptions.ResourceNotFoundException:
            return  # there is no such function

    def _source(self, desired: S, mapping: Mapping) -> str:
        """That of the description, unless the mapping is from a stream that is no more."""
        arn = mapping["EventSourceArn"]
        return desired.source if arn == self._event_source_arn(desired) else arn

    def _event_source_arn(self, desired: S) -> str | None:
        return desired.source

    def _at_first(self, desired: S) -> dict[str, Any]:
        """What can be said when it is made, and not changed."""
        return {}

    def _parameters(self, desired: S) -> dict[str, Any]:
        return {
            "BatchSize": desired.batch_size,
            "MaximumBatchingWindowInSeconds": desired.batching_window_seconds,
            "Enabled": desired.enabled,
        }

    def _resource(self, common: dict[str, Any], mapping: Mapping) -> S:
        raise NotImplementedError


class QueueSources(EventSources[QueueSource]):
    def _parameters(self, desired: QueueSource) -> dict[str, Any]:
        return {
            **super()._parameters(desired),
            "ScalingConfig": {"MaximumConcurrency": desired.max_concurrency},
            "FunctionResponseTypes": desired.response_types,
        }

    def _resource(self, common: dict[str, Any], mapping: Mapping) -> QueueSource:
        return QueueSource(
            **common,
            max_concurrency=mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0),
            response_types=tuple(mapping.get("FunctionResponseTypes", ())),
        )


class TableSources(EventSources[TableSource]):
    def __init__(self, lambda_: LambdaClient, dynamodb: DynamoDBClient) -> None:
        super().__init__(lambda_)
        self._dynamodb = dynamodb

    def _event_source_arn(self, desired: TableSource) -> str | None:
        try:
            answer = self._dynamodb.describe_table(TableName=desired.source.rpartition("/")[2])
        except self._dynamodb.exceptions.ResourceNotFoundException:
            return None
        return answer["Table"].get("LatestStreamArn")

    def _at_first(self, desired: TableSource) -> dict[str, Any]:
        return {"StartingPosition": desired.starting_position}

    def _parameters(self, desired: TableSource) -> dict[str, Any]:
        return {
            **super()._parameters(desired),
            "MaximumRetryAttempts": desired.max_retry_attempts,
            "MaximumRecordAgeInSeconds": desired.max_record_age_seconds,
            "BisectBatchOnFunctionError": desired.bisect,
        }

    def _resource(self, common: dict[str, Any], mapping: Mapping) -> TableSource:
        return TableSource(
            **common,
            starting_position=mapping["StartingPosition"],
            max_retry_attempts=mapping.get("MaximumRetryAttempts", -1),
            max_record_age_seconds=mapping.get("MaximumRecordAgeInSeconds", -1),
            bisect=mapping.get("BisectBatchOnFunctionError", False),
        )
