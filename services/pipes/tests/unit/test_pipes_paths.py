from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eventbridge_pipes.path import (
    MISSING,
    PathError,
    TooLargeError,
    UnresolvedError,
    parse_path,
    resolve,
)
from eventbridge_pipes.record import Record
from eventbridge_pipes.sources.kinesis import DATA
from pipes_samples import holding

VALUE = {
    "a": {"b-c": [{"d": 1}, {"d": 2}, {"e": 3}], "x/y": "slash", "under_score": None},
    "rows": [[1, 2], [3], 4],
    "0": {"1": "names"},
    "false": False,
    "odd": {"a b": "blank", "a.b": "dot", "": "empty", "it's": "quote", "é:*": "any"},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", VALUE),
        ("$.a.x/y", "slash"),
        ("$.a.under_score", None),
        ("$.false", False),
        ("$.a.b-c[0].d", 1),
        ("$.a.b-c[1]", {"d": 2}),
        ("$.a.b-c.1.d", 2),
        ("$.0.1", "names"),
        ("$.rows[0][1]", 2),
        ("$.a.b-c[*]", [{"d": 1}, {"d": 2}, {"e": 3}]),
        ("$.a.b-c[*].d", [1, 2]),
        ("$.a.b-c[*].none", []),
        ("$.rows[*]", [[1, 2], [3], 4]),
        ("$.rows[*][0]", [1, 3]),
        ("$.rows[*][*]", [1, 2, 3]),
        ("$.none", MISSING),
        ("$.a.none.deeper", MISSING),
        ("$.a.x/y.z", MISSING),
        ("$.a.under_score.z", MISSING),
        ("$.a.b-c[3]", MISSING),
        ("$.a.b-c.3", MISSING),
        ("$.a.b-c.d", MISSING),
        pytest.param(f"$.a.b-c.{'9' * 8000}", MISSING, id="a number of 8000 digits"),
        ("$.a[0]", MISSING),
        ("$.0[1]", MISSING),
        ("$.", VALUE),
        ("$.rows[-1]", 4),
        ("$.rows[-3][-2]", 1),
        ("$.rows[-4]", MISSING),
        ("$.a[-1]", MISSING),
        ("$.rows[0:2]", [[1, 2], [3]]),
        ("$.rows[1:]", [[3], 4]),
        ("$.rows[:-1]", [[1, 2], [3]]),
        ("$.rows[:]", [[1, 2], [3], 4]),
        ("$.rows[2:1]", []),
        ("$.rows[7:9]", []),
        ("$.rows[0:2][0]", [1, 3]),
        ("$.a[0:1]", []),
        ("$['a']['x/y']", "slash"),
        ('$["a"].under_score', None),
        ("$.['0']['1']", "names"),
        ("$.odd['a b']", "blank"),
        ("$.odd['a.b']", "dot"),
        ("$.odd['']", "empty"),
        ('$.odd["it\'s"]', "quote"),
        ("$.odd['é:*']", "any"),
        ("$.rows['0']", [1, 2]),
        ("$.odd.*", ["blank", "dot", "empty", "quote", "any"]),
        ("$.odd[*]", ["blank", "dot", "empty", "quote", "any"]),
        ("$.rows.*", [[1, 2], [3], 4]),
        ("$.rows.*[0]", [1, 3]),
        ("$.*.x/y", ["slash"]),
        ("$.false.*", MISSING),
        ("$.none[*].d", MISSING),
        ("$.none..d", MISSING),
        ("$.false[0:1]", MISSING),
        ("$..d", [1, 2]),
        ("$..['d']", [1, 2]),
        ("$..b-c[1].d", [2]),
        ("$.a..d", [1, 2]),
        ("$..none", []),
        ("$.rows..[0]", [[1, 2], 1, 3]),
        ("$.rows..*", [[1, 2], [3], 4, 1, 2, 3]),
        ("$.rows..[*]", [[1, 2], [3], 4, 1, 2, 3]),
        ("$..rows..*..[0]", [1, 3]),
    ],
)
def test_a_path_leads_to(path: str, expected: Any) -> None:
    found = parse_path(path)(VALUE)
    assert found is expected or found == expected


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("$.a.", 4),
        ("$..", 2),
        ("$...a", 2),
        ("$.a..", 4),
        ("$a", 2),
        ("$*", 2),
        ("$.a[]", 4),
        ("$.a[0", 4),
        ("$.a[ 0 ]", 4),
        ("$.a[--1]", 4),
        ("$.a[0:1:2]", 4),
        ("$.a[0,1]", 4),
        ("$.a['b','c']", 4),
        ("$.a['b]", 4),
        ("$.a['b\"]", 4),
        (r"$.a['b\'c']", 4),
        ("$.a[?(@.b)]", 4),
        ("$.a[(@.length-1)]", 4),
        ("$.a.length()", 11),
        ("$.a[1234567890]", 4),
        ("$.a*", 4),
        ("$.a b", 4),
        ("$.a:b", 4),
        ("$.é", 2),
        ("$.a\n", 4),
        ("$ ", 2),
    ],
)
def test_what_is_no_path_cannot_be_read_from_the_character_on(text: str, character: int) -> None:
    with pytest.raises(PathError, match=f"character {character} on"):
        parse_path(text)


