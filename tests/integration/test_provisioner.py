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
LOOKS = {"Describe", "Get", "List"}


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
    """A stack of which nothing is there yet."""
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


@dataclasses.dataclass
class Life:
    """What the runs said of one stack, from nothing to nothing: tests look at parts of it."""

    stack: Stack
    planned: list[str]
    sent: list[str]
    """The operations that went over the wire in the dry run."""
    told: list[Call]
    planned_after_dry_run: list[str]
    made: list[str]
    calls: list[Call]
    """Those that `provision` made."""
    made_again: list[str]
    told_again: list[Call]
    keys: list[str]
    """The KMS keys of a stream, a table, a queue and a topic."""
    without_key: list[str]
    made_again_without_key: list[str]
    tagged: frozenset[str]
    removed: list[Change]
    kept: list[Change]
    """What the next run said, with the table still protected."""
    removed_unprotected: list[Change]
    removed_again: list[Change]
    planned_at_the_end: list[str]


@pytest.fixture(scope="module")
def life(clients: Clients, emulator: str) -> Life:
    """Of a stack that has a key of its own at first, and a table that is protected."""
    protected = Options(deletion_protection=True)
    stack = Stack(clients, unique_names(), dataclasses.replace(protected, kms_key=KEY))
    planned = stack.plan()
    with requests(clients) as sent:
        told = stack.dry_run()
    planned_after_dry_run = stack.plan()
    with recorded(clients, send=True) as calls:
        made = stack.provision()
    made_again, told_again, keys = stack.provision(), stack.dry_run(), keys_of(stack)
    stack.options = protected
    without_key, made_again_without_key = stack.provision(), stack.provision()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", emulator)
        session = boto3.Session("test", "test", region_name="us-east-1")
        found = tagged(session, stack.names.stage)
    removed, kept = stack.destroy(), stack.destroy()
    clients.dynamodb.update_table(TableName=stack.names.table, DeletionProtectionEnabled=False)
    return Life(
        stack=stack,
        planned=planned,
        sent=sent,
        told=told,
        planned_after_dry_run=planned_after_dry_run,
        made=made,
        calls=calls,
        made_again=made_again,
        told_again=told_again,
        keys=keys,
        without_key=without_key,
        made_again_without_key=made_again_without_key,
        tagged=found,
        removed=removed,
        kept=kept,
        removed_unprotected=stack.destroy(),
        removed_again=stack.destroy(),
        planned_at_the_end=stack.plan(),
    )


def keys_of(stack: Stack) -> list[str]:
    clients, names = stack.clients, stack.names
    stream = clients.kinesis.describe_stream_summary(StreamName=names.stream)
    table = clients.dynamodb.describe_table(TableName=names.table)["Table"]
    queue = clients.sqs.get_queue_attributes(QueueUrl=stack.queue_url, AttributeNames=["All"])
    topic = clients.sns.get_topic_attributes(TopicArn=stack.topic_arn)
    return [
        stream["StreamDescriptionSummary"]["KeyId"],
        table["SSEDescription"]["KMSMasterKeyArn"],
        queue["Attributes"]["KmsMasterKeyId"],
        topic["Attributes"]["KmsMasterKeyId"],
    ]


