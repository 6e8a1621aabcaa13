"""What is known of a stack: from the command line, and from the emulator's CloudFormation."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from eventbridge_pipes.apply.resolution import Question, Unknown
from eventbridge_pipes.arn import Arn

Client = Callable[[str], Any]
"""`client("sqs")` is the boto3 client of a service."""

HIDDEN = "****"
"""What CloudFormation shows of a parameter with NoEcho."""


def given(question: Question, resources: Mapping[str, str]) -> str | None:
    """The answer of `--resource`, if there is one: by logical ids, ARNs or attributes' values."""
    value = resources.get(f"{question.name}.{question.attribute}")
    if value or question.name not in resources or question.subject not in ("Ref", "Attribute"):
        return value
    arn = Arn.parse(resources[question.name])
    return ref(arn) if question.subject == "Ref" else attribute(arn, question.attribute)


def unknown(question: Question, stack: str | None) -> Unknown:
    """Why there is no answer, and what to do."""
    name, options = ".".join(filter(None, question[1:])), [] if stack else ["--stack"]
    if question.subject in ("Ref", "Attribute"):
        options.insert(0, f"--resource {name}={'VALUE' if question.attribute else 'ARN'}")
    return Unknown(f"{name} is not known" + f": use {' or '.join(options)}" * bool(options))


def ref(arn: Arn) -> str:
    """What `Ref` gives for a resource: its name, its ARN or, of a queue, its URL."""
    if arn.service == "sqs":
        return f"https://sqs.{arn.region}.amazonaws.com/{arn.account}/{arn.resource}"
    if re.match(
        r"sns|states|secretsmanager|batch|kafka|lambda:function:.*:|ecs:task-def|kinesis:.*/consumer",
        f"{arn.service}:{arn.resource}",
    ):
        return arn.text
    return name(arn)


def name(arn: Arn) -> str:
    match arn.service:
        case "logs":
            return arn.resource.removeprefix("log-group:").removesuffix(":*")
        case "iam":
            return arn.resource.rpartition("/")[2]
        case "events" if arn.resource.startswith("event-bus/"):
            return arn.resource.removeprefix("event-bus/")
    return arn.name


def attribute(arn: Arn, attribute: str) -> str | None:
    """What `Fn::GetAtt` gives, as far as the ARN tells it."""
    if attribute == "StreamArn":
        return arn.text if "/stream/" in arn.resource else None
    if attribute == "QueueUrl":
        return ref(arn)
    if attribute.endswith("Name"):
        return name(arn)
    if not attribute.lower().endswith("arn"):
        return None
    if arn.service == "logs":
        return arn.text.removesuffix(":*") + ":*"
    return arn.text.partition("/stream/")[0] if arn.service == "dynamodb" else arn.text


_ARNS = {
    "AWS::DynamoDB::GlobalTable": "dynamodb:{place}:table/{id}",
    "AWS::DynamoDB::Table": "dynamodb:{place}:table/{id}",
    "AWS::ECS::Cluster": "ecs:{place}:cluster/{id}",
    "AWS::Events::EventBus": "events:{place}:event-bus/{id}",
    "AWS::KMS::Key": "kms:{place}:key/{id}",
    "AWS::Kinesis::Stream": "kinesis:{place}:stream/{id}",
    "AWS::KinesisFirehose::DeliveryStream": "firehose:{place}:deliverystream/{id}",
    "AWS::Lambda::Function": "lambda:{place}:function:{id}",
    "AWS::Logs::LogGroup": "logs:{place}:log-group:{id}:*",
    "AWS::S3::Bucket": "s3:::{id}",
    "AWS::SNS::Topic": "sns:{place}:{id}",
    "AWS::SQS::Queue": "sqs:{place}:{id}",
    "AWS::SageMaker::Pipeline": "sagemaker:{place}:pipeline/{id}",
    "AWS::StepFunctions::StateMachine": "states:{place}:stateMachine:{id}",
}
"""ARNs that follow from the physical id, which is the name (of a queue, what its URL ends with)."""

