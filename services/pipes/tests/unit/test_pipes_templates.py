from __future__ import annotations

import base64
import json
import re
import tomllib
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from eventbridge_pipes.arn import Arn
from eventbridge_pipes.path import TooLargeError
from eventbridge_pipes.pipe import Pipe
from eventbridge_pipes.record import Record
from eventbridge_pipes.sources.kinesis import record_maker
from eventbridge_pipes.sources.sqs import BODY
from eventbridge_pipes.template import Context, Template, TemplateError
from eventbridge_pipes.template_warning import TemplateWarning, WarningKind, warning_lines
from pipes_samples import holding as record_of

TABLE = tomllib.loads(
    (Path(__file__).parents[1] / "conformance/data/templates.toml").read_text("utf-8")
)
CASES = TABLE["case"]
INGESTED = 1700000000.5
STREAM = Arn.parse("arn:aws:kinesis:us-east-1:000000000000:stream/orders")
PIPE = Pipe(
    name="orders",
    arn="arn:aws:pipes:us-east-1:000000000000:pipe/orders",
    source=STREAM.text,
    target="arn:aws:lambda:us-east-1:000000000000:function:orders",
    role_arn="arn:aws:iam::000000000000:role/orders",
    created=0.0,
    modified=0.0,
)
CONTEXT = Context(PIPE, INGESTED)


def event_of(case: dict[str, Any]) -> Record:
    payload = case.get("payload", "")
    match case["source"]:
        case "kinesis":
            given = case.get("payload_base64")
            return kinesis(given) if given else holding_text(payload)
        case "sqs":
            return record_of(json.dumps({"messageId": "m", "body": payload}), BODY)
        case "dynamodb":
            body = {"eventName": "INSERT", "dynamodb": {"NewImage": json.loads(payload)}}
            return record_of(json.dumps(body))
    return record_of(payload)


def kinesis(data: str) -> Record:
    raw = {
        "PartitionKey": TABLE["partition_key"],
        "SequenceNumber": "49590338271490256608559692538361571095921575989136588898",
        "Data": data,
        "ApproximateArrivalTimestamp": 1545084650.987,
    }
    return record_maker(STREAM, "shardId-000000000000", "arn:aws:iam::0:role/r")(raw)


def render_one(template: Template, record: Record, context: Context) -> tuple[str, bool]:
    ((text,), _) = template.render_all([record], context)
    return text, template.is_json


def holding(payload: Any) -> Record:
    return holding_text(json.dumps(payload))


def holding_text(payload: str) -> Record:
    return kinesis(base64.b64encode(payload.encode()).decode())


def strict(text: str) -> Any:
    """What a parser that knows nothing but JSON makes of its bytes."""
    return json.loads(text.encode("utf-8"), parse_constant=pytest.fail)


def filled(expected: str, case: dict[str, Any]) -> str:
    """`expected` with what the pipe and the event at hand have for its {{names}}."""
    event = json.loads(event_of(case).body)
    known = {
        '"{{event}}"': json.dumps(event),
        '"{{event.json}}"': json.dumps(event | decoded_payload(case)),
        "{{pipe-arn}}": PIPE.arn,
        "{{pipe-name}}": PIPE.name,
        "{{source-arn}}": PIPE.source,
        "{{target-arn}}": PIPE.target,
        "{{ingestion-time}}": "2023-11-14T22:13:20.500Z",
    }
    for name, value in known.items():
        expected = expected.replace(name, value)
    return expected


def decoded_payload(case: dict[str, Any]) -> dict[str, Any]:
    member = {"kinesis": "data", "sqs": "body"}.get(case["source"])
    try:
        return {member: json.loads(case["payload"])} if member else {}
    except (KeyError, ValueError):
        return {}


def of(outcome: str) -> pytest.MarkDecorator:
    cases = [case for case in CASES if outcome in case]
    assert cases
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


def test_the_table_names_each_case_once_and_says_what_is_expected_of_it() -> None:
    assert len(CASES) >= 50
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert all(len({"json", "text", "refused"} & case.keys()) == 1 for case in CASES)
    assert {case["evidence"] for case in CASES} <= {"documented", "native", "rules", "ours"}


@of("json")
def test_a_json_template_renders(case: dict[str, Any]) -> None:
    text, is_json = render_one(Template.parse(case["template"]), event_of(case), CONTEXT)
    assert is_json
    assert strict(text) == json.loads(filled(case["json"], case))


