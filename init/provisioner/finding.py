"""What has our tags and is not in the description: made under other names, or by other hands."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from provisioner.changes import Action, Change
from provisioner.clients import Clients
from provisioner.errors import AWS_ERRORS, explain
from provisioner.monitors import Alarm
from provisioner.resources import (
    Function,
    LogGroup,
    Pipe,
    Queue,
    QueueSource,
    Resource,
    Role,
    Stream,
    Table,
    TableSource,
    Topic,
    tags_of,
)

if TYPE_CHECKING:
    import boto3

# How the ARN of each kind ends, after the account.
_ENDINGS: Sequence[tuple[str, str, type[Resource]]] = (
    ("kinesis", r"stream/([^/]+)", Stream),
    ("dynamodb", r"table/([^/]+)", Table),
    ("sqs", r"([^:]+)", Queue),
    ("sns", r"([^:]+)", Topic),
    ("lambda", r"function:([^:]+)", Function),
    ("logs", r"log-group:(.+?)(?::\*)?", LogGroup),
    ("pipes", r"pipe/([^/]+)", Pipe),
    ("cloudwatch", r"alarm:(.+)", Alarm),
    ("iam", r"role/([^/]+)", Role),
)


def tagged(session: boto3.Session, stage: str) -> frozenset[str]:
    """The ARNs of all that has the tags of the stage, as far as the tagging API knows of it.

    Of IAM roles it does not; and for a while it tells of what is deleted already.
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    client: Any = session.client(
        "resourcegroupstaggingapi",
        config=Config(connect_timeout=5, retries={"mode": "standard"}),
    )
    filters = [{"Key": key, "Values": [value]} for key, value in tags_of(stage).items()]
    pages = client.get_paginator("get_resources").paginate(TagFilters=filters)
    return frozenset(
        each["ResourceARN"] for page in pages for each in page["ResourceTagMappingList"]
    )


def strays(
    clients: Clients, described: Sequence[Resource], arns: Collection[str]
) -> tuple[list[Resource], list[Change]]:
    """Of `arns`, those that are not `described`: what can be deleted, and what has to be left."""
    known = {resource.arn for resource in described}
    labels = {resource.label for resource in described}
    found: list[Resource] = []
    left: list[Change] = []
    for arn in sorted(set(arns) - known):
        try:
            resource = _mapping(clients, described, arn) or _named(described, arn)
        except clients.lambda_.exceptions.ResourceNotFoundException:
            continue  # a mapping that is gone
        except AWS_ERRORS as error:
            left.append(Change(Action.KEPT, arn, explain(error)))
            continue
        if resource is None:
            reason = "it has the tags of the stage, but is of a kind that is not made here"
            left.append(Change(Action.KEPT, arn, reason))
        elif resource.label not in labels:
            found.append(resource)
    return found, left


def _named(described: Sequence[Resource], arn: str) -> Resource | None:
    """One of its kind, to be looked at by its name; what it is like is for AWS to say."""
    _, _, service, _, _, ending = arn.split(":", 5)
    for of_service, pattern, kind in _ENDINGS:
        if service == of_service and (named := re.fullmatch(pattern, ending)):
            like = next(each for each in described if type(each) is kind)
            return replace(like, name=named[1], arn=arn.removesuffix(":*"))
    return None


def _mapping(clients: Clients, described: Sequence[Resource], arn: str) -> Resource | None:
    """A mapping has no name: only Lambda knows between what it is."""
    mapped = re.search(r":lambda:.*:event-source-mapping:(.+)$", arn)
    if mapped is None:
        return None
    found = clients.lambda_.get_event_source_mapping(UUID=mapped[1])
    source = found["EventSourceArn"].partition("/stream/")[0]
    kind = QueueSource if ":sqs:" in source else TableSource
    like = next(each for each in described if type(each) is kind)
    name = f"{'queue' if kind is QueueSource else 'table'} {re.split('[:/]', source)[-1]}"
    return replace(
        like, name=name, function=found["FunctionArn"].rpartition(":function:")[2], source=source
    )
