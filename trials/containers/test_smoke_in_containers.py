"""`make aws-smoke` on testcontainers' LocalStack, or on the image that LOCALSTACK_IMAGE names."""

from __future__ import annotations

import pytest
from tests.end_to_end.test_smoke import (
    test_the_smoke_test_deploys_verifies_and_destroys_a_stage_of_its_own,
)

from stack import Backend

__all__ = ["test_the_smoke_test_deploys_verifies_and_destroys_a_stage_of_its_own"]

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(420),
]


@pytest.fixture
def backend(in_containers: Backend) -> Backend:
    return in_containers
