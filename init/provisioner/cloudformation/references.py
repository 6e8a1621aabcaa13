"""What stands in a template for what is known when it is deployed: accounts, Regions, ARNs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from provisioner.account import Account
from provisioner.names import Names
from provisioner.resources import Function, Resource, Topic

_PSEUDO = "${AWS::"


class DeployedAccount(Account):
    """The account, Region and partition that a template is deployed in, whichever they are.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
    """

    def __init__(self) -> None:
        super().__init__("${AWS::AccountId}", "${AWS::Region}", "${AWS::Partition}")

    def endpoint(self, service: str) -> str:
        return f"{service}.{self.region}.${{AWS::URLSuffix}}"


def substituted(node: Any) -> Any:
    """`node` with Fn::Sub around each text that names a pseudo parameter."""
    match node:
        case str() if _PSEUDO in node:
            return {"Fn::Sub": node}
        case dict():
            return {key: substituted(value) for key, value in node.items()}
        case list() | tuple():
            return [substituted(item) for item in node]
    return node


class References:
    """The resources of a template, found by what others know of them.

    A logical id follows from what a thing is, not from what it is called: with other names, or for
    another stage, it is the same.
    """

    def __init__(self, resources: Sequence[Resource], names: Names) -> None:
        self._names = names
        self._by_arn = {each.arn: each for each in resources if each.arn}
        self.functions = {each.name: each for each in resources if isinstance(each, Function)}

    def id_of(self, resource: Resource) -> str:
        """That of its field in Names; where it has none, made of its kind and name."""
        suffix = resource.kind.replace(" ", "_")
        for field, name in asdict(self._names).items():
            if name == resource.name and (field == suffix or field.endswith(f"_{suffix}")):
                return pascal(field)
        of_any_stage = resource.name.removeprefix(f"{self._names.stage}-")
        return pascal(f"{of_any_stage} {resource.kind}")

    def id_of_arn(self, arn: str) -> str:
        return self.id_of(self._by_arn[arn])

    def arn(self, arn: str) -> Any:
        """A reference, which CloudFormation takes as the order to make things in."""
        resource = self._by_arn.get(arn)
        if resource is None:
            return substituted(arn)
        logical_id = self.id_of(resource)
        if isinstance(resource, Topic):
            return {"Ref": logical_id}
        return {"Fn::GetAtt": f"{logical_id}.Arn"}

    def function(self, name: str) -> str:
        return self.id_of(self.functions[name])

    def function_logging_to(self, log_group: str) -> str:
        return self.function(log_group.rpartition("/")[2])


def pascal(words: str) -> str:
    """Letters and digits alone, which is all that a logical id may have."""
    parts = "".join(c if c.isascii() and c.isalnum() else " " for c in words).split()
    return "".join(part[:1].upper() + part[1:] for part in parts)
