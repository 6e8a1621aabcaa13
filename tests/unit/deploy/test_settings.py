"""Names and parameters from the environment."""

from __future__ import annotations

import pytest

from deploy.settings import Settings, template, variables
from inventory_aws.errors import SettingsError


def test_only_stream_and_table_can_have_other_names() -> None:
    settings = Settings.from_env({"STAGE": "dev", "TABLE_NAME": "stock", "FUNCTION_NAME": "f"})

    names = settings.names
    assert (names.table, names.stream) == ("stock", "dev-realtimeInventoryProcessing")
    assert names.function == "dev-inventory-processor"
    assert settings.parameters["TableName"] == "stock"
    assert settings.parameters["NamePrefix"] == "dev-"


def test_an_empty_variable_counts_as_unset() -> None:
    empty = {"STAGE": "default", "TABLE_NAME": "", "BATCH_SIZE": ""}
    assert Settings.from_env(empty) == Settings.from_env({})


def test_every_parameter_of_the_template_is_set_by_a_variable_or_by_deploy() -> None:
    declared = template()["Parameters"]
    by_deploy = {"CodeBucket", "CodeKey", "PipesHaveOwnEndpoint"}
    parameters = Settings.from_env({}).parameters

    assert declared.keys() - parameters.keys() == by_deploy
    assert variables()["KMS_KEY_ARN"] == "KmsKeyArn"
    assert variables()["FUNCTION_MEMORY_MB"] == "FunctionMemoryMb"


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
        ("STREAM_NAME", "stream\n"),
        ("TABLE_NAME", "ab"),
        ("TABLE_NAME", "t\u00e4ble"),
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
def test_the_error_for_a_wrong_value_names_the_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable} must be .* \\(it is "):
        Settings.from_env({variable: value})


def test_each_wrong_setting_has_a_line() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env({"STAGE": "UP", "BATCH_SIZE": "x", "LOW_STOCK": "many"})

    assert [line.split()[0] for line in str(refused.value).splitlines()] == [
        "STAGE",
        "BATCH_SIZE",
        "LOW_STOCK",
    ]


def test_attempts_and_age_are_limited_by_default() -> None:
    parameters = Settings.from_env({}).parameters

    assert int(parameters["MaxRetryAttempts"]) >= 0
    assert int(parameters["MaxRecordAgeSeconds"]) >= 0
