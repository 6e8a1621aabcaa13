"""Amazon Resource Names, taken apart, and what they are in: an account and a Region."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_PARTITIONS = {
    "cn": "aws-cn",
    "us-gov": "aws-us-gov",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "eu-isoe": "aws-iso-e",
    "us-isof": "aws-iso-f",
    "eusc": "aws-eusc",
}
"""By the beginning of the names of their Regions, as botocore has them."""

ACCOUNT = re.compile(r"\d{12}", re.ASCII)


class Scope(NamedTuple):
    """An account and a Region: pipes of different ones may share names."""

    account: str
    region: str

    def pipe_arn(self, name: str) -> str:
        partitions = (
            p for prefix, p in _PARTITIONS.items() if self.region.startswith(f"{prefix}-")
        )
        partition = next(partitions, "aws")
        return f"arn:{partition}:pipes:{self.region}:{self.account}:pipe/{name}"


@dataclass(frozen=True)
class Arn:
    """`arn:partition:service:region:account:resource`; the resource keeps its own colons."""

    text: str
    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Raises ValueError when `text` has not the six parts of an ARN."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn":
            raise ValueError(f"not an ARN: {text!r}")
        return cls(text, *parts[1:])

    @property
    def scope(self) -> Scope:
        return Scope(self.account, self.region)

    @property
    def is_fifo(self) -> bool:
        """Of a queue or a topic: the names of FIFO ones, and of no others, end so."""
        return self.resource.endswith(".fifo")

    def matches(self, service: str, resource: str) -> bool:
        """Whether it is of `service`, and its resource matches a regular expression as a whole."""
        return self.service == service and re.fullmatch(resource, self.resource) is not None

    @property
    def name(self) -> str:
        """The resource without its type: `stream/orders`, `function:orders:live` → `orders`."""
        parts = re.split("[/:]", self.resource)
        return parts[1] if len(parts) > 1 else parts[0]
