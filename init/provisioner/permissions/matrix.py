"""Who may do what to which resource, and why: a page of the docs, made of the policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from provisioner.account import Account
from provisioner.description import description
from provisioner.names import Names
from provisioner.options import Options
from provisioner.permissions.deployer import deployer
from provisioner.permissions.grants import CHANGE, DELETE, LOOK, MAKE, Grant
from provisioner.permissions.operator import operator
from provisioner.policies import Conditions, Statement
from provisioner.resources import Role

_ACCOUNT = Account("123456789012", "us-east-1")
_KEY = _ACCOUNT.arn("kms", "key/yours")
_PRINCIPAL = _ACCOUNT.role_arn("inventory-deployer")

_INTRODUCTION = """\
# Who may do what

Made by `make permissions` of the policies themselves, which are those that `provision` gives the
roles and that `inventory export policies` writes for people; a test keeps this page and them the
same. Names are the default ones, resources those of account and Region of the stack. What is on the
key is there with `KMS_KEY_ARN` only. How people get theirs: [aws.md](aws.md). What is said of
queues and topics, in policies of their own: [provisioning.md](provisioning.md#policies).
"""

_PURPOSES = {
    LOOK: "see what is there: each run, `--plan`, `--dry-run`",
    MAKE: "make it",
    CHANGE: "change it: settings, code, tags",
    DELETE: "delete it: `destroy`",
}

_ROLES: Mapping[str, Mapping[str, str]] = {
    "function_role": {
        "dynamodb:BatchGetItem": "read the rows of a batch, write what becomes of them",
        "dynamodb:ConditionCheckItem": "know the products removed lately and the ids they had seen",
        "sns:Publish": "tell of a rejected event",
        "logs:CreateLogStream": "log a line a batch",
        "kms:Decrypt": "read the tables, publish to the encrypted topic",
        "kms:GenerateDataKey": "publish to the encrypted topic",
    },
    "pipe_role": {
        "kinesis:DescribeStream": "read the stream",
        "lambda:InvokeFunction": "hand batches over",
        "sns:Publish": "tell of a batch that is given up",
        "kms:Decrypt": "read the encrypted stream, publish to the encrypted topic",
        "kms:GenerateDataKey": "publish to the encrypted topic",
    },
    "alerts_role": {
        "sqs:ReceiveMessage": "take failures, and put back what must wait",
        "dynamodb:DescribeStream": "read what changes in the table",
        "dynamodb:ListStreams": "Lambda demands it, and AWS grants it on nothing less",
        "dynamodb:GetItem": "count what was told already",
        "kinesis:GetRecords": "read the events that a dead letter stands for",
        "sns:Publish": "tell people",
        "logs:CreateLogStream": "log what it does",
        "kms:Decrypt": "read and send what is encrypted",
        "kms:GenerateDataKey": "send what is encrypted",
    },
}
_TITLES = {
    "function_role": "The function",
    "pipe_role": "The pipe",
    "alerts_role": "The alerts function",
}


@dataclass(frozen=True)
class Row:
    why: str
    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Conditions


def page() -> str:
    """The whole page, as Markdown."""
    names, options = Names(), Options(kms_key=_KEY)
    resources = description(names, options, _ACCOUNT, "")
    grants = deployer(resources, _ACCOUNT, names.stage, _PRINCIPAL)
    sections = {
        "Whoever deploys": _of_grants(grants),
        "Whoever operates": _of_grants(operator(names, options, _ACCOUNT)),
    }
    roles = {each.name: each for each in resources if isinstance(each, Role)}
    for field, reasons in _ROLES.items():
        role = roles[getattr(names, field)]
        assert role.policy is not None  # noqa: S101
        rows = [_of_statement(each, reasons) for each in role.policy.statements]
        sections[f"{_TITLES[field]}, as `{role.name}`"] = rows
    tables = (_table(title, rows) for title, rows in sections.items())
    return "\n".join([_INTRODUCTION, *tables])


def _of_grants(grants: Sequence[Grant]) -> list[Row]:
    """Those of one statement and one purpose are one row, for one purpose or several."""
    alike: dict[tuple[str, str], list[Grant]] = {}
    for grant in grants:
        alike.setdefault((grant.sid, grant.purpose), []).append(grant)
    rows: dict[tuple[str, ...], Row] = {}
    for (sid, purpose), same in alike.items():
        actions = tuple(dict.fromkeys(action for each in same for action in each.actions))
        why = _PURPOSES.get(purpose, purpose)
        if known := rows.get((sid, *actions)):
            why = f"{known.why}; {why}"
        resources = list(dict.fromkeys(arn for each in same for arn in each.resources))
        rows[sid, *actions] = Row(why, actions, resources, same[0].conditions)
    return list(rows.values())


def _of_statement(statement: Statement, reasons: Mapping[str, str]) -> Row:
    actions: list[str] = statement["Action"]
    resource = statement["Resource"]
    return Row(reasons[actions[0]], actions, [resource], statement.get("Condition", {}))


def _table(title: str, rows: Sequence[Row]) -> str:
    lines = [f"## {title}", "", "| may | on | to |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(_line(row) for row in rows), ""])


def _line(row: Row) -> str:
    service, _, first = row.actions[0].partition(":")
    rest = [f"`{action.removeprefix(f'{service}:')}`" for action in row.actions[1:]]
    actions = " ".join([f"`{service}:{first}`", *rest])
    resources = "<br>".join(f"`{_short(arn)}`" for arn in row.resources)
    where = "".join(f"<br>where {condition}" for condition in _conditions(row.conditions))
    return f"| {actions} | {resources}{where} | {row.why} |"


def _conditions(conditions: Conditions) -> Iterator[str]:
    for keys in conditions.values():
        for key, value in keys.items():
            values = [value] if isinstance(value, str) else value
            yield f"`{key}` is " + " or ".join(f"`{_short(each)}`" for each in values)


def _short(arn: str) -> str:
    """What is left of an ARN without the account and the Region."""
    return arn.split(":", 5)[5] if arn.startswith("arn:") else arn
