"""How each kind of resource is seen, made, changed and deleted on AWS; one module a service."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from provisioner.clients import Clients
from provisioner.decision import Observed
from provisioner.kinds.alarms import Alarms
from provisioner.kinds.dashboards import Dashboards
from provisioner.kinds.event_sources import QueueSources, TableSources
from provisioner.kinds.functions import Functions
from provisioner.kinds.log_groups import LogGroups
from provisioner.kinds.pipes import Pipes
from provisioner.kinds.queues import Queues
from provisioner.kinds.roles import Roles
from provisioner.kinds.streams import Streams
from provisioner.kinds.tables import Tables
from provisioner.kinds.topics import Topics
from provisioner.monitors import Alarm, Dashboard
from provisioner.resources import (
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

R = TypeVar("R", bound=Resource)


class Kind(Protocol[R]):
    """The calls of one kind of resource. None of them waits; all may raise botocore's errors."""

    @property
    def adopts(self) -> bool:
        """Whether AWS itself may make one for us, so that one without our tags is taken over."""

    def look(self, desired: R) -> Observed[R]:
        """What AWS has under the name (and ARN) of `desired`, None for nothing."""

    def create(self, desired: R) -> None:
        """Ask for it; raises NotYetError when asking again later will do."""

    def made(self, desired: R) -> R:
        """What `create` makes of `desired`; the rest of it takes updates."""

    def toward(self, desired: R, actual: R) -> R | None:
        """What the next update is to make of `actual`, None where it has to go to be made anew."""

    def update(self, desired: R, actual: R) -> None:
        """Ask for what makes of `actual` what `toward` said, here `desired`."""

    def delete(self, desired: R) -> None: ...


Kinds = dict[type[Resource], Kind[Any]]


def all_kinds(clients: Clients, code: bytes) -> Kinds:
    """`code` is the functions' zip."""
    return {
        Stream: Streams(clients.kinesis),
        Table: Tables(clients.dynamodb),
        Queue: Queues(clients.sqs),
        Topic: Topics(clients.sns),
        PublicTopic: Topics(clients.sns),
        LogGroup: LogGroups(clients.logs),
        Role: Roles(clients.iam),
        Function: Functions(clients.lambda_, code),
        Pipe: Pipes(clients.pipes),
        QueueSource: QueueSources(clients.lambda_),
        TableSource: TableSources(clients.lambda_, clients.dynamodb),
        Alarm: Alarms(clients.cloudwatch),
        Dashboard: Dashboards(clients.cloudwatch),
    }
