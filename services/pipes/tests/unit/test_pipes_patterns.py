from __future__ import annotations

import base64
import contextlib
import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.pattern import Filter, PatternError
from eventbridge_pipes.record import Payload, Record
from eventbridge_pipes.sources import SOURCES
from eventbridge_pipes.sources.dynamodb import KIND as DYNAMODB
from eventbridge_pipes.sources.kinesis import KIND as KINESIS
from eventbridge_pipes.sources.kinesis import record_maker
from eventbridge_pipes.sources.source import SourceKind
from eventbridge_pipes.sources.sqs import BODY
from eventbridge_pipes.sources.sqs import KIND as SQS
from pipes_samples import holding as record_of

TABLE = Path(__file__).parents[1] / "conformance" / "data" / "filters.json"
STREAM = Arn.parse("arn:aws:kinesis:us-east-1:000000000000:stream/s")
made_of = record_maker(STREAM, "shardId-000000000000", "arn:aws:iam::000000000000:role/r")

KINDS = {kind.service: kind for kind in SOURCES}

Case = dict[str, Any]


def kinesis(data: bytes, partition_key: str = "k") -> Record:
    raw = {
        "SequenceNumber": "1",
        "ApproximateArrivalTimestamp": 1700000000.5,
        "PartitionKey": partition_key,
        "Data": base64.b64encode(data).decode(),
    }
    return made_of(raw)


def holding(data: Any) -> Record:
    return kinesis(json.dumps(data).encode())


def sqs(body: str) -> Record:
    message = {
        "messageId": "m-1",
        "receiptHandle": "r",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
    }
    return record_of(json.dumps(message), BODY)


def dynamodb(change: Any) -> Record:
    record = {"eventSource": "aws:dynamodb", "eventID": "1", "awsRegion": "us-east-1", **change}
    return record_of(json.dumps(record))


def event_of(case: Case, kind: SourceKind) -> Record:
    if kind is DYNAMODB:
        return dynamodb(case["event"])
    payload = payload_of(case)
    if kind is SQS:
        return sqs(payload.decode())
    return kinesis(payload, case.get("partition_key", "k"))


def payload_of(case: Case) -> bytes:
    if "base64" in case:
        return base64.b64decode(case["base64"])
    return (case["text"] if "text" in case else json.dumps(case["json"])).encode()


def filter_of(case: Case, kind: SourceKind) -> Filter:
    patterns = case.get("patterns", [case.get("pattern")])
    texts = [p if isinstance(p, str) else json.dumps(p) for p in patterns]
    return Filter.parse(texts, kind)


def data_filter(fields: Any) -> Filter:
    return Filter.parse([json.dumps({"data": fields})], KINESIS)


def cases(outcome: str) -> list[Any]:
    groups = json.loads(TABLE.read_text(encoding="utf-8"))["groups"]
    return [
        pytest.param(case, KINDS[group["source"]], id=f"{group['group']}-{case['name']}")
        for group in groups
        for case in group["cases"]
        if outcome in case
    ]


@pytest.mark.parametrize(("case", "kind"), cases("passes"))
def test_a_record_passes_as_the_table_says(case: Case, kind: SourceKind) -> None:
    assert filter_of(case, kind).passes(event_of(case, kind)) is case["passes"]


@pytest.mark.parametrize(("case", "kind"), cases("refused"))
def test_a_pattern_is_refused_with_the_reason_in_the_table(case: Case, kind: SourceKind) -> None:
    with pytest.raises(PatternError) as refused:
        filter_of(case, kind)
    assert case["refused"] in str(refused.value)


def test_the_table_has_no_two_cases_of_one_name() -> None:
    names = [param.id for outcome in ("passes", "refused") for param in cases(outcome)]
    assert len(names) == len(set(names)) >= 130


def test_a_filter_without_patterns_is_false() -> None:
    assert not Filter([])
    assert data_filter({"a": [1]})


def _must_not_be_decoded(data: str) -> str:
    raise AssertionError(f"{data} was decoded")


