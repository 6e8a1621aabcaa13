"""DynamoDB tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provisioner.decision import Observed, Pending
from provisioner.errors import NotYetError
from provisioner.kinds.rounds import AllAtOnce
from provisioner.resources import Key, Table
from provisioner.tags import as_list, known_of_list

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.literals import KeyTypeType
    from mypy_boto3_dynamodb.type_defs import (
        SSESpecificationTypeDef,
        StreamSpecificationTypeDef,
        TableDescriptionTypeDef,
    )

# What an update changes, in the order in which it does.
_ONE_BY_ONE = (
    *("tags", "expiry", "point_in_time_recovery", "deletion_protection", "kms_key", "billing"),
    "stream_view",
)
_KEY_ROLES: tuple[KeyTypeType, ...] = ("HASH", "RANGE")


class Tables(AllAtOnce[Table]):
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
            expiry=self._expiry(desired.name),
            kms_key=_kms_key(table),
            point_in_time_recovery=self._recovers(desired.name),
            deletion_protection=table.get("DeletionProtectionEnabled", False),
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
            SSESpecification=_encryption(desired),
            DeletionProtectionEnabled=desired.deletion_protection,
            Tags=as_list(desired.tags),
        )

    def made(self, desired: Table) -> Table:
        return replace(desired, expiry=None, point_in_time_recovery=False)

    def toward(self, desired: Table, actual: Table) -> Table:
        """One change a round, which is what DynamoDB takes.

        The attribute of expiry is turned off before another is turned on. Nor can a table's stream
        change what it shows: it ends, and the next round starts one.
        """
        for name in _ONE_BY_ONE:
            wanted, found = getattr(desired, name), getattr(actual, name)
            if wanted != found:
                ends_first = name in ("expiry", "stream_view") and found is not None
                change: dict[str, Any] = {name: None if ends_first else wanted}
                return replace(actual, **change)
        return actual

    def update(self, desired: Table, actual: Table) -> None:
        if actual.tags != desired.tags:
            self._dynamodb.tag_resource(ResourceArn=actual.arn, Tags=as_list(desired.tags))
        if actual.expiry != desired.expiry:
            self._dynamodb.update_time_to_live(
                TableName=desired.name,
                TimeToLiveSpecification={
                    "Enabled": desired.expiry is not None,
                    "AttributeName": desired.expiry or actual.expiry or "",
                },
            )
        if actual.point_in_time_recovery != desired.point_in_time_recovery:
            self._set_recovery(desired)
        if actual.deletion_protection != desired.deletion_protection:
            self._dynamodb.update_table(
                TableName=desired.name, DeletionProtectionEnabled=desired.deletion_protection
            )
        if actual.kms_key != desired.kms_key:
            self._dynamodb.update_table(
                TableName=desired.name, SSESpecification=_encryption(desired)
            )
        if actual.billing != desired.billing:
            self._dynamodb.update_table(TableName=desired.name, BillingMode=desired.billing)
        if actual.stream_view != desired.stream_view:
            self._dynamodb.update_table(
                TableName=desired.name, StreamSpecification=_stream(desired)
            )

    def _expiry(self, name: str) -> str | None:
        """Where it is just being turned on or off, DynamoDB takes no other word for an hour."""
        answer = self._dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if answer.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"):
            return answer.get("AttributeName")
        return None

    def _recovers(self, name: str) -> bool:
        answer = self._dynamodb.describe_continuous_backups(TableName=name)
        backups = answer["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {})
        return recovery.get("PointInTimeRecoveryStatus") == "ENABLED"

    def _set_recovery(self, desired: Table) -> None:
        try:
            self._dynamodb.update_continuous_backups(
                TableName=desired.name,
                PointInTimeRecoverySpecification={
                    "PointInTimeRecoveryEnabled": desired.point_in_time_recovery
                },
            )
        except self._dynamodb.exceptions.ContinuousBackupsUnavailableException as error:
            raise NotYetError("its backups are being set up") from error

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


def _kms_key(table: TableDescriptionTypeDef) -> str | None:
    encryption = table.get("SSEDescription", {})
    return encryption.get("KMSMasterKeyArn") if encryption.get("Status") == "ENABLED" else None


def _encryption(table: Table) -> SSESpecificationTypeDef:
    """Not enabled is what DynamoDB calls a key of its own; without any no table is."""
    if table.kms_key is None:
        return {"Enabled": False}
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": table.kms_key}
