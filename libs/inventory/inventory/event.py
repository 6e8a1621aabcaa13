"""The event contract: from the bytes of a record to an event, or to the reason why it is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib.resources import files
from typing import Any, TypeVar

import fastjsonschema

MAX_LEVEL = 10**38 - 1
"""The largest level a row can hold: DynamoDB keeps 38 digits of a number."""

MAX_NESTING = 100
"""How deep arrays and objects may be in each other: far from where any Python gives up, so that
every reader of an event, whatever it runs on, takes it for the same."""

_BEYOND_ALL_LEVELS = Decimal(10) ** 40

KEY_DIFFERS = "partition_key.differs"
"""The code of a valid event whose record has another partition key than its product id."""

T = TypeVar("T")

NO_TIMESTAMP = "N/A"


class InvalidEventError(Exception):
    """The event breaks the contract; it will never be accepted, however often it is delivered.

    `event_id` and `product_id` are what it says of itself, where that could be read and may be one.
    `code` is the reason in a word, the same for all events with this fault: "<field>.<kind>".
    """

    event_id: str | None = None
    product_id: str | None = None

    def __init__(self, field: str, problem: str, kind: str = "invalid") -> None:
        super().__init__(f"{field} {problem}")
        self.field = field
        self.code = f"{field}.{kind}"


@dataclass(frozen=True, slots=True)
class Event:
    """What every event has. `sequence_number` is its place in the shard, and grows there."""

    product_id: str
    sequence_number: int
    event_id: str | None


@dataclass(frozen=True, slots=True)
class ProductAdded(Event):
    """The product is there with exactly these values, whether it was before or not."""

    product_name: str
    quantity: int
    timestamp: str


@dataclass(frozen=True, slots=True)
class ProductRemoved(Event):
    """The product is gone. The name, of whatever type it came, matters to the name policy only."""

    product_name: object


@dataclass(frozen=True, slots=True)
class QuantitySet(Event):
    """The level is now this."""

    quantity: int


@dataclass(frozen=True, slots=True)
class QuantityMoved(Event):
    """The level rises, or falls, by this."""

    change: int


def parse(data: bytes, sequence_number: int) -> Event:
    """The event that a record's data holds, whatever its partition key.

    Raises InvalidEventError, which names the field, for what is not UTF-8, not JSON, or not valid
    by `inventory_event.schema.json`.
    """
    constants: list[str] = []
    document = _load(data, constants)
    try:
        _validate(document)
        if constants:  # where the contract has no say
            raise InvalidEventError("data", f"is not JSON: it holds {constants[0]}", "not_json")
        return _event(document, sequence_number)
    except fastjsonschema.JsonSchemaValueException as error:
        raise _claiming(_explained(error), document) from None
    except InvalidEventError as error:
        raise _claiming(error, document) from None


def parse_record(data: bytes, partition_key: str, sequence_number: int) -> Event:
    """The event that a record carries.

    Raises InvalidEventError as `parse` does, and for a record whose partition key is not the
    product id: it may lie in another shard than the product's other events, and sequence numbers
    of two shards say nothing about the order of their records.
    """
    event = parse(data, sequence_number)
    if partition_key != event.product_id:
        error = InvalidEventError("partition_key", "is not the product id", "differs")
        error.event_id, error.product_id = event.event_id, event.product_id
        raise error
    return event


def claims(data: bytes) -> tuple[str | None, str | None]:
    """The event id and the product id that a record's data, valid or not, says it has."""
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
    """The document; `constants` gets its NaN and Infinity, which JSON does not know."""

    def constant(name: str) -> float:
        constants.append(name)
        return float(name)

    try:
        text = data.decode("utf-8")
        if _is_deep(text):
            raise InvalidEventError("data", "is nested too deeply", "too_deep")
        return json.loads(text, parse_float=whole_if_exact, parse_constant=constant)
    except UnicodeDecodeError as error:
        raise InvalidEventError("data", f"is not UTF-8 (byte {error.start})", "not_utf8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidEventError("data", f"is not JSON: {error.msg} ({where})", "not_json") from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise InvalidEventError(
            "data", f"is not JSON that can be read: {error}", "not_json"
        ) from None


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


def whole_if_exact(literal: str) -> int | float:
    """What a JSON number with a point or an exponent stands for.

    15.0 and 1e3 are whole numbers, exactly; anything else is a float, and none to the schema.
    """
    try:
        number = Decimal(literal)
    except InvalidOperation:  # an exponent of more digits than it counts
        return _Fraction(literal)
    if number.copy_abs() < _BEYOND_ALL_LEVELS and number == number.to_integral_value():
        return int(number)
    return _Fraction(literal)


class _Fraction(float):
    """A number that is not whole, though its nearest float may be."""

    def is_integer(self) -> bool:
        return False


def _text(field: str, value: T) -> T:
    """`value`, which DynamoDB can hold. JSON may escape half a surrogate pair; UTF-8 cannot."""
    is_plain = not isinstance(value, str) or value.isascii()
    if not is_plain and any("\ud800" <= c <= "\udfff" for c in str(value)):
        raise InvalidEventError(field, "holds half a surrogate pair, which UTF-8 cannot hold")
    return value


def _explained(error: fastjsonschema.JsonSchemaValueException) -> InvalidEventError:
    """The first violation, in the words of the schema's own titles."""
    field = (error.name or "").removeprefix("data").removeprefix(".")
    if error.rule == "required":
        missing = next(name for name in error.rule_definition if name not in error.value)
        return InvalidEventError(f"{field}.{missing}".removeprefix("."), "is missing", "missing")
    if error.rule == "oneOf":
        return InvalidEventError(
            field, "must have exactly one of quantity and quantity_change", "ambiguous"
        )
    return InvalidEventError(field or "event", f"must be {error.definition['title']}")


def _claiming(error: InvalidEventError, document: Any) -> InvalidEventError:
    match document:
        case {"event_id": event_id} if _may_be(_is_event_id, event_id):
            error.event_id = event_id
    match document:
        case {"product": {"product_id": product_id}} if _may_be(_is_product_id, product_id):
            error.product_id = product_id
    return error


def _may_be(is_id: Callable[[object], object], value: object) -> bool:
    """Ids go to logs, topics and lists: what breaks the contract may be of any length."""
    try:
        is_id(_text("", value))
    except (InvalidEventError, fastjsonschema.JsonSchemaValueException):
        return False
    return True


_SCHEMA = json.loads(files("inventory").joinpath("inventory_event.schema.json").read_text("utf-8"))
_MEMBERS = _SCHEMA["properties"]

_validate = fastjsonschema.compile(_SCHEMA)
_is_event_id = fastjsonschema.compile(_MEMBERS["event_id"])
_is_product_id = fastjsonschema.compile(_MEMBERS["product"]["properties"]["product_id"])
