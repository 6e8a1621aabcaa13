"""Packages the functions as one zip: the same input gives the same bytes, on any machine.

Entries are sorted, have one date and one mode, and are stored uncompressed: what deflate makes of
the same bytes depends on the zlib that is installed, and the hash of the code is how a deployment
sees that it has changed. All dependencies are pure Python, so that one zip serves Python 3.11 to
3.13.

    python -m deploy.package dist/inventory-processor.zip
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
from contextlib import suppress
from importlib import resources
from pathlib import Path

PACKAGES = ("alerts", "inventory", "inventory_aws", "processor")
REQUIREMENTS = Path(__file__).with_name("function-requirements.txt")

OLDEST_PYTHON = "3.11"
INSTALLER_NOTES = {"RECORD", "INSTALLER", "REQUESTED"}
"""What pip writes beside a package: it differs from one pip to the next."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip can hold."""


class BuildError(Exception):
    """The dependencies could not be installed; the message is pip's last line."""


def build(target: Path) -> Path:
    """Write the zip to `target` and return it.

    The dependencies are installed once for each state of the lock file, and kept in `cache()`.
    Raises BuildError.
    """
    ours = [
        each for package in map(_folder_of, PACKAGES) for each in _files(package.parent, package)
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(unfinished, "w") as archive:
        entries = sorted([*_files(dependencies(Path(scratch))), *ours])
        for name, path in entries:
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 3  # Unix, so that the mode counts
            info.external_attr = 0o100644 << 16
            archive.writestr(info, path.read_bytes())
    return unfinished.replace(target)


def cache() -> Path:
    """Return the folder that keeps the dependencies from one build to the next."""
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(user) / "inventory-stack"


def _folder_of(package: str) -> Path:
    return Path(str(resources.files(package)))


def dependencies(scratch: Path) -> Path:
    """Return a folder with the dependencies: the one in `cache()`, or else `scratch`."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    kept = cache() / f"function-{digest}"
    if os.path.exists(kept):  # unlike Path.exists, False where the cache cannot be read
        return kept
    _install(scratch)
    unfinished = kept.with_name(f"{kept.name}.{os.getpid()}")
    with suppress(OSError):  # where nothing can be kept, the next build takes as long
        shutil.copytree(scratch, unfinished)
        unfinished.rename(kept)  # fails if another build was quicker
    shutil.rmtree(unfinished, ignore_errors=True)
    return scratch


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


def _files(root: Path, folder: Path | None = None) -> Iterator[tuple[str, Path]]:
    for path in (folder or root).rglob("*"):
        name = path.relative_to(root)
        kept = path.is_file() and "__pycache__" not in name.parts and name.parts[0] != "bin"
        if kept and path.name not in INSTALLER_NOTES:
            yield name.as_posix(), path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deploy.package ZIP")
    try:
        print(build(Path(sys.argv[1])))
    except BuildError as error:
        sys.exit(str(error))
