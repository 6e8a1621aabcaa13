"""Requests to the Pipes API, made of botocore's model: hypothesis strategies.

Most are a good request with a value at one or two of the places that the model has which may fit
there, nearly, or not at all: so they get past the first check.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from hostile_events import ANYTHING, HOSTILE_TEXTS, LITERALS, LONG_TEXTS, TEXTS, nested, written
from pipes_requests import (
    ACCOUNT,
    BUS,
    FIFO_QUEUE,
    FUNCTION,
    KINESIS,
    LOG_GROUP,
    QUEUE,
    REGION,
    ROLE,
    STATE_MACHINE,
    STREAM,
    TABLE_STREAM,
    TOPIC,
    definition,
    filtered,
    from_queue,
    from_stream,
    logged,
    to,
    to_log_group,
)
from pipes_shapes import A_KEY, ITEM, KEY, MODEL, PATTERNED, VALUE, Place, places, sample

NAMES = ["p", "q", "r"]
"""Few, so that requests meet the pipes that others made."""

ARNS = [
    *(STREAM, TABLE_STREAM, QUEUE, FIFO_QUEUE, TOPIC, FUNCTION, BUS, STATE_MACHINE, LOG_GROUP),
    *(ROLE, f"arn:aws:pipes:{REGION}:{ACCOUNT}:pipe/p", "arn:aws:s3:::b", "arn:::::", "arn:"),
    "arn:aws:kinesis:us-east-1:000000000000:",
    "arn:aws:sqs:us-east-1:000000000000:a\nb",
    "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
    "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/",
    "smk://" + "a" * 500 + ":9092",
]
EVENT_PATTERNS = [
    "{}", "[]", "null", "1", '"a"', "", "{", '{"data": {"a": [1]}}', '{"data": ["a"]}',
    '{"data": []}', '{"data": {}}', '{"data": {"a": 1}}', '{"data": {"a": [{"prefix": 1}]}}',
    '{"data": {"a": [{"numeric": [">", 1e400]}]}}', '{"data": {"a": [{"numeric": ["=", NaN]}]}}',
    '{"data": {"a": [{"numeric": []}]}}', '{"data": {"a": [{"numeric": [">"]}]}}',
    '{"data": {"a": [{"anything-but": {"prefix": []}}]}}', '{"data": {"a": [{"exists": 1}]}}',
    '{"data": {"a": [{"cidr": "10.0.0.0/99"}]}}', '{"data": {"a": [{"wildcard": "***"}]}}',
    '{"data": {"a": [{"wildcard": "\\\\"}]}}', '{"data": {"$or": []}}', '{"$or": [{}]}',
    '{"$or": [{"data": {"$or": 1}}]}', '{"data": {"a": [{}]}}', '{"data": {"a": [[]]}}',
    '{"data": {"a": [{"suffix": null, "prefix": "a"}]}}', '{"data": {"a": [1' + "0" * 4000 + "]}}",
    '{"data": {"a": ["\\ud800"]}}', '{"": {"": [""]}}', '{"a": [1], "a": [2]}',
    '{"a": ' * 600 + "[1]" + "}" * 600, '{"$or": [' * 400 + "1", "[" * 4_096,
    '{"data": {"a": [1e9999999999999999999]}}', '{"data": {"a": [{"wildcard": "' + "*a" * 1_500,
]  # fmt: skip
TEMPLATES = [
    "<$.data>", '{"a": <$.data.a[0]>}', '"<aws.pipes.event>"', "<aws.pipes.nothing>", "<", ">",
    "<>", "<<>>", "<$>", "<$.>", "<$.a", "{<$.a>}", '{"a": "<$.b>', "\\<$.a\\>", "{",
    "null", "[" * 8_192, '{"a": ' * 1_300, "<$.a>" * 1_600, "<" * 8_192, "<$." + "a" * 8_000 + ">",
    "\x00<$.a>",
    "<$.a[99999999999999999999]>", "<$.a[-1]>", "<$['a']>", "<$..a>", "<$.a[*]>", "\ud800<$.a>",
    "<aws.pipes.event.json>", '{"a": <aws.pipes.event.ingestion-time>}', "😀" * 4_000,
]  # fmt: skip
PATHS = [
    "$.a", "$.", "$", "$..", "$.a[", "$.a[0]", "$.a[99999999999999999999]", "$['a']", "$.a.b[*]",
    "$.data.\x00", "$.a" + ".a" * 80, "$.a[[[[", "$.<script>", "$.%s",
]  # fmt: skip
TIMES = [0, -1, 1.5, 10**12, 10**400, -(10**18), "2024-01-01", "2024-13-01", "0001-01-01", "now"]
TIMES += ["9999-12-31T23:59:59-23:59", "2024-01-01T00:00:00+99:99", ""]

STREAM_PARAMETERS: dict[str, Any] = {
    "BatchSize": 10,
    "MaximumRetryAttempts": 3,
    "MaximumRecordAgeInSeconds": 60,
    "OnPartialBatchItemFailure": "AUTOMATIC_BISECT",
    "ParallelizationFactor": 2,
    "DeadLetterConfig": {"Arn": QUEUE},
}
GOOD_PIPES: list[dict[str, Any]] = [
    definition(),
    definition(TABLE_STREAM),
    from_stream(**STREAM_PARAMETERS),
    from_queue(BatchSize=10),
    filtered('{"data": {"a": [1]}}'),
    logged(Level="INFO", **to_log_group()),
    definition(Enrichment=FUNCTION, EnrichmentParameters={"InputTemplate": "<$.data>"}),
    definition(Tags={"a": "b"}, Description="d", DesiredState="STOPPED"),
    to(FUNCTION, InputTemplate='{"a": <$.body>}', LambdaFunctionParameters={}),
    to(QUEUE, SqsQueueParameters={"MessageGroupId": "$.body"}),
    to(STREAM, KinesisStreamParameters={"PartitionKey": "$.body"}),
    to(BUS, EventBridgeEventBusParameters={"DetailType": "$.body", "Source": "orders"}),
    to(LOG_GROUP, CloudWatchLogsParameters={"LogStreamName": "s", "Timestamp": "$.a"}),
    to(STATE_MACHINE, StepFunctionStateMachineParameters={"InvocationType": "FIRE_AND_FORGET"}),
    to(TOPIC),
]
UPDATE_MEMBERS = {place.steps[0] for place in places("UpdatePipe") if len(place.steps) == 1}
PLACES = {operation: list(places(operation)) for operation in MODEL.operation_names}


class ApiRequest(NamedTuple):
    """As it goes over the wire; the target is path and query."""

    operation: str
    method: str
    target: str
    body: str


def values(shape: Any) -> st.SearchStrategy[Any]:
    """Values for a place of this shape: many fit, some nearly do, a few do not at all."""
    named: list[Any] = []
    match shape.type_name:
        case "integer" | "long":
            ends = [shape.metadata.get("min", 0), shape.metadata.get("max", 10)]
            named = [*ends, ends[0] - 1, ends[1] + 1, 10**30, -(10**30)]
        case "timestamp":
            named = TIMES
        case "string":
            named = [*_texts(shape.name), *shape.metadata.get("enum", ()), "", "a\x00\u202e"]
            if "max" in shape.metadata:
                named += ["a" * shape.metadata["max"], "a" * (shape.metadata["max"] + 1)]
    fitting = [st.just(sample(shape))]
    hostile = [st.sampled_from(named)] * 4 if named else []
    return st.one_of(*fitting * 2, *hostile, TEXTS | LITERALS, ANYTHING)


def _texts(name: str) -> list[str]:
    known = [text for text in PATTERNED.get(name, ()) if text is not None]
    if "Arn" in name or name == "URI":
        return known + ARNS
    match name:
        case "PipeName":
            return NAMES * 2 + known
        case "EventPattern":
            return EVENT_PATTERNS
        case "InputTemplate":
            return TEMPLATES
    return known + PATHS


def put(shape: Any, members: Any, steps: tuple[str, ...], value: Any) -> Any:
    """`members` with this value at a place; on the way there, what the shapes need."""
    if not steps:
        return value
    step, *rest = steps
    way = tuple(rest)
    if step == ITEM:
        items = members if isinstance(members, list) and members else [sample(shape.member)]
        return [put(shape.member, items[0], way, value), *items[1:]]
    if step == KEY:
        return {value: sample(shape.value)} if isinstance(value, str) else value
    if step == VALUE:
        return {A_KEY: put(shape.value, sample(shape.value), way, value)}
    inner = shape.members[step]
    beside = members if isinstance(members, dict) else {}
    return {**beside, step: put(inner, beside.get(step, sample(inner)), way, value)}


@st.composite
def inputs(draw: st.DrawFn, operation: str) -> dict[str, Any]:
    """An input of this operation."""
    shape: Any = MODEL.operation_model(operation).input_shape
    members: dict[str, Any] = sample(shape)
    if operation in ("CreatePipe", "UpdatePipe"):
        members = draw(st.sampled_from(GOOD_PIPES))
    if operation == "UpdatePipe":
        members = {k: v for k, v in members.items() if k in UPDATE_MEMBERS}
        start = {"SourceParameters": {"KinesisStreamParameters": {"BatchSize": 5}}}
        members |= start if members.get("SourceParameters") == KINESIS else {}
    if "Name" in shape.members:
        members |= {"Name": draw(st.sampled_from(NAMES))}
    if "resourceArn" in shape.members:
        members |= {"resourceArn": f"arn:aws:pipes:{REGION}:{ACCOUNT}:pipe/{draw(NAME)}"}
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        place: Place = draw(st.sampled_from(PLACES[operation][1:]))
        members = put(shape, members, place.steps, draw(values(place.shape)))
    if draw(UNKNOWN_MEMBER):
        members[draw(TEXTS)] = draw(ANYTHING)
    return members


NAME = st.sampled_from(NAMES)
UNKNOWN_MEMBER = st.sampled_from([False] * 30 + [True])
"""Seldom: the API looks no further. False first, for hypothesis tries the first value most."""


def sent(operation: str, members: dict[str, Any]) -> ApiRequest:
    """The request with these members, each where the model has it, of whatever type it is."""
    model: Any = MODEL.operation_model(operation)
    path, query, body = model.http["requestUri"], [], {}
    for name, value in members.items():
        member = model.input_shape.members.get(name)
        serialization = member.serialization if member else {}
        wire_name = serialization.get("name", name)
        match serialization.get("location"):
            case "uri":
                path = path.replace(f"{{{wire_name}}}", quote(_text(value), safe=""))
            case "querystring":
                items = value if isinstance(value, list) else [value]
                query += [(wire_name, _text(item)) for item in items]
            case _:
                body[wire_name] = value
    target = f"{path}?{urlencode(query)}" if query else path
    return ApiRequest(operation, model.http["method"], target, written(body) if body else "")


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else written(value)
    return text[:20_000].encode("utf-8", "replace").decode()


def requests_of(operation: str) -> st.SearchStrategy[ApiRequest]:
    return inputs(operation).map(lambda members: sent(operation, members))


API_REQUESTS = st.one_of(
    *[requests_of("CreatePipe")] * 4,
    *[requests_of("UpdatePipe")] * 3,
    *map(requests_of, MODEL.operation_names),
)

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "post"]
TARGETS = [
    "/", "//", "/v1/pipes", "/v1/pipes/", "/v1/pipes/p", "/v1/pipes/p/", "/v1/pipes/p/start",
    "/v1/pipes/%70", "/v1/pipes/%", "/v1/pipes/%ff%fe", "/v1/pipes/%00", "/v1/pipes/a%2Fb",
    "/v1/pipes/..%2f..", "/v1/pipes/../../etc/passwd", "/V1/PIPES", "/tags/", "/tags/%61rn",
    "/health", "/metrics", "/health/", "/health?x=%ff", "*", "/v1/pipes?Limit=%00",
    "/v1/pipes?Limit=1&Limit=2", "/v1/pipes?Limit=9e9", "/v1/pipes?Limit=" + "9" * 5_000,
    "/v1/pipes?NextToken=%ff", "/v1/pipes?NextToken=gICA", "/v1/pipes?NextToken=%F0%9F%98%80",
    "/v1/pipes?&&=&=;%=%", "/v1/pipes?" + "a=b&" * 5_000, "/" + "a" * 20_000,
]  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=100),
    st.sampled_from(
        [
            *(b"", b"{", b"null", b"[]", b"\xff\xfe{", b'\xef\xbb\xbf{"Source": "a"}', b"\x00" * 9),
            *('{"Source": "a"}'.encode(code) for code in ("utf-16", "utf-32", "utf-16-be")),
            *(b'{"Source": "\xed\xa0\x80"}', b'{"Source": "\\ud800"}'),
            *(nested(100_000).text.encode(), b'{"a":' * 100_000, b"1" * 5_000, b"NaN"),
        ]
    ),
    st.sampled_from(HOSTILE_TEXTS + LONG_TEXTS).map(lambda text: text.encode("utf-8", "replace")),
)
