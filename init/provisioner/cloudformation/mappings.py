"""Each kind of resource in the words of CloudFormation.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from provisioner.cloudformation import compute, data, monitors
from provisioner.cloudformation.bodies import Entries
from provisioner.cloudformation.references import References
from provisioner.monitors import Alarm, Dashboard
from provisioner.resources import (
    EventSource,
    Function,
    LogGroup,
    Pipe,
    PublicTopic,
    Queue,
    QueueSource,
    Resource,
    Role,
    Stream,
    Table,
    TableSource,
    Topic,
)


class UnmappedKindError(Exception):
    """A kind of resource that is in the description, and that no mapping is written for."""


def entries(resource: Resource, references: References) -> Entries:
    """What a resource is in a template: logical ids and bodies. Raises UnmappedKindError."""
    mapping = MAPPINGS.get(type(resource))
    if mapping is None:
        raise UnmappedKindError(
            f"{type(resource).__name__} has no mapping: write one beside {__name__}, a function "
            "that yields (logical id, body), and enter it in MAPPINGS"
        )
    yield from mapping(resource, references)


MAPPINGS: Mapping[type[Resource], Callable[[Any, References], Entries]] = {
    Stream: data.stream,
    Table: data.table,
    Queue: data.queue,
    Topic: data.topic,
    PublicTopic: data.topic,
    LogGroup: data.log_group,
    Role: compute.role,
    Function: compute.function,
    Pipe: compute.pipe,
    QueueSource: compute.queue_source,
    TableSource: compute.table_source,
    Alarm: monitors.alarm,
    Dashboard: monitors.dashboard,
}

ABSENT: Mapping[tuple[type[Resource], str], str] = {
    (Resource, "arn"): "AWS makes it of account, Region and name",
    (Topic, "queues"): "which subscriptions are looked at; those that are made are in subscribers",
    (PublicTopic, "raw_delivery"): "no queue of ours is subscribed to it",
    (Function, "code"): "it is in the zip, whose key is the default of the parameter CodeKey",
    (EventSource, "name"): "a mapping has none on AWS; ours is for messages",
}
"""The fields that show in no resource, by the class that they come from, and why."""
