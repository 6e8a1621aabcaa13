"""Rules about the enrichment and its parameters."""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.api.rules.templates import template_violations
from eventbridge_pipes.api.rules.wording import Members, arn_of, other_region, refusal
from eventbridge_pipes.targets.kinds import TargetKind

_NOT_CARRIED_OUT = {"events": "API destination", "execute-api": "API Gateway API"}
_INSTEAD = "the ARN of a Lambda function or of a Step Functions Express state machine"


def enrichment_violations(definition: Members, region: str) -> Iterator[Violation]:
    """An empty enrichment is none. That a state machine is Express is known only by asking."""
    text = definition.get("Enrichment")
    arn = arn_of(text) if text else None
    if arn and TargetKind.of(arn) in (TargetKind.LAMBDA, TargetKind.STATE_MACHINE):
        yield from other_region("enrichment", arn, region)
    elif text:
        name = _NOT_CARRIED_OUT.get(arn.service, "resource") if arn else "resource"
        yield Violation("enrichment", refusal(f"The {name} {text} as enrichment", _INSTEAD))
    parameters = definition.get("EnrichmentParameters", {})
    if parameters.get("HttpParameters"):
        message = refusal("HttpParameters, which go with HTTP enrichments,", "none")
        yield Violation("enrichmentParameters.httpParameters", message)
    yield from template_violations("enrichmentParameters", parameters)
