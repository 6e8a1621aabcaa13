"""The account and Region that the resources live in, and the ARNs that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Account:
    """`partition` is "aws", or that of another group of Regions ("aws-cn", "aws-us-gov")."""

    id: str
    region: str
    partition: str = "aws"

    @classmethod
    def of_caller(cls, arn: str, account_id: str, region: str) -> Self:
        """From what STS's GetCallerIdentity answers."""
        return cls(account_id, region, arn.split(":")[1])

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{resource}"

    def endpoint(self, service: str) -> str:
        """The name of a service's endpoint, as a condition on kms:ViaService has it."""
        domain = "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"
        return f"{service}.{self.region}.{domain}"

    def role_arn(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.id}:role/{name}"
