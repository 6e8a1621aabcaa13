"""What it takes to `provision` and `destroy`: of each resource, for each thing done to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from provisioner.account import Account
from provisioner.monitors import Alarm, Dashboard
from provisioner.permissions.grants import CHANGE, DELETE, LOOK, MAKE, Grant
from provisioner.policies import Conditions
from provisioner.resources import (
    EventSource,
    Function,
    LogGroup,
    Pipe,
    Queue,
    Resource,
    Role,
    Stream,
    Table,
    Topic,
    tags_of,
)

Actions = Mapping[str, str]
"""Names of actions, by what they are for."""

# What is granted on the ARN of the resource itself.
_OWN: Sequence[tuple[type[Resource], str, str, Actions]] = (
    (
        Stream,
        "Stream",
        "kinesis",
        {
            LOOK: "DescribeStreamSummary ListTagsForStream",
            MAKE: "CreateStream AddTagsToStream",
            CHANGE: "AddTagsToStream",
            DELETE: "DeleteStream",
        },
    ),
    (
        Table,
        "Tables",
        "dynamodb",
        {
            LOOK: "DescribeTable ListTagsOfResource DescribeTimeToLive DescribeContinuousBackups",
            MAKE: "CreateTable TagResource UpdateTimeToLive",
            CHANGE: "UpdateTable TagResource UpdateTimeToLive UpdateContinuousBackups",
            DELETE: "DeleteTable",
        },
    ),
    (
        Queue,
        "Queues",
        "sqs",
        {
            LOOK: "GetQueueUrl GetQueueAttributes ListQueueTags",
            MAKE: "CreateQueue TagQueue",
            CHANGE: "SetQueueAttributes TagQueue",
            DELETE: "DeleteQueue",
        },
    ),
    (
        Topic,
        "Topics",
        "sns",
        {
            LOOK: "GetTopicAttributes ListTagsForResource ListSubscriptionsByTopic "
            "GetSubscriptionAttributes",
            MAKE: "CreateTopic TagResource SetTopicAttributes Subscribe",
            CHANGE: "SetTopicAttributes TagResource Subscribe Unsubscribe "
            "SetSubscriptionAttributes",
            DELETE: "DeleteTopic",
        },
    ),
    (
        LogGroup,
        "LogGroups",
        "logs",
        {
            LOOK: "ListTagsForResource",
            MAKE: "CreateLogGroup TagResource PutRetentionPolicy",
            CHANGE: "TagResource PutRetentionPolicy",
            DELETE: "DeleteLogGroup",
        },
    ),
    (
        Role,
        "Roles",
        "iam",
        {
            LOOK: "GetRole GetRolePolicy",
            MAKE: "CreateRole TagRole PutRolePolicy",
            CHANGE: "TagRole UpdateAssumeRolePolicy PutRolePolicy",
            DELETE: "DeleteRolePolicy DeleteRole",
        },
    ),
    (
        Function,
        "Functions",
        "lambda",
        {
            # GetFunction leaves the tags out of its answer where ListTags is not allowed.
            LOOK: "GetFunction ListTags",
            MAKE: "CreateFunction TagResource",
            CHANGE: "UpdateFunctionCode UpdateFunctionConfiguration TagResource",
            DELETE: "DeleteFunction",
        },
    ),
    (
        Pipe,
        "Pipe",
        "pipes",
        {
            LOOK: "DescribePipe",
            MAKE: "CreatePipe TagResource",
            CHANGE: "UpdatePipe TagResource",
            DELETE: "DeletePipe",
        },
    ),
    (
        Alarm,
        "Alarms",
        "cloudwatch",
        {
            LOOK: "ListTagsForResource",
            MAKE: "PutMetricAlarm TagResource",
            CHANGE: "PutMetricAlarm TagResource",
            DELETE: "DeleteAlarms",
        },
    ),
    (
        Dashboard,
        "Dashboard",
        "cloudwatch",
        {
            LOOK: "GetDashboard",
            MAKE: "PutDashboard",
            CHANGE: "PutDashboard",
            DELETE: "DeleteDashboards",
        },
    ),
)


# What holds data, and what tells of it. IAM takes a policy with this and all the rest for too long.
_HOLDS_DATA = ("kinesis", "dynamodb", "sqs", "sns", "kms")


def halves(grants: Sequence[Grant]) -> tuple[list[Grant], list[Grant]]:
    """Those on what holds data, and those on what runs, watches and may: a policy each."""
    data = [grant for grant in grants if grant.actions[0].partition(":")[0] in _HOLDS_DATA]
    return data, [grant for grant in grants if grant not in data]


def deployer(
    resources: Sequence[Resource], account: Account, stage: str, principal: str | None = None
) -> list[Grant]:
    """All that `provision`, `destroy`, `--plan` and `--dry-run` do.

    `principal` is the ARN of whoever the policy is for, where it is to ask beforehand what that one
    may do (`preflight`).
    """
    grants = [grant for resource in resources for grant in needed(resource, account, stage)]
    grants.append(Grant("FindByTag", DELETE, ("tag:GetResources",), ("*",), _here(account)))
    if principal:
        # Of a session only the name of its role is known: IAM has to say where that is.
        role = ("iam:GetRole",) if ":role/" in principal else ()
        actions = (*role, "iam:SimulatePrincipalPolicy")
        grants.append(Grant("AskBeforehand", LOOK, actions, (principal,)))
    return grants


def needed(resource: Resource, account: Account, stage: str) -> Iterator[Grant]:
    """What it takes to look at the resource, to make, change and delete it."""
    for kind, sid, service, actions in _OWN:
        if isinstance(resource, kind):
            arns = _arns(resource)
            for purpose, names in actions.items():
                yield Grant(sid, purpose, tuple(f"{service}:{n}" for n in names.split()), arns)
    yield from _besides(resource, account, stage)


def _arns(resource: Resource) -> tuple[str, ...]:
    """A log group has two: with what is in it for most actions, without for those on its tags."""
    if isinstance(resource, LogGroup):
        return resource.arn, f"{resource.arn}:*"
    return (resource.arn,)


def _besides(resource: Resource, account: Account, stage: str) -> Iterator[Grant]:
    """What is granted on something else: a key, a role that is passed on, all of a kind.

    Where AWS lets nothing less than "*" be named, it is that of this Region alone.
    """
    here = _here(account)
    match resource:
        case Stream():
            # Which key the alias of AWS's own stands for is not known beforehand.
            aws_key = account.arn("kms", "key/*")
            key = resource.kms_key if _is_arn(resource.kms_key) else aws_key
            encryption = ("kinesis:StartStreamEncryption",)
            for purpose in (MAKE, CHANGE):
                yield Grant("StreamEncryption", purpose, encryption, (resource.arn, key or aws_key))
            yield Grant("StreamShards", CHANGE, ("kinesis:UpdateShardCount",), ("*",), here)
            yield from _of_key(resource.kms_key, "kinesis", ("kms:DescribeKey",), account)
        case Table():
            if resource.point_in_time_recovery:
                backups = ("dynamodb:UpdateContinuousBackups",)
                yield Grant("Tables", MAKE, backups, (resource.arn,))
            used = ("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey")
            actions = tuple(f"kms:{name}" for name in used)
            yield from _of_key(resource.kms_key, "dynamodb", actions, account)
        case LogGroup():
            yield Grant("ListLogGroups", LOOK, ("logs:DescribeLogGroups",), ("*",), here)
        case Alarm():
            every = (account.arn("cloudwatch", "alarm:*"),)
            yield Grant("ListAlarms", LOOK, ("cloudwatch:DescribeAlarms",), every)
        case Function():
            yield from _pass("PassRolesToLambda", resource.role, "lambda.amazonaws.com")
        case Pipe():
            yield from _pass("PassRoleToPipes", resource.role, "pipes.amazonaws.com")
        case EventSource():
            yield from _of_event_source(resource, account, stage)


def _of_event_source(source: EventSource, account: Account, stage: str) -> Iterator[Grant]:
    """Its ARN is AWS's choice: it is known by its function, or by the tags that it is given."""
    mappings = (account.arn("lambda", "event-source-mapping:*"),)
    function = account.arn("lambda", f"function:{source.function}")
    of_function: Conditions = {"ArnEquals": {"lambda:FunctionArn": function}}
    of_stage: Conditions = {
        "StringEquals": {f"aws:RequestTag/{key}": value for key, value in tags_of(stage).items()}
    }
    listing = ("lambda:ListEventSourceMappings",)
    yield Grant("ListEventSources", LOOK, listing, ("*",), _here(account))
    yield Grant("EventSourceTags", LOOK, ("lambda:ListTags",), mappings)
    create = ("lambda:CreateEventSourceMapping",)
    yield Grant("MakeEventSources", MAKE, create, ("*",), of_function)
    for purpose in (MAKE, CHANGE):
        yield Grant("TagEventSources", purpose, ("lambda:TagResource",), mappings, of_stage)
    for purpose, name in ((CHANGE, "Update"), (DELETE, "Delete"), (DELETE, "Get")):
        action = (f"lambda:{name}EventSourceMapping",)
        yield Grant("EventSources", purpose, action, mappings, of_function)


def _pass(sid: str, role: str, service: str) -> Iterator[Grant]:
    to: Conditions = {"StringEquals": {"iam:PassedToService": service}}
    for purpose in (MAKE, CHANGE):
        yield Grant(sid, purpose, ("iam:PassRole",), (role,), to)


def _of_key(
    key: str | None, service: str, actions: tuple[str, ...], account: Account
) -> Iterator[Grant]:
    """Of a key of one's own; AWS's may be used by whoever may use what is encrypted with them."""
    if key and _is_arn(key):
        through: Conditions = {"StringEquals": {"kms:ViaService": account.endpoint(service)}}
        for purpose in (MAKE, CHANGE):
            yield Grant(f"KeyThrough{service.title()}", purpose, actions, (key,), through)


def _is_arn(key: str | None) -> bool:
    return key is not None and key.startswith("arn:")


def _here(account: Account) -> Conditions:
    return {"StringEquals": {"aws:RequestedRegion": account.region}}
