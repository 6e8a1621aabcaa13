"""The services that records come from.

To add one, write a module that defines its KIND, and list it here.
"""

from __future__ import annotations

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.sources import dynamodb, kinesis, sqs
from eventbridge_pipes.sources.source import SourceKind

SOURCES: tuple[SourceKind, ...] = (kinesis.KIND, dynamodb.KIND, sqs.KIND)


def source_kind_of(arn: Arn) -> SourceKind | None:
    """Return the kind of a source; None when it is not supported."""
    return next((kind for kind in SOURCES if arn.matches(kind.service, kind.resource)), None)


def source_kind(pipe: Pipe) -> SourceKind:
    kind = source_kind_of(Arn.parse(pipe.source))
    assert kind, f"{pipe.source} was never accepted"  # noqa: S101
    return kind