_TABLE_STREAM = "dynamodb describe_table TableName Table LatestStreamArn"
_ASKED = {
    "AWS::DynamoDB::GlobalTable.StreamArn": _TABLE_STREAM,
    "AWS::DynamoDB::Table.StreamArn": _TABLE_STREAM,
    "AWS::Events::ApiDestination.Arn": "events describe_api_destination Name ApiDestinationArn",
    "AWS::Events::Connection.Arn": "events describe_connection Name ConnectionArn",
    "AWS::IAM::Role.Arn": "iam get_role RoleName Role Arn",
    "AWS::SSM::Parameter.Value": "ssm get_parameter Name Parameter Value",
}
"""How the others are asked for: service, operation, its parameter, and where the answer has it."""

_SAM = {
    "AWS::Serverless::Function": "AWS::Lambda::Function",
    "AWS::Serverless::SimpleTable": "AWS::DynamoDB::Table",
    "AWS::Serverless::StateMachine": "AWS::StepFunctions::StateMachine",
}


class Stack:
    """A stack that the emulator holds; botocore's errors pass."""

    def __init__(self, client: Client, stack: str) -> None:
        self._client = client
        self._stack = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        self.status: str = self._stack["StackStatus"]

    @property
    def parameters(self) -> dict[str, str]:
        """The pseudo parameters too."""
        arn = Arn.parse(self._stack["StackId"])
        own = {
            # MiniStack shows the resolved value as the value.
            p["ParameterKey"]: p.get("ResolvedValue", p["ParameterValue"])
            for p in self._stack.get("Parameters", ())
        }
        return {k: v for k, v in own.items() if v != HIDDEN} | {
            "AWS::AccountId": arn.account,
            "AWS::Partition": arn.partition,
            "AWS::Region": arn.region,
            "AWS::StackId": arn.text,
            "AWS::StackName": self._stack["StackName"],
        }

    def answer(self, question: Question) -> str | None:
        match question.subject:
            case "Export":
                return self._exports.get(question.name)
            case "Parameter":
                return self._asked(_ASKED["AWS::SSM::Parameter.Value"], question.name)
        resource = self._resources.get(question.name, {})
        physical = resource.get("PhysicalResourceId")
        # LocalStack gives a resource whose type it passes over the id `unknown`.
        if physical in (None, "", "unknown"):
            return None
        if question.subject == "Ref":
            return str(physical)
        kind = _SAM.get(resource["ResourceType"], resource["ResourceType"])
        return self._attribute(kind, physical, question.attribute)

    def _attribute(self, kind: str, physical: str, wanted: str) -> str | None:
        if kind == "AWS::CloudFormation::Stack":
            outputs = Stack(self._client, physical)._stack.get("Outputs", ())
            return {f"Outputs.{o['OutputKey']}": o["OutputValue"] for o in outputs}.get(wanted)
        if how := _ASKED.get(f"{kind}.{wanted}"):
            return self._asked(how, physical)
        if wanted == "QueueUrl":
            return physical
        arn = physical
        if not physical.startswith("arn:"):
            if kind not in _ARNS:
                return None
            place = f"{self.parameters['AWS::Region']}:{self.parameters['AWS::AccountId']}"
            name = physical.rpartition("/")[2] if kind == "AWS::SQS::Queue" else physical
            partition = self.parameters["AWS::Partition"]
            arn = f"arn:{partition}:{_ARNS[kind].format(place=place, id=name)}"
        return attribute(Arn.parse(arn), wanted)

    def _asked(self, how: str, name: str) -> str | None:
        service, operation, parameter, *where = how.split()
        answer = getattr(self._client(service), operation)(**{parameter: name})
        for member in where:
            answer = answer.get(member, {})
        return answer or None

    @cached_property
    def _resources(self) -> Mapping[str, Any]:
        lister = self._client("cloudformation").get_paginator("list_stack_resources")
        answers = lister.paginate(StackName=self._stack["StackName"])
        return {
            r["LogicalResourceId"]: r for page in answers for r in page["StackResourceSummaries"]
        }

    @cached_property
    def _exports(self) -> Mapping[str, str]:
        answers = self._client("cloudformation").get_paginator("list_exports").paginate()
        return {e["Name"]: e["Value"] for page in answers for e in page["Exports"]}
