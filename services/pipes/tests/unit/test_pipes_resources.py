from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from eventbridge_pipes import resources
from eventbridge_pipes.api.operations import new_pipe
from eventbridge_pipes.aws.clients import Clients
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.resources import REASON_LIMIT, ResourceError
from pipes_requests import (
    BUS,
    FUNCTION,
    LOG_GROUP,
    QUEUE,
    SCOPE,
    STATE_MACHINE,
    STREAM,
    TABLE_STREAM,
    TOPIC,
    definition,
    from_stream,
    logged,
    to_log_group,
)

ABSENT = {
    STREAM: "ResourceNotFoundException",
    TABLE_STREAM: "ResourceNotFoundException",
    QUEUE: "AWS.SimpleQueueService.NonExistentQueue",
    TOPIC: "NotFound",
    FUNCTION: "ResourceNotFoundException",
    BUS: "ResourceNotFoundException",
    STATE_MACHINE: "StateMachineDoesNotExist",
}


class Services:
    """Clients of services that have everything, but for what `errors` has an error for, by ARN."""

    def __init__(self) -> None:
        self.errors: dict[str, Exception] = {}
        self.table_stream_status = "ENABLED"
        self.machine_type = "EXPRESS"
        self.groups = ["/g", "/g-2"]
        self.kinesis = SimpleNamespace(
            describe_stream_summary=self.answers(
                "StreamARN", lambda: {"StreamDescriptionSummary": {"StreamCreationTimestamp": 3.5}}
            )
        )
        describe_stream = self.answers("StreamArn", self.table_stream)
        self.dynamodbstreams_calls = SimpleNamespace(
            call=lambda _, arguments: describe_stream(**arguments)
        )
        self.lambda_ = SimpleNamespace(
            get_function_configuration=self.answers("FunctionName", dict)
        )
        self.sns = SimpleNamespace(get_topic_attributes=self.answers("TopicArn", dict))
        self.events = SimpleNamespace(describe_event_bus=self.answers("Name", dict, {"b": BUS}))
        find_queue = self.answers("QueueName", lambda: {"QueueUrl": "u"}, {"q": QUEUE})
        self.sqs_calls = SimpleNamespace(call=lambda _, arguments: find_queue(**arguments))
        self.stepfunctions = SimpleNamespace(
            describe_state_machine=self.answers(
                "stateMachineArn", lambda: {"type": self.machine_type}
            )
        )
        self.logs = SimpleNamespace(get_paginator=self.paginator)

    def answers(
        self, named: str, answer: Callable[[], Any], arns: dict[str, str] | None = None
    ) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            name = parameters[named]
            error = self.errors.get((arns or {}).get(name, name))
            if error:
                raise error
            return answer()

        return call

    def table_stream(self) -> Any:
        status = {"StreamStatus": self.table_stream_status, "CreationRequestDateTime": 4.5}
        return {"StreamDescription": status}

    def paginator(self, _: str) -> Any:
        def pages(logGroupNamePrefix: str) -> Any:  # noqa: N803
            found = [name for name in self.groups if name.startswith(logGroupNamePrefix)]
            return [{"logGroups": []}, {"logGroups": [{"logGroupName": name} for name in found]}]

        return SimpleNamespace(paginate=pages)


def check(services: Services, request: dict[str, Any]) -> float:
    pipe: Pipe = new_pipe(request, SCOPE, now=0.0)
    return resources.check(cast(Clients, services), pipe)


def refusal(services: Services, request: dict[str, Any]) -> ResourceError:
    with pytest.raises(ResourceError) as raised:
        check(services, request)
    return raised.value


def client_error(code: str, message: str = "no", status: int = 400) -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(cast(Any, answer), "AnyOperation")


@pytest.mark.parametrize(("source", "created"), [(STREAM, 3.5), (TABLE_STREAM, 4.5), (QUEUE, 0.0)])
def test_a_source_has_its_time_of_creation(source: str, created: float) -> None:
    assert check(Services(), definition(source)) == created


@pytest.mark.parametrize("source", [STREAM, TABLE_STREAM, QUEUE])
def test_a_source_that_is_not_there_is_named(source: str) -> None:
    services = Services()
    services.errors[source] = client_error(ABSENT[source])
    error = refusal(services, definition(source))
    assert f"source {'queue' if source == QUEUE else 'stream'} {source} does not exist" in str(
        error
    )
    assert not error.passing


