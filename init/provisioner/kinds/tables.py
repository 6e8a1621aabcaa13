"""DynamoDB tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.decision import Observed, Pending
from provisioner.resources import Key, Table
from provisioner.tags import as_list, known_of_list

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.literals import KeyTypeType
    from mypy_boto3_dynamodb.type_defs import StreamSpecificationTypeDef, TableDescriptionTypeDef

_KEY_ROLES: tuple[KeyTypeType, ...] = ("HASH", "RANGE")


class Tables:
    adopts = False

    def __init__(self, dynamodb: DynamoDBClient) -> None:
        self._dynamodb = dynamodb

    def look(self, desired: Table) -> Observed[Table]:
        try:
            table = self._dynamodb.describe_table(TableName=desired.name)["Table"]
        except self._dynamodb.exceptions.ResourceNotFoundException:
            return None
        if table["TableStatus"] != "ACTIVE":
            return Pending(table["TableStatus"])
        tags = self._dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
        return Table(
            name=desired.name,
            arn=table["TableArn"],
            tags=known_of_list(tags),
            key=_key(table),
            # AWS leaves the summary out for a table that has always been provisioned.
            billing=table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            stream_view=table.get("StreamSpecification", {}).get("StreamViewType"),
        )

    def create(self, desired: Table) -> None:
        attributes = desired.key.attributes
        self._dynamodb.create_table(
            TableName=desired.name,
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kind} for name, kind in attributes
            ],
            KeySchema=[
                {"AttributeName": name, "KeyType": role}
                for (name, _), role in zip(attributes, _KEY_ROLES, strict=False)
            ],
            BillingMode=desired.billing,
            StreamSpecification=_stream(desired),
            Tags=as_list(desired.tags),
        )

    def update(self, desired: Table, actual: Table) -> None:
        """One change a round, which is what DynamoDB takes."""
        if actual.tags != desired.tags:
            self._dynamodb.tag_resource(ResourceArn=actual.arn, Tags=as_list(desired.tags))
        elif actual.billing != desired.billing:
            self._dynamodb.update_table(TableName=desired.name, BillingMode=desired.billing)
        elif actual.stream_view is None:
            self._dynamodb.update_table(
                TableName=desired.name, StreamSpecification=_stream(desired)
            )
        else:
            # A table's stream cannot change what it shows: it ends, and the next round starts one.
            self._dynamodb.update_table(
                TableName=desired.name, StreamSpecification={"StreamEnabled": False}
            )

    def delete(self, desired: Table) -> None:
        self._dynamodb.delete_table(TableName=desired.name)


def _key(table: TableDescriptionTypeDef) -> Key:
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    names = [each["AttributeName"] for each in table["KeySchema"]]
    return Key(tuple((name, types[name]) for name in names))


def _stream(table: Table) -> StreamSpecificationTypeDef:
    if table.stream_view is None:
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": table.stream_view}
