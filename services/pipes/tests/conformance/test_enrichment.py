"""Section "Input templates and enrichment" of the semantics: what an enrichment answers with.

Every pipe reads a batch of two records from a Kinesis stream. Beside MiniStack, with its Lambda
functions and Express state machines.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from pipes_conformance import Queue, Stream, handled, make_machine, pipes_of
from pipes_functions import Answer, Event, Functions
from pipes_service import PipesProcess
from servers import AwsClient
from waiting import eventually

ANSWERS: dict[str, tuple[Any, list[Any]]] = {
    "an empty string": ("", []),
    "an empty object": ({}, []),
    "an empty array": ([], []),
    "null": (None, []),
    "an empty object in an array": ([{}], [{}]),
    "an empty string in an array": ([""], [""]),
    "null in an array": ([None], [None]),
    "an object": ({"a": [1, {"b": "c"}]}, [{"a": [1, {"b": "c"}]}]),
    "a string": ("text", ["text"]),
    "zero": (0, [0]),
    "false": (False, [False]),
    "an array in an array": ([[1, 2]], [[1, 2]]),
    "fewer events than records": ([{"n": 1}], [{"n": 1}]),
    "more events than records": ([{"n": n} for n in range(5)], [{"n": n} for n in range(5)]),
    "events of all kinds": ([1.5, "two", [3], {"4": None}], [1.5, "two", [3], {"4": None}]),
}
"""What the enrichment answers with, and the events that the target gets."""


@pytest.fixture
def source(aws: AwsClient, name: str) -> Stream:
    """Two records, each with its number."""
    made = Stream(aws, name)
    made.put_json({"n": 0}, {"n": 1})
    return made


@pytest.fixture
def sink(aws: AwsClient, name: str) -> Stream:
    return Stream(aws, f"{name}-sink")


def enriched(source: Stream, sink: Stream, enrichment: str, **members: Any) -> dict[str, Any]:
    """A pipe from the source to the sink; `members` take the place of those of CreatePipe."""
    definition = {"Name": source.name, "Source": source.arn, "Enrichment": enrichment}
    return {**definition, **sink.signed("k"), **members}


def numbers(event: Event) -> list[int]:
    """Those of the records in an event."""
    return [json.loads(base64.b64decode(record["data"]))["n"] for record in event]


# What it answers


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_the_target_gets_what_a_function_answers(
    pipes: PipesProcess,
    enrichments: Functions,
    source: Stream,
    sink: Stream,
    answer: Any,
    expected: list[Any],
) -> None:
    with (
        enrichments.of(source.name, lambda event: answer) as function,
        pipes_of(pipes, [enriched(source, sink, function.arn)]),
    ):
        counted = handled(pipes, {source.name: 2})[source.name]
    assert (counted["delivered"], counted["failed"]) == (2, 0)
    assert [numbers(event) for event in function.invocations] == [[0, 1]]
    assert sink.jsons("k") == expected


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_the_target_gets_what_a_state_machine_answers(
    aws: AwsClient,
    pipes: PipesProcess,
    source: Stream,
    sink: Stream,
    answer: Any,
    expected: list[Any],
) -> None:
    machine = make_machine(aws, source.name, Type="Pass", Result=answer, End=True)
    with pipes_of(pipes, [enriched(source, sink, machine)]):
        counted = handled(pipes, {source.name: 2})[source.name]
    assert (counted["delivered"], counted["failed"]) == (2, 0)
    assert sink.jsons("k") == expected


def test_a_state_machine_gets_the_array_of_records(
    aws: AwsClient, pipes: PipesProcess, source: Stream, sink: Stream
) -> None:
    machine = make_machine(aws, source.name, Type="Pass", End=True)
    with pipes_of(pipes, [enriched(source, sink, machine)]):
        handled(pipes, {source.name: 2})
    assert numbers(sink.jsons("k")) == [0, 1]
    assert all(record["eventSourceARN"] == source.arn for record in sink.jsons("k"))


# How it fails


def raises(event: Event) -> Any:
    raise ValueError("no")


FAILURES: dict[str, Answer] = {
    "an error": raises,
    "more than 6 MB": lambda event: ["x" * 6 * 1024 * 1024],
    "more events than the target takes": lambda event: [{}] * 501,
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
def test_a_failed_enrichment_is_invoked_again_and_the_target_is_not(
    aws: AwsClient,
    pipes: PipesProcess,
    enrichments: Functions,
    source: Stream,
    sink: Stream,
    answer: Answer,
) -> None:
    letters = Queue(aws, f"{source.name}-letters")
    parameters = {"MaximumRetryAttempts": 1, "DeadLetterConfig": {"Arn": letters.arn}}
    with enrichments.of(source.name, answer) as function:
        definition = enriched(
            source,
            sink,
            function.arn,
            SourceParameters={"KinesisStreamParameters": parameters},
        )
        with pipes_of(pipes, [definition]):
            (letter,) = letters.bodies(1)
            counted = handled(pipes, {source.name: 2})[source.name]
    assert [numbers(event) for event in function.invocations] == [[0, 1], [0, 1]]
    assert json.loads(letter)["KinesisBatchInfo"]["batchSize"] == 2
    assert json.loads(letter)["context"]["condition"] == "RetryAttemptsExhausted"
    assert (counted["failed"], counted["dead_lettered"]) == (4, 2)
    assert sink.records() == []


def test_a_state_machine_that_fails_fails_the_batch(
    aws: AwsClient, pipes: PipesProcess, source: Stream, sink: Stream
) -> None:
    machine = make_machine(aws, source.name, Type="Fail", Error="No", Cause="none")
    parameters = {"KinesisStreamParameters": {"MaximumRetryAttempts": 2}}
    definition = enriched(source, sink, machine, SourceParameters=parameters)
    with pipes_of(pipes, [definition]):
        counted = handled(pipes, {source.name: 2})[source.name]
    assert (counted["failed"], counted["dropped"]) == (6, 2)
    assert sink.records() == []


def test_an_enrichment_that_fails_at_first_is_asked_until_it_answers(
    pipes: PipesProcess, enrichments: Functions, source: Stream, sink: Stream
) -> None:
    answers = iter([None, None, [{"at": "last"}]])

    def fails_twice(event: Event) -> Any:
        return next(answers) or raises(event)

    with (
        enrichments.of(source.name, fails_twice) as enrichment,
        pipes_of(pipes, [enriched(source, sink, enrichment.arn)]),
    ):
        assert eventually(lambda: sink.jsons("k")) == [{"at": "last"}]
    assert [numbers(event) for event in enrichment.invocations] == [[0, 1]] * 3


# The target's turn


def passed_on(event: Event) -> Any:
    return [{**record, "enriched": True} for record in event]


def test_when_the_target_fails_its_records_are_enriched_again(
    pipes: PipesProcess, enrichments: Functions, functions: Functions, source: Stream
) -> None:
    source.put_json({"n": 2})

    def second_one_at_first(event: Event) -> Any:
        failed = [event[1]["eventID"]] if len(event) == 3 else []
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    with (
        enrichments.of(source.name, passed_on) as enrichment,
        functions.of(source.name, second_one_at_first) as target,
    ):
        definition = enriched(source, source, enrichment.arn, TargetParameters={})
        with pipes_of(pipes, [{**definition, "Target": target.arn}]):
            target.invoked(2)
            handled(pipes, {source.name: 3})
    assert [numbers(event) for event in enrichment.invocations] == [[0, 1, 2], [1]]
    assert [numbers(event) for event in target.invocations] == [[0, 1, 2], [1]]
    assert all(record["enriched"] for event in target.invocations for record in event)


def test_what_the_target_raises_has_all_records_enriched_again(
    pipes: PipesProcess, enrichments: Functions, functions: Functions, source: Stream
) -> None:
    def raises_at_first(event: Event) -> Any:
        if len(target.invocations) == 1:
            raise ValueError("not yet")

    with (
        enrichments.of(source.name, passed_on) as enrichment,
        functions.of(source.name, raises_at_first) as target,
    ):
        definition = enriched(source, source, enrichment.arn, TargetParameters={})
        with pipes_of(pipes, [{**definition, "Target": target.arn}]):
            handled(pipes, {source.name: 2})
    assert [numbers(event) for event in enrichment.invocations] == [[0, 1], [0, 1]]
    assert [numbers(event) for event in target.invocations] == [[0, 1], [0, 1]]


# Templates and parameters


def test_each_stage_has_a_template_of_its_own_applied_event_by_event(
    pipes: PipesProcess, enrichments: Functions, source: Stream, sink: Stream
) -> None:
    """The target's sees what the enrichment answered, and nothing of the record."""
    before = '{"eventSourceARN": <aws.pipes.source-arn>, "number": <$.data.n>}'
    after = '{"by": <aws.pipes.enrichment-arn>, "was": <$.number>, "record": <$.data.n>}'
    with enrichments.of(source.name, lambda event: [*event, {"number": 7}]) as function:
        target = sink.signed("k")
        target["TargetParameters"]["InputTemplate"] = after
        definition = enriched(source, sink, function.arn, **target)
        definition["EnrichmentParameters"] = {"InputTemplate": before}
        with pipes_of(pipes, [definition]):
            handled(pipes, {source.name: 2})
    assert function.invocations == [
        [{"eventSourceARN": source.arn, "number": number} for number in (0, 1)]
    ]
    assert sink.jsons("k") == [
        {"by": function.arn, "was": number, "record": ""} for number in (0, 1, 7)
    ]


