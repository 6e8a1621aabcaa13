"""Deploys the pipeline, and destroys it, on AWS and on emulators alike."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from botocore.config import Config
from botocore.exceptions import ClientError, NoRegionError

from deploy import code as functions
from deploy.code import Code
from deploy.errors import DeploymentError, SettingsError
from deploy.settings import TEMPLATE, Settings
from deploy.stack import Change, ChangeSet, Event, Pause, Stack

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

PROJECT = "inventory-stack"
OWN_PIPES = "PipesHaveOwnEndpoint"
FIXED = {
    "StartingPosition": "a pipe keeps the position that it started from",
    "StreamName": "the stream of another name would be empty",
    "TableName": "the table of another name would be empty",
}
"""Parameters that stay, and why."""
COSTS_WHILE_IDLE = {
    "AWS::CloudWatch::Alarm": "alarms",
    "AWS::CloudWatch::Dashboard": "dashboard",
}


@dataclass(frozen=True)
class Plan:
    """What the user is asked about."""

    account: str
    region: str
    stage: str
    changes: tuple[Change, ...]
    idle: str


@dataclass(frozen=True)
class Clients:
    cloudformation: CloudFormationClient
    dynamodb: DynamoDBClient
    kinesis: KinesisClient
    lambda_: LambdaClient
    s3: S3Client
    sts: STSClient

    @classmethod
    def from_session(cls, session: boto3.Session) -> Self:
        """Raises SettingsError where nothing names a Region."""
        config = Config(connect_timeout=5, retries={"mode": "standard"})
        try:
            return cls(
                cloudformation=session.client("cloudformation", config=config),
                dynamodb=session.client("dynamodb", config=config),
                kinesis=session.client("kinesis", config=config),
                lambda_=session.client("lambda", config=config),
                s3=session.client("s3", config=config),
                sts=session.client("sts", config=config),
            )
        except NoRegionError:
            raise SettingsError("AWS_DEFAULT_REGION is not set: name the AWS Region") from None


@dataclass(frozen=True)
class Deployment:
    """A pipeline of a stage, deployed or not. `environ` is for the program that applies pipes."""

    clients: Clients
    settings: Settings
    environ: Mapping[str, str]
    pause: Pause = time.sleep

    @property
    def _stack(self) -> Stack:
        return Stack(self.clients.cloudformation, self.settings.names.stack, self.pause)

    @property
    def account(self) -> str:
        return self.clients.sts.get_caller_identity()["Account"]

    @property
    def region(self) -> str:
        return self.clients.sts.meta.region_name

    def deploy(
        self,
        zip_file: bytes,
        ask: Callable[[Plan], None],
        tell: Callable[[Event], object],
        warn: Callable[[str], object],
    ) -> None:
        """`ask` raises what is to be raised instead of changing anything.

        Raises DeploymentError, SettingsError, and AWS's errors.
        """
        account = self.account
        stack = self._stack
        exists = stack.status() not in (None, "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")
        self._check(stack.parameters() if exists else None)
        code = self._code(zip_file, account)
        parameters = {
            **self.settings.parameters,
            "CodeBucket": code.bucket,
            "CodeKey": code.key,
            OWN_PIPES: str(self._own_pipes).lower(),
        }
        tags = {"project": PROJECT, "stage": self.settings.names.stage}
        if change_set := stack.prepare(TEMPLATE.read_text(), parameters, tags):
            try:
                ask(self._plan(account, change_set))
            except BaseException:
                stack.discard(change_set)
                raise
            code.upload(self.clients.s3)
            stack.carry_out(change_set, tell)
        if self._own_pipes:
            self.apply_pipes()
        if unchanged := self._unchanged_shards():
            warn(unchanged)

    def destroy(self, tell: Callable[[Event], object]) -> None:
        """Delete the stack and all its data, the code in our own bucket too."""
        account = self.account
        stack = self._stack
        if self._own_pipes and stack.status():
            self._apply(OWN_PIPES + "=true", "--prune")
        if stack.status():
            stack.delete(tell)
        if not self.environ.get("CODE_BUCKET"):
            functions.remove(self.clients.s3, self._own_bucket(account))

    def apply_pipes(self) -> None:
        """Create or update the pipes of the template at their own endpoint."""
        self._apply(OWN_PIPES + "=false")

    @property
    def _own_pipes(self) -> bool:
        return bool(self.environ.get("AWS_ENDPOINT_URL_PIPES"))

    def _own_bucket(self, account: str) -> str:
        return functions.own_bucket(self.settings.names.stack, account, self.region)

    def _code(self, zip_file: bytes, account: str) -> Code:
        given = self.environ.get("CODE_BUCKET", "")
        return Code(zip_file, given or self._own_bucket(account), own=not given)

    def _plan(self, account: str, change_set: ChangeSet) -> Plan:
        return Plan(
            account,
            self.region,
            self.settings.names.stage,
            tuple(change_set.changes),
            idle_costs(int(self.settings.parameters["StreamShards"]), change_set.changes),
        )

    def _check(self, deployed: Mapping[str, str] | None) -> None:
        """Raise what is to be said before anything is done."""
        if deployed is None:
            if there := list(self._strangers()):
                raise DeploymentError(
                    f"{', '.join(there)} exists already, but not by this template. Delete it, or "
                    "deploy another STAGE."
                )
            return
        for parameter, why in FIXED.items():
            was, wanted = deployed.get(parameter), self.settings.parameters[parameter]
            if was is not None and was != wanted:
                raise SettingsError(
                    f"{parameter} cannot change from {was or 'its default'!r}: {why}. Set it back, "
                    "deploy another STAGE, or destroy this one first."
                )

    def _strangers(self) -> Iterator[str]:
        names = self.settings.names
        clients = self.clients
        looks: dict[str, Callable[[], object]] = {
            f"the stream {names.stream}": lambda: clients.kinesis.describe_stream_summary(
                StreamName=names.stream
            ),
            f"the table {names.table}": lambda: clients.dynamodb.describe_table(
                TableName=names.table
            ),
            f"the function {names.function}": lambda: clients.lambda_.get_function_configuration(
                FunctionName=names.function
            ),
        }
        for thing, look in looks.items():
            try:
                look()
            except ClientError as error:
                if "NotFound" not in error.response["Error"]["Code"]:
                    raise
            else:
                yield thing

    def _unchanged_shards(self) -> str | None:
        """What to say where the emulator's CloudFormation has not changed the stream's shards."""
        wanted = int(self.settings.parameters["StreamShards"])
        found = self.clients.kinesis.describe_stream_summary(StreamName=self.settings.names.stream)[
            "StreamDescriptionSummary"
        ]["OpenShardCount"]
        if found == wanted:
            return None
        return (
            f"The stream still has {found} shards, not {wanted}: the emulator changes none. "
            "Destroy the pipeline and deploy it again, or use `aws kinesis update-shard-count`."
        )

    def _apply(self, parameter: str, *more: str) -> None:
        command = [sys.executable, "-m", "eventbridge_pipes", "apply", str(TEMPLATE)]
        command += ["--stack", self.settings.names.stack, "--parameter", parameter, *more]
        done = subprocess.run(command, env=dict(self.environ), capture_output=True, text=True)  # noqa: S603
        if done.returncode:
            raise DeploymentError(done.stderr.strip())


def idle_costs(shards: int, changes: Sequence[Change]) -> str:
    """What costs money while nothing happens, in the units of AWS's bill."""
    counts = Counter(change.kind for change in changes)
    parts = [f"{shards} shard-hours an hour"]
    parts += [f"{counts[kind]} {word}" for kind, word in COSTS_WHILE_IDLE.items() if counts[kind]]
    return ", ".join(parts)
