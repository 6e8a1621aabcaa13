"""The enrichment of a pipe, and the events in its answer."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any, NamedTuple

from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.targets import accepted_kind, lambda_function, state_machine
from eventbridge_pipes.targets.target import Invocation, Send

ANSWER_LIMIT = 6 * 1024 * 1024
"""Bytes that an enrichment may answer with."""

_EMPTY: tuple[Any, ...] = (None, "", {}, [])
_DECODER = json.JSONDecoder()
_BETWEEN = re.compile(r"[\s,]*")


class EnrichmentKind(NamedTuple):
    """What a kind of enrichment does not share with the target of the same service."""

    label: str
    invoke: Invocation


ENRICHMENTS = {
    lambda_function.KIND: EnrichmentKind(lambda_function.KIND.label, lambda_function.invoke),
    state_machine.KIND: EnrichmentKind(
        "a Step Functions Express state machine", state_machine.invoke
    ),
}
"""The kinds of targets that can enrich, too."""


class EnrichedError(Exception):
    """The answer of the enrichment cannot be passed on; the text says why."""


def enrichment_of(pipe: Pipe, clients: Clients) -> Send | None:
    """Return the function or the Express state machine that enriches; it is always waited for."""
    if not pipe.enrichment:
        return None
    invoke = ENRICHMENTS[accepted_kind(pipe.enrichment)].invoke
    return partial(invoke, clients, pipe.enrichment, True)


def events_of(answer: bytes) -> list[Record]:
    """The events to send to the target; none when the answer is empty.

    `""`, `{}`, `[]`, null and no answer at all are empty; `[{}]` is one event without content. An
    array is as many events as it has items, anything else is one. Each goes on as it was written:
    numbers keep their digits.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html
    """
    if len(answer) > ANSWER_LIMIT:
        raise EnrichedError(f"the enrichment answered {len(answer)} bytes, over {ANSWER_LIMIT}")
    try:
        text = answer.decode().strip()
        value = json.loads(text, parse_constant=_refuse) if text else None
        if value in _EMPTY:
            return []
        if not isinstance(value, list):
            return [Record(body=text, members=value)]
    except (ValueError, RecursionError) as error:
        raise EnrichedError(f"the enrichment did not answer with JSON: {error}") from error
    return [
        Record(body=item, members=member) for item, member in zip(_items(text), value, strict=True)
    ]


def _items(array: str) -> list[str]:
    """The texts of the items of a JSON array that is known to be valid."""
    items: list[str] = []
    start = 1
    while True:
        start = _BETWEEN.match(array, start).end()  # type: ignore[union-attr]  # it always matches
        if array[start] == "]":
            return items
        _, end = _DECODER.raw_decode(array, start)
        items.append(array[start:end])
        start = end


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
