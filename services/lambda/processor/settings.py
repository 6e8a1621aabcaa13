"""What the function is told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from inventory.stock import RemovalNamePolicy
from processor.writes import Tables


class SettingsError(Exception):
    """A variable is missing or has a value that means nothing; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    tables: Tables
    failures_topic_arn: str
    removal_name_policy: RemovalNamePolicy
    table_concurrency: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError."""
        policy = environ.get("REMOVAL_NAME_POLICY", RemovalNamePolicy.IGNORE)
        if policy not in list(RemovalNamePolicy):
            choices = " or ".join(RemovalNamePolicy)
            raise SettingsError(f"REMOVAL_NAME_POLICY is {policy!r}: it must be {choices}")
        concurrency = environ.get("TABLE_CONCURRENCY", "4")
        if not concurrency.isdecimal() or not 1 <= int(concurrency) <= 32:
            raise SettingsError(f"TABLE_CONCURRENCY is {concurrency!r}: it must be 1 to 32")
        return cls(
            tables=Tables(
                rows=_required(environ, "TABLE_NAME"),
                removals=_required(environ, "REMOVALS_TABLE_NAME"),
            ),
            failures_topic_arn=_required(environ, "FAILURES_TOPIC_ARN"),
            removal_name_policy=RemovalNamePolicy(policy),
            table_concurrency=int(concurrency),
        )


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if not value:
        raise SettingsError(f"{name} is not set")
    return value
