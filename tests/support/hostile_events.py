"""What may come in as a record: hypothesis strategies for events that are nearly valid, or hardly.

Most are one or two changes away from a valid event of one of a few products, so that they get past
the first check and meet rows, and each other.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

PRODUCTS = ("P1", "P2", "P3")
SHARD = "shardId-000000000000"

PLANES = [chr(plane * 0x10000 + 0x20AC) for plane in range(17)]
"""A character, if only a reserved one, of each plane of Unicode."""

HOSTILE_TEXTS = [
    *PLANES,
    "".join(PLANES),
    "\x00",
    "a\x00b",
    "\x1b[31mred\x1b[0m\x07",
    "\r\n2024-01-01 INFO all is well",
    '"}\n{"message": "batch"}',
    "\u2028\u2029\x85\x0b\x0c\x1c",
    "\u202eesrever\u2066",
    "\ufeff\u200b\u00ad",
    "[red]x[/red][/]",
    "%s%n%(x)s {0} {x} ${x} $(x)",
    "<script>alert(1)</script>",
    "'; DROP TABLE product_inventory; --",
    "../../etc/passwd",
    "e\u0301\u0302\u0303",
    " ",
    "",
]
HALVES = ["\ud800", "\udfff\ud800", "a\udc80"] * 3
"""Of surrogate pairs: JSON can write them, UTF-8 cannot."""

LONG_TEXTS = [
    character * length for length in (128, 129, 256, 257, 1024, 1025) for character in ("x", "😀")
] + ["x" * 400_000]
NUMBERS = [
    "0", "-0", "-0.0", "1", "-1", "15.0", "1e3", "1.5", "1E+2", "1e-2", "1e38", "1e39", "1e400",
    "-1e400", "1e-400", "1e9999999999999999999", "0e9999999999999999999", "1" * 38, "1" * 39,
    "-" + "9" * 38, "9007199254740993", "9007199254740992.5", "1" * 400, "1" * 4_300, "1" * 4_301,
    "1." + "0" * 5_000, "0." + "0" * 5_000 + "1", "NaN", "Infinity", "-Infinity",
]  # fmt: skip
DIGITS = ["15", "0015", "+5", "-5", "", " 1", "1\n", "\u0661", "1_000", "0x1", "9" * 38, "9" * 39]


@dataclass(frozen=True)
class Literal:
    """JSON as it is written, which no value of Python's stands for."""

    text: str


def nested(depth: int) -> Literal:
    return Literal("[" * depth + "]" * depth)


TEXTS = st.text(max_size=20) | st.sampled_from(HOSTILE_TEXTS + HALVES) | st.sampled_from(LONG_TEXTS)
LITERALS = st.sampled_from(NUMBERS).map(Literal)
NESTED = st.sampled_from([1, 99, 100, 101, 990, 100_000]).map(nested)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS | LITERALS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
ANYTHING = JSON_VALUES | NESTED | st.sampled_from(DIGITS) | st.sampled_from(PRODUCTS)


def likely(name: str) -> st.SearchStrategy[Any]:
    """Values for a member of this name: many of a kind that it may nearly have."""
    if "quantity" in name or "Timestamp" in name:
        return LITERALS | LITERALS | st.sampled_from(DIGITS) | ANYTHING
    return TEXTS | ANYTHING


class Members(list[tuple[str, Any]]):
    """Those of a JSON object, in their order; a name may come twice."""


@st.composite
def valid_events(draw: st.DrawFn) -> Members:
    product = Members([("product_id", draw(st.sampled_from(PRODUCTS)))])
    kind = draw(
        st.sampled_from(["added", "added", "removed", "quantity_changed", "quantity_changed"])
    )
    match kind:
        case "added":
            name = draw(st.sampled_from(["Tablet", "<script>alert(1)</script>", "%s {0} [red]"]))
            product += [("product_name", name), ("quantity", draw(st.integers(0, 99)))]
            if draw(st.integers(0, 3)):
                product.append(("timestamp", "2023-07-22 08:15:33"))
        case "quantity_changed":
            change = draw(st.sampled_from(["quantity", "quantity_change"]))
            product.append((change, draw(st.integers(0, 50))))
    event = Members([("event_type", f"product_{kind}"), ("product", product)])
    if draw(st.booleans()):
        event.append(("event_id", f"e{draw(st.integers(0, 9))}"))
    return event