@pytest.mark.parametrize("text", ["", "a", ".a", "data.id", " $"])
def test_a_path_begins_with_a_dollar(text: str) -> None:
    with pytest.raises(PathError, match="does not begin with"):
        parse_path(text)


names = st.from_regex(r"[A-Za-z0-9_/-]+", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(names, inner),
    max_leaves=12,
)


def leaves(value: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


@given(st.dictionaries(names, values))
def test_the_path_to_each_leaf_leads_to_that_leaf(value: dict[str, Any]) -> None:
    for path, leaf in leaves(value):
        assert parse_path(path)(value) is leaf


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.integers())))
def test_a_wildcard_is_each_index_in_turn(items: list[dict[str, int]]) -> None:
    each = [parse_path(f"$.items[{index}].a")({"items": items}) for index in range(len(items))]
    gathered = parse_path("$.items[*].a")({"items": items})
    assert gathered == [value for value in each if value is not MISSING]


@given(st.lists(st.integers()), st.integers(-9, 9), st.integers(-9, 9))
def test_indices_and_slices_count_as_in_python(items: list[int], start: int, end: int) -> None:
    value = {"items": items}
    assert parse_path(f"$.items[{start}:{end}]")(value) == items[start:end]
    inside = -len(items) <= start < len(items)
    expected = items[start] if inside else MISSING
    assert parse_path(f"$.items[{start}]")(value) == expected


@given(st.dictionaries(names, values))
def test_a_descent_finds_each_value_once_before_what_is_in_it(value: dict[str, Any]) -> None:
    def descendants(node: Any) -> Iterator[Any]:
        yield node
        for child in node.values() if type(node) is dict else node if type(node) is list else ():
            yield from descendants(child)

    def children(node: Any) -> list[Any]:
        return [*node.values()] if type(node) is dict else node if type(node) is list else []

    found = parse_path("$..*")(value)
    assert found == [child for node in descendants(value) for child in children(node)]


@given(st.text("$.a-_/[]*01:'\"", max_size=20))
def test_what_is_a_path_can_be_parsed_and_followed(text: str) -> None:
    with suppress(PathError):
        parse_path(text)(VALUE)


def test_a_path_may_go_into_an_event_of_any_depth() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = {"a": value}
    assert len(parse_path("$..a")(value)) == 100_000


@pytest.mark.parametrize("path", ["$" + "..*" * 9, "$..*..*..*..none", "$" + "..*" * 2700])
def test_a_path_that_passes_too_many_values_is_given_up_early(path: str) -> None:
    value = json.loads("[" * 200 + "1" + "]" * 200)
    begun = time.process_time()
    with pytest.raises(TooLargeError, match="1,000,000 values"):
        parse_path(path)(value)
    assert time.process_time() - begun < 5


