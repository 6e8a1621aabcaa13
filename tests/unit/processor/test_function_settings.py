"""The function's environment."""

from __future__ import annotations

import pytest

from inventory.stock import RemovalNamePolicy
from processor.handler import Settings
from processor.writes import Tables

TABLES = Tables("product_inventory", "inventory_removals")
REQUIRED = {
    "TABLE_NAME": TABLES.rows,
    "REMOVALS_TABLE_NAME": TABLES.removals,
    "FAILURES_TOPIC_ARN": "arn:aws:sns:::t",
}


def test_three_variables_are_enough() -> None:
    expected = Settings(TABLES, "arn:aws:sns:::t", RemovalNamePolicy.IGNORE)
    assert Settings.from_env(REQUIRED) == expected


@pytest.mark.parametrize("variable", REQUIRED)
def test_a_missing_variable_is_named(variable: str) -> None:
    with pytest.raises(KeyError, match=variable):
        Settings.from_env({name: REQUIRED[name] for name in REQUIRED if name != variable})


def test_an_unknown_policy_is_an_error() -> None:
    with pytest.raises(ValueError, match="'maybe' is not a valid RemovalNamePolicy"):
        Settings.from_env({**REQUIRED, "REMOVAL_NAME_POLICY": "maybe"})
