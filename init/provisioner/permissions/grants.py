"""What somebody is granted, for what; and many such grants as policy documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from provisioner.policies import Conditions, Policy, Statement

MANAGED_POLICY_CHARACTERS = 6144
"""The most that IAM takes for a managed policy; it does not count white space.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

LOOK, MAKE, CHANGE, DELETE = "look", "make", "change", "delete"


class PolicyTooLongError(Exception):
    """The names make a policy longer than IAM takes."""


@dataclass(frozen=True)
class Grant:
    """Actions on resources, and what they are `for`; those of one `sid` are one statement.

    Grants of one sid have the same conditions, and each of their actions fits each of their
    resources.
    """

    sid: str
    purpose: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions = field(default_factory=dict)


def statements(grants: Iterable[Grant]) -> list[Statement]:
    by_sid: dict[str, list[Grant]] = {}
    for grant in grants:
        by_sid.setdefault(grant.sid, []).append(grant)
    return [_statement(sid, alike) for sid, alike in by_sid.items()]


def written(grants: Iterable[Grant]) -> str:
    """The policy as a file has it. Raises PolicyTooLongError."""
    document = Policy.of(*statements(grants)).document
    text = json.dumps(document, indent=2)
    characters = len("".join(text.split()))
    if characters > MANAGED_POLICY_CHARACTERS:
        raise PolicyTooLongError(
            f"with these names the policy has {characters:,} characters, and IAM takes "
            f"{MANAGED_POLICY_CHARACTERS:,}: choose shorter ones"
        )
    return f"{text}\n"


def _statement(sid: str, alike: Sequence[Grant]) -> Statement:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted({action for grant in alike for action in grant.actions}),
        "Resource": list(dict.fromkeys(arn for grant in alike for arn in grant.resources)),
    }
    conditions = alike[0].conditions
    return {**statement, "Condition": conditions} if conditions else statement
