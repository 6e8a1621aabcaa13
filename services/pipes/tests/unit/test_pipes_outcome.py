from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.outcome import SUCCEEDED, Outcome, of_answer
from pipes_samples import records

BATCH = records(4)


def answer(*identifiers: Any) -> bytes:
    items = [{"itemIdentifier": identifier} for identifier in identifiers]
    return json.dumps({"batchItemFailures": items}).encode()


@pytest.mark.parametrize(
    "returned",
    [
        b"",
        b"null",
        b"{}",
        b'""',
        b'"done"',
        b"[]",
        b"42",
        b'{"statusCode": 200}',
        b'{"batchItemFailures": []}',
        b'{"batchItemFailures": null}',
    ],
)
def test_an_answer_that_names_no_failure_is_success(returned: bytes) -> None:
    assert of_answer(returned, BATCH) == SUCCEEDED


def test_the_records_that_are_named_by_event_id_failed() -> None:
    outcome = of_answer(answer(BATCH[1].event_id, BATCH[3].event_id), BATCH)
    assert isinstance(outcome, Outcome)
    assert outcome.failed
    assert not outcome.service_error
    assert outcome.failed == {1, 3}


def test_a_bare_sequence_number_names_a_record_too() -> None:
    outcome = of_answer(answer(BATCH[2].sequence_number), BATCH)
    assert isinstance(outcome, Outcome)
    assert outcome.failed
    assert not outcome.service_error
    assert outcome.failed == {2}


@pytest.mark.parametrize(
    "returned",
    [
        b"not json",
        answer(""),
        answer(None),
        answer(BATCH[0].event_id, None),
        answer("shardId-000000000000:999"),
        answer(BATCH[0].event_id, "unknown"),
        answer(7),
        b'{"batchItemFailures": [{"identifier": "x"}]}',
        b'{"batchItemFailures": ["x"]}',
        b'{"batchItemFailures": {"itemIdentifier": "x"}}',
        b'{"batchItemFailures": "x"}',
        b'{"batchItemFailures": 0}',
    ],
)
def test_an_answer_that_is_not_well_formed_fails_every_record(returned: bytes) -> None:
    outcome = of_answer(returned, BATCH)
    assert isinstance(outcome, Outcome)
    assert outcome.failed
    assert not outcome.service_error
    assert outcome.failed == {0, 1, 2, 3}


def test_an_identifier_from_outside_is_shortened_and_escaped_in_the_reason() -> None:
    outcome = of_answer(answer("\x1b[31m" + "x" * 5000), BATCH)
    assert isinstance(outcome, Outcome)
    assert outcome.failed
    assert not outcome.service_error
    assert "\x1b" not in outcome.reason
    assert len(outcome.reason) < 200


@given(st.sets(st.integers(0, 3), min_size=1), st.booleans())
def test_exactly_the_named_records_failed(failed: set[int], bare: bool) -> None:
    names = [BATCH[i].sequence_number if bare else BATCH[i].event_id for i in failed]
    outcome = of_answer(answer(*names), BATCH)
    assert isinstance(outcome, Outcome)
    assert outcome.failed
    assert not outcome.service_error
    assert outcome.failed == failed


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_any_list_has_an_outcome(value: Any) -> None:
    outcome = of_answer(json.dumps({"batchItemFailures": value}).encode(), BATCH)
    assert (not outcome.failed) == (value is None or value == [])


@given(st.binary())
def test_any_answer_has_an_outcome(returned: bytes) -> None:
    assert of_answer(returned, BATCH)