OF_EVENTS = ["event_type", "event_id", "event_id", "product"]
OF_PRODUCTS = ["product_id", "product_name", "quantity", "quantity_change", "timestamp", "more", ""]
CHANGES = ["replaced", "replaced", "replaced", "added", "removed"]


@st.composite
def near_events(draw: st.DrawFn) -> Members:
    """A valid event after some changes."""
    event = draw(valid_events())
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        [product] = [value for key, value in event if key == "product"][:1] or [None]
        there = [key for key, _ in product] if isinstance(product, Members) else []
        name = draw(st.sampled_from([*there * 3, *OF_EVENTS, *OF_PRODUCTS]))
        within = product if name in OF_PRODUCTS and isinstance(product, Members) else event
        places = [place for place, (key, _) in enumerate(within) if key == name]
        change = draw(st.sampled_from(CHANGES))
        if places and change != "added":
            del within[places[0]]
        if change != "removed":
            within.insert(draw(st.integers(0, len(within))), (name, draw(likely(name))))
    return event


def written(value: Any) -> str:
    """The JSON of a value with literals and members in it; halves of pairs are escaped."""
    match value:
        case Literal(text):
            return text
        case Members():
            return f"{{{', '.join(f'{json.dumps(n)}: {written(v)}' for n, v in value)}}}"
        case dict():
            return written(Members(value.items()))
        case list():
            return f"[{', '.join(map(written, value))}]"
    return json.dumps(value)


@st.composite
def encoded(draw: st.DrawFn, text: str) -> bytes:
    """The bytes of a text: UTF-8 in most cases, whole in most cases."""
    match draw(st.sampled_from(["whole"] * 24 + ["BOM", "UTF-16", "cut", "more", "broken"])):
        case "BOM":
            return text.encode("utf-8-sig")
        case "UTF-16":
            return text.encode("utf-16")
        case "cut":
            return text.encode()[: draw(st.integers(0, len(text)))]
        case "more":
            return text.encode() + draw(st.binary(min_size=1, max_size=5))
        case "broken":
            place = draw(st.integers(0, len(text)))
            strange = draw(st.sampled_from([b"\xff", b"\xc0\x80", b"\xed\xa0\x80"]))
            return text[:place].encode() + strange + text[place:].encode()
    return text.encode()


ONE_MEBIBYTE = [b"x" * 2**20, "😀".encode() * 2**18, b"\xff" * 2**20]

NEAR = near_events().map(written).flatmap(encoded)
PAYLOADS: st.SearchStrategy[bytes] = st.one_of(
    *[NEAR] * 9,
    ANYTHING.map(written).flatmap(encoded),
    st.binary(max_size=200) | st.sampled_from(ONE_MEBIBYTE),
)
"""The data of a record."""


def key_of(payload: bytes) -> str:
    """The partition key that belongs to an event; of one whose product id can be none, any."""
    try:
        key = json.loads(payload)["product"]["product_id"]
        return key if 1 <= len(key) <= 256 and key.encode() else "any"
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return "any"


def flat(number: int, payload: bytes, key: str | None = None) -> dict[str, Any]:
    """A record as a pipe sends it, under its product's id or another `key`."""
    return {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": key_of(payload) if key is None else key,
        "sequenceNumber": f"{number:030d}",
        "data": base64.b64encode(payload).decode(),
        "approximateArrivalTimestamp": 1700000000.5,
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{SHARD}:{number:030d}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::000000000000:role/pipe",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
    }


def nested_records(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The same as an event source mapping sends them."""

    def one(record: dict[str, Any]) -> dict[str, Any]:
        envelope = {k: v for k, v in record.items() if k.startswith(("event", "aws", "invoke"))}
        return {**envelope, "kinesis": {k: v for k, v in record.items() if k not in envelope}}

    return {"Records": list(map(one, records))}
