"""A CloudFormation stack: its change sets, and what CloudFormation did."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ChangeTypeDef, StackEventTypeDef, StackTypeDef

NO_REASON = "CloudFormation gives no reason"
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
"""Reasons of CloudFormation for a change set that is empty."""
NOT_CREATED = (None, "REVIEW_IN_PROGRESS")
"""The status of a stack that does not exist, or has only a change set."""
MAIN = {"Stream": "stream", "Pipe": "pipe", "Processor": "function", "Inventory": "table"}
"""The resources, by logical id, that a report names without `verbose`."""


class DeploymentError(Exception):
    """The stack could not be changed. The message says why, and what to do."""


@dataclass(frozen=True)
class Done:
    """A resource that was created, updated or deleted."""

    action: str
    logical_id: str
    physical_id: str


Tell = Callable[[Done], object]


class Report:
    """Shows a line for each main resource, or for all. As text, it is the count of all."""

    def __init__(self, show: Callable[[str], object], *, verbose: bool = False) -> None:
        self._show = show
        self._verbose = verbose
        self._counts: Counter[str] = Counter()

    def __call__(self, done: Done) -> None:
        self._counts[done.action] += 1
        if self._verbose or done.logical_id in MAIN:
            kind = MAIN.get(done.logical_id, done.logical_id)
            self._show(f"{done.action} {kind} {done.physical_id}")

    def __str__(self) -> str:
        return ", ".join(f"{n} {action}" for action, n in self._counts.items()) or "no changes"


@dataclass(frozen=True)
class ChangeSet:
    name: str
    changes: Sequence[ChangeTypeDef]


@dataclass(frozen=True)
class Stack:
    """Raises DeploymentError, and what boto3 raises."""

    client: CloudFormationClient
    name: str
    pause: Callable[[float], object]

    def status(self) -> str | None:
        found = self._described()
        return found and found["StackStatus"]

    def parameters(self) -> dict[str, str]:
        """Return those of the last deployment, or none if nothing is deployed."""
        found = self._described()
        if not found or found["StackStatus"] in (*NOT_CREATED, "ROLLBACK_COMPLETE"):
            return {}
        return {p["ParameterKey"]: p["ParameterValue"] for p in found.get("Parameters", [])}

    def prepare(
        self, template: str, parameters: Mapping[str, str], tags: Mapping[str, str]
    ) -> ChangeSet | None:
        """Return the changes that the template makes, or None if it makes none."""
        status = self.status()
        if status == "ROLLBACK_COMPLETE":  # only its name is left
            self.delete(lambda done: None)
            status = None
        if status and status.endswith("_IN_PROGRESS") and status not in NOT_CREATED:
            # MiniStack would accept another change set.
            raise DeploymentError(f"The stack {self.name} is {status}. Wait until that has ended.")
        name = f"inventory-{uuid.uuid4().hex[:12]}"
        self.client.create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            ChangeSetType="CREATE" if status in NOT_CREATED else "UPDATE",
            TemplateBody=template,
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        pages = self.client.get_paginator("describe_change_set")
        for _ in _moments(self.pause):
            found = list(pages.paginate(StackName=self.name, ChangeSetName=name))
            if not found[0]["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
                break
        change_set = ChangeSet(name, [each for page in found for each in page.get("Changes", [])])
        if found[0]["Status"] != "FAILED":
            return change_set
        self.discard(change_set)
        reason = found[0].get("StatusReason") or NO_REASON
        if any(text in reason for text in NO_CHANGES):
            return None
        raise DeploymentError(reason)

    def discard(self, change_set: ChangeSet) -> None:
        """Delete the change set, and the stack if it has nothing else."""
        self.client.delete_change_set(StackName=self.name, ChangeSetName=change_set.name)
        if self.status() == "REVIEW_IN_PROGRESS":
            self.client.delete_stack(StackName=self.name)

    def execute(self, change_set: ChangeSet, tell: Tell) -> None:
        changed = {change["ResourceChange"]["LogicalResourceId"] for change in change_set.changes}
        past = {event["EventId"] for event in self._events()}
        self.client.execute_change_set(StackName=self.name, ChangeSetName=change_set.name)

        def tell_changed(done: Done) -> None:
            if done.logical_id in changed:  # MiniStack updates them all
                tell(done)

        self._follow(past, tell_changed, ends=("CREATE_COMPLETE", "UPDATE_COMPLETE"))

    def delete(self, tell: Tell) -> None:
        past = {event["EventId"] for event in self._events()}
        self.client.delete_stack(StackName=self.name)
        self._follow(past, tell, ends=(None,))

    def _follow(self, past: set[str], tell: Tell, ends: Collection[str | None]) -> None:
        """Wait for the end. Raises DeploymentError with the first cause of a failure."""
        cause = None
        for _ in _moments(self.pause):
            status = self.status()
            for event in self._events():
                if event["EventId"] not in past:
                    past.add(event["EventId"])
                    cause = cause or _cause(event)
                    if done := _done(event):
                        tell(done)
            if status is None or not status.endswith("_IN_PROGRESS"):
                break
        if status not in ends:
            raise DeploymentError(f"The stack {self.name} is {status}. {cause or NO_REASON}")

    def _described(self) -> StackTypeDef | None:
        """Return the stack, or None if it does not exist."""
        try:
            [found] = self.client.describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found

    def _events(self) -> list[StackEventTypeDef]:
        """Return all events, the oldest first, or none if there is no stack."""
        pages = self.client.get_paginator("describe_stack_events").paginate(StackName=self.name)
        try:
            return [event for page in pages for event in page["StackEvents"]][::-1]
        except ClientError as error:
            if "does not exist" in str(error):
                return []
            raise


def _cause(event: StackEventTypeDef) -> str | None:
    """Return why a resource failed, unless CloudFormation cancelled it for another failure."""
    reason = event.get("ResourceStatusReason", "")
    failed = event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason
    return f"{event['LogicalResourceId']}: {reason or NO_REASON}" if failed else None


def _done(event: StackEventTypeDef) -> Done | None:
    action, _, result = event["ResourceStatus"].partition("_")
    if result != "COMPLETE" or event["ResourceType"] == "AWS::CloudFormation::Stack":
        return None
    past = f"{action.lower()}d"
    return Done(past, event["LogicalResourceId"], event.get("PhysicalResourceId", ""))


def _moments(pause: Callable[[float], object]) -> Iterator[None]:
    """Yield more and more seldom: an emulator is done at once, AWS in minutes."""
    seconds = 0.05
    while True:
        yield
        pause(seconds)
        seconds = min(seconds * 1.5, 1)
