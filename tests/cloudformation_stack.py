"""The exported template as a stack on an emulator, and what the provisioner makes of it."""

from __future__ import annotations

import dataclasses
import io
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from inventory_cli.template_yaml import written

from inventory_cli.embedded import ministack
from provisioner import Clients, Names, Options
from provisioner.account import Account
from provisioner.cloudformation import code_key, template
from provisioner.decision import Observed
from provisioner.description import description
from provisioner.diff import differences
from provisioner.kinds import all_kinds
from provisioner.kinds.functions import code_sha256
from provisioner.monitors import Alarm, Dashboard
from provisioner.resources import (
    LogGroup,
    Pipe,
    QueueSource,
    Resource,
    Stream,
    Table,
    TableSource,
)
from servers import AwsClient
from waiting import eventually

Field = tuple[type[Resource], str]
MISSING = "all of it"
LOST: dict[str, set[Field]] = {
    "MiniStack": {
        (Pipe, "starting_position"),
        (Pipe, "batch_size"),
        (Pipe, "max_retry_attempts"),
        (Pipe, "max_record_age_seconds"),
        (Pipe, "dead_letters"),
        (Pipe, "on_partial_failure"),
        (QueueSource, "tags"),
        (Stream, "kms_key"),
        (Table, "expiry"),
        (Table, "point_in_time_recovery"),
        (TableSource, "tags"),
    },
    "LocalStack": {
        (Alarm, "tags"),
        (Dashboard, MISSING),
        (LogGroup, "retention_days"),
        (LogGroup, "tags"),
        (Pipe, MISSING),
        (Stream, "kms_key"),
        (Stream, "tags"),
        (Table, "point_in_time_recovery"),
    },
}
"""What each takes in a template, and does not do; of a kind that is missing there is no type."""

OPTIONS = Options(stream_shards=3, low_stock=5, point_in_time_recovery=True)


def packed() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        for module in ("inventory", "alerts"):
            package.writestr(f"{module}/__init__.py", "")
            package.writestr(f"{module}/handler.py", "def handler(event, context): return {}")
    return archive.getvalue()


CODE = packed()
CODE_HASH = code_sha256(CODE)


def unused_names() -> Names:
    unique = uuid.uuid4().hex[:8]
    defaults = dataclasses.asdict(Names())
    return Names(**{field: f"{value}-{unique}" for field, value in defaults.items()})


def clients_of(aws: AwsClient) -> Clients:
    services = {"lambda_": "lambda"}
    fields = [field.name for field in dataclasses.fields(Clients)]
    return Clients(**{field: aws(services.get(field, field)) for field in fields})


def account_of(clients: Clients) -> Account:
    caller = clients.sts.get_caller_identity()
    return Account.of_caller(caller["Arn"], caller["Account"], ministack.REGION)


@contextmanager
def deployed(aws: AwsClient, emulator: str) -> Iterator[Names]:
    """A stack under names that nobody else has, without the types that the emulator has not."""
    names = unused_names()
    bucket, stack = f"code-{names.pipe}", f"stack-{names.pipe}"
    aws("s3").create_bucket(Bucket=bucket)
    aws("s3").put_object(Bucket=bucket, Key=code_key(CODE_HASH), Body=CODE)
    cloudformation = aws("cloudformation")
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=written(reduced(template(names, OPTIONS, CODE_HASH), emulator)),
        Parameters=[{"ParameterKey": "CodeBucket", "ParameterValue": bucket}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    try:
        assert settled(cloudformation, stack) == "CREATE_COMPLETE", reasons(cloudformation, stack)
        yield names
    finally:
        cloudformation.delete_stack(StackName=stack)


def reduced(whole: Mapping[str, Any], emulator: str) -> dict[str, Any]:
    without = {"AWS::Pipes::Pipe"} if (Pipe, MISSING) in LOST[emulator] else set()
    kept = {key: body for key, body in whole["Resources"].items() if body["Type"] not in without}
    return {**whole, "Resources": kept}


def settled(cloudformation: Any, stack: str) -> str:
    """The status of a stack once it changes no more."""

    def ended() -> str:
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        status: str = found["StackStatus"]
        return "" if status.endswith("IN_PROGRESS") else status

    return eventually(ended, timeout=240, pause=0.2)


def reasons(cloudformation: Any, stack: str) -> list[str]:
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    return [
        f"{each['LogicalResourceId']}: {each['ResourceStatusReason']}"
        for each in events
        if each.get("ResourceStatusReason")
    ]


def unlike(aws: AwsClient, names: Names, emulator: str) -> set[Field]:
    """The fields in which something is not as the provisioner would make it."""
    clients = clients_of(aws)
    kinds = all_kinds(clients, CODE)
    found: set[Field] = set()
    for resource in description(names, OPTIONS, account_of(clients), CODE_HASH):
        kind = type(resource)
        if (kind, MISSING) in LOST[emulator]:
            found.add((kind, MISSING))
            continue

        def look(seen: Resource = resource) -> list[Resource | None]:
            return steady(kinds[type(seen)].look(seen))

        [actual] = eventually(look)
        if actual is None:
            found.add((kind, MISSING))
        else:
            found |= {(kind, each.field) for each in differences(resource, actual)}
    return found


def steady(observed: Observed[Resource]) -> list[Resource | None]:
    return [observed] if observed is None or isinstance(observed, Resource) else []
