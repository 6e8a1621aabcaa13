"""`inventory export cloudformation`, on the command line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inventory_cli.cli import cli

CODE = b"a zip"
ZIP = f"inventory-processor-{hashlib.sha256(CODE).hexdigest()[:16]}.zip"


@pytest.fixture(autouse=True)
def _without_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory_cli.workbench.packaged_function", lambda: CODE)


def run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(cli, ["export", "cloudformation", *arguments], env=variables)


def stream_in(template: dict[str, Any]) -> str:
    name: str = template["Resources"]["Stream"]["Properties"]["Name"]
    return name


def test_it_is_yaml_on_standard_output_with_the_names_of_the_environment() -> None:
    result = run(STAGE="dev")
    assert result.exit_code == 0
    assert "Name: dev-realtimeInventoryProcessing\n" in result.stdout
    assert "!GetAtt 'Stream.Arn'" in result.stdout


def test_json_on_demand() -> None:
    assert stream_in(json.loads(run("--format", "json").stdout)) == "realtimeInventoryProcessing"


def test_to_a_file_with_the_zip_that_it_deploys_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "dist" / "inventory.json"
    result = run("--format", "json", "--output", str(target))
    assert result.stdout.splitlines() == [str(target), str(target.parent / ZIP)]
    template = json.loads(target.read_text())
    assert template["Parameters"]["CodeKey"]["Default"] == ZIP
    assert (target.parent / ZIP).read_bytes() == CODE


def test_a_setting_that_aws_would_refuse_is_one_line() -> None:
    result = run(STREAM_SHARDS="none")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: STREAM_SHARDS must be a whole number from 1 to 10000 (it is 'none')"
    ]


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("--output", str(tmp_path / "file" / "inventory.yaml"))
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
