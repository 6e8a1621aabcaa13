"""The contract of an event: what is accepted as what, and which field a refusal names."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.event import (
    MAX_LEVEL,
    MAX_NESTING,
    Event,
    InvalidEventError,
    ProductAdded,
    ProductRemoved,
    QuantityMoved,
    QuantitySet,
    parse,
)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def event(event_type: str = "product_added", **product: Any) -> bytes:
    return json.dumps({"event_type": event_type, "product": product}).encode()


def added(**product: Any) -> bytes:
    defaults: dict[str, Any] = {"product_id": "P1", "product_name": "Tablet", "quantity": 1}
    return event(**defaults | product)


def refusal(data: bytes) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        parse(data, 7)
    return caught.value


def parsed_or_refused(data: bytes) -> Event | InvalidEventError:
    try:
        return parse(data, 7)
    except InvalidEventError as error:
        return error


def test_an_added_product_is_read_with_all_its_fields() -> None:
    data = json.dumps(
        {
            "event_type": "product_added",
            "event_id": "01JD9Z",
            "product": {
                "product_id": "P42",
                "product_name": "Tablet",
                "quantity": 15,
                "timestamp": "2023-07-22 08:15:33",
            },
        }
    ).encode()
    assert parse(data, 7) == ProductAdded("P42", 7, "01JD9Z", "Tablet", 15, "2023-07-22 08:15:33")


def test_a_missing_timestamp_is_not_available() -> None:
    assert parse(added(), 7) == ProductAdded("P1", 7, None, "Tablet", 1, "N/A")


@pytest.mark.parametrize("written", ["15", "0015", 15, 15.0])
def test_a_whole_quantity_is_a_number_however_it_is_written(written: object) -> None:
    parsed = parse(added(quantity=written), 7)
    assert isinstance(parsed, ProductAdded)
    assert parsed.quantity == 15
    assert type(parsed.quantity) is int


def test_large_whole_numbers_keep_every_digit() -> None:
    data = added(quantity=0).replace(b'"quantity": 0', b'"quantity": 12345678901234567890123.0')
    parsed = parse(data, 7)
    assert isinstance(parsed, ProductAdded)
    assert parsed.quantity == 12345678901234567890123


@pytest.mark.parametrize(
    "quantity",
    [
        True,
        False,
        None,
        1.5,
        -1,
        "",
        "-1",
        "1.5",
        " 1",
        "1\n",
        "١",  # noqa: RUF001 - a digit, but none of DynamoDB's
        "NaN",
        "1e3",
        [],
        {},
        MAX_LEVEL + 1,
        str(MAX_LEVEL + 1),
    ],
)
def test_any_other_quantity_is_refused_by_name(quantity: object) -> None:
    assert refusal(added(quantity=quantity)).field == "product.quantity"


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity"])
def test_what_json_does_not_know_is_no_quantity_and_nothing_else_either(literal: bytes) -> None:
    error = refusal(added(quantity=0).replace(b'"quantity": 0', b'"quantity": ' + literal))
    assert error.field == "product.quantity"
    error = refusal(added(colour=0).replace(b'"colour": 0', b'"colour": ' + literal))
    assert str(error) == f"data is not JSON: it holds {literal.decode()}"


@pytest.mark.parametrize(
    "literal",
    [
        b"1e999999999",
        b"1e9999999999999999999",
        b"1e-9999999999999999999",
        b"1e-400",
        b"1.00000000000000000000000001",
        b"9007199254740993.5",
    ],
)
def test_a_number_beyond_all_bounds_or_next_to_a_whole_one_is_refused(literal: bytes) -> None:
    data = added(quantity=0).replace(b'"quantity": 0', b'"quantity": ' + literal)
    assert refusal(data).field == "product.quantity"


def test_how_deep_an_event_may_be_is_the_same_wherever_it_is_read() -> None:
    def nested(depth: int) -> bytes:
        return added(more=0).replace(b"0", b"[" * depth + b"]" * depth)

    in_text = added(more='"' + "[" * 200)
    assert isinstance(parse(nested(MAX_NESTING - 2), 7), ProductAdded)
    assert isinstance(parse(in_text, 7), ProductAdded)
    assert str(refusal(nested(MAX_NESTING - 1))) == "data is nested too deeply"


@pytest.mark.parametrize("product_id", ["", "x" * 257, 5, None, ["P1"]])
def test_an_id_that_is_empty_overlong_or_no_text_is_refused_by_name(product_id: object) -> None:
    for event_type in ("product_added", "product_removed", "product_quantity_changed"):
        data = event(event_type, product_id=product_id, product_name="T", quantity=1)
        assert refusal(data).field == "product.product_id"


def test_the_longest_id_is_accepted() -> None:
    assert parse(added(product_id="😀" * 256), 7).product_id == "😀" * 256


@pytest.mark.parametrize("event_type", ["product_sold", "", None, 5, ["product_added"]])
def test_an_unknown_type_is_refused_by_name(event_type: Any) -> None:
    data = event(event_type, product_id="P1", product_name="T", quantity=1)
    assert refusal(data).field == "event_type"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"{}", "event_type"),
        (b'{"event_type": "product_added"}', "product"),
        (event(product_name="T", quantity=1), "product.product_id"),
        (event(product_id="P1", quantity=1), "product.product_name"),
        (event(product_id="P1", product_name="T"), "product.quantity"),
    ],
)
def test_a_missing_field_is_named(data: bytes, field: str) -> None:
    assert str(refusal(data)) == f"{field} is missing"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe", "data is not UTF-8 (byte 0)"),
        (b"", "data is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"{", "data is not JSON: Expecting property name enclosed in double quotes"),
        (b"[" * 100_000, "data is nested too deeply"),
        (b"1" * 5_000, "data is not JSON: Exceeds the limit"),
        (b"[]", "event must be an inventory event, a JSON object"),
        (b"null", "event must be an inventory event, a JSON object"),
        (b'{"event_type": "product_added", "product": 5}', "product must be a JSON object"),
    ],
)
def test_what_is_no_json_object_in_utf8_is_refused(data: bytes, reason: str) -> None:
    assert str(refusal(data)).startswith(reason)


def test_half_a_surrogate_pair_is_refused_since_the_table_cannot_hold_it() -> None:
    for field in ("product_id", "product_name", "timestamp"):
        assert refusal(added(**{field: "\ud800"})).field == f"product.{field}"


def test_a_removal_needs_an_id_only_whatever_the_rest_says() -> None:
    data = event("product_removed", product_id="P1", quantity=-1, timestamp=[], product_name="X")
    assert parse(data, 7) == ProductRemoved("P1", 7, None, "X")


def test_a_change_is_a_new_level_or_a_signed_move() -> None:
    kind = "product_quantity_changed"
    assert parse(event(kind, product_id="P1", quantity="9"), 7) == QuantitySet("P1", 7, None, 9)
    for written in (-9, "-9"):
        moved = parse(event(kind, product_id="P1", quantity_change=written), 7)
        assert moved == QuantityMoved("P1", 7, None, -9)
    assert parse(event(kind, product_id="P1", quantity_change="+9"), 7) == QuantityMoved(
        "P1", 7, None, 9
    )


@pytest.mark.parametrize("members", [{}, {"quantity": 1, "quantity_change": 1}])
def test_a_change_must_say_exactly_one_of_the_two(members: dict[str, int]) -> None:
    error = refusal(event("product_quantity_changed", product_id="P1", **members))
    assert str(error) == "product must have exactly one of quantity and quantity_change"


def test_a_refusal_tells_the_ids_that_the_event_claims() -> None:
    data = b'{"event_type": "?", "event_id": "e1", "product": {"product_id": "P1"}}'
    error = refusal(data)
    assert (error.event_id, error.product_id) == ("e1", "P1")


def test_every_product_id_can_be_a_partition_key() -> None:
    model = botocore.session.get_session().get_service_model("kinesis")
    key = model.shape_for("PartitionKey").metadata
    schema = json.loads(files("inventory").joinpath("inventory_event.schema.json").read_text())
    product_id = schema["properties"]["product"]["properties"]["product_id"]
    assert (product_id["minLength"], product_id["maxLength"]) == (key["min"], key["max"])
    assert refusal(added(product_id="\ud800")).field == "product.product_id"


@pytest.mark.parametrize("claimed", ["", "x" * 257, "\ud800", 5, None, ["e1"]])
def test_what_cannot_be_an_id_is_not_claimed(claimed: object) -> None:
    document = {"event_id": claimed, "product": {"product_id": claimed}}
    error = refusal(json.dumps(document).encode())
    assert (error.event_id, error.product_id) == (None, None)


@given(st.binary() | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_data_is_parsed_or_refused_with_a_field(data: bytes) -> None:
    result = parsed_or_refused(data)
    assert isinstance(result, Event) or str(result).startswith(result.field)


@given(
    st.sampled_from(["product_added", "product_removed", "product_quantity_changed"]),
    st.dictionaries(
        st.sampled_from(["product_id", "product_name", "quantity", "quantity_change", "timestamp"]),
        JSON_VALUES,
    ),
)
def test_an_arbitrary_product_is_parsed_or_refused_with_a_field(
    event_type: str, product: dict[str, Any]
) -> None:
    result = parsed_or_refused(event(event_type, **product))
    if isinstance(result, Event):
        assert result.product_id == product["product_id"]
    else:
        assert str(result).startswith(result.field)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"{", "data.not_json"),
        (b"[1,,2]", "data.not_json"),
        (b'{"a": NaN}', "event_type.missing"),
        (b"\xff", "data.not_utf8"),
        (b"[" * 5000, "data.too_deep"),
        (b"1", "event.invalid"),
        (b"{}", "event_type.missing"),
        (b'{"event_type": "product_sold", "product": {}}', "event_type.invalid"),
        (b'{"event_type": "product_removed", "product": {}}', "product.product_id.missing"),
        (
            b'{"event_type": "product_quantity_changed",'
            b' "product": {"product_id": "P1", "quantity": 1, "quantity_change": 1}}',
            "product.ambiguous",
        ),
        (
            b'{"event_type": "product_added",'
            b' "product": {"product_id": "P1", "product_name": "x", "quantity": -1}}',
            "product.quantity.invalid",
        ),
    ],
)
def test_the_reason_has_a_code_without_any_of_what_came_in(data: bytes, code: str) -> None:
    with pytest.raises(InvalidEventError) as refused:
        parse(data, 1)
    assert refused.value.code == code


FIELDS = st.sampled_from(
    ["product_id", "product_name", "quantity", "quantity_change", "timestamp", "x", "data.y"]
)


@given(
    st.sampled_from(["product_added", "product_removed", "product_quantity_changed", "x"]),
    st.dictionaries(FIELDS, JSON_VALUES),
)
def test_there_are_few_codes_whatever_comes_in(event_type: str, product: dict[str, Any]) -> None:
    try:
        parse(event(event_type, **product), 1)
    except InvalidEventError as error:
        field, _, kind = error.code.rpartition(".")
        assert kind in {"invalid", "missing", "ambiguous", "not_json", "too_deep"}
        assert field in {"data", "event", "event_type", "event_id", "product"} | {
            f"product.{name}"
            for name in ("product_id", "product_name", "quantity", "quantity_change", "timestamp")
        }
