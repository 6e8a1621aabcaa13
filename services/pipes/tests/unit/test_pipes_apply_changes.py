from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.api.operations import PipesService
from eventbridge_pipes.apply import changes
from eventbridge_pipes.apply.changes import Change, PipeFailedError, carry_out, change, described
from eventbridge_pipes.apply.definition import STACK_TAG, create_request
from eventbridge_pipes.lifecycle import Lifecycle
from eventbridge_pipes.pipe import State
from eventbridge_pipes.store import Store
from pipes_api import AtOnce
from pipes_requests import (
    BUS,
    FIFO_QUEUE,
    FUNCTION,
    QUEUE,
    ROLE,
    SCOPE,
    STATE_MACHINE,
    STREAM,
    TABLE_STREAM,
    TOPIC,
    definition,
    to_log_group,
)

# From properties to a request

P = SCOPE.pipe_arn("p")
PIPE = {"Source": QUEUE, "Target": FUNCTION, "RoleArn": ROLE}


def test_texts_get_the_types_of_the_api_and_members_its_spelling() -> None:
    network = {"AwsvpcConfiguration": {"Subnets": ["a"], "AssignPublicIp": "ENABLED"}}
    task = {"TaskDefinitionArn": "t", "TaskCount": "2", "EnableExecuteCommand": "True"}
    parameters = {"EcsTaskParameters": task | {"NetworkConfiguration": network}}
    request, problems = create_request("P", PIPE | {"TargetParameters": parameters}, None)
    assert problems == []
    assert request["TargetParameters"]["EcsTaskParameters"] == {
        "TaskDefinitionArn": "t",
        "TaskCount": 2,
        "EnableExecuteCommand": True,
        "NetworkConfiguration": {"awsvpcConfiguration": network["AwsvpcConfiguration"]},
    }


def test_all_that_is_wrong_with_the_properties_is_named_with_its_path() -> None:
    stream = {"BatchSize": "ten", "StartingPositionTimestamp": "soon", "batchSize": "1"}
    _, problems = create_request(
        "P",
        {
            "Source": ["a"],
            "Target": FUNCTION,
            "Tags": [{"Key": "a", "Value": "b"}],
            "DesiredState": "STARTED",
            "SourceParameters": {
                "KinesisStreamParameters": stream,
                "FilterCriteria": {"Filters": {}},
            },
            "Description": {},
        },
        "shop",
    )
    source = "Resources.P.Properties.SourceParameters"
    assert sorted(problems) == sorted(
        [
            "Resources.P.Properties.RoleArn: is missing",
            "Resources.P.Properties.Source: a list is not a value of the type string",
            "Resources.P.Properties.Tags: a list is not a value of the type map",
            f"{source}.KinesisStreamParameters.StartingPosition: is missing",
            f"{source}.KinesisStreamParameters.BatchSize: ten is not a value of the type integer",
            f"{source}.KinesisStreamParameters.StartingPositionTimestamp: soon is not a value of "
            "the type timestamp",
            f"{source}.KinesisStreamParameters.batchSize: a pipe has no such property",
            f"{source}.FilterCriteria.Filters: a map is not a value of the type list",
            "Resources.P.Properties.DesiredState: STARTED is not one of RUNNING, STOPPED",
            "Resources.P.Properties.Description: a map is not a value of the type string",
        ]
    )


@pytest.mark.parametrize("properties", ["text", ["list"], {}])
def test_properties_that_are_none_are_a_problem(properties: Any) -> None:
    assert create_request("P", properties, "shop")[1]


def test_what_could_not_be_resolved_is_no_further_problem() -> None:
    assert create_request("P", PIPE | {"Tags": None, "Target": None}, "shop")[1] == []


