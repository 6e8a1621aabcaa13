"""What people read: a line a resource, a plan, a failure."""

from __future__ import annotations

from botocore.exceptions import ClientError, EndpointConnectionError

from provisioner import Action, Change, Failure, ProvisioningError, render_plan
from provisioner.errors import explain


def test_a_plan_counts_what_would_change() -> None:
    changes = [
        Change(Action.CREATED, "stream s", "2 shards", planned=True),
        Change(Action.UPDATED, "function f", "code, timeout seconds 3 → 60", planned=True),
        Change(Action.UNCHANGED, "table t", planned=True),
    ]

    assert render_plan(changes).splitlines() == [
        "would create stream s (2 shards)",
        "would update function f: code, timeout seconds 3 → 60",
        "unchanged table t",
        "2 of 3 resources would change",
    ]


def test_a_plan_without_changes_says_so() -> None:
    assert render_plan([Change(Action.UNCHANGED, "table t", planned=True)]).endswith(
        "nothing to do"
    )


def test_a_failure_says_what_is_there_what_is_not_and_why() -> None:
    error = ProvisioningError(
        "provisioning",
        [Change(Action.CREATED, "stream s"), Change(Action.UNCHANGED, "table t")],
        [Failure("function f", "CreateFunction: AccessDeniedException: no")],
        ["pipe p"],
    )

    assert str(error).splitlines() == [
        "provisioning stopped",
        "  failed: function f: CreateFunction: AccessDeniedException: no",
        "  done: stream s, table t",
        "  not tried: pipe p",
        "Run it again once the cause is gone: it goes on from what is there.",
    ]


def test_a_plan_that_failed_does_not_claim_to_have_done_anything() -> None:
    planned = Change(Action.CREATED, "stream s", "2 shards", planned=True)

    error = ProvisioningError("planning", [planned], [Failure("table t", "its key is id (N)")])

    assert str(error).splitlines()[1:4] == [
        "  failed: table t: its key is id (N)",
        "  would create stream s (2 shards)",
        "  done: nothing",
    ]


def test_a_refusal_of_aws_is_one_printable_line() -> None:
    error = ClientError(
        {"Error": {"Code": "AccessDenied", "Message": "no\n\x1b[31mway"}}, "CreateRole"
    )

    assert explain(error) == "CreateRole: AccessDenied: no  [31mway"


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    assert "http://127.0.0.1:1" in explain(
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    )