def test_everything_is_made_and_a_second_run_changes_nothing(life: Life) -> None:
    names = life.stack.names

    assert life.made == [
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
    assert changed(life.made_again) == []


def test_a_plan_says_what_would_be_made_and_makes_nothing(life: Life) -> None:
    assert len(life.planned) == 26
    assert all(line.startswith("would create ") for line in life.planned)
    assert life.planned_after_dry_run == life.planned
    assert [line.replace("created ", "would create ", 1) for line in life.made] == life.planned


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


def assert_same_calls(stack: Stack, told: list[Call], made: list[Call]) -> None:
    assert by_what_they_are_about(stack, told) == by_what_they_are_about(stack, made)


def test_a_dry_run_tells_the_calls_that_provisioning_makes_and_makes_none(life: Life) -> None:
    assert life.sent
    assert {re.sub("(?<=[a-z])[A-Z].*", "", name) for name in life.sent} == LOOKS
    assert_same_calls(life.stack, life.told, life.calls)
    assert life.told_again == []


def test_a_dry_run_is_in_the_order_of_provisioning_and_tells_a_zip_by_its_hash(life: Life) -> None:
    order = [call.operation for call in life.told if call.operation.startswith("Create")]
    assert list(dict.fromkeys(order)) == [
        *("CreateTable", "CreateQueue", "CreateLogGroup", "CreateRole", "CreateTopic"),
        *("CreateFunction", "CreateStream", "CreatePipe", "CreateEventSourceMapping"),
    ]
    [line, _] = [str(call) for call in life.told if call.operation == "CreateFunction"]
    assert line.startswith('lambda CreateFunction {"FunctionName": "inventory-processor-')
    digest = hashlib.sha256(CODE).hexdigest()
    assert f'"ZipFile": "{len(CODE)} bytes, SHA-256 {digest}"' in line
    assert json.loads(line.split(" ", 2)[2])["Tags"] == tags_of(life.stack.names.stage)


def test_everything_that_keeps_data_takes_a_key_of_ones_own_and_gives_it_up_again(
    life: Life,
) -> None:
    assert life.keys == [KEY] * 4

    keepers = ("stream", "table", "queue", "topic", "role")
    made = changed(life.without_key)
    assert len(made) == 13
    assert all(line.split()[1] in keepers for line in made)
    assert changed(life.made_again_without_key) == []


def test_the_tagging_api_tells_what_a_stage_has(life: Life) -> None:
    assert life.tagged <= {each.arn for each in description_of(life.stack)}
    services = {arn.split(":")[2] for arn in life.tagged}
    assert services >= {"dynamodb", "sqs", "sns", "lambda"}  # MiniStack has no more


def test_destroying_removes_everything_the_pipe_before_what_it_needs(life: Life) -> None:
    names, removed = life.stack.names, life.removed

    first = [change.resource for change in removed[:8]]
    assert sorted(first) == sorted(
        [
            *(f"alarm {names.alarms}-{alarm}" for alarm in ALARMS),
            f"dashboard {names.dashboard}",
            f"event source queue {names.alerts_queue}",
            f"event source table {names.table}",
        ]
    )
    assert [change.resource for change in removed[8:11]] == [
        f"topic {names.topic}",
        f"pipe {names.pipe}",
        f"stream {names.stream}",
    ]
    assert all(line.startswith("would create ") for line in life.planned_at_the_end)
    assert (
        life.stack.clients.lambda_.list_event_source_mappings(
            EventSourceArn=life.stack.arn_of_queue(names.alerts_queue)
        )["EventSourceMappings"]
        == []
    )


def test_a_protected_table_outlives_the_rest_until_it_is_protected_no_more(life: Life) -> None:
    table = f"table {life.stack.names.table}"

    removed = {change.resource: change.action for change in life.removed}
    assert removed.pop(table) is Action.KEPT
    assert set(removed.values()) == {Action.DELETED}
    [kept] = [change for change in life.kept if change.action is not Action.ABSENT]
    assert kept.resource == table
    assert "it is protected from deletion, until you run `aws " in str(kept)
    [gone] = [change for change in life.removed_unprotected if change.action is not Action.ABSENT]
    assert (gone.resource, gone.action) == (table, Action.DELETED)


def test_destroying_again_finds_nothing_to_do(life: Life) -> None:
    assert {change.action for change in life.removed_again} == {Action.ABSENT}


def test_a_rejected_event_reaches_the_queue_as_it_was_published(shared_stack: Stack) -> None:
    shared_stack.clients.sns.publish(TopicArn=shared_stack.topic_arn, Message='{"reason": "bad"}')

    [message] = eventually(
        lambda: shared_stack.clients.sqs.receive_message(QueueUrl=shared_stack.queue_url).get(
            "Messages"
        )
    )
    assert message["Body"] == '{"reason": "bad"}'


def test_the_pipe_runs_with_the_parameters_of_the_description(shared_stack: Stack) -> None:
    pipe = shared_stack.clients.pipes.describe_pipe(Name=shared_stack.names.pipe)

    assert pipe["CurrentState"] == "RUNNING"
    assert pipe["Tags"] == tags_of(shared_stack.names.stage)
    parameters = pipe["SourceParameters"]["KinesisStreamParameters"]
    assert parameters["OnPartialBatchItemFailure"] == "AUTOMATIC_BISECT"
    assert parameters["DeadLetterConfig"]["Arn"].endswith(shared_stack.names.dead_letters_topic)
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


def change_code_and_options(stack: Stack) -> None:
    stack.code = OTHER_CODE
    stack.options = Options(
        stream_shards=4, function_memory_mb=512, batch_size=50, max_retry_attempts=2, low_stock=5
    )


def recover_and_protect(stack: Stack) -> None:
    stack.options = Options(point_in_time_recovery=True, deletion_protection=True)


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


RETRIES = DEFAULTS.max_retry_attempts
DRIFTS = [
    pytest.param(
        [
            *(store_in_the_clear, let_anybody_publish, recover_and_protect),
            *(shorten_queue_retention, show_failed_alerts_at_once),
            *(subscribe_rejected_queue_to_topic_for_people, keep_logs_for_ever, empty_dashboard),
            *(widen_policy, drop_policy, change_environment, stop_pipe, alarm_later),
            *(read_alerts_one_by_one, stop_reading_changes),
        ],
        {
            "stream {stream}": "kms key None → alias/aws/kinesis",
            "topic {rejections_topic}": "policy",
            "table {table}": "point in time recovery False → True, "
            "deletion protection False → True",
            "queue {rejected_queue}": "retention seconds 3600 → 1209600",
            "queue {alerts_queue}": "visibility seconds 5 → 120",
            "topic {topic}": "subscribers, raw delivery False → True",
            "log group /aws/lambda/{function}": "retention days None → 14",
            "dashboard {dashboard}": "body",
            "role {function_role}": "policy",
            "role {pipe_role}": "policy",
            "function {function}": "timeout seconds 3 → 60, environment",
            "pipe {pipe}": "state STOPPED → RUNNING",
            "alarm {alarms}-lag": "description, threshold 3600.0 → 60, action",
            "event source queue {alerts_queue}": "batch size 1 → 100, response types",
            "event source table {table}": "enabled False → True, bisect False → True",
        },
        id="one way each",
    ),
    pytest.param(
        [
            *(change_code_and_options, show_keys_only, let_anybody_send, unsubscribe),
            trust_everybody,
        ],
        {
            "stream {stream}": "shards 2 → 4",
            "function {function}": "code, memory mb 256 → 512",
            "function {alerts_function}": "code, environment",
            "pipe {pipe}": f"batch size 500 → 50, max retry attempts {RETRIES} → 2",
            "table {table}": "stream view KEYS_ONLY → NEW_AND_OLD_IMAGES",
            "event source table {table}": "source",
            "queue {rejected_queue}": "policy",
            "topic {rejections_topic}": "subscribers",
            "role {pipe_role}": "trust",
        },
        id="another way",
    ),
    pytest.param(
        [wrap_messages, stop_table_stream],
        {
            "topic {rejections_topic}": "raw delivery False → True",
            "table {table}": "stream view None → NEW_AND_OLD_IMAGES",
            "event source table {table}": "source",
        },
        id="a third way",
    ),
]


@pytest.mark.parametrize(("drifts", "expected"), DRIFTS)
def test_what_drifted_is_put_right_and_nothing_else(
    settled_stack: Stack, drifts: list[Callable[[Stack], None]], expected: dict[str, str]
) -> None:
    for drift in drifts:
        drift(settled_stack)

    planned, told = changed(settled_stack.plan()), settled_stack.dry_run()
    with recorded(settled_stack.clients, send=True) as calls:
        made = changed(settled_stack.provision())

    names = dataclasses.asdict(settled_stack.names)
    lines = [f"{label.format(**names)}: {details}" for label, details in expected.items()]
    assert sorted(made) == sorted(f"updated {line}" for line in lines)
    # Where there is no stream, that there will be another one to read shows when there is one.
    unknown = ": source" if stop_table_stream in drifts else "nothing"
    foreseen = [line for line in lines if not line.endswith(unknown)]
    assert sorted(planned) == sorted(f"would update {line}" for line in foreseen)
    assert_same_calls(settled_stack, told, calls)
    assert changed(settled_stack.provision()) == []


def test_an_event_source_that_is_gone_is_made_again(settled_stack: Stack) -> None:
    uuid = mapping(settled_stack, ":dynamodb:")
    settled_stack.clients.lambda_.delete_event_source_mapping(UUID=uuid)

    assert changed(settled_stack.provision()) == [
        f"created event source table {settled_stack.names.table}"
    ]


def test_a_deployment_from_before_there_were_alerts_becomes_one_with_them(
    settled_stack: Stack,
) -> None:
    """Then the rejected queue hung on the topic for people, and the pipe on its queue."""
    stack = settled_stack
    names, sns, sqs = stack.names, stack.clients.sns, stack.clients.sqs
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


def assert_completed_by_the_next(stack: Stack, service: str, operation: str) -> ProvisioningError:
    """A run in which `operation` fails ends with an error, and the next one does the rest."""
    with (
        refused(getattr(stack.clients, service), operation),
        pytest.raises(
            ProvisioningError, match=f"{operation}: AccessDeniedException: you may not"
        ) as stopped,
    ):
        stack.provision()

    stack.provision()

    assert changed(stack.provision()) == []
    return stopped.value


def test_a_failure_tells_what_is_done_what_failed_and_what_was_not_tried(stack: Stack) -> None:
    """What else may fail in the middle: trials/test_provisioning.py."""
    error = assert_completed_by_the_next(stack, "lambda_", "CreateFunction")

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


def test_a_refusal_that_passes_is_waited_for(stack: Stack) -> None:
    message = "The role defined for the function cannot be assumed by Lambda."
    invalid, recently = "InvalidParameterValueException", "QueueDeletedRecently"
    with (
        refused(stack.clients.lambda_, "CreateFunction", invalid, message, times=3),
        refused(stack.clients.sqs, "CreateQueue", recently, "You must wait 60 seconds", times=3),
    ):
        lines = stack.provision()

    assert all(line.startswith("created ") for line in lines)


def test_what_is_there_already_is_taken_over_made_again_or_left_alone(clients: Clients) -> None:
    """What has no stage was made before there were any: it is of the default one."""
    names = dataclasses.replace(unique_names(), stage=DEFAULT_STAGE)
    stack = Stack(clients, names)
    pipes, cloudwatch, theirs = clients.pipes, clients.cloudwatch, '{"widgets": []}'
    url = clients.sqs.create_queue(QueueName=names.rejected_queue, tags={"project": PROJECT})
    clients.logs.create_log_group(logGroupName=f"/aws/lambda/{names.function}")
    pipes.create_pipe(
        Name=names.pipe,
        RoleArn="arn:aws:iam::000000000000:role/none",
        Source=f"arn:aws:kinesis:us-east-1:000000000000:stream/{names.stream}",
        SourceParameters={"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"}},
        Target=f"arn:aws:lambda:us-east-1:000000000000:function:{names.function}",
        Tags=tags_of(names.stage),
    )
    eventually(lambda: pipes.describe_pipe(Name=names.pipe)["CurrentState"] == "CREATE_FAILED")
    cloudwatch.put_dashboard(DashboardName=names.dashboard, DashboardBody=theirs)

    with pytest.raises(ProvisioningError, match="it exists, but") as stopped:
        stack.provision()

    assert [each.resource for each in stopped.value.failures] == [f"dashboard {names.dashboard}"]
    [queue, log_group, pipe] = [
        line for line in map(str, stopped.value.done) if not line.startswith("created ")
    ]
    assert queue.startswith(
        f"updated queue {names.rejected_queue}: tags, retention seconds 345600 → 1209600"
    )
    assert log_group == (
        f"updated log group /aws/lambda/{names.function}: tags, retention days None → 14"
    )
    assert pipe.startswith(f"replaced pipe {names.pipe}: CREATE_FAILED: ")
    assert clients.sqs.list_queue_tags(QueueUrl=url["QueueUrl"])["Tags"] == tags_of("default")

    kept = [change for change in stack.destroy() if change.action is not Action.DELETED]
    assert [(each.resource, each.action) for each in kept] == [
        (f"dashboard {names.dashboard}", Action.KEPT)
    ]
    found = cloudwatch.get_dashboard(DashboardName=names.dashboard)
    assert found["DashboardBody"] == theirs
    cloudwatch.delete_dashboards(DashboardNames=[names.dashboard])


