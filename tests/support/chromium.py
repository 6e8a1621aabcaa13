"""The browser that the browser tier needs: Chromium as the system has it, never downloaded."""

from __future__ import annotations

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
LEFT_OUT = "no Chromium"


def required() -> bool:
    """Whether a missing browser is a failure, not a tier that is left out."""
    return os.environ.get("REQUIRE_BROWSER", "") not in ("", "0")


def path() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def missing() -> str:
    """Why there is none, or nothing when there is one."""
    return "" if path() else f"{LEFT_OUT}: none of {', '.join(NAMES)} is on the PATH"


def need() -> str:
    """Its path; the test fails without. Where there may be none, it is left out before."""
    found = path()
    if found is None:
        pytest.fail(missing(), pytrace=False)
    return found
