"""Access to a pipeline: clients, and the settings that reading and repairing need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import boto3
from botocore.exceptions import NoRegionError

from inventory.stock import RemovalNamePolicy
from inventory_aws.clients import Clients
from inventory_aws.errors import SettingsError
from inventory_aws.names import Names


@dataclass(frozen=True, slots=True)
class Access:
    """A pipeline: its clients, the names of its resources, and how it treats removals."""

    clients: Clients
    names: Names
    policy: RemovalNamePolicy

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises SettingsError and NoRegionError."""
        policy = environ.get("REMOVAL_NAME_POLICY") or RemovalNamePolicy.IGNORE
        if policy not in list(RemovalNamePolicy):
            choices = ", ".join(RemovalNamePolicy)
            raise SettingsError(f"REMOVAL_NAME_POLICY must be one of {choices} (it is {policy!r})")
        names, session = Names.from_env(environ), boto3.Session()
        if session.region_name is None:
            raise NoRegionError
        return cls(Clients(session), names, RemovalNamePolicy(policy))
