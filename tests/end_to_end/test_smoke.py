"""`make aws-smoke`, which is for an account, on the servers of each kind."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from deploy.settings import TEMPLATE
from servers import set_aws
from stack import Backend


def test_the_smoke_test_deploys_verifies_and_destroys_a_stage_of_its_own(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_aws(monkeypatch, backend.variables)
    inventory = f"INVENTORY={sys.executable} -m inventory_cli"
    make = ["make", "--no-print-directory", "--old-file", ".venv/.runtime", inventory]
    ran = subprocess.run(
        [*make, "aws-smoke", "ARGS=--yes"], cwd=TEMPLATE.parents[1], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Success: the table is what the events produce, and no event is lost." in ran.stdout
    assert "In units, at most: 2 shard-hours, 100 records, " in ran.stdout
    assert re.search(r"\nNothing of the stage (smoke-\d+) is left\.\n$", ran.stdout)
