"""A pipeline that is deployed, changed and destroyed, on the servers of the embedded target."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from deploy.deployment import Deployment
from deploy.settings import Settings
from deploy.stack import DeploymentError, Done
from emulator_gaps import GAPS, SETTINGS, gaps
from inventory_aws.errors import SettingsError
from servers import set_aws
from stack import RESOURCES, Backend, own_stage

Deploy = Callable[..., "Pipeline"]


def packed(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        for module in ("inventory", "alerts"):
            package.writestr(f"{module}/__init__.py", "")
            package.writestr(f"{module}/handler.py", source)
    return archive.getvalue()


CODE = packed("def handler(event, context): return {}")
OTHER_CODE = packed("def handler(event, context): return None")


@dataclass
class Pipeline:
    """One of a stage of its own, of which nothing exists yet."""

    session: boto3.Session
    stage: str

    def client(self, service: str) -> Any:
        return self.session.client(service)  # type: ignore[call-overload]

    def deployment(self, **environ: str) -> Deployment:
        settings = Settings.from_env({"STAGE": self.stage, **environ})
        return Deployment(self.session, settings, {**os.environ, **environ})

    def deploy(self, code: bytes = CODE, /, **environ: str) -> tuple[list[str], list[str]]:
        """Return what was done, and warnings."""
        done: list[Done] = []
        warnings: list[str] = []
        self.deployment(**environ).deploy(code, lambda plan: None, done.append, warnings.append)
        return [f"{each.action} {each.logical_id}" for each in done], warnings

    def destroy(self) -> list[str]:
        done: list[Done] = []
        self.deployment().destroy(done.append)
        return [f"{each.action} {each.logical_id}" for each in done]

    def named(self, name: str) -> str:
        return f"{self.stage}-{name}"


@pytest.fixture(scope="module")
def session(embedded: Backend) -> boto3.Session:
    return session_of(embedded.variables)


def session_of(variables: Mapping[str, str]) -> boto3.Session:
    return boto3.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_DEFAULT_REGION"],
    )


@pytest.fixture
def pipeline(
    embedded: Backend, session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> Pipeline:
    set_aws(monkeypatch, embedded.variables)
    return Pipeline(session, own_stage())


def test_a_pipeline_is_created_changed_and_destroyed(
    pipeline: Pipeline,
) -> None:
    created, _ = pipeline.deploy(CODE, **SETTINGS)
    assert len(created) == RESOURCES
    assert {each.split()[0] for each in created} == {"created"}
    assert pipeline.deploy(CODE, **SETTINGS) == ([], [])
    assert gaps(pipeline.client, pipeline.deployment().settings.names) == GAPS["MiniStack"]
    source = pipeline.client("pipes").describe_pipe(Name=pipeline.named("inventory-pipe"))
    parameters = source["SourceParameters"]["KinesisStreamParameters"]
    assert (parameters["BatchSize"], parameters["MaximumRetryAttempts"]) == (500, 12)
    assert parameters["DeadLetterConfig"]["Arn"].endswith(":" + pipeline.named(DEAD_LETTERS))

    assert pipeline.deploy(CODE, **SETTINGS, BATCH_SIZE="7") == (["updated Pipe"], [])
    changed = {**SETTINGS, "FUNCTION_MEMORY_MB": "512", "BATCH_SIZE": "7"}
    assert "updated Processor" in pipeline.deploy(CODE, **changed)[0]
    updated, _ = pipeline.deploy(OTHER_CODE, **changed)
    assert {"updated Alerts", "updated Processor"} <= {*updated}
    function = pipeline.client("lambda").get_function(FunctionName=pipeline.named(FUNCTION))
    assert function["Configuration"]["MemorySize"] == 512
    sha256 = base64.b64encode(hashlib.sha256(OTHER_CODE).digest()).decode()
    assert function["Configuration"]["CodeSha256"] == sha256

    deleted = pipeline.destroy()
    assert len(deleted) == RESOURCES
    assert deleted[0] == "deleted Pipe"
    assert left_of(pipeline) == []
    assert pipeline.destroy() == []


FUNCTION, DEAD_LETTERS = "inventory-processor", "inventory-dead-letters"


def left_of(pipeline: Pipeline) -> list[str]:
    """What has a name of the stage."""
    client = pipeline.client
    names = [
        *client("kinesis").list_streams()["StreamNames"],
        *client("dynamodb").list_tables()["TableNames"],
        *client("sqs").list_queues().get("QueueUrls", []),
        *(each["TopicArn"] for each in client("sns").list_topics()["Topics"]),
        *(each["FunctionName"] for each in client("lambda").list_functions()["Functions"]),
        *(each["RoleName"] for each in client("iam").list_roles()["Roles"]),
        *(each["Name"] for each in client("pipes").list_pipes()["Pipes"]),
        *(each["AlarmName"] for each in client("cloudwatch").describe_alarms()["MetricAlarms"]),
        *(each["Name"] for each in client("s3").list_buckets()["Buckets"]),
        *(each["logGroupName"] for each in client("logs").describe_log_groups()["logGroups"]),
    ]
    return [name for name in names if pipeline.stage in name]


def test_a_setting_that_cannot_change_is_one_line(pipeline: Pipeline) -> None:
    pipeline.deploy()
    for variable, value, line in (
        ("STARTING_POSITION", "LATEST", "STARTING_POSITION cannot change from TRIM_HORIZON: "),
        ("STREAM_NAME", "other", f"STREAM_NAME cannot change from {pipeline.stage}-"),
        ("TABLE_NAME", "other", f"TABLE_NAME cannot change from {pipeline.stage}-"),
    ):
        with pytest.raises(SettingsError) as refused:
            pipeline.deploy(CODE, **{variable: value})
        assert str(refused.value).startswith(line)
        assert "\n" not in str(refused.value)
    with pytest.raises(SettingsError, match="KMS_KEY_ARN is of the Region eu-west-1, the resource"):
        pipeline.deploy(KMS_KEY_ARN="arn:aws:kms:eu-west-1:000000000000:key/k")
    [warned] = pipeline.deploy(STREAM_SHARDS="3")[1]
    assert warned.startswith("The stream still has 2 shards, not 3: the emulator does not change")
    pipeline.destroy()


def test_a_table_that_is_protected_is_not_destroyed(pipeline: Pipeline) -> None:
    pipeline.deploy(DELETION_PROTECTION="on")
    with pytest.raises(SettingsError, match="First deploy with DELETION_PROTECTION=off"):
        pipeline.destroy()
    assert pipeline.named("product_inventory") in left_of(pipeline)
    pipeline.deploy()
    pipeline.destroy()
    assert left_of(pipeline) == []


def test_a_table_without_the_stack_is_one_line_with_what_to_do(
    pipeline: Pipeline,
) -> None:
    """The table may be of a version before this one, too, whose resources are in no stack."""
    name = pipeline.named("product_inventory")
    dynamodb, logs = pipeline.client("dynamodb"), pipeline.client("logs")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "product_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "product_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(DeploymentError) as refused:
        pipeline.deploy()
    assert str(refused.value) == (
        f"Account 000000000000 has the table {name}, but not the stack {pipeline.stage}-inventory. "
        "Delete them, or the emulator's data, or deploy another STAGE."
    )
    assert left_of(pipeline) == [name]

    dynamodb.delete_table(TableName=name)
    logs.create_log_group(logGroupName=f"/aws/lambda/{pipeline.named(FUNCTION)}")
    assert len(pipeline.deploy()[0]) == RESOURCES
    pipeline.destroy()


def test_a_refused_plan_leaves_nothing(
    pipeline: Pipeline,
) -> None:
    plans: list[str] = []

    def no(plan: str) -> None:
        plans.append(plan)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.deployment().deploy(CODE, no, print, print)

    first, *changes, costs = plans[0].splitlines()
    assert first == f"Account 000000000000, Region us-east-1, stage {pipeline.stage}"
    assert "  add Stream (AWS::Kinesis::Stream)" in changes
    assert costs == "Costs money while idle: 2 shard-hours an hour, 5 alarms, 1 dashboard"
    assert left_of(pipeline) == []
    with pytest.raises(ClientError, match="does not exist"):
        pipeline.client("cloudformation").describe_stacks(StackName=pipeline.named("inventory"))


def test_stages_live_side_by_side(pipeline: Pipeline) -> None:
    other = Pipeline(pipeline.session, own_stage())
    pipeline.deploy()
    other.deploy()
    pipeline.destroy()
    assert pipeline.named("product_inventory") not in left_of(pipeline)
    assert other.named("product_inventory") in left_of(other)
    other.destroy()


def test_code_goes_to_a_bucket_of_your_own_and_stays_there(pipeline: Pipeline) -> None:
    s3, bucket = pipeline.client("s3"), pipeline.named("theirs")
    s3.create_bucket(Bucket=bucket)
    pipeline.deploy(CODE_BUCKET=bucket)
    [key] = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    pipeline.deployment(CODE_BUCKET=bucket).destroy(print)
    assert left_of(pipeline) == [bucket]
    s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)
    with pytest.raises(s3.exceptions.NoSuchBucket):
        pipeline.deploy(CODE_BUCKET=bucket)
    pipeline.deploy()  # nothing is in its way
    pipeline.deployment(CODE_BUCKET=bucket).destroy(print)
    assert left_of(pipeline) == []