def test_a_payload_is_not_decoded_for_a_pattern_on_metadata() -> None:
    sealed = Payload("data", _must_not_be_decoded)
    event = record_of(kinesis(b'{"a": 1}').body, sealed)
    assert Filter.parse(['{"partitionKey": ["k"]}'], KINESIS).passes(event)


@pytest.mark.parametrize(
    "body",
    [
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "[" * 100_000 + "]" * 100_000,
    ],
)
def test_an_event_nested_deeper_than_can_be_read_matches_nothing(body: str) -> None:
    assert not data_filter({"x": [{"exists": False}]}).passes(kinesis(body.encode()))


def test_arrays_nested_as_deep_as_can_be_read_are_searched() -> None:
    tags: Any = "deep"
    for _ in range(500):
        tags = [tags]
    event = holding({"tags": tags, "items": tags})
    assert data_filter({"tags": ["deep"]}).passes(event)
    assert not data_filter({"items": {"sku": ["deep"]}}).passes(event)


def test_a_pattern_nested_without_end_is_refused() -> None:
    for text in ("[" * 4096, '{"a":' * 800 + "[1]" + "}" * 800, '{"$or":[' * 500):
        with pytest.raises(PatternError):
            Filter.parse([text], KINESIS)


names = st.text(max_size=6).filter(lambda name: name != "$or")
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.decimals(-(10**9), 10**9, places=6).map(float)
    | st.text(max_size=8)
)
objects = st.dictionaries(
    names,
    st.recursive(scalars, lambda below: st.dictionaries(names, below, max_size=4)),
    max_size=5,
)


def leaves(value: Any) -> Any:
    """The pattern of all leaves of `value`; None where there is none."""
    if not isinstance(value, dict):
        return [value]
    below = {name: leaves(one) for name, one in value.items()}
    return {name: one for name, one in below.items() if one} or None


@given(objects)
def test_the_pattern_of_an_events_own_leaves_matches_it(data: Any) -> None:
    pattern = leaves(data)
    if pattern:
        assert data_filter(pattern).passes(holding(data))


@given(objects, names, scalars)
def test_fields_that_a_pattern_does_not_name_do_not_matter(data: Any, name: str, more: Any) -> None:
    pattern = leaves(data)
    if pattern and name not in data:
        assert data_filter(pattern).passes(holding({**data, name: more}))


numbers = st.integers(-9, 9) | st.decimals(-9, 9, places=1).map(float)
strings = st.text("abC", max_size=2)


@given(
    st.lists(numbers, min_size=1, max_size=4) | st.lists(strings, min_size=1, max_size=4),
    numbers | strings | st.none() | st.booleans(),
)
def test_anything_but_is_the_opposite_of_exact_on_a_field_that_is_there(
    values: list[Any], found: Any
) -> None:
    event = holding({"x": found})
    exact = data_filter({"x": values}).passes(event)
    assert data_filter({"x": [{"anything-but": values}]}).passes(event) is not exact
    assert not data_filter({"x": [{"anything-but": values}]}).passes(holding({"y": found}))


rules = st.sampled_from(
    [
        [1],
        ["a", None],
        [{"exists": True}],
        [{"exists": False}],
        [{"exists": False}, 2],
        [{"prefix": "a"}],
        [{"anything-but": [1, 2]}],
        [{"numeric": [">", 0, "<=", 2]}],
    ]
)
fields = st.dictionaries(st.sampled_from("xyz"), rules, min_size=1)
values = st.sampled_from([0, 1, 2, "a", "ab", None, {}, [], [1, "a"], {"x": 1}])
records = st.dictionaries(st.sampled_from("xyz"), values) | st.lists(
    st.dictionaries(st.sampled_from("xyz"), values), max_size=3
)


@given(st.lists(fields, min_size=2, max_size=4), records)
def test_an_or_matches_what_any_of_its_choices_matches(choices: list[Any], data: Any) -> None:
    event = holding(data)
    any_of_them = any(data_filter(choice).passes(event) for choice in choices)
    assert data_filter({"$or": choices}).passes(event) is any_of_them


