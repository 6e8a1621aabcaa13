"""The exported template is what the provisioner makes: by its calls, and on an emulator."""

from __future__ import annotations

import dataclasses

import pytest

from cloudformation_calls import of_calls, of_template
from cloudformation_stack import (
    CODE,
    CODE_HASH,
    LOST,
    OPTIONS,
    account_of,
    clients_of,
    deployed,
    unlike,
    unused_names,
)
from provisioner import Options, dry_run
from provisioner.cloudformation import template
from servers import AwsClient

KEY = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
EVERYTHING_ON = dataclasses.replace(OPTIONS, kms_key=KEY, deletion_protection=True)


@pytest.mark.parametrize("options", [Options(), EVERYTHING_ON], ids=["defaults", "everything on"])
def test_each_property_is_as_in_the_calls_of_the_provisioner(
    aws: AwsClient, options: Options
) -> None:
    names = unused_names()
    clients = clients_of(aws)
    made = of_calls(dry_run(clients, names, options, CODE))
    exported = of_template(template(names, options, CODE_HASH), account_of(clients))
    assert exported.keys() == made.keys()
    for resource, properties in made.items():
        assert exported[resource] == properties


def test_what_cloudformation_makes_is_what_the_provisioner_would_make(aws: AwsClient) -> None:
    with deployed(aws, "MiniStack") as names:
        assert unlike(aws, names, "MiniStack") == LOST["MiniStack"]
