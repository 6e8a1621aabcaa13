"""IAM roles, each with one inline policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from provisioner.decision import Observed
from provisioner.kinds.rounds import AllAtOnce
from provisioner.policies import Policy
from provisioner.resources import Role
from provisioner.tags import as_list, known_of_list

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

POLICY_NAME = "access"


class Roles(AllAtOnce[Role]):
    def __init__(self, iam: IAMClient) -> None:
        self._iam = iam

    def look(self, desired: Role) -> Observed[Role]:
        try:
            role = self._iam.get_role(RoleName=desired.name)["Role"]
        except self._iam.exceptions.NoSuchEntityException:
            return None
        return Role(
            name=desired.name,
            arn=role["Arn"],
            tags=known_of_list(role.get("Tags", [])),
            trust=_decoded(role["AssumeRolePolicyDocument"]),
            policy=self._policy(desired),
        )

    def create(self, desired: Role) -> None:
        self._iam.create_role(
            RoleName=desired.name,
            AssumeRolePolicyDocument=desired.trust.to_json(),
            Tags=as_list(desired.tags),
        )
        self._put_policy(desired)

    def update(self, desired: Role, actual: Role) -> None:
        if actual.tags != desired.tags:
            self._iam.tag_role(RoleName=desired.name, Tags=as_list(desired.tags))
        if actual.trust != desired.trust:
            self._iam.update_assume_role_policy(
                RoleName=desired.name, PolicyDocument=desired.trust.to_json()
            )
        if actual.policy != desired.policy:
            self._put_policy(desired)

    def delete(self, desired: Role) -> None:
        """Refused by AWS, and so left alone, when somebody has attached another policy to it."""
        if self._policy(desired):
            self._iam.delete_role_policy(RoleName=desired.name, PolicyName=POLICY_NAME)
        self._iam.delete_role(RoleName=desired.name)

    def _policy(self, role: Role) -> Policy | None:
        try:
            answer = self._iam.get_role_policy(RoleName=role.name, PolicyName=POLICY_NAME)
        except self._iam.exceptions.NoSuchEntityException:
            return None
        return _decoded(answer["PolicyDocument"])

    def _put_policy(self, role: Role) -> None:
        if role.policy is not None:
            self._iam.put_role_policy(
                RoleName=role.name,
                PolicyName=POLICY_NAME,
                PolicyDocument=role.policy.to_json(),
            )


def _decoded(document: object) -> Policy:
    """botocore has decoded IAM's percent-encoded JSON, though its model still says string."""
    return Policy(cast(Mapping[str, Any], document))
