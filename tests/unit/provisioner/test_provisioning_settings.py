"""Names and options from the environment."""

from __future__ import annotations

import dataclasses

import pytest

from provisioner import Names, Options, SettingsError
from provisioner.names import VARIABLES as NAME_VARIABLES
from provisioner.options import VARIABLES as OPTION_VARIABLES


def test_without_variables_the_names_are_those_of_the_design() -> None:
    assert dataclasses.asdict(Names.from_env({})) == {
        "stage": "default",
        "stream": "realtimeInventoryProcessing",
        "table": "product_inventory",
        "removals_table": "inventory_removals",
        "function": "inventory-processor",
        "pipe": "inventory-pipe",
        "dead_letter_queue": "inventory-pipe-dlq",
        "rejected_queue": "inventory-rejected",
        "rejections_topic": "inventory-rejections",
        "dead_letters_topic": "inventory-dead-letters",
        "topic": "inventory-failures",
        "alerts_queue": "inventory-alerts",
        "alerts_table": "inventory_alerts",
        "alerts_function": "inventory-alerts",
        "alarms": "inventory",
        "dashboard": "inventory",
        "function_role": "inventory-processor-role",
        "alerts_role": "inventory-alerts-role",
        "pipe_role": "inventory-pipe-role",
    }


@pytest.mark.parametrize(
    ("settings", "variables"), [(Names, NAME_VARIABLES), (Options, OPTION_VARIABLES)]
)
def test_every_setting_has_a_variable(settings: type, variables: dict[str, object]) -> None:
    assert [field.name for field in dataclasses.fields(settings)] == list(variables)


def test_each_name_is_overridable() -> None:
    environ = {variable: f"other-{field}" for field, (variable, _) in NAME_VARIABLES.items()}

    names = Names.from_env(environ)

    assert set(dataclasses.astuple(names)) == set(environ.values())


@pytest.mark.parametrize("stage", ["dev", "a", "team-7", "a2345678901234567890"])
def test_the_names_of_a_stage_begin_with_it_and_are_names_that_aws_takes(stage: str) -> None:
    names = dataclasses.asdict(Names.from_env({"STAGE": stage}))

    assert names.pop("stage") == stage
    assert names == {field: f"{stage}-{getattr(Names(), field)}" for field in names}
    for field, name in names.items():
        variable, parse = NAME_VARIABLES[field]
        assert parse(name) == name, variable


def test_a_name_of_its_own_is_the_whole_name_in_a_stage_too() -> None:
    names = Names.from_env({"STAGE": "dev", "TABLE_NAME": "stock"})

    assert (names.table, names.stream) == ("stock", "dev-realtimeInventoryProcessing")


def test_the_default_stage_has_the_names_of_none() -> None:
    assert Names.from_env({"STAGE": "default"}) == Names.from_env({})


def test_an_empty_variable_counts_as_unset() -> None:
    assert Names.from_env({"TABLE_NAME": ""}).table == "product_inventory"
    assert Options.from_env({"BATCH_SIZE": ""}).batch_size == 500


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STAGE", "Dev"),
        ("STAGE", "-dev"),
        ("STAGE", "1dev"),
        ("STAGE", "dev_1"),
        ("STAGE", "d" * 21),
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
    with pytest.raises(SettingsError, match=f"^{variable} must be ") as refused:
        Names.from_env({variable: value})

    assert "\n" not in str(refused.value)


def test_two_resources_of_a_kind_cannot_share_a_name() -> None:
    with pytest.raises(SettingsError, match="DEAD_LETTER_QUEUE_NAME and REJECTED_QUEUE_NAME"):
        Names.from_env({"DEAD_LETTER_QUEUE_NAME": "q", "REJECTED_QUEUE_NAME": "q"})
    with pytest.raises(SettingsError, match="FUNCTION_ROLE_NAME and PIPE_ROLE_NAME"):
        Names.from_env({"FUNCTION_ROLE_NAME": "inventory-pipe-role"})
    with pytest.raises(SettingsError, match="REJECTIONS_TOPIC_NAME and TOPIC_NAME must differ"):
        Names.from_env({"TOPIC_NAME": "inventory-rejections"})
    with pytest.raises(SettingsError, match="TABLE_NAME and ALERTS_TABLE_NAME must differ"):
        Names.from_env({"TABLE_NAME": "inventory_alerts"})
    with pytest.raises(SettingsError, match="FUNCTION_NAME and ALERTS_FUNCTION_NAME must differ"):
        Names.from_env({"FUNCTION_NAME": "inventory-alerts"})


def test_options_are_read_as_what_they_are() -> None:
    options = Options.from_env(
        {
            "STREAM_SHARDS": "4",
            "MAX_RETRY_ATTEMPTS": "-1",
            "STARTING_POSITION": "LATEST",
            "REMOVAL_NAME_POLICY": "enforce",
            "LOW_STOCK": "5",
            "HIGH_STOCK": "off",
            "LOG_RETENTION_DAYS": "30",
            "KMS_KEY_ARN": "arn:aws:kms:eu-west-1:123456789012:key/mrk-1",
            "POINT_IN_TIME_RECOVERY": "on",
            "DELETION_PROTECTION": "off",
        }
    )

    assert options == Options(
        stream_shards=4,
        max_retry_attempts=-1,
        starting_position="LATEST",
        removal_name_policy="enforce",
        low_stock=5,
        high_stock=None,
        log_retention_days=30,
        kms_key="arn:aws:kms:eu-west-1:123456789012:key/mrk-1",
        point_in_time_recovery=True,
        deletion_protection=False,
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
        ("LOW_STOCK", "-1"),
        ("LOW_STOCK", "none"),
        ("HIGH_STOCK", "1e3"),
        ("LOG_RETENTION_DAYS", "15"),
        ("KMS_KEY_ARN", "alias/mine"),
        ("KMS_KEY_ARN", "arn:aws:kms:eu-west-1:123456789012:alias/mine"),
        ("POINT_IN_TIME_RECOVERY", "true"),
        ("DELETION_PROTECTION", "1"),
    ],
)
def test_a_bad_option_is_refused_by_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable} must be .* \\(it is "):
        Options.from_env({variable: value})


def test_attempts_and_age_are_bounded_unless_told_otherwise() -> None:
    options = Options.from_env({})

    assert options.max_retry_attempts >= 0
    assert options.max_record_age_seconds >= 0


def test_a_key_of_another_region_is_refused_before_anything_is_made() -> None:
    options = Options(kms_key="arn:aws:kms:eu-west-1:123456789012:key/mrk-1")

    options.check("eu-west-1")
    Options().check("us-east-1")
    with pytest.raises(SettingsError, match=r"^KMS_KEY_ARN is of the Region eu-west-1, the res"):
        options.check("us-east-1")
