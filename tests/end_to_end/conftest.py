"""Every end-to-end test runs on each kind of servers: same file, same assertions."""

from __future__ import annotations

import pytest

from stack import Backend

IN_CONTAINERS = [pytest.mark.containers, pytest.mark.timeout(600)]


@pytest.fixture(
    scope="session",
    params=["embedded", pytest.param("in_containers", marks=IN_CONTAINERS, id="docker")],
)
def backend(request: pytest.FixtureRequest) -> Backend:
    servers: Backend = request.getfixturevalue(request.param)
    return servers
