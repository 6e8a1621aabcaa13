"""Deploys and destroys the pipeline of a stage, on AWS and on emulators alike."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from deploy.settings import TEMPLATE, Settings, template, variables
from deploy.stack import ChangeSet, DeploymentError, Done, Stack, Tell
from inventory_aws.errors import SettingsError

PROJECT = "inventory-stack"
FIXED = {
    "STARTING_POSITION": "a pipe keeps the position that it started from",
    "STREAM_NAME": "the stream of another name would be empty",
    "TABLE_NAME": "the table of another name would be empty",
}
"""Variables that cannot change, and why."""


@dataclass(frozen=True)
class Deployment:
    """The pipeline of a stage, deployed or not. Each method raises DeploymentError, SettingsError,
    and what boto3 raises. `environ` is for the program that creates pipes."""

    session: boto3.Session
    settings: Settings
    environ: Mapping[str, str]
    pause: Callable[[float], object] = time.sleep

    def deploy(
        self,
        zip_file: bytes,
        ask: Callable[[str], None],
        tell: Tell,
        warn: Callable[[str], object],
    ) -> None:
        """Create or update the stack. `ask` gets the plan, and raises to change nothing."""
        self._check()
        key = f"inventory-{hashlib.sha256(zip_file).hexdigest()[:16]}.zip"
        parameters = {
            **self.settings.parameters,
            "CodeBucket": self._bucket,
            "CodeKey": key,
            "PipesHaveOwnEndpoint": str(self._own_pipes).lower(),
        }
        tags = {"project": PROJECT, "stage": self.settings.names.stage}
        if change_set := self._stack.prepare(TEMPLATE.read_text(), parameters, tags):
            try:
                ask(self._plan(change_set))
                self._upload(zip_file, key)
            except BaseException:
                self._stack.discard(change_set)
                raise
            self._stack.execute(change_set, tell)
        if self._own_pipes:
            self.apply_pipes(tell)
        if self._on_emulator:
            self._compare_shards(warn)

    def destroy(self, tell: Tell) -> None:
        """Delete the stack with all its data, and the bucket for code if it is our own."""
        parameters = self._stack.parameters()
        if parameters.get("DeletionProtection") == "on":
            raise SettingsError(
                "The inventory table is protected from deletion. First deploy with "
                "DELETION_PROTECTION=off."
            )
        if self._own_pipes and parameters:
            self._apply(tell, "--prune", PipesHaveOwnEndpoint="true")
        if self._stack.status():
            self._stack.delete(tell)
        s3, bucket = self._s3, self._own_bucket
        with suppress(s3.exceptions.NoSuchBucket):
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for each in page.get("Contents", []):
                    s3.delete_object(Bucket=bucket, Key=each["Key"])
            s3.delete_bucket(Bucket=bucket)

    def apply_pipes(self, tell: Tell) -> None:
        """Create or update the pipe of the template at the endpoint that Pipes have."""
        self._apply(tell, **self.settings.parameters, PipesHaveOwnEndpoint="false")

    @cached_property
    def account(self) -> str:
        sts = self._client("sts", region=self._region)  # STS alone would need no Region
        return str(sts.get_caller_identity()["Account"])

    def _client(self, service: Any, attempts: int = 3, region: str | None = None) -> Any:
        # A bucket's own host name leads nowhere at an emulator.
        s3: Any = {"addressing_style": "path"} if self._on_emulator else None
        retries: Any = {"mode": "standard", "total_max_attempts": attempts}
        config = Config(connect_timeout=5, retries=retries, s3=s3)
        return self.session.client(service, region, config=config)

    @cached_property
    def _s3(self) -> Any:
        return self._client("s3")

    @cached_property
    def _stack(self) -> Stack:
        return Stack(self._client("cloudformation"), self.settings.names.stack, self.pause)

    @property
    def _region(self) -> str:
        return self._stack.client.meta.region_name

    @property
    def _on_emulator(self) -> bool:
        return bool(self.environ.get("AWS_ENDPOINT_URL"))

    @property
    def _own_pipes(self) -> bool:
        return bool(self.environ.get("AWS_ENDPOINT_URL_PIPES"))

    @property
    def _own_bucket(self) -> str:
        # All accounts share the names of buckets.
        return f"{self.settings.names.stack}-code-{self.account}-{self._region}"

    @property
    def _bucket(self) -> str:
        return self.environ.get("CODE_BUCKET") or self._own_bucket

    def _upload(self, zip_file: bytes, key: str) -> None:
        s3 = self._s3
        if not self.environ.get("CODE_BUCKET"):
            where: Any = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
            if self._region == "us-east-1":  # where S3 accepts no such constraint
                where = {}
            with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
                s3.create_bucket(Bucket=self._bucket, **where)
        s3.put_object(Bucket=self._bucket, Key=key, Body=zip_file)

    def _plan(self, change_set: ChangeSet) -> str:
        """Return what would change, where, and what costs money while idle, in AWS's units."""
        stage = self.settings.names.stage
        lines = [f"Account {self.account}, Region {self._region}, stage {stage}"]
        for each in change_set.changes:
            change = each["ResourceChange"]
            replaced = ", replaced" if change.get("Replacement") == "True" else ""
            what = f"{change['Action'].lower()} {change['LogicalResourceId']}"
            lines.append(f"  {what} ({change['ResourceType']}{replaced})")
        types = [each["Type"] for each in template()["Resources"].values()]
        shards = self.settings.parameters["StreamShards"]
        alarms = types.count("AWS::CloudWatch::Alarm")
        costs = f"{shards} shard-hours an hour, {alarms} alarms, 1 dashboard"
        return "\n".join([*lines, f"Costs money while idle: {costs}"])

    def _check(self) -> None:
        """Raise for what cannot be deployed, before anything changes."""
        account = self.account  # without credentials, nothing else is asked
        key = self.settings.parameters["KmsKeyArn"]
        if key != "off" and (of := key.split(":")[3]) != self._region:
            raise SettingsError(
                f"KMS_KEY_ARN is of the Region {of}, the resources are of {self._region}"
            )
        deployed = self._stack.parameters()
        for variable, why in FIXED.items():
            was = deployed.get(parameter := variables()[variable])
            if was and was != self.settings.parameters[parameter]:
                raise SettingsError(
                    f"{variable} cannot change from {was}: {why}. Set it back, deploy another "
                    "STAGE, or destroy this one first."
                )
        if not deployed and (found := self._in_the_way()):
            raise DeploymentError(
                f"Account {account} has the {', the '.join(found)}, but not the stack "
                f"{self._stack.name}. Delete them, or the emulator's data, or deploy another STAGE."
            )

    def _in_the_way(self) -> list[str]:
        """Return the main resources that exist without the stack."""
        # LocalStack starts a service at its first call, answers with errors meanwhile, and takes
        # long. So all three start at the same time.
        names, client = self.settings.names, partial(self._client, attempts=10)
        lookups = (
            ("StreamName", names.stream, client("kinesis").describe_stream_summary),
            ("TableName", names.table, client("dynamodb").describe_table),
            ("FunctionName", names.function, client("lambda").get_function_configuration),
        )
        with ThreadPoolExecutor() as pool:
            return list(filter(None, pool.map(_existing, *zip(*lookups, strict=True))))

    def _compare_shards(self, warn: Callable[[str], object]) -> None:
        """Emulators do not change the shards of a stream."""
        stream = self.settings.names.stream
        wanted = self.settings.parameters["StreamShards"]
        summary = self._client("kinesis").describe_stream_summary(StreamName=stream)
        shards = summary["StreamDescriptionSummary"]["OpenShardCount"]
        if shards != int(wanted):
            warn(
                f"The stream still has {shards} shards, not {wanted}: the emulator does not change "
                "them. Use `aws kinesis update-shard-count`, or destroy the pipeline and deploy it "
                "again."
            )

    def _apply(self, tell: Tell, *options: str, **parameters: str) -> None:
        """Run the command that prints a line `NAME: created` for each pipe."""
        command = [sys.executable, "-m", "eventbridge_pipes", "apply", str(TEMPLATE), *options]
        command += ["--stack", self._stack.name]
        for name, value in parameters.items():
            command += ["--parameter", f"{name}={value}"]
        ended = subprocess.run(command, env=dict(self.environ), capture_output=True, text=True)  # noqa: S603
        if ended.returncode:
            raise DeploymentError(ended.stderr.strip())
        for line in ended.stdout.splitlines():
            name, _, action = line.partition(": ")
            if action in ("created", "updated", "deleted"):
                tell(Done(action, "Pipe", name))


def _existing(parameter: str, name: str, look: Callable[..., object]) -> str | None:
    """Return the kind and name of a resource, or None if it does not exist."""
    try:
        look(**{parameter: name})
    except ClientError as error:
        if "NotFound" in str(error):
            return None
        raise
    return f"{parameter.removesuffix('Name').lower()} {name}"