def test_a_pipe_without_a_name_has_the_same_each_time_within_the_limit() -> None:
    def name(logical_id: str, stack: str | None) -> str:
        made: str = create_request(logical_id, PIPE, stack)[0]["Name"]
        return made

    assert name("Pipe", "shop") == "shop-Pipe"
    assert name("Pipe", None) == "Pipe"
    long = {name(f"{'x' * 100}{number}", "shop") for number in range(3)}
    assert [len(each) for each in sorted(long)] == [64, 64, 64]
    assert long == {name(f"{'x' * 100}{number}", "shop") for number in range(3)}


# From a request and what there is to a change


class Client:
    """boto3's client, as far as pipes are changed by it, of a service in this process."""

    def __init__(self) -> None:
        self.store = Store(None)
        lifecycle = cast(Lifecycle, AtOnce(self.store))
        self._service = PipesService(self.store, lifecycle, SCOPE)

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._service, name)
        # JSON, as over the wire: what is not sent is not shared either.
        return lambda **members: _present(json.loads(json.dumps(operation(members))))

    class exceptions:  # noqa: N801
        class NotFoundException(Exception):  # noqa: N818
            pass


def _present(value: Any) -> Any:
    """Without nulls, which boto3 leaves out."""
    if isinstance(value, dict):
        return {k: _present(v) for k, v in value.items() if v is not None}
    return value


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.store.close()


def optional(**members: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Each member with one of its values, or without."""
    values = {name: st.sampled_from(values) for name, values in members.items()}
    return st.fixed_dictionaries({}, optional=values)


FILTER = {"Filters": [{"Pattern": '{"a": ["b"]}'}]}
BATCHES = {"BatchSize": [5, 10], "MaximumBatchingWindowInSeconds": [0, 1]}
RETRIES = {"MaximumRetryAttempts": [-1, 0, 3], "DeadLetterConfig": [{"Arn": QUEUE}]}
SOURCES = {
    QUEUE: optional(
        SqsQueueParameters=[{}, {"BatchSize": 3}, {"MaximumBatchingWindowInSeconds": 1}],
        FilterCriteria=[FILTER],
    ),
    **{
        source: st.builds(
            lambda stream, rest, name=name: {
                name: {"StartingPosition": "LATEST", **stream},
                **rest,
            },
            optional(**BATCHES, **RETRIES, ParallelizationFactor=[1, 2]),
            optional(FilterCriteria=[FILTER]),
        )
        for source, name in (
            (STREAM, "KinesisStreamParameters"),
            (TABLE_STREAM, "DynamoDBStreamParameters"),
        )
    },
}
TARGETS = st.sampled_from(
    [
        (FUNCTION, {}),
        (FUNCTION, {"LambdaFunctionParameters": {"InvocationType": "REQUEST_RESPONSE"}}),
        (FUNCTION, {"LambdaFunctionParameters": {"InvocationType": "FIRE_AND_FORGET"}}),
        (
            STATE_MACHINE,
            {"StepFunctionStateMachineParameters": {"InvocationType": "FIRE_AND_FORGET"}},
        ),
        (QUEUE, {"InputTemplate": "a"}),
        (FIFO_QUEUE, {"SqsQueueParameters": {"MessageGroupId": "a"}, "InputTemplate": "b"}),
        (TOPIC, {"InputTemplate": "c"}),
        (BUS, {"EventBridgeEventBusParameters": {"Source": "a"}}),
    ]
)
SETTINGS = optional(
    Description=["a", "b"],
    Enrichment=[FUNCTION],
    LogConfiguration=[{"Level": "OFF"}, {"Level": "INFO", **to_log_group()}],
    Tags=[{"a": "1"}, {"a": "2"}],
    DesiredState=["RUNNING", "STOPPED"],
)


@st.composite
def two_definitions(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of one pipe: what a template said and what it says now."""
    source = draw(st.sampled_from([*SOURCES]))

    def one() -> dict[str, Any]:
        target, parameters = draw(TARGETS)
        made = definition(source, target, TargetParameters=parameters, **draw(SETTINGS))
        return made | {"SourceParameters": draw(SOURCES[source])}

    return one(), one()


def apply(client: Any, wanted: dict[str, Any]) -> str:
    made = change(wanted, described(client, "p") if client.store.pipe(P) else None)
    carry_out(client, made)
    return made.done


@given(two_definitions())
def test_an_update_makes_of_a_pipe_what_its_creation_would_have_made(
    pair: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    before, after = pair
    updated, created = Client(), Client()
    try:
        assert apply(updated, before) == "created"
        assert apply(updated, before) == "unchanged"
        apply(updated, after)
        assert apply(updated, after) == "unchanged"
        apply(created, after)
        found, wanted = (dict(described(each, "p") or {}) for each in (updated, created))
        # A state that the template does not tell stays, and so do tags.
        ignored = {"CreationTime", "LastModifiedTime", "CurrentState", "StateReason"}
        ignored |= {"DesiredState", "Tags"}
        assert shown(found, ignored) == shown(wanted, ignored)
        assert found["Tags"].items() >= after.get("Tags", {}).items()
        assert found["DesiredState"] == after.get(
            "DesiredState", before.get("DesiredState", "RUNNING")
        )
    finally:
        updated.store.close()
        created.store.close()


DEFAULTS = [
    ("InvocationType", "REQUEST_RESPONSE"),
    ("Level", "OFF"),
    ("MaximumBatchingWindowInSeconds", 0),
    ("MaximumRetryAttempts", -1),
    ("ParallelizationFactor", 1),
]


def shown(value: Any, ignored: Collection[str] = ()) -> Any:
    """Without what is empty or a default: whether that is said or not makes no difference."""
    if not isinstance(value, dict):
        return value
    members = {k: shown(v) for k, v in value.items() if k not in ignored and (k, v) not in DEFAULTS}
    return {k: v for k, v in members.items() if v not in ({}, "")}


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        (definition(QUEUE), "Source: give"),
        (
            definition(
                SourceParameters={"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"}}
            ),
            "SourceParameters.KinesisStreamParameters.StartingPosition: give",
        ),
    ],
)
def test_what_no_update_can_change_is_refused_with_what_to_do(
    client: Client, wanted: dict[str, Any], named: str
) -> None:
    apply(client, definition())
    with pytest.raises(PipeFailedError, match=rf"no update can change {named}.*or delete it"):
        change(wanted, described(client, "p"))


