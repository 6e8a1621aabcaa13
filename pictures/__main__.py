"""Makes the pictures of the README and of docs: `make pictures`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from embedded.interrupts import run_until_stopped
from pictures import screenshots

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"


def main() -> None:
    if shutil.which("chromium") is None:
        sys.exit("There is no chromium, which takes the pictures: apt-get install chromium")
    screenshots.take(FOLDER)


if __name__ == "__main__":
    run_until_stopped(main)
