"""Whether whoever provisions may do all that it takes, asked of IAM before anything is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from provisioner.access import denied_action
from provisioner.account import Account
from provisioner.changes import Action, Change
from provisioner.clients import Clients
from provisioner.description import description
from provisioner.errors import AWS_ERRORS, explain
from provisioner.names import Names
from provisioner.options import Options
from provisioner.permissions.deployer import needed
from provisioner.permissions.grants import CHANGE, DELETE, LOOK, MAKE, Grant
from provisioner.resources import Resource

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import EvaluationResultTypeDef

_PURPOSES = {
    Action.CREATED: (LOOK, MAKE),
    Action.UPDATED: (LOOK, CHANGE),
    Action.REPLACED: (LOOK, MAKE, DELETE),
}


@dataclass(frozen=True)
class Beforehand:
    """The actions that would be denied; or why nobody can say (`unknown`)."""

    denied: tuple[str, ...] = ()
    unknown: str = ""


def preflight(
    clients: Clients, names: Names, options: Options, changes: Iterable[Change]
) -> Beforehand:
    """What of `changes`, as planned, the caller may not do, as IAM's simulator has it.

    Right where it counts: whom it calls denied is denied, by a policy of their own, of a boundary
    or of the organisation. It does not know what is said of a session, nor what depends on more of
    a request than we send (its time, its address): that shows when it is done.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
    """
    answer = clients.sts.get_caller_identity()
    caller = answer["Arn"]
    account = Account.of_caller(caller, answer["Account"], clients.kinesis.meta.region_name)
    if caller.endswith(":root"):
        return Beforehand()  # may do all, and cannot be simulated
    try:
        principal = _principal(clients.iam, caller)
        if principal is None:
            return Beforehand(unknown=f"IAM does not tell of {caller}")
        resources = description(names, options, account, "")
        grants = list(_needed(account, resources, changes))
        denied = _denied(clients.iam, principal, grants, _context(account, resources))
        return Beforehand(denied=tuple(sorted(denied)))
    except AWS_ERRORS as error:
        action = denied_action(error)
        return Beforehand(unknown=f"you may not {action}" if action else explain(error))


def _principal(iam: IAMClient, caller: str) -> str | None:
    """The user, or the role that a session is of: a session's ARN lacks the path of its role's."""
    kind, _, rest = caller.split(":", 5)[5].partition("/")
    if kind == "user":
        return caller
    if kind == "assumed-role":
        return iam.get_role(RoleName=rest.partition("/")[0])["Role"]["Arn"]
    return None


def _needed(
    account: Account, resources: Sequence[Resource], changes: Iterable[Change]
) -> Iterator[Grant]:
    by_label = {resource.label: resource for resource in resources}
    for change in changes:
        if purposes := _PURPOSES.get(change.action):
            resource = by_label[change.resource]
            for grant in needed(resource, account, resource.tags["stage"]):
                if grant.purpose in purposes:
                    yield grant


def _denied(
    iam: IAMClient, principal: str, grants: Sequence[Grant], context: Mapping[str, Any]
) -> set[str]:
    """A grant may name its resource in more than one way: it is denied if each of them is."""
    by_sid: dict[str, list[Grant]] = {}
    for grant in grants:
        by_sid.setdefault(grant.sid, []).append(grant)
    pages = iam.get_paginator("simulate_principal_policy")
    found: set[tuple[str, str]] = set()
    for same in by_sid.values():
        for page in pages.paginate(
            PolicySourceArn=principal,
            ActionNames=sorted({action for grant in same for action in grant.actions}),
            ResourceArns=sorted({arn for grant in same for arn in grant.resources}),
            ContextEntries=_entries({**context, **_keys(same[0])}),
        ):
            for result in page["EvaluationResults"]:
                found |= set(_refused(result))
    return {
        action
        for grant in grants
        for action in grant.actions
        if all((action, arn) in found for arn in grant.resources)
    }


def _refused(result: EvaluationResultTypeDef) -> Iterator[tuple[str, str]]:
    """Where IAM lacks something of the request to decide by, nothing is known."""
    whole = {**result, "EvalResourceDecision": result["EvalDecision"]}
    specific: Sequence[Any] = result.get("ResourceSpecificResults") or [whole]
    for each in specific:
        missing = result.get("MissingContextValues") or each.get("MissingContextValues")
        if each["EvalResourceDecision"] != "allowed" and not missing:
            yield result["EvalActionName"], each["EvalResourceName"]


def _context(account: Account, resources: Sequence[Resource]) -> dict[str, Any]:
    """A value for each key that policies of ours have conditions on, whatever is asked.

    IAM may call a key missing that only a statement on something else needs.
    """
    given: dict[str, Any] = {"aws:RequestedRegion": account.region}
    for resource in resources:
        for grant in needed(resource, account, resource.tags["stage"]):
            given |= _keys(grant)
    return given


def _keys(grant: Grant) -> dict[str, Any]:
    return {key: value for keys in grant.conditions.values() for key, value in keys.items()}


def _entries(context: Mapping[str, Any]) -> list[Any]:
    return [
        {
            "ContextKeyName": key,
            "ContextKeyValues": [value] if isinstance(value, str) else list(value),
            "ContextKeyType": "string",
        }
        for key, value in context.items()
    ]
