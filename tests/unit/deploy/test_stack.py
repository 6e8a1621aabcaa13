"""What is made of CloudFormation's answers: what to do first, what was done, and the cause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from deploy.stack import ChangeSet, DeploymentError, Done, Report, Stack


def event(logical_id: str, status: str, reason: str = "", kind: str = "AWS::SQS::Queue") -> Any:
    return {
        "EventId": f"{logical_id}-{status}",
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": logical_id.lower(),
        "ResourceType": kind,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


class CloudFormation:
    """Answers with one status and with all events up to one, moment by moment."""

    def __init__(self, *moments: tuple[str | None, list[Any]]) -> None:
        self._moments = iter(moments)
        self._events: list[Any] = []
        self.client = MagicMock()
        self.client.describe_stacks = self._describe
        self.client.get_paginator.return_value.paginate = self._paginate

    def _describe(self, **_: Any) -> Any:
        status, new = next(self._moments)
        self._events += new
        if status is None:
            answer = {"Error": {"Code": "ValidationError", "Message": "s does not exist"}}
            raise ClientError(cast("Any", answer), "DescribeStacks")
        return {"Stacks": [{"StackStatus": status}]}

    def _paginate(self, **_: Any) -> Iterator[Any]:
        yield {"StackEvents": self._events[::-1]}

    @property
    def stack(self) -> Stack:
        return Stack(self.client, "s", lambda seconds: None)


def of(*logical_ids: str) -> ChangeSet:
    changes: Any = [{"ResourceChange": {"LogicalResourceId": each}} for each in logical_ids]
    return ChangeSet("c", changes)


def test_the_error_has_the_first_cause() -> None:
    aws = CloudFormation(
        ("CREATE_IN_PROGRESS", [event("A", "CREATE_IN_PROGRESS"), event("A", "CREATE_COMPLETE")]),
        ("CREATE_IN_PROGRESS", [event("C", "CREATE_FAILED", "Resource creation cancelled")]),
        ("ROLLBACK_IN_PROGRESS", [event("B", "CREATE_FAILED", "it exists already")]),
        ("ROLLBACK_COMPLETE", [event("D", "DELETE_FAILED", "not empty")]),
    )
    done: list[Done] = []

    with pytest.raises(DeploymentError) as failed:
        aws.stack.execute(of("A", "B", "C", "D"), done.append)

    assert str(failed.value) == "The stack s is ROLLBACK_COMPLETE. B: it exists already"
    assert done == [Done("created", "A", "a")]


def test_only_changes_of_this_change_set_are_reported() -> None:
    aws = CloudFormation(
        ("UPDATE_COMPLETE", [event("A", "UPDATE_COMPLETE"), event("B", "UPDATE_COMPLETE")]),
    )
    aws._events = [event("A", "CREATE_COMPLETE"), event("B", "CREATE_FAILED", "long ago")]
    done: list[Done] = []

    aws.stack.execute(of("A"), done.append)

    assert done == [Done("updated", "A", "a")]


def test_a_stack_that_is_being_changed_is_not_changed() -> None:
    aws = CloudFormation(("UPDATE_IN_PROGRESS", []))
    with pytest.raises(DeploymentError, match=r"^The stack s is UPDATE_IN_PROGRESS"):
        aws.stack.prepare("", {}, {})
    aws.client.create_change_set.assert_not_called()


def test_a_stack_whose_creation_failed_is_deleted_first() -> None:
    aws = CloudFormation(("ROLLBACK_COMPLETE", []), ("DELETE_IN_PROGRESS", []), (None, []))
    pages = [{"Status": "CREATE_COMPLETE", "Changes": []}]
    aws.client.get_paginator = lambda name: MagicMock(
        paginate=lambda **_: pages if name == "describe_change_set" else [{"StackEvents": []}]
    )

    assert aws.stack.prepare("", {}, {}) is not None

    aws.client.delete_stack.assert_called_once_with(StackName="s")
    assert aws.client.create_change_set.call_args.kwargs["ChangeSetType"] == "CREATE"


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information.",
        "No updates are to be performed.",
    ],
)
def test_an_empty_change_set_is_deleted(reason: str) -> None:
    aws = CloudFormation(("CREATE_COMPLETE", []), ("CREATE_COMPLETE", []))
    pages = [{"Status": "FAILED", "StatusReason": reason}]
    aws.client.get_paginator.return_value.paginate = lambda **_: pages

    assert aws.stack.prepare("", {}, {}) is None

    aws.client.delete_change_set.assert_called_once()
    aws.client.delete_stack.assert_not_called()


def test_the_error_of_a_failed_change_set_has_the_reason() -> None:
    aws = CloudFormation(("CREATE_COMPLETE", []), ("CREATE_COMPLETE", []))
    pages = [{"Status": "FAILED", "StatusReason": "Parameter BatchSize is no number"}]
    aws.client.get_paginator.return_value.paginate = lambda **_: pages

    with pytest.raises(DeploymentError, match="Parameter BatchSize is no number"):
        aws.stack.prepare("", {}, {})


def test_a_report_names_the_main_resources_and_counts_all() -> None:
    lines: list[str] = []
    report = Report(lines.append)
    assert str(report) == "no changes"

    for done in (
        Done("created", "Stream", "s"),
        Done("created", "DeadLetterQueue", "q"),
        Done("updated", "Processor", "f"),
    ):
        report(done)

    assert lines == ["created stream s", "updated function f"]
    assert str(report) == "2 created, 1 updated"


def test_a_verbose_report_names_all_resources() -> None:
    lines: list[str] = []
    Report(lines.append, verbose=True)(Done("created", "DeadLetterQueue", "q"))
    assert lines == ["created DeadLetterQueue q"]
