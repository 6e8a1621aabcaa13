"""Names and options from the environment."""

from __future__ import annotations

import dataclasses

import pytest

from provisioner import Names, Options, SettingsError
from provisioner.names import VARIABLES as NAME_VARIABLES
from provisioner.options import VARIABLES as OPTION_VARIABLES


def test_without_variables_the_names_are_those_of_the_design() -> None:
    assert dataclasses.asdict(Names.from_env({})) == {
        "stream": "realtimeInventoryProcessing",
        "table": "product_inventory",
        "function": "inventory-processor",
        "pipe": "inventory-pipe",
        "dead_letter_queue": "inventory-pipe-dlq",
        "topic": "inventory-failures",
        "rejected_queue": "inventory-rejected",
        "function_role": "inventory-processor-role",
        "pipe_role": "inventory-pipe-role",
    }


@pytest.mark.parametrize(
    ("settings", "variables"), [(Names, NAME_VARIABLES), (Options, OPTION_VARIABLES)]
)
def test_every_setting_has_a_variable(settings: type, variables: dict[str, object]) -> None:
    assert [field.name for field in dataclasses.fields(settings)] == list(variables)


def test_each_name_is_overridable() -> None:
    environ = {variable: f"other-{field[:5]}" for field, (variable, _) in NAME_VARIABLES.items()}
    environ["PIPE_ROLE_NAME"] = "another"
    environ["DEAD_LETTER_QUEUE_NAME"] = "dead"

    names = Names.from_env(environ)

    assert set(dataclasses.astuple(names)) == set(environ.values())


def test_an_empty_variable_counts_as_unset() -> None:
    assert Names.from_env({"TABLE_NAME": ""}).table == "product_inventory"
    assert Options.from_env({"BATCH_SIZE": ""}).batch_size == 500


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STREAM_NAME", "a b"),
        ("STREAM_NAME", "s" * 129),
        ("TABLE_NAME", "ab"),
        ("FUNCTION_NAME", "f.g"),
        ("PIPE_NAME", "p" * 65),
        ("PIPE_NAME", "pipe\n"),
        ("DEAD_LETTER_QUEUE_NAME", "dlq.fifo"),
        ("TOPIC_NAME", "topic/x"),
        ("REJECTED_QUEUE_NAME", "q" * 81),
        ("FUNCTION_ROLE_NAME", "rôle"),
        ("PIPE_ROLE_NAME", "a:b"),
    ],
)
def test_a_name_that_aws_would_refuse_is_refused_by_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}=") as refused:
        Names.from_env({variable: value})

    assert "\n" not in str(refused.value)


def test_two_resources_of_a_kind_cannot_share_a_name() -> None:
    with pytest.raises(SettingsError, match="DEAD_LETTER_QUEUE_NAME and REJECTED_QUEUE_NAME"):
        Names.from_env({"DEAD_LETTER_QUEUE_NAME": "q", "REJECTED_QUEUE_NAME": "q"})
    with pytest.raises(SettingsError, match="FUNCTION_ROLE_NAME and PIPE_ROLE_NAME"):
        Names.from_env({"FUNCTION_ROLE_NAME": "inventory-pipe-role"})


def test_options_are_read_as_what_they_are() -> None:
    options = Options.from_env(
        {
            "STREAM_SHARDS": "4",
            "MAX_RETRY_ATTEMPTS": "-1",
            "STARTING_POSITION": "LATEST",
            "REMOVAL_NAME_POLICY": "enforce",
            "LOG_RETENTION_DAYS": "30",
        }
    )

    assert options == Options(
        stream_shards=4,
        max_retry_attempts=-1,
        starting_position="LATEST",
        removal_name_policy="enforce",
        log_retention_days=30,
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STREAM_SHARDS", "0"),
        ("STREAM_SHARDS", "two"),
        ("BATCH_SIZE", "10001"),
        ("BATCHING_WINDOW_SECONDS", "1.5"),
        ("MAX_RETRY_ATTEMPTS", "-2"),
        ("MAX_RECORD_AGE_SECONDS", "604801"),
        ("STARTING_POSITION", "latest"),
        ("FUNCTION_RUNTIME", "python2.7"),
        ("FUNCTION_MEMORY_MB", "64"),
        ("FUNCTION_TIMEOUT_SECONDS", "301"),
        ("REMOVAL_NAME_POLICY", "maybe"),
        ("LOG_RETENTION_DAYS", "15"),
    ],
)
def test_a_bad_option_is_refused_by_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}='{value}': must be "):
        Options.from_env({variable: value})


def test_attempts_and_age_are_bounded_unless_told_otherwise() -> None:
    options = Options.from_env({})

    assert options.max_retry_attempts >= 0
    assert options.max_record_age_seconds >= 0
