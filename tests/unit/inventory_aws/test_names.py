"""Names of resources, which begin with the stage."""

from __future__ import annotations

import dataclasses

import pytest

from inventory_aws.names import Names


@pytest.mark.parametrize("stage", ["dev", "a", "team-7", "a2345678901234567890"])
def test_the_names_of_a_stage_begin_with_it(stage: str) -> None:
    names = dataclasses.asdict(Names.from_env({"STAGE": stage}))

    assert names.pop("stage") == stage
    assert names == {field: f"{stage}-{getattr(Names(), field)}" for field in names}
