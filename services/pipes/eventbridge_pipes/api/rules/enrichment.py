"""Rules about the enrichment and its parameters."""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.api.rules.templates import template_violations
from eventbridge_pipes.api.rules.wording import (
    Members,
    arn_of,
    not_carried_out,
    other_region,
    refusal,
)
from eventbridge_pipes.targets.kinds import TargetKind

_OTHERS = {"events": "API destination", "execute-api": "API Gateway API"}
_CARRIED_OUT = ("a Lambda function", "a Step Functions Express state machine")


def enrichment_violations(definition: Members, region: str) -> Iterator[Violation]:
    """An empty enrichment is none. That a state machine is Express is known only by asking."""
    text = definition.get("Enrichment")
    arn = arn_of(text) if text else None
    if arn and TargetKind.of(arn) in (TargetKind.LAMBDA, TargetKind.STATE_MACHINE):
        yield from other_region("enrichment", arn, region)
    elif text:
        yield not_carried_out("enrichment", text, _OTHERS, _CARRIED_OUT)
    parameters = definition.get("EnrichmentParameters", {})
    if parameters.get("HttpParameters"):
        message = refusal("HttpParameters, which go with HTTP enrichments,", "none")
        yield Violation("enrichmentParameters.httpParameters", message)
    yield from template_violations("enrichmentParameters", parameters)
