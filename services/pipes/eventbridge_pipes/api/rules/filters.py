"""Rules about the patterns that choose which records a pipe passes on."""

from __future__ import annotations

from collections.abc import Iterator

from eventbridge_pipes.api.errors import Violation
from eventbridge_pipes.api.rules.wording import Members
from eventbridge_pipes.pattern import Pattern, PatternError
from eventbridge_pipes.sources.kinds import SourceKind


def filter_violations(criteria: Members, kind: SourceKind) -> Iterator[Violation]:
    for number, given in enumerate(criteria.get("Filters", ()), start=1):
        where = f"sourceParameters.filterCriteria.filters.{number}.member.pattern"
        if "Pattern" not in given:
            # The model allows it, and no page says what it would match.
            yield Violation(where, f"Filter {number} has no Pattern")
            continue
        try:
            Pattern.parse(given["Pattern"], kind)
        except PatternError as error:
            yield Violation(where, f"The pattern of filter {number} is not valid: {error}")
