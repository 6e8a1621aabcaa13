"""What holds for all tests: which are left out here and why, and that nothing stays behind."""

from __future__ import annotations

import os
import signal
from functools import cache

import botocore.session
import pytest
from hypothesis import settings

import chromium
import engine
import orphans
from fuzzing import tries

pytest_plugins = ["servers"]

ADVICE = {
    engine.LEFT_OUT: "in containers. Start Docker, then: make test-containers",
    chromium.LEFT_OUT: (
        "in a browser. Install Chromium (apt-get install chromium), then: make test-browser"
    ),
}

settings.register_profile("inventory", tries(100))
settings.load_profile("inventory")


# Each session of boto3 reads the models of AWS's services; commands that tests call make many.
botocore.session.create_loader = cache(botocore.session.create_loader)


def pytest_configure(config: pytest.Config) -> None:
    # A script that starts the tests in the background has them ignore it, and all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        say_what_is_missing(config)
    orphans.guard()


def say_what_is_missing(config: pytest.Config) -> None:
    """Once, before the workers start: what they find, each of them tells, or none."""
    for path in config.args:
        if not (config.invocation_params.dir / path.partition("::")[0]).exists():
            raise pytest.UsageError(f"file or directory not found: {path}")
    for needed in (engine, chromium):
        if needed.required() and needed.missing():
            raise pytest.UsageError(needed.missing())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for marker, needed in {"containers": engine, "browser": chromium}.items():
        marked = [item for item in items if item.get_closest_marker(marker)]
        if marked and (reason := needed.missing()):
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(optionalhook=True)  # not there with -p no:xdist
def pytest_xdist_auto_num_workers() -> int:
    """More than there are processors: the tests of servers wait half of the time."""
    processors = os.cpu_count() or 1
    return max(processors, min(2 * processors, 8))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say last, where it is seen, which tests were left out."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    for reason, advice in ADVICE.items():
        if left_out := sum(reason in str(report.longrepr) for report in skipped):
            reporter.write_line(f"Left out: {left_out} tests {advice}")