@given(fields, fields, records)
def test_fields_of_different_objects_must_all_match(one: Any, other: Any, data: Any) -> None:
    event = holding({"one": data, "other": data})
    both = data_filter({"one": one}).passes(event) and data_filter({"other": other}).passes(event)
    assert data_filter({"one": one, "other": other}).passes(event) is both


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["<", "<=", ">", ">=", "="]))
def test_numbers_compare_as_decimals_do(left: int, right: int, sign: str) -> None:
    expected = {
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        "=": left == right,
    }
    pattern = f'{{"data": {{"n": [{{"numeric": ["{sign}", {right}e-6]}}]}}}}'
    event = kinesis(f'{{"n": {left}e-6}}'.encode())
    assert Filter.parse([pattern], KINESIS).passes(event) is expected[sign]


anything = st.recursive(
    scalars | st.floats() | st.just("$or"),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            names | st.sampled_from(["$or", "exists", "prefix", "numeric", "anything-but", "data"]),
            below,
            max_size=3,
        )
    ),
)


@given(anything, st.sampled_from(SOURCES))
def test_any_json_is_a_pattern_or_refused_and_nothing_else_is_raised(
    pattern: Any, kind: SourceKind
) -> None:
    with contextlib.suppress(PatternError):
        parsed = Filter.parse([json.dumps(pattern)], kind)
        assert parsed.passes(holding({})) in (True, False)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_data_that_is_not_utf_8_is_no_json(encoding: str) -> None:
    event = kinesis('{"a": 1}'.encode(encoding))
    assert not event.has_json_payload
    assert not data_filter({"a": [1]}).passes(event)


def accepts(rule: Any, value: str) -> bool:
    pattern = Filter.parse([json.dumps({"data": {"a": [rule]}})], KINESIS)
    return pattern.passes(holding({"a": value}))


IGNORING_CASE: list[Any] = [
    {"equals-ignore-case": "stra\u00dfe"},
    {"prefix": {"equals-ignore-case": "stra\u00dfe"}},
    {"suffix": {"equals-ignore-case": "stra\u00dfe"}},
]


@pytest.mark.parametrize("rule", IGNORING_CASE)
def test_case_is_ignored_letter_by_letter(rule: Any) -> None:
    assert accepts(rule, "STRA\u00dfE")
    assert accepts(rule, "STRASSE")  # the upper case of one letter
    assert not accepts(rule, "strasse")
    assert not accepts(rule, "STRASsE")


def test_a_letter_in_neither_case_is_not_equal_to_itself() -> None:
    assert accepts({"equals-ignore-case": "\u01c5"}, "\u01c4")
    assert accepts({"equals-ignore-case": "\u01c5"}, "\u01c6")
    assert not accepts({"equals-ignore-case": "\u01c5"}, "\u01c5")


def test_the_cases_of_a_letter_begin_and_end_differently() -> None:
    """So the expression for a text has one way to go at each letter."""
    for letter in map(chr, range(sys.maxunicode + 1)):
        low, up = letter.lower(), letter.upper()
        assert low == up or (low[0] != up[0] and low[-1] != up[-1])


@pytest.mark.parametrize("operator", ["prefix", "suffix"])
def test_a_long_text_is_compared_in_no_time_when_case_is_ignored(operator: str) -> None:
    ignoring_case = {operator: {"equals-ignore-case": "1a" * 1500}}
    started = time.process_time()
    assert not accepts(ignoring_case, "1A" * 1499 + "1b")
    assert time.process_time() - started < 0.5


def test_quotation_marks_belong_to_strings() -> None:
    assert accepts({"prefix": 'a"'}, "a")
    assert accepts({"suffix": '"a'}, "a")
    assert accepts({"prefix": {"equals-ignore-case": 'a"'}}, "A")
    assert accepts({"suffix": {"equals-ignore-case": '"a'}}, "A")
    assert not accepts({"prefix": 'a"'}, "ab")


def other_case(letter: str) -> list[str]:
    return [letter.lower(), letter.upper()]