@of("text")
def test_free_text_renders(case: dict[str, Any]) -> None:
    text, is_json = render_one(Template.parse(case["template"]), event_of(case), CONTEXT)
    assert not is_json
    assert text == filled(case["text"], case)


@of("refused")
def test_a_template_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(TemplateError) as refusal:
        Template.parse(case["template"])
    assert case["refused"] in str(refusal.value)


def test_a_template_that_is_nested_too_deep_is_refused() -> None:
    # How deep the decoder goes is a matter of the Python that runs it.
    with pytest.raises(TemplateError, match=r"too deep|not valid JSON"):
        Template.parse('{"a":' * 1638)


def test_the_arn_of_the_enrichment_is_known_when_there_is_one() -> None:
    context = Context(replace(PIPE, enrichment="arn:enrichment"), INGESTED)
    template = Template.parse("<aws.pipes.enrichment-arn>!")
    assert render_one(template, holding({}), context) == ("arn:enrichment!", False)


DEEP = Template.parse('{"path": <$.data>, "quoted": "<$.data>", "all": <aws.pipes.event.json>}')


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def test_a_payload_that_is_nested_deep_goes_in_whole() -> None:
    text, _ = render_one(DEEP, holding_text(nested(400)), CONTEXT)
    assert strict(text)["path"] == json.loads(nested(400))


def test_a_payload_that_is_nested_too_deep_is_no_json() -> None:
    text, _ = render_one(DEEP, holding_text(nested(100_000)), CONTEXT)
    rendered = strict(text)
    assert base64.b64decode(rendered["path"]).decode() == nested(100_000)
    assert rendered["all"] == ""


def test_a_payload_at_the_limit_of_the_depth_breaks_nothing() -> None:
    for depth in range(700, 1001):
        text, _ = render_one(DEEP, holding_text(nested(depth)), CONTEXT)
        assert text.count("{") == text.count("}")


def test_a_payload_that_was_read_and_cannot_be_written_is_no_json() -> None:
    event = holding_text(nested(800))
    assert event.has_json_payload

    def render_under(frames: int) -> str:
        return render_under(frames - 1) if frames else render_one(DEEP, event, CONTEXT)[0]

    # Since Python 3.12 what can be read can be written.
    assert strict(render_under(400))["path"] in ("", event.decoded["data"])


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(['"', "\\", "<$.data>", '\\"', "\ud800", "\ude00", "\x00", "\u2028", "}{"])
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)
placeholders = st.sampled_from(
    [
        "<$.data>",
        "<$.data.a>",
        "<$.data.a[0]>",
        "<$.data.a[*].b>",
        "<$.data.a.*>",
        "<$.data..*>",
        "<$..a[-2:]>",
        "<$.data['a'][-1]>",
        "<$.data.a[?(@.b)]>",
        "<$.>",
        "<$.partitionKey>",
        "<$.none>",
        "<aws.pipes.pipe-arn>",
        "<aws.pipes.event>",
        "<aws.pipes.event.ingestion-time>",
    ]
)
# Only placeholders begin with a bare "<" in a template.
constants = leaves.map(lambda leaf: json.dumps(leaf).replace("<", "\\u003c"))
literals = st.text(st.characters(exclude_characters="<")).map(lambda text: json.dumps(text)[1:-1])
strings = st.lists(literals | placeholders).map(lambda parts: f'"{"".join(parts)}"')
templates = st.recursive(
    placeholders | strings | st.just("<aws.pipes.event.json>") | constants,
    lambda inner: (
        st.lists(inner).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(strings, inner)).map(
            lambda fields: "{" + ",".join(f"{name}: {value}" for name, value in fields) + "}"
        )
    ),
    max_leaves=8,
).filter(lambda text: "NaN" not in text and "Infinity" not in text)


@given(templates, values)
def test_what_a_json_template_renders_can_always_be_parsed(template: str, payload: Any) -> None:
    parsed = Template.parse(f'{{"field": {template}}}')
    text, is_json = render_one(parsed, holding({"a": payload}), CONTEXT)
    assert is_json
    strict(text)


@given(placeholders, st.text(st.characters()), st.text(st.characters()))
def test_free_text_can_always_be_encoded(placeholder: str, before: str, payload: str) -> None:
    template = Template.parse("text " + before.replace("<", "") + placeholder)
    text, is_json = render_one(template, holding({"a": payload}), CONTEXT)
    assert not is_json
    text.encode()