@pytest.mark.parametrize("target", [STREAM, QUEUE, TOPIC, FUNCTION, BUS, STATE_MACHINE])
def test_a_target_that_is_not_there_is_named(target: str) -> None:
    services = Services()
    check(services, definition(TABLE_STREAM, target))
    services.errors[target] = client_error(ABSENT[target])
    error = str(refusal(services, definition(TABLE_STREAM, target)))
    assert target in error
    assert "The target " in error
    assert "does not exist" in error


def test_a_log_group_is_there_when_one_of_exactly_its_name_is() -> None:
    services = Services()
    check(services, definition(QUEUE, LOG_GROUP))
    check(services, definition(QUEUE, f"{LOG_GROUP}:*"))
    services.groups.remove("/g")
    assert f"{LOG_GROUP} does not exist" in str(refusal(services, definition(QUEUE, LOG_GROUP)))


@pytest.mark.parametrize("enrichment", [FUNCTION, STATE_MACHINE])
def test_an_enrichment_that_is_not_there_is_named(enrichment: str) -> None:
    services = Services()
    request = definition(QUEUE, TOPIC, Enrichment=enrichment)
    check(services, request)
    services.errors[enrichment] = client_error(ABSENT[enrichment])
    error = str(refusal(services, request))
    assert "The enrichment " in error
    assert f"{enrichment} does not exist" in error


@pytest.mark.parametrize("dead_letters", [QUEUE, TOPIC])
def test_where_dead_letters_go_has_to_be_there(dead_letters: str) -> None:
    services = Services()
    request = from_stream(DeadLetterConfig={"Arn": dead_letters})
    check(services, request)
    services.errors[dead_letters] = client_error(ABSENT[dead_letters])
    assert f"{dead_letters} does not exist" in str(refusal(services, request))


def test_the_log_group_of_the_execution_log_has_to_be_there_unless_it_is_off() -> None:
    services = Services()
    services.groups = []
    check(services, logged("OFF", **to_log_group()))
    assert LOG_GROUP in str(refusal(services, logged("ERROR", **to_log_group())))


@pytest.mark.parametrize("status", ["DISABLING", "DISABLED"])
def test_the_stream_of_a_table_has_to_be_enabled(status: str) -> None:
    services = Services()
    services.table_stream_status = status
    error = str(refusal(services, definition(TABLE_STREAM)))
    assert TABLE_STREAM in error
    assert "disabled" in error


def test_a_standard_state_machine_is_not_waited_for() -> None:
    services = Services()
    services.machine_type = "STANDARD"
    forgotten = {"StepFunctionStateMachineParameters": {"InvocationType": "FIRE_AND_FORGET"}}
    check(services, definition(QUEUE, STATE_MACHINE, TargetParameters=forgotten))
    target = str(refusal(services, definition(QUEUE, f"{STATE_MACHINE}:live")))
    assert "FIRE_AND_FORGET" in target
    enrichment = str(refusal(services, definition(QUEUE, Enrichment=STATE_MACHINE)))
    assert "FIRE_AND_FORGET" not in enrichment
    for error in (target, enrichment):
        assert "Standard" in error
        assert STATE_MACHINE in error


@pytest.mark.parametrize(
    ("trouble", "passing"),
    [
        (client_error("AccessDeniedException"), False),
        (client_error("UnknownOperationException", status=404), False),
        (client_error("InternalError", status=500), True),
        (EndpointConnectionError(endpoint_url="http://localhost:1"), True),
    ],
)
def test_what_passes_is_told_from_what_stays(trouble: Exception, passing: bool) -> None:
    services = Services()
    services.errors[FUNCTION] = trouble
    error = refusal(services, definition(QUEUE))
    assert error.passing is passing
    assert f"{FUNCTION} cannot be used: " in str(error)


def test_an_answer_of_another_service_is_told_as_one() -> None:
    services = Services()
    services.stepfunctions = SimpleNamespace(describe_state_machine=lambda **_: {})
    error = str(refusal(services, definition(QUEUE, STATE_MACHINE)))
    assert "states answered without 'type'" in error


def test_a_reason_is_one_line_that_the_model_has_room_for() -> None:
    services = Services()
    services.errors[FUNCTION] = client_error("Odd", "<html>\n<body>\r\n" + "x" * 1000)
    reason = str(refusal(services, definition(QUEUE)))
    assert len(reason) == REASON_LIMIT
    assert "<html> <body> xxx" in reason
