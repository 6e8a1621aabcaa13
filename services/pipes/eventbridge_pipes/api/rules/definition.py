"""Whether a definition is a whole pipe that can be run."""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import ValidationError, Violation
from eventbridge_pipes.api.rules.batches import batch_violations
from eventbridge_pipes.api.rules.enrichment import enrichment_violations
from eventbridge_pipes.api.rules.logging import logging_violations
from eventbridge_pipes.api.rules.source import source_violations
from eventbridge_pipes.api.rules.target import target_violations
from eventbridge_pipes.api.rules.wording import Members, refusal


def check(definition: Members, region: str) -> None:
    """Raises ValidationError that lists everything that `definition` breaks in `region`."""
    violations = list(violations_of(definition, region))
    if violations:
        raise ValidationError("; ".join(v.message for v in violations), violations)


def violations_of(definition: Members, region: str) -> Iterator[Violation]:
    yield from source_violations(definition, region)
    yield from enrichment_violations(definition, region)
    yield from target_violations(definition, region)
    yield from batch_violations(definition)
    yield from logging_violations(definition.get("LogConfiguration", {}), region)
    if definition.get("KmsKeyIdentifier"):
        yield Violation("kmsKeyIdentifier", refusal("KmsKeyIdentifier", "none"))
