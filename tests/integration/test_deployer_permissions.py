"""Whoever deploys has the documented policies: with them all works, without any part it is said."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import boto3
import pytest
from click.testing import CliRunner, Result

import provisioner
from iam.deployment import ACCOUNT, KEY, Statement, an_account, deployer, statements, without
from iam.enforcement import Asked, Enforcement, denial
from iam.evaluation import Need, allowed
from inventory_cli.cli import cli
from provisioner import Change, Clients, Names, Options, ProvisioningError, policies
from provisioner.description import description
from provisioner.errors import Failure
from provisioner.kinds.pipes import Pipes
from provisioner.permissions.preflight import preflight
from provisioner.resources import Pipe

NAMES = Names()
GUIDE = Path(__file__).parents[2] / "docs" / "aws.md"
LOOKS_AT_ALL = {"cloudwatch:DescribeAlarms"}
EVERYTHING_ON = Options(kms_key=KEY, point_in_time_recovery=True, deletion_protection=True)
CHANGED = Options(
    point_in_time_recovery=True, deletion_protection=True, stream_shards=4, function_memory_mb=512
)
DOCUMENTED = statements("deployer")
WITH_A_KEY = statements("deployer", options=EVERYTHING_ON)
ACTIONS = sorted({action for statement in WITH_A_KEY for action in statement["Action"]})

Life = tuple[list[Statement], dict[Need, str]]
"""The policies of somebody, and what is asked of IAM of what that one does, by which operation."""


def package(content: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", content)
    return buffer.getvalue()


def of_one_changed_throughout() -> dict[Need, str]:
    with an_account():
        somebody = Clients.from_session(boto3.Session())
        notes = deployer(None)
        with notes.enforced():
            session = boto3.Session()
            clients = Clients.from_session(session)
            preflight(clients, NAMES, Options(), provisioner.plan(clients, NAMES, Options(), b""))
            provisioner.provision(clients, NAMES, Options(), package("one"), ignore)
            meddle(somebody)
            provisioner.provision(clients, NAMES, CHANGED, package("two"), ignore)
            # Changed by itself: moto's pipe forgets where it began when it is.
            [pipe] = [r for r in description(NAMES, CHANGED, ACCOUNT, "") if isinstance(r, Pipe)]
            Pipes(clients.pipes).update(pipe, pipe)
            [mapping, _] = somebody.lambda_.list_event_source_mappings()["EventSourceMappings"]
            known = {*provisioner.tagged(session, NAMES.stage), mapping["EventSourceMappingArn"]}
            provisioner.destroy(clients, NAMES, CHANGED, ignore, tagged=known)
    return by_need(notes)


def of_one_with_a_key_of_its_own() -> dict[Need, str]:
    notes = deployer(None)
    with an_account(), notes.enforced():
        clients = Clients.from_session(boto3.Session())
        provisioner.provision(clients, NAMES, EVERYTHING_ON, package("one"), ignore)
    return by_need(notes)


def ignore(change: Change) -> None: ...


def meddle(somebody: Clients) -> None:
    """Change what nothing but meddling changes."""
    topic = ACCOUNT.arn("sns", NAMES.topic)
    queue = ACCOUNT.arn("sqs", NAMES.rejected_queue)
    somebody.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    rejections = ACCOUNT.arn("sns", NAMES.rejections_topic)
    for each in somebody.sns.list_subscriptions_by_topic(TopicArn=rejections)["Subscriptions"]:
        somebody.sns.set_subscription_attributes(
            SubscriptionArn=each["SubscriptionArn"],
            AttributeName="RawMessageDelivery",
            AttributeValue="false",
        )
    somebody.iam.update_assume_role_policy(
        RoleName=NAMES.pipe_role, PolicyDocument=policies.trust("sns.amazonaws.com", {}).to_json()
    )
    queue_url = somebody.sqs.get_queue_url(QueueName=NAMES.rejected_queue)["QueueUrl"]
    somebody.sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"VisibilityTimeout": "5"})
    for mapping in somebody.lambda_.list_event_source_mappings()["EventSourceMappings"]:
        somebody.lambda_.update_event_source_mapping(UUID=mapping["UUID"], BatchSize=3)


def by_need(notes: Enforcement) -> dict[Need, str]:
    return {need: asked.operation for asked in notes.asked for need in asked.needs}


def refused(life: Life) -> list[Need]:
    documented, needs = life
    return [need for need in needs if not allowed(documented, need)]


def refused_without(action: str, life: Life) -> list[Need]:
    """What is, where the policies lack the action; no policy has a wildcard that would allow it."""
    documented, needs = life
    return refused(
        (without(documented, action), {n: o for n, o in needs.items() if n.action == action})
    )


def line(operation: str, need: Need) -> str:
    """What the program says of it."""
    failure = Failure.of("it", denial(operation, need))
    [line] = ProvisioningError("planning", [], [failure]).reasons()
    return line


def test_the_documented_policies_are_enough_and_without_any_action_a_line_names_it() -> None:
    """One test, for what it takes is asked once; a wrong action shows in what it is compared with.

    Nothing is allowed on what is somebody else's: all that has a name of ours has another one then.
    """
    lives = [
        (DOCUMENTED, of_one_changed_throughout()),
        (WITH_A_KEY, of_one_with_a_key_of_its_own()),
    ]

    assert [refused(life) for life in lives] == [[], []]
    assert {
        action: {line(life[1][n], n) for life in lives for n in refused_without(action, life)}
        for action in ACTIONS
    } == {action: {f"you may not {action}"} for action in ACTIONS}
    theirs = [(documented, need) for documented, needs in lives for need in of_others(needs)]
    assert len(theirs) > len(ACTIONS)
    assert [need for documented, need in theirs if allowed(documented, need)] == []


def of_others(needs: Iterable[Need]) -> Iterator[Need]:
    names = {value for field, value in vars(NAMES).items() if field != "stage"}
    ours = re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)))
    for need in needs:
        theirs = ours.sub(r"their-\g<0>", need.resource)
        if theirs != need.resource and need.action not in LOOKS_AT_ALL:
            yield replace(need, resource=theirs)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


class Runs(NamedTuple):
    """What commands in one account ended with, one after the other: tests look at one each."""

    lacking: Result
    lacking_asked: list[Asked]
    unasked: Result
    completed: Result
    stopped: Result
    gone: Result
    denied: list[Need]
    """Of whoever has the documented policies."""


NOT_TO_MAKE = ("iam:PassRole", "kinesis:CreateStream", "lambda:TagResource")
NOT_TO_ASK = ("iam:SimulatePrincipalPolicy", "kinesis:CreateStream")


@pytest.fixture(scope="module")
def runs() -> Runs:
    with an_account():
        lacking_somebody = deployer(without(DOCUMENTED, *NOT_TO_MAKE))
        with lacking_somebody.enforced():
            lacking = run("provision", "--yes")
        with deployer(without(DOCUMENTED, *NOT_TO_ASK)).enforced():
            unasked = run("provision", "--yes")
        somebody = deployer(DOCUMENTED)
        with somebody.enforced():
            completed = run("provision", "--yes")
        with deployer(without(DOCUMENTED, "pipes:DeletePipe")).enforced():
            stopped = run("destroy", "--yes")
        with somebody.enforced():
            gone = run("destroy", "--yes")
    return Runs(lacking, lacking_somebody.asked, unasked, completed, stopped, gone, somebody.denied)


def test_what_may_not_be_made_is_known_before_anything_is(runs: Runs) -> None:
    result = runs.lacking

    assert result.exit_code == 2
    assert result.stderr == f"Error: you may not {', '.join(NOT_TO_MAKE)}; nothing was changed\n"
    assert result.stderr.rstrip() in GUIDE.read_text(encoding="utf-8")
    looks = ("Describe", "Get", "List", "Simulate")
    assert [each for each in runs.lacking_asked if not each.operation.startswith(looks)] == []


def test_who_may_not_ask_beforehand_is_told_and_a_second_run_goes_on_after_the_first(
    runs: Runs,
) -> None:
    stopped, completed = runs.unasked, runs.completed

    unknown = "cannot be checked first: you may not iam:SimulatePrincipalPolicy\n"
    assert unknown in stopped.stdout
    assert unknown in GUIDE.read_text(encoding="utf-8")
    assert stopped.exit_code == 1
    assert "failed: stream realtimeInventoryProcessing: CreateStream: " in stopped.stderr
    assert "not authorized to perform: kinesis:CreateStream" in stopped.stderr
    assert "goes on from what is there" in stopped.stderr
    assert completed.exit_code == 0, completed.output
    assert "created stream realtimeInventoryProcessing" in completed.output
    assert "unchanged table product_inventory" in completed.output


def test_with_the_documented_policies_one_provisions_and_destroys_and_with_less_is_told(
    runs: Runs,
) -> None:
    made, stopped, gone = runs.completed, runs.stopped, runs.gone

    assert made.exit_code == 0, made.output
    assert "created pipe inventory-pipe" in made.output
    assert runs.denied == []
    assert stopped.exit_code == 1
    assert "not authorized to perform: pipes:DeletePipe" in stopped.stderr
    assert gone.exit_code == 0, gone.output
    assert gone.output.endswith("nothing of the stage default is left\n")
