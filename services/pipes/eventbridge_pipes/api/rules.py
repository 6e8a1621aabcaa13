"""The rules that no single member shows, and what this service does not support.

Whatever is not supported is refused by name: a pipe that was accepted does what it says. A
definition has the members of CreatePipe; on an update, those of the pipe as it would be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from eventbridge_pipes.api.model import Members, ValidationError, Violation, field_name
from eventbridge_pipes.arn import Arn, Scope
from eventbridge_pipes.pattern import Filter, PatternError
from eventbridge_pipes.sources import SOURCES, source_kind_of
from eventbridge_pipes.sources.source import SourceKind
from eventbridge_pipes.targets import TARGETS, target_kind_of
from eventbridge_pipes.targets.target import TargetKind, not_supported, other_account
from eventbridge_pipes.template import Template, TemplateError

Violations = Iterator[Violation]

CROSS_REGION = "Creating cross-region pipe is not permitted."
CLOUDWATCH = "CloudwatchLogsLogDestination"

# What is not supported, by the service in its ARN. "" is for what has no ARN.
_OTHER_SOURCES = {
    "": "self-managed Kafka cluster",
    "dynamodb": "DynamoDB table",
    "kafka": "MSK cluster",
    "kinesis": "Kinesis stream consumer",
    "mq": "Amazon MQ broker",
}
_OTHER_ENRICHMENTS = {"events": "API destination", "execute-api": "API Gateway API"}
_OTHER_TARGETS = {
    **_OTHER_ENRICHMENTS,
    "batch": "Batch job queue",
    "ecs": "ECS cluster",
    "firehose": "Firehose stream",
    "inspector": "Inspector assessment template",
    "redshift": "Redshift cluster",
    "redshift-serverless": "Redshift workgroup",
    "sagemaker": "SageMaker pipeline",
    "timestream": "Timestream table",
}


def check(definition: Members, scope: Scope) -> None:
    """Raises ValidationError that lists everything that `definition` breaks in `scope`."""
    if violations := list(violations_of(definition, scope)):
        raise ValidationError(violations)


def violations_of(definition: Members, scope: Scope) -> Violations:
    region = scope.region
    yield from _source(definition, region)
    yield from _enrichment(definition, region)
    yield from _target(definition, scope)
    yield from _logging(definition.get("LogConfiguration", {}), scope)
    yield from tag_violations(definition.get("Tags", {}))
    if definition.get("KmsKeyIdentifier"):
        yield Violation("kmsKeyIdentifier", not_supported("KmsKeyIdentifier", "none"))


def tag_violations(tags: Members) -> Violations:
    """https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html"""
    for key in tags:
        if key.lower().startswith("aws:"):
            yield Violation("tags", f"The tag key {key} is reserved: none may begin with aws:")


def default_batch_size(source: SourceKind, target: TargetKind) -> int:
    """The size of batches when none is given: the source's default, within the target's limit.

    A stream's default is 100, yet AWS accepts a pipe from a table's stream to a queue that gives
    no size: https://github.com/awsdocs/amazon-eventbridge-user-guide/pull/34 has it as 10 then.
    """
    return min(source.default_batch_size, target.batch_limit or source.default_batch_size)


# Sources


def _source(definition: Members, region: str) -> Violations:
    """Nothing documented forbids a source of another account, so none is refused for that."""
    arn = _arn(definition["Source"])
    kind = source_kind_of(arn)
    if kind is None:
        yield _other_resource("source", arn, _OTHER_SOURCES, [kind.label for kind in SOURCES])
        return
    yield from _other_region("source", arn, region)
    given = definition.get("SourceParameters", {})
    for name in given:
        if name not in (kind.parameters, "FilterCriteria"):
            message = f"{name} does not belong to {kind.label} as source"
            yield Violation(field_name("sourceParameters", name), message)
    yield from _filters(given.get("FilterCriteria", {}), kind)
    where = field_name("sourceParameters", kind.parameters)
    if kind.stream and kind.parameters not in given:
        needed = f"{kind.parameters} with StartingPosition is needed"
        yield Violation(where, f"{needed} for {kind.label} as source")
        return
    parameters = given.get(kind.parameters, {})
    for member, message in kind.violations(arn, parameters):
        yield Violation(field_name(where, member), message)
    if dead_letters := parameters.get("DeadLetterConfig", {}).get("Arn"):
        yield from _dead_letters(f"{where}.deadLetterConfig.arn", dead_letters, region)
    target = target_kind_of(_arn(definition["Target"]))
    size = parameters.get("BatchSize", 1)
    if target and target.batch_limit and size > target.batch_limit:
        yield Violation(
            f"{where}.batchSize",
            f"The configured batch size {size} is greater than the max supported batch size "
            f"{target.batch_limit} for {target.label} as target",
        )


def _filters(criteria: Members, kind: SourceKind) -> Violations:
    def parse(text: str) -> Filter:
        return Filter.parse([text], kind)

    for number, given in enumerate(criteria.get("Filters", ()), start=1):
        where = f"sourceParameters.filterCriteria.filters.{number}.member.pattern"
        if "Pattern" in given:
            yield from _syntax(where, f"The pattern of filter {number}", parse, given["Pattern"])
        else:
            # The model allows it, and no page says what it would match.
            yield Violation(where, f"Filter {number} has no Pattern")


def _dead_letters(where: str, text: str, region: str) -> Violations:
    arn = _arn(text)
    what = f"The dead-letter target {text}"
    if arn.service not in ("sqs", "sns"):
        yield Violation(where, f"{what} must be an SQS queue or an SNS topic")
    elif arn.is_fifo:
        yield Violation(where, f"{what} is FIFO; only standard queues and topics are supported")
    else:
        yield from _other_region(where, arn, region)


# Enrichments


def _enrichment(definition: Members, region: str) -> Violations:
    """An empty enrichment is none. That a state machine is Express is known only by asking."""
    arn = _arn(definition.get("Enrichment") or "")
    kind = target_kind_of(arn)
    if kind and kind.enrichment_label:
        yield from _other_region("enrichment", arn, region)
    elif arn.text:
        labels = [kind.enrichment_label for kind in TARGETS if kind.enrichment_label]
        yield _other_resource("enrichment", arn, _OTHER_ENRICHMENTS, labels)
    parameters = definition.get("EnrichmentParameters", {})
    if parameters.get("HttpParameters"):
        message = not_supported("HttpParameters, which go with HTTP enrichments,", "none")
        yield Violation("enrichmentParameters.httpParameters", message)
    yield from _template("enrichmentParameters", parameters)


# Targets


def _target(definition: Members, scope: Scope) -> Violations:
    """The first sentence about a wrong parameter is AWS's.

    https://github.com/hashicorp/terraform-provider-aws/issues/37150
    """
    arn = _arn(definition["Target"])
    kind = target_kind_of(arn)
    if kind is None:
        yield _other_resource("target", arn, _OTHER_TARGETS, [kind.label for kind in TARGETS])
        return
    yield from _other_region("target", arn, scope.region)
    given = definition.get("TargetParameters", {})
    for name in given:
        if name not in (kind.parameters, "InputTemplate"):
            invalid = "Invalid target parameter provided for target."
            message = f"{invalid} {name} does not belong to {kind.label}"
            yield Violation(field_name("targetParameters", name), message)
    yield from _template("targetParameters", given)
    where = field_name("targetParameters", kind.parameters)
    parameters = given.get(kind.parameters, {})
    for member, message in kind.violations(arn, parameters, scope.account):
        yield Violation(field_name(where, member) if member else "target", message)


# Templates, the execution log


def _template(where: str, parameters: Members) -> Violations:
    """`parameters` of a target or an enrichment; an empty template is none."""
    if text := parameters.get("InputTemplate"):
        yield from _syntax(f"{where}.inputTemplate", "The InputTemplate", Template.parse, text)


def _syntax(where: str, what: str, parse: Callable[[str], object], text: str) -> Violations:
    try:
        parse(text)
    except (PatternError, TemplateError) as error:
        yield Violation(where, f"{what} is not valid: {error}")


def _logging(configuration: Members, scope: Scope) -> Violations:
    for name in ("FirehoseLogDestination", "S3LogDestination"):
        if name in configuration:
            yield Violation(field_name("logConfiguration", name), not_supported(name, CLOUDWATCH))
    if CLOUDWATCH in configuration:
        where = f"{field_name('logConfiguration', CLOUDWATCH)}.logGroupArn"
        group = _arn(configuration[CLOUDWATCH]["LogGroupArn"])
        yield from _other_region(where, group, scope.region)
        if group.account != scope.account:
            message = other_account(f"log group {group.text}", scope.account)
            yield Violation(where, message)
    elif configuration.get("Level", "OFF") != "OFF":
        # Not documented. Without a destination nobody would ever see what is asked for here.
        message = f"A log of level {configuration['Level']} needs a destination: {CLOUDWATCH}"
        yield Violation("logConfiguration", message)


# ARNs


def _arn(text: str) -> Arn:
    """Of what is no ARN, such as the address of a Kafka cluster, all parts are empty."""
    try:
        return Arn.parse(text)
    except ValueError:
        return Arn(text, "", "", "", "", "")


def _other_region(where: str, arn: Arn, region: str) -> Violations:
    if arn.region != region:
        yield Violation(where, CROSS_REGION)


def _other_resource(
    role: str, arn: Arn, names: Mapping[str, str], labels: Iterable[str]
) -> Violation:
    what = f"The {names.get(arn.service, 'resource')} {arn.text} as {role}"
    return Violation(role, not_supported(what, f"the ARN of {', '.join(labels)}"))
