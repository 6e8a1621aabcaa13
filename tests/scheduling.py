"""Which worker of pytest-xdist runs which test: one has all that runs in containers."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling


class ContainersTogether(LoadScopeScheduling):  # type: ignore[misc]
    """Each test goes to whichever worker is free, but those in containers to the same one: an
    emulator for each worker would be too many.

    It goes by the names of tests. `--dist loadgroup` would go by marks, which pytest-xdist 3.8
    cannot hand on under pytest 9.
    """

    def _split_scope(self, nodeid: str) -> str:
        in_containers = nodeid.startswith("tests/containers/") or "[docker" in nodeid
        return "containers" if in_containers else nodeid
