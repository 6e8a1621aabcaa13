"""Everything the description names, made, repaired and removed on the emulator."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config

from conftest import AwsClient
from inventory_cli.embedded.processes import free_port
from pipes_service import pipes_process
from provisioner import (
    Action,
    Change,
    Clients,
    Names,
    Options,
    ProvisioningError,
    destroy,
    plan,
    provision,
)
from provisioner.resources import TAGS
from waiting import eventually

DEADLINE = 30.0
DEFAULTS = Options()


def packed(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("inventory/__init__.py", "")
        package.writestr("inventory/handler.py", source)
    return archive.getvalue()


CODE = packed("def handler(event, context): return {}")
OTHER_CODE = packed("def handler(event, context): return None")


@dataclasses.dataclass
class Stack:
    """The provisioner on the emulator, under names that no other test uses."""

    clients: Clients
    names: Names
    options: Options = DEFAULTS
    code: bytes = CODE

    def provision(self) -> list[str]:
        reported: list[Change] = []
        done = provision(
            self.clients, self.names, self.options, self.code, reported.append, DEADLINE
        )
        assert sorted(map(str, reported)) == sorted(map(str, done))
        return [str(change) for change in done]

    def plan(self) -> list[str]:
        return [str(change) for change in plan(self.clients, self.names, self.options, self.code)]

    def destroy(self, clients: Clients | None = None) -> list[Change]:
        reported: list[Change] = []
        return destroy(clients or self.clients, self.names, self.options, reported.append, DEADLINE)

    @property
    def queue_url(self) -> str:
        return self.clients.sqs.get_queue_url(QueueName=self.names.rejected_queue)["QueueUrl"]

    @property
    def topic_arn(self) -> str:
        return f"arn:aws:sns:us-east-1:000000000000:{self.names.topic}"


@pytest.fixture(scope="module")
def clients(
    aws: AwsClient, emulator: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clients]:
    """Of the emulator, and of our own Pipes service beside it."""
    with pipes_process(emulator, tmp_path_factory.mktemp("pipes") / "state") as pipes:
        yield Clients(
            kinesis=aws("kinesis"),
            dynamodb=aws("dynamodb"),
            lambda_=aws("lambda"),
            iam=aws("iam"),
            sqs=aws("sqs"),
            sns=aws("sns"),
            logs=aws("logs"),
            pipes=pipes.client(),
            sts=aws("sts"),
        )


def unique_names() -> Names:
    unique = uuid.uuid4().hex[:8]
    defaults = dataclasses.asdict(Names())
    return Names(**{field: f"{name}-{unique}" for field, name in defaults.items()})


@pytest.fixture
def stack(clients: Clients) -> Iterator[Stack]:
    """Nothing is there yet."""
    stack = Stack(clients, unique_names())
    yield stack
    stack.destroy()


@pytest.fixture(scope="module")
def shared_stack(clients: Clients) -> Iterator[Stack]:
    stack = Stack(clients, unique_names())
    stack.provision()
    yield stack
    stack.destroy()


@pytest.fixture
def settled_stack(shared_stack: Stack) -> Iterator[Stack]:
    """Everything is there and right, and is so again after the test."""
    yield dataclasses.replace(shared_stack)
    shared_stack.provision()


@contextmanager
def refused(
    client: Any,
    operation: str,
    error: str = "AccessDeniedException",
    message: str = "you may not",
    times: int | None = None,
) -> Iterator[None]:
    """`client` answers `error` to `operation`, the first `times` or always, without asking AWS."""
    answer: Any = {"Error": {"Code": error, "Message": message}}
    left = iter(range(times)) if times else itertools.count()

    def refuse(**_: Any) -> None:
        if next(left, None) is not None:
            raise client.exceptions.from_code(error)(answer, operation)

    event = f"before-call.*.{operation}"
    client.meta.events.register(event, refuse)
    try:
        yield
    finally:
        client.meta.events.unregister(event, refuse)


def changed(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("unchanged ")]


def test_everything_is_made_and_a_second_run_changes_nothing(stack: Stack) -> None:
    names = stack.names

    assert stack.provision() == [
        f"created table {names.table}",
        f"created queue {names.dead_letter_queue}",
        f"created queue {names.rejected_queue}",
        f"created log group /aws/lambda/{names.function}",
        f"created role {names.function_role}",
        f"created role {names.pipe_role}",
        f"created topic {names.topic}",
        f"created function {names.function} (python3.13, 256 MB)",
        f"created stream {names.stream} (2 shards)",
        f"created pipe {names.pipe} (batches of up to 500)",
    ]
    assert changed(stack.provision()) == []
    assert changed(stack.plan()) == []


def test_a_plan_says_what_would_be_made_and_makes_nothing(stack: Stack) -> None:
    planned = stack.plan()

    assert len(planned) == 10
    assert all(line.startswith("would create ") for line in planned)
    assert stack.plan() == planned
    assert [line.replace("created ", "would create ", 1) for line in stack.provision()] == planned


def test_a_rejected_event_reaches_the_queue_as_it_was_published(settled_stack: Stack) -> None:
    settled_stack.clients.sns.publish(TopicArn=settled_stack.topic_arn, Message='{"reason": "bad"}')

    [message] = eventually(
        lambda: settled_stack.clients.sqs.receive_message(QueueUrl=settled_stack.queue_url).get(
            "Messages"
        )
    )
    assert message["Body"] == '{"reason": "bad"}'


def test_the_pipe_runs_with_the_parameters_of_the_description(settled_stack: Stack) -> None:
    pipe = settled_stack.clients.pipes.describe_pipe(Name=settled_stack.names.pipe)

    assert pipe["CurrentState"] == "RUNNING"
    assert pipe["Tags"] == TAGS
    parameters = pipe["SourceParameters"]["KinesisStreamParameters"]
    assert parameters["OnPartialBatchItemFailure"] == "AUTOMATIC_BISECT"
    assert parameters["DeadLetterConfig"]["Arn"].endswith(settled_stack.names.dead_letter_queue)
    assert (parameters["BatchSize"], parameters["MaximumRetryAttempts"]) == (
        500,
        Options().max_retry_attempts,
    )


def stop_table_stream(stack: Stack) -> None:
    stack.clients.dynamodb.update_table(
        TableName=stack.names.table, StreamSpecification={"StreamEnabled": False}
    )


def show_keys_only(stack: Stack) -> None:
    stop_table_stream(stack)
    stack.clients.dynamodb.update_table(
        TableName=stack.names.table,
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )


def shorten_queue_retention(stack: Stack) -> None:
    stack.clients.sqs.set_queue_attributes(
        QueueUrl=stack.queue_url, Attributes={"MessageRetentionPeriod": "3600"}
    )


def let_anybody_send(stack: Stack) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    stack.clients.sqs.set_queue_attributes(
        QueueUrl=stack.queue_url,
        Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})},
    )


def subscription(stack: Stack) -> str:
    [found] = stack.clients.sns.list_subscriptions_by_topic(TopicArn=stack.topic_arn)[
        "Subscriptions"
    ]
    return found["SubscriptionArn"]


def unsubscribe(stack: Stack) -> None:
    stack.clients.sns.unsubscribe(SubscriptionArn=subscription(stack))


def wrap_messages(stack: Stack) -> None:
    stack.clients.sns.set_subscription_attributes(
        SubscriptionArn=subscription(stack),
        AttributeName="RawMessageDelivery",
        AttributeValue="false",
    )


def keep_logs_for_ever(stack: Stack) -> None:
    stack.clients.logs.delete_retention_policy(logGroupName=f"/aws/lambda/{stack.names.function}")


def widen_policy(stack: Stack) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    stack.clients.iam.put_role_policy(
        RoleName=stack.names.function_role,
        PolicyName="access",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def drop_policy(stack: Stack) -> None:
    stack.clients.iam.delete_role_policy(RoleName=stack.names.pipe_role, PolicyName="access")


def trust_everybody(stack: Stack) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    stack.clients.iam.update_assume_role_policy(
        RoleName=stack.names.pipe_role,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def change_environment(stack: Stack) -> None:
    stack.clients.lambda_.update_function_configuration(
        FunctionName=stack.names.function, Timeout=3, Environment={"Variables": {"MORE": "1"}}
    )


def use_other_code(stack: Stack) -> None:
    stack.code = OTHER_CODE


def use_other_code_and_memory(stack: Stack) -> None:
    stack.code = OTHER_CODE
    stack.options = Options(function_memory_mb=512)


def use_more_shards(stack: Stack) -> None:
    stack.options = Options(stream_shards=4)


def use_smaller_batches(stack: Stack) -> None:
    stack.options = Options(batch_size=50, max_retry_attempts=2)


def stop_pipe(stack: Stack) -> None:
    stack.clients.pipes.stop_pipe(Name=stack.names.pipe)
    eventually(
        lambda: (
            stack.clients.pipes.describe_pipe(Name=stack.names.pipe)["CurrentState"] == "STOPPED"
        )
    )


@pytest.mark.parametrize(
    ("drift", "kind", "details"),
    [
        (use_more_shards, "stream", "shards 2 → 4"),
        (stop_table_stream, "table", "stream view None → NEW_AND_OLD_IMAGES"),
        (show_keys_only, "table", "stream view KEYS_ONLY → NEW_AND_OLD_IMAGES"),
        (shorten_queue_retention, "rejected_queue", "retention seconds 3600 → 1209600"),
        (let_anybody_send, "rejected_queue", "policy"),
        (unsubscribe, "topic", "subscriber, raw delivery False → True"),
        (wrap_messages, "topic", "raw delivery False → True"),
        (keep_logs_for_ever, "log group", "retention days None → 14"),
        (widen_policy, "function_role", "policy"),
        (drop_policy, "pipe_role", "policy"),
        (trust_everybody, "pipe_role", "trust"),
        (change_environment, "function", "timeout seconds 3 → 60, environment"),
        (use_other_code, "function", "code"),
        (use_other_code_and_memory, "function", "code, memory mb 256 → 512"),
        (
            use_smaller_batches,
            "pipe",
            f"batch size 500 → 50, max retry attempts {Options().max_retry_attempts} → 2",
        ),
        (stop_pipe, "pipe", "state STOPPED → RUNNING"),
    ],
)
def test_what_drifted_is_put_right_and_nothing_else(
    settled_stack: Stack, drift: Callable[[Stack], None], kind: str, details: str
) -> None:
    drift(settled_stack)

    planned = changed(settled_stack.plan())
    made = changed(settled_stack.provision())

    name = getattr(settled_stack.names, kind, f"/aws/lambda/{settled_stack.names.function}")
    label = f"{kind.rsplit('_')[-1]} {name}"
    assert planned == [f"would update {label}: {details}"]
    assert made == [f"updated {label}: {details}"]
    assert changed(settled_stack.provision()) == []


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("kinesis", "CreateStream"),
        ("kinesis", "AddTagsToStream"),
        ("dynamodb", "CreateTable"),
        ("sqs", "CreateQueue"),
        ("logs", "CreateLogGroup"),
        ("logs", "PutRetentionPolicy"),
        ("iam", "CreateRole"),
        ("iam", "PutRolePolicy"),
        ("sns", "CreateTopic"),
        ("sns", "Subscribe"),
        ("lambda_", "CreateFunction"),
        ("pipes", "CreatePipe"),
    ],
)
def test_a_run_that_failed_in_the_middle_is_completed_by_the_next(
    stack: Stack, service: str, operation: str
) -> None:
    with (
        refused(getattr(stack.clients, service), operation),
        pytest.raises(ProvisioningError, match=f"{operation}: AccessDeniedException: you may not"),
    ):
        stack.provision()

    stack.provision()

    assert changed(stack.provision()) == []


@pytest.mark.parametrize(
    ("service", "operation", "error", "message"),
    [
        (
            "lambda_",
            "CreateFunction",
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        ("sqs", "CreateQueue", "QueueDeletedRecently", "You must wait 60 seconds"),
    ],
)
def test_a_refusal_that_passes_is_waited_for(
    stack: Stack, service: str, operation: str, error: str, message: str
) -> None:
    with refused(getattr(stack.clients, service), operation, error, message, times=3):
        lines = stack.provision()

    assert all(line.startswith("created ") for line in lines)


def test_a_failure_tells_what_is_done_what_failed_and_what_was_not_tried(stack: Stack) -> None:
    with (
        refused(stack.clients.lambda_, "CreateFunction"),
        pytest.raises(ProvisioningError) as stopped,
    ):
        stack.provision()

    error = stopped.value
    assert [failure.resource for failure in error.failures] == [f"function {stack.names.function}"]
    assert len(error.done) == 7
    assert error.untried == (f"stream {stack.names.stream}", f"pipe {stack.names.pipe}")


def test_a_pipe_that_failed_to_be_created_is_made_again(stack: Stack) -> None:
    pipes, name = stack.clients.pipes, stack.names.pipe
    pipes.create_pipe(
        Name=name,
        RoleArn="arn:aws:iam::000000000000:role/none",
        Source=f"arn:aws:kinesis:us-east-1:000000000000:stream/{stack.names.stream}",
        SourceParameters={"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"}},
        Target=f"arn:aws:lambda:us-east-1:000000000000:function:{stack.names.function}",
        Tags=TAGS,
    )
    eventually(lambda: pipes.describe_pipe(Name=name)["CurrentState"] == "CREATE_FAILED")

    assert stack.provision()[-1].startswith(f"replaced pipe {name}: CREATE_FAILED: ")
    assert changed(stack.provision()) == []


def test_a_table_with_another_key_is_left_alone_with_what_to_do(stack: Stack) -> None:
    stack.clients.dynamodb.create_table(
        TableName=stack.names.table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
    )

    with pytest.raises(ProvisioningError, match=r"its key is id \(N\), not product_id \(S\)"):
        stack.plan()
    with pytest.raises(ProvisioningError, match="or set TABLE_NAME to another name"):
        stack.provision()


def test_somebody_elses_queue_is_neither_changed_nor_deleted(stack: Stack) -> None:
    sqs, name = stack.clients.sqs, stack.names.dead_letter_queue
    url = sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]

    with pytest.raises(ProvisioningError, match="it exists, but it has no tag project="):
        stack.provision()
    removed = {change.resource: change.action for change in stack.destroy()}

    assert removed.pop(f"queue {name}") is Action.KEPT
    assert Action.KEPT not in removed.values()
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["MessageRetentionPeriod"] == "60"
    sqs.delete_queue(QueueUrl=url)


def test_a_log_group_that_the_function_made_itself_is_taken_over(stack: Stack) -> None:
    name = f"/aws/lambda/{stack.names.function}"
    stack.clients.logs.create_log_group(logGroupName=name)

    assert f"updated log group {name}: tags, retention days None → 14" in stack.provision()


def test_destroying_removes_everything_the_pipe_first(stack: Stack) -> None:
    stack.provision()

    removed = stack.destroy()

    assert {change.action for change in removed} == {Action.DELETED}
    assert str(removed[0]) == f"deleted pipe {stack.names.pipe}"
    assert all(line.startswith("would create ") for line in stack.plan())


def test_destroying_again_finds_nothing_to_do(stack: Stack) -> None:
    stack.provision()
    stack.destroy()

    assert {change.action for change in stack.destroy()} == {Action.ABSENT}


def test_destroying_goes_on_where_some_are_missing(stack: Stack) -> None:
    stack.provision()
    stack.clients.sns.delete_topic(TopicArn=stack.topic_arn)
    stack.clients.iam.delete_role_policy(RoleName=stack.names.pipe_role, PolicyName="access")

    actions = {change.resource: change.action for change in stack.destroy()}

    assert actions.pop(f"topic {stack.names.topic}") is Action.ABSENT
    assert set(actions.values()) == {Action.DELETED}


def test_when_the_pipe_cannot_be_deleted_nothing_behind_it_is(settled_stack: Stack) -> None:
    with (
        refused(settled_stack.clients.pipes, "DeletePipe"),
        pytest.raises(ProvisioningError, match="DeletePipe: AccessDeniedException") as stopped,
    ):
        settled_stack.destroy()

    assert len(stopped.value.untried) == 9
    assert changed(settled_stack.provision()) == []


def test_an_endpoint_that_does_not_answer_is_named_and_nothing_is_tried(stack: Stack) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    sts = boto3.client(
        "sts",
        endpoint_url=nowhere,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )
    unreachable = dataclasses.replace(stack, clients=dataclasses.replace(stack.clients, sts=sts))

    with pytest.raises(ProvisioningError, match=f'AWS account: .*"{nowhere}') as stopped:
        unreachable.provision()

    assert stopped.value.done == ()
