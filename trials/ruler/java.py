"""event-ruler, in one process of Java for many pairs. Maven fetches it once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ruler.pairs import Pair

HERE = Path(__file__).parent


class MissingError(Exception):
    """What event-ruler needs to run is not here."""


def required() -> bool:
    """Whether a missing Java is a failure, not a test that is left out."""
    return os.environ.get("REQUIRE_JAVA", "") not in ("", "0")


def libraries(cache: Path) -> Path:
    """Return the folder in `cache` with the libraries, which are fetched if they are not there."""
    for command, needed in (("javac", "a JDK, 11 or newer"), ("mvn", "Maven")):
        if not shutil.which(command):
            raise MissingError(f"no {command}: the comparison with event-ruler needs {needed}")
    version = (HERE / "pom.xml").read_text(encoding="utf-8").split("<version>")[2].partition("<")[0]
    folder = cache / version
    if not folder.exists():
        fetched = cache / "fetched"
        shutil.rmtree(fetched, ignore_errors=True)
        _fetch(fetched)
        fetched.rename(folder)
    return folder


def _fetch(folder: Path) -> None:
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    argv = ["mvn", "--quiet", "--batch-mode", f"--file={HERE / 'pom.xml'}", *goal]
    try:
        ran = subprocess.run(argv, capture_output=True, text=True, timeout=200)
    except subprocess.TimeoutExpired as error:
        raise MissingError(f"Maven could not fetch event-ruler: {error}") from None
    if ran.returncode:
        raise MissingError(f"Maven could not fetch event-ruler: {ran.stdout or ran.stderr}")


def judgements(folder: Path, pairs: Sequence[Pair]) -> list[str]:
    """Return what event-ruler makes of each pair: matched, passed over, refused or lost.

    Lost is a pair that only matches when each alternative of `$or` is a rule of its own.
    """
    argv = ["java", "-cp", str(folder / "*"), str(HERE / "Matcher.java")]
    lines = "\n".join(json.dumps(pair._asdict()) for pair in pairs)
    return subprocess.check_output(argv, input=lines, text=True).splitlines()
