"""What a service logged that it was not prepared for."""

from __future__ import annotations

_TRACEBACK = "\\nTraceback (most recent call last):"


def surprises(log: str) -> list[str]:
    """The last line of each traceback of an error; the service writes line ends as `\\n`.

    Libraries log tracebacks as warnings, of what they get over.
    """
    return [
        line.rpartition("\\n")[2]
        for line in log.splitlines()
        if _TRACEBACK in line and line.split()[1] == "ERROR"
    ]
