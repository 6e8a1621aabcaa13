"""What the embedded target needs beside the packages that every target needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded import stack
from embedded.processes import StartupError


@pytest.mark.parametrize(
    ("installed", "text"),
    [
        ([], "Not installed: ministack, eventbridge_pipes. The embedded target needs"),
        (["eventbridge_pipes"], "Not installed: ministack. The embedded target needs"),
    ],
)
def test_a_missing_package_is_named_and_nothing_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: list[str], text: str
) -> None:
    monkeypatch.setattr(stack, "find_spec", lambda name: name in installed or None)
    servers = stack.EmbeddedStack(tmp_path / "stack", {}, lambda seconds: None, print)
    with pytest.raises(StartupError, match=text), servers:
        pass
    assert list(tmp_path.iterdir()) == []
