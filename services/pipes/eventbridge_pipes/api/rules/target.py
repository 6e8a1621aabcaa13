"""Rules about the target, and which parameters go with it."""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.api.protocol import field_name
from eventbridge_pipes.api.rules.target_parameters import parameter_violations
from eventbridge_pipes.api.rules.templates import template_violations
from eventbridge_pipes.api.rules.wording import (
    Members,
    arn_of,
    is_fifo,
    not_carried_out,
    other_region,
)
from eventbridge_pipes.arn import Arn
from eventbridge_pipes.targets.kinds import TargetKind

_OTHERS = {
    "batch": "Batch job queue",
    "ecs": "ECS cluster",
    "events": "API destination",
    "execute-api": "API Gateway API",
    "firehose": "Firehose stream",
    "inspector": "Inspector assessment template",
    "redshift": "Redshift cluster",
    "redshift-serverless": "Redshift workgroup",
    "sagemaker": "SageMaker pipeline",
    "timestream": "Timestream table",
}


def target_violations(definition: Members, region: str) -> Iterator[Violation]:
    text = definition["Target"]
    arn = arn_of(text)
    kind = TargetKind.of(arn) if arn else None
    if arn is None or kind is None:
        yield not_carried_out("target", text, _OTHERS, [kind.label for kind in TargetKind])
        return
    yield from other_region("target", arn, region)
    yield from _where_it_is(arn, kind, definition["RoleArn"])
    parameters = definition.get("TargetParameters", {})
    yield from _of_other_targets(parameters, kind)
    yield from template_violations("targetParameters", parameters)
    yield from parameter_violations(arn, kind, parameters)


def _where_it_is(arn: Arn, kind: TargetKind, role: str) -> Iterator[Violation]:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html"""
    if kind is TargetKind.SNS and is_fifo(arn):
        message = f"The topic {arn.text} is FIFO; only standard topics are supported as targets"
        yield Violation("target", message)
    role_arn = arn_of(role)
    if kind is TargetKind.EVENT_BUS and role_arn and arn.account != role_arn.account:
        message = f"The event bus {arn.text} must be in the account of the pipe, which is that of"
        yield Violation("target", f"{message} its role: {role_arn.account}")


def _of_other_targets(parameters: Members, kind: TargetKind) -> Iterator[Violation]:
    """The first sentence is AWS's: hashicorp/terraform-provider-aws, issue 37150."""
    for name in parameters:
        if name not in (kind.parameters, "InputTemplate"):
            yield Violation(
                field_name("targetParameters", name),
                f"Invalid target parameter provided for target. {name} does not belong to "
                f"{kind.label}",
            )