# JSON in a record's data is UTF-8, which has no lone surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(text=TEXT, before=TEXT, after=TEXT, data=st.data())
def test_a_text_in_another_case_matches_when_case_is_ignored(
    text: str, before: str, after: str, data: st.DataObject
) -> None:
    value = "".join(data.draw(st.sampled_from(other_case(letter))) for letter in text)
    ignoring_case = {"equals-ignore-case": text}
    assert accepts(ignoring_case, value)
    assert accepts({"prefix": ignoring_case}, value + after)
    assert accepts({"suffix": ignoring_case}, before + value)


@given(text=TEXT, value=TEXT)
def test_a_text_with_another_letter_or_of_another_length_does_not_match(
    text: str, value: str
) -> None:
    equal = any("".join(cases) == value for cases in itertools.product(*map(other_case, text)))
    assert accepts({"equals-ignore-case": text}, value) is equal


Tree = dict[str, Any]


def spelled(tree: Tree, draw: st.DataObject) -> Tree:
    """The same fields, some of their names with dots in place of objects in objects."""
    members: Tree = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            below = spelled(value, draw)
            if draw.draw(st.booleans()):
                members |= {f"{name}.{rest}": one for rest, one in below.items()}
            else:
                members[name] = below
        else:
            members[name] = value
    return members


trees = st.recursive(
    st.sampled_from([1, "x", None, True]),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, min_size=1, max_size=3),
).filter(lambda tree: isinstance(tree, dict))


@given(trees, st.data())
def test_dots_match_as_objects_in_objects_do(tree: Tree, data: st.DataObject) -> None:
    pattern, event = leaves(tree), holding(spelled(tree, data))
    assert data_filter(spelled(pattern, data)).passes(event)
    missing = data_filter({**spelled(pattern, data), "z.z": [1]})
    assert not missing.passes(event)


def test_dots_without_end_in_the_names_of_an_event_are_looked_at_once() -> None:
    name = ".".join(["a"] * 100_000)
    members = ", ".join(f'"{name[: 2 * n + 1]}": 1' for n in range(1000))
    event = kinesis(f'{{"a": {{{members}}}, "{name}": 1}}'.encode())
    started = time.process_time()
    assert not data_filter({"a": {"a": {"a": ["x"]}, "b": {"c": [1]}}}).passes(event)
    assert data_filter({"a": {"b.c": [{"exists": False}]}}).passes(event)
    assert time.process_time() - started < 1


def test_many_spellings_of_many_objects_are_matched_in_no_time() -> None:
    objects = {f"a.{n}": {"b": n, "c.d": [{"e": n}]} for n in range(10_000)}
    event = holding({**objects, "a": [{"b": 1}] * 10_000, "a.b": {"c": 1}})
    started = time.process_time()
    assert data_filter({"a": {"9999": {"b": [9999], "c": {"d": {"e": [9999]}}}}}).passes(event)
    assert not data_filter({"a": {"9999": {"b": [1]}, "x": [{"exists": False}]}}).passes(event)
    assert time.process_time() - started < 1


def test_a_number_with_a_huge_exponent_is_a_number_of_a_pattern_or_refused() -> None:
    assert not Filter.parse(['{"data": {"a": [1e999999999]}}'], KINESIS).passes(holding({"a": 1}))
    for number in ("1e99999999999999999999", "1e-99999999999999999999"):
        with pytest.raises(PatternError, match="exponent"):
            Filter.parse([f'{{"data": {{"a": [{number}]}}}}'], KINESIS)


def test_many_alternatives_of_long_names_are_compiled_in_no_time() -> None:
    """512 alternatives with nine names of 99 parts each."""
    rest = ".a" * 98
    choices = (f'"$or": [{{"b{n}{rest}": [1]}}, {{"c{n}{rest}": [1]}}]' for n in range(9))
    text = f"{{{', '.join(choices)}}}"
    assert len(text) < 4096
    started = time.process_time()
    assert len(Filter.parse([text], KINESIS)) == 512
    assert time.process_time() - started < 2