def test_paths_in_the_targets_parameters_look_into_what_the_enrichment_answered(
    pipes: PipesProcess, enrichments: Functions, source: Stream, sink: Stream
) -> None:
    """Into each of its events before the target's template makes something else of it."""
    events = [{"customer": {"id": "a"}}, {"customer": {"id": 7}}, {"customer": {"id": "c"}}]
    target = sink.signed("$.customer.id")
    target["TargetParameters"]["InputTemplate"] = '{"n": 1}'
    with (
        enrichments.of(source.name, lambda event: events) as function,
        pipes_of(pipes, [enriched(source, sink, function.arn, **target)]),
    ):
        handled(pipes, {source.name: 2})
    put = [(record["PartitionKey"], json.loads(record["Data"])) for record in sink.records()]
    assert put == [("a", {"n": 1}), ("7", {"n": 1}), ("c", {"n": 1})]


def test_the_enrichment_gets_only_what_the_filter_lets_through(
    pipes: PipesProcess, enrichments: Functions, source: Stream, sink: Stream
) -> None:
    criteria = {"Filters": [{"Pattern": '{"data": {"n": [1]}}'}]}
    with enrichments.of(source.name, passed_on) as function:
        definition = enriched(source, sink, function.arn)
        definition["SourceParameters"] = {"FilterCriteria": criteria}
        with pipes_of(pipes, [definition]):
            handled(pipes, {source.name: 2})
    assert [numbers(event) for event in function.invocations] == [[1]]
    assert numbers(sink.jsons("k")) == [1]