@given(values)
def test_a_value_outside_quotes_is_that_value(payload: Any) -> None:
    expected = json.loads(json.dumps(payload), parse_constant=lambda _: None)
    text, _ = render_one(
        Template.parse('{"field": <$.a>}'), record_of(json.dumps({"a": payload})), CONTEXT
    )
    assert strict(text) == {"field": expected}


@given(st.text(st.characters()))
def test_a_string_inside_quotes_is_that_string(payload: str) -> None:
    text, _ = render_one(
        Template.parse('{"field": "<$.data.a>"}'), holding({"a": payload}), CONTEXT
    )
    assert strict(text) == {"field": payload}


@given(st.dictionaries(st.text(), values))
def test_the_event_alone_is_the_event_as_it_came(payload: dict[str, Any]) -> None:
    event = holding(payload)
    assert render_one(Template.parse("<aws.pipes.event>"), event, CONTEXT) == (event.body, True)


@given(st.dictionaries(st.text(), st.recursive(st.text() | st.integers(), st.lists)))
def test_the_decoded_event_alone_is_the_event_with_its_payload(payload: dict[str, Any]) -> None:
    event = holding(payload)
    text, is_json = render_one(Template.parse("<aws.pipes.event.json>"), event, CONTEXT)
    assert is_json
    assert strict(text) == {**json.loads(event.body), "data": payload}


@given(st.text(st.characters(exclude_characters="<", exclude_categories=["Cs"])), values)
def test_a_template_without_placeholders_is_constant(text: str, payload: Any) -> None:
    template = Template.parse(f"-{text}")
    assert render_one(template, holding(payload), CONTEXT)[0] == f"-{text}"


def warnings_of(template: str, *payloads: Any) -> list[tuple[str, str]]:
    """The kinds and placeholders of what a template's own text and these payloads warn of."""
    parsed = Template.parse(template)
    _, observed = parsed.render_all([holding(payload) for payload in payloads], CONTEXT)
    return sorted((str(kind), placeholder) for kind, placeholder in parsed.warnings | observed)


PLAIN = {"id": "A-1", "n": 1.5, "o": {"k": "v"}, "gone": None, "text": "Grüße, 'quoted' / x"}


@pytest.mark.parametrize(
    "template",
    [
        "no placeholder",
        '{"a": "\\u003c b", "c": "\\u003cb\\u003e"}',
        '{"a": <$.data.id>, "b": "<$.data.n> <$.data.text>", "c": <$.data.o>, "d": <$.data.gone>}',
        '{"e": <aws.pipes.event>, "j": <aws.pipes.event.json>, "n": "<aws.pipes.pipe-name>"}',
        '{"all": <$..id>, "root": <$.>, "none": <$..none>, "o": "<$.data.o>"}',
        "<$.data.id>",
        "text <$.data.o>",
        '{"o": <$.data.o>}',
    ],
)
def test_nothing_is_warned_of_where_aws_does_the_same(template: str) -> None:
    assert warnings_of(template, PLAIN) == []


QUOTED = {"a": 'say "x"', "o": {"k": 'a "b"'}}


@pytest.mark.parametrize(
    ("template", "payload", "expected"),
    [
        ('{"a": <$.data.no>}', {}, [("path_to_nothing", "<$.data.no>")]),
        ('{"a": "x<$.data.no>"}', {}, [("path_to_nothing", "<$.data.no>")]),
        ("text <$.data.no>", {}, [("path_to_nothing", "<$.data.no>")]),
        ("<$.data.no>", {}, [("path_to_nothing", "<$.data.no>")]),
        ('{"a": <$.no[*]>}', {}, [("path_to_nothing", "<$.no[*]>")]),
        ('{"a": <$.data.a>}', QUOTED, [("escaped_value", "<$.data.a>")]),
        ('{"a": "<$.data.a>"}', QUOTED, [("escaped_value", "<$.data.a>")]),
        ('{"a": "<$.data.o>"}', QUOTED, [("escaped_value", "<$.data.o>")]),
        ('{"a": "<$.data>"}', {"k": "v"}, []),
        ('{"a": "<$.data>"}', "a\\b", [("escaped_value", "<$.data>")]),
        ('{"a": <$.data>}', "a\nb", [("escaped_value", "<$.data>")]),
        ('{"a": "<$.data>"}', {"k": "a\nb"}, [("escaped_value", "<$.data>")]),
        ('{"a": <$.data>}', {"k": "a\nb"}, []),
        ('{"a": <$.data..k>}', {"k": "a\nb"}, []),
        ('"<aws.pipes.event>"', {}, [("escaped_value", "<aws.pipes.event>")]),
        ("text <$.data.a>", QUOTED, []),
        ("<$.data>", QUOTED, [("unquoted_json", "<$.data>")]),
        (" <$.data.o> ", QUOTED, [("unquoted_json", "<$.data.o>")]),
        ("<$.data[*]>", [1], [("unquoted_json", "<$.data[*]>")]),
        ("<$.>", {}, [("unquoted_json", "<$.>")]),
        ("<$.data.a>", QUOTED, []),
        ("<$.data.a><$.data.o>", QUOTED, []),
        ('{"a": <$.data.>}', {}, [("unreadable_path", "<$.data.>")]),
        ("<$data>", {}, [("unreadable_path", "<$data>")]),
        (
            r'{"a": "\u003c$.data.id\u003e", "b": "x \u003Caws.pipes.pipe-name\u003E"}',
            {},
            [
                ("escaped_placeholder", r"\u003c$.data.id"),
                ("escaped_placeholder", r"\u003Caws.pipes.pipe-name"),
            ],
        ),
    ],
)
def test_what_aws_may_do_in_another_way_is_a_warning(
    template: str, payload: Any, expected: list[tuple[str, str]]
) -> None:
    assert warnings_of(template, payload) == sorted(expected)


