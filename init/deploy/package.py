"""Packages the functions as one zip: the same input gives the same bytes, on any machine.

Entries are sorted, bear one date and one mode, and are stored uncompressed: what deflate makes of
the same bytes depends on the zlib at hand, and the hash of the code is how a deployment sees that
it has changed. All dependencies are pure Python, so that one zip serves Python 3.11 to 3.13.

    python services/lambda/build_zip.py dist/inventory-processor.zip
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = [HERE / "alerts", HERE / "inventory"]
REQUIREMENTS = HERE / "requirements.txt"
CACHE = HERE.parents[1] / ".inventory" / "build"
OTHER_CACHE = Path.home() / ".cache" / "inventory-stack"
"""Where the checkout cannot be written to."""

OLDEST_PYTHON = "3.11"
INSTALLER_NOTES = {"RECORD", "INSTALLER", "REQUESTED"}
"""What pip writes beside a package: it differs from one pip to the next."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip can hold."""


class BuildError(Exception):
    """The dependencies could not be had; the message is pip's last line."""


def build(target: Path) -> Path:
    """Write the zip to `target` and return it.

    The dependencies are installed once for each state of the lock file, under
    `cache()`. Raises BuildError.
    """
    ours = [entry for package in PACKAGES for entry in _files_of(HERE, package)]
    entries = dict(sorted([*_files_of(_dependencies(cache())), *ours]))
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
        for name, path in entries.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 3  # Unix, so that the mode counts
            info.external_attr = 0o100644 << 16
            archive.writestr(info, path.read_bytes())
    return unfinished.replace(target)


def cache() -> Path:
    """Where the dependencies are kept."""
    there = next(folder for folder in (CACHE, *CACHE.parents) if folder.exists())
    return CACHE if os.access(there, os.W_OK) else OTHER_CACHE


def _dependencies(kept: Path) -> Path:
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    ready = kept / f"function-{digest}"
    if ready.exists():
        return ready
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)  # as all in the state folder
    scratch = Path(tempfile.mkdtemp(dir=kept))
    try:
        _install(scratch)
        if not ready.exists():  # another build may have been quicker
            scratch.rename(ready)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return ready


def _install(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    locked = ["--require-hashes", "--no-deps", "--requirement", str(REQUIREMENTS)]
    pure = ["--only-binary=:all:", "--implementation=py", "--abi=none", "--platform=any"]
    where = [f"--python-version={OLDEST_PYTHON}", "--no-compile", f"--target={folder}"]
    done = subprocess.run(  # noqa: S603 - our own arguments, no shell
        [*pip, *locked, *pure, *where], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise BuildError(f"cannot install what the function needs: {last}")


def _files_of(root: Path, folder: Path | None = None) -> Iterator[tuple[str, Path]]:
    for path in (folder or root).rglob("*"):
        name = path.relative_to(root)
        kept = path.is_file() and "__pycache__" not in name.parts and name.parts[0] != "bin"
        if kept and path.name not in INSTALLER_NOTES:
            yield name.as_posix(), path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python services/lambda/build_zip.py ZIP")
    try:
        print(build(Path(sys.argv[1])))
    except BuildError as error:
        sys.exit(str(error))
