"""Section "API" of the semantics: every constraint of botocore's model, in every place.

Each constraint of each member, at any depth, of the input of each operation is tried at its bound
and one beyond: against the validation alone, and through HTTP, past boto3's own validation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest

from eventbridge_pipes.api.model import Reader
from pipes_service import PipesProcess, pipes_process
from pipes_shapes import KEY, MODEL, PATTERNED, Place, of_size, places, sample

CLOSED_PORT = "http://127.0.0.1:1"
"""No service is asked for anything by a request that is refused."""


class Case(NamedTuple):
    """With `good` at its place a request satisfies the constraint `kind`, and with `bad` not.

    A violation is told of `field`, in a text that has `words`.
    """

    place: Place
    kind: str
    field: str
    words: str
    good: Any
    bad: Any


KINDS = ("required", "min", "max", "enum", "pattern")


def cases() -> Iterator[Case]:
    for operation in MODEL.operation_names:
        for place in places(operation):
            for kind in KINDS:
                if kind in place.shape.metadata:
                    for field, words, good, bad in _tries(place, kind):
                        yield Case(place, kind, field or place.field, words, good, bad)


def _tries(place: Place, kind: str) -> Iterator[tuple[str, str, Any, Any]]:
    shape, limit = place.shape, place.shape.metadata[kind]
    match kind:
        case "required":
            for name in limit:
                whole = sample(shape)
                lacking = {member: value for member, value in whole.items() if member != name}
                field = place._replace(steps=(*place.steps, name)).field
                yield field, "must not be null", whole, lacking
        case "min" if limit != 0 or shape.type_name == "integer":
            words = f"greater than or equal to {limit}"
            yield "", words, of_size(shape, limit), of_size(shape, limit - 1)
        case "max":
            words = f"less than or equal to {limit}"
            yield "", words, of_size(shape, limit), of_size(shape, limit + 1)
        case "enum":
            for value in limit:
                yield "", "enum value set", value, f"{value}?"
        case "pattern" if PATTERNED[shape.name][1] is not None:
            yield "", "regular expression pattern", *PATTERNED[shape.name]


CASES = list(cases())


def name_of(case: Case) -> str:
    return f"{case.place.operation} {case.field} {case.kind}"


def broken(case: Case, value: Any) -> list[str]:
    """What the validation alone says of the case."""
    shape = MODEL.operation_model(case.place.operation).input_shape
    reader = Reader()
    reader.read(shape, case.place.request(value))
    told = [message for field, message in reader.broken if field == case.field]
    return [message for message in told if case.words in message]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_constraint_holds_beyond_its_bound_and_not_at_it(case: Case) -> None:
    assert broken(case, case.good) == []
    (message,) = broken(case, case.bad)
    assert f"at '{case.field}' failed to satisfy constraint: " in message


@pytest.fixture(scope="module")
def pipes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipesProcess]:
    with pipes_process(CLOSED_PORT, tmp_path_factory.mktemp("pipes") / "state") as process:
        yield process


@pytest.fixture(scope="module")
def connection(pipes: PipesProcess) -> Iterator[HTTPConnection]:
    made = HTTPConnection("127.0.0.1", pipes.port, timeout=10)
    yield made
    made.close()


def sent(connection: HTTPConnection, operation: str, members: Any) -> dict[str, Any]:
    """The answer's body; each member goes where the model has it: path, query or body."""
    model: Any = MODEL.operation_model(operation)
    path, query, body = model.http["requestUri"], [], {}
    for name, value in members.items():
        serialization = model.input_shape.members[name].serialization
        wire_name = serialization.get("name", name)
        match serialization.get("location"):
            case "uri":
                path = path.replace(f"{{{wire_name}}}", quote(value, safe=""))
            case "querystring":
                query += [(wire_name, item) for item in _listed(value)]
            case _:
                body[wire_name] = value
    url = f"{path}?{urlencode(query)}" if query else path
    connection.request(model.http["method"], url, json.dumps(body) if body else None)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    return answer


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def told(case: Case, answer: dict[str, Any]) -> list[str]:
    """What the answer says of the case."""
    fields = answer.get("fieldList", ())
    found = [each["message"] for each in fields if each["name"] == case.field]
    return [message for message in found if case.words in message]


def can_be_sent(case: Case) -> bool:
    """No route has an empty place for a member in the path, and a query has no empty list."""
    shape: Any = MODEL.operation_model(case.place.operation).input_shape
    member = case.field.partition(".")[0]
    names = {name[:1].lower() + name[1:]: name for name in shape.members}
    in_body = "location" not in shape.members[names[member]].serialization
    return in_body or (case.kind != "required" and case.bad not in ("", []))


@pytest.mark.parametrize("case", [case for case in CASES if can_be_sent(case)], ids=name_of)
def test_a_constraint_is_told_through_http(connection: HTTPConnection, case: Case) -> None:
    operation = case.place.operation
    assert told(case, sent(connection, operation, case.place.request(case.good))) == []
    beyond = sent(connection, operation, case.place.request(case.bad))
    assert told(case, beyond)
    assert case.field in beyond["message"]
    assert "validation error" in beyond["message"]


@pytest.mark.parametrize(
    "place",
    [p for p in places("CreatePipe") if p.shape.type_name == "structure" and KEY not in p.steps],
    ids=lambda place: place.field or "(the request)",
)
def test_a_member_that_the_model_has_not_is_refused_wherever_it_stands(
    connection: HTTPConnection, place: Place
) -> None:
    members = place.request({**sample(place.shape), "Unheard": 1})
    name = members.pop("Name")
    connection.request("POST", f"/v1/pipes/{name}", json.dumps(members))
    answer = json.loads(connection.getresponse().read())
    field = f"{place.field}.unheard".removeprefix(".")
    assert [each["name"] for each in answer["fieldList"]] == [field]
