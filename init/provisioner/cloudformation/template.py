"""A whole template, and the key that its code is under."""

from __future__ import annotations

import base64
from typing import Any

from provisioner.cloudformation.mappings import entries
from provisioner.cloudformation.references import DeployedAccount, References
from provisioner.description import description
from provisioner.names import Names
from provisioner.options import Options
from provisioner.resources import Pipe, Resource


def template(names: Names, options: Options, code_sha256: str) -> dict[str, Any]:
    """The template of everything that `provision` makes; it holds in any account and Region.

    Raises UnmappedKindError.
    """
    return template_of(description(names, options, DeployedAccount(), code_sha256), names)


def template_of(resources: tuple[Resource, ...], names: Names) -> dict[str, Any]:
    """`resources` are those of a DeployedAccount."""
    references = References(resources, names)
    bodies = {
        logical_id: body
        for resource in resources
        for logical_id, body in entries(resource, references)
    }
    # What fails has somewhere to go before the first record is read.
    ways = [
        logical_id
        for logical_id, body in bodies.items()
        if body["Type"] in ("AWS::SNS::Subscription", "AWS::SQS::QueuePolicy")
    ]
    for resource in resources:
        if isinstance(resource, Pipe):
            bodies[references.id_of(resource)]["DependsOn"] = ways
    [code] = {each.code for each in references.functions.values()}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Inventory pipeline, stage {names.stage}: Kinesis, Pipe, Lambda, DynamoDB",
        "Parameters": {
            "CodeBucket": {
                "Type": "String",
                "Description": "The S3 bucket, of the same Region, that has the functions' zip",
            },
            "CodeKey": {
                "Type": "String",
                "Description": "The key of the zip in it; another code has another key",
                "Default": code_key(code),
            },
        },
        "Resources": bodies,
        "Outputs": {
            "StreamName": {
                "Description": "Where events are put",
                "Value": {"Ref": "Stream"},
            },
            "TableName": {
                "Description": "Where the products are",
                "Value": {"Ref": "Table"},
            },
            "TopicArn": {
                "Description": "What people subscribe to, to be told of failures",
                "Value": {"Ref": "Topic"},
            },
        },
    }


def code_key(code_sha256: str) -> str:
    """The name of the zip with this code. CloudFormation updates a function when its key changes,
    not when there are other bytes under it.
    """
    return f"inventory-processor-{base64.b64decode(code_sha256).hex()[:16]}.zip"
