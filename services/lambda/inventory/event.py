"""The event contract: from the bytes of a record to an event, or to the reason why it is none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any, TypeVar

import fastjsonschema

MAX_LEVEL = 10**38 - 1
"""The largest level a row can hold: DynamoDB keeps 38 digits of a number."""

T = TypeVar("T")

NO_TIMESTAMP = "N/A"


class InvalidEventError(Exception):
    """The event breaks the contract; it will never be accepted, however often it is delivered.

    `event_id` and `product_id` are what it says of itself, where that could be read.
    """

    event_id: str | None = None
    product_id: str | None = None

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}")
        self.field = field


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
    """The event that a record's data holds.

    Raises InvalidEventError, which names the field, for what is not UTF-8, not JSON, or not valid
    by `inventory_event.schema.json`.
    """
    constants: list[str] = []
    document = _load(data, constants)
    try:
        _validate(document)
        if constants:  # where the contract has no say
            raise InvalidEventError("data", f"is not JSON: it holds {constants[0]}")
        return _event(document, sequence_number)
    except fastjsonschema.JsonSchemaValueException as error:
        raise _claiming(_explained(error), document) from None
    except InvalidEventError as error:
        raise _claiming(error, document) from None


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
        return json.loads(
            data.decode("utf-8"), parse_float=_whole_if_exact, parse_constant=constant
        )
    except UnicodeDecodeError as error:
        raise InvalidEventError("data", f"is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidEventError("data", f"is not JSON: {error.msg} ({where})") from None
    except RecursionError:
        raise InvalidEventError("data", "is nested too deeply") from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise InvalidEventError("data", f"is not JSON that can be read: {error}") from None


def _whole_if_exact(literal: str) -> int | float:
    """15.0 and 1e3 are whole numbers, exactly; anything else stays a float, for the schema."""
    number = Decimal(literal)
    if -1 <= number.adjusted() <= 40 and number == number.to_integral_value():
        return int(number)
    return float(literal)


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
        return InvalidEventError(f"{field}.{missing}".removeprefix("."), "is missing")
    if error.rule == "oneOf":
        return InvalidEventError(field, "must have exactly one of quantity and quantity_change")
    return InvalidEventError(field or "event", f"must be {error.definition['title']}")


def _claiming(error: InvalidEventError, document: Any) -> InvalidEventError:
    match document:
        case {"event_id": str(event_id)}:
            error.event_id = event_id
    match document:
        case {"product": {"product_id": str(product_id)}}:
            error.product_id = product_id
    return error


_validate = fastjsonschema.compile(
    json.loads(files("inventory").joinpath("inventory_event.schema.json").read_text("utf-8"))
)
