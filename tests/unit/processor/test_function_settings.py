"""The function's environment."""

from __future__ import annotations

import pytest

from inventory.stock import RemovalNamePolicy
from processor.settings import Settings, SettingsError
from processor.writes import Tables

TABLES = Tables("product_inventory", "inventory_removals")
REQUIRED = {
    "TABLE_NAME": TABLES.rows,
    "REMOVALS_TABLE_NAME": TABLES.removals,
    "FAILURES_TOPIC_ARN": "arn:aws:sns:::t",
}


def test_three_variables_are_enough() -> None:
    expected = Settings(TABLES, "arn:aws:sns:::t", RemovalNamePolicy.IGNORE, 4)
    assert Settings.from_env(REQUIRED) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TABLE_NAME", ""),
        ("REMOVALS_TABLE_NAME", ""),
        ("FAILURES_TOPIC_ARN", ""),
        ("REMOVAL_NAME_POLICY", "maybe"),
        ("TABLE_CONCURRENCY", "0"),
        ("TABLE_CONCURRENCY", "many"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        Settings.from_env(REQUIRED | {variable: value})