def test_what_can_be_neither_used_nor_changed_is_left_alone_with_what_to_do(stack: Stack) -> None:
    """A table that has another key, and somebody else's queue."""
    sqs, name = stack.clients.sqs, stack.names.dead_letter_queue
    url = sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
    stack.clients.dynamodb.create_table(
        TableName=stack.names.table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": key, "Value": value} for key, value in tags_of(stack.names.stage).items()],
    )

    for run in (stack.plan, stack.dry_run, stack.provision):
        with pytest.raises(ProvisioningError) as stopped:
            run()
        reasons = {each.resource: str(each) for each in stopped.value.failures}
        assert reasons.keys() == {f"queue {name}", f"table {stack.names.table}"}
        assert "it exists, but it has no tag project=" in reasons[f"queue {name}"]
        table = reasons[f"table {stack.names.table}"]
        assert "its key is id (N), not product_id (S)" in table
        assert "or set TABLE_NAME, REMOVALS_TABLE_NAME or ALERTS_TABLE_NAME to another" in table

    removed = {change.resource: change.action for change in stack.destroy()}
    assert removed.pop(f"queue {name}") is Action.KEPT
    assert Action.KEPT not in removed.values()
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["MessageRetentionPeriod"] == "60"
    sqs.delete_queue(QueueUrl=url)