def test_a_path_that_cannot_be_read_is_found_out_at_once() -> None:
    begun = time.process_time()
    for text in ("$" + ".a" * 4000 + "!", "$" + "." * 8000, "$[" + "1" * 8000, "$['" + "a" * 8000):
        with pytest.raises(PathError):
            parse_path(text)
    assert time.process_time() - begun < 1


def kinesis(payload: str) -> Record:
    data = base64.b64encode(payload.encode()).decode()
    return holding(json.dumps({"partitionKey": "P42", "data": data}), DATA)


EVENT = kinesis(
    '{"id": "A-1", "n": 3, "price": 1.5, "ok": true, "empty": "", "gone": null,'
    ' "o": {}, "a": [1], "half": "x\\ud800", "path": "$.id"}'
)


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("$.partitionKey", "P42"),
        ("$.data.id", "A-1"),
        ("$.data.n", "3"),
        ("$.data.price", "1.5"),
        ("$.data.ok", "true"),
        ("$.data.a[0]", "1"),
        ("$.data.a[-1]", "1"),
        ("$['data']['id']", "A-1"),
        ("$.data.empty", ""),
        ("$.data.path", "$.id"),
        ("$.data.half", "x?"),
        ("orders", "orders"),
        ("", ""),
        ("Orders of $.data.id", "Orders of $.data.id"),
        ("<$.data.id>", "<$.data.id>"),
        ("$5", "$5"),
    ],
)
def test_a_parameter_is_what_its_path_leads_to_or_itself(parameter: str, expected: str) -> None:
    assert resolve(parameter, EVENT) == expected


@pytest.mark.parametrize(
    ("parameter", "why"),
    [
        ("$.data.none", "nothing in this event"),
        ("$.none.deeper", "nothing in this event"),
        ("$.data.gone", "null"),
        ("$.data.o", "an object"),
        ("$.data.a", "an array"),
        ("$.data.a[*]", "an array"),
        ("$", "an object"),
        ("$.", "an object"),
        ("$['data'].o", "an object"),
        ("$.data.a[0:1]", "an array"),
        ("$..id", "an array"),
        ("$.data.a[-2]", "nothing in this event"),
    ],
)
def test_a_path_that_leads_to_no_scalar_does_not_resolve(parameter: str, why: str) -> None:
    with pytest.raises(UnresolvedError) as unresolved:
        resolve(parameter, EVENT)
    assert str(unresolved.value) == f"the parameter's path {parameter} leads to {why}"


@pytest.mark.parametrize(
    "parameter", ["$.data.id and more", "$.data.a[?(@.b)]", "$.data.id.", "$[a]"]
)
def test_what_begins_as_a_path_and_cannot_be_read_does_not_resolve(parameter: str) -> None:
    with pytest.raises(UnresolvedError) as unresolved:
        resolve(parameter, EVENT)
    assert str(unresolved.value).startswith(f"the path {parameter} cannot be read from its ")


def test_a_parameter_whose_path_passes_too_many_values_does_not_resolve() -> None:
    with pytest.raises(UnresolvedError, match="1,000,000 values"):
        resolve("$..*..*..*", kinesis("[" * 200 + "1" + "]" * 200))


def test_a_path_into_a_payload_that_is_not_json_does_not_resolve() -> None:
    with pytest.raises(UnresolvedError):
        resolve("$.data.id", kinesis("plain"))
    assert resolve("$.data", kinesis("plain")) == base64.b64encode(b"plain").decode()


def test_an_event_that_is_nested_too_deep_resolves_nothing() -> None:
    with pytest.raises(UnresolvedError, match="nothing"):
        resolve("$.data.a", kinesis('{"a":' * 100_000 + "1" + "}" * 100_000))


@given(st.text())
def test_a_text_that_does_not_begin_as_a_path_is_left_as_it_is(parameter: str) -> None:
    assume(not parameter.startswith(("$.", "$[")) and parameter != "$")
    assert resolve(parameter, EVENT) == parameter
