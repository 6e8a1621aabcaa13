"""Wheels of our distributions, and environments with nothing but them and what they require."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from email.message import Message
from email.parser import Parser
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def clean(**more: str) -> dict[str, str]:
    """The environment without what leads to Python code or to AWS."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON"))}
    return {**inherited, **more}


def run(*command: str | Path, folder: Path | None = None, **environment: str) -> str:
    """What a command said, which ends well."""
    ended = subprocess.run(
        command, cwd=folder, env=clean(**environment), capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def build(project: Path, folder: Path) -> Path:
    """Put the sdist and the wheel of a project into the folder; the wheel."""
    before = set(folder.glob("*.whl"))
    # hatchling looks for its project in the working directory.
    run(sys.executable, "-m", "hatchling", "build", "-d", str(folder), folder=project)
    [wheel] = set(folder.glob("*.whl")) - before
    return wheel


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata_of(wheel: Path) -> Message:
    (name,) = [name for name in contents(wheel) if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(contents(wheel)[name].decode())


def requirements_of(wheel: Path, extra: str = "") -> list[Requirement]:
    """Return the requirements of the wheel, with those of an extra, for this Python."""
    told = [Requirement(text) for text in metadata_of(wheel).get_all("Requires-Dist", [])]
    needed = [each for each in told if not each.marker or each.marker.evaluate({"extra": extra})]
    for each in needed:
        each.marker = None
    return needed


def environment(folder: Path, wheels: Iterable[Path], requirements: Iterable[Requirement]) -> Path:
    """Make an environment that has the wheels, what is required, and nothing more; its commands.

    What is required is linked from where the tests run, so that nothing is fetched.
    """
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    commands = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python"]
    run(*pip, commands / "python", "install", "--quiet", "--no-deps", "--no-index", *wheels)
    (packages,) = folder.glob("lib/python*/site-packages")
    for distribution in _needed(requirements).values():
        for name in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            link, target = packages / name, Path(str(distribution.locate_file(name))).resolve()
            if not link.exists():  # two distributions can share a folder
                link.symlink_to(target)
    return commands


def _needed(requirements: Iterable[Requirement]) -> dict[str, metadata.Distribution]:
    """The distributions that `requirements` come to, in the versions that are locked here."""
    found: dict[str, metadata.Distribution] = {}
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found[name] = metadata.distribution(name)
        assert found[name].version in requirement.specifier
        waiting += map(Requirement, found[name].requires or [])
    return found
