"""The start hook: what it is run with, and what it prints if it fails."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from deploy.__main__ import main
from pages import ROOT

SCRIPT = ROOT / "init/ready.d/deploy.sh"


@pytest.fixture
def zip_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    path = tmp_path / "function.zip"
    path.touch()
    path.with_name("settings.json").write_text("{}")
    return path


def run(zip_file: Path) -> int:
    return main(zip_file, zip_file.with_name("settings.json"))


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        (
            "STREAM_SHARDS",
            "none",
            "STREAM_SHARDS must be a whole number from 1 to 10000 (it is 'none')",
        ),
        (
            "TABLE_NAME",
            "a b",
            "TABLE_NAME must be 3-255 letters, digits or any of _ . - (it is 'a b')",
        ),
        (
            "AWS_DEFAULT_REGION",
            None,
            "no AWS Region: set AWS_DEFAULT_REGION, or a profile that has one",
        ),
        ("AWS_ENDPOINT_URL", "nonsense", "Invalid endpoint: nonsense"),
        ("AWS_PROFILE", "nobody", "The config profile (nobody) could not be found"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line_and_exit_1(
    zip_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str | None,
    reason: str,
) -> None:
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)
    assert run(zip_file) == 1
    assert capsys.readouterr() == ("", f"The deployment failed: {reason}\n")


def test_all_wrong_settings_are_named_and_the_file_takes_precedence(
    zip_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STAGE", "UP")
    monkeypatch.setenv("BATCH_SIZE", "7")
    settings = zip_file.with_name("settings.json")
    settings.write_text('{"BATCH_SIZE": "none"}')
    assert run(zip_file) == 1
    stage, batch_size = capsys.readouterr().err.splitlines()
    assert stage.startswith("The deployment failed: STAGE must be ")
    assert batch_size.startswith("The deployment failed: BATCH_SIZE must be ")


def test_a_zip_that_is_not_there_is_one_line_and_exit_1(
    zip_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zip_file.unlink()
    assert run(zip_file) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The deployment failed: ")
    assert str(zip_file) in line


@pytest.mark.parametrize("endpoint", [None, "http://localstack:4566"])
def test_the_script_deploys_to_the_emulator_that_runs_it(
    tmp_path: Path, endpoint: str | None
) -> None:
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\necho "$*|$AWS_ENDPOINT_URL|$AWS_ACCESS_KEY_ID|$PYTHONPATH"\nexit 3\n'
    )
    python.chmod(0o755)
    (tmp_path / "function.zip").touch()  # the script waits for it
    environ = {"PATH": f"{tmp_path}:/bin:/usr/bin", "FUNCTION_FOLDER": str(tmp_path)}
    if endpoint:
        environ["AWS_ENDPOINT_URL"] = endpoint
    ended = subprocess.run([SCRIPT], env=environ, capture_output=True, text=True)
    files = f"{tmp_path}/function.zip {tmp_path}/settings.json"
    line = f"-m deploy {files}|{endpoint or 'http://127.0.0.1:4566'}|test|/opt/inventory\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, line, "")
