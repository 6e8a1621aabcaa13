"""A CloudFormation stack: what would change, the change itself, its end."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deploy.errors import DeploymentError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

Pause = Callable[[float], object]

NO_REASON = "CloudFormation gives no reason."
CREATE, UPDATE = "CREATE", "UPDATE"
STACK = "AWS::CloudFormation::Stack"
DONE = {"CREATE_COMPLETE": "created", "UPDATE_COMPLETE": "updated", "DELETE_COMPLETE": "deleted"}
NOTHING = ("didn't contain changes", "No updates are to be performed")
"""What CloudFormation says of a change set without changes."""
STUCK = {
    "UPDATE_ROLLBACK_FAILED": "run `aws cloudformation continue-update-rollback --stack-name {}`",
    "ROLLBACK_FAILED": "delete it, with `destroy`",
    "DELETE_FAILED": "delete it again, with `destroy`",
}


@dataclass(frozen=True)
class Change:
    """`action` is Add, Modify or Remove. `replaced`: made anew, without its data."""

    action: str
    logical_id: str
    kind: str
    replaced: bool


@dataclass(frozen=True)
class Event:
    """`kind` is the type of a resource, such as AWS::SQS::Queue; `reason` may be empty."""

    logical_id: str
    kind: str
    physical_id: str
    status: str
    reason: str

    @property
    def done(self) -> str | None:
        """What has been done to the resource, if that has ended well."""
        return DONE.get(self.status)

    @property
    def failed(self) -> bool:
        """Whether it is a cause: what is cancelled because of another failure is none."""
        return self.status.endswith("_FAILED") and "cancelled" not in self.reason


@dataclass(frozen=True)
class ChangeSet:
    name: str
    created: bool
    """Whether the stack does not exist yet."""
    changes: Sequence[Change]


class Stack:
    """Raises DeploymentError, and what boto3 raises."""

    def __init__(self, client: CloudFormationClient, name: str, pause: Pause) -> None:
        self._client = client
        self.name = name
        self._pause = pause

    def status(self) -> str | None:
        """None where there is no such stack."""
        try:
            [found] = self._client.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found["StackStatus"]

    def parameters(self) -> dict[str, str]:
        [found] = self._client.describe_stacks(StackName=self.name)["Stacks"]
        return {p["ParameterKey"]: p["ParameterValue"] for p in found.get("Parameters", [])}

    def resources(self) -> dict[str, str]:
        """The physical id of each resource, by its logical id."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return {
            each["LogicalResourceId"]: each.get("PhysicalResourceId", "")
            for page in pages
            for each in page["StackResourceSummaries"]
        }

    def prepare(
        self, template: str, parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> ChangeSet | None:
        """The change set that makes the stack what the template says; None if nothing changes."""
        status = self._ready()
        created = status in (None, "REVIEW_IN_PROGRESS")
        name = f"inventory-{uuid.uuid4().hex[:12]}"
        self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            ChangeSetType=CREATE if created else UPDATE,
            TemplateBody=template,
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        for _ in _moments(self._pause):
            found = self._client.describe_change_set(StackName=self.name, ChangeSetName=name)
            if found["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                break
        change_set = ChangeSet(name, created, [*self._changes(name)])
        if found["Status"] == "FAILED":
            self.discard(change_set)
            reason = found.get("StatusReason") or NO_REASON
            if any(said in reason for said in NOTHING):
                return None
            raise DeploymentError(reason)
        return change_set

    def discard(self, change_set: ChangeSet) -> None:
        """Leave all as it was; a stack that the change set made is empty, and goes with it."""
        self._client.delete_change_set(StackName=self.name, ChangeSetName=change_set.name)
        if change_set.created:
            self._client.delete_stack(StackName=self.name)

    def carry_out(self, change_set: ChangeSet, tell: Callable[[Event], object]) -> None:
        seen = {event["EventId"] for event in self._events()}
        self._client.execute_change_set(StackName=self.name, ChangeSetName=change_set.name)
        self._follow(seen, tell, ends=("CREATE_COMPLETE", "UPDATE_COMPLETE"))

    def delete(self, tell: Callable[[Event], object]) -> None:
        seen = {event["EventId"] for event in self._events()}
        self._client.delete_stack(StackName=self.name)
        self._follow(seen, tell, ends=(None,))

    def _ready(self) -> str | None:
        """The status of the stack once it can be changed."""
        status = self.status()
        if status == "ROLLBACK_COMPLETE":  # nothing is left of it but its name
            self.delete(lambda event: None)
            return None
        if status in STUCK:
            what = STUCK[status].format(self.name)
            raise DeploymentError(f"The stack {self.name} is {status}. First {what}.")
        if status and status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise DeploymentError(
                f"The stack {self.name} is being changed ({status}). Try again when that has ended."
            )
        return status

    def _changes(self, name: str) -> Iterator[Change]:
        pages = self._client.get_paginator("describe_change_set").paginate(
            StackName=self.name, ChangeSetName=name
        )
        for page in pages:
            for each in page["Changes"]:
                change = each["ResourceChange"]
                yield Change(
                    change["Action"],
                    change["LogicalResourceId"],
                    change["ResourceType"],
                    change.get("Replacement") == "True",
                )

    def _follow(
        self, seen: set[str], tell: Callable[[Event], object], ends: Sequence[str | None]
    ) -> None:
        cause: Event | None = None
        for _ in _moments(self._pause):
            status = self.status()
            for event in self._events():
                if event["EventId"] in seen:
                    continue
                seen.add(event["EventId"])
                told = Event(
                    event["LogicalResourceId"],
                    event["ResourceType"],
                    event.get("PhysicalResourceId", ""),
                    event["ResourceStatus"],
                    event.get("ResourceStatusReason", ""),
                )
                cause = cause or (told if told.failed else None)
                tell(told)
            if status is None or not status.endswith("_IN_PROGRESS"):
                break
        if status not in ends:
            why = (
                f"{cause.logical_id}: {cause.reason}" if cause else "CloudFormation gives no reason"
            )
            raise DeploymentError(f"The stack {self.name} is {status}. {why}")

    def _events(self) -> list[StackEventTypeDef]:
        """All events, the first one first; none where there is no stack."""
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=self.name)
        try:
            return [event for page in pages for event in page["StackEvents"]][::-1]
        except ClientError as error:
            if "does not exist" in str(error):
                return []
            raise


def _moments(pause: Pause) -> Iterator[None]:
    """Now and again, ever more seldom: an emulator is done at once, AWS in minutes."""
    seconds = 0.05
    while True:
        yield
        pause(seconds)
        seconds = min(seconds * 1.5, 3)