def test_a_pipe_of_another_stack_is_refused_and_one_of_no_stack_is_taken_over(
    client: Client,
) -> None:
    apply(client, definition())
    assert apply(client, definition(Tags={STACK_TAG: "shop"})) == "updated"
    assert apply(client, definition(Tags={STACK_TAG: "shop"})) == "unchanged"
    with pytest.raises(PipeFailedError, match="it belongs to the stack shop: choose another Name"):
        change(definition(Tags={STACK_TAG: "other"}), described(client, "p"))


def test_a_pipe_that_failed_is_updated_though_nothing_changed(client: Client) -> None:
    apply(client, definition())
    client.store.change(P, current=State.CREATE_FAILED)
    assert apply(client, definition()) == "updated"


def test_a_pipe_that_fails_is_an_error_with_its_reason(client: Client) -> None:
    apply(client, definition())
    client.store.change(P, current=State.UPDATE_FAILED, reason="The function does not exist.")
    with pytest.raises(PipeFailedError, match="UPDATE_FAILED: The function does not exist"):
        carry_out(client, Change("p", "updated", [("describe_pipe", {"Name": "p"})]))


def test_a_pipe_that_never_settles_is_an_error_at_the_deadline(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(client, definition())
    client.store.change(P, current=State.UPDATING)
    monkeypatch.setattr(changes, "SETTLE_SECONDS", 0)
    with pytest.raises(PipeFailedError, match="it is still UPDATING"):
        described(client, "p")
