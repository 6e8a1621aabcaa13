"""Everything the description names, made, repaired and removed on the emulator."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
import json
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config

from inventory_cli.embedded.processes import free_port
from pipes_service import pipes_process
from provisioner import (
    Action,
    Call,
    Change,
    Clients,
    Names,
    NotBegunError,
    Options,
    ProvisioningError,
    destroy,
    dry_run,
    plan,
    provision,
    tagged,
)
from provisioner.account import Account
from provisioner.calls import recorded, unknown_stream
from provisioner.description import description
from provisioner.resources import DEFAULT_STAGE, KINESIS_KEY, PROJECT, Resource, tags_of
from servers import AwsClient
from waiting import eventually

DEADLINE = 30.0
DEFAULTS = Options()
KEY = "arn:aws:kms:us-east-1:000000000000:key/2f6e1d1a-7a0c-4d8e-9d53-5a4b9a3b8a11"


def packed(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("inventory/__init__.py", "")
        package.writestr("inventory/handler.py", source)
        package.writestr("alerts/__init__.py", "")
        package.writestr("alerts/handler.py", source)
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

    def dry_run(self) -> list[Call]:
        return dry_run(self.clients, self.names, self.options, self.code)

    def destroy(self, clients: Clients | None = None) -> list[Change]:
        reported: list[Change] = []
        return destroy(clients or self.clients, self.names, self.options, reported.append, DEADLINE)

    @property
    def queue_url(self) -> str:
        return self.clients.sqs.get_queue_url(QueueName=self.names.rejected_queue)["QueueUrl"]

    @property
    def topic_arn(self) -> str:
        """That of the rejections."""
        return f"arn:aws:sns:us-east-1:000000000000:{self.names.rejections_topic}"

    def arn_of_queue(self, name: str) -> str:
        return f"arn:aws:sqs:us-east-1:000000000000:{name}"


@pytest.fixture(scope="module")
def clients(
    aws: AwsClient, emulator: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clients]:
    """Of the emulator, and of our own Pipes service beside it."""
    with pipes_process(emulator, tmp_path_factory.mktemp("pipes") / "state") as pipes:
        yield Clients(
            cloudwatch=aws("cloudwatch"),
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


ALARMS = ("lag", "failed-records", "function-errors", "dead-letters", "rejected-share")


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
        f"created table {names.removals_table}",
        f"created queue {names.dead_letter_queue}",
        f"created queue {names.rejected_queue}",
        f"created log group /aws/lambda/{names.function}",
        f"created role {names.function_role}",
        f"created role {names.pipe_role}",
        f"created table {names.alerts_table}",
        f"created queue {names.alerts_queue}",
        f"created log group /aws/lambda/{names.alerts_function}",
        f"created role {names.alerts_role}",
        f"created topic {names.rejections_topic}",
        f"created topic {names.dead_letters_topic}",
        f"created function {names.function} (python3.13, 256 MB)",
        f"created function {names.alerts_function} (python3.13, 256 MB)",
        f"created stream {names.stream} (2 shards)",
        f"created pipe {names.pipe} (batches of up to 500)",
        f"created topic {names.topic}",
        f"created event source queue {names.alerts_queue}",
        f"created event source table {names.table}",
        *(f"created alarm {names.alarms}-{alarm}" for alarm in ALARMS),
        f"created dashboard {names.dashboard}",
    ]
    assert changed(stack.provision()) == []
    assert changed(stack.plan()) == []


def test_a_plan_says_what_would_be_made_and_makes_nothing(stack: Stack) -> None:
    planned = stack.plan()

    assert len(planned) == 26
    assert all(line.startswith("would create ") for line in planned)
    assert stack.plan() == planned
    assert [line.replace("created ", "would create ", 1) for line in stack.provision()] == planned


@contextmanager
def requests(clients: Clients) -> Iterator[list[str]]:
    """The operations of whatever goes over the wire."""
    sent: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        sent.append(event_name.rpartition(".")[2])

    every = [getattr(clients, each.name).meta.events for each in dataclasses.fields(clients)]
    for events in every:
        events.register("before-send", note)
    try:
        yield sent
    finally:
        for events in every:
            events.unregister("before-send", note)


def by_what_they_are_about(stack: Stack, calls: list[Call]) -> dict[str, list[str]]:
    """The calls of each resource in their order: those of different ones may change places.

    Without the label of a stream, which only DynamoDB knows, and without what MiniStack makes us do
    again: it drops the tags that a stream is made with.
    """
    found: dict[str, list[str]] = {}
    naming = (
        *("StreamName", "TableName", "QueueName", "QueueUrl", "TopicArn", "RoleName", "UUID"),
        *("AlarmName", "DashboardName"),
    )
    for call in calls:
        if call.operation == "AddTagsToStream":
            continue
        given = call.parameters
        subject = next((given[key] for key in naming if key in given), call.service)
        stream = rf"arn:aws:dynamodb:[a-z0-9-]+:[0-9]+:table/{stack.names.table}/stream/[^\"]+"
        line = re.sub(stream, unknown_stream(stack.names.table), str(call))
        found.setdefault(subject, []).append(line)
    return {
        subject: sorted(x) if subject in ("lambda", "logs", "sns") else x
        for subject, x in found.items()
    }


def change_much(stack: Stack) -> None:
    show_keys_only(stack)
    wrap_messages(stack)
    trust_everybody(stack)
    stack.code = OTHER_CODE
    stack.options = Options(
        stream_shards=7, function_memory_mb=512, batch_size=7, kms_key=KEY, low_stock=3
    )


@pytest.mark.parametrize("change", [lambda stack: None, change_much])
def test_a_dry_run_tells_the_calls_that_provisioning_makes_and_makes_none(
    stack: Stack, change: Callable[[Stack], None]
) -> None:
    if change is change_much:
        stack.provision()
        change(stack)
    planned = stack.plan()

    with requests(stack.clients) as sent:
        told = stack.dry_run()
    assert sent
    assert {re.sub("(?<=[a-z])[A-Z].*", "", name) for name in sent} == {"Describe", "Get", "List"}
    assert stack.plan() == planned
    with recorded(stack.clients, send=True) as made:
        stack.provision()

    assert by_what_they_are_about(stack, told) == by_what_they_are_about(stack, made)
    assert stack.dry_run() == []


def test_a_dry_run_is_in_the_order_of_provisioning_and_tells_a_zip_by_its_hash(
    stack: Stack,
) -> None:
    told = stack.dry_run()

    order = [call.operation for call in told if call.operation.startswith("Create")]
    assert list(dict.fromkeys(order)) == [
        *("CreateTable", "CreateQueue", "CreateLogGroup", "CreateRole", "CreateTopic"),
        *("CreateFunction", "CreateStream", "CreatePipe", "CreateEventSourceMapping"),
    ]
    [line, _] = [str(call) for call in told if call.operation == "CreateFunction"]
    assert line.startswith('lambda CreateFunction {"FunctionName": "inventory-processor-')
    digest = hashlib.sha256(CODE).hexdigest()
    assert f'"ZipFile": "{len(CODE)} bytes, SHA-256 {digest}"' in line
    assert json.loads(line.split(" ", 2)[2])["Tags"] == tags_of(stack.names.stage)


def test_a_dry_run_fails_as_provisioning_does_where_that_can_be_told(stack: Stack) -> None:
    url = stack.clients.sqs.create_queue(QueueName=stack.names.rejected_queue)["QueueUrl"]

    with pytest.raises(ProvisioningError, match="it exists, but it has no tag project="):
        stack.dry_run()
    stack.clients.sqs.delete_queue(QueueUrl=url)


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
    assert pipe["Tags"] == tags_of(settled_stack.names.stage)
    parameters = pipe["SourceParameters"]["KinesisStreamParameters"]
    assert parameters["OnPartialBatchItemFailure"] == "AUTOMATIC_BISECT"
    assert parameters["DeadLetterConfig"]["Arn"].endswith(settled_stack.names.dead_letters_topic)
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


def alarm_later(stack: Stack) -> None:
    stack.clients.cloudwatch.put_metric_alarm(
        AlarmName=f"{stack.names.alarms}-lag",
        Namespace="Inventory",
        MetricName="newest_event_age",
        Dimensions=[{"Name": "service", "Value": stack.names.function}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=5,
        DatapointsToAlarm=3,
        Threshold=3600,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[],
    )


def empty_dashboard(stack: Stack) -> None:
    name = stack.names.dashboard
    body = json.loads(stack.clients.cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
    body["widgets"] = body["widgets"][:2]
    stack.clients.cloudwatch.put_dashboard(DashboardName=name, DashboardBody=json.dumps(body))


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
    found = stack.clients.sns.list_subscriptions_by_topic(TopicArn=stack.topic_arn)
    queue = stack.arn_of_queue(stack.names.rejected_queue)
    [arn] = [s["SubscriptionArn"] for s in found["Subscriptions"] if s["Endpoint"] == queue]
    return arn


def unsubscribe(stack: Stack) -> None:
    stack.clients.sns.unsubscribe(SubscriptionArn=subscription(stack))


def wrap_messages(stack: Stack) -> None:
    stack.clients.sns.set_subscription_attributes(
        SubscriptionArn=subscription(stack),
        AttributeName="RawMessageDelivery",
        AttributeValue="false",
    )


def show_failed_alerts_at_once(stack: Stack) -> None:
    url = stack.clients.sqs.get_queue_url(QueueName=stack.names.alerts_queue)["QueueUrl"]
    stack.clients.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})


def subscribe_rejected_queue_to_topic_for_people(stack: Stack) -> None:
    stack.clients.sns.subscribe(
        TopicArn=f"arn:aws:sns:us-east-1:000000000000:{stack.names.topic}",
        Protocol="sqs",
        Endpoint=stack.arn_of_queue(stack.names.rejected_queue),
    )


def mapping(stack: Stack, source: str) -> str:
    found = stack.clients.lambda_.list_event_source_mappings(
        FunctionName=stack.names.alerts_function
    )["EventSourceMappings"]
    [uuid] = [m["UUID"] for m in found if source in m["EventSourceArn"]]
    return uuid


def read_alerts_one_by_one(stack: Stack) -> None:
    stack.clients.lambda_.update_event_source_mapping(
        UUID=mapping(stack, ":sqs:"), BatchSize=1, FunctionResponseTypes=[]
    )


def stop_reading_changes(stack: Stack) -> None:
    stack.clients.lambda_.update_event_source_mapping(
        UUID=mapping(stack, ":dynamodb:"), Enabled=False, BisectBatchOnFunctionError=False
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


def use_more_shards(stack: Stack) -> None:
    stack.options = Options(stream_shards=4)


def recover_and_protect(stack: Stack) -> None:
    stack.options = Options(point_in_time_recovery=True, deletion_protection=True)


def use_smaller_batches(stack: Stack) -> None:
    stack.options = Options(batch_size=50, max_retry_attempts=2)


def store_in_the_clear(stack: Stack) -> None:
    stack.clients.kinesis.stop_stream_encryption(
        StreamName=stack.names.stream, EncryptionType="KMS", KeyId=KINESIS_KEY
    )


def let_anybody_publish(stack: Stack) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}
    stack.clients.sns.set_topic_attributes(
        TopicArn=stack.topic_arn,
        AttributeName="Policy",
        AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


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
        (store_in_the_clear, "stream", "kms key None → alias/aws/kinesis"),
        (let_anybody_publish, "rejections_topic", "policy"),
        (
            recover_and_protect,
            "table",
            "point in time recovery False → True, deletion protection False → True",
        ),
        (shorten_queue_retention, "rejected_queue", "retention seconds 3600 → 1209600"),
        (let_anybody_send, "rejected_queue", "policy"),
        (show_failed_alerts_at_once, "alerts_queue", "visibility seconds 5 → 120"),
        (unsubscribe, "rejections_topic", "subscribers"),
        (wrap_messages, "rejections_topic", "raw delivery False → True"),
        (
            subscribe_rejected_queue_to_topic_for_people,
            "topic",
            "subscribers, raw delivery False → True",
        ),
        (keep_logs_for_ever, "log group", "retention days None → 14"),
        (empty_dashboard, "dashboard", "body"),
        (widen_policy, "function_role", "policy"),
        (drop_policy, "pipe_role", "policy"),
        (trust_everybody, "pipe_role", "trust"),
        (change_environment, "function", "timeout seconds 3 → 60, environment"),
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
    assert_put_right(settled_stack, planned, made, label, details)


def assert_put_right(
    settled_stack: Stack, planned: list[str], made: list[str], label: str, details: str
) -> None:
    assert planned == [f"would update {label}: {details}"]
    assert made == [f"updated {label}: {details}"]
    assert changed(settled_stack.provision()) == []


def test_an_alarm_that_was_changed_is_put_right(settled_stack: Stack) -> None:
    alarm_later(settled_stack)
    planned, made = changed(settled_stack.plan()), changed(settled_stack.provision())
    label = f"alarm {settled_stack.names.alarms}-lag"
    details = "description, threshold 3600.0 → 60, action"
    assert_put_right(settled_stack, planned, made, label, details)


def test_a_dashboard_of_somebody_else_is_left_alone(stack: Stack) -> None:
    theirs = '{"widgets": []}'
    name = stack.names.dashboard
    stack.clients.cloudwatch.put_dashboard(DashboardName=name, DashboardBody=theirs)
    with pytest.raises(ProvisioningError, match=f"dashboard {name}: it exists, but"):
        stack.provision()
    stack.destroy()
    found = stack.clients.cloudwatch.get_dashboard(DashboardName=name)
    assert found["DashboardBody"] == theirs
    stack.clients.cloudwatch.delete_dashboards(DashboardNames=[name])


def test_other_code_reaches_both_functions_and_other_memory_the_one_it_is_for(
    settled_stack: Stack,
) -> None:
    settled_stack.code = OTHER_CODE
    settled_stack.options = Options(function_memory_mb=512)

    made = changed(settled_stack.provision())

    assert made == [
        f"updated function {settled_stack.names.function}: code, memory mb 256 → 512",
        f"updated function {settled_stack.names.alerts_function}: code",
    ]
    assert changed(settled_stack.provision()) == []


@pytest.mark.parametrize(
    ("drift", "source", "details"),
    [
        (read_alerts_one_by_one, "queue", "batch size 1 → 100, response types"),
        (stop_reading_changes, "table", "enabled False → True, bisect False → True"),
    ],
)
def test_an_event_source_that_drifted_is_put_right(
    settled_stack: Stack, drift: Callable[[Stack], None], source: str, details: str
) -> None:
    drift(settled_stack)

    planned = changed(settled_stack.plan())
    made = changed(settled_stack.provision())

    names = {"queue": settled_stack.names.alerts_queue, "table": settled_stack.names.table}
    label = f"event source {source} {names[source]}"
    assert_put_right(settled_stack, planned, made, label, details)


def test_thresholds_reach_the_alerts_function(settled_stack: Stack) -> None:
    settled_stack.options = Options(low_stock=5, high_stock=None)

    made = changed(settled_stack.provision())

    assert made == [f"updated function {settled_stack.names.alerts_function}: environment"]


def test_an_event_source_that_is_gone_is_made_again(settled_stack: Stack) -> None:
    uuid = mapping(settled_stack, ":dynamodb:")
    settled_stack.clients.lambda_.delete_event_source_mapping(UUID=uuid)

    assert changed(settled_stack.provision()) == [
        f"created event source table {settled_stack.names.table}"
    ]


@pytest.mark.parametrize(
    ("drift", "view"), [(stop_table_stream, "None"), (show_keys_only, "KEYS_ONLY")]
)
def test_a_tables_stream_that_is_another_is_made_anew_and_read_from_its_beginning(
    settled_stack: Stack, drift: Callable[[Stack], None], view: str
) -> None:
    drift(settled_stack)

    made = changed(settled_stack.provision())

    name = settled_stack.names.table
    assert made == [
        f"updated table {name}: stream view {view} → NEW_AND_OLD_IMAGES",
        f"updated event source table {name}: source",
    ]
    assert changed(settled_stack.provision()) == []


def test_a_deployment_from_before_there_were_alerts_becomes_one_with_them(stack: Stack) -> None:
    """Then the rejected queue hung on the topic for people, and the pipe on its queue."""
    names, sns, sqs = stack.names, stack.clients.sns, stack.clients.sqs
    stack.provision()
    subscribe_rejected_queue_to_topic_for_people(stack)
    pipe = stack.clients.pipes.describe_pipe(Name=names.pipe)
    parameters: Any = pipe["SourceParameters"]["KinesisStreamParameters"]
    del parameters["StartingPosition"]
    dead = {"DeadLetterConfig": {"Arn": stack.arn_of_queue(names.dead_letter_queue)}}
    stack.clients.pipes.update_pipe(
        Name=names.pipe,
        RoleArn=pipe["RoleArn"],
        SourceParameters={"KinesisStreamParameters": parameters | dead},
    )
    for source in (":sqs:", ":dynamodb:"):
        stack.clients.lambda_.delete_event_source_mapping(UUID=mapping(stack, source))
    stack.clients.lambda_.delete_function(FunctionName=names.alerts_function)
    for topic in (names.rejections_topic, names.dead_letters_topic):
        sns.delete_topic(TopicArn=f"arn:aws:sns:us-east-1:000000000000:{topic}")
    people = f"arn:aws:sns:us-east-1:000000000000:{names.topic}"
    theirs = sqs.create_queue(QueueName=f"people-{names.topic}")["QueueUrl"]
    sns.subscribe(
        TopicArn=people, Protocol="sqs", Endpoint=stack.arn_of_queue(f"people-{names.topic}")
    )

    stack.provision()

    assert changed(stack.provision()) == []
    kept = sns.list_subscriptions_by_topic(TopicArn=people)["Subscriptions"]
    assert [s["Endpoint"].rpartition(":")[2] for s in kept] == [f"people-{names.topic}"]
    pipe = stack.clients.pipes.describe_pipe(Name=names.pipe)
    parameters = pipe["SourceParameters"]["KinesisStreamParameters"]
    assert parameters["DeadLetterConfig"]["Arn"].endswith(f":{names.dead_letters_topic}")
    sqs.delete_queue(QueueUrl=theirs)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("kinesis", "CreateStream"),
        ("kinesis", "AddTagsToStream"),
        ("kinesis", "StartStreamEncryption"),
        ("dynamodb", "CreateTable"),
        ("sqs", "CreateQueue"),
        ("logs", "CreateLogGroup"),
        ("logs", "PutRetentionPolicy"),
        ("iam", "CreateRole"),
        ("iam", "PutRolePolicy"),
        ("sns", "CreateTopic"),
        ("sns", "Subscribe"),
        ("lambda_", "CreateFunction"),
        ("lambda_", "CreateEventSourceMapping"),
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
    functions = [stack.names.alerts_function, stack.names.function]
    assert sorted(f.resource for f in error.failures) == [f"function {name}" for name in functions]
    assert len(error.done) == 13
    assert error.untried == (
        f"stream {stack.names.stream}",
        f"pipe {stack.names.pipe}",
        f"topic {stack.names.topic}",
        f"event source queue {stack.names.alerts_queue}",
        f"event source table {stack.names.table}",
        *(f"alarm {stack.names.alarms}-{alarm}" for alarm in ALARMS),
        f"dashboard {stack.names.dashboard}",
    )


def test_a_pipe_that_failed_to_be_created_is_made_again(stack: Stack) -> None:
    pipes, name = stack.clients.pipes, stack.names.pipe
    pipes.create_pipe(
        Name=name,
        RoleArn="arn:aws:iam::000000000000:role/none",
        Source=f"arn:aws:kinesis:us-east-1:000000000000:stream/{stack.names.stream}",
        SourceParameters={"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"}},
        Target=f"arn:aws:lambda:us-east-1:000000000000:function:{stack.names.function}",
        Tags=tags_of(stack.names.stage),
    )
    eventually(lambda: pipes.describe_pipe(Name=name)["CurrentState"] == "CREATE_FAILED")

    [replaced] = [line for line in stack.provision() if not line.startswith("created ")]
    assert replaced.startswith(f"replaced pipe {name}: CREATE_FAILED: ")
    assert changed(stack.provision()) == []


def test_a_table_with_another_key_is_left_alone_with_what_to_do(stack: Stack) -> None:
    stack.clients.dynamodb.create_table(
        TableName=stack.names.table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": key, "Value": value} for key, value in tags_of(stack.names.stage).items()],
    )

    with pytest.raises(ProvisioningError, match=r"its key is id \(N\), not product_id \(S\)"):
        stack.plan()
    with pytest.raises(
        ProvisioningError,
        match="or set TABLE_NAME, REMOVALS_TABLE_NAME or ALERTS_TABLE_NAME to another",
    ):
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


def test_stages_live_side_by_side_and_neither_touches_the_other(stack: Stack) -> None:
    """Not even where they are given the same name."""
    other = dataclasses.replace(
        unique_names(), stage="other", rejected_queue=stack.names.rejected_queue
    )
    theirs = dataclasses.replace(stack, names=other)
    stack.provision()

    with pytest.raises(
        ProvisioningError,
        match=f"it is of the stage {stack.names.stage}, not of other; choose another name",
    ):
        theirs.provision()
    removed = {change.resource: str(change) for change in theirs.destroy()}

    assert removed[f"queue {other.rejected_queue}"] == (
        f"left alone queue {other.rejected_queue}: "
        f"it is of the stage {stack.names.stage}, not of other"
    )
    assert changed(stack.provision()) == []


def test_what_was_made_before_there_were_stages_is_of_the_default_one(clients: Clients) -> None:
    names = dataclasses.replace(unique_names(), stage=DEFAULT_STAGE)
    old = Stack(clients, names)
    url = clients.sqs.create_queue(QueueName=names.rejected_queue, tags={"project": PROJECT})

    tagged = f"updated queue {names.rejected_queue}: tags, retention seconds 345600 → 1209600"
    assert any(line.startswith(tagged) for line in old.provision())
    assert clients.sqs.list_queue_tags(QueueUrl=url["QueueUrl"])["Tags"] == tags_of("default")
    assert {change.action for change in old.destroy()} == {Action.DELETED}


def test_everything_that_keeps_data_takes_a_key_of_ones_own_and_gives_it_up_again(
    stack: Stack,
) -> None:
    stack.options = Options(kms_key=KEY)
    stack.provision()
    assert changed(stack.provision()) == []
    names, queue = stack.names, {"QueueUrl": stack.queue_url}
    stream = stack.clients.kinesis.describe_stream_summary(StreamName=names.stream)
    table = stack.clients.dynamodb.describe_table(TableName=names.table)["Table"]
    attributes = stack.clients.sqs.get_queue_attributes(**queue, AttributeNames=["All"])
    topic = stack.clients.sns.get_topic_attributes(TopicArn=stack.topic_arn)["Attributes"]
    assert stream["StreamDescriptionSummary"]["KeyId"] == KEY
    assert table["SSEDescription"]["KMSMasterKeyArn"] == KEY
    assert attributes["Attributes"]["KmsMasterKeyId"] == KEY
    assert topic["KmsMasterKeyId"] == KEY

    stack.options = DEFAULTS
    made = changed(stack.provision())

    keepers = ("stream", "table", "queue", "topic", "role")
    assert len(made) == 13
    assert all(line.split()[1] in keepers for line in made)
    assert changed(stack.provision()) == []


def test_a_protected_table_outlives_the_rest_until_it_is_protected_no_more(stack: Stack) -> None:
    stack.options = Options(deletion_protection=True)
    stack.provision()
    table = f"table {stack.names.table}"

    removed = {change.resource: change for change in stack.destroy()}

    assert removed.pop(table).action is Action.KEPT
    assert {change.action for change in removed.values()} == {Action.DELETED}
    assert "it is protected from deletion, until you run `aws " in str(
        {change.resource: change for change in stack.destroy()}[table]
    )
    stack.clients.dynamodb.update_table(
        TableName=stack.names.table, DeletionProtectionEnabled=False
    )
    assert Action.DELETED in {change.action for change in stack.destroy()}


def test_a_log_group_that_the_function_made_itself_is_taken_over(stack: Stack) -> None:
    name = f"/aws/lambda/{stack.names.function}"
    stack.clients.logs.create_log_group(logGroupName=name)

    assert f"updated log group {name}: tags, retention days None → 14" in stack.provision()


def test_destroying_removes_everything_the_pipe_before_what_it_needs(stack: Stack) -> None:
    stack.provision()

    removed = stack.destroy()

    assert {change.action for change in removed} == {Action.DELETED}
    first = [change.resource for change in removed[:8]]
    assert sorted(first) == sorted(
        [
            *(f"alarm {stack.names.alarms}-{alarm}" for alarm in ALARMS),
            f"dashboard {stack.names.dashboard}",
            f"event source queue {stack.names.alerts_queue}",
            f"event source table {stack.names.table}",
        ]
    )
    assert [change.resource for change in removed[8:11]] == [
        f"topic {stack.names.topic}",
        f"pipe {stack.names.pipe}",
        f"stream {stack.names.stream}",
    ]
    assert all(line.startswith("would create ") for line in stack.plan())
    assert (
        stack.clients.lambda_.list_event_source_mappings(
            EventSourceArn=stack.arn_of_queue(stack.names.alerts_queue)
        )["EventSourceMappings"]
        == []
    )


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("lambda_", "DeleteEventSourceMapping"),
        ("pipes", "DeletePipe"),
        ("kinesis", "DeleteStream"),
        ("lambda_", "DeleteFunction"),
        ("dynamodb", "DeleteTable"),
        ("iam", "DeleteRole"),
    ],
)
def test_a_removal_that_failed_in_the_middle_is_completed_by_the_next(
    stack: Stack, service: str, operation: str
) -> None:
    stack.provision()
    with (
        refused(getattr(stack.clients, service), operation),
        pytest.raises(ProvisioningError, match=f"{operation}: AccessDeniedException: you may not"),
    ):
        stack.destroy()

    assert {change.action for change in stack.destroy()} <= {Action.DELETED, Action.ABSENT}
    assert all(line.startswith("would create ") for line in stack.plan())


def test_what_has_the_tags_goes_under_whatever_name_and_what_has_not_stays(stack: Stack) -> None:
    """As after a run with other names, which nobody remembers."""
    forgotten = dataclasses.replace(
        stack, names=dataclasses.replace(unique_names(), stage=stack.names.stage)
    )
    forgotten.provision()
    stack.clients.sqs.untag_queue(QueueUrl=forgotten.queue_url, TagKeys=["stage"])
    # A dashboard has no tags that the tagging API knows of: like a role it is found by its name.
    found = [each for each in description_of(forgotten) if each.kind != "dashboard"]
    made = [each.arn for each in found if each.arn]

    removed = destroy(
        stack.clients,
        stack.names,
        stack.options,
        lambda change: None,
        DEADLINE,
        tagged=[*made, *mappings_of(forgotten), "arn:aws:events:us-east-1:000000000000:rule/r"],
    )

    kept = {change.resource: change.detail for change in removed if change.action is Action.KEPT}
    assert kept == {
        f"queue {forgotten.names.rejected_queue}": f"it is of the stage default, not of "
        f"{stack.names.stage}",
        "arn:aws:events:us-east-1:000000000000:rule/r": "it has the tags of the stage, but is of a "
        "kind that is not made here",
    }
    deleted = [change for change in removed if change.action is Action.DELETED]
    assert len(deleted) == len(found) - 1
    cloudwatch = stack.clients.cloudwatch
    cloudwatch.delete_dashboards(DashboardNames=[forgotten.names.dashboard])
    stack.clients.sqs.delete_queue(QueueUrl=forgotten.queue_url)


def description_of(stack: Stack) -> tuple[Resource, ...]:
    account = Account("000000000000", "us-east-1")
    return description(stack.names, stack.options, account, "")


def mappings_of(stack: Stack) -> list[str]:
    arn = "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:"
    return [arn + mapping(stack, source) for source in (":sqs:", ":dynamodb:")]


def test_the_tagging_api_tells_what_a_stage_has(stack: Stack, emulator: str) -> None:
    stack.provision()
    session = boto3.Session("test", "test", region_name="us-east-1")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", emulator)
        found = tagged(session, stack.names.stage)

    assert found <= {each.arn for each in description_of(stack)}
    services = {arn.split(":")[2] for arn in found}
    assert services >= {"dynamodb", "sqs", "sns", "lambda"}  # MiniStack has no more


def test_destroying_again_finds_nothing_to_do(stack: Stack) -> None:
    stack.provision()
    stack.destroy()

    assert {change.action for change in stack.destroy()} == {Action.ABSENT}


def test_destroying_goes_on_where_some_are_missing(stack: Stack) -> None:
    stack.provision()
    stack.clients.sns.delete_topic(TopicArn=stack.topic_arn)
    stack.clients.iam.delete_role_policy(RoleName=stack.names.pipe_role, PolicyName="access")

    actions = {change.resource: change.action for change in stack.destroy()}

    assert actions.pop(f"topic {stack.names.rejections_topic}") is Action.ABSENT
    assert set(actions.values()) == {Action.DELETED}


def test_when_the_pipe_cannot_be_deleted_nothing_behind_it_is(settled_stack: Stack) -> None:
    with (
        refused(settled_stack.clients.pipes, "DeletePipe"),
        pytest.raises(ProvisioningError, match="DeletePipe: AccessDeniedException") as stopped,
    ):
        settled_stack.destroy()

    assert len(stopped.value.untried) == 16
    assert [line.split()[0] for line in changed(settled_stack.provision())] == ["created"] * 9


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

    with pytest.raises(NotBegunError, match=f'AWS account: .*"{nowhere}'):
        unreachable.provision()
