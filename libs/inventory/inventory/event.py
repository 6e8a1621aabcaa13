"""The event contract: turn the bytes of a record into an event, or say why they are none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Any, ClassVar, TypeVar

import fastjsonschema

MAX_LEVEL = 10**38 - 1
"""The largest quantity of a row: DynamoDB keeps 38 digits of a number."""

MAX_NESTING = 100
"""How deep arrays and objects can be nested: far below the limit of any Python version, so that
all readers of an event agree on it."""

_ABOVE_ALL_LEVELS = Decimal(10) ** 40

KEY_DIFFERS = "partition_key.differs"
"""The code of a valid event whose record has another partition key than its product id."""

T = TypeVar("T")

NO_TIMESTAMP = "N/A"


class InvalidEventError(Exception):
    """The event breaks the contract, and will never be accepted.

    `event_id` and `product_id` are the event's own, where the contract allows them. `code` is the
    same for all events with this fault: "<field>.<kind>".
    """

    event_id: str | None = None
    product_id: str | None = None

    def __init__(self, field: str, problem: str, kind: str = "invalid") -> None:
        super().__init__(f"{field} {problem}")
        self.field = field
        self.code = f"{field}.{kind}"


@dataclass(frozen=True, slots=True)
class Event:
    """`sequence_number` is that of its record, and rises within a shard."""

    event_type: ClassVar[str]

    product_id: str
    sequence_number: int
    event_id: str | None


@dataclass(frozen=True, slots=True)
class ProductAdded(Event):
    """The product has exactly these values now, whether it existed before or not."""

    event_type = "product_added"

    product_name: str
    quantity: int
    timestamp: str


@dataclass(frozen=True, slots=True)
class ProductRemoved(Event):
    """The product is gone. Only RemovalNamePolicy looks at the name, which can be of any type."""

    event_type = "product_removed"

    product_name: object


@dataclass(frozen=True, slots=True)
class QuantitySet(Event):
    """The product has this quantity now."""

    event_type = "product_quantity_changed"

    quantity: int


@dataclass(frozen=True, slots=True)
class QuantityMoved(Event):
    """The quantity rises or falls by `change`."""

    event_type = "product_quantity_changed"

    change: int


def parse(data: bytes, sequence_number: int) -> Event:
    """Return the event that a record's data holds, whatever its partition key.

    Raises InvalidEventError for what is not UTF-8, not JSON, or not valid by
    `inventory_event.schema.json`.
    """
    constants: list[str] = []
    document = _load(data, constants)
    try:
        _validate(document)
        if constants:  # in a field that the contract does not name
            raise InvalidEventError("data", f"is not JSON: it holds {constants[0]}", "not_json")
        return _event(document, sequence_number)
    except fastjsonschema.JsonSchemaValueException as error:
        raise _with_ids(_explained(error), document) from None
    except InvalidEventError as error:
        raise _with_ids(error, document) from None


def parse_record(data: bytes, partition_key: str, sequence_number: int) -> Event:
    """Return the event that a record carries.

    Raises InvalidEventError as `parse` does, and if the partition key is not the product id: then
    the record may be in another shard than the product's other events, and the sequence numbers of
    two shards do not say which record is newer.
    """
    event = parse(data, sequence_number)
    if partition_key != event.product_id:
        error = InvalidEventError("partition_key", "is not the product id", "differs")
        error.event_id, error.product_id = event.event_id, event.product_id
        raise error
    return event


def claims(data: bytes) -> tuple[str | None, str | None]:
    """Return the event id and the product id of an event, valid or not, where they are valid."""
    try:
        event = parse(data, 0)
    except InvalidEventError as error:
        return error.event_id, error.product_id
    return event.event_id, event.product_id


def _event(document: dict[str, Any], sequence_number: int) -> Event:
    product = document["product"]
    common = (
        _text("product.product_id", product["product_id"]),
        sequence_number,
        _text("event_id", document.get("event_id")),
    )
    match document["event_type"]:
        case "product_added":
            return ProductAdded(
                *common,
                product_name=_text("product.product_name", product["product_name"]),
                quantity=int(product["quantity"]),
                timestamp=_text("product.timestamp", product.get("timestamp", NO_TIMESTAMP)),
            )
        case "product_removed":
            return ProductRemoved(*common, product_name=product.get("product_name"))
        case _ if "quantity" in product:
            return QuantitySet(*common, quantity=int(product["quantity"]))
        case _:
            return QuantityMoved(*common, change=int(product["quantity_change"]))


def _load(data: bytes, constants: list[str]) -> Any:
    """Return the document; add each NaN and Infinity, which JSON does not have, to `constants`."""

    def constant(name: str) -> float:
        constants.append(name)
        return float(name)

    try:
        text = data.decode("utf-8")
        if _is_deep(text):
            raise InvalidEventError("data", "is nested too deeply", "too_deep")
        return json.loads(text, parse_float=_number, parse_constant=constant)
    except UnicodeDecodeError as error:
        raise InvalidEventError("data", f"is not UTF-8 (byte {error.start})", "not_utf8") from None
    except ValueError as error:  # also an integer of more digits than Python converts
        raise InvalidEventError("data", f"is not JSON: {error}", "not_json") from None


_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?+|([\[{])|([\]}])', re.DOTALL)


def _is_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_NESTING:
        return False
    nesting = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        nesting += (token[1] is not None) - (token[2] is not None)
        if nesting > MAX_NESTING:
            return True
    return False


def _number(literal: str) -> int | float:
    """Read a JSON number with a point or an exponent: 15.0 and 1e3 are whole, 1.5 is not."""
    try:
        number = Decimal(literal)
    except InvalidOperation:  # an exponent of more digits than it counts
        return _Fraction(literal)
    if number.copy_abs() < _ABOVE_ALL_LEVELS and number == number.to_integral_value():
        return int(number)
    return _Fraction(literal)


class _Fraction(float):
    """A number that is not whole, even if its nearest float is: the schema asks `is_integer`."""

    def is_integer(self) -> bool:
        return False


def _text(field: str, value: T) -> T:
    """Return `value` if DynamoDB can hold it: JSON can escape half a surrogate pair, UTF-8 not."""
    is_plain = not isinstance(value, str) or value.isascii()
    if not is_plain and any("\ud800" <= c <= "\udfff" for c in str(value)):
        raise InvalidEventError(field, "holds half a surrogate pair, which UTF-8 cannot hold")
    return value


def _explained(error: fastjsonschema.JsonSchemaValueException) -> InvalidEventError:
    """Explain the first violation with the schema's titles."""
    field = (error.name or "").removeprefix("data").removeprefix(".")
    if error.rule == "required":
        missing = next(name for name in error.rule_definition if name not in error.value)
        return InvalidEventError(f"{field}.{missing}".removeprefix("."), "is missing", "missing")
    if error.rule == "oneOf":
        return InvalidEventError(
            field, "must have exactly one of quantity and quantity_change", "ambiguous"
        )
    return InvalidEventError(field or "event", f"must be {error.definition['title']}")


def _with_ids(error: InvalidEventError, document: Any) -> InvalidEventError:
    """Add the event's ids: only valid ones, because they go to logs, topics and lists."""
    if isinstance(document, dict):
        product = document.get("product")
        error.event_id = _if_valid(_check_event_id, document.get("event_id"))
        if isinstance(product, dict):
            error.product_id = _if_valid(_check_product_id, product.get("product_id"))
    return error


def is_event_id(value: object) -> bool:
    return _if_valid(_check_event_id, value) is not None


def _if_valid(check: Callable[[object], object], value: Any) -> Any:
    try:
        check(_text("", value))
    except (InvalidEventError, fastjsonschema.JsonSchemaValueException):
        return None
    return value


_SCHEMA = json.loads(files("inventory").joinpath("inventory_event.schema.json").read_text("utf-8"))
_MEMBERS = _SCHEMA["properties"]

_validate = fastjsonschema.compile(_SCHEMA)
_check_event_id = fastjsonschema.compile(_MEMBERS["event_id"])
_check_product_id = fastjsonschema.compile(_MEMBERS["product"]["properties"]["product_id"])