def test_the_decoded_event_without_a_value_is_a_warning() -> None:
    template = Template.parse('{"e": <aws.pipes.event.json>}')
    _, observed = template.render_all([holding_text("plain")], CONTEXT)
    assert observed == {
        TemplateWarning(WarningKind.PATH_TO_NOTHING, "<aws.pipes.event.json>"),
    }


def test_a_warning_of_many_records_is_one() -> None:
    payloads = [{"a": '"'}, {"a": "\\"}, {}, {}, {"a": 1}]
    assert warnings_of('{"a": <$.data.a>, "b": <$.data.b>}', *payloads) == [
        ("escaped_value", "<$.data.a>"),
        ("path_to_nothing", "<$.data.a>"),
        ("path_to_nothing", "<$.data.b>"),
    ]


def test_a_line_says_where_what_aws_may_do_and_what_to_write() -> None:
    warnings = [TemplateWarning(kind, f"<$.{letter}>") for kind in WarningKind for letter in "ba"]
    lines = warning_lines(warnings, "target", needs_json=True)
    assert lines.keys() == set(WarningKind)
    for line in lines.values():
        assert line.startswith("InputTemplate of the target, <$.a>, <$.b>: ")
        assert "AWS" in line
        assert line.endswith(".")
        assert "\n" not in line
    assert WarningKind.UNQUOTED_JSON not in warning_lines(warnings, "target", needs_json=False)


@given(values)
def test_a_value_that_a_template_in_json_has_to_escape_gives_a_warning(
    payload: Any,
) -> None:
    """The value between quotes, as AWS may insert it, makes invalid JSON or another text."""
    # Text that UTF-8 cannot encode is replaced in free text, and escaped in JSON.
    assume(not re.search("[\ud800-\udfff]", json.dumps(payload, ensure_ascii=False)))
    parsed = Template.parse('{"field": "<$.data.a>"}')
    texts, observed = parsed.render_all([holding({"a": payload})], CONTEXT)
    alone, _ = Template.parse("x<$.data.a>").render_all([holding({"a": payload})], CONTEXT)
    unescaped = alone[0][1:]
    try:
        differs = json.loads(f'{{"field": "{unescaped}"}}') != json.loads(texts[0])
    except ValueError:
        differs = True
    if differs:
        assert observed == {TemplateWarning(WarningKind.ESCAPED_VALUE, "<$.data.a>")}


def test_what_a_path_finds_again_and_again_counts_each_time_before_it_is_written() -> None:
    event = holding_text('{"a":' * 300 + json.dumps("x" * 100_000) + "}" * 300)
    tracemalloc.start()
    for template in ('{"a": <$..a>}', '{"a": "<$..*>"}', "<$..a>", "a <$.data..*>"):
        with pytest.raises(TooLargeError, match="6 MB"):
            Template.parse(template).render_all([event], CONTEXT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30_000_000


@given(st.text('<>$.a[]*"\\{}:, aws.pipes-event01\n', max_size=40))
def test_any_text_is_a_template_or_is_refused(text: str) -> None:
    with suppress(TemplateError):
        rendered, is_json = render_one(Template.parse(text), holding({"a": '"'}), CONTEXT)
        if is_json:
            strict(rendered)