def test_stages_live_side_by_side_and_neither_touches_the_other(
    settled_stack: Stack,
) -> None:
    """Not even where they are given the same name."""
    stack = settled_stack
    other = dataclasses.replace(
        unique_names(), stage="other", rejected_queue=stack.names.rejected_queue
    )
    theirs = dataclasses.replace(stack, names=other)

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


def assert_removal_completed_by_the_next(stack: Stack, service: str, operation: str) -> None:
    with (
        refused(getattr(stack.clients, service), operation),
        pytest.raises(ProvisioningError, match=f"{operation}: AccessDeniedException: you may not"),
    ):
        stack.destroy()

    assert {change.action for change in stack.destroy()} <= {Action.DELETED, Action.ABSENT}
    assert all(line.startswith("would create ") for line in stack.plan())


def test_a_removal_that_failed_in_the_middle_is_completed_by_the_next(stack: Stack) -> None:
    """What else may fail so: trials/test_provisioning.py."""
    stack.provision()
    assert_removal_completed_by_the_next(stack, "lambda_", "DeleteFunction")


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


def test_an_endpoint_that_does_not_answer_is_named_and_nothing_is_tried(clients: Clients) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    sts = boto3.client(
        "sts",
        endpoint_url=nowhere,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )
    unreachable = Stack(dataclasses.replace(clients, sts=sts), unique_names())

    with pytest.raises(NotBegunError, match=f'AWS account: .*"{nowhere}'):
        unreachable.provision()
