"""The functions' zip: what is kept from one build to the next. Its contents: test_function."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from deploy import package


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that a build has installed the dependencies into, in place of pip."""
    folders: list[Path] = []

    def install(folder: Path) -> None:
        folders.append(folder)
        (folder / "dependency.py").write_text("")

    monkeypatch.setattr(package, "_install", install)
    return folders


def test_the_next_build_uses_the_cached_dependencies(
    installs: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first, second = (package.build(tmp_path / name) for name in ("first.zip", "second.zip"))
    assert len(installs) == 1
    assert first.read_bytes() == second.read_bytes()
    (kept,) = (tmp_path / "cache" / "inventory-stack").iterdir()
    assert [path.name for path in kept.iterdir()] == ["dependency.py"]


def test_the_zip_is_built_if_the_cache_cannot_be_written(
    installs: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    names = zipfile.ZipFile(package.build(tmp_path / "function.zip")).namelist()
    assert "dependency.py" in names
    assert {"alerts", "inventory", "inventory_aws", "processor"} < {n.split("/")[0] for n in names}
