"""`inventory verify`, the command itself, and the counts of its report."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from operations.verify.explain import RecordStatus
from stack import Stack

STATUSES = "|".join(status.replace("_", " ") for status in RecordStatus)
COUNTED = re.compile(rf"^  ({STATUSES}) +(\d+)", re.MULTILINE)
ON_THE_STREAM = re.compile(r"^Events +(\d+) on the stream", re.MULTILINE)


@dataclass(frozen=True)
class Verified:
    exit_code: int
    output: str

    @property
    def on_the_stream(self) -> int:
        found = ON_THE_STREAM.search(self.output)
        return int(found[1]) if found else 0

    @property
    def statuses(self) -> Counter[RecordStatus]:
        counts = COUNTED.findall(self.output)
        return Counter(
            {RecordStatus(words.replace(" ", "_")): int(count) for words, count in counts}
        )


def verify(stack: Stack) -> Verified:
    """Run the command on `stack`, and wait for it."""
    lead: Mapping[str, str] = {**stack.backend.variables, "STAGE": stack.names.stage}
    done = subprocess.run(
        [sys.executable, "-m", "inventory_cli", "verify"],
        env={**os.environ, **lead, "TARGET": "aws"},
        capture_output=True,
        text=True,
        check=False,
    )
    return Verified(done.returncode, done.stdout + done.stderr)
